/* fuzz_config.c -- whatever a model's configuration says, it becomes a model whose sums hold, or is
 * refused with a sentence.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void expect_model(const Model *model)
{
    uint64_t sum = 0;
    int layers[KINDS_MAX] = {0};
    for (int c = 0; c < COMPONENT_COUNT; c++) sum += model_component(model, (Component)c);
    expect(sum == model_params(model) && sum > 0 && sum <= 1000000000000000);
    expect(model_active(model) <= sum && model_looked_up(model) <= model_active(model));
    for (int i = 0; i < model->layers; i++) layers[model->kind_of[i]]++;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        expect(layers[k] == kind->count && kind->count > 0);
        expect(kind->vectors <= kn_block_params(&kind->block).active + kind->other);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static Arena *arena;
    if (arena == NULL) arena = arena_new("fuzz", (size_t)64 << 20);
    arena_reset(arena);
    cJSON *tree = cJSON_ParseWithLength((const char *)bytes, size);
    Error err = {""};
    Model *model = tree != NULL ? config_model(arena, tree, "fuzz", "config.json", &err) : NULL;
    if (model != NULL) expect_model(model);
    expect(tree == NULL || model != NULL ||
           strlen(err.message) > 20);    // a refusal has its sentence
    cJSON_Delete(tree);
    return 0;
}
