#include "labs/5_frontier/paged_kv/app/bench_ours.h"
#include <string.h>
#include <sys/mman.h>
#include "bench/harness.h"

static void note_first(void *context, const EngineEvent *event)
{
    if (event->sampled != NULL) *(bool *)context = true;
}

// The batch's requests, all with their first token, so that each step from here on is one token of each.
double ours_run(void *work, long calls, Error *err)
{
    Ours *o = work;
    const Cell c = o->cell;
    const bool prefill = strcmp(c.work, "prefill") == 0;
    double seconds = 0;
    for (long call = 0; call < calls; call++) {
        bool has_token[MOST_BATCH] = {false};
        int ids[MOST_BATCH];
        for (int i = 0; i < c.batch; i++) {
            int32_t *prompt = o->prompts + (size_t)i * (size_t)c.prompt;
            prompt[0] = (prefill ? 1000 + o->turn++ : i) % o->vocabulary;
            const Request request = {.prompt = prompt,
                                     .prompt_count = c.prompt,
                                     .ignore_stop_tokens = true,
                                     .sampling = {.log_probabilities = -1},
                                     .on_event = note_first,
                                     .context = &has_token[i]};
            if ((ids[i] = engine_submit(o->engine, &request, err)) < 0) return -1;
        }
        double start = bench_now();
        for (int i = 0; i < c.batch;)
            if (has_token[i]) i++;
            else engine_step(o->engine);
        if (!prefill) {
            start = bench_now();
            for (int i = 0; i < c.steps; i++) engine_step(o->engine);
        }
        seconds += bench_now() - start;
        for (int i = 0; i < c.batch; i++) engine_cancel(o->engine, ids[i]);
        engine_step(o->engine);    // frees them
    }
    return seconds;
}

bool ours_open(Ours *o, Arena *arena, const Weights *weights, const Form *form, Error *err)
{
    const EngineOptions options = {.cache_bytes = (size_t)1 << 29,
                                   .sequences = MOST_BATCH,
                                   .budget = 512,
                                   .cache = DTYPE_F16,
                                   .activations = ACTIVATIONS_Q8};
    *o = (Ours){.engine = engine_open(weights, NULL, options, err),
                .vocabulary = weights->config.vocabulary};
    const int longest = form->context > form->prefill ? form->context : form->prefill,
              count = MOST_BATCH * longest;
    o->prompts = arena_alloc(arena, (size_t)count * sizeof *o->prompts);
    for (int i = 0; i < count; i++) o->prompts[i] = (i * 7919 + 13) % o->vocabulary;
    return o->engine != NULL;
}

double large_page_read_gbs(int threads, bool quick)
{
    enum { STREAMS = 4, TURNS = 5 };
    const size_t bytes = (size_t)(quick ? 32 : 512) << 20, words = bytes / sizeof(uint64_t);
    uint64_t *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
             total = 0;
    double best = 0;
    if (data == MAP_FAILED) return 0;
#ifdef MADV_HUGEPAGE
    madvise(data, bytes, MADV_HUGEPAGE);
#endif
    memset(data, 1, bytes);
    for (int turn = 0; turn < TURNS; turn++) {
        const double start = bench_now();
#pragma omp parallel for schedule(static) num_threads(threads) reduction(+ : total)
        for (int part = 0; part < threads; part++) {
            const size_t each = words / (size_t)threads / STREAMS;
            const uint64_t *at = data + (size_t)part * each * STREAMS;
            uint64_t sum[STREAMS] = {0};
            for (size_t i = 0; i < each; i++)
                for (size_t s = 0; s < STREAMS; s++) sum[s] += at[s * each + i];
            total += sum[0] + sum[1] + sum[2] + sum[3];
        }
        const double gbs = 1e-9 * (double)bytes / (bench_now() - start);
        if (gbs > best) best = gbs;
    }
    munmap(data, bytes);
    return total != 0 ? best : 0;
}
