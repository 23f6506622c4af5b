/* story_speed.c -- FLOPs, the roofline, and what a budget buys. */
#include <math.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/story.h"

enum { BATCHES = 8 };    // 1 to 128

// One token for each request, at batch sizes that double: by the exercises alone. A batch whose cache
// finds no room on the card is a gap.
static void answer_batches(const Story *story, const Model *model, float *x, float *rate)
{
    const LayerKind *kind = &model->kinds[0];
    const GpuSpec *spec = &story->question.gpu_spec;
    const Question *q = &story->question;
    const KnFormat bf16 = {.bits = 16};
    double weights = 2 * (double)(model_params(model) - model_looked_up(model));
    double flops = 2 * (double)model->vocab * (double)model->width +
                   kind->count * kn_forward_flops(&kind->block, kind->vectors, (double)q->context);
    KnLayerCache cache = {(uint64_t)kind->count, kn_kv_bytes(&kind->block, &bf16), kind->window};
    uint64_t room = kn_concurrency(spec->memory, q->utilisation, 2 * (double)model_params(model),
                                   &cache, 1, q->context, q->page);
    double kept = (double)(cache.layers * cache.bytes * q->context);
    printf("  %s: a token takes %.1f GFLOP, and reads %.1f GB of weights and %.2f GB of cache\n",
           model->name, flops / 1e9, weights / 1e9, kept / 1e9);
    for (int i = 0; i < BATCHES; i++) {
        double batch = 1 << i;
        KnBounds bound = kn_roofline(batch * flops, weights + batch * kept,
                                     spec->bf16 * q->u_compute, spec->bandwidth * q->u_memory);
        bool fits = (uint64_t)batch <= room;
        x[i] = (float)batch;
        rate[i] = fits ? (float)(batch / bound.seconds) : NAN;
        if (!fits) continue;
        printf("    %3.0f at once  %6.2f ms a token  %6.0f tokens/s, bound by %s\n", batch,
               1e3 * bound.seconds, (double)rate[i], bound.memory_bound ? "memory" : "arithmetic");
        metrics_write(story->run->metrics, 0,
                      METRICS({"batch", batch}, {"tokens_per_second", (double)rate[i]}));
    }
    printf("    more than %llu find no room for their cache\n", (unsigned long long)room);
}

bool tell_answering(const Story *story, Error *err)
{
    static const char *const names[] = {"llama-2-7b", "llama-3.1-8b"};
    static float x[BATCHES], rates[2][BATCHES];
    static PlotTick ticks[BATCHES];
    const GpuSpec *spec = &story->question.gpu_spec;
    Plot plot = {.title = arena_print(
                     story->step, "Tokens written in a second on one %s, 4K context", spec->name),
                 .x_label = "requests at the same time",
                 .y_label = "tokens/s, of all together",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = BATCHES};
    for (int i = 0; i < BATCHES; i++)
        ticks[i] = (PlotTick){1 << i, arena_print(story->step, "%d", 1 << i)};
    if (!(spec->bf16 > 0 && spec->bandwidth > 0))
        return error_set(err, "%s: its 16-bit peak or its bandwidth is not known", spec->name);
    printf("\n5. Speed on one %s: %.0f TFLOP/s and %.2f TB/s meet at %.0f FLOP a byte\n\n",
           spec->name, spec->bf16 / 1e12, spec->bandwidth / 1e12, spec->bf16 / spec->bandwidth);
    for (int m = 0; m < 2; m++) {
        const Model *model = model_open(story->step, names[m], err);
        if (model == NULL) return false;
        answer_batches(story, model, x, rates[m]);
        plot_series(&plot, model->name, x, rates[m], BATCHES);
    }
    run_plot(story->run, &plot, "speed");
    return true;
}

// Hoffmann et al. 2022, table 3: parameters, FLOPs and tokens of their first approach.
bool tell_budget(const Story *story, Error *err)
{
    static const struct {
        double params, flops, tokens;
    } table[] = {{0.4e9, 1.92e19, 8.0e9},   {1e9, 1.21e20, 20.2e9},   {10e9, 1.23e22, 205.1e9},
                 {67e9, 5.76e23, 1.5e12},   {175e9, 3.85e24, 3.7e12}, {280e9, 9.90e24, 5.9e12},
                 {520e9, 3.43e25, 11.0e12}, {1e12, 1.27e26, 21.2e12}};
    (void)err;
    printf("\n6. A budget of training FLOPs: how large a model, on how many tokens; billions\n\n"
           "                parameters    tokens   Chinchilla's table 3\n");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        KnOptimum best = kn_optimum(table[i].flops, 20);
        printf("  %8.2e FLOP %9.1f %9.1f  %9.1f %10.1f\n", table[i].flops, best.params / 1e9,
               best.tokens / 1e9, table[i].params / 1e9, table[i].tokens / 1e9);
        metrics_write(story->run->metrics, 0,
                      METRICS({"budget", table[i].flops}, {"parameters", best.params},
                              {"tokens", best.tokens}));
    }
    return true;
}
