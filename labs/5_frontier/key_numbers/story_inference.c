/* story_inference.c -- FLOPs and the roofline of decoding, and the compute-optimal model. */
#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/story.h"

enum { BATCHES = 8 };    // 1 to 128

// One token for each request, at batch sizes that double: by the exercises only. A batch whose cache
// does not fit in the GPU's memory is a gap.
static void show_decoding(const Setup *setup, const Model *model, float *x, float *rate)
{
    const LayerKind *kind = &model->kinds[0];
    const GpuSpec *gpu = &setup->question.gpu_spec;
    const Question *q = &setup->question;
    const KnFormat bf16 = {.bits = 16};
    double weights = 2 * (double)(model_params(model) - model_looked_up(model));
    double flops = 2 * (double)model->vocab * (double)model->width +
                   kind->count * kn_forward_flops(&kind->block, kind->vectors, (double)q->context);
    KnLayerCache cache = {(uint64_t)kind->count, kn_kv_bytes(&kind->block, &bf16), kind->window};
    uint64_t most = kn_concurrency(gpu->memory, q->utilisation, 2 * (double)model_params(model),
                                   &cache, 1, q->context, q->page);
    double cached = (double)(cache.layers * cache.bytes * q->context);
    run_print(setup->run,
              "%s: a token takes %.1f GFLOP, and reads %.1f GB of weights and %.2f GB of KV cache",
              model->name, flops / 1e9, weights / 1e9, cached / 1e9);
    Table table =
        table_new(setup->step, "batch size|time per output token [ms]|throughput [tokens/s]|"
                               "bound");
    for (int i = 0; i < BATCHES; i++) {
        double batch = 1 << i;
        KnBounds bound = kn_roofline(batch * flops, weights + batch * cached,
                                     gpu->bf16 * q->u_compute, gpu->bandwidth * q->u_memory);
        bool fits = (uint64_t)batch <= most;
        x[i] = (float)batch;
        rate[i] = fits ? (float)(batch / bound.seconds) : NAN;
        if (!fits) continue;
        table_row(&table, "%.0f|%.2f|%.0f|%s", batch, 1e3 * bound.seconds, (double)rate[i],
                  bound.memory_bound ? "memory bandwidth" : "compute");
        metrics_write(setup->run->metrics, 0,
                      METRICS({"batch", batch}, {"tokens_per_second", (double)rate[i]}));
    }
    run_table(setup->run, &table);
    run_print(setup->run, "The KV cache of more than %" PRIu64 " requests does not fit.", most);
}

bool part_inference(void *lab, Error *err)
{
    static const char *const names[] = {"llama-2-7b", "llama-3.1-8b"};
    static const char *const labels[] = {"Llama-2-7B, multi-head", "Llama-3.1-8B, grouped-query"};
    static float x[BATCHES], rates[2][BATCHES];
    static PlotTick ticks[BATCHES];
    const Setup *setup = lab;
    const GpuSpec *gpu = &setup->question.gpu_spec;
    Plot plot = {.title = arena_print(setup->step, "Decoding throughput on one %s, context of 4K",
                                      gpu->name),
                 .x_label = "batch size [requests]",
                 .y_label = "throughput of all requests [tokens/s]",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = BATCHES};
    for (int i = 0; i < BATCHES; i++)
        ticks[i] = (PlotTick){1 << i, arena_print(setup->step, "%d", 1 << i)};
    if (!(gpu->bf16 > 0 && gpu->bandwidth > 0))
        return error_set(err, "%s: its 16-bit peak or its bandwidth is unknown", gpu->name);
    run_print(setup->run,
              "One %s: peak %.0f TFLOP/s, bandwidth %.2f TB/s, ridge point %.0f FLOP/byte. Times "
              "are for %.0f %% of the peak and %.0f %% of the bandwidth.",
              gpu->name, gpu->bf16 / 1e12, gpu->bandwidth / 1e12, gpu->bf16 / gpu->bandwidth,
              100 * setup->question.u_compute, 100 * setup->question.u_memory);
    for (int m = 0; m < 2; m++) {
        const Model *model = model_open(setup->step, names[m], err);
        if (model == NULL) return false;
        show_decoding(setup, model, x, rates[m]);
        plot_series(&plot, labels[m], x, rates[m], BATCHES);
    }
    run_plot(setup->run, &plot, "speed");
    return true;
}

// Hoffmann et al. 2022, table 3: parameters, FLOPs and tokens of their first approach.
bool part_compute_optimal(void *lab, Error *err)
{
    static const struct {
        double params, flops, tokens;
    } chinchilla[] = {{0.4e9, 1.92e19, 8.0e9},   {1e9, 1.21e20, 20.2e9},   {10e9, 1.23e22, 205.1e9},
                      {67e9, 5.76e23, 1.5e12},   {175e9, 3.85e24, 3.7e12}, {280e9, 9.90e24, 5.9e12},
                      {520e9, 3.43e25, 11.0e12}, {1e12, 1.27e26, 21.2e12}};
    const Setup *setup = lab;
    (void)err;
    Table table = table_new(setup->step, "budget [FLOP]|parameters [1e9]|tokens [1e9]|"
                                         "Chinchilla's parameters|and tokens");
    for (size_t i = 0; i < sizeof chinchilla / sizeof *chinchilla; i++) {
        double budget = chinchilla[i].flops;
        KnOptimum best = kn_optimum(budget, 20);
        table_row(&table, "%.2e|%.1f|%.1f|%.1f|%.1f", budget, best.params / 1e9, best.tokens / 1e9,
                  chinchilla[i].params / 1e9, chinchilla[i].tokens / 1e9);
        metrics_write(
            setup->run->metrics, 0,
            METRICS({"budget", budget}, {"parameters", best.params}, {"tokens", best.tokens}));
    }
    run_print(setup->run, "20 tokens per parameter, beside table 3 of Hoffmann et al. 2022:");
    run_table(setup->run, &table);
    return true;
}
