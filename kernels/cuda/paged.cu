// paged.cu -- a KV cache in blocks of tokens, and attention that reads the blocks where they lie.
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/reduce.cuh"

// The cache as kernels see it, with the bytes that its sizes come to.
struct Cache {
    uint8_t *k, *v;
    int block_size, kv_heads, head;
    size_t head_bytes, slot_bytes;
};

static Cache cache_of(PagedKv kv)
{
    const size_t head_bytes = stored_bytes(kv.type, kv.head);
    return {(uint8_t *)kv.k, (uint8_t *)kv.v, kv.block_size,           kv.kv_heads,
            kv.head,         head_bytes,      kv.kv_heads * head_bytes};
}

#define BY_TYPE(type, what, ...)                                                                   \
    switch (type) {                                                                                \
    case DTYPE_F32: what<DTYPE_F32>(__VA_ARGS__); break;                                           \
    case DTYPE_F16: what<DTYPE_F16>(__VA_ARGS__); break;                                           \
    case DTYPE_BF16: what<DTYPE_BF16>(__VA_ARGS__); break;                                         \
    case DTYPE_Q8_0: what<DTYPE_Q8_0>(__VA_ARGS__); break;                                         \
    default: break;                                                                                \
    }

// ---- write

// 32 numbers, as ref writes them: what is not finite makes the block NaN.
static __device__ void write_q8_0(uint8_t *out, const float *x)
{
    float largest = 0, finite = 0;    // NaN where a number is not finite
    for (int i = 0; i < 32; i++) {
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
        finite += 0 * x[i];
    }
    const float d = finite != finite ? NAN : largest > 1e-30f ? largest / 127 : 0;
    const float scale = d > 0 ? 1 / d : 0;
    put_half(out, d);
    for (int i = 0; i < 32; i++) out[2 + i] = (uint8_t)(d > 0 ? (int)roundf(x[i] * scale) : 0);
}

// Block i of all the tokens' rows, where a block is one number or 32.
template <DType TYPE> struct PagedWrite {
    uint8_t *out;
    const float *x;
    size_t x_row;
    const int64_t *slot;
    Cache cache;

    __device__ void operator()(size_t i) const
    {
        constexpr int NUMBERS = TYPE == DTYPE_Q8_0 ? 32 : 1;
        const size_t in_row = (size_t)cache.kv_heads * cache.head / NUMBERS;
        const size_t token = i / in_row, block = i % in_row;
        uint8_t *to = out + slot[token] * cache.slot_bytes;
        const float *from = x + token * x_row + block * NUMBERS;
        if constexpr (TYPE == DTYPE_Q8_0) write_q8_0(to + block * 34, from);
        else number_write<TYPE>(to, block, *from);
    }
};

template <DType TYPE>
static void write(PagedKv kv, const float *k, size_t k_row, const float *v, size_t v_row,
                  const int64_t *slot, int tokens)
{
    const Cache cache = cache_of(kv);
    const size_t row = (size_t)kv.kv_heads * kv.head,
                 n = tokens * (TYPE == DTYPE_Q8_0 ? row / 32 : row);
    for_each(n, PagedWrite<TYPE>{cache.k, k, k_row, slot, cache});
    for_each(n, PagedWrite<TYPE>{cache.v, v, v_row, slot, cache});
}

void cuda_paged_write(PagedKv kv, const float *k, size_t k_row, const float *v, size_t v_row,
                      const int64_t *slot, int tokens)
{
    BY_TYPE(kv.type, write, kv, k, k_row, v, v_row, slot, tokens)
}

void cuda_paged_copy(PagedKv kv, int from, int to)
{
    const Cache cache = cache_of(kv);
    const size_t bytes = kv.block_size * cache.slot_bytes;
    for_each(2 * bytes, [=] __device__(size_t i) {
        uint8_t *rows = i < bytes ? cache.k : cache.v;
        rows[to * bytes + i % bytes] = rows[from * bytes + i % bytes];
    });
}

// ---- attention

enum { WARPS = 4, THREADS = 32 * WARPS, SPLIT = 64 };    // keys of a split: two for each lane

// Where a token's row of a kv head lies, in bytes.
static __device__ size_t place(const int32_t *table, int token, int kv_head, const Cache &cache)
{
    const size_t slot =
        (size_t)table[token / cache.block_size] * cache.block_size + token % cache.block_size;
    return slot * cache.slot_bytes + kv_head * cache.head_bytes;
}

static __device__ float warp_max(float x)
{
    for (int bits = 16; bits > 0; bits /= 2) x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, bits));
    return x;
}

struct Question {
    float *y;
    size_t y_row;
    const float *q;
    size_t q_row;
    const int32_t *tables;
    const PagedQuery *query;
    int heads;
    float scale;
};

// A block for each query of a head. Its warps take splits of the keys in turn, and what they have is added in
// their order: nothing but the keys' positions decides the order of a sum.
template <DType TYPE>
static __global__ void __launch_bounds__(THREADS) attend(Question x, Cache cache)
{
    __shared__ float p[WARPS][32], max_of[WARPS], sum_of[WARPS];
    DYNAMIC_SHARED(float, shared);
    const int head = cache.head, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float *q = shared, *out = shared + (1 + warp) * head;    // [head], [WARPS,head]
    const int h = blockIdx.x % x.heads, kv_head = h / (x.heads / cache.kv_heads);
    const size_t i = blockIdx.x / x.heads;
    const PagedQuery query = x.query[i];
    const int32_t *table = x.tables + query.table;
    for (int d = threadIdx.x; d < head; d += THREADS) q[d] = x.q[i * x.q_row + h * head + d];
    for (int d = lane; d < head; d += 32) out[d] = 0;
    __syncthreads();

    float most = -INFINITY, sum = 0;
    for (int split = warp * SPLIT; split < query.seen; split += WARPS * SPLIT)
        for (int first = split; first < min(split + (int)SPLIT, query.seen); first += 32) {
            const int count = min(query.seen - first, 32);
            float score = -INFINITY;
            if (lane < count) {
                const uint8_t *k = cache.k + place(table, first + lane, kv_head, cache);
                score = 0;
                for (int d = 0; d < head; d++) score += q[d] * number_at<TYPE>(k, d);
                score *= x.scale;
            }
            const float before = most;
            most = fmaxf(most, warp_max(score));    // NaN is no maximum
            const float shrink = most == -INFINITY ? 1 : expf(before - most);
            const float mine = lane < count ? expf(score - (most == -INFINITY ? 0 : most)) : 0;
            sum = sum * shrink + warp_sum(mine);
            p[warp][lane] = mine;
            __syncwarp();
            for (int d = lane; d < head; d += 32) {
                float total = out[d] * shrink;
                for (int j = 0; j < count; j++)
                    total += p[warp][j] *
                             number_at<TYPE>(cache.v + place(table, first + j, kv_head, cache), d);
                out[d] = total;
            }
            __syncwarp();
        }
    if (lane == 0) max_of[warp] = most, sum_of[warp] = sum;
    __syncthreads();

    most = max_of[0];
    for (int w = 1; w < WARPS; w++) most = fmaxf(most, max_of[w]);
    const float shift = most == -INFINITY ? 0 : most;
    float factor[WARPS];
    sum = 0;
    for (int w = 0; w < WARPS; w++) {
        factor[w] = expf(max_of[w] - shift);
        sum += max_of[w] == -INFINITY && sum_of[w] == 0 ? 0 : factor[w] * sum_of[w];
    }
    for (int d = threadIdx.x; d < head; d += THREADS) {
        float total = 0;
        for (int w = 0; w < WARPS; w++) total += factor[w] * shared[(1 + w) * head + d];
        x.y[i * x.y_row + h * head + d] = sum == 0 ? 0 : total / sum;
    }
}

template <DType TYPE> static void launch(Question x, PagedKv kv, int queries)
{
    const size_t bytes = (1 + WARPS) * (size_t)kv.head * sizeof(float);
    LAUNCH(attend<TYPE>, (unsigned)queries * x.heads, THREADS, bytes, 0)(x, cache_of(kv));
}

void cuda_paged_attention(float *y, size_t y_row, const float *q, size_t q_row, PagedKv kv,
                          const int32_t *tables, const PagedQuery *query, int queries, int heads,
                          float scale)
{
    const Question x = {y, y_row, q, q_row, tables, query, heads, scale};
    if (queries > 0 && heads > 0) BY_TYPE(kv.type, launch, x, kv, queries)
}
