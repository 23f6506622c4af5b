/* attention_backward.c -- the gradients of attention. See attention.h for the blocks. */
#include <math.h>
#include <string.h>
#include "kernels/cpu/attention.h"

typedef struct Backward {
    Heads heads;
    float *dq, *dk, *dv;
    const float *dy, *y, *lse;
    float beta;
    bool split;    // fewer heads than threads: units are blocks of a head
} Backward;

// What a unit computes: the gradients of some blocks of queries, of some keys or both, of one key and value head.
typedef struct Unit {
    size_t item, kv, head, head_end;    // of the query heads, some or all of the group
    size_t query, query_end, key, key_end;
    bool wants_q, wants_kv;
} Unit;

static size_t units_of_head(const Backward *b)
{
    const Heads *x = &b->heads;
    return b->split ? x->group * blocks_of(x->queries, QUERIES) + blocks_of(x->keys, KEYS) : 1;
}

static Unit unit_of(const Backward *b, size_t number)
{
    const Heads *x = &b->heads;
    const size_t kv = number / units_of_head(b), part = number % units_of_head(b);
    const size_t blocks = blocks_of(x->queries, QUERIES);
    Unit u = {.item = kv / x->kv_heads,
              .kv = kv % x->kv_heads,
              .head = kv % x->kv_heads * x->group,
              .query_end = x->queries,
              .key_end = x->keys,
              .wants_q = !b->split || part < x->group * blocks,
              .wants_kv = !b->split || part >= x->group * blocks};
    u.head_end = u.head + x->group;
    if (!u.wants_kv) {
        u.head += part / blocks;
        u.head_end = u.head + 1;
        u.query = part % blocks * QUERIES;
        u.query_end = MIN(u.query + QUERIES, x->queries);
    } else if (!u.wants_q) {
        u.key = (part - x->group * blocks) * KEYS;
        u.key_end = MIN(u.key + KEYS, x->keys);
    }
    return u;
}

// A thread's memory: keys, values and their gradients of a head, and what belongs to a block.
typedef struct Room {
    float *k, *v, *dk, *dv;         // [keys,width]
    float *q, *dy, *dq;             // [QUERIES,width]
    float *q_across, *dy_across;    // [head,QUERIES]
    float *p, *g;                   // [KEYS,QUERIES]: weights, and gradients of the products q k
    _Alignas(64) float lse[QUERIES], dot[QUERIES];    // in units of log 2; scale times dy y
} Room;

static size_t room_floats(const Heads *x)
{
    return lines_of(4 * x->keys * x->width + QUERIES * (3 * x->width + 2 * x->head + 2 * KEYS));
}

static Room room_of(const Heads *x, float *at)
{
    const size_t rows = x->keys * x->width, block = QUERIES * x->width;
    const size_t across = QUERIES * x->head, scores = KEYS * QUERIES;
    Room r;
    r.k = at, r.v = r.k + rows, r.dk = r.v + rows, r.dv = r.dk + rows;
    r.q = r.dv + rows, r.dy = r.q + block, r.dq = r.dy + block;
    r.q_across = r.dq + block, r.dy_across = r.q_across + across;
    r.p = r.dy_across + across, r.g = r.p + scores;
    return r;
}

static void load_queries(const Backward *b, Room *r, const Block *block, size_t item, size_t h)
{
    const Heads *x = &b->heads;
    const size_t out = place(x->y_at, item, block->query, h);
    const float *lse = b->lse + lse_place(x, item, block->query, h);
    copy_rows(r->q, x->width, x->q + place(x->q_at, item, block->query, h), x->q_at.row,
              block->queries, x->head);
    copy_rows(r->dy, x->width, b->dy + out, x->y_at.row, block->queries, x->head);
    copy_columns(r->q_across, QUERIES, r->q, x->width, x->head, block->queries);
    copy_columns(r->dy_across, QUERIES, r->dy, x->width, x->head, block->queries);
    for (size_t i = 0; i < QUERIES; i++) r->lse[i] = INFINITY, r->dot[i] = 0;
    for (size_t i = 0; i < block->queries; i++) {
        const float *y = b->y + out + i * x->y_at.row, *dy = r->dy + i * x->width;
        Vec sum = {0};
        for (size_t d = 0; d < x->head; d += LANES)
            sum += vec_load(dy + d) * load_some(y + d, x->head - d);
        for (size_t l = 0; l < LANES; l++) r->dot[i] += sum[l];
        r->dot[i] *= x->scale;
        r->lse[i] = lse[i] == -INFINITY ? INFINITY : LOG2_E * lse[i];    // it sees nothing
    }
}

// From scores and dy v^T: the weights, and the gradients of the products q k.
static void differentiate(const Block *b, Room *r, float scale)
{
    for (size_t i = 0; i < block_width(b); i += LANES) {
        const Seen seen = block_lanes(b, i);
        const Vec lse = vec_load(r->lse + i), dot = vec_load(r->dot + i);
        float *p = r->p + i, *g = r->g + i;
        for (size_t j = 0; j < seen.some; j++) {
            const Vec e = exp2_of_negative(scale * LOG2_E * vec_load(p + j * QUERIES) - lse);
            const Vec d = e * (scale * vec_load(g + j * QUERIES) - dot);
            vec_store(p + j * QUERIES, e);
            vec_store(g + j * QUERIES, d);
        }
        for (size_t j = seen.all; j < seen.some; j++) {
            const IntVec mask = block_mask(b, i, j);
            vec_store(p + j * QUERIES, vec_keep(vec_load(p + j * QUERIES), mask));
            vec_store(g + j * QUERIES, vec_keep(vec_load(g + j * QUERIES), mask));
        }
        for (size_t j = seen.some; j < seen.end; j++) {
            vec_store(p + j * QUERIES, (Vec){0});
            vec_store(g + j * QUERIES, (Vec){0});
        }
    }
}

// rows of out = beta out + from
static void store_rows(const Heads *x, float *out, size_t row, const float *from, size_t rows,
                       float beta)
{
    for (size_t r = 0; r < rows; r++, out += row, from += x->width)
        for (size_t d = 0; d < x->head; d += LANES) {
            const Vec v = vec_load(from + d);
            store_some(out + d, beta == 0 ? v : beta * load_some(out + d, x->head - d) + v,
                       x->head - d);
        }
}

static void backward_block(const Backward *b, Room *r, const Unit *u, const Block *block)
{
    const Heads *x = &b->heads;
    const size_t at = block->key * x->width;
    const Rows k = {r->k + at, x->width}, v = {r->v + at, x->width};
    block_scores(block, r->p, k, r->q_across, x->head);
    block_scores(block, r->g, v, r->dy_across, x->head);
    differentiate(block, r, x->scale);
    if (u->wants_kv) {
        sum_over_queries(block, r->dv + at, x->width, r->p, (Rows){r->dy, x->width});
        sum_over_queries(block, r->dk + at, x->width, r->g, (Rows){r->q, x->width});
    }
    if (u->wants_q) sum_over_keys(block, r->dq, x->width, r->g, k, block->key > u->key);
}

// Asks for what the block behind (h, query) reads, be it the next unit's.
static void fetch_next(const Backward *b, Fetch *f, const Unit *u, size_t h, size_t query,
                       const Unit *next)
{
    const Heads *x = &b->heads;
    size_t item = u->item;
    f->parts = 0;
    query += QUERIES;
    if (query >= u->query_end) query = u->query, h++;
    if (h == u->head_end) {
        if (next == NULL) return;
        item = next->item, h = next->head, query = next->query;
        const size_t keys = next->key_end - next->key;
        fetch_add(f, x->k + place(x->k_at, item, next->key, next->kv), x->k_at.row, keys);
        fetch_add(f, x->v + place(x->v_at, item, next->key, next->kv), x->v_at.row, keys);
    }
    const size_t queries = MIN(QUERIES, x->queries - query), out = place(x->y_at, item, query, h);
    fetch_add(f, x->q + place(x->q_at, item, query, h), x->q_at.row, queries);
    fetch_add(f, b->dy + out, x->y_at.row, queries);
    fetch_add(f, b->y + out, x->y_at.row, queries);
}

static void backward_unit(const Backward *b, Room *r, Fetch *fetch, const Unit *u, const Unit *next)
{
    const Heads *x = &b->heads;
    const size_t k = place(x->k_at, u->item, u->key, u->kv);
    const size_t v = place(x->v_at, u->item, u->key, u->kv);
    const size_t at = u->key * x->width, rows = u->key_end - u->key;
    copy_rows(r->k + at, x->width, x->k + k, x->k_at.row, rows, x->head);
    copy_rows(r->v + at, x->width, x->v + v, x->v_at.row, rows, x->head);
    if (u->wants_kv) memset(r->dk + at, 0, rows * x->width * sizeof(float));
    if (u->wants_kv) memset(r->dv + at, 0, rows * x->width * sizeof(float));
    for (size_t h = u->head; h < u->head_end; h++)
        for (size_t query = u->query; query < u->query_end; query += QUERIES) {
            Block block = {.query = query,
                           .queries = MIN(QUERIES, u->query_end - query),
                           .keys = u->key_end,
                           .ahead = x->ahead,
                           .fetch = fetch};
            const size_t end = block_seen(&block, block.queries - 1);
            if (!u->wants_q && end <= u->key) continue;
            fetch_next(b, fetch, u, h, query, next);
            load_queries(b, r, &block, u->item, h);
            if (end == 0) memset(r->dq, 0, block.queries * x->width * sizeof(float));
            for (block.key = u->key; block.key < end; block.key += KEYS) {
                block.keys = MIN(KEYS, end - block.key);
                backward_block(b, r, u, &block);
            }
            if (u->wants_q)
                store_rows(x, b->dq + place(x->q_at, u->item, query, h), x->q_at.row, r->dq,
                           block.queries, b->beta);
        }
    if (!u->wants_kv) return;
    store_rows(x, b->dk + k, x->k_at.row, r->dk + at, rows, b->beta);
    store_rows(x, b->dv + v, x->v_at.row, r->dv + at, rows, b->beta);
}

static void backward_share(Backward *b, size_t t)
{
    Heads *x = &b->heads;
    Room room = room_of(x, x->room + t * x->own);
    Fetch fetch = {.cols = x->head};
    for (size_t number = heads_next(x), after; number < x->units; number = after) {
        after = heads_next(x);
        const Unit u = unit_of(b, number), next = unit_of(b, after);
        backward_unit(b, &room, &fetch, &u, after < x->units ? &next : NULL);
    }
}

void CPU(attention_backward)(float *dq, float *dk, float *dv, const float *dy, const float *y,
                             const float *lse, const float *q, const float *k, const float *v,
                             float beta, AttentionShape s)
{
    Backward b = {heads_of(q, k, v, s), dq, dk, dv, dy, y, lse, beta, false};
    Heads *x = &b.heads;
    const size_t work = (size_t)(attention_backward_flops(s) / 2);
    const int threads = team_size(work, ATTENTION_SERIAL);
    b.split = x->batch * x->kv_heads < (size_t)threads;
    x->units = x->batch * x->kv_heads * units_of_head(&b);
    x->own = room_floats(x);
    x->room = workspace(workspace_room(0, x->own));
    ON_TEAM(threads, work, ATTENTION_SERIAL, backward_share(&b, t));
}
