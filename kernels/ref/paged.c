/* paged.c -- a KV cache in blocks as the plainest loops that are right. What a query does not see is never read. */
#include <string.h>
#include "kernels/ref/ref.h"
#include <tgmath.h>

enum { PART = 64 };    // numbers of a head that become floats at once: a multiple of every block

// ---- write

// As ggml's quantize_row_q8_0_ref where all numbers are finite and some are above 1e-30.
static void write_q8_0(uint8_t *out, const float *x)
{
    float largest = 0, finite = 0;    // NaN where a number is not finite
    for (int i = 0; i < 32; i++) {
        largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
        finite += 0 * x[i];
    }
    const float d = isnan(finite) ? NAN : largest > 1e-30f ? largest / 127 : 0;
    const float scale = d > 0 ? 1 / d : 0;
    dtype_from_floats(DTYPE_F16, out, &d, 1);
    for (int i = 0; i < 32; i++) out[2 + i] = (uint8_t)(d > 0 ? (int)round(x[i] * scale) : 0);
}

static void write_numbers(DType type, uint8_t *out, const float *x, int count)
{
    if (type != DTYPE_Q8_0) {
        dtype_from_floats(type, out, x, (size_t)count);
        return;
    }
    for (int i = 0; i < count; i += 32, out += dtype_info[type].bytes) write_q8_0(out, x + i);
}

void ref_paged_write(PagedKv kv, const float *k, size_t k_row, const float *v, size_t v_row,
                     const int64_t *slot, int tokens)
{
    for (int i = 0; i < tokens; i++) {
        const size_t at = (size_t)slot[i] * paged_slot_bytes(kv);
        write_numbers(kv.type, (uint8_t *)kv.k + at, k + (size_t)i * k_row, kv.kv_heads * kv.head);
        write_numbers(kv.type, (uint8_t *)kv.v + at, v + (size_t)i * v_row, kv.kv_heads * kv.head);
    }
}

void ref_paged_copy(PagedKv kv, int from, int to)
{
    const size_t bytes = paged_block_bytes(kv);
    memcpy((uint8_t *)kv.k + (size_t)to * bytes, (uint8_t *)kv.k + (size_t)from * bytes, bytes);
    memcpy((uint8_t *)kv.v + (size_t)to * bytes, (uint8_t *)kv.v + (size_t)from * bytes, bytes);
}

// ---- attention

// One query of one head.
typedef struct Query {
    const float *q;
    PagedKv kv;
    const int32_t *table;
    int seen, kv_head;
    float scale;
} Query;

// Numbers first .. first + PART - 1 of token j's key or value; how many there are.
static int read_part(float part[PART], const void *rows, const Query *x, int j, int first)
{
    const int count = x->kv.head - first < PART ? x->kv.head - first : PART;
    const size_t at = paged_place(x->kv, x->table, (size_t)j, (size_t)x->kv_head);
    dtype_to_floats(x->kv.type, part,
                    (const uint8_t *)rows + at + dtype_bytes(x->kv.type, (uint64_t)first),
                    (size_t)count);
    return count;
}

static double score(const Query *x, int j)
{
    float part[PART];
    double sum = 0;
    for (int first = 0; first < x->kv.head; first += PART) {
        const int count = read_part(part, x->kv.k, x, j, first);
        for (int d = 0; d < count; d++) sum += (double)x->q[first + d] * part[d];
    }
    return x->scale * sum;
}

// log sum_j exp(score[j]), as in attention.c; -inf where the query sees nothing.
static double log_sum(const Query *x)
{
    double max = -INFINITY, sum = 0;
    for (int j = 0; j < x->seen; j++) max = score(x, j) > max ? score(x, j) : max;
    const double shift = max == -INFINITY ? 0 : max;
    for (int j = 0; j < x->seen; j++) sum += exp(score(x, j) - shift);
    return shift + log(sum);
}

static void attend(float *y, const Query *x)
{
    const double total = log_sum(x);
    for (int first = 0; first < x->kv.head; first += PART) {
        float part[PART];
        double sum[PART] = {0};
        for (int j = 0; j < x->seen && total != -INFINITY; j++) {
            const double p = exp(score(x, j) - total);
            const int count = read_part(part, x->kv.v, x, j, first);
            for (int d = 0; d < count; d++) sum[d] += p * part[d];
        }
        for (int d = 0; d < PART && first + d < x->kv.head; d++) y[first + d] = (float)sum[d];
    }
}

void ref_paged_attention(float *y, size_t y_row, const float *q, size_t q_row, PagedKv kv,
                         const int32_t *tables, const PagedQuery *query, int queries, int heads,
                         float scale)
{
    for (int i = 0; i < queries; i++)
        for (int h = 0; h < heads; h++) {
            const size_t at = (size_t)h * (size_t)kv.head;
            const Query x = {.q = q + (size_t)i * q_row + at,
                             .kv = kv,
                             .table = tables + query[i].table,
                             .seen = query[i].seen,
                             .kv_head = h / (heads / kv.kv_heads),
                             .scale = scale};
            attend(y + (size_t)i * y_row + at, &x);
        }
}
