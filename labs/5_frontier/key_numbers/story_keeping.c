/* story_keeping.c -- bytes: of weights by format, of the cache by kind of attention, and what that
 * leaves for requests. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/story.h"

bool tell_storing(const Story *story, Error *err)
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
    printf("\n2. Bytes: a block of numbers shares its scales\n\n");
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        const KnFormat *f = &blocks[i].format;
        printf("  %-6s %d bits and %llu for each %llu: %.4f bits; a row of 4096 numbers in %llu "
               "bytes\n",
               blocks[i].name, (int)f->bits, (unsigned long long)f->block_bits,
               (unsigned long long)f->block, kn_bits_per_weight(f),
               (unsigned long long)kn_format_bytes(f, 4096));
    }
    const Model *model = model_open(story->step, "llama-3.1-8b", err);
    if (model == NULL) return false;
    printf("\n  %s, each tensor by its rule:\n", model->name);
    enum { FORMATS = sizeof formats / sizeof *formats };
    static float x[FORMATS], gigabytes[FORMATS];
    static PlotTick ticks[FORMATS];
    for (int i = 0; i < FORMATS; i++) {
        WeightBytes bytes;
        if (!format_weights(story->step, model, formats[i], &bytes, err)) return false;
        x[i] = (float)i, gigabytes[i] = (float)((double)bytes.bytes / 1e9),
        ticks[i] = (PlotTick){i, formats[i]};
        printf("  %-8s %7.4f bits a parameter  %6.2f GB (%5.2f GiB)\n", formats[i],
               bytes.bits_per_weight, (double)bytes.bytes / 1e9, (double)bytes.bytes / 0x1p30);
        metrics_write(story->run->metrics, 0, METRICS({formats[i], bytes.bits_per_weight}));
    }
    Plot plot = {.title = "Llama-3.1-8B by the format of its weights",
                 .y_label = "GB (1e9 bytes)",
                 .ticks = ticks,
                 .tick_count = FORMATS};
    plot_shape(&plot, PLOT_BARS, "weights", x, gigabytes, FORMATS);
    run_plot(story->run, &plot, "formats");
    return true;
}

// ---- the cache ----

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

bool tell_remembering(const Story *story, Error *err)
{
    static const struct {
        const char *name, *shown, *attention;
    } models[] = {{"llama-2-7b", "Llama-2-7B", "every head its own keys and values"},
                  {"llama-3.1-8b", "Llama-3.1-8B", "4 heads share"},
                  {"falcon-7b", "Falcon-7B", "all 71 share"},
                  {"gemma-3-12b-it", "Gemma-3-12B", "5 of 6 layers see 1024 tokens"},
                  {"deepseek-v3", "DeepSeek-V3", "one latent for 128 heads"}};
    enum { MODELS = sizeof models / sizeof *models };
    static float x[CONTEXTS], y[MODELS][CONTEXTS];
    static PlotTick ticks[CONTEXTS];
    Plot plot = {.title = "What one request keeps",
                 .x_label = "tokens",
                 .y_label = "GB (1e9 bytes), 16 bits a number",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = CONTEXTS};
    printf("\n3. The cache: bytes that each token leaves, and what requests find room\n\n");
    for (int m = 0; m < MODELS; m++) {
        const Model *model = model_open(story->step, models[m].name, err);
        if (model == NULL) return false;
        for (int c = 0; c < CONTEXTS; c++) {
            uint64_t context = (uint64_t)FIRST_CONTEXT << c;
            x[c] = (float)context, y[m][c] = (float)(cache_bytes(model, context) / 1e9);
            ticks[c] =
                (PlotTick){(double)context,
                           arena_print(story->step, "%lluK", (unsigned long long)(context >> 10))};
        }
        plot_series(&plot, models[m].shown, x, y[m], CONTEXTS);
        printf("  %-13s %7.0f bytes a token, %6.2f GB at 128K   %s\n", models[m].shown,
               cache_bytes(model, 1), (double)y[m][CONTEXTS - 1], models[m].attention);
    }
    run_plot(story->run, &plot, "cache");

    const Question *question = &story->question;
    printf("\n  Requests at the same time on one %s:\n", question->gpu_spec.name);
    printf("  %-14s", "");
    for (int c = 0; c < CONTEXTS; c += 1) printf(" %6s", ticks[c].name);
    static const char *const served[] = {"llama-2-7b", "llama-3.1-8b", "gemma-3-12b-it",
                                         "gpt-oss-20b"};
    for (size_t m = 0; m < sizeof served / sizeof *served; m++) {
        const Model *model = model_open(story->step, served[m], err);
        ServingBasis basis;
        Serving serving;
        if (model == NULL ||
            !inference_basis(story->step, model, question->weights, question->kv, &basis, err))
            return false;
        printf("\n  %-14s", served[m]);
        for (int c = 0; c < CONTEXTS; c++) {
            Deployment one = {&basis, plan_workload(question), plan_limit(question), {1, 1, 1}};
            one.workload.context = (uint64_t)FIRST_CONTEXT << c;
            if (!inference_plan(story->step, &one, &serving, err)) return false;
            printf(" %6llu", (unsigned long long)serving.max_requests);
            metrics_write(story->run->metrics, 0,
                          METRICS({"context", (double)one.workload.context},
                                  {served[m], (double)serving.max_requests}));
        }
    }
    printf("\n");
    return true;
}
