// features.cu -- what the emulator's headers compute, held against the host's arithmetic.
#include "tests/kernels/cuda/expect.cuh"
#include "tests/kernels/cuda/planted.h"

// ---- indices

__global__ void numbers_of_threads(unsigned *y)
{
    const unsigned b = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned t = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    const unsigned i = b * blockDim.x * blockDim.y * blockDim.z + t;
    y[i] = i + 1;
}

static void indices()
{
    Device<unsigned> y(2 * 3 * 4 * 5 * 6 * 7);
    LAUNCH(numbers_of_threads, dim3(2, 3, 4), dim3(5, 6, 7), 0, 0)(y.at);
    const auto got = y.host();
    for (size_t i = 0; i < got.size(); i++) EXPECT(got[i] == i + 1);
    LAUNCH(numbers_of_threads, 1, 1025, 0, 0)(y.at);
    EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
    LAUNCH(numbers_of_threads, 0, 32, 0, 0)(y.at);
    EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
    EXPECT(cudaGetLastError() == cudaSuccess);
}

// ---- barriers and votes

__global__ void votes(int *y)
{
    const int t = threadIdx.x;
    const int count = __syncthreads_count(t % 3 == 0), all = __syncthreads_and(t < 70),
              none = __syncthreads_or(t == 70), any = __syncthreads_or(t == 69);
    const int n = blockDim.x;
    y[t] = count;
    y[n + t] = all;
    y[2 * n + t] = none;
    y[3 * n + t] = any;
    y[4 * n + t] = (int)__ballot_sync(0xffffffff, t % 2);
    y[5 * n + t] = __any_sync(0xffffffff, t == 40) + 2 * __all_sync(0xffffffff, t < 32);
    y[6 * n + t] = (int)__match_any_sync(0xffffffff, t % 4);
    int equal;
    const unsigned same = __match_all_sync(0xffffffff, t / 32, &equal);
    y[7 * n + t] = equal && __popc(same) == (t < 64 ? 32 : 6);
}

static void barriers()
{
    const int n = 70;    // two warps and six lanes
    Device<int> y(8 * n);
    LAUNCH(votes, 1, n, 0, 0)(y.at);
    const auto got = y.host();
    for (int t = 0; t < n; t++) {
        const unsigned lanes = t < 64 ? 0xffffffffu : 0x3fu;
        EXPECT(got[t] == 24);
        EXPECT(got[n + t] == 1);
        EXPECT(got[2 * n + t] == 0);
        EXPECT(got[3 * n + t] == 1);
        EXPECT((unsigned)got[4 * n + t] == (0xaaaaaaaau & lanes));
        EXPECT(got[5 * n + t] == (t / 32 == 1) + 2 * (t < 32));
        EXPECT((unsigned)got[6 * n + t] == (0x11111111u << t % 4 & lanes));
    }
}

// ---- shuffles, groups

__global__ void shuffles(float *y)
{
    const int t = threadIdx.x;
    const float x = (float)t;
    y[t] = __shfl_sync(0xffffffff, x, 5);
    y[32 + t] = __shfl_up_sync(0xffffffff, x, 3, 8);
    y[64 + t] = __shfl_down_sync(0xffffffff, x, 3, 8);
    y[96 + t] = __shfl_xor_sync(0xffffffff, x, 17);
    y[128 + t] = t < 10 ? __shfl_sync(0x3ff, x, 9) : -1;
    namespace cg = cooperative_groups;
    const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
    y[160 + t] = cg::reduce(tile, x, cg::plus<float>());
    y[192 + t] = cg::reduce(tile, x, cg::greater<float>()) - cg::reduce(tile, x, cg::less<float>());
    y[224 + t] = tile.shfl(x, 2) + tile.thread_rank();
    y[256 + t] = (float)__shfl_sync(0xffffffff, (double)x + 0.25, 7);
}

static void warps()
{
    Device<float> y(288);
    LAUNCH(shuffles, 1, 32, 0, 0)(y.at);
    const auto got = y.host();
    for (int t = 0; t < 32; t++) {
        EXPECT(got[t] == 5);
        EXPECT(got[32 + t] == (t % 8 < 3 ? t : t - 3));
        EXPECT(got[64 + t] == (t % 8 > 4 ? t : t + 3));
        EXPECT(got[96 + t] == (t ^ 17));
        EXPECT(got[128 + t] == (t < 10 ? 9 : -1));
        EXPECT(got[160 + t] == t / 8 * 64 + 28);
        EXPECT(got[192 + t] == 7);
        EXPECT(got[224 + t] == t / 8 * 8 + 2 + t % 8);
        EXPECT(got[256 + t] == 7.25f);
    }
}

// ---- atomics

__global__ void atomics(float *f, int *i, unsigned *u, unsigned long long *l)
{
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(f, 0.5f);
    atomicAdd(&i[0], t);
    atomicMax(&i[1], t);
    atomicMin(&i[2], -t);
    atomicSub(&i[3], 1);
    atomicExch(&i[4], 7);
    atomicOr(&u[0], 1u << t % 32);
    atomicAnd(&u[1], ~(1u << t % 8));
    atomicXor(&u[2], 1u);
    atomicInc(&u[3], 9u);
    atomicAdd(l, 1ull << 40);
    unsigned long long seen = l[1], before;    // a sum by compare and swap
    do {
        before = seen;
        seen = atomicCAS(&l[1], before, before + t);
    } while (seen != before);
}

static void atomic_operations()
{
    Device<float> f(1);
    Device<int> i(5);
    Device<unsigned> u({0, 0xffffffffu, 0, 0});
    Device<unsigned long long> l(2);
    // No second thread: l[1] is read without an atomic operation, on purpose.
    LAUNCH(atomics, 1, 1, 0, 0)(f.at, i.at, u.at, l.at);
    EXPECT(f.host()[0] == 0.5f);
    EXPECT(u.host()[3] == 1);
    EXPECT(i.host()[3] == -1);
    EXPECT(i.host()[4] == 7);
    EXPECT(u.host()[1] == 0xfffffffeu);
    EXPECT(l.host()[0] == 1ull << 40);
}

__global__ void atomic_sums(float *f, int *i, unsigned *u)
{
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(f, 0.5f);
    atomicAdd(&i[0], t);
    atomicMax(&i[1], t);
    atomicMin(&i[2], -t);
    atomicOr(&u[0], 1u << t % 32);
    atomicInc(&u[1], 9u);
}

static void atomic_sums_of_a_grid()
{
    Device<float> f(1);
    Device<int> i(3);
    Device<unsigned> u(2);
    LAUNCH(atomic_sums, 3, 50, 0, 0)(f.at, i.at, u.at);
    EXPECT(f.host()[0] == 75);
    EXPECT(i.host()[0] == 149 * 75);
    EXPECT(i.host()[1] == 149);
    EXPECT(i.host()[2] == -149);
    EXPECT(u.host()[0] == 0xffffffffu);
    EXPECT(u.host()[1] == 0);    // 150 steps of a counter from 0 to 9
}

// The pattern of CUDA's threadFenceReduction: the last block to come adds what all have written.
__global__ void last_block_adds(float *y, float *part, unsigned *done)
{
    __shared__ bool last;
    if (threadIdx.x == 0) {
        part[blockIdx.x] = (float)blockIdx.x;
        __threadfence();
        last = atomicAdd(done, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        float sum = 0;
        for (unsigned i = 0; i < gridDim.x; i++) sum += part[i];
        *y = sum;
    }
}

static void fences()
{
    Device<float> y(1), part(10);
    Device<unsigned> done(1);
    LAUNCH(last_block_adds, 10, 32, 0, 0)(y.at, part.at, done.at);
    EXPECT(y.host()[0] == 45);
}

// ---- half and bfloat16

__device__ __half from_bits(unsigned short bits, __half)
{
    return __ushort_as_half(bits);
}

__device__ __nv_bfloat16 from_bits(unsigned short bits, __nv_bfloat16)
{
    return __ushort_as_bfloat16(bits);
}

__device__ unsigned short bits_of(__half x)
{
    return __half_as_ushort(x);
}

__device__ unsigned short bits_of(__nv_bfloat16 x)
{
    return __bfloat16_as_ushort(x);
}

// Each of the 65536 numbers to a float and back; and where rounding ends.
template <class T>
__global__ void small_numbers(int *wrong, float largest, float least, float half_a_step)
{
    for (unsigned bits = threadIdx.x; bits < 65536; bits += blockDim.x) {
        const float value = (float)from_bits((unsigned short)bits, T(0.0f));
        const float again = (float)T(value);
        if (value == value ? bits_of(T(value)) != bits : again == again) atomicAdd(&wrong[0], 1);
    }
    if (threadIdx.x > 0) return;
    wrong[1] = (float)T(largest) != largest || (float)T(largest * 1.01f) != INFINITY;
    wrong[2] = (float)T(least) != least || (float)T(least * 0.75f) != least;
    wrong[3] = (float)T(least / 2) != 0 || (float)T(1 + half_a_step) != 1;    // ties, to even
    wrong[4] = (float)T(1 + 3 * half_a_step) != 1 + 4 * half_a_step;
    wrong[5] = (float)T(-1 - 1.5f * half_a_step) != -1 - 2 * half_a_step;
    wrong[6] = (float)__hadd(T(1.5f), T(2.25f)) != 3.75f;
    wrong[7] = (float)__hfma(T(3.0f), T(5.0f), T(-1.0f)) != 14;
}

template <class T> static void numbers_of_16_bits(float largest, float least, float half_a_step)
{
    Device<int> wrong(8);
    LAUNCH(small_numbers<T>, 1, 64, 0, 0)(wrong.at, largest, least, half_a_step);
    for (int w : wrong.host()) EXPECT(w == 0);
}

// ---- tensor cores

template <class T, class LayoutB> __global__ void multiply(float *c, const T *a, const T *b)
{
    using namespace nvcuda;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, T, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, T, LayoutB> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    wmma::fill_fragment(sum, 0.5f);
    wmma::load_matrix_sync(fa, a, 24);
    wmma::load_matrix_sync(fb, b, 16);
    wmma::mma_sync(sum, fa, fb, sum);
    for (int i = 0; i < sum.num_elements; i++) sum.x[i] *= 2;
    wmma::store_matrix_sync(c, sum, 16, wmma::mem_row_major);
}

template <class T, class LayoutB> static void tensor_core(bool columns)
{
    std::vector<T> a(16 * 24), b(16 * 16);
    for (size_t i = 0; i < a.size(); i++) a[i] = T((float)(i % 13) - 6);
    for (size_t i = 0; i < b.size(); i++) b[i] = T((float)(i % 11) - 5);
    Device<T> da(a), db(b);
    Device<float> c(256);
    auto kernel = multiply<T, LayoutB>;
    LAUNCH(kernel, 1, 32, 0, 0)(c.at, da.at, db.at);
    const auto got = c.host();
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            float sum = 0.5f;
            for (int k = 0; k < 16; k++)
                sum += (float)a[i * 24 + k] * (float)b[columns ? j * 16 + k : k * 16 + j];
            EXPECT(got[i * 16 + j] == 2 * sum);
        }
}

// ---- vectors, constant memory, structures in shared memory

__constant__ float weights[4];

struct Three {
    float x, y, z;
};

__global__ void vectors(float4 *y, const float4 *x, const int2 *shift)
{
    __shared__ Three three[32];
    __shared__ float4 tile[32];
    const int t = threadIdx.x;
    const float4 v = __ldg(&x[t]);
    tile[t] = v;
    three[t] = {v.x, v.y, v.z};
    __syncthreads();
    const int2 s = shift[t];
    const Three other = three[(t + s.x) % 32];
    float4 sum = tile[(t + s.y) % 32];
    sum.x += other.x * weights[0];
    sum.y += other.y * weights[1];
    sum.z += other.z * weights[2];
    y[t] = sum;
}

static void vectors_of_numbers()
{
    std::vector<float4> x;
    std::vector<int2> shift;
    for (int i = 0; i < 32; i++) {
        x.push_back(make_float4((float)i, (float)(2 * i), (float)(3 * i), 1));
        shift.push_back(make_int2(1, 3));
    }
    const float host[4] = {1, 10, 100, 1000};
    cudaMemcpyToSymbol(weights, host, sizeof host);
    Device<float4> dx(x), y(32);
    Device<int2> ds(shift);
    LAUNCH(vectors, 1, 32, 0, 0)(y.at, dx.at, ds.at);
    const auto got = y.host();
    for (int i = 0; i < 32; i++) {
        const int one = (i + 1) % 32, three = (i + 3) % 32;
        EXPECT(got[i].x == three + one);
        EXPECT(got[i].y == 2 * three + 20 * one);
        EXPECT(got[i].z == 3 * three + 300 * one);
        EXPECT(got[i].w == 1);
    }
}

__global__ void bits_and_roundings(int *y)
{
    const bool right[] = {
        __clz(1) == 31 && __clz(0) == 32 && __ffs(8) == 4 && __popc(0xf0f) == 8,
        __brev(1) == 0x80000000u && __brev(0xf0u) == 0x0f000000u,
        __dp4a(0x01020304, 0x01010101, 5) == 15 && __dp4a((int)0xff000000, 0x02000000, 0) == -2,
        __float_as_int(1.0f) == 0x3f800000 && __int_as_float(0x40000000) == 2,
        __umulhi(0x80000000u, 6) == 3 && rsqrtf(4) == 0.5f && __fmaf_rn(2, 3, 4) == 10,
        min(3, -2) == -2 && max(1.5f, 2.5f) == 2.5f && __saturatef(-1) == 0,
    };
    for (int i = 0; i < 6; i++) y[i] = right[i];
}

struct Large {
    int number[17];
};

__global__ void structures(int *y, const Large *x)
{
    __shared__ Large all[32];
    const int t = threadIdx.x;
    all[t] = x[t];
    __syncthreads();
    int sum = 0;
    for (int i = 0; i < 17; i++) sum += all[31 - t].number[i] * (i + 1);
    y[t] = sum;
}

static void structures_in_shared_memory()
{
    std::vector<Large> x(32);
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 17; j++) x[i].number[j] = i;
    Device<Large> dx(x);
    Device<int> y(32);
    LAUNCH(structures, 1, 32, 0, 0)(y.at, dx.at);
    const auto got = y.host();
    for (int i = 0; i < 32; i++) EXPECT(got[i] == (31 - i) * 17 * 18 / 2);
}

static void intrinsics()
{
    Device<int> y(6);
    LAUNCH(bits_and_roundings, 1, 1, 0, 0)(y.at);
    for (int right : y.host()) EXPECT(right);
}

int features_that_fail()
{
    failed = 0;
    indices();
    barriers();
    warps();
    atomic_operations();
    atomic_sums_of_a_grid();
    fences();
    numbers_of_16_bits<__half>(65504, 0x1p-24f, 0x1p-11f);
    tensor_core<__half, nvcuda::wmma::row_major>(false);
    tensor_core<__half, nvcuda::wmma::col_major>(true);
#ifndef __CUDACC__    // nvcc has them from sm_80 on
    numbers_of_16_bits<__nv_bfloat16>(0x1.fep127f, 0x1p-133f, 0x1p-8f);
    tensor_core<__nv_bfloat16, nvcuda::wmma::row_major>(false);
#endif
    vectors_of_numbers();
    structures_in_shared_memory();
    intrinsics();
    return failed;
}
