#include "labs/5_frontier/key_numbers/app/plan/adapters.h"

bool adapters_on(const Weight *weight, LoraTargets targets)
{
    if (weight_in_tower(weight)) return false;
    switch (weight->role) {
    case ROLE_Q:
    case ROLE_V:
    case ROLE_QKV:
    case ROLE_Q_B:
    case ROLE_KV_B: return true;
    case ROLE_K:
    case ROLE_O:
    case ROLE_Q_A:
    case ROLE_KV_A: return targets != TARGETS_QV;
    case ROLE_GATE:
    case ROLE_UP:
    case ROLE_DOWN:
    case ROLE_GATE_UP: return targets == TARGETS_ALL;
    case ROLE_EMBED:
    case ROLE_HEAD:
    case ROLE_POSITION:
    case ROLE_ROUTER:
    case ROLE_NORM:
    case ROLE_BIAS:
    case ROLE_OTHER: break;
    }
    return false;
}

uint64_t adapters_params(const Model *model, LoraTargets targets, uint64_t rank)
{
    uint64_t sum = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (adapters_on(w, targets))
            sum += rank * (w->rows + w->cols) * w->copies * (uint64_t)weight_layers(model, w);
    }
    return sum;
}
