/* attention_backward.cu -- attention's backward: a block for each tile of queries writes their dq, one for each
 * tile of keys their dk and dv, so that every sum has one writer and an order of its own. Both compute the
 * scores again, from lse:
 *
 *     p = exp(scale q k - lse),    ds = p (dy v - dy y)
 */
#include "kernels/cuda/attention.cuh"
#include "kernels/cuda/each.cuh"

enum { TILE = ATTENTION_TILE, THREADS = ATTENTION_THREADS };

struct Inputs {
    const float *q, *k, *v, *dy, *lse;
    const float *dy_y;    // [batch,heads,queries]
    AttentionShape s;
};

// p and scale ds of a pair of a query and a key that it sees.
struct Gradient {
    float p, ds;
};

static __device__ Gradient gradient_of(float score, float dp, size_t query, Inputs x)
{
    const float p = x.lse[query] == -INFINITY ? 0 : expf(score - x.lse[query]);
    return {p, x.s.scale * p * (dp - x.dy_y[query])};
}

static __device__ void tile_store(float *to, size_t row, Tile tile, int count, int head, float beta)
{
    for (int e = threadIdx.x; e < count * head; e += THREADS) {
        float *out = to + e / head * row + e % head;
        *out = blend(beta, out, tile(e / head, e % head));
    }
}

static __global__ void __launch_bounds__(THREADS) query_gradient(float *dq, float beta, Inputs x)
{
    __shared__ float ds[TILE][TILE + 1];
    DYNAMIC_SHARED(float, rest);
    const AttentionShape s = x.s;
    const Tile q = tile_take(rest, s.head), dy = tile_take(rest, s.head),
               k = tile_take(rest, s.head), v = tile_take(rest, s.head),
               sum = tile_take(rest, s.head);
    const int tiles = (s.queries + TILE - 1) / TILE, first_query = blockIdx.x % tiles * TILE;
    const int h = blockIdx.x / tiles % s.heads, of_kv = h / (s.heads / s.kv_heads);
    const size_t item = blockIdx.x / tiles / s.heads;
    const size_t at_query = (item * s.heads + h) * s.queries + first_query;
    const int queries = min(s.queries - first_query, (int)TILE);
    const int seen = keys_seen(first_query + queries - 1, s);

    tile_load(q, x.q + head_at(item, s.queries, first_query, s.q_row, h, s.head), s.q_row, queries,
              s.head);
    tile_load(dy, x.dy + head_at(item, s.queries, first_query, s.y_row, h, s.head), s.y_row,
              queries, s.head);
    tile_clear(sum, s.head);
    for (int first = 0; first < seen; first += TILE) {
        const int keys = min(seen - first, (int)TILE);
        tile_load(k, x.k + head_at(item, s.keys, first, s.k_row, of_kv, s.head), s.k_row, keys,
                  s.head);
        tile_load(v, x.v + head_at(item, s.keys, first, s.v_row, of_kv, s.head), s.v_row, keys,
                  s.head);
        __syncthreads();
        for (int e = threadIdx.x; e < queries * TILE; e += THREADS) {
            const int i = e / TILE, j = e % TILE;
            if (first + j < keys_seen(first_query + i, s))
                ds[i][j] = gradient_of(s.scale * tile_dot(q, i, k, j, s.head),
                                       tile_dot(dy, i, v, j, s.head), at_query + i, x)
                               .ds;
        }
        __syncthreads();
        for (int e = threadIdx.x; e < queries * s.head; e += THREADS) {
            const int i = e / s.head, d = e % s.head;
            const int count = min(keys_seen(first_query + i, s) - first, (int)TILE);
            float of_tile = 0;
            for (int j = 0; j < count; j++) of_tile += ds[i][j] * k(j, d);
            sum(i, d) += of_tile;
        }
        __syncthreads();
    }
    __syncthreads();
    tile_store(dq + head_at(item, s.queries, first_query, s.q_row, h, s.head), s.q_row, sum,
               queries, s.head, beta);
}

// Over the queries of all heads that share the keys.
static __global__ void __launch_bounds__(THREADS)
    key_gradient(float *dk, float *dv, float beta, Inputs x)
{
    __shared__ float p[TILE][TILE + 1], ds[TILE][TILE + 1];    // by key, then query
    DYNAMIC_SHARED(float, rest);
    const AttentionShape s = x.s;
    const Tile q = tile_take(rest, s.head), dy = tile_take(rest, s.head),
               k = tile_take(rest, s.head), v = tile_take(rest, s.head),
               k_sum = tile_take(rest, s.head), v_sum = tile_take(rest, s.head);
    const int tiles = (s.keys + TILE - 1) / TILE, first = blockIdx.x % tiles * TILE;
    const int of_kv = blockIdx.x / tiles % s.kv_heads, group = s.heads / s.kv_heads;
    const size_t item = blockIdx.x / tiles / s.kv_heads;
    const int keys = min(s.keys - first, (int)TILE);
    const int blind = s.causal ? max(first - (s.keys - s.queries), 0) : 0;    // queries before

    tile_load(k, x.k + head_at(item, s.keys, first, s.k_row, of_kv, s.head), s.k_row, keys, s.head);
    tile_load(v, x.v + head_at(item, s.keys, first, s.v_row, of_kv, s.head), s.v_row, keys, s.head);
    tile_clear(k_sum, s.head);
    tile_clear(v_sum, s.head);
    for (int h = of_kv * group; h < (of_kv + 1) * group; h++)
        for (int from = blind / TILE * TILE; from < s.queries; from += TILE) {
            const int queries = min(s.queries - from, (int)TILE);
            const size_t at_query = (item * s.heads + h) * s.queries + from;
            tile_load(q, x.q + head_at(item, s.queries, from, s.q_row, h, s.head), s.q_row, queries,
                      s.head);
            tile_load(dy, x.dy + head_at(item, s.queries, from, s.y_row, h, s.head), s.y_row,
                      queries, s.head);
            __syncthreads();
            for (int e = threadIdx.x; e < keys * TILE; e += THREADS) {
                const int j = e / TILE, i = e % TILE;
                if (i >= queries || first + j >= keys_seen(from + i, s)) continue;
                const Gradient g = gradient_of(s.scale * tile_dot(q, i, k, j, s.head),
                                               tile_dot(dy, i, v, j, s.head), at_query + i, x);
                p[j][i] = g.p, ds[j][i] = g.ds;
            }
            __syncthreads();
            for (int e = threadIdx.x; e < keys * s.head; e += THREADS) {
                const int j = e / s.head, d = e % s.head;
                float of_k = 0, of_v = 0;
                for (int i = 0; i < queries; i++)
                    if (first + j < keys_seen(from + i, s))
                        of_k += ds[j][i] * q(i, d), of_v += p[j][i] * dy(i, d);
                k_sum(j, d) += of_k, v_sum(j, d) += of_v;
            }
            __syncthreads();
        }
    __syncthreads();
    tile_store(dk + head_at(item, s.keys, first, s.k_row, of_kv, s.head), s.k_row, k_sum, keys,
               s.head, beta);
    tile_store(dv + head_at(item, s.keys, first, s.v_row, of_kv, s.head), s.v_row, v_sum, keys,
               s.head, beta);
}

void cuda_attention_backward(float *dq, float *dk, float *dv, const float *dy, const float *y,
                             const float *lse, const float *q, const float *k, const float *v,
                             float beta, AttentionShape s)
{
    const size_t rows = (size_t)s.batch * s.heads * s.queries;
    float *dy_y = (float *)cuda_workspace((rows + 1) * sizeof *dy_y);
    for_each(rows, [=] __device__(size_t r) {
        const int i = r % s.queries, h = r / s.queries % s.heads;
        const size_t at = head_at(r / s.queries / s.heads, s.queries, i, s.y_row, h, s.head);
        double sum = 0;
        for (int d = 0; d < s.head; d++) sum += (double)dy[at + d] * y[at + d];
        dy_y[r] = (float)sum;
    });

    const Inputs x = {q, k, v, dy, lse, dy_y, s};
    const size_t tiles = ((size_t)s.queries + TILE - 1) / TILE;
    const size_t key_tiles = ((size_t)s.keys + TILE - 1) / TILE;
    const unsigned blocks = (unsigned)(tiles * s.heads * s.batch);
    const unsigned key_blocks = (unsigned)(key_tiles * s.kv_heads * s.batch);
    allow_shared(query_gradient, tile_bytes(5, s.head));
    allow_shared(key_gradient, tile_bytes(6, s.head));
    if (blocks > 0) LAUNCH(query_gradient, blocks, THREADS, tile_bytes(5, s.head), 0)(dq, beta, x);
    if (key_blocks > 0)
        LAUNCH(key_gradient, key_blocks, THREADS, tile_bytes(6, s.head), 0)(dk, dv, beta, x);
}
