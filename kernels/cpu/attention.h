/* attention.h -- what attention and its gradients share on a CPU. They work a block of queries by keys at a time:
 * an online softmax forward (Milakov & Gimelshein 2018), scores computed again backward (Dao et al. 2022,
 * FlashAttention).
 *
 * A block holds its scores transposed, a row for each key. So lanes are queries, maxima and sums over the keys
 * need no lane of another, and all products are tiles of gemm_tile.h that read a block's scores, or rows of q, k,
 * v and dy, as they lie: only q and dy are transposed, once for a block of queries. The rows of a head are copied
 * side by side first: as parts of wider rows, which often are a power of two apart, they would share a few sets of
 * the caches. While a block is computed, the rows of the next are asked for: a tenth of the time at 256 tokens.
 *
 * Where the mask cuts a block, strips of scores begin and sums over them end where it does, up to a strip's
 * rows. What is left is multiplied by 0, unless it is not finite: then strips have one row (`exact`).
 */
#pragma once
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/team.h"
#include "kernels/cpu/workspace.h"

enum {
    QUERIES = 64,    // of a block
    KEYS = 64,
    FETCH = 4,                               // rows that are asked for at a time
    ATTENTION_SERIAL = 40 * 1024 * LANES,    // multiplications: as in gemm.c
};

static const float LOG2_E = 0x1.715476p0f, LN_2 = 0x1.62e430p-1f;

// ---- vectors

static const float lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

INLINED Vec vec_keep(Vec x, IntVec mask)    // 0 elsewhere
{
    return (Vec)((IntVec)x & mask);
}

INLINED Vec vec_max(Vec x, Vec y)    // y where one is NaN
{
#if LANES == 16
    return _mm512_max_ps(x, y);
#elif LANES == 8
    return _mm256_max_ps(x, y);
#else
    return (Vec)(((IntVec)x & (x > y)) | ((IntVec)y & ~(x > y)));
#endif
}

// 2^x for x up to some rounding errors above 0: at least a normal number, or 0. A minimax polynomial around 0.
INLINED Vec exp2_of_negative(Vec x)
{
    const float magic = 0x1.8p23f;    // adding it rounds to an integer, in the lowest bits
    const Vec shifted = x + magic, r = x - (shifted - magic);
    Vec p = 0x1.41fbbcp-13f * r + 0x1.5f3e54p-10f;
    p = p * r + 0x1.3b2d4cp-7f;
    p = p * r + 0x1.c6aee8p-5f;
    p = p * r + 0x1.ebfbdcp-3f;
    p = p * r + 0x1.62e430p-1f;
    p = p * r + 1.0f;
    p *= (Vec)(((UintVec)shifted << 23) + 0x3f800000u);    // 2^(x - r)
    return vec_keep(p, ~(x < -126.0f));
}

// ---- rows

typedef struct Rows {
    const float *at;
    size_t row;
} Rows;

// Rows that are wanted soon, asked for a few at a time.
typedef struct Fetch {
    struct {
        const float *at;
        size_t row, rows;
    } part[8];
    size_t parts, cols;
} Fetch;

static inline void fetch_add(Fetch *f, const float *at, size_t row, size_t rows)
{
    enum { MOST = 256 };    // more would not stay
    if (rows == 0) return;
    f->part[f->parts].at = at;
    f->part[f->parts].row = row;
    f->part[f->parts++].rows = MIN(rows, MOST);
}

static inline void fetch_some(Fetch *f)
{
    for (int n = 0; n < FETCH && f->parts > 0; n++) {
        const size_t last = f->parts - 1;
        for (size_t c = 0; c < f->cols; c += 16) __builtin_prefetch(f->part[last].at + c, 0, 2);
        f->part[last].at += f->part[last].row;
        if (--f->part[last].rows == 0) f->parts--;
    }
}

// ---- blocks

// Queries query .. query + queries - 1 of a head, and keys likewise. Query i sees the keys up to i + ahead.
typedef struct Block {
    size_t query, queries, key, keys;
    long ahead;
    Fetch *fetch;
} Block;

static inline size_t clamp(long x, size_t most)
{
    return x < 0 ? 0 : MIN((size_t)x, most);
}

// How many of the block's keys its query i sees.
static inline size_t block_seen(const Block *b, size_t i)
{
    return clamp((long)(b->query + i) + b->ahead + 1 - (long)b->key, b->keys);
}

// The first of the block's queries that sees its key j.
static inline size_t block_first(const Block *b, size_t j)
{
    return clamp((long)(b->key + j) - b->ahead - (long)b->query, b->queries);
}

static inline size_t block_width(const Block *b)    // in whole vectors
{
    return (b->queries + LANES - 1) / LANES * LANES;
}

static inline bool block_exact(const Block *b, Rows x, size_t rows, size_t cols)
{
    if (block_first(b, b->keys - 1) == 0) return false;
    const int exponent = 0x7f800000;
    IntVec found = {0};
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += LANES)
            found |= ((IntVec)vec_load(x.at + r * x.row + c) & exponent) == exponent;
    bool exact = false;
    for (size_t l = 0; l < LANES; l++) exact |= found[l] != 0;
    return exact;
}

// ---- products

static inline size_t strips_of(size_t rows, bool exact)
{
    return exact ? rows : (rows + ROWS - 1) / ROWS;
}

// c[rows,cols] = beta c + a b, of one strip: up to ROWS rows.
INLINED void multiply(const Layout layout, float *c, size_t c_row, const float *a, size_t a_step,
                      Rows b, size_t rows, size_t cols, size_t k, float beta, Fetch *fetch)
{
    TileWork work = {
        .a = a, .a_step = a_step, .b_row = b.row, .c_row = c_row, .k = k, .beta = beta};
    for (size_t j = 0; j < cols; j += WIDTH) {
        fetch_some(fetch);
        work.b = b.at + j;
        work.c = c + j;
        work.cols = MIN(WIDTH, cols - j);
        CPU(tiles)[layout][rows - 1][(work.cols - 1) / LANES](&work);
    }
}

// out[j,i] = sum_d x[j,d] across[d,i], of the block's keys j and queries i, where i sees j.
static inline void block_scores(const Block *b, float *out, Rows x, const float *across,
                                size_t head)
{
    const size_t strips = strips_of(b->keys, false), width = block_width(b);
    for (size_t s = 0; s < strips; s++) {
        const size_t j = b->keys * s / strips, rows = b->keys * (s + 1) / strips - j;
        const size_t i = block_first(b, j) / LANES * LANES;
        multiply(A_APART, out + j * QUERIES + i, QUERIES, x.at + j * x.row, x.row,
                 (Rows){across + i, QUERIES}, rows, width - i, head, 0, b->fetch);
    }
}

// out[i,d] = beta out + sum_j p[j,i] x[j,d]
static inline void sum_over_keys(const Block *b, float *out, size_t width, const float *p, Rows x,
                                 float beta)
{
    const size_t strips = strips_of(b->queries, block_exact(b, x, b->keys, width));
    for (size_t s = 0; s < strips; s++) {
        const size_t i = b->queries * s / strips, end = b->queries * (s + 1) / strips;
        multiply(A_ADJACENT, out + i * width, width, p + i, QUERIES, x, end - i, width,
                 block_seen(b, end - 1), beta, b->fetch);
    }
}

// out[j,d] += sum_i p[j,i] x[i,d]
static inline void sum_over_queries(const Block *b, float *out, size_t width, const float *p,
                                    Rows x)
{
    const size_t strips = strips_of(b->keys, block_exact(b, x, b->queries, width));
    for (size_t s = 0; s < strips; s++) {
        const size_t j = b->keys * s / strips, rows = b->keys * (s + 1) / strips - j;
        const size_t i = block_first(b, j);
        multiply(A_APART, out + j * width, width, p + j * QUERIES + i, QUERIES,
                 (Rows){x.at + i * x.row, x.row}, rows, width, b->queries - i, 1, b->fetch);
    }
}

// Of the queries i .. i + LANES - 1: keys up to `all` are seen by all, up to `some` by some of them. Up to `end`,
// where strips reach, weights are 0.
typedef struct Seen {
    size_t all, some, end;
} Seen;

static inline Seen block_lanes(const Block *b, size_t i)
{
    Seen seen = {block_seen(b, i), block_seen(b, i + LANES - 1), 0};
    seen.end = MIN(seen.some + ROWS, b->keys);
    return seen;
}

// Which of the queries i .. i + LANES - 1 see key j.
INLINED IntVec block_mask(const Block *b, size_t i, size_t j)
{
    return vec_load(lane_numbers) >= (float)block_first(b, j) - (float)i;
}

// ---- heads

// Floats from an item's first row to the next item's, from row to row, and from head to head.
typedef struct Strides {
    size_t item, row, head;
} Strides;

// What forward and backward have in common.
typedef struct Heads {
    float scale;
    size_t batch, kv_heads, group;    // query heads of a key and value head
    size_t queries, keys, head;
    size_t width;    // of a head's row in whole vectors
    long ahead;
    const float *q, *k, *v;
    Strides q_at, k_at, v_at, y_at;
    size_t units, next;    // of work; the first that no thread has taken
    float *room;           // [threads,own]
    size_t own;
} Heads;

static inline Heads heads_of(const float *q, const float *k, const float *v, AttentionShape s)
{
    Heads x = {.scale = s.scale,
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
    x.q_at = (Strides){x.queries * s.q_row, s.q_row, x.head};
    x.y_at = (Strides){x.queries * s.y_row, s.y_row, x.head};
    x.k_at = (Strides){x.keys * s.k_row, s.k_row, x.head};
    x.v_at = (Strides){x.keys * s.v_row, s.v_row, x.head};
    if (s.queries ==
        1) {    // the one query of each head in a group: all together see the same keys
        x.q_at.row = x.y_at.row = x.head;
        x.q_at.head = x.y_at.head = x.group * x.head;
        x.queries = x.group;
        x.group = 1;
        x.ahead = s.keys;
    }
    return x;
}

static inline size_t place(Strides at, size_t item, size_t row, size_t head)
{
    return item * at.item + row * at.row + head * at.head;
}

static inline size_t blocks_of(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

static inline size_t lse_place(const Heads *x, size_t item, size_t query, size_t head)
{
    return (item * x->kv_heads * x->group + head) * x->queries + query;
}

// Units are taken one by one; each writes what no other does, so that it does not matter who takes it.
static inline size_t heads_next(Heads *x)
{
    return __atomic_fetch_add(&x->next, 1, __ATOMIC_RELAXED);
}
