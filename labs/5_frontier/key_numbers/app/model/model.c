#include "labs/5_frontier/key_numbers/app/model/model.h"
#include <string.h>

const char *const component_names[COMPONENT_COUNT] = {
#define X(name, word) [COMPONENT_##name] = word,
    COMPONENT_LIST(X)
#undef X
};

bool weight_projects(const Weight *weight)
{
    bool role = weight->role >= ROLE_Q && weight->role <= ROLE_GATE_UP;    // these stand together
    bool indexer =
        strstr(weight->name, "indexer.") != NULL && strstr(weight->name, "proj.") == NULL;
    return weight->rows > 1 && (role || indexer);
}

int weight_layers(const Model *model, const Weight *weight)
{
    return weight->kind == OUTSIDE ? 1 : model->kinds[weight->kind].count;
}

uint64_t weight_elements(const Model *model, const Weight *weight)
{
    return weight->rows * weight->cols * weight->copies * (uint64_t)weight_layers(model, weight);
}

uint64_t weight_active(const Model *model, const Weight *weight)
{
    uint64_t all = weight_elements(model, weight);
    if (weight->component != COMPONENT_EXPERTS || weight->kind == OUTSIDE) return all;
    const KnBlock *block = &model->kinds[weight->kind].block;
    return all / block->experts * block->active_experts;
}

uint64_t model_params(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++) sum += weight_elements(model, &model->weights[i]);
    return sum;
}

uint64_t model_active(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++) sum += weight_active(model, &model->weights[i]);
    return sum;
}

// An embedding that is the head too is multiplied once for each token.
uint64_t model_looked_up(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->role == ROLE_POSITION || (w->role == ROLE_EMBED && !model->tied))
            sum += weight_elements(model, w);
    }
    return sum;
}

uint64_t model_stored(const Model *model)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->stored_count; i++) sum += model->stored[i].elements;
    if (model->stored_count > 0) return sum;
    for (int i = 0; i < model->extra_count; i++) sum += model->extras[i].elements;
    return model_params(model) + sum;
}

uint64_t model_component(const Model *model, Component component)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].component == component)
            sum += weight_elements(model, &model->weights[i]);
    return sum;
}

static bool has_layers(const Model *model, bool caches)
{
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].caches == caches) return true;
    return false;
}

bool model_has_encoder(const Model *model)
{
    return has_layers(model, false);
}

bool model_has_decoder(const Model *model)
{
    return has_layers(model, true);
}

bool weight_in_tower(const Weight *weight)
{
    return weight->component == COMPONENT_VISION || weight->component == COMPONENT_AUDIO;
}

uint64_t model_logits(const Model *model)
{
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].role == ROLE_HEAD) return model->weights[i].rows;
    return model->tied ? model->vocab : 0;
}
