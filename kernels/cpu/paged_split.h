/* paged_split.h -- attention of a group of rows over a split of its context: tile after tile by an online softmax,
 * and splits merged in their order.
 *
 *     attend(x, group, &workspace, kv_head, split);    // into workspace.now
 *     merge(workspace.total, workspace.now, workspace.seen, rows, x->width, split * SPLIT);
 *     store(x, group, kv_head, workspace.total);
 */
#pragma once
#include <math.h>
#include <string.h>
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/paged_tile.h"

enum {
    SPLIT = 4 * KEYS,
    GROUP_ROWS = 64,
    TURNS_ROWS = 16,    // so few rows or fewer of a kv head: all kv heads take turns at a tile
    TURN_BYTES = 12 * 1024,    // of keys and values, at least, are asked for before they are read
    SHARES = 4,                // of a thread: larger groups are cut into splits
};

// Queries first .. first + queries - 1, of one sequence.
typedef struct Group {
    const int32_t *table;
    size_t first, queries, end;    // end: tokens that some query sees
    size_t heads, parts;           // kv heads of a unit, and units of all kv heads
    size_t work;                   // scores of a kv head
    size_t splits;
    bool apart;         // each split by itself
    size_t unit;        // the first
    size_t kept;        // floats of all groups before it
    size_t *arrived;    // [parts] splits that are done
} Group;

typedef struct Paged {
    float *y;
    const float *q;
    size_t y_row, q_row;
    PagedKv kv;
    const int32_t *tables;
    const PagedQuery *query;
    size_t queries, heads_each, head, width, slot_bytes, head_bytes;
    float scale;
    PagedReader read;
    Group *groups;
    size_t group_count, units, next;
    float *kept;    // splits that wait for others
    float *room;
    size_t own;
} Paged;

static size_t seen_by(const Paged *x, size_t query)
{
    return (size_t)MAX(x->query[query].seen, 0);
}

static size_t rows_of(const Paged *x, const Group *g)    // of a kv head
{
    return g->queries * x->heads_each;
}

// A unit's rows are kv head by kv head, and query by query in each. The query of row r, and where it lies in q or y.
static size_t query_of(const Paged *x, const Group *g, size_t r)
{
    return g->first + r % rows_of(x, g) / x->heads_each;
}

static size_t place_of(const Paged *x, const Group *g, size_t kv_head, size_t r, size_t row)
{
    const size_t h = (kv_head + r / rows_of(x, g)) * x->heads_each + r % x->heads_each;
    return query_of(x, g, r) * row + h * x->head;
}

// What is known of rows: the largest score in units of log 2, sums of 2^(score - max), and of that times values.
typedef struct Part {
    float *max, *sum, *values;
} Part;

static size_t part_floats(size_t rows, size_t width)
{
    return 2 * lines_of(rows) + rows * width;
}

static Part part_at(float *at, size_t rows)
{
    return (Part){at, at + lines_of(rows), at + 2 * lines_of(rows)};
}

// A thread's memory.
typedef struct Workspace {
    float *q, *p, *keys, *values, *lanes;    // lanes: of sums
    float *factor;
    size_t *seen;
    Part now, total;
} Workspace;

static size_t workspace_floats(size_t rows, size_t head, size_t width)
{
    return lines_of(rows * head) + KEYS * (rows + head + width) + 16 * rows + 3 * lines_of(rows) +
           2 * lines_of(part_floats(rows, width));
}

static Workspace workspace_at(float *at, size_t rows, size_t head, size_t width)
{
    Workspace d;
    d.q = at, at += lines_of(rows * head);
    d.p = at, at += rows * KEYS;
    d.keys = at, at += head * KEYS;
    d.values = at, at += KEYS * width;
    d.lanes = at, at += rows * 16;
    d.factor = at, at += lines_of(rows);
    d.seen = (size_t *)(void *)at, at += 2 * lines_of(rows);
    d.now = part_at(at, rows), at += lines_of(part_floats(rows, width));
    d.total = part_at(at, rows);
    return d;
}

// ---- a row's softmax

#define OTHER(d, lane)   ((lane) ^ (d))
#define WITH_OTHER(x, d) x = vec_max(x, __builtin_shufflevector(x, x, EACH_LANE(OTHER, d)))

INLINED float largest_lane(Vec x)
{
#if LANES >= 16
    WITH_OTHER(x, 8);
#endif
#if LANES >= 8
    WITH_OTHER(x, 4);
#endif
    WITH_OTHER(x, 2);
    WITH_OTHER(x, 1);
    return x[0];
}

// The n > 0 scores of a row become weights 2^(score - max), with zeros behind them up to `end`. `whole`: n is
// a multiple of LANES.
INLINED void soften(const bool whole, float *p, size_t n, size_t end, float *max, float *lanes,
                    float *factor)
{
    const Vec lowest = (Vec){0} - INFINITY;
    Vec most = (Vec){0} + *max;
    for (size_t j = 0; j < n; j += LANES) {
        const IntVec mask = vec_load(lane_numbers) < (Vec){0} + (float)(n - j);
        Vec s = vec_load(p + j);
        if (!whole) s = (Vec)((IntVec)vec_keep(s, mask) | (IntVec)vec_keep(lowest, ~mask));
        most = vec_max(s, most);
    }
    const float largest = largest_lane(most), shift = largest == -INFINITY ? 0 : largest;
    const float change = fast_exp2_negative(*max - shift);
    Vec sum = change * vec_load(lanes);
    size_t j = 0;
    for (; j < n; j += LANES) {
        const IntVec mask = vec_load(lane_numbers) < (Vec){0} + (float)(n - j);
        Vec e = exp2_of_negative(vec_load(p + j) - shift);
        if (!whole) e = vec_keep(e, mask);
        vec_store(p + j, e);
        sum += e;
    }
    for (; j < end; j += LANES) vec_store(p + j, (Vec){0});
    vec_store(lanes, sum);
    *max = largest;
    *factor = change;
}

static void soften_row(float *p, size_t n, size_t end, float *max, float *lanes, float *factor)
{
    if (n == KEYS) soften(true, p, KEYS, KEYS, max, lanes, factor);
    else soften(false, p, n, end, max, lanes, factor);
}

// ---- a split

// The keys of tile `key` that a row sees which sees so many tokens.
static size_t seen_of_tile(size_t seen, size_t key)
{
    return seen <= key ? 0 : MIN(seen - key, (size_t)KEYS);
}

static size_t most_seen(const size_t *seen, size_t rows, size_t key)
{
    size_t most = 0;
    for (size_t r = 0; r < rows; r++) most = MAX(most, seen_of_tile(seen[r], key));
    return most;
}

static bool all_finite(const float *x, size_t n)    // n: whole vectors
{
    IntVec found = {0};
    for (size_t i = 0; i < n; i += LANES)
        found |= ((IntVec)vec_load(x + i) & 0x7f800000) == 0x7f800000;
    bool any = false;
    for (size_t l = 0; l < LANES; l++) any |= found[l] != 0;
    return !any;
}

// The rows from token `key` on, a run of a block's at a time.
static void find_rows(const Paged *x, const Group *g, size_t kv_head, size_t key, PagedTile *t)
{
    const size_t size = (size_t)x->kv.block_size, slot = x->slot_bytes;
    t->keys = MIN((size_t)KEYS, g->end - key);
    for (size_t j = 0, n; j < t->keys; j += n) {
        size_t at = paged_place(x->kv, g->table, key + j, kv_head);
        n = MIN(size - (key + j) % size, t->keys - j);
        for (size_t i = j; i < j + n; i++, at += slot) {
            t->k[i] = (const uint8_t *)x->kv.k + at;
            t->v[i] = (const uint8_t *)x->kv.v + at;
        }
    }
}

// out = beta out + p values, row by row where zeros would meet what is not finite.
static void add_values(const Workspace *d, size_t rows, size_t width, size_t key, size_t keys,
                       float beta)
{
    Fetch none = {0};
    const size_t strips = strips_of(rows, false);
    for (size_t s = 0; s < strips; s++) {
        size_t r = rows * s / strips;
        const size_t end = rows * (s + 1) / strips, most = most_seen(d->seen + r, end - r, key);
        size_t step = end - r;
        for (size_t i = r; i < end; i++)
            if (seen_of_tile(d->seen[i], key) < most && !all_finite(d->values, keys * width))
                step = 1;
        for (; r < end; r += step)
            multiply(A_APART, d->now.values + r * width, width, d->p + r * KEYS, KEYS,
                     (Rows){d->values, width}, step, width, most_seen(d->seen + r, step, key), beta,
                     &none);
    }
}

// Scores of rows r ... end - 1, of which one sees `keys` keys of tile `key` and none more, become weights.
static void soften_rows(const Workspace *d, size_t r, size_t end, size_t key, size_t keys)
{
    for (; r < end; r++) {
        const size_t n = seen_of_tile(d->seen[r], key);
        float *p = d->p + r * KEYS;
        if (n > 0) {
            soften_row(p, n, keys, &d->now.max[r], d->lanes + r * 16, &d->factor[r]);
        } else {
            for (size_t j = 0; j < keys; j += LANES) vec_store(p + j, (Vec){0});
            d->factor[r] = 1;
        }
    }
}

static void scores(const Workspace *d, size_t rows, size_t head, size_t key)
{
    Fetch none = {0};
    const size_t strips = strips_of(rows, false);
    for (size_t s = 0; s < strips; s++) {
        const size_t r = rows * s / strips, end = rows * (s + 1) / strips;
        const size_t keys = most_seen(d->seen + r, end - r, key);
        multiply(A_APART, d->p + r * KEYS, KEYS, d->q + r * head, head, (Rows){d->keys, KEYS},
                 end - r, (keys + LANES - 1) / LANES * LANES, head, 0, &none);
        soften_rows(d, r, end, key, keys);
    }
}

static void rescale_rows(const Workspace *d, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        if (d->factor[r] != 1)
            for (size_t c = 0; c < width; c += LANES) {
                float *at = d->now.values + r * width + c;
                vec_store(at, d->factor[r] * vec_load(at));
            }
}

// What belongs to the h-th kv head of a unit.
static Workspace workspace_of(const Workspace *d, size_t h, size_t rows, size_t head, size_t width)
{
    Workspace own = *d;
    own.q += h * rows * head;
    own.lanes += h * rows * 16;
    own.factor += h * rows;
    own.now =
        (Part){d->now.max + h * rows, d->now.sum + h * rows, d->now.values + h * rows * width};
    return own;
}

static void attend_tile(const Paged *x, const Workspace *d, const PagedTile *t, size_t rows,
                        size_t key, bool first)
{
    const bool few = rows <= FEW_ROWS;
    if (few) {
        x->read.scores(d->p, d->q, rows, x->head, t);
        soften_rows(d, 0, rows, key, t->keys);
    } else {
        x->read.keys(d->keys, x->head, t);
        scores(d, rows, x->head, key);
    }
    if (!first) rescale_rows(d, rows, x->width);
    bool alike = true;
    for (size_t r = 0; r < rows; r++) alike &= seen_of_tile(d->seen[r], key) == t->keys;
    if (few && alike) {
        x->read.few(d->now.values, x->width, d->p, rows, x->head, t, !first);
    } else {
        x->read.values(d->values, x->width, x->head, t);
        add_values(d, rows, x->width, key, t->keys, !first);
    }
}

// Split `split` for the kv heads from kv_head on, into d->now. The heads take turns at a tile, for together they
// are one piece of memory.
static void attend(const Paged *x, const Group *g, const Workspace *d, size_t kv_head, size_t split)
{
    const size_t start = split * SPLIT, end = MIN(start + SPLIT, g->end), rows = rows_of(x, g),
                 all = rows * g->heads, last = g->apart ? end : g->end;
    for (size_t r = 0; r < all; r++) d->now.max[r] = -INFINITY;
    memset(d->lanes, 0, all * 16 * sizeof *d->lanes);
    if (start >= end) memset(d->now.values, 0, all * x->width * sizeof(float));
    PagedTile tiles[2];
    if (start < end) find_rows(x, g, kv_head, start, &tiles[0]);
    for (size_t key = start; key < end; key += KEYS) {
        PagedTile *t = &tiles[key / KEYS % 2], *next = &tiles[(key / KEYS + 1) % 2];
        if (key + KEYS < last) find_rows(x, g, kv_head, key + KEYS, next);
        for (size_t h = 0; h < g->heads; h++) {
            const Workspace own = workspace_of(d, h, rows, x->head, x->width);
            const size_t soon = h + MIN(g->heads, 1 + TURN_BYTES / (2 * KEYS * x->head_bytes));
            t->offset = h * x->head_bytes;
            t->next = soon >= g->heads && key + 2 * KEYS <= last ? next : t;
            t->next_offset = soon % g->heads * x->head_bytes;
            attend_tile(x, &own, t, rows, key, key == start);
        }
    }
    for (size_t r = 0; r < all; r++) {
        float sum[LANES];
        vec_store(sum, vec_load(d->lanes + r * 16));
        for (size_t n = LANES / 2; n > 0; n /= 2)
            for (size_t l = 0; l < n; l++) sum[l] += sum[l + n];
        d->now.sum[r] = sum[0];
    }
}

// ---- splits, in their order

static void copy_part(Part to, Part from, size_t rows, size_t width)
{
    memcpy(to.max, from.max, rows * sizeof(float));
    memcpy(to.sum, from.sum, rows * sizeof(float));
    memcpy(to.values, from.values, rows * width * sizeof(float));
}

static void merge(Part total, Part part, const size_t *seen, size_t rows, size_t width,
                  size_t start)
{
    for (size_t r = 0; r < rows; r++) {
        if (seen[r] <= start) continue;
        const float max = MAX(total.max[r], part.max[r]), shift = max == -INFINITY ? 0 : max;
        const float before = fast_exp2_negative(total.max[r] - shift),
                    now = fast_exp2_negative(part.max[r] - shift);
        total.max[r] = max;
        total.sum[r] = before * total.sum[r] + now * part.sum[r];
        for (size_t c = r * width; c < (r + 1) * width; c += LANES)
            vec_store(total.values + c,
                      before * vec_load(total.values + c) + now * vec_load(part.values + c));
    }
}

static void store(const Paged *x, const Group *g, size_t kv_head, Part total)
{
    for (size_t r = 0; r < rows_of(x, g) * g->heads; r++) {
        const float inverse = total.sum[r] == 0 ? 0 : 1 / total.sum[r];
        float *y = x->y + place_of(x, g, kv_head, r, x->y_row);
        for (size_t c = 0; c < x->head; c += LANES)
            store_some(y + c, inverse * vec_load(total.values + r * x->width + c), x->head - c);
    }
}
