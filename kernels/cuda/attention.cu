// attention.cu -- attention's forward: a block for each tile of queries of a head.
#include "kernels/cuda/attention.cuh"

enum { TILE = ATTENTION_TILE, THREADS = ATTENTION_THREADS, QUAD = THREADS / TILE };

// Softmax over the keys so far (Milakov & Gimelshein 2018): the sum of exp(score - max), and by what the sums
// before have to be multiplied, since the maximum has grown.
struct Rows {
    float max[TILE], sum[TILE], shrink[TILE];
};

// Four neighbouring threads have a row of the tile: its scores become exp(score - max).
static __device__ void softmax_tile(Rows &rows, float (*score)[TILE + 1], int first,
                                    int first_query, AttentionShape s)
{
    const int i = threadIdx.x / QUAD, part = threadIdx.x % QUAD;
    const bool is_row = first_query + i < s.queries;
    const int count = is_row ? min(keys_seen(first_query + i, s) - first, (int)TILE) : 0;
    const float before = rows.max[i];
    float most = before;
    for (int j = part; j < count; j += QUAD)
        most = fmaxf(most, score[i][j]);    // NaN is no maximum
    for (int bits = 1; bits < QUAD; bits *= 2)
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, bits));
    const float shift = most == -INFINITY ? 0 : most;
    float sum = 0;
    for (int j = part; j < count; j += QUAD) sum += score[i][j] = expf(score[i][j] - shift);
    for (int bits = 1; bits < QUAD; bits *= 2) sum += __shfl_xor_sync(0xffffffff, sum, bits);
    __syncwarp();    // all have read the maximum before
    if (part > 0) return;
    rows.shrink[i] = most == -INFINITY ? 1 : expf(before - most);
    rows.sum[i] = rows.sum[i] * rows.shrink[i] + sum;
    rows.max[i] = most;
}

static __global__ void __launch_bounds__(THREADS)
    attention(float *y, float *lse, const float *q, const float *k, const float *v,
              AttentionShape s)
{
    __shared__ float score[TILE][TILE + 1];
    __shared__ Rows rows;
    DYNAMIC_SHARED(float, rest);
    const Tile q_tile = tile_take(rest, s.head), k_tile = tile_take(rest, s.head),
               v_tile = tile_take(rest, s.head), out = tile_take(rest, s.head);

    const int tiles = (s.queries + TILE - 1) / TILE, first_query = blockIdx.x % tiles * TILE;
    const int h = blockIdx.x / tiles % s.heads, of_kv = h / (s.heads / s.kv_heads);
    const size_t item = blockIdx.x / tiles / s.heads;
    const int queries = min(s.queries - first_query, (int)TILE);
    const int seen = keys_seen(first_query + queries - 1, s);    // by any of them

    tile_load(q_tile, q + head_at(item, s.queries, first_query, s.q_row, h, s.head), s.q_row,
              queries, s.head);
    tile_clear(out, s.head);
    if (threadIdx.x < TILE) rows.max[threadIdx.x] = -INFINITY, rows.sum[threadIdx.x] = 0;
    for (int first = 0; first < seen; first += TILE) {
        const int keys = min(seen - first, (int)TILE);
        tile_load(k_tile, k + head_at(item, s.keys, first, s.k_row, of_kv, s.head), s.k_row, keys,
                  s.head);
        tile_load(v_tile, v + head_at(item, s.keys, first, s.v_row, of_kv, s.head), s.v_row, keys,
                  s.head);
        __syncthreads();
        for (int e = threadIdx.x; e < queries * TILE; e += THREADS) {
            const int i = e / TILE, j = e % TILE;
            if (first + j < keys_seen(first_query + i, s))
                score[i][j] = s.scale * tile_dot(q_tile, i, k_tile, j, s.head);
        }
        __syncthreads();
        softmax_tile(rows, score, first, first_query, s);
        __syncthreads();
        for (int e = threadIdx.x; e < queries * s.head; e += THREADS) {
            const int i = e / s.head, d = e % s.head;
            const int count = min(keys_seen(first_query + i, s) - first, (int)TILE);
            float sum = out(i, d) * rows.shrink[i];
            for (int j = 0; j < count; j++) sum += score[i][j] * v_tile(j, d);
            out(i, d) = sum;
        }
        __syncthreads();
    }
    __syncthreads();

    y += head_at(item, s.queries, first_query, s.y_row, h, s.head);
    for (int e = threadIdx.x; e < queries * s.head; e += THREADS) {
        const int i = e / s.head, d = e % s.head;
        y[i * s.y_row + d] = rows.sum[i] == 0 ? 0 : out(i, d) / rows.sum[i];
    }
    if (lse && (int)threadIdx.x < queries) {
        const int i = threadIdx.x;
        const float shift = rows.max[i] == -INFINITY ? 0 : rows.max[i];
        lse[(item * s.heads + h) * s.queries + first_query + i] = shift + logf(rows.sum[i]);
    }
}

void cuda_attention(float *y, float *lse, const float *q, const float *k, const float *v,
                    AttentionShape s)
{
    const size_t tiles = ((size_t)s.queries + TILE - 1) / TILE, bytes = tile_bytes(4, s.head);
    const unsigned blocks = (unsigned)(tiles * s.heads * s.batch);
    if (blocks == 0) return;
    allow_shared(attention, bytes);
    LAUNCH(attention, blocks, THREADS, bytes, 0)(y, lse, q, k, v, s);
}
