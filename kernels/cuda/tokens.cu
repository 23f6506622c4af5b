// tokens.cu -- what belongs to a token of a sequence: its embedding and its position.
#include "kernels/cuda/each.cuh"

enum { THREADS = 128 };

void cuda_embedding(float *y, const int32_t *id, const float *table, size_t n, int cols)
{
    for_each(n * cols,
             [=] __device__(size_t i) { y[i] = table[(size_t)id[i / cols] * cols + i % cols]; });
}

// A block for each token. The first one with an id adds the gradients of all that have it, in their order.
static __global__ void __launch_bounds__(THREADS)
    embedding_backward(float *dtable, const int32_t *id, const float *dy, size_t n, int cols)
{
    __shared__ bool same[THREADS];
    const size_t first = blockIdx.x;
    const int32_t mine = id[first];
    bool earlier = false;
    for (size_t i = threadIdx.x; i < first; i += THREADS) earlier |= id[i] == mine;
    if (__syncthreads_or(earlier)) return;

    float *row = dtable + (size_t)mine * cols;
    for (size_t from = first; from < n; from += THREADS) {
        same[threadIdx.x] = from + threadIdx.x < n && id[from + threadIdx.x] == mine;
        if (__syncthreads_or(same[threadIdx.x]))
            for (int k = 0; k < THREADS; k++)
                for (int c = threadIdx.x; same[k] && c < cols; c += THREADS)
                    row[c] += dy[(from + k) * cols + c];
        __syncthreads();    // before the next ones are marked
    }
}

void cuda_embedding_backward(float *dtable, const int32_t *id, const float *dy, size_t n, int,
                             int cols)
{
    if (n > 0) LAUNCH(embedding_backward, (unsigned)n, THREADS, 0, 0)(dtable, id, dy, n, cols);
}

// Su et al. 2021, equation 34: each pair is a point in the plane.
void cuda_rope(float *x, const float *cosine, const float *sine, RopeShape s)
{
    const size_t half = s.rotated / 2;
    for_each((size_t)s.rows * s.heads * half, [=] __device__(size_t k) {
        const size_t i = k % half, h = k / half % s.heads, r = k / half / s.heads;
        float *head = x + r * s.row + h * s.head;
        float *a = head + (s.interleaved ? 2 * i : i), *b = a + (s.interleaved ? 1 : half);
        const size_t angle = r % s.period * half + i;
        const float cos = cosine[angle], sin = s.inverse ? -sine[angle] : sine[angle];
        const float from_a = *a, from_b = *b;
        *a = from_a * cos - from_b * sin;
        *b = from_a * sin + from_b * cos;
    });
}
