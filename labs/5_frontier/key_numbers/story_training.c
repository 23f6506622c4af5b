/* story_training.c -- training state under ZeRO, and activations by recomputation. */
#include "labs/5_frontier/key_numbers/story.h"

// Rajbhandari et al. 2020, figure 1: 7.5 billion parameters on 64 GPUs, Adam in mixed precision.
static void show_zero(const Setup *setup)
{
    static const double paper[] = {120, 31.4, 16.6, 1.9};    // GB
    static const char *sharded[] = {"nothing", "optimizer state", "and gradients", "and weights"};
    const KnRecipe adam = {.weights = 2, .gradients = 2, .state = 12};
    run_print(setup->run, "7.5 billion parameters on 64 GPUs, GB on each, as in figure 1 of ZeRO:");
    Table table = table_new(setup->step, "stage|sharded|weights|gradients|optimizer state|total|"
                                         "paper");
    for (int stage = 0; stage <= 3; stage++) {
        KnState state;
        kn_training_state(&state, 7500000000, &adam, stage, 64);
        double sum = (state.weights + state.gradients + state.state) / 1e9;
        table_row(&table, "%d|%s|%.2f|%.2f|%.2f|%.2f|%.1f", stage, sharded[stage],
                  state.weights / 1e9, state.gradients / 1e9, state.state / 1e9, sum, paper[stage]);
        metrics_write(setup->run->metrics, 0, METRICS({"zero_stage", stage}, {"gigabytes", sum}));
    }
    run_table(setup->run, &table);
}

bool part_training(void *lab, Error *err)
{
    static const struct {
        const char *name;
        bool flash;
        KnRecompute recompute;
    } methods[] = {{"none: scores stored", false, KN_KEEP_ALL},
                   {"flash attention", true, KN_KEEP_ALL},
                   {"selective recomputation", false, KN_SELECTIVE},
                   {"full recomputation", false, KN_FULL}};
    enum { METHODS = sizeof methods / sizeof *methods, LENGTHS = 6, SHORTEST = 1024 };
    static float x[LENGTHS], y[METHODS][LENGTHS];
    static PlotTick ticks[LENGTHS];
    const Setup *setup = lab;
    show_zero(setup);

    const Model *model = model_open(setup->step, "llama-3.1-8b", err);
    if (model == NULL) return false;
    Plot plot = {.title = "Activations of Llama-3.1-8B, one sequence",
                 .x_label = "sequence length [tokens]",
                 .y_label = "activations of all layers [GB, 1e9 bytes]",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = LENGTHS};
    run_print(setup->run, "Activations of %s, GB for one sequence, by its length:", model->name);
    Table table = table_new(setup->step, "method|1K|2K|4K|8K|16K|32K");
    for (int w = 0; w < METHODS; w++) {
        double gigabytes[LENGTHS];
        for (int i = 0; i < LENGTHS; i++) {
            KnPass pass = {.sequence = (uint64_t)SHORTEST << i,
                           .batch = 1,
                           .tensor_parallel = 1,
                           .flash = methods[w].flash,
                           .recompute = methods[w].recompute};
            double sum = 0;
            for (int k = 0; k < model->kind_count; k++)
                sum += model->kinds[k].count * kn_activation_bytes(&model->kinds[k].block, &pass);
            gigabytes[i] = sum / 1e9;
            x[i] = (float)pass.sequence, y[w][i] = (float)gigabytes[i];
            ticks[i] = (PlotTick){x[i], arena_print(setup->step, "%dK", 1 << i)};
        }
        table_row(&table, "%s|%.2f|%.2f|%.2f|%.2f|%.2f|%.2f", methods[w].name, gigabytes[0],
                  gigabytes[1], gigabytes[2], gigabytes[3], gigabytes[4], gigabytes[5]);
        plot_series(&plot, methods[w].name, x, y[w], LENGTHS);
    }
    run_table(setup->run, &table);
    run_plot(setup->run, &plot, "activations");
    return true;
}
