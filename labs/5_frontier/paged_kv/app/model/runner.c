#include "labs/5_frontier/paged_kv/app/model/runner.h"
#include <math.h>
#include "common/rope.h"
#include "kernels/device.h"

enum { ALIGNMENT = 64 };

// ---- memory ----

size_t runner_token_bytes(const ModelConfig *c, DType cache)
{
    return 2 * (size_t)c->layers * (size_t)c->kv_heads *
           (size_t)dtype_bytes(cache, (uint64_t)c->head);
}

// Counts, and allocates once there is an arena.
static void *numbers(Runner *r, size_t rows, size_t cols, size_t size)
{
    const size_t bytes = rows * cols * size;
    r->bytes += bytes + ALIGNMENT;
    return r->arena != NULL ? arena_numbers(r->arena, bytes) : NULL;
}

static float *floats(Runner *r, int rows, int cols)
{
    return numbers(r, (size_t)rows, (size_t)cols, sizeof(float));
}

static void open_caches(Runner *r)
{
    const ModelConfig *c = &r->weights->config;
    const size_t blocks = (size_t)r->pool->blocks;
    for (int i = 0; i < c->layers; i++) {
        PagedKv kv = {.type = r->options.cache,
                      .block_size = r->pool->block_size,
                      .kv_heads = c->kv_heads,
                      .head = c->head};
        kv.k = numbers(r, blocks, paged_block_bytes(kv), 1);
        kv.v = numbers(r, blocks, paged_block_bytes(kv), 1);
        if (r->caches != NULL) r->caches[i] = kv;
    }
}

static void open_step(Runner *r)
{
    const ModelConfig *c = &r->weights->config;
    const int rows = r->options.rows, sampled = r->options.sequences * (1 + r->options.drafts);
    const size_t n = (size_t)rows, entries = (size_t)(c->context / r->pool->block_size) + 1;
    r->token = numbers(r, n, 1, sizeof *r->token);
    r->position = numbers(r, n, 1, sizeof *r->position);
    r->slot = numbers(r, n, 1, sizeof *r->slot);
    r->written = numbers(r, n, 1, sizeof *r->written);
    r->query = numbers(r, n, 1, sizeof *r->query);
    r->tables = numbers(r, (size_t)r->options.sequences, entries, sizeof *r->tables);
    r->sampled_row = numbers(r, (size_t)sampled, 1, sizeof *r->sampled_row);
    r->x = floats(r, rows, c->width);
    r->h = floats(r, rows, c->width);
    r->qkv = floats(r, rows, model_config_qkv(c));
    r->turned = floats(r, rows, model_config_qkv(c));
    r->mixed = floats(r, rows, c->heads * c->head);
    r->up = floats(r, rows, model_config_up(c));
    r->hidden = floats(r, rows, c->ff);
    r->mean = floats(r, rows, c->heads);
    r->rstd = floats(r, rows, c->heads);
    r->angles = floats(r, 2 * rows, c->head / 2);
    r->last = floats(r, sampled, c->width);
    r->normed = floats(r, sampled, c->width);
    r->logits = floats(r, sampled, c->vocabulary);
}

Runner *runner_open(const Weights *weights, const BlockPool *pool, RunnerOptions options,
                    Error *err)
{
    const ModelConfig *c = &weights->config;
    REQUIRE(device->on_host, "the device is '%s', and weights are mapped from a file on the host",
            device->name);
    if (options.cache == DTYPE_Q8_0 && c->head % 32 != 0) {
        error_set(err,
                  "a KV cache of Q8_0 needs heads of a multiple of 32 numbers, and these have %d",
                  c->head);
        return NULL;
    }
    Runner counted = {.weights = weights, .pool = pool, .options = options};
    open_caches(&counted);
    open_step(&counted);
    const size_t angles = (size_t)c->context * (size_t)c->head * sizeof(float),
                 lists = (size_t)c->layers * sizeof(PagedKv) + sizeof(Runner) + (1 << 16);
    Arena *arena = arena_new("runner", counted.bytes + angles + lists);
    Runner *r = arena_zeros(arena, sizeof *r);
    *r = (Runner){.weights = weights, .pool = pool, .options = options, .arena = arena};
    r->caches = arena_alloc(arena, (size_t)c->layers * sizeof *r->caches);
    open_caches(r);
    open_step(r);
    if (c->rotary) {
        RopeConfig rope = c->rope;
        rope.head = c->head;
        rope.positions = c->context;
        r->rope = rope_new(arena, rope);
    }
    return r;
}

void runner_close(Runner *r)
{
    if (r != NULL) arena_free(r->arena);
}

// ---- what the step is about ----

static void add_rows(Runner *r, const Scheduled *entry, int table)
{
    const Sequence *s = entry->sequence;
    const int end = entry->first + entry->count;
    for (int i = entry->first; i < end; i++) {
        const int row = r->rows++;
        r->token[row] = s->tokens[i];
        r->position[row] = i;
        r->written[row] = i >= entry->write;
        r->slot[row] = block_table_slot(r->pool, &s->table, i);
        r->query[row] = (PagedQuery){table, i + 1};
    }
    for (int i = s->count - 1; entry->samples && i < end; i++)
        r->sampled_row[r->sampled++] = r->rows - (end - i);
}

static void list_rows(Runner *r, const Scheduled *list, int count)
{
    int used = 0;
    r->rows = r->sampled = 0;
    for (int e = 0; e < count; e++) {
        const BlockTable *table = &list[e].sequence->table;
        REQUIRE(r->rows + list[e].count <= r->options.rows, "a step of more than %d tokens",
                r->options.rows);
        for (int i = 0; i < table->count; i++) r->tables[used + i] = table->blocks[i];
        add_rows(r, &list[e], used);
        used += table->count;
    }
}

// ---- forward ----

static void project(const Runner *r, float *y, const Projection *p, const float *x)
{
    for (int i = 0, first = 0; i < p->count; first += p->parts[i++].rows)
        kernels.row_product(y + first, (size_t)p->rows, x, (size_t)p->cols, r->rows, p->parts[i],
                            r->options.activations);
    if (p->bias != NULL) kernels.add_row(y, y, p->bias, r->rows, p->rows);
}

static void norm(const Runner *r, float *y, const NormWeights *w, const float *x, int rows)
{
    const ModelConfig *c = &r->weights->config;
    const NormRows shape = norm_rows(rows, c->width);
    if (c->norm == NORM_RMS) kernels.rms_norm(y, r->rstd, x, w->weight, c->eps, shape);
    else kernels.layer_norm(y, r->mean, r->rstd, x, w->weight, w->bias, c->eps, shape);
}

// The step's new keys and values are written before any are read: an entry may see another's.
static void write_cache(const Runner *r, PagedKv kv, const float *k, const float *v, size_t row)
{
    for (int i = 0, end; i < r->rows; i = end) {
        for (end = i + 1; end < r->rows && r->written[end] == r->written[i];) end++;
        if (r->written[i])
            kernels.paged_write(kv, k + (size_t)i * row, row, v + (size_t)i * row, row, r->slot + i,
                                end - i);
    }
}

static void attention(Runner *r, int layer)    // h -> h
{
    const ModelConfig *c = &r->weights->config;
    const LayerWeights *w = &r->weights->layers[layer];
    const PagedKv kv = r->caches[layer];
    const size_t row = (size_t)model_config_qkv(c), head = (size_t)c->head;
    const size_t k_at = (size_t)c->heads * head, v_at = k_at + (size_t)c->kv_heads * head;
    float *q = r->qkv;
    project(r, r->qkv, &w->qkv, r->h);
    if (c->qk_norm) {
        q = r->turned;
        kernels.rms_norm(q, r->rstd, r->qkv, w->q_norm, c->eps,
                         (NormRows){r->rows, c->heads, c->head, row});
        kernels.rms_norm(q + k_at, r->rstd, r->qkv + k_at, w->k_norm, c->eps,
                         (NormRows){r->rows, c->kv_heads, c->head, row});
    }
    if (c->rotary)
        kernels.rope(q, r->angles, r->angles + (size_t)r->rows * (size_t)(c->head / 2),
                     (RopeShape){.rows = r->rows,
                                 .period = r->rows,
                                 .heads = c->heads + c->kv_heads,
                                 .head = c->head,
                                 .rotated = c->head,
                                 .row = row,
                                 .interleaved = c->rope.interleaved});
    write_cache(r, kv, q + k_at, r->qkv + v_at, row);
    kernels.paged_attention(r->mixed, k_at, q, row, kv, r->tables, r->query, r->rows, c->heads,
                            1 / sqrtf((float)c->head));
    project(r, r->h, &w->out, r->mixed);
}

static void mlp(Runner *r, int layer)    // h -> h
{
    const ModelConfig *c = &r->weights->config;
    const LayerWeights *w = &r->weights->layers[layer];
    const size_t n = (size_t)r->rows * (size_t)c->ff;
    project(r, r->up, &w->up, r->h);
    if (c->mlp == MLP_SWIGLU) kernels.swiglu(r->hidden, r->up, r->rows, c->ff);
    else if (c->mlp == MLP_GELU) kernels.gelu(r->hidden, r->up, n);
    else kernels.gelu_erf(r->hidden, r->up, n);
    project(r, r->h, &w->down, r->hidden);
}

static void embed(Runner *r)
{
    const Weights *w = r->weights;
    const size_t rows = (size_t)r->rows, n = rows * (size_t)w->config.width;
    kernels.rows_read(r->x, w->embedding, r->token, r->rows);
    if (w->positions.data != NULL) {
        kernels.rows_read(r->h, w->positions, r->position, r->rows);
        kernels.add(r->x, r->x, r->h, n);
    }
    if (r->rope == NULL) return;
    const int half = w->config.head / 2;
    kernels.embedding(r->angles, r->position, r->rope->cosine->data, rows, half);
    kernels.embedding(r->angles + rows * (size_t)half, r->position, r->rope->sine->data, rows,
                      half);
}

const float *runner_step(Runner *r, const Scheduled *list, int count, const BlockCopies *copies)
{
    const Weights *w = r->weights;
    const int width = w->config.width;
    list_rows(r, list, count);
    for (int c = 0; c < copies->count; c++)
        for (int i = 0; i < w->config.layers; i++)
            kernels.paged_copy(r->caches[i], copies->list[c].from, copies->list[c].to);
    embed(r);
    const size_t n = (size_t)r->rows * (size_t)width;
    for (int i = 0; i < w->config.layers; i++) {
        norm(r, r->h, &w->layers[i].attention_norm, r->x, r->rows);
        attention(r, i);
        kernels.add(r->x, r->x, r->h, n);
        norm(r, r->h, &w->layers[i].mlp_norm, r->x, r->rows);
        mlp(r, i);
        kernels.add(r->x, r->x, r->h, n);
    }
    // The head is the largest matrix of a small model: for who samples alone.
    kernels.embedding(r->last, r->sampled_row, r->x, (size_t)r->sampled, width);
    norm(r, r->normed, &w->norm, r->last, r->sampled);
    kernels.row_product(r->logits, (size_t)w->head.rows, r->normed, (size_t)width, r->sampled,
                        w->head, r->options.activations);
    return r->logits;
}
