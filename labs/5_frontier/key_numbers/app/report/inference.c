// What inference.c worked out, as weights.*, kv_cache.* and inference.* of a sheet. Each path is told
// whatever the question, so that a sweep finds it in every answer.
#include "labs/5_frontier/key_numbers/app/plan/cache.h"
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/plan/work.h"

typedef unsigned long long Digits;    // what %llu takes

static bool keeps_cache(const Model *model)
{
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].caches) return true;
    return false;
}

// ---- weights ----

static void weights_tell(Sheet *sheet, const Model *model, const WeightBytes *weights)
{
    sheet_text(sheet, "weights.format", "weights in", weights->format);
    sheet_text(sheet, "weights.about", NULL, weights->about);
    Entry *entry = sheet_count(sheet, "weights.bytes", "weights", weights->bytes, UNIT_BYTES);
    const char *text = "", *plus = "";
    for (int t = 0; t < weights->type_count; t++) {
        const StoredType *type = &weights->types[t];
        text = arena_print(sheet->arena, "%s%s%llu for %llu in %s", text, plus, (Digits)type->bytes,
                           (Digits)type->elements, type->name);
        plus = " + ";
    }
    entry_explain(sheet, entry, "sum over the types its tensors are stored in", "%s", text);
    entry = sheet_real(sheet, "weights.bits_per_weight", "  for each parameter",
                       weights->bits_per_weight, UNIT_BITS);
    entry_explain(sheet, entry, "8 bytes / parameters", "8 x %llu / %llu", (Digits)weights->bytes,
                  (Digits)model_params(model));
    for (int t = 0; t < weights->type_count; t++) {
        const StoredType *type = &weights->types[t];
        sheet_count(sheet, sheet_path(sheet, "weights.types.%s.bytes", type->name), NULL,
                    type->bytes, UNIT_BYTES);
        sheet_count(sheet, sheet_path(sheet, "weights.types.%s.elements", type->name), NULL,
                    type->elements, UNIT_PARAMETERS);
    }
    for (int c = 0; c < COMPONENT_COUNT; c++)
        if (weights->component[c] > 0)
            sheet_count(sheet, sheet_path(sheet, "weights.components.%s", component_names[c]), NULL,
                        weights->component[c], UNIT_BYTES);
}

// ---- cache ----

// "2 rows of 8 x 128 numbers", what one token leaves in one layer.
static const char *rows_of(Arena *arena, const LayerKind *kind)
{
    const KnBlock *b = &kind->block;
    const char *text =
        b->kv_rank > 0 ? arena_print(arena, "a row of %llu + %llu numbers", (Digits)b->kv_rank,
                                     (Digits)b->rope_dim)
                       : arena_print(arena, "%d rows of %llu x %llu numbers", kind->cross ? 4 : 2,
                                     (Digits)b->kv_heads, (Digits)b->head_dim);
    if (kind->index_dim > 0)
        text = arena_print(arena, "%s and %llu bytes of indexer keys", text,
                           (Digits)cache_index_bytes(kind));
    return text;
}

// "32 x 4096 (2 rows of 8 x 128 numbers) + ..." of one token.
static const char *token_sum(Arena *arena, const ServingBasis *basis)
{
    const char *text = "", *plus = "";
    for (int k = 0; k < basis->model->kind_count; k++) {
        const LayerKind *kind = &basis->model->kinds[k];
        if (!kind->caches) continue;
        text = arena_print(arena, "%s%s%d x %llu (%s)", text, plus, kind->count,
                           (Digits)cache_token_bytes(kind, &basis->cache, 1), rows_of(arena, kind));
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
        uint64_t places =
            page > 0 ? kn_cached_tokens(context, kind->window, page) : cache_tokens(kind, context);
        text = arena_print(arena, "%s%s%d x %llu x %llu", text, plus, kind->count,
                           (Digits)cache_token_bytes(kind, &basis->cache, 1), (Digits)places);
        plus = " + ";
    }
    return text;
}

static void kinds_tell(Sheet *sheet, const ServingBasis *basis, const Question *question)
{
    for (int k = 0, at = 0; k < basis->model->kind_count; k++) {
        const LayerKind *kind = &basis->model->kinds[k];
        if (!kind->caches) continue;
        uint64_t token = cache_token_bytes(kind, &basis->cache, 1);
        uint64_t held = cache_tokens(kind, question->context);
        sheet_text(sheet, sheet_path(sheet, "kv_cache.layers[%d].kind", at), NULL, kind->name);
        sheet_count(sheet, sheet_path(sheet, "kv_cache.layers[%d].layers", at), NULL,
                    (uint64_t)kind->count, UNIT_NONE);
        sheet_count(sheet, sheet_path(sheet, "kv_cache.layers[%d].window", at), NULL, kind->window,
                    UNIT_TOKENS);
        sheet_count(sheet, sheet_path(sheet, "kv_cache.layers[%d].bytes_per_token", at), NULL,
                    (uint64_t)kind->count * token, UNIT_BYTES);
        sheet_count(sheet, sheet_path(sheet, "kv_cache.layers[%d].bytes", at++), NULL,
                    question->batch * (uint64_t)kind->count * token * held, UNIT_BYTES);
    }
}

static void no_cache_tell(Sheet *sheet, const Model *model)
{
    static const char *const paths[] = {"kv_cache.bytes_per_token", "kv_cache.bytes",
                                        "kv_cache.paged_bytes", "kv_cache.bytes_per_1k_tokens"};
    const char *why = model->layers == 0
                          ? "its layers are not known: the tensors came without a config.json"
                          : "an encoder keeps nothing of the tokens it has seen";
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        sheet_null(sheet, paths[i], i == 1 ? "KV cache" : NULL, why);
}

static void cache_tell(Sheet *sheet, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    Arena *arena = sheet->arena;
    sheet_text(sheet, "kv_cache.format", NULL, question->kv);
    if (!keeps_cache(basis->model)) {
        no_cache_tell(sheet, basis->model);
        return;
    }
    Entry *entry = sheet_count(sheet, "kv_cache.bytes_per_token",
                               arena_print(arena, "KV cache for each token (%s)", question->kv),
                               serving->kv_per_token, UNIT_BYTES);
    entry_explain(sheet, entry, "sum over kinds of layers: layers x bytes of a token", "%s",
                  token_sum(arena, basis));

    const char *label = arena_print(arena, "KV cache, %llu x %llu tokens", (Digits)question->batch,
                                    (Digits)question->context);
    entry = sheet_count(sheet, "kv_cache.bytes", label, serving->kv_bytes, UNIT_BYTES);
    entry_explain(
        sheet, entry,
        "batch x sum over kinds of layers: layers x bytes of a token x min(context, window)",
        "%llu x (%s)", (Digits)question->batch, cache_sum(arena, basis, question->context, 0));
    entry = sheet_count(sheet, "kv_cache.paged_bytes",
                        arena_print(arena, "  in pages of %llu", (Digits)question->page),
                        serving->kv_paged, UNIT_BYTES);
    entry_explain(sheet, entry,
                  "the same with whole pages of places; a window touches ceil((window - 1) / page) "
                  "+ 1 of them at worst",
                  "%llu x (%s)", (Digits)question->batch,
                  cache_sum(arena, basis, question->context, question->page));
    entry = sheet_count(sheet, "kv_cache.bytes_per_1k_tokens",
                        "  the next 1,024 tokens of a request", serving->kv_1k, UNIT_BYTES);
    entry_explain(sheet, entry,
                  "cache of context + 1024 - cache of context; a full window costs nothing more",
                  "(%s) - (%s)", cache_sum(arena, basis, question->context + 1024, 0),
                  cache_sum(arena, basis, question->context, 0));
    kinds_tell(sheet, basis, question);
}

// ---- work space and sums ----

static void explain_work(Sheet *sheet, Entry *entry, const Work *work, const Question *question,
                         uint64_t requests)
{
    uint64_t tokens = question->context * requests;
    if (tokens > question->step_tokens) tokens = question->step_tokens;
    entry_explain(sheet, entry,
                  "T 2h e + max(T attention e, T MLP e, batch V (e + 4)): the largest buffers of a "
                  "step of T tokens",
                  "%llu x %llu x %llu + max(%llu x %llu x %llu, %llu x %llu x %llu, %llu x %llu x "
                  "(%llu + 4))",
                  (Digits)tokens, (Digits)work->hidden, (Digits)work->number, (Digits)tokens,
                  (Digits)work->attention, (Digits)work->number, (Digits)tokens, (Digits)work->mlp,
                  (Digits)work->number, (Digits)requests, (Digits)work->vocab,
                  (Digits)work->number);
}

static void explain_sum(Sheet *sheet, Entry *entry, const ServingBytes *bytes)
{
    entry_explain(sheet, entry, "weights + cache in pages + work space + runtime",
                  "%.0f + %.0f + %.0f + %.0f", bytes->weights, bytes->cache, bytes->work,
                  bytes->runtime);
}

static Entry *bytes_tell(Sheet *sheet, const char *path, const char *label, double bytes)
{
    return sheet_count(sheet, path, label, (uint64_t)(bytes + 0.5), UNIT_BYTES);
}

static void alone_tell(Sheet *sheet, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    Work work = work_space(basis->model, (Split){1, 1, 1}, serving->weights.compute_bits);
    Entry *entry =
        bytes_tell(sheet, "inference.work_bytes", "work space (estimate)", serving->alone.work);
    explain_work(sheet, entry, &work, question, question->batch);
    entry =
        bytes_tell(sheet, "inference.runtime_bytes", "runtime (estimate)", serving->alone.runtime);
    entry_explain(
        sheet, entry,
        "runtime x 2^30: CUDA context, graphs and libraries of one GPU; set it with --runtime",
        "%g x 2^30", question->runtime);
    entry = bytes_tell(sheet, "inference.total_bytes", "memory to answer", serving->alone.total);
    explain_sum(sheet, entry, &serving->alone);
}

static void split_tell(Sheet *sheet, const ServingBasis *basis, const Question *question,
                       const Serving *serving)
{
    bool several = serving->gpus > 1;
    Split split = {serving->tp, serving->pp, serving->ep};
    sheet_text(sheet, "inference.gpu", NULL, question->card.name);
    sheet_text(sheet, "inference.gpu_id", NULL, question->card.id);
    sheet_count(sheet, "inference.gpus", several ? "split over" : NULL, serving->gpus, UNIT_GPUS);
    sheet_text(sheet, "inference.split", several ? "  tensor x pipeline x expert parallel" : NULL,
               arena_print(sheet->arena, "%llu x %llu x %llu", (Digits)split.tp, (Digits)split.pp,
                           (Digits)split.ep));
    sheet_count(sheet, "inference.tp", NULL, split.tp, UNIT_GPUS);
    sheet_count(sheet, "inference.pp", NULL, split.pp, UNIT_GPUS);
    sheet_count(sheet, "inference.ep", NULL, split.ep, UNIT_GPUS);
    sheet_count(sheet, "inference.kv_heads_per_gpu", NULL, serving->kv_heads_per_gpu, UNIT_NONE);

    const ServingBytes *gpu = &serving->per_gpu;
    bytes_tell(sheet, "inference.per_gpu.weights_bytes",
               several ? "  weights on the fullest" : NULL, gpu->weights);
    bytes_tell(sheet, "inference.per_gpu.cache_bytes", several ? "  cache" : NULL, gpu->cache);
    Entry *entry = bytes_tell(sheet, "inference.per_gpu.work_bytes",
                              several ? "  work space" : NULL, gpu->work);
    Work work = work_space(basis->model, split, serving->weights.compute_bits);
    explain_work(sheet, entry, &work, question, serving->requests_per_group);
    bytes_tell(sheet, "inference.per_gpu.runtime_bytes", several ? "  runtime" : NULL,
               gpu->runtime);
    entry = bytes_tell(sheet, "inference.per_gpu.total_bytes", several ? "  together" : NULL,
                       gpu->total);
    explain_sum(sheet, entry, gpu);
}

static void most_tell(Sheet *sheet, const ServingBasis *basis, const Question *question,
                      const Serving *serving)
{
    Arena *arena = sheet->arena;
    const Model *model = basis->model;
    const char *card = question->card.name;
    bytes_tell(sheet, "inference.gpu_memory_bytes", NULL, question->card.memory);
    Entry *entry = bytes_tell(sheet, "inference.budget_bytes",
                              arena_print(arena, "usable of %s", card), serving->budget);
    entry_explain(sheet, entry, "memory x utilisation, a share of all memory, not of what is free",
                  "%.0f x %g", question->card.memory, question->utilisation);
    sheet_flag(sheet, "inference.fits", "  fits", serving->fits);
    entry = bytes_tell(sheet, "inference.missing_bytes", serving->fits ? NULL : "  missing",
                       serving->fits ? 0 : serving->per_gpu.total - serving->budget);
    if (!serving->fits)
        entry_explain(sheet, entry, "total of the fullest GPU - usable", "%.0f - %.0f",
                      serving->per_gpu.total, serving->budget);

    const char *label = arena_print(arena, "longest context, batch %llu", (Digits)question->batch);
    bool any = serving->memory_context == UINT64_MAX;
    const char *memory = any ? "any" : arena_print(arena, "%llu", (Digits)serving->memory_context);
    if (serving->max_context == UINT64_MAX) {
        sheet_null(sheet, "inference.max_context", label,
                   "neither memory nor the model is known to set a limit");
    } else {
        entry =
            sheet_count(sheet, "inference.max_context", label, serving->max_context, UNIT_TOKENS);
        entry_explain(sheet, entry, "min(what memory allows, the model's own; 0: not known)",
                      "min(%s, %llu)", memory, (Digits)model->max_context);
    }
    if (any) sheet_null(sheet, "inference.max_context_by_memory", NULL, "memory sets no limit");
    else
        sheet_count(sheet, "inference.max_context_by_memory", NULL, serving->memory_context,
                    UNIT_TOKENS);

    label = arena_print(arena, "requests of %llu tokens at once", (Digits)question->context);
    if (!keeps_cache(model)) {
        sheet_null(sheet, "inference.max_requests", label,
                   "no cache is kept that would limit them");
        return;
    }
    entry =
        sheet_count(sheet, "inference.max_requests", label, serving->max_requests, UNIT_REQUESTS);
    entry_explain(sheet, entry,
                  "expert-parallel groups x whole part of (usable - weights - work space - "
                  "runtime) / cache of a request, on the fullest GPU",
                  "%llu x (%.0f - %.0f - %.0f - %.0f) / %.0f, work space growing with them",
                  (Digits)serving->ep, serving->budget, serving->per_gpu.weights,
                  serving->per_gpu.work, serving->per_gpu.runtime,
                  serving->per_gpu.cache / (double)serving->requests_per_group);
}

bool inference_tell(Sheet *sheet, const Model *model, const Question *question, Error *err)
{
    ServingBasis basis;
    Serving serving;
    Split split;
    if (!inference_basis(sheet->arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err))
        return false;
    Question settled = *question;
    settled.tp = split.tp, settled.pp = split.pp, settled.ep = split.ep;
    if (!inference_split(sheet->arena, &basis, &settled, &serving, err)) return false;
    weights_tell(sheet, model, &serving.weights);
    cache_tell(sheet, &basis, question, &serving);
    alone_tell(sheet, &basis, question, &serving);
    split_tell(sheet, &basis, question, &serving);
    most_tell(sheet, &basis, question, &serving);
    return true;
}
