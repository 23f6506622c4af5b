/* story_training.c -- memory to train: the state under ZeRO beside the paper's figures, and the
 * activations of a layer by what is computed again. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/story.h"

// Rajbhandari et al. 2020, figure 1: 7.5 billion parameters on 64 GPUs, Adam in mixed precision.
static void tell_zero(const Story *story)
{
    static const double paper[] = {120, 31.4, 16.6, 1.9};    // GB
    static const char *kept[] = {"all on each", "state divided", "and gradients", "and weights"};
    const KnRecipe adam = {.weights = 2, .gradients = 2, .state = 12};
    printf("  7.5 billion parameters on 64 GPUs, GB on each (ZeRO's own figure 1):\n"
           "  stage            weights  gradients   state    in all  the paper\n");
    for (int stage = 0; stage <= 3; stage++) {
        KnState state;
        kn_training_state(&state, 7500000000, &adam, stage, 64);
        double sum = (state.weights + state.gradients + state.state) / 1e9;
        printf("  %d %-14s %7.2f %10.2f %7.2f %9.2f %10.1f\n", stage, kept[stage],
               state.weights / 1e9, state.gradients / 1e9, state.state / 1e9, sum, paper[stage]);
        metrics_write(story->run->metrics, 0, METRICS({"zero_stage", stage}, {"gigabytes", sum}));
    }
}

bool tell_training(const Story *story, Error *err)
{
    static const struct {
        const char *name;
        bool flash;
        KnRecompute recompute;
    } ways[] = {{"scores kept", false, KN_KEEP_ALL},
                {"flash", true, KN_KEEP_ALL},
                {"attention again", false, KN_SELECTIVE},
                {"all again", false, KN_FULL}};
    enum { WAYS = sizeof ways / sizeof *ways, LENGTHS = 6, FIRST = 1024 };
    static float x[LENGTHS], y[WAYS][LENGTHS];
    static PlotTick ticks[LENGTHS];
    printf("\n4. Training: what each GPU keeps beside the weights\n\n");
    tell_zero(story);

    const Model *model = model_open(story->step, "llama-3.1-8b", err);
    if (model == NULL) return false;
    Plot plot = {.title = "Activations of Llama-3.1-8B, one sequence",
                 .x_label = "tokens of the sequence",
                 .y_label = "GB (1e9 bytes) in all layers",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = LENGTHS};
    printf("\n  Activations of %s, GB for one sequence:\n  %-16s", model->name, "");
    for (int i = 0; i < LENGTHS; i++) {
        x[i] = (float)(FIRST << i);
        ticks[i] = (PlotTick){x[i], arena_print(story->step, "%dK", 1 << i)};
        printf(" %8s", ticks[i].name);
    }
    for (int w = 0; w < WAYS; w++) {
        printf("\n  %-16s", ways[w].name);
        for (int i = 0; i < LENGTHS; i++) {
            KnPass pass = {.sequence = (uint64_t)FIRST << i,
                           .batch = 1,
                           .tensor_parallel = 1,
                           .flash = ways[w].flash,
                           .recompute = ways[w].recompute};
            double sum = 0;
            for (int k = 0; k < model->kind_count; k++)
                sum += model->kinds[k].count * kn_activation_bytes(&model->kinds[k].block, &pass);
            y[w][i] = (float)(sum / 1e9);
            printf(" %8.2f", sum / 1e9);
        }
        plot_series(&plot, ways[w].name, x, y[w], LENGTHS);
    }
    printf("\n");
    run_plot(story->run, &plot, "activations");
    return true;
}
