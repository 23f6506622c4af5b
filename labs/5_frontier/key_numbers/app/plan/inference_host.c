#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/plan/inference.h"

static bool has_experts(const Model *model)
{
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].block.experts > 0) return true;
    return false;
}

bool inference_host_check(const Deployment *deployment, Split split, Error *err)
{
    const Model *model = deployment->basis->model;
    HostLayers host = deployment->host;
    uint64_t layers = host.layers > host.experts ? host.layers : host.experts;
    if (layers == 0) return true;
    if (split_gpus(split) > 1)
        return error_set(err,
                         "cpu_layers, cpu_experts: expected one GPU beside the host, not %" PRIu64,
                         split_gpus(split));
    if (host.experts > 0 && !has_experts(model))
        return error_set(err,
                         "cpu_experts: %s has no routed experts; --cpu-layers keeps whole layers",
                         model->name);
    return layers <= (uint64_t)model->layers ||
           error_set(err, "cpu_layers, cpu_experts: %s has %d layers, fewer than %" PRIu64,
                     model->name, model->layers, layers);
}

HostBytes inference_host(const Deployment *deployment)
{
    const SplitBasis *basis = &deployment->basis->split;
    const Model *model = basis->model;
    HostBytes bytes = {0};
    for (int l = 0; l < model->layers; l++) {
        const LayerWeights *layer = &basis->distinct[basis->layer[l]];
        const LayerKind *kind = &model->kinds[model->kind_of[l]];
        bool whole = (uint64_t)l < deployment->host.layers;
        if (!whole && (uint64_t)l >= deployment->host.experts) continue;
        for (int i = 0; i < model->weight_count; i++) {
            bool expert = model->weights[i].component == COMPONENT_EXPERTS;
            if (expert) bytes.experts += (double)layer->bytes[i];
            else if (whole) bytes.dense += (double)layer->bytes[i];
        }
        if (whole && kind->caches) {
            const Workload *w = &deployment->workload;
            const KvFormats *formats = &deployment->basis->cache;
            bytes.cache += (double)kv_cache_token_bytes(kind, formats, 1) *
                               (double)runtime_cached(w, w->context, kind->window) +
                           (double)kv_cache_compressed_bytes(kind, formats) *
                               (double)runtime_cached(w, w->context, 0) +
                           (double)kind->state;
        }
    }
    return bytes;
}
