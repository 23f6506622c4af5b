/* attention.c -- attention forward. See attention.h for the blocks. */
#include <math.h>
#include <string.h>
#include "kernels/cpu/attention.h"

enum { DIRECT = 16 };    // so many queries or fewer read keys and values where they lie

typedef struct Forward {
    Heads heads;
    float *y, *lse;
    bool direct;
} Forward;

// Of a block of queries, while blocks of keys pass: the largest scores and the sums of exps so far, in units of
// log 2.
typedef struct Online {
    _Alignas(64) float max[QUERIES], sum[QUERIES];
    float factor[QUERIES];    // of what was summed before the largest score changed
} Online;

// Scores become weights p = 2^(scale score - max).
static void soften(const Block *b, float *scores, float scale, Online *o)
{
    for (size_t i = 0; i < block_width(b); i += LANES) {
        const Seen seen = block_lanes(b, i);
        const Vec lowest = (Vec){0} - INFINITY, before = vec_load(o->max + i);
        float *p = scores + i;
        Vec max = before, sum = {0};
        for (size_t j = 0; j < seen.all; j++) max = vec_max(scale * vec_load(p + j * QUERIES), max);
        for (size_t j = seen.all; j < seen.some; j++) {
            const IntVec mask = block_mask(b, i, j);
            const Vec s = vec_keep(scale * vec_load(p + j * QUERIES), mask);
            max = vec_max((Vec)((IntVec)s | (IntVec)vec_keep(lowest, ~mask)), max);
        }
        const Vec shift = vec_keep(max, max != lowest);    // 0 where nothing is seen yet
        for (size_t j = 0; j < seen.all; j++) {
            const Vec e = exp2_of_negative(scale * vec_load(p + j * QUERIES) - shift);
            vec_store(p + j * QUERIES, e);
            sum += e;
        }
        for (size_t j = seen.all; j < seen.some; j++) {
            const Vec e = exp2_of_negative(scale * vec_load(p + j * QUERIES) - shift);
            const Vec kept = vec_keep(e, block_mask(b, i, j));
            vec_store(p + j * QUERIES, kept);
            sum += kept;
        }
        for (size_t j = seen.some; j < seen.end; j++) vec_store(p + j * QUERIES, (Vec){0});
        const Vec factor = exp2_of_negative(before - shift);
        vec_store(o->max + i, max);
        vec_store(o->sum + i, factor * vec_load(o->sum + i) + sum);
        vec_store(o->factor + i, factor);
    }
}

static void rescale(const Block *b, float *values, size_t width, const float *factor)
{
    for (size_t i = 0; i < b->queries; i++, values += width)
        if (factor[i] != 1)
            for (size_t d = 0; d < width; d += LANES)
                vec_store(values + d, factor[i] * vec_load(values + d));
}

// A block of queries of head h, for all keys.
static void forward_block(const Forward *f, Block b, size_t item, size_t h, Rows k, Rows v,
                          float *room)
{
    const Heads *x = &f->heads;
    float *across = room, *p = across + x->head * QUERIES, *values = p + KEYS * QUERIES;
    Online o;
    for (size_t i = 0; i < QUERIES; i++) o.max[i] = -INFINITY, o.sum[i] = 0;
    copy_columns(across, QUERIES, x->q + place(x->q_at, item, b.query, h), x->q_at.row, x->head,
                 b.queries);
    b.keys = x->keys;
    const size_t end = block_seen(&b, b.queries - 1);
    if (end == 0) memset(values, 0, b.queries * x->width * sizeof *values);
    for (b.key = 0; b.key < end; b.key += KEYS) {
        b.keys = MIN(KEYS, end - b.key);
        block_scores(&b, p, (Rows){k.at + b.key * k.row, k.row}, across, x->head);
        soften(&b, p, x->scale * LOG2_E, &o);
        if (b.key > 0) rescale(&b, values, x->width, o.factor);
        sum_over_keys(&b, values, x->width, p, (Rows){v.at + b.key * v.row, v.row}, b.key > 0);
    }
    float *y = f->y + place(x->y_at, item, b.query, h);
    for (size_t i = 0; i < b.queries; i++, y += x->y_at.row) {
        const float inverse = o.sum[i] == 0 ? 0 : 1 / o.sum[i];
        for (size_t d = 0; d < x->head; d += LANES)
            store_some(y + d, inverse * vec_load(values + i * x->width + d), x->head - d);
    }
    if (f->lse == NULL) return;
    float *lse = f->lse + lse_place(x, item, b.query, h);
    for (size_t i = 0; i < b.queries; i++) lse[i] = LN_2 * o.max[i] + logf(o.sum[i]);
}

// A unit: a block of queries; the last of a head, which takes longest, first.
typedef struct ForwardUnit {
    size_t item, kv, h, query, queries;
} ForwardUnit;

static ForwardUnit forward_unit(const Heads *x, size_t number)
{
    const size_t blocks = blocks_of(x->queries, QUERIES), head = number / blocks;
    ForwardUnit u = {.item = head / (x->kv_heads * x->group), .h = head % (x->kv_heads * x->group)};
    u.kv = u.h / x->group;
    u.query = (blocks - 1 - number % blocks) * QUERIES;
    u.queries = MIN(QUERIES, x->queries - u.query);
    return u;
}

static void forward_share(Forward *f, size_t t)
{
    Heads *x = &f->heads;
    float *k = x->room + t * x->own, *v = k + x->keys * x->width, *room = v + x->keys * x->width;
    Fetch fetch = {.cols = x->head};
    size_t here = SIZE_MAX;    // whose keys and values were copied
    for (size_t number = heads_next(x), next; number < x->units; number = next) {
        next = heads_next(x);
        const ForwardUnit u = forward_unit(x, number);
        const size_t group = u.item * x->kv_heads + u.kv;
        Rows keys = {x->k + place(x->k_at, u.item, 0, u.kv), x->k_at.row};
        Rows values = {x->v + place(x->v_at, u.item, 0, u.kv), x->v_at.row};
        if (!f->direct) {
            if (here != group) {
                copy_rows(k, x->width, keys.at, keys.row, x->keys, x->head);
                copy_rows(v, x->width, values.at, values.row, x->keys, x->head);
                here = group;
            }
            keys = (Rows){k, x->width}, values = (Rows){v, x->width};
        }
        fetch.parts = 0;
        if (next < x->units) {
            const ForwardUnit n = forward_unit(x, next);
            fetch_add(&fetch, x->q + place(x->q_at, n.item, n.query, n.h), x->q_at.row, n.queries);
            if (n.item != u.item || n.kv != u.kv) {
                fetch_add(&fetch, x->k + place(x->k_at, n.item, 0, n.kv), x->k_at.row, x->keys);
                fetch_add(&fetch, x->v + place(x->v_at, n.item, 0, n.kv), x->v_at.row, x->keys);
            }
        }
        const Block b = {
            .query = u.query, .queries = u.queries, .ahead = x->ahead, .fetch = &fetch};
        forward_block(f, b, u.item, u.h, keys, values, room);
    }
}

void CPU(attention)(float *y, float *lse, const float *q, const float *k, const float *v,
                    AttentionShape s)
{
    Forward f = {heads_of(q, k, v, s), y, lse, false};
    Heads *x = &f.heads;
    x->units = x->batch * x->kv_heads * x->group * blocks_of(x->queries, QUERIES);
    if (x->units == 0) return;
    f.direct = x->queries <= DIRECT && x->head % LANES == 0;
    x->own = lines_of(2 * x->keys * x->width + QUERIES * (x->head + KEYS + x->width));
    const size_t work = (size_t)(attention_flops(s) / 2);
    const int threads = team_size(work, ATTENTION_SERIAL);
    x->room = workspace(workspace_room(0, x->own));
    ON_TEAM(threads, work, ATTENTION_SERIAL, forward_share(&f, t));
}
