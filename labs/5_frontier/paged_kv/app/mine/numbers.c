// numbers.c -- the learner's attention and 8-bit product as kernels: their functions take one query, and
// one row at a time.
#include <math.h>
#include <stdlib.h>
#include "common/error.h"
#include "kernels/kernels.h"
#include "labs/5_frontier/paged_kv/app/mine/guard.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/mine/reference.h"

// As the kernel table, which it belongs to, one for the process: a kernel has no context.
static struct {
    Kernels theirs;       // the engine's, whose results are right
    const void *first;    // the cache of layer 0
    int layer;
    double *room;    // scratch
    float *right, *rest;
    KvQ8 *x;
    size_t room_count, right_count, rest_count, x_count;
} own;

static void *grown(void *memory, size_t *count, size_t needed, size_t size)
{
    if (needed <= *count) return memory;
    *count = 2 * needed;
    memory = realloc(memory, *count * size);
    REQUIRE(memory != NULL, "no memory for %zu numbers", needed);
    return memory;
}

// ---- attention ----

// A row's numbers differ by rounding at most: sums are in another order, and in double.
static void check_attention(const float *y, const float *right, int count, int token)
{
    float largest = 0;
    for (int i = 0; i < count; i++) largest = fmaxf(largest, fabsf(right[i]));
    for (int i = 0; i < count; i++)
        if (!(fabsf(y[i] - right[i]) <= 1e-3f * largest + 1e-6f))
            guard_wrong("attention", "layer %d, token %d, number %d of y: %g, expected %g",
                        own.layer, token, i, (double)y[i], (double)right[i]);
}

static void attention(float *y, size_t y_row, const float *q, size_t q_row, PagedKv kv,
                      const int32_t *tables, const PagedQuery *query, int queries, int heads,
                      float scale)
{
    const KvHeads shape = {heads, kv.kv_heads, kv.head, kv.block_size};
    const int width = heads * kv.head;
    if (own.first == NULL) own.first = kv.k;
    own.layer = kv.k == own.first ? 0 : own.layer + 1;
    own.right =
        grown(own.right, &own.right_count, (size_t)queries * (size_t)width, sizeof *own.right);
    own.theirs.paged_attention(own.right, (size_t)width, q, q_row, kv, tables, query, queries,
                               heads, scale);
    for (int i = 0; i < queries; i++, y += y_row, q += q_row) {
        own.room = grown(own.room, &own.room_count, (size_t)query[i].seen, sizeof *own.room);
        GUARDED("attention", kv_attention(y, q, kv.k, kv.v, own.room, tables + query[i].table,
                                          query[i].seen, shape));
        check_attention(y, own.right + (size_t)i * (size_t)width, width, query[i].seen - 1);
    }
}

// ---- products ----

static void check_quantized(const KvQ8 *got, const KvQ8 *right, int blocks)
{
    for (int b = 0; b < blocks; b++) {
        if (got[b].scale != right[b].scale)
            guard_wrong("quantize", "block %d: scale 0x%04x, expected 0x%04x", b, got[b].scale,
                        right[b].scale);
        for (int i = 0; i < KV_Q8; i++)
            if (got[b].q[i] != right[b].q[i])
                guard_wrong("quantize", "block %d, number %d: %d, expected %d", b, i, got[b].q[i],
                            right[b].q[i]);
    }
}

// Each 64th number: the reference is no faster than the learner's.
static void check_products(const float *y, const KvQ8 *x, const KvQ8 *w, int rows, int blocks)
{
    for (int r = 0; r < rows; r += 64) {
        const float right = reference_dot(w + (size_t)r * (size_t)blocks, x, blocks);
        if (!(fabsf(y[r] - right) <= 1e-4f * (fabsf(right) + 1)))
            guard_wrong("dot", "row %d of %d blocks: %g, expected %g", r, blocks, (double)y[r],
                        (double)right);
    }
}

static void quantize(KvQ8 *out, const float *x, int blocks)
{
    KvQ8 *right = own.x + 2 * blocks;
    GUARDED("quantize", kv_quantize(out, x, blocks));
    reference_quantize(right, x, blocks);
    check_quantized(out, right, blocks);
}

static void multiply_row(float *y, const KvQ8 *x, const KvQ8 *w, int rows, int blocks, bool adds)
{
    for (int r = 0; r < rows; r++)
        y[r] = (adds ? y[r] : 0) + kv_dot(w + (size_t)r * (size_t)blocks, x, blocks);
}

// What 8 bits leave over.
static void subtract(float *rest, const float *x, const KvQ8 *rounded, int blocks)
{
    for (int b = 0; b < blocks; b++) {
        const float scale = kv_float(rounded[b].scale);
        float largest = 0;
        for (int i = b * KV_Q8; i < (b + 1) * KV_Q8; i++) {
            rest[i] = x[i] - scale * rounded[b].q[i % KV_Q8];
            largest = fmaxf(largest, fabsf(rest[i]));
        }
        for (int i = b * KV_Q8; i < (b + 1) * KV_Q8 && largest < 1e-30f; i++) rest[i] = 0;
    }
}

// Activations of more than 8 bits are two rows of these: x, and what that leaves over, 1/254 of it at most.
static void product(float *y, size_t y_row, const float *x, size_t x_row, int m, WeightRows w,
                    Activations activations)
{
    if (w.type != DTYPE_Q8_0) {
        own.theirs.row_product(y, y_row, x, x_row, m, w, activations);
        return;
    }
    const int blocks = w.cols / KV_Q8;
    own.x = grown(own.x, &own.x_count, 3 * (size_t)blocks, sizeof *own.x);
    own.rest = grown(own.rest, &own.rest_count, (size_t)w.cols, sizeof *own.rest);
    KvQ8 *rest = own.x + blocks;
    for (int i = 0; i < m; i++, x += x_row, y += y_row) {
        quantize(own.x, x, blocks);
        GUARDED("dot", multiply_row(y, own.x, w.data, w.rows, blocks, false));
        check_products(y, own.x, w.data, w.rows, blocks);
        if (activations == ACTIVATIONS_Q8) continue;
        subtract(own.rest, x, own.x, blocks);
        quantize(rest, own.rest, blocks);
        GUARDED("dot", multiply_row(y, rest, w.data, w.rows, blocks, true));
    }
}

void mine_use_kernels(void)
{
    own.first = NULL;
    if (kernels.paged_attention == attention || kernels.row_product == product) return;
    own.theirs = kernels;
    if (mine_has("attention")) kernels.paged_attention = attention;
    if (mine_has("quantize") || mine_has("dot")) kernels.row_product = product;
}
