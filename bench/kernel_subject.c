#include "bench/subject.h"
#include <string.h>

typedef struct KernelRun {
    Prepared base;
    const KernelWork *work;
    int n, count;
    Operand operands[WORK_OPERANDS];
    WorkPlace place;
    void **host;
} KernelRun;

static double run_calls(KernelRun *run, long calls, bool transfers)
{
    device_put_in_use(run->place.on);
    run->place.on->get(NULL, NULL, 0);
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        if (transfers) work_place_put(&run->place, run->host);
        run->work->call(&kernels, run->place.at, run->n);
        if (transfers) work_place_get(&run->place, run->host);
    }
    run->place.on->get(NULL, NULL, 0);
    return bench_now() - start;
}

static double run_kernel(void *work, long calls, Error *err)
{
    (void)err;
    return run_calls(work, calls, false);
}

static double run_with_transfers(void *work, long calls, Error *err)
{
    (void)err;
    return run_calls(work, calls, true);
}

static void close_run(Prepared *prepared)
{
    work_place_close(&((KernelRun *)(void *)prepared)->place);
}

static double flops(const Subject *subject, int n)
{
    return ((const KernelWork *)subject->what)->flops(n);
}

static Prepared *open_run(Arena *arena, const Subject *subject, const Device *on, int n, Error *err)
{
    const KernelWork *work = subject->what;
    KernelRun *run = arena_zeros(arena, sizeof *run);
    run->work = work;
    run->n = n;
    run->count = work->operands(run->operands, n);
    run->host = operands_fill(arena, run->operands, run->count);
    run->base = (Prepared){.on = on,
                           .flops = work->flops(n),
                           .bytes = operands_moved(run->operands, run->count),
                           .run = run_kernel,
                           .run_with_transfers = on->on_host ? NULL : run_with_transfers,
                           .close = close_run};
    return work_place_open(&run->place, on, run->operands, run->count, run->host, err) ? &run->base
                                                                                       : NULL;
}

Subject kernel_subject(const KernelWork *work)
{
    const SizeInfo *size = &size_info[work->size];
    Subject subject = {.kind = "kernel",
                       .name = work->kernel,
                       .form = work->form,
                       .unit = size->unit,
                       .formula = work->formula,
                       .what = work,
                       .flops = flops,
                       .open = open_run};
    memcpy(subject.sizes, size->sizes, sizeof subject.sizes);
    return subject;
}
