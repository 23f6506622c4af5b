// correct.cu -- kernels as they are written for GPUs, in which the checker has to find nothing.
#include "tests/kernels/cuda/expect.cuh"
#include "tests/kernels/cuda/planted.h"

enum { THREADS = 128 };

// ---- inclusive prefix sum (Hillis & Steele 1986), in two buffers

__global__ void scan(int *y, const int *x, int n)
{
    __shared__ int buffer[2][THREADS];
    const int t = threadIdx.x;
    int from = 0;
    buffer[from][t] = t < n ? x[t] : 0;
    __syncthreads();
    for (int by = 1; by < THREADS; by *= 2) {
        buffer[1 - from][t] = buffer[from][t] + (t >= by ? buffer[from][t - by] : 0);
        from = 1 - from;
        __syncthreads();
    }
    if (t < n) y[t] = buffer[from][t];
}

static void prefix_sum()
{
    std::vector<int> x(101);
    for (int i = 0; i < 101; i++) x[i] = i % 7 - 2;
    Device<int> dx(x), y(101);
    LAUNCH(scan, 1, THREADS, 0, 0)(y.at, dx.at, 101);
    const auto got = y.host();
    for (int i = 0, sum = 0; i < 101; i++) EXPECT(got[i] == (sum += x[i]));
}

// ---- a tree that ends within one warp

__global__ void tree(float *y, const float *x)
{
    DYNAMIC_SHARED(float, part);
    const unsigned t = threadIdx.x;
    part[t] = x[t];
    __syncthreads();
    for (unsigned by = THREADS / 2; by > 32; by /= 2) {
        if (t < by) part[t] += part[t + by];
        __syncthreads();
    }
    if (t >= 32) return;    // no barrier follows
    float sum = part[t] + part[t + 32];
    part[t] = sum;
    for (unsigned by = 16; by > 0; by /= 2) {
        __syncwarp();
        const float other = t < by ? part[t + by] : 0;
        __syncwarp();
        part[t] = sum += other;
    }
    if (t == 0) *y = sum;
}

static void tree_reduction()
{
    std::vector<float> x(THREADS);
    float want = 0;
    for (int i = 0; i < THREADS; i++) want += x[i] = (float)(i * i % 31);
    Device<float> dx(x), y(1);
    LAUNCH(tree, 1, THREADS, THREADS * sizeof(float), 0)(y.at, dx.at);
    EXPECT(y.host()[0] == want);
}

// ---- a histogram in shared memory, then in global memory

__global__ void histogram(unsigned *count, const unsigned char *x, int n)
{
    __shared__ unsigned mine[64];
    for (unsigned i = threadIdx.x; i < 64; i += blockDim.x) mine[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&mine[x[i] % 64], 1u);
    __syncthreads();
    for (unsigned i = threadIdx.x; i < 64; i += blockDim.x) atomicAdd(&count[i], mine[i]);
}

static void histograms()
{
    std::vector<unsigned char> x(1001);
    std::vector<unsigned> want(64);
    for (int i = 0; i < 1001; i++) want[(x[i] = (unsigned char)(i * i)) % 64]++;
    Device<unsigned char> dx(x);
    Device<unsigned> count(64);
    LAUNCH(histogram, 5, 96, 0, 0)(count.at, dx.at, 1001);
    EXPECT(count.host() == want);
}

// ---- a stencil with a halo

__global__ void blur(float *y, const float *x, int n)
{
    __shared__ float tile[THREADS + 2];
    const int i = blockIdx.x * THREADS + threadIdx.x, t = threadIdx.x + 1;
    tile[t] = i < n ? x[i] : 0;
    if (threadIdx.x == 0) tile[0] = i > 0 ? x[i - 1] : 0;
    if (threadIdx.x == THREADS - 1) tile[THREADS + 1] = i + 1 < n ? x[i + 1] : 0;
    __syncthreads();
    if (i < n) y[i] = tile[t - 1] + 2 * tile[t] + tile[t + 1];
}

static void stencil()
{
    const int n = 300;
    std::vector<float> x(n);
    for (int i = 0; i < n; i++) x[i] = (float)(i * 5 % 17);
    Device<float> dx(x), y(n);
    LAUNCH(blur, (n + THREADS - 1) / THREADS, THREADS, 0, 0)(y.at, dx.at, n);
    const auto got = y.host();
    for (int i = 0; i < n; i++)
        EXPECT(got[i] == (i > 0 ? x[i - 1] : 0) + 2 * x[i] + (i + 1 < n ? x[i + 1] : 0));
}

// ---- float4 with a tail; in place

__global__ void scale(float *x, float by, int n)
{
    const int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    if (i + 3 < n) {
        float4 v = *reinterpret_cast<float4 *>(&x[i]);
        v.x *= by, v.y *= by, v.z *= by, v.w *= by;
        *reinterpret_cast<float4 *>(&x[i]) = v;
    } else {
        for (int j = i; j < n; j++) x[j] *= by;
    }
}

static void vectorised()
{
    const int n = 1003;
    std::vector<float> x(n);
    for (int i = 0; i < n; i++) x[i] = (float)i;
    Device<float> dx(x);
    LAUNCH(scale, 4, 64, 0, 0)(dx.at, 3, n);
    const auto got = dx.host();
    for (int i = 0; i < n; i++) EXPECT(got[i] == 3.0f * i);
}

// ---- a product of registers: 4 x 4 numbers a thread, tiles in two buffers

enum { SIDE = 32, DEPTH = 8, EACH = 4 };

__global__ void product(float *c, const float *a, const float *b, int k)
{
    __shared__ float at[2][DEPTH][SIDE], bt[2][DEPTH][SIDE];
    const int t = threadIdx.x, x = t % 8 * EACH, y = t / 8 * EACH;    // 64 threads
    const auto load = [&](int buffer, int p) {
        for (int i = t; i < DEPTH * SIDE; i += 64) {
            at[buffer][i % DEPTH][i / DEPTH] = a[i / DEPTH * k + p + i % DEPTH];
            bt[buffer][i / SIDE][i % SIDE] = b[(p + i / SIDE) * SIDE + i % SIDE];
        }
    };
    float sum[EACH][EACH] = {};
    load(0, 0);
    __syncthreads();
    for (int p = 0; p < k; p += DEPTH) {
        const int now = p / DEPTH % 2;
        if (p + DEPTH < k) load(1 - now, p + DEPTH);
        for (int q = 0; q < DEPTH; q++)
            for (int i = 0; i < EACH; i++)
                for (int j = 0; j < EACH; j++) sum[i][j] += at[now][q][y + i] * bt[now][q][x + j];
        __syncthreads();
    }
    for (int i = 0; i < EACH; i++)
        *reinterpret_cast<float4 *>(&c[(y + i) * SIDE + x]) =
            make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
}

static void register_blocked()
{
    const int k = 40;
    std::vector<float> a(SIDE * k), b(k * SIDE);
    for (size_t i = 0; i < a.size(); i++)
        a[i] = (float)(i * 7 % 11) - 5, b[i] = (float)(i * 3 % 13) - 6;
    Device<float> da(a), db(b), c(SIDE * SIDE);
    LAUNCH(product, 1, 64, 0, 0)(c.at, da.at, db.at, k);
    const auto got = c.host();
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            float sum = 0;
            for (int p = 0; p < k; p++) sum += a[i * k + p] * b[p * SIDE + j];
            EXPECT(got[i * SIDE + j] == sum);
        }
}

// ---- lanes that pass work on: one lane of a warp reserves room for all that want it

__global__ void compact(int *y, int *count, const int *x, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % 32;
    const bool wanted = i < n && x[i] % 3 == 0;
    const unsigned who = __ballot_sync(0xffffffff, wanted);
    int at = 0;
    if (lane == 0) at = atomicAdd(count, __popc(who));
    at = __shfl_sync(0xffffffff, at, 0);
    if (wanted) y[at + __popc(who & ((1u << lane) - 1))] = x[i];
}

static void compaction()
{
    const int n = 500;
    std::vector<int> x(n);
    long sum = 0;
    int wanted = 0;
    for (int i = 0; i < n; i++) {
        x[i] = i * 37 % 1009;
        if (x[i] % 3 == 0) sum += x[i], wanted++;
    }
    Device<int> dx(x), y(n), count(1);
    LAUNCH(compact, 4, THREADS, 0, 0)(y.at, count.at, dx.at, n);
    EXPECT(count.host()[0] == wanted);
    for (int number : y.host()) sum -= number;
    EXPECT(sum == 0);
}

// ---- a function with an array of its own, which writes to one of the kernel's

__device__ __noinline__ void sum_into(int *result, int x)
{
    __shared__ int part[THREADS];
    part[threadIdx.x] = x;
    __syncthreads();
    if (threadIdx.x == 0) {
        int sum = 0;
        for (int i = 0; i < THREADS; i++) sum += part[i];
        *result = sum;
    }
    __syncthreads();
}

__global__ void two_sums(int *y)
{
    __shared__ int result[2];
    sum_into(&result[0], threadIdx.x);
    sum_into(&result[1], 2 * threadIdx.x);
    if (threadIdx.x < 2) y[threadIdx.x] = result[threadIdx.x];
}

static void results_by_pointer()
{
    Device<int> y(2);
    LAUNCH(two_sums, 1, THREADS, 0, 0)(y.at);
    EXPECT(y.host()[0] == THREADS * (THREADS - 1) / 2);
    EXPECT(y.host()[1] == THREADS * (THREADS - 1));
}

int kernels_that_fail()
{
    failed = 0;
    prefix_sum();
    tree_reduction();
    histograms();
    stencil();
    vectorised();
    register_blocked();
    compaction();
    results_by_pointer();
    return failed;
}
