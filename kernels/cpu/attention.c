/* attention.c -- attention and its gradients, a block of queries by keys at a time: an online softmax forward
 * (Milakov & Gimelshein 2018), scores computed again backward (Dao et al. 2022, FlashAttention).
 *
 * A block holds its scores transposed, a row for each key. So lanes are queries, maxima and sums over the keys
 * need no lane of another, and all products are tiles of gemm_tile.h that read a block's scores, or rows of q, k,
 * v and dy, where they lie: only q and dy are transposed, once for a block of queries. Keys and values of a head
 * are copied side by side first, as are their gradients: rows that are a power of two apart would fall into a
 * few sets of the caches.
 *
 * Where the mask cuts a block, strips of scores begin and sums over them end where it does, up to a strip's
 * rows. What is left is multiplied by 0, unless it is not finite: then strips have one row (`exact`).
 */
#include <string.h>
#include "kernels/cpu/functions.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/team.h"
#include "kernels/cpu/workspace.h"

enum {
    QUERIES = 64,    // of a block
    KEYS = 64,
    DIRECT = 16,                   // so many queries or fewer read keys and values where they lie
    SERIAL = 40 * 1024 * LANES,    // multiplications: as in gemm.c
};

static const float LOG2_E = 0x1.715476p0f, LN_2 = 0x1.62e430p-1f;

// ---- blocks

typedef struct Rows {
    const float *at;
    size_t row;
} Rows;

// Queries query .. query + queries - 1 of a head, and keys likewise. Query i sees the keys up to i + ahead.
typedef struct Block {
    size_t query, queries, key, keys;
    long ahead;
} Block;

static size_t clamp(long x, size_t most)
{
    return x < 0 ? 0 : MIN((size_t)x, most);
}

// How many of the block's keys its query i sees.
static size_t block_seen(const Block *b, size_t i)
{
    return clamp((long)(b->query + i) + b->ahead + 1 - (long)b->key, b->keys);
}

// The first of the block's queries that sees its key j.
static size_t block_first(const Block *b, size_t j)
{
    return clamp((long)(b->key + j) - b->ahead - (long)b->query, b->queries);
}

static size_t block_width(const Block *b)    // in whole vectors
{
    return (b->queries + LANES - 1) / LANES * LANES;
}

static bool block_exact(const Block *b, Rows x, size_t rows, size_t cols)
{
    if (block_first(b, b->keys - 1) == 0) return false;
    Vec sum = {0};
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += LANES) sum += 0 * vec_load(x.at + r * x.row + c);
    float total = 0;
    for (size_t l = 0; l < LANES; l++) total += sum[l];
    return total != 0;
}

// ---- products

static size_t strips_of(size_t rows, bool exact)
{
    return exact ? rows : (rows + ROWS - 1) / ROWS;
}

// c[rows,cols] = beta c + a b, of one strip: up to ROWS rows.
INLINED void multiply(const Layout layout, float *c, size_t c_row, const float *a, size_t a_step,
                      const float *b, size_t b_row, size_t rows, size_t cols, size_t k, float beta)
{
    TileWork work = {
        .a = a, .a_step = a_step, .b_row = b_row, .c_row = c_row, .k = k, .beta = beta};
    for (size_t j = 0; j < cols; j += WIDTH) {
        work.b = b + j;
        work.c = c + j;
        work.cols = MIN(WIDTH, cols - j);
        CPU(tiles)[layout][rows - 1][(work.cols - 1) / LANES](&work);
    }
}

// out[j,i] = sum_d x[j,d] across[d,i], of the block's keys j and queries i, where i sees j.
static void block_scores(const Block *b, float *out, Rows x, const float *across, size_t head)
{
    const size_t strips = strips_of(b->keys, false), width = block_width(b);
    for (size_t s = 0; s < strips; s++) {
        const size_t j = b->keys * s / strips, rows = b->keys * (s + 1) / strips - j;
        const size_t i = block_first(b, j) / LANES * LANES;
        multiply(A_APART, out + j * QUERIES + i, QUERIES, x.at + j * x.row, x.row, across + i,
                 QUERIES, rows, width - i, head, 0);
    }
}

// out[i,d] += sum_j p[j,i] x[j,d]
static void add_over_keys(const Block *b, float *out, size_t out_row, const float *p, Rows x)
{
    const size_t strips = strips_of(b->queries, block_exact(b, x, b->keys, out_row));
    for (size_t s = 0; s < strips; s++) {
        const size_t i = b->queries * s / strips, end = b->queries * (s + 1) / strips;
        multiply(A_ADJACENT, out + i * out_row, out_row, p + i, QUERIES, x.at, x.row, end - i,
                 out_row, block_seen(b, end - 1), 1);
    }
}

// out[j,d] += sum_i p[j,i] x[i,d]
static void add_over_queries(const Block *b, float *out, size_t out_row, const float *p, Rows x)
{
    const size_t strips = strips_of(b->keys, block_exact(b, x, b->queries, out_row));
    for (size_t s = 0; s < strips; s++) {
        const size_t j = b->keys * s / strips, rows = b->keys * (s + 1) / strips - j;
        const size_t i = block_first(b, j);
        multiply(A_APART, out + j * out_row, out_row, p + j * QUERIES + i, QUERIES,
                 x.at + i * x.row, x.row, rows, out_row, b->queries - i, 1);
    }
}

// ---- heads

// What forward and backward have in common.
typedef struct Heads {
    AttentionShape s;
    size_t batch, kv_heads, group;    // query heads of a key and value head
    size_t queries, keys, head;
    size_t width;    // of a head's row in whole vectors
    long ahead;
    const float *q, *k, *v;
    size_t units, next;    // of work; the first that no thread has taken
    float *room;           // [threads,own]
    size_t own;
} Heads;

static Heads heads_of(const float *q, const float *k, const float *v, AttentionShape s)
{
    Heads x = {.s = s,
               .batch = (size_t)s.batch,
               .kv_heads = (size_t)s.kv_heads,
               .group = (size_t)(s.heads / s.kv_heads),
               .queries = (size_t)s.queries,
               .keys = (size_t)s.keys,
               .head = (size_t)s.head,
               .ahead = s.causal ? (long)s.keys - s.queries : s.keys,
               .q = q,
               .k = k,
               .v = v};
    x.width = (x.head + LANES - 1) / LANES * LANES;
    return x;
}

static size_t blocks_of(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

// Where head h of an item's token begins.
static size_t place(const Heads *x, size_t tokens, size_t item, size_t token, size_t row, size_t h)
{
    return (item * tokens + token) * row + h * x->head;
}

// Keys or values of a head, side by side in `copy`.
static Rows rows_copied(const Heads *x, float *copy, const float *from, size_t row, size_t rows)
{
    copy_rows(copy, x->width, from, row, rows, x->head);
    return (Rows){copy, x->width};
}

// Units are taken one by one; each writes what no other does, so that it does not matter who takes it.
static size_t heads_next(Heads *x)
{
    return __atomic_fetch_add(&x->next, 1, __ATOMIC_RELAXED);
}

// ---- forward

typedef struct Forward {
    Heads heads;
    float *y, *lse;
    bool direct;
} Forward;

// Of a block of queries, while blocks of keys pass: the largest scores and the sums of exps so far, in units of
// log 2, and the sums of values that these weigh.
typedef struct Online {
    _Alignas(64) float max[QUERIES], sum[QUERIES], factor[QUERIES];
    float *values;
} Online;

// Makes weights of scores: p = 2^(scale score - max), and 0 where the mask is. The maxima move first.
INLINED void soften(const Block *b, float *p, float scale, Online *o)
{
    const size_t width = block_width(b);
    _Alignas(64) float max[QUERIES], sum[QUERIES];
    for (size_t i = 0; i < width; i++) max[i] = o->max[i];
    for (size_t j = 0; j < b->keys; j++) {
        const int first = (int)block_first(b, j);
        const float *row = p + j * QUERIES;
#pragma omp simd
        for (int i = first / LANES * LANES; i < (int)width; i++)
            max[i] = i >= first && scale * row[i] > max[i] ? scale * row[i] : max[i];
    }
    for (size_t i = 0; i < width; i++) {
        const float shift = max[i] == -INFINITY ? 0 : max[i];    // nothing is seen yet
        o->factor[i] = fast_exp2_negative(o->max[i] - shift);
        o->max[i] = max[i];
        max[i] = shift;
        sum[i] = 0;
    }
    for (size_t j = 0; j < b->keys; j++) {
        const int first = (int)block_first(b, j), start = first / LANES * LANES;
        float *row = p + j * QUERIES;
        for (int i = 0; i < start; i++) row[i] = 0;
#pragma omp simd
        for (int i = start; i < (int)width; i++) {
            const float e = fast_exp2_negative(scale * row[i] - max[i]);
            row[i] = i >= first ? e : 0;
            sum[i] += row[i];
        }
    }
    for (size_t i = 0; i < width; i++) o->sum[i] = o->sum[i] * o->factor[i] + sum[i];
}

static void rescale(const Block *b, Online *o, size_t width)
{
    for (size_t i = 0; i < b->queries; i++)
        if (o->factor[i] != 1)
            for (size_t d = 0; d < width; d++) o->values[i * width + d] *= o->factor[i];
}

static void forward_block(const Forward *f, Block b, size_t item, size_t h, Rows k, Rows v,
                          float *room)
{
    const Heads *x = &f->heads;
    const float scale = x->s.scale * LOG2_E;
    float *across = room, *p = across + x->head * QUERIES;
    Online o = {.values = p + KEYS * QUERIES};
    for (size_t i = 0; i < QUERIES; i++) o.max[i] = -INFINITY, o.sum[i] = 0;
    memset(o.values, 0, b.queries * x->width * sizeof(float));
    copy_columns(across, QUERIES, x->q + place(x, x->queries, item, b.query, x->s.q_row, h),
                 x->s.q_row, x->head, b.queries);
    const Block all = {.query = b.query, .queries = b.queries, .keys = x->keys, .ahead = x->ahead};
    const size_t end = block_seen(&all, b.queries - 1);
    for (b.key = 0; b.key < end; b.key += KEYS) {
        b.keys = MIN(KEYS, end - b.key);
        block_scores(&b, p, (Rows){k.at + b.key * k.row, k.row}, across, x->head);
        soften(&b, p, scale, &o);
        rescale(&b, &o, x->width);
        add_over_keys(&b, o.values, x->width, p, (Rows){v.at + b.key * v.row, v.row});
    }
    for (size_t i = 0; i < b.queries; i++) {
        float *y = f->y + place(x, x->queries, item, b.query + i, x->s.y_row, h);
        const float inverse = o.sum[i] == 0 ? 0 : 1 / o.sum[i];
        for (size_t d = 0; d < x->head; d += LANES)
            store_some(y + d, inverse * vec_load(o.values + i * x->width + d), x->head - d);
        if (f->lse != NULL)
            f->lse[(item * x->kv_heads * x->group + h) * x->queries + b.query + i] =
                LN_2 * o.max[i] + logf(o.sum[i]);
    }
}

static void forward_share(Forward *f, size_t t)
{
    Heads *x = &f->heads;
    float *k = x->room + t * x->own, *v = k + x->keys * x->width, *room = v + x->keys * x->width;
    const size_t blocks = blocks_of(x->queries, QUERIES);
    Rows keys = {0}, values = {0};
    size_t here = SIZE_MAX;    // whose keys and values were copied
    for (size_t unit; (unit = heads_next(x)) < x->units;) {
        const size_t block = unit % blocks, head = unit / blocks, group = head / x->group;
        const size_t item = group / x->kv_heads, kv = group % x->kv_heads;
        if (here != group) {
            here = group;
            keys = (Rows){x->k + place(x, x->keys, item, 0, x->s.k_row, kv), x->s.k_row};
            values = (Rows){x->v + place(x, x->keys, item, 0, x->s.v_row, kv), x->s.v_row};
            if (!f->direct) {
                keys = rows_copied(x, k, keys.at, keys.row, x->keys);
                values = rows_copied(x, v, values.at, values.row, x->keys);
            }
        }
        const size_t query = (blocks - 1 - block) * QUERIES;    // the longest first
        forward_block(
            f,
            (Block){.query = query, .queries = MIN(QUERIES, x->queries - query), .ahead = x->ahead},
            item, head % (x->kv_heads * x->group), keys, values, room);
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
    const int threads = team_size(work, SERIAL);
    x->room = workspace(workspace_room(0, x->own));
    ON_TEAM(threads, work, SERIAL, forward_share(&f, t));
}

// ---- backward

typedef struct Backward {
    Heads heads;
    float *dq, *dk, *dv;
    const float *dy, *y, *lse;
    float beta;
    bool split;    // fewer heads than threads: units are blocks of a head
} Backward;

// What a unit computes: the gradients of some blocks of queries, of some keys or both, of one key and value head.
typedef struct Unit {
    size_t item, kv, head, heads;    // of the query heads `kv` has, some
    size_t query, query_end, key, key_end;
    bool wants_q, wants_kv;
} Unit;

static Unit unit_of(const Backward *b, size_t number)
{
    const Heads *x = &b->heads;
    const size_t blocks = blocks_of(x->queries, QUERIES),
                 of_queries = b->split ? x->group * blocks : 0;
    const size_t parts = b->split ? of_queries + blocks_of(x->keys, KEYS) : 1,
                 part = number % parts;
    const size_t group = number / parts;
    Unit u = {.item = group / x->kv_heads,
              .kv = group % x->kv_heads,
              .heads = x->group,
              .query_end = x->queries,
              .key_end = x->keys,
              .wants_q = true,
              .wants_kv = true};
    u.head = u.kv * x->group;
    if (b->split && part < of_queries) {
        u.wants_kv = false;
        u.head += part / blocks;
        u.heads = 1;
        u.query = part % blocks * QUERIES;
        u.query_end = MIN(u.query + QUERIES, x->queries);
    } else if (b->split) {
        u.wants_q = false;
        u.key = (part - of_queries) * KEYS;
        u.key_end = MIN(u.key + KEYS, x->keys);
    }
    return u;
}

// A thread's memory: keys, values and their gradients of a head, and what belongs to a block of queries or to one
// of scores.
typedef struct Room {
    float *k, *v, *dk, *dv;         // [keys,width]
    float *q, *dy, *dq;             // [QUERIES,width]
    float *q_across, *dy_across;    // [head,QUERIES]
    float *p, *g;                   // [KEYS,QUERIES]: weights, and gradients of the scores
    _Alignas(64) float lse[QUERIES], dot[QUERIES];    // in units of log 2; scale times dy y
} Room;

static size_t room_floats(const Heads *x)
{
    return lines_of(4 * x->keys * x->width + QUERIES * (3 * x->width + 2 * x->head + 2 * KEYS));
}

static Room room_of(const Heads *x, float *at)
{
    const size_t rows = x->keys * x->width, block = QUERIES * x->width, across = QUERIES * x->head;
    Room r;
    float **const parts[] = {&r.k,  &r.v, &r.dk, &r.dv,       &r.q,        &r.dy,
                             &r.dq, &r.p, &r.g,  &r.q_across, &r.dy_across};
    const size_t sizes[] = {rows,  rows,           rows,           rows,   block, block,
                            block, KEYS * QUERIES, KEYS * QUERIES, across, across};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) *parts[i] = at, at += sizes[i];
    return r;
}

static void load_queries(const Backward *b, Room *r, const Block *block, size_t item, size_t h)
{
    const Heads *x = &b->heads;
    const size_t out = place(x, x->queries, item, block->query, x->s.y_row, h);
    const float *lse = b->lse + (item * x->kv_heads * x->group + h) * x->queries + block->query;
    rows_copied(x, r->q, x->q + place(x, x->queries, item, block->query, x->s.q_row, h), x->s.q_row,
                block->queries);
    rows_copied(x, r->dy, b->dy + out, x->s.y_row, block->queries);
    copy_columns(r->q_across, QUERIES, r->q, x->width, x->head, block->queries);
    copy_columns(r->dy_across, QUERIES, r->dy, x->width, x->head, block->queries);
    memset(r->dq, 0, block->queries * x->width * sizeof(float));
    for (size_t i = 0; i < QUERIES; i++) r->lse[i] = INFINITY, r->dot[i] = 0;
    for (size_t i = 0; i < block->queries; i++) {
        const float *y = b->y + out + i * x->s.y_row, *dy = r->dy + i * x->width;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t d = 0; d < x->head; d++) sum += dy[d] * y[d];
        r->dot[i] = x->s.scale * sum;
        r->lse[i] = lse[i] == -INFINITY ? INFINITY : LOG2_E * lse[i];    // it sees nothing
    }
}

// From scores and dy v^T: the weights, and the gradients of the products q k; 0 where the mask is.
INLINED void differentiate(const Block *b, Room *r, float scale)
{
    const size_t width = block_width(b);
    const float in_log2 = scale * LOG2_E;
    for (size_t j = 0; j < b->keys; j++) {
        const int first = (int)block_first(b, j), start = first / LANES * LANES;
        float *p = r->p + j * QUERIES, *g = r->g + j * QUERIES;
        for (int i = 0; i < start; i++) p[i] = g[i] = 0;
#pragma omp simd
        for (int i = start; i < (int)width; i++) {
            const float e = fast_exp2_negative(in_log2 * p[i] - r->lse[i]);
            const float d = e * (scale * g[i] - r->dot[i]);
            p[i] = i >= first ? e : 0;
            g[i] = i >= first ? d : 0;
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
    differentiate(block, r, x->s.scale);
    if (u->wants_kv) {
        add_over_queries(block, r->dv + at, x->width, r->p, (Rows){r->dy, x->width});
        add_over_queries(block, r->dk + at, x->width, r->g, (Rows){r->q, x->width});
    }
    if (u->wants_q) add_over_keys(block, r->dq, x->width, r->g, k);
}

static void backward_unit(const Backward *b, Room *r, Unit u)
{
    const Heads *x = &b->heads;
    const AttentionShape s = x->s;
    const size_t k = place(x, x->keys, u.item, u.key, s.k_row, u.kv),
                 v = place(x, x->keys, u.item, u.key, s.v_row, u.kv);
    const size_t at = u.key * x->width, rows = u.key_end - u.key;
    rows_copied(x, r->k + at, x->k + k, s.k_row, rows);
    rows_copied(x, r->v + at, x->v + v, s.v_row, rows);
    memset(r->dk + at, 0, rows * x->width * sizeof(float));
    memset(r->dv + at, 0, rows * x->width * sizeof(float));
    for (size_t h = u.head; h < u.head + u.heads; h++)
        for (size_t query = u.query; query < u.query_end; query += QUERIES) {
            Block block = {.query = query,
                           .queries = MIN(QUERIES, x->queries - query),
                           .keys = x->keys,
                           .ahead = x->ahead};
            const size_t end = MIN(block_seen(&block, block.queries - 1), u.key_end);
            if (!u.wants_q && end <= u.key) continue;
            load_queries(b, r, &block, u.item, h);
            for (block.key = u.key; block.key < end; block.key += KEYS) {
                block.keys = MIN(KEYS, end - block.key);
                backward_block(b, r, &u, &block);
            }
            if (u.wants_q)
                store_rows(x, b->dq + place(x, x->queries, u.item, query, s.q_row, h), s.q_row,
                           r->dq, block.queries, b->beta);
        }
    if (!u.wants_kv) return;
    store_rows(x, b->dk + k, s.k_row, r->dk + at, rows, b->beta);
    store_rows(x, b->dv + v, s.v_row, r->dv + at, rows, b->beta);
}

static void backward_share(Backward *b, size_t t)
{
    Room room = room_of(&b->heads, b->heads.room + t * b->heads.own);
    for (size_t unit; (unit = heads_next(&b->heads)) < b->heads.units;)
        backward_unit(b, &room, unit_of(b, unit));
}

void CPU(attention_backward)(float *dq, float *dk, float *dv, const float *dy, const float *y,
                             const float *lse, const float *q, const float *k, const float *v,
                             float beta, AttentionShape s)
{
    Backward b = {heads_of(q, k, v, s), dq, dk, dv, dy, y, lse, beta, false};
    Heads *x = &b.heads;
    const size_t work = (size_t)(attention_backward_flops(s) / 2);
    const int threads = team_size(work, SERIAL);
    const size_t heads = x->batch * x->kv_heads;
    b.split = heads < (size_t)threads;
    x->units = heads *
               (b.split ? x->group * blocks_of(x->queries, QUERIES) + blocks_of(x->keys, KEYS) : 1);
    x->own = room_floats(x);
    x->room = workspace(workspace_room(0, x->own));
    ON_TEAM(threads, work, SERIAL, backward_share(&b, t));
}
