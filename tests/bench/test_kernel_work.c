// What the benchmark says of each kernel's work: against values computed by hand, against kernels/list.h, which counts
// the same for the profiler, and that each call can be made as it is described.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "bench/kernel_work.h"

static const KernelWork *work_of(const char *kernel, const char *form)
{
    for (int i = 0; i < kernel_work_count; i++)
        if (strcmp(kernel_works[i].kernel, kernel) == 0 && strcmp(kernel_works[i].form, form) == 0)
            return &kernel_works[i];
    fail_msg("no %s %s", kernel, form);
    return NULL;
}

static void every_kernel_of_the_list_is_described(void **state)
{
    (void)state;
    static const char *const names[] = {
#define X(name, prototype, arguments, work) #name,
        KERNEL_LIST(X)
#undef X
    };
    bool described[KERNEL_COUNT] = {false};
    for (int i = 0; i < kernel_work_count; i++) described[kernel_works[i].entry] = true;
    for (int k = 0; k < KERNEL_COUNT; k++)
        if (!described[k]) fail_msg("%s is not in bench/kernel_list.h", names[k]);
}

// By hand: FLOPs, bytes read, bytes written.
typedef struct ByHand {
    const char *kernel, *form;
    int n;
    double flops, read, written;
} ByHand;

static const ByHand by_hand[] = {
    {"add", "", 1000, 1000, 8000, 4000},
    {"fill", "", 1000, 0, 0, 4000},
    {"axpby", "", 10, 30, 80, 40},
    // 10 parameters, moments and gradients of 4 bytes, the scale and a span of 16 bytes
    {"adam_step", "", 10, 170, 4 * 40 + 4 + 16, 3 * 40},
    {"clip_scale", "", 100, 200, 400, 8},
    {"matmul", "", 100, 2e6, 80000, 40000},
    {"softmax_rows", "", 3, 5 * 3072, 3072 * 4, 3072 * 4},
    {"layer_norm", "", 2, 8 * 2048, 4 * (2048 + 2 * 1024), 4 * (2048 + 2 + 2)},
    // 64 filters of 32 x 3 x 3 at 784 pixels
    {"transpose", "", 10, 0, 400, 400},
    // 2 slices of 16 states, 4 actions of 3 outcomes: 3 products, 3 sums and a comparison each
    {"value_sweep", "f64", 2, 2 * 16 * 4 * 7,
     8 * 3 * 16 + 4 * 3 + 8 * 9 + 8 * 2 * 4 * 16 + (8 + 4) * 2 * 4 * 3 * 16, 8 * 3 * 16 + 8},
    {"conv2d", "", 1, 2.0 * 784 * 64 * 288, 4.0 * (32 * 784 + 64 * 288), 4.0 * 64 * 784},
    {"max_pool", "", 1, 64 * 784, 4 * 64 * 784, 2 * 4 * 64 * 196},
    // 1 + 2 + 3 pairs for 12 heads of 64, two products
    {"attention", "", 3, 4.0 * 6 * 12 * 64, 3 * 3 * 768 * 4, 3 * 768 * 4 + 3 * 12 * 4},
    {"attention_backward", "", 3, 10.0 * 6 * 12 * 64, 5 * 3 * 768 * 4 + 3 * 12 * 4,
     3 * 3 * 768 * 4},
    {"embedding", "", 5, 0, 5 * 768 * 4 + 5 * 4, 5 * 768 * 4},
    // 32 numbers of Q8_0 take 34 bytes
    {"row_product", "q8_0", 2, 2.0 * 2 * 3072 * 768, 2 * 768 * 4 + 3072 * 768 / 32 * 34.0,
     2 * 3072 * 4},
    {"row_product", "f16", 1, 2.0 * 3072 * 768, 768 * 4 + 3072 * 768 * 2.0, 3072 * 4},
    {"rows_read", "q8_0", 3, 3 * 1024, 3 * 1088 + 3 * 4, 3 * 1024 * 4},
    {"lstm_gates", "", 1, 22 * 256, 4 * 256 * (4 + 4 + 1), 4 * 256 * (4 + 1 + 1)},
    {"lstm_gates_backward", "", 1, 23 * 256, 4 * 256 * (1 + 1 + 4 + 1 + 1), 4 * 256 * (4 + 1)},
    // 8 sequences of 32 heads of 128, 16 tokens each; 8 heads of keys and of values in halves
    {"paged_attention", "f16", 16, 4.0 * 8 * 16 * 4096,
     8 * 4096 * 4 + 2 * 8 * 16 * 1024 * 2 + 8 * 4 + 8 * 8, 8 * 4096 * 4},
    {"paged_copy", "f16", 16, 0, 2 * 16 * 1024 * 2, 2 * 16 * 1024 * 2},
};

static void flops_and_bytes_are_those_computed_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        const ByHand *want = &by_hand[i];
        const KernelWork *work = work_of(want->kernel, want->form);
        Operand operands[WORK_OPERANDS];
        const int count = work->operands(operands, want->n);
        const double flops = work->flops(want->n), read = operands_read(operands, count),
                     written = operands_written(operands, count);
        if (flops != want->flops || read != want->read || written != want->written)
            fail_msg("%s %s, n = %d: %.0f FLOPs, %.0f bytes read, %.0f written; by hand %.0f, "
                     "%.0f, %.0f",
                     want->kernel, want->form, want->n, flops, read, written, want->flops,
                     want->read, want->written);
        assert_true(operands_moved(operands, count) == want->read + want->written);
    }
}

// ---- as the profiler has it

static KernelCost last;

#define X(name, prototype, arguments, work)                                                        \
    static void count_##name prototype                                                             \
    {                                                                                              \
        last = (work);                                                                             \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
KERNEL_LIST(X)
#pragma GCC diagnostic pop
#undef X

static const Kernels counting = {
#define X(name, prototype, arguments, work) .name = count_##name,
    KERNEL_LIST(X)
#undef X
};

// Where the list cannot know: how much of the cache the queries see is on the device.
static bool is_known_by_the_list(const KernelWork *work)
{
    return work->entry != KERNEL_paged_attention && work->entry != KERNEL_value_sweep;
}

// At the largest size, where labels, sums and scales are below 1 % of the rest.
static void flops_and_bytes_agree_with_the_list_of_kernels(void **state)
{
    (void)state;
    static char anywhere[64];
    void *at[WORK_OPERANDS];
    for (int i = 0; i < WORK_OPERANDS; i++) at[i] = anywhere;
    for (int i = 0; i < kernel_work_count; i++) {
        const KernelWork *work = &kernel_works[i];
        Operand operands[WORK_OPERANDS];
        const int n = size_info[work->size].sizes[WORK_SIZES - 1];
        const int count = work->operands(operands, n);
        const double bytes = operands_moved(operands, count);
        work->call(&counting, at, n);
        if (!is_known_by_the_list(work)) continue;
        if (!(fabs(bytes - last.bytes) <= 0.01 * last.bytes))
            fail_msg("%s: %.0f bytes, and %.0f in kernels/list.h", work->kernel, bytes, last.bytes);
        if (last.flops > 0 && fabs(work->flops(n) - last.flops) > 1e-9 * last.flops)
            fail_msg("%s: %.0f FLOPs, and %.0f in kernels/list.h", work->kernel, work->flops(n),
                     last.flops);
    }
}

// ---- calls

// On `far`, whose memory the host cannot touch: a pointer of the host among the arguments would crash.
static void every_call_works_on_its_operands_and_gives_finite_numbers(void **state)
{
    (void)state;
    Error err;
    const char *why;
    assert_true(device_use("far", &why));
    const Device *far = device;
    for (int i = 0; i < kernel_work_count; i++) {
        const KernelWork *work = &kernel_works[i];
        Arena *arena = arena_new("operands", 1u << 30);
        Operand operands[WORK_OPERANDS];
        WorkPlace place;
        const int n = size_info[work->size].sizes[0], count = work->operands(operands, n);
        void **host = operands_fill(arena, operands, count);
        assert_true(work_place_open(&place, far, operands, count, host, &err));
        work->call(&kernels, place.at, n);
        work_place_get(&place, host);
        const float *y = host[0];    // the first output, where it is floats
        if (operands[0].use != USE_READ && strcmp(work->form, "") == 0 && !isfinite(y[0]))
            fail_msg("%s gives %g", work->kernel, (double)y[0]);
        work_place_close(&place);
        arena_free(arena);
    }
}

static void operands_hold_the_same_whenever_they_are_filled(void **state)
{
    (void)state;
    const KernelWork *work = work_of("cross_entropy", "");
    Arena *arena = arena_new("operands", 1u << 24);
    Operand operands[WORK_OPERANDS];
    const int count = work->operands(operands, 7);
    void **first = operands_fill(arena, operands, count),
         **again = operands_fill(arena, operands, count);
    for (int i = 0; i < count; i++)
        assert_memory_equal(first[i], again[i], (size_t)operands[i].bytes);
    const int32_t *label = first[3];
    for (int i = 0; i < 7; i++) assert_in_range(label[i], 0, 1023);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_of_the_list_is_described),
        cmocka_unit_test(flops_and_bytes_are_those_computed_by_hand),
        cmocka_unit_test(flops_and_bytes_agree_with_the_list_of_kernels),
        cmocka_unit_test(every_call_works_on_its_operands_and_gives_finite_numbers),
        cmocka_unit_test(operands_hold_the_same_whenever_they_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
