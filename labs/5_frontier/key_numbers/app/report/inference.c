// What inference.c worked out, as weights.*, kv_cache.* and inference.* of a report. Each path is told
// whatever the question, so that a sweep finds it in every answer.
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/plan/workspace.h"

static bool keeps_cache(const Model *model)
{
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].caches) return true;
    return false;
}

// ---- weights ----

static void weights_tell(Rows *rows, const Model *model, const WeightBytes *weights)
{
    row_text(rows, "weights.format", "weights in", weights->format);
    row_text(rows, "weights.about", NULL, weights->about);
    Row *row = row_count(rows, "weights.bytes", "weights", weights->bytes, UNIT_BYTES);
    const char *text = "", *plus = "";
    for (int t = 0; t < weights->type_count; t++) {
        const StoredType *type = &weights->types[t];
        text = arena_print(rows->arena, "%s%s%" PRIu64 " for %" PRIu64 " in %s", text, plus,
                           type->bytes, type->elements, type->name);
        plus = " + ";
    }
    row_explain(rows, row, "sum over the types its tensors are stored in", "%s", text);
    row = row_real(rows, "weights.bits_per_weight", "  for each parameter",
                   weights->bits_per_weight, UNIT_BITS);
    row_explain(rows, row, "8 bytes / parameters", "8 x %" PRIu64 " / %" PRIu64, weights->bytes,
                model_params(model));
    for (int t = 0; t < weights->type_count; t++) {
        const StoredType *type = &weights->types[t];
        row_count(rows, row_path(rows, "weights.types.%s.bytes", type->name), NULL, type->bytes,
                  UNIT_BYTES);
        row_count(rows, row_path(rows, "weights.types.%s.elements", type->name), NULL,
                  type->elements, UNIT_PARAMETERS);
    }
    for (int c = 0; c < COMPONENT_COUNT; c++)
        if (weights->component[c] > 0)
            row_count(rows, row_path(rows, "weights.components.%s", component_names[c]), NULL,
                      weights->component[c], UNIT_BYTES);
}

// ---- cache ----

// "2 rows of 8 x 128 numbers", what one token leaves in one layer.
static const char *rows_of(Arena *arena, const LayerKind *kind)
{
    const KnBlock *b = &kind->block;
    const char *text = b->kv_rank > 0
                           ? arena_print(arena, "a row of %" PRIu64 " + %" PRIu64 " numbers",
                                         b->kv_rank, b->rope_dim)
                           : arena_print(arena, "%d rows of %" PRIu64 " x %" PRIu64 " numbers",
                                         kind->cross ? 4 : 2, b->kv_heads, b->head_dim);
    if (kind->index_dim > 0)
        text = arena_print(arena, "%s and %" PRIu64 " bytes of indexer keys", text,
                           kv_cache_index_bytes(kind));
    return text;
}

// "32 x 4096 (2 rows of 8 x 128 numbers) + ..." of one token.
static const char *token_sum(Arena *arena, const ServingBasis *basis)
{
    const char *text = "", *plus = "";
    for (int k = 0; k < basis->model->kind_count; k++) {
        const LayerKind *kind = &basis->model->kinds[k];
        if (!kind->caches) continue;
        text = arena_print(arena, "%s%s%d x %" PRIu64 " (%s)", text, plus, kind->count,
                           kv_cache_token_bytes(kind, &basis->cache, 1), rows_of(arena, kind));
        plus = " + ";
    }
    return text;
}

// "52 x 8192 x 1024 + 10 x 8192 x 4096", with the places of whole pages where page > 0.
static const char *cache_sum(Arena *arena, const ServingBasis *basis, uint64_t context,
                             uint64_t page)
{
    const char *text = "", *plus = "";
    for (int k = 0; k < basis->model->kind_count; k++) {
        const LayerKind *kind = &basis->model->kinds[k];
        if (!kind->caches) continue;
        uint64_t places = page > 0 ? kn_cached_tokens(context, kind->window, page)
                                   : kv_cache_tokens(kind, context);
        text = arena_print(arena, "%s%s%d x %" PRIu64 " x %" PRIu64, text, plus, kind->count,
                           kv_cache_token_bytes(kind, &basis->cache, 1), places);
        plus = " + ";
    }
    return text;
}

static void kinds_tell(Rows *rows, const ServingBasis *basis, const Question *question)
{
    for (int k = 0, at = 0; k < basis->model->kind_count; k++) {
        const LayerKind *kind = &basis->model->kinds[k];
        if (!kind->caches) continue;
        uint64_t token = kv_cache_token_bytes(kind, &basis->cache, 1);
        uint64_t held = kv_cache_tokens(kind, question->context);
        row_text(rows, row_path(rows, "kv_cache.layers[%d].kind", at), NULL, kind->name);
        row_count(rows, row_path(rows, "kv_cache.layers[%d].layers", at), NULL,
                  (uint64_t)kind->count, UNIT_NONE);
        row_count(rows, row_path(rows, "kv_cache.layers[%d].window", at), NULL, kind->window,
                  UNIT_TOKENS);
        row_count(rows, row_path(rows, "kv_cache.layers[%d].bytes_per_token", at), NULL,
                  (uint64_t)kind->count * token, UNIT_BYTES);
        row_count(rows, row_path(rows, "kv_cache.layers[%d].bytes", at++), NULL,
                  question->batch * (uint64_t)kind->count * token * held, UNIT_BYTES);
    }
}

static void no_cache_tell(Rows *rows, const Model *model)
{
    static const char *const paths[] = {"kv_cache.bytes_per_token", "kv_cache.bytes",
                                        "kv_cache.paged_bytes", "kv_cache.bytes_per_1k_tokens"};
    const char *why = model->layers == 0
                          ? "its layers are not known: the tensors came without a config.json"
                          : "an encoder keeps nothing of the tokens it has seen";
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        row_null(rows, paths[i], i == 1 ? "KV cache" : NULL, why);
}

static void cache_tell(Rows *rows, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    Arena *arena = rows->arena;
    row_text(rows, "kv_cache.format", NULL, question->kv);
    if (!keeps_cache(basis->model)) {
        no_cache_tell(rows, basis->model);
        return;
    }
    Row *row = row_count(rows, "kv_cache.bytes_per_token",
                         arena_print(arena, "KV cache for each token (%s)", question->kv),
                         serving->kv_per_token, UNIT_BYTES);
    row_explain(rows, row, "sum over kinds of layers: layers x bytes of a token", "%s",
                token_sum(arena, basis));

    const char *label = arena_print(arena, "KV cache, %" PRIu64 " x %" PRIu64 " tokens",
                                    question->batch, question->context);
    row = row_count(rows, "kv_cache.bytes", label, serving->kv_bytes, UNIT_BYTES);
    row_explain(
        rows, row,
        "batch x sum over kinds of layers: layers x bytes of a token x min(context, window)",
        "%" PRIu64 " x (%s)", question->batch, cache_sum(arena, basis, question->context, 0));
    row = row_count(rows, "kv_cache.paged_bytes",
                    arena_print(arena, "  in pages of %" PRIu64, question->page), serving->kv_paged,
                    UNIT_BYTES);
    row_explain(rows, row,
                "the same with whole pages of places; a window touches ceil((window - 1) / page) "
                "+ 1 of them at worst",
                "%" PRIu64 " x (%s)", question->batch,
                cache_sum(arena, basis, question->context, question->page));
    row = row_count(rows, "kv_cache.bytes_per_1k_tokens", "  the next 1,024 tokens of a request",
                    serving->kv_1k, UNIT_BYTES);
    row_explain(rows, row,
                "cache of context + 1024 - cache of context; a full window costs nothing more",
                "(%s) - (%s)", cache_sum(arena, basis, question->context + 1024, 0),
                cache_sum(arena, basis, question->context, 0));
    kinds_tell(rows, basis, question);
}

// ---- work space and sums ----

static void explain_work(Rows *rows, Row *row, const Workspace *work, const Question *question,
                         uint64_t requests)
{
    uint64_t tokens = question->context * requests;
    if (tokens > question->step_tokens) tokens = question->step_tokens;
    row_explain(rows, row,
                "T 2h e + max(T attention e, T MLP e, batch V (e + 4)): the largest buffers of a "
                "step of T tokens",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64 " + max(%" PRIu64 " x %" PRIu64 " x %" PRIu64
                ", %" PRIu64 " x %" PRIu64 " x %" PRIu64 ", %" PRIu64 " x %" PRIu64 " x "
                "(%" PRIu64 " + 4))",
                tokens, work->hidden, work->number, tokens, work->attention, work->number, tokens,
                work->mlp, work->number, requests, work->vocab, work->number);
}

static void explain_sum(Rows *rows, Row *row, const ServingBytes *bytes)
{
    row_explain(rows, row, "weights + cache in pages + work space + runtime",
                "%.0f + %.0f + %.0f + %.0f", bytes->weights, bytes->cache, bytes->work,
                bytes->runtime);
}

static Row *bytes_tell(Rows *rows, const char *path, const char *label, double bytes)
{
    return row_count(rows, path, label, (uint64_t)(bytes + 0.5), UNIT_BYTES);
}

static void alone_tell(Rows *rows, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    Workspace work = workspace_of(basis->model, (Split){1, 1, 1}, serving->weights.compute_bits);
    Row *row =
        bytes_tell(rows, "inference.work_bytes", "work space (estimate)", serving->alone.work);
    explain_work(rows, row, &work, question, question->batch);
    row = bytes_tell(rows, "inference.runtime_bytes", "runtime (estimate)", serving->alone.runtime);
    row_explain(
        rows, row,
        "runtime x 2^30: CUDA context, graphs and libraries of one GPU; set it with --runtime",
        "%g x 2^30", question->runtime);
    row = bytes_tell(rows, "inference.total_bytes", "memory to answer", serving->alone.total);
    explain_sum(rows, row, &serving->alone);
}

static void split_tell(Rows *rows, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    bool several = serving->gpus > 1;
    Split split = {serving->tp, serving->pp, serving->ep};
    row_text(rows, "inference.gpu", NULL, question->gpu_spec.name);
    row_text(rows, "inference.gpu_id", NULL, question->gpu_spec.id);
    row_count(rows, "inference.gpus", several ? "split over" : NULL, serving->gpus, UNIT_GPUS);
    row_text(rows, "inference.split", several ? "  tensor x pipeline x expert parallel" : NULL,
             arena_print(rows->arena, "%" PRIu64 " x %" PRIu64 " x %" PRIu64, split.tp, split.pp,
                         split.ep));
    row_count(rows, "inference.tp", NULL, split.tp, UNIT_GPUS);
    row_count(rows, "inference.pp", NULL, split.pp, UNIT_GPUS);
    row_count(rows, "inference.ep", NULL, split.ep, UNIT_GPUS);
    row_count(rows, "inference.kv_heads_per_gpu", NULL, serving->kv_heads_per_gpu, UNIT_NONE);

    const ServingBytes *gpu = &serving->per_gpu;
    bytes_tell(rows, "inference.per_gpu.weights_bytes", several ? "  weights on the fullest" : NULL,
               gpu->weights);
    bytes_tell(rows, "inference.per_gpu.cache_bytes", several ? "  cache" : NULL, gpu->cache);
    Row *row = bytes_tell(rows, "inference.per_gpu.work_bytes", several ? "  work space" : NULL,
                          gpu->work);
    Workspace work = workspace_of(basis->model, split, serving->weights.compute_bits);
    explain_work(rows, row, &work, question, serving->requests_per_group);
    bytes_tell(rows, "inference.per_gpu.runtime_bytes", several ? "  runtime" : NULL, gpu->runtime);
    row = bytes_tell(rows, "inference.per_gpu.total_bytes", several ? "  together" : NULL,
                     gpu->total);
    explain_sum(rows, row, gpu);
}

static void most_tell(Rows *rows, const ServingBasis *basis, const Question *question,
                      const Serving *serving)
{
    Arena *arena = rows->arena;
    const Model *model = basis->model;
    const char *spec = question->gpu_spec.name;
    bytes_tell(rows, "inference.gpu_memory_bytes", NULL, question->gpu_spec.memory);
    Row *row = bytes_tell(rows, "inference.budget_bytes", arena_print(arena, "usable of %s", spec),
                          serving->budget);
    row_explain(rows, row, "memory x utilisation, a share of all memory, not of what is free",
                "%.0f x %g", question->gpu_spec.memory, question->utilisation);
    row_flag(rows, "inference.fits", "  fits", serving->fits);
    row = bytes_tell(rows, "inference.missing_bytes", serving->fits ? NULL : "  missing",
                     serving->fits ? 0 : serving->per_gpu.total - serving->budget);
    if (!serving->fits)
        row_explain(rows, row, "total of the fullest GPU - usable", "%.0f - %.0f",
                    serving->per_gpu.total, serving->budget);

    const char *label = arena_print(arena, "longest context, batch %" PRIu64, question->batch);
    bool any = serving->memory_context == UINT64_MAX;
    const char *memory = any ? "any" : arena_print(arena, "%" PRIu64, serving->memory_context);
    if (serving->max_context == UINT64_MAX) {
        row_null(rows, "inference.max_context", label,
                 "neither memory nor the model is known to set a limit");
    } else {
        row = row_count(rows, "inference.max_context", label, serving->max_context, UNIT_TOKENS);
        row_explain(rows, row, "min(what memory allows, the model's own; 0: not known)",
                    "min(%s, %" PRIu64 ")", memory, model->max_context);
    }
    if (any) row_null(rows, "inference.max_context_by_memory", NULL, "memory sets no limit");
    else
        row_count(rows, "inference.max_context_by_memory", NULL, serving->memory_context,
                  UNIT_TOKENS);

    label = arena_print(arena, "requests of %" PRIu64 " tokens at once", question->context);
    if (!keeps_cache(model)) {
        row_null(rows, "inference.max_requests", label, "no cache is kept that would limit them");
        return;
    }
    row = row_count(rows, "inference.max_requests", label, serving->max_requests, UNIT_REQUESTS);
    row_explain(rows, row,
                "expert-parallel groups x whole part of (usable - weights - work space - "
                "runtime) / cache of a request, on the fullest GPU",
                "%" PRIu64 " x (%.0f - %.0f - %.0f - %.0f) / %.0f, work space growing with them",
                serving->ep, serving->budget, serving->per_gpu.weights, serving->per_gpu.work,
                serving->per_gpu.runtime,
                serving->per_gpu.cache / (double)serving->requests_per_group);
}

bool inference_tell(Rows *rows, const Model *model, const Question *question, Error *err)
{
    ServingBasis basis;
    Serving serving;
    Split split;
    if (!inference_basis(rows->arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err))
        return false;
    Question settled = *question;
    settled.tp = split.tp, settled.pp = split.pp, settled.ep = split.ep;
    if (!inference_split(rows->arena, &basis, &settled, &serving, err)) return false;
    weights_tell(rows, model, &serving.weights);
    cache_tell(rows, &basis, question, &serving);
    alone_tell(rows, &basis, question, &serving);
    split_tell(rows, &basis, question, &serving);
    most_tell(rows, &basis, question, &serving);
    return true;
}
