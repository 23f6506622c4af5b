/* story_memory.c -- weights by format, the KV cache by kind of attention, and concurrent requests. */
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/story.h"

bool part_quantization(void *lab, Error *err)
{
    static const struct {
        const char *name;
        KnFormat format;
    } blocks[] = {{"Q8_0", {8, 32, 16, 0, 0}},
                  {"Q6_K", {6, 16, 8, 16, 16}},
                  {"Q4_K", {4, 32, 12, 8, 32}},
                  {"NF4", {4, 64, 8, 256, 32}},
                  {"MXFP4", {4, 32, 8, 0, 0}}};
    static const char *const formats[] = {"fp32",   "bf16",   "fp8",    "q8_0", "q6_k",
                                          "q5_k_m", "q4_k_m", "nf4-dq", "q2_k"};
    enum { FORMATS = sizeof formats / sizeof *formats };
    static float x[FORMATS], gigabytes[FORMATS];
    static PlotTick ticks[FORMATS];
    const Setup *setup = lab;
    Table table =
        table_new(setup->step, "format|bits|block|scale bits|bits per weight|bytes of 4096");
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        const KnFormat *f = &blocks[i].format;
        table_row(&table, "%s|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%.4f|%" PRIu64, blocks[i].name,
                  f->bits, f->block, f->block_bits, kn_bits_per_weight(f),
                  kn_format_bytes(f, 4096));
    }
    run_print(setup->run, "A block of numbers shares its scale.");
    run_table(setup->run, &table);

    const Model *model = model_open(setup->step, "llama-3.1-8b", err);
    if (model == NULL) return false;
    run_print(setup->run,
              "%s, with each tensor in the type that the format gives it:", model->name);
    Table sizes = table_new(setup->step, "format|bits per weight|GB (1e9)|GiB (2^30)");
    for (int i = 0; i < FORMATS; i++) {
        WeightBytes weights;
        if (!format_weights(setup->step, model, formats[i], &weights, err)) return false;
        double bytes = (double)weights.bytes;
        x[i] = (float)i, gigabytes[i] = (float)(bytes / 1e9);
        ticks[i] = (PlotTick){i, formats[i]};
        table_row(&sizes, "%s|%.4f|%.2f|%.2f", formats[i], weights.bits_per_weight, bytes / 1e9,
                  bytes / 0x1p30);
        metrics_write(setup->run->metrics, 0, METRICS({formats[i], weights.bits_per_weight}));
    }
    run_table(setup->run, &sizes);
    Plot plot = {.title = "Weights of Llama-3.1-8B by format",
                 .y_label = "size [GB, 1e9 bytes]",
                 .ticks = ticks,
                 .tick_count = FORMATS};
    plot_shape(&plot, PLOT_BARS, "weights", x, gigabytes, FORMATS);
    run_plot(setup->run, &plot, "formats");
    return true;
}

// ---- the KV cache ----

enum { CONTEXTS = 8, FIRST_CONTEXT = 1024 };    // 1K to 128K

static double cache_bytes(const Model *model, uint64_t context)
{
    const KnFormat bf16 = {.bits = 16};
    double sum = 0;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        sum += kind->count * (double)kn_kv_bytes(&kind->block, &bf16) *
               (double)kn_cached_tokens(context, kind->window, 1);
    }
    return sum;
}

static bool show_concurrency(const Setup *setup, Error *err)
{
    static const char *const served[] = {"llama-2-7b", "llama-3.1-8b", "gemma-3-12b-it",
                                         "gpt-oss-20b"};
    const Question *question = &setup->question;
    run_print(setup->run, "Concurrent requests on one %s, by context:", question->gpu_spec.name);
    Table table = table_new(setup->step, "model|1K|2K|4K|8K|16K|32K|64K|128K");
    for (size_t m = 0; m < sizeof served / sizeof *served; m++) {
        const Model *model = model_open(setup->step, served[m], err);
        const char *row = served[m];
        ServingBasis basis;
        Serving serving;
        if (model == NULL ||
            !inference_basis(setup->step, model, question->weights, question->kv, &basis, err))
            return false;
        uint64_t requests[CONTEXTS];
        for (int c = 0; c < CONTEXTS; c++) {
            Deployment one = {.basis = &basis,
                              .workload = plan_workload(question),
                              .limit = plan_limit(question),
                              .split = {1, 1, 1}};
            one.workload.context = (uint64_t)FIRST_CONTEXT << c;
            if (!inference_plan(setup->step, &one, &serving, err)) return false;
            requests[c] = serving.max_requests;
            metrics_write(
                setup->run->metrics, 0,
                METRICS({"context", (double)one.workload.context}, {row, (double)requests[c]}));
        }
        table_row(&table,
                  "%s|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64
                  "|%" PRIu64 "|%" PRIu64,
                  row, requests[0], requests[1], requests[2], requests[3], requests[4], requests[5],
                  requests[6], requests[7]);
    }
    run_table(setup->run, &table);
    return true;
}

bool part_kv_cache(void *lab, Error *err)
{
    static const struct {
        const char *name, *label, *attention;
    } models[] = {{"llama-2-7b", "Llama-2-7B", "multi-head"},
                  {"llama-3.1-8b", "Llama-3.1-8B", "grouped-query: 4 heads share"},
                  {"falcon-7b", "Falcon-7B", "multi-query: all 71 heads share"},
                  {"gemma-3-12b-it", "Gemma-3-12B", "sliding window of 1024 in 5 of 6 layers"},
                  {"deepseek-v3", "DeepSeek-V3", "latent: one for 128 heads"}};
    enum { MODELS = sizeof models / sizeof *models };
    static float x[CONTEXTS], y[MODELS][CONTEXTS];
    static PlotTick ticks[CONTEXTS];
    const Setup *setup = lab;
    Plot plot = {.title = "KV cache of one request",
                 .x_label = "context [tokens]",
                 .y_label = "KV cache in bf16 [GB, 1e9 bytes]",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = CONTEXTS};
    Table table = table_new(setup->step, "model|attention|bytes per token|GB at 128K");
    for (int m = 0; m < MODELS; m++) {
        const Model *model = model_open(setup->step, models[m].name, err);
        if (model == NULL) return false;
        for (int c = 0; c < CONTEXTS; c++) {
            uint64_t context = (uint64_t)FIRST_CONTEXT << c;
            x[c] = (float)context, y[m][c] = (float)(cache_bytes(model, context) / 1e9);
            ticks[c] = (PlotTick){(double)context, arena_print(setup->step, "%dK", 1 << c)};
        }
        plot_series(&plot, models[m].label, x, y[m], CONTEXTS);
        table_row(&table, "%s|%s|%.0f|%.2f", models[m].label, models[m].attention,
                  cache_bytes(model, 1), (double)y[m][CONTEXTS - 1]);
    }
    run_table(setup->run, &table);
    run_plot(setup->run, &plot, "cache");
    return show_concurrency(setup, err);
}
