/* story_parameters.c -- your formula for a layer, times the layers, beside published counts. */
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/story.h"

// As the files' own metadata count them (the Hub's safetensors counts, less what is no parameter).
static const struct {
    const char *name;
    uint64_t published;
} models[] = {{"gpt2", 124439808},
              {"bloom-560m", 559214592},
              {"qwen2.5-7b", 7615616512},
              {"llama-3.1-8b", 8030261248},
              {"gemma-2-9b", 9241705984},
              {"mixtral-8x7b", 46702792704},
              {"qwen3-30b-a3b", 30532122624},
              {"gpt-oss-20b", 20914757184},
              {"deepseek-v3", 671026419200}};
enum { MODELS = sizeof models / sizeof *models };

static uint64_t outside_layers(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].kind == OUTSIDE) sum += weight_elements(model, &model->weights[i]);
    return sum;
}

bool part_parameters(void *lab, Error *err)
{
    const Setup *setup = lab;
    Table counts = table_new(setup->step, "model|one layer|layers|outside layers|total|error");
    Table mixtures = table_new(setup->step, "model|active [1e9]|total [1e9]|active [%]");
    for (int m = 0; m < MODELS; m++) {
        const Model *model = model_open(setup->step, models[m].name, err);
        if (model == NULL) return false;
        uint64_t outside = outside_layers(model), total = outside, layer = 0;
        for (int k = 0; k < model->kind_count; k++) {
            const LayerKind *kind = &model->kinds[k];
            layer = kn_block_params(&kind->block).total + kind->other;
            total += layer * (uint64_t)kind->count;
            if (k + 1 < model->kind_count)
                table_row(&counts, "%s|%" PRIu64 "|%d|||", models[m].name, layer, kind->count);
        }
        int last = model->kind_count - 1;
        table_row(&counts, "%s|%" PRIu64 "|%d|%" PRIu64 "|%" PRIu64 "|%" PRId64,
                  last > 0 ? "" : models[m].name, layer, model->kinds[last].count, outside, total,
                  (int64_t)(total - models[m].published));
        metrics_write(setup->run->metrics, 0, METRICS({models[m].name, (double)total}));
        double active = (double)model_active(model), all = (double)model_params(model);
        if (active < all)
            table_row(&mixtures, "%s|%.2f|%.2f|%.0f", models[m].name, active / 1e9, all / 1e9,
                      100 * active / all);
    }
    run_print(setup->run, "The error is the total less the published count.");
    run_table(setup->run, &counts);
    run_print(setup->run,
              "Mixtures of experts: the active parameters are those that one token uses.");
    run_table(setup->run, &mixtures);
    return true;
}
