#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

// ---- weights ----

static void weights_rows(Rows *rows, const Model *model, const WeightBytes *weights)
{
    row_text(rows, "weights.format", "weights in", weights->format);
    row_text(rows, "weights.about", NULL, weights->about);
    Row *row = row_count(rows, "weights.bytes", "weights", weights->bytes, UNIT_BYTES);
    const char *text = "";
    for (int t = 0; t < weights->type_count; t++) {
        const StoredType *type = &weights->types[t];
        sum_add(rows->arena, &text, "%" PRIu64 " for %" PRIu64 " in %s", type->bytes,
                type->elements, type->name);
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
static const char *rows_of(Arena *arena, const LayerKind *kind, const KindCache *cache)
{
    const KnBlock *b = &kind->block;
    const char *text =
        b->kv_rank > 0 ? arena_print(arena, "a row of %" PRIu64 " + %" PRIu64 " numbers",
                                     b->kv_rank, b->rope_dim)
        : kind->value_dim > 0
            ? arena_print(arena, "%" PRIu64 " x (%" PRIu64 " + %" PRIu64 ") numbers", b->kv_heads,
                          2 * b->head_dim - kind->value_dim, kind->value_dim)
            : arena_print(arena, "%d rows of %" PRIu64 " x %" PRIu64 " numbers",
                          kind->cross ? 4 : 2, b->kv_heads, b->head_dim);
    if (kind->index_dim > 0 && kind->compress == 0)
        text = arena_print(arena, "%s and %" PRIu64 " bytes of indexer keys", text,
                           cache->index_bytes);
    return text;
}

// "32 x 4096 (2 rows of 8 x 128 numbers) + ..." of one token.
static const char *token_sum(Arena *arena, const Serving *serving)
{
    const Model *model = serving->of.basis->model;
    const char *text = "";
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        const KindCache *cache = &serving->kinds[k];
        if (cache->token_bytes > 0)
            sum_add(arena, &text, "%d x %" PRIu64 " (%s)", kind->count, cache->token_bytes,
                    rows_of(arena, kind, cache));
        if (cache->compressed > 0)
            sum_add(arena, &text, "%d x %" PRIu64 " (a row%s for each %" PRIu64 " tokens)",
                    kind->count, cache->compressed,
                    kind->index_dim > 0 ? " and an indexer's keys" : "", kind->compress);
    }
    return text;
}

// "52 x 8192 x 1024 + 10 x 8192 x 4096"; a state once.
static const char *cache_sum(Arena *arena, const Serving *serving, Held held)
{
    const Model *model = serving->of.basis->model;
    const Workload *w = &serving->of.workload;
    const char *text = "";
    for (int k = 0; k < model->kind_count; k++) {
        const KindCache *cache = &serving->kinds[k];
        int layers = model->kinds[k].count;
        if (cache->token_bytes > 0)
            sum_add(arena, &text, "%d x %" PRIu64 " x %" PRIu64, layers, cache->token_bytes,
                    cache->held[held]);
        if (cache->compressed > 0)
            sum_add(arena, &text, "%d x %" PRIu64 " x %" PRIu64, layers, cache->compressed,
                    held == HELD_TOKENS    ? w->context
                    : held == HELD_1K_MORE ? w->context + 1024
                                           : runtime_cached(w, w->context, 0));
        if (cache->state > 0) sum_add(arena, &text, "%d x %" PRIu64, layers, cache->state);
    }
    return text;
}

static void kinds_rows(Rows *rows, const Serving *serving)
{
    const Workload *w = &serving->of.workload;
    const Model *model = serving->of.basis->model;
    for (int k = 0, at = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        const KindCache *cache = &serving->kinds[k];
        if (!kind->caches) continue;
        uint64_t layers = (uint64_t)kind->count, bytes = layers * cache->token_bytes;
        const char *path = row_path(rows, "kv_cache.layers[%d]", at++);
        row_text(rows, row_path(rows, "%s.kind", path), NULL, kind->name);
        row_count(rows, row_path(rows, "%s.layers", path), NULL, (uint64_t)kind->count, UNIT_NONE);
        row_count(rows, row_path(rows, "%s.window", path), NULL, kind->window, UNIT_TOKENS);
        row_count(rows, row_path(rows, "%s.bytes_per_token", path), NULL, bytes, UNIT_BYTES);
        row_count(rows, row_path(rows, "%s.bytes", path), NULL,
                  w->batch * (bytes * cache->held[HELD_TOKENS] + layers * cache->state +
                              layers * cache->compressed * w->context),
                  UNIT_BYTES);
        row_count(rows, row_path(rows, "%s.paged_bytes", path), NULL,
                  w->batch * (bytes * cache->held[HELD_PAGED] + layers * cache->state +
                              layers * cache->compressed * runtime_cached(w, w->context, 0)),
                  UNIT_BYTES);
    }
}

static void no_cache_rows(Rows *rows, const Model *model)
{
    static const char *const paths[] = {"kv_cache.bytes_per_token", "kv_cache.bytes",
                                        "kv_cache.paged_bytes", "kv_cache.bytes_per_1k_tokens"};
    const char *why = model->layers == 0
                          ? "its layers are not known: the tensors came without a config.json"
                          : "an encoder keeps nothing of the tokens it has seen";
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        row_null(rows, paths[i], i == 1 ? "KV cache" : NULL, why);
}

static void cache_rows(Rows *rows, const Serving *serving)
{
    Arena *arena = rows->arena;
    const Workload *w = &serving->of.workload;
    const char *format = serving->of.basis->cache_name;
    row_text(rows, "kv_cache.format", NULL, format);
    if (!model_has_decoder(serving->of.basis->model)) {
        no_cache_rows(rows, serving->of.basis->model);
        return;
    }
    const char *now = cache_sum(arena, serving, HELD_TOKENS);
    Row *row = row_count(rows, "kv_cache.bytes_per_token",
                         arena_print(arena, "KV cache for each token (%s)", format),
                         serving->kv_per_token, UNIT_BYTES);
    row_explain(rows, row, "sum over kinds of layers: layers x bytes of a token", "%s",
                token_sum(arena, serving));

    if (serving->kv_state > 0)
        row_count(rows, "kv_cache.state_bytes", "state of linear attention and Mamba, a request",
                  serving->kv_state, UNIT_BYTES);
    const char *label =
        arena_print(arena, "KV cache, %" PRIu64 " x %" PRIu64 " tokens", w->batch, w->context);
    row = row_count(rows, "kv_cache.bytes", label, serving->kv_bytes, UNIT_BYTES);
    row_explain(
        rows, row,
        "batch x sum over kinds of layers: layers x bytes of a token x min(context, window)",
        "%" PRIu64 " x (%s)", w->batch, now);
    row = row_count(rows, "kv_cache.paged_bytes",
                    w->runtime == RUNTIME_LLAMA_CPP
                        ? "  in cells, padded to 256"
                        : arena_print(arena, "  in pages of %" PRIu64, w->page),
                    serving->kv_paged, UNIT_BYTES);
    row_explain(rows, row,
                w->runtime == RUNTIME_LLAMA_CPP
                    ? "the same in cells; a window holds a micro-batch beside itself"
                    : "the same with whole pages of places; a window touches ceil((window - 1) / "
                      "page) + 1 of them at worst",
                "%" PRIu64 " x (%s)", w->batch, cache_sum(arena, serving, HELD_PAGED));
    row = row_count(rows, "kv_cache.bytes_per_1k_tokens", "  the next 1,024 tokens of a request",
                    serving->kv_1k, UNIT_BYTES);
    row_explain(rows, row,
                "cache of context + 1024 - cache of context; a full window costs nothing more",
                "(%s) - (%s)", cache_sum(arena, serving, HELD_1K_MORE), now);
    kinds_rows(rows, serving);
}

// ---- work space and sums ----

static void explain_work(Rows *rows, Row *row, const Workspace *space, const Workload *w,
                         uint64_t requests, Range range)
{
    uint64_t tokens = w->context * requests;    // 1e9 x 1e7 at most
    if (w->runtime != RUNTIME_ANY) {
        const char *formulas[RUNTIME_COUNT] = {
            [RUNTIME_VLLM] = "38 V R + (T + R) h e + 32 MiB: top-p sorts the logits of R sequences",
            [RUNTIME_LLAMA_CPP] =
                "4 T ((a + 1) n_ctx + 3 h + 2 (a + k) d) without flash attention, 4 T (V + h) with",
            [RUNTIME_TRANSFORMERS] = "T (V (e + 4) + 2 h e): logits of a whole prompt"};
        row_explain(rows, row, formulas[w->runtime], "from %.0f to %.0f (%s)", range.low,
                    range.high, runtime_decides(w->runtime).work);
        return;
    }
    if (tokens > w->step_tokens) tokens = w->step_tokens;
    row_explain(rows, row,
                "T 2h e + max(T attention e, T MLP e, batch V (e + 4)): the largest buffers of a "
                "step of T tokens",
                "%" PRIu64 " x %" PRIu64 " x %" PRIu64 " + max(%" PRIu64 " x %" PRIu64 " x %" PRIu64
                ", %" PRIu64 " x %" PRIu64 " x %" PRIu64 ", %" PRIu64 " x %" PRIu64 " x (%" PRIu64
                " + 4))",
                tokens, space->hidden, space->number, tokens, space->attention, space->number,
                tokens, space->mlp, space->number, requests, space->vocab, space->number);
}

static void explain_sum(Rows *rows, Row *row, const ServingBytes *bytes)
{
    row_explain(rows, row, "weights + cache in pages + work space + runtime",
                "%.0f + %.0f + %.0f + %.0f", bytes->weights, bytes->cache, bytes->work,
                bytes->runtime);
}

static void alone_rows(Rows *rows, const Serving *serving)
{
    const ServingBytes *alone = &serving->alone;
    Row *row = row_bytes(rows, "inference.work_bytes", "work space (estimate)", alone->work);
    explain_work(rows, row, &serving->workspace_alone, &serving->of.workload,
                 serving->of.workload.batch, serving->work);
    row = row_bytes(rows, "inference.runtime_bytes", "runtime (estimate)", alone->runtime);
    const char *decides = runtime_decides(serving->of.workload.runtime).overhead;
    row_explain(rows, row,
                "overhead x 2^30: CUDA context, graphs and libraries of one GPU; set it with "
                "--overhead",
                "%g x 2^30%s%s", alone->runtime / 0x1p30, decides != NULL ? "; " : "",
                decides != NULL ? decides : "");
    row = row_bytes(rows, "inference.total_bytes", "memory to answer", alone->total);
    explain_sum(rows, row, alone);
}

// What is there only when it is asked for.
static void beside_rows(Rows *rows, const Serving *serving)
{
    const Deployment *of = &serving->of;
    Row *row = row_bytes(rows, "inference.adapters_bytes",
                         of->adapters > 0 ? "  LoRA adapters, in the weights" : NULL, of->adapters);
    row_explain(rows, row, "slots x 2 bytes x parameters of an adapter", "%.0f", of->adapters);
    const ServingBasis *draft = of->draft;
    row_bytes(rows, "inference.draft_bytes",
              draft != NULL ? arena_print(rows->arena, "  %s, which drafts", draft->model->name)
                            : NULL,
              draft != NULL ? (double)draft->weights.bytes : 0);
    HostBytes host = serving->host;
    double all = host.dense + host.experts + host.cache;
    row = row_bytes(rows, "inference.host_bytes", all > 0 ? "in the host's memory" : NULL, all);
    row_explain(rows, row, "layers + routed experts + the layers' cache", "%.0f + %.0f + %.0f",
                host.dense, host.experts, host.cache);
    row =
        row_bytes(rows, "kv_cache.shared_bytes",
                  of->workload.prefix > 0 ? "  saved by the common prefix" : NULL, serving->shared);
    row_explain(rows, row,
                "(batch - 1) x whole pages of the prefix, in layers without a window, on the "
                "fullest GPU",
                "%.0f", serving->shared);
}

static void cards_rows(Rows *rows, const Serving *serving)
{
    const Cards *cards = serving->of.cards;
    for (int c = 0; cards != NULL && c < cards->count; c++) {
        const CardBytes *card = &serving->cards[c];
        const char *at = row_path(rows, "inference.cards[%d]", c);
        row_text(rows, row_path(rows, "%s.gpu", at), NULL, cards->specs[c].id);
        row_count(rows, row_path(rows, "%s.layers", at), NULL, (uint64_t)(card->to - card->from),
                  UNIT_NONE);
        const char *label = arena_print(rows->arena, "  %s, %d layers", cards->specs[c].name,
                                        card->to - card->from);
        row_bytes(rows, row_path(rows, "%s.total_bytes", at), label, card->total);
        row_bytes(rows, row_path(rows, "%s.budget_bytes", at), NULL, card->budget);
        row_flag(rows, row_path(rows, "%s.fits", at), NULL, card->total <= card->budget);
    }
}

static void split_rows(Rows *rows, const Serving *serving, const GpuSpec *spec)
{
    Split split = serving->of.split;
    bool several = split_gpus(split) > 1;
    row_text(rows, "inference.gpu", NULL, spec->name);
    row_text(rows, "inference.gpu_id", NULL, spec->id);
    row_count(rows, "inference.gpus", several ? "split over" : NULL, split_gpus(split), UNIT_GPUS);
    row_text(rows, "inference.split", several ? "  tensor x pipeline x expert parallel" : NULL,
             arena_print(rows->arena, "%" PRIu64 " x %" PRIu64 " x %" PRIu64, split.tp, split.pp,
                         split.ep));
    row_count(rows, "inference.tp", NULL, split.tp, UNIT_GPUS);
    row_count(rows, "inference.pp", NULL, split.pp, UNIT_GPUS);
    row_count(rows, "inference.ep", NULL, split.ep, UNIT_GPUS);
    row_count(rows, "inference.kv_heads_per_gpu", NULL, serving->kv_heads_per_gpu, UNIT_NONE);

    const ServingBytes *gpu = &serving->per_gpu;
    row_bytes(rows, "inference.per_gpu.weights_bytes", several ? "  weights on the fullest" : NULL,
              gpu->weights);
    row_bytes(rows, "inference.per_gpu.cache_bytes", several ? "  cache" : NULL, gpu->cache);
    Row *row =
        row_bytes(rows, "inference.per_gpu.work_bytes", several ? "  work space" : NULL, gpu->work);
    explain_work(rows, row, &serving->workspace, &serving->of.workload, serving->requests_per_group,
                 serving->work);
    row_bytes(rows, "inference.per_gpu.runtime_bytes", several ? "  runtime" : NULL, gpu->runtime);
    row =
        row_bytes(rows, "inference.per_gpu.total_bytes", several ? "  together" : NULL, gpu->total);
    explain_sum(rows, row, gpu);
}

static void range_row(Rows *rows, const char *name, const char *label, Range range,
                      const char *decides)
{
    row_bytes(rows, row_path(rows, "inference.range.%s_low_bytes", name), NULL, range.low);
    row_bytes(rows, row_path(rows, "inference.range.%s_high_bytes", name), NULL, range.high);
    const char *path = row_path(rows, "inference.range.%s", name);
    if (decides == NULL) row_null(rows, path, NULL, "one value; --runtime has two");
    else
        row_text(rows, path, label,
                 arena_print(rows->arena, "%.4g to %.4g GB; %s", range.low / 1e9, range.high / 1e9,
                             decides));
}

// The two ends of what is not exact, on the fullest GPU.
static void ranges_rows(Rows *rows, const Serving *serving)
{
    Runtime runtime = serving->of.workload.runtime;
    RuntimeWords words = runtime_decides(runtime);
    bool padded = serving->weights.high > serving->weights.low;
    range_row(rows, "weights", padded ? "  weights, low to high" : NULL, serving->weights,
              padded ? "low: as stored; high: vLLM's Marlin kernels, which pad MXFP4 experts"
                     : NULL);
    range_row(rows, "work", "  work space, low to high", serving->work, words.work);
    range_row(rows, "runtime", "  runtime, low to high", serving->overhead, words.overhead);
    range_row(rows, "pool", "  left for the cache", serving->pool,
              runtime == RUNTIME_ANY ? NULL : "what both decide");
}

void inference_rows(Rows *rows, const ModelPlan *plan)
{
    const Serving *serving = &plan->serving;
    weights_rows(rows, plan->model, &plan->basis.weights);
    cache_rows(rows, serving);
    alone_rows(rows, serving);
    beside_rows(rows, serving);
    split_rows(rows, serving, &plan->gpu_spec);
    cards_rows(rows, serving);
    ranges_rows(rows, serving);
    inference_limit_rows(rows, serving, &plan->gpu_spec);
}
