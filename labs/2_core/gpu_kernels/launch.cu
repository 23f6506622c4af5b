// launch.cu -- memory of the device and launches. A kernel is looked up when its first thread calls it, so that a
// submission without one of them can be loaded.
#include "labs/2_core/gpu_kernels/launch.h"
#include <dlfcn.h>
#include <vector>
#include "labs/2_core/gpu_kernels/gpu_kernels.h"

// ---- launches ----

#ifdef START    // gpu_times_kernels.cu times each
#elif defined(__CUDACC__)
#define START(kernel, grid, block, ...) kernel<<<grid, block>>>(__VA_ARGS__)
#else
template <class Call> static void start(const char *name, dim3 grid, dim3 block, Call call)
{
    emulator::launch(
        dlsym(RTLD_DEFAULT, name), grid, block, 0,
        [](void *that) { (*static_cast<Call *>(that))(); }, &call);
}
#define START(kernel, grid, block, ...)                                                            \
    (emulator::name_parameters(__VA_ARGS__),                                                       \
     start(#kernel, grid, block, [=] { kernel(__VA_ARGS__); }))
#endif

static unsigned parts(int n, int size)
{
    return (unsigned)((n + size - 1) / size);
}

// ---- memory ----

// An array of the device, copied from the host or left unwritten.
template <class T> class Array
{
    size_t bytes;

  public:
    T *data = nullptr;

    explicit Array(size_t count) : bytes(count * sizeof(T))
    {
        cudaMalloc(&data, bytes);
    }
    Array(const T *host, size_t count) : Array(count)
    {
        cudaMemcpy(data, host, bytes, cudaMemcpyHostToDevice);
    }
    Array(const Array &) = delete;
    Array &operator=(const Array &) = delete;
    ~Array()
    {
        cudaFree(data);
    }
    void get(T *host) const
    {
        cudaMemcpy(host, data, bytes, cudaMemcpyDeviceToHost);
    }
};

static size_t area(int a, int b)
{
    return (size_t)a * (size_t)b;
}

// ---- the kernels ----

void run_vector_add(float *c, const float *a, const float *b, int n, int blocks)
{
    const Array<float> to((size_t)n), x(a, (size_t)n), y(b, (size_t)n);
    float *const out = to.data, *const left = x.data, *const right = y.data;
    START(gk_vector_add, (unsigned)blocks, ADD_THREADS, out, left, right, n);
    to.get(c);
}

void run_transpose(Transposer kind, float *y, const float *x, int rows, int cols)
{
    const Array<float> to(area(rows, cols)), from(x, area(rows, cols));
    float *const out = to.data, *const in = from.data;
    const dim3 block(TILE, ROWS), tiles(parts(cols, TILE), parts(rows, TILE));
    if (kind == TRANSPOSE_NAIVE)
        START(gk_transpose_naive, dim3(parts(cols, TILE), parts(rows, ROWS)), block, out, in, rows,
              cols);
    if (kind == TRANSPOSE_TILED) START(gk_transpose_tiled, tiles, block, out, in, rows, cols);
    if (kind == TRANSPOSE_PADDED) START(gk_transpose_padded, tiles, block, out, in, rows, cols);
    to.get(y);
}

int reduce_tree_blocks(int n)
{
    return (int)parts(n, REDUCE_THREADS);
}

void run_reduce_tree(float *sums, const float *x, int n)
{
    const unsigned blocks = parts(n, REDUCE_THREADS);
    const Array<float> to(blocks), from(x, (size_t)n);
    float *const out = to.data, *const in = from.data;
    START(gk_reduce_tree, blocks, REDUCE_THREADS, out, in, n);
    to.get(sums);
}

void run_reduce_shuffle(float *sums, const float *x, int n, int blocks)
{
    const Array<float> to((size_t)blocks), from(x, (size_t)n);
    float *const out = to.data, *const in = from.data;
    START(gk_reduce_shuffle, (unsigned)blocks, REDUCE_THREADS, out, in, n);
    to.get(sums);
}

void run_block_sum(float *of_x, float *of_y, const float *x, const float *y, int threads)
{
    const size_t n = (size_t)threads;
    const Array<float> a(n), b(n), from(x, n), second(y, n);
    float *const to_x = a.data, *const to_y = b.data, *const in = from.data,
                 *const next = second.data;
    START(gk_block_sum_twice, 1, (unsigned)threads, to_x, to_y, in, next);
    a.get(of_x);
    b.get(of_y);
}

void run_softmax_rows(float *y, const float *x, int rows, int cols)
{
    const Array<float> to(area(rows, cols)), from(x, area(rows, cols));
    float *const out = to.data, *const in = from.data;
    START(gk_softmax_rows, (unsigned)rows, ROW_THREADS, out, in, cols);
    to.get(y);
}

void run_layer_norm(float *y, const float *x, const float *gamma, const float *beta, float eps,
                    int rows, int cols)
{
    const Array<float> to(area(rows, cols)), from(x, area(rows, cols));
    const Array<float> scale(gamma, (size_t)cols), shift(beta, (size_t)cols);
    float *const out = to.data, *const in = from.data, *const g = scale.data, *const s = shift.data;
    START(gk_layer_norm, (unsigned)rows, ROW_THREADS, out, in, g, s, eps, cols);
    to.get(y);
}

static void run_tensor(float *c, const float *a, const float *b, int m, int n, int k)
{
    std::vector<__half> half_a(area(m, k)), half_b(area(k, n));
    for (size_t i = 0; i < half_a.size(); i++) half_a[i] = __float2half(a[i]);
    for (size_t i = 0; i < half_b.size(); i++) half_b[i] = __float2half(b[i]);
    const Array<float> to(area(m, n));
    const Array<__half> x(half_a.data(), area(m, k)), y(half_b.data(), area(k, n));
    float *const out = to.data;
    __half *const left = x.data, *const right = y.data;
    START(gk_matmul_tensor, dim3(parts(n, 2 * FRAGMENT), parts(m, 2 * FRAGMENT)), WARPS * 32, out,
          left, right, m, n, k);
    to.get(c);
}

void run_matmul(Multiplier kind, float *c, const float *a, const float *b, int m, int n, int k)
{
    if (kind == MATMUL_TENSOR) return run_tensor(c, a, b, m, n, k);
    const Array<float> to(area(m, n)), x(a, area(m, k)), y(b, area(k, n));
    float *const out = to.data, *const left = x.data, *const right = y.data;
    const dim3 block(SIDE, SIDE), blocks(parts(n, BLOCKED), parts(m, BLOCKED));
    if (kind == MATMUL_NAIVE)
        START(gk_matmul_naive, dim3(parts(n, TILE), parts(m, ROWS)), dim3(TILE, ROWS), out, left,
              right, m, n, k);
    if (kind == MATMUL_TILED)
        START(gk_matmul_tiled, dim3(parts(n, SIDE), parts(m, SIDE)), block, out, left, right, m, n,
              k);
    if (kind == MATMUL_BLOCKED) START(gk_matmul_blocked, blocks, block, out, left, right, m, n, k);
    if (kind == MATMUL_VECTORIZED)
        START(gk_matmul_vectorized, blocks, block, out, left, right, m, n, k);
    if (kind == MATMUL_WARP_TILED)
        START(gk_matmul_warp_tiled, blocks, WARP_TILES * 32, out, left, right, m, n, k);
    to.get(c);
}

void run_flash_attention(float *out, const float *q, const float *k, const float *v, int heads,
                         int T, int D)
{
    const size_t count = area(heads * T, D);
    const Array<float> to(count), query(q, count), key(k, count), value(v, count);
    float *const y = to.data, *const a = query.data, *const b = key.data, *const c = value.data;
    START(gk_flash_attention, dim3(parts(T, WARPS), (unsigned)heads), WARPS * 32, y, a, b, c, T, D);
    to.get(out);
}

void run_paged_attention(float *out, const float *q, const PagedCache *cache)
{
    const size_t count = area(cache->sequences * cache->heads, cache->D);
    const size_t cached = area(cache->blocks * KV_BLOCK * cache->heads, cache->D);
    const Array<float> to(count), query(q, count), key(cache->keys, cached),
        value(cache->values, cached);
    const Array<int> blocks(cache->table, area(cache->sequences, cache->table_width)),
        tokens(cache->lengths, (size_t)cache->sequences);
    float *const y = to.data, *const a = query.data, *const b = key.data, *const c = value.data;
    int *const table = blocks.data, *const lengths = tokens.data;
    const int width = cache->table_width, D = cache->D;
    START(gk_paged_attention, dim3((unsigned)cache->sequences, (unsigned)cache->heads), WARPS * 32,
          y, a, b, c, table, lengths, width, D);
    to.get(out);
}
