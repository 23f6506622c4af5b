/* story_counting.c -- parameters: your formula for a layer, and what stands outside the layers, held
 * against counts that others published. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/story.h"

typedef unsigned long long Digits;

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

static uint64_t outside(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].kind == OUTSIDE) sum += weight_elements(model, &model->weights[i]);
    return sum;
}

bool tell_counting(const Story *story, Error *err)
{
    printf("\n1. Parameters: a layer by the formula, times the layers, and what stands outside "
           "them\n\n");
    printf("  %-14s %21s  %15s %16s  %s\n", "", "a layer      layers", "outside", "in all",
           "published");
    for (int m = 0; m < MODELS; m++) {
        const Model *model = model_open(story->step, models[m].name, err);
        if (model == NULL) return false;
        uint64_t sum = outside(model);
        for (int k = 0; k < model->kind_count; k++) {
            const LayerKind *kind = &model->kinds[k];
            uint64_t layer = kn_block_params(&kind->block).total + kind->other;
            printf("  %-14s %15llu x %3d", k == 0 ? models[m].name : "", (Digits)layer,
                   kind->count);
            if (k + 1 < model->kind_count) printf("\n");
            sum += layer * (uint64_t)kind->count;
        }
        int64_t off = (int64_t)sum - (int64_t)models[m].published;
        printf("  %15llu %16llu  ", (Digits)outside(model), (Digits)sum);
        if (off == 0) printf("the same\n");
        else printf("%+lld\n", (long long)off);
        metrics_write(story->run->metrics, 0, METRICS({models[m].name, (double)sum}));
    }
    printf("\n  What a token goes through is less where there are experts:\n");
    for (int m = 0; m < MODELS; m++) {
        const Model *model = model_open(story->step, models[m].name, err);
        if (model == NULL) return false;
        if (model_active(model) == model_params(model)) continue;
        printf("  %-14s %7.2f of %7.2f billion, %.0f %%\n", models[m].name,
               (double)model_active(model) / 1e9, (double)model_params(model) / 1e9,
               100 * (double)model_active(model) / (double)model_params(model));
    }
    return true;
}
