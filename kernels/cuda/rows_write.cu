/* rows_write.cu -- floats to the types that dtype_from_floats writes, a block of numbers for each thread: the same
 * bytes as dtype_quantize.c. So no product and sum may fuse here: times() is rounded.
 */
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/numbers.cuh"

static __device__ float times(float a, float b)
{
    return __fmul_rn(a, b);
}

// 0 also where it overflows: such a d is 0 as a half.
static __device__ float inverse(float d)
{
    return d != 0 && fabsf(1 / d) < INFINITY ? 1 / d : 0;
}

static __device__ float as_half(float value)    // what a half keeps of it
{
    uint8_t half[2];
    put_half(half, value);
    return half_at(half);
}

static __device__ void write_q8_0(uint8_t *out, const float *x)
{
    float largest = 0;
    for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(x[i]));
    const float d = largest / 127, scale = inverse(d);
    put_half(out, d);
    for (int i = 0; i < 32; i++) out[2 + i] = (uint8_t)(int)roundf(times(x[i], scale));
}

// Codes 0 ... 15 in nibbles: of each byte, one of the first 16 numbers below and one of the last above.
static __device__ void put_nibbles(uint8_t *out, const int *code)
{
    for (int i = 0; i < 16; i++) out[i] = (uint8_t)(code[i] | code[i + 16] << 4);
}

static __device__ void write_q4_0(uint8_t *out, const float *x)
{
    float largest = 0;    // with its sign, which gets the code -8
    for (int i = 0; i < 32; i++)
        if (fabsf(x[i]) > fabsf(largest)) largest = x[i];
    const float d = largest / -8, scale = inverse(d);
    int code[32];
    for (int i = 0; i < 32; i++) code[i] = (int)fminf(15, times(x[i], scale) + 8.5f);
    put_half(out, d);
    put_nibbles(out + 2, code);
}

static __device__ void write_q4_1(uint8_t *out, const float *x)
{
    float low = x[0], high = x[0];
    for (int i = 1; i < 32; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
    const float d = (high - low) / 15, scale = inverse(d);
    int code[32];
    for (int i = 0; i < 32; i++) code[i] = (int)fminf(15, times(x[i] - low, scale) + 0.5f);
    put_half(out, d);
    put_half(out + 2, low);
    put_nibbles(out + 4, code);
}

// ---- Q4_K

// Codes of x ~ scale code - least.
static __device__ void encode(int *code, const float *x, float scale, float least)
{
    const float by = inverse(scale);
    for (int i = 0; i < 32; i++) code[i] = (int)fmaxf(0, fminf(15, rintf(times(x[i] + least, by))));
}

struct Fit {
    float scale, least, error;
};

// The scale and least >= 0 for which scale code - least is nearest to x, and how near.
static __device__ Fit fit(const float *x, const int *code)
{
    float sum_x = 0, sum_c = 0, sum_cc = 0, sum_xc = 0;
    for (int i = 0; i < 32; i++) {
        const float c = (float)code[i];
        sum_x += x[i], sum_c += c, sum_cc += times(c, c), sum_xc += times(x[i], c);
    }
    Fit f = {0, 0, 0};
    const float spread = times(32, sum_cc) - times(sum_c, sum_c);
    if (spread > 0) f.scale = (times(32, sum_xc) - times(sum_x, sum_c)) / spread;
    f.least = (times(f.scale, sum_c) - sum_x) / 32;
    if (f.least < 0 || spread <= 0) {
        f.least = 0;
        f.scale = sum_cc > 0 ? sum_xc / sum_cc : 0;
    }
    for (int i = 0; i < 32; i++) {
        const float off = times(f.scale, (float)code[i]) - f.least - x[i];
        f.error += times(off, off);
    }
    return f;
}

// Tries scales around the one that spans x, each refined by least squares.
static __device__ Fit choose_scale(const float *x)
{
    float low = 0, high = x[0];
    for (int i = 0; i < 32; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
    Fit best = {0, -low, INFINITY};
    if (!(high > low)) return best;
    for (int step = -10; step <= 10; step++) {
        Fit tried = {(high - low) / (15 + times(0.1f, (float)step)), -low, 0};
        for (int turn = 0; turn < 2; turn++) {
            int code[32];
            encode(code, x, tried.scale, tried.least);
            tried = fit(x, code);
            if (tried.scale <= 0) break;
            if (tried.error < best.error) best = tried;
        }
    }
    return best;
}

// d and a scale of the minima; 8 scales and 8 minima of 6 bits in 12 bytes; the codes of parts 2 j and
// 2 j + 1 in the halves of 32 bytes.
static __device__ void write_q4_k(uint8_t *out, const float *x)
{
    Fit part[8];
    float most_scale = 0, most_least = 0;
    for (int i = 0; i < 8; i++) {
        part[i] = choose_scale(x + 32 * i);
        most_scale = fmaxf(most_scale, part[i].scale);
        most_least = fmaxf(most_least, part[i].least);
    }
    const float d = as_half(most_scale / 63), m = as_half(most_least / 63);
    put_half(out, d);
    put_half(out + 2, m);
    for (int i = 4; i < 16; i++) out[i] = 0;
    for (int i = 0; i < 8; i++) {
        const int s = (int)fminf(63, rintf(times(part[i].scale, inverse(d))));
        const int l = (int)fminf(63, rintf(times(part[i].least, inverse(m))));
        uint8_t *to = out + 4 + i, *q = out + 16 + i / 2 * 32;
        if (i < 4) {
            to[0] |= (uint8_t)s;
            to[4] |= (uint8_t)l;
        } else {
            to[4] |= (uint8_t)((s & 15) | (l & 15) << 4);
            to[-4] |= (uint8_t)(s >> 4 << 6);
            to[0] |= (uint8_t)(l >> 4 << 6);
        }
        int code[32];
        encode(code, x + 32 * i, times(d, (float)s), times(m, (float)l));
        for (int k = 0; k < 32; k++) q[k] = (uint8_t)(i % 2 ? q[k] | code[k] << 4 : code[k]);
    }
}

template <DType TYPE> struct RowsWrite {
    uint8_t *out;
    const float *x;

    __device__ void operator()(size_t block) const
    {
        constexpr StoredBlock stored = stored_blocks[TYPE];
        uint8_t *to = out + block * stored.bytes;
        const float *from = x + block * stored.numbers;
        if constexpr (TYPE == DTYPE_Q8_0) write_q8_0(to, from);
        else if constexpr (TYPE == DTYPE_Q4_0) write_q4_0(to, from);
        else if constexpr (TYPE == DTYPE_Q4_1) write_q4_1(to, from);
        else if constexpr (TYPE == DTYPE_Q4_K) write_q4_k(to, from);
        else number_write<TYPE>(to, 0, *from);
    }
};

template <DType TYPE> static void write(void *out, const float *x, size_t numbers)
{
    for_each(numbers / stored_blocks[TYPE].numbers, RowsWrite<TYPE>{(uint8_t *)out, x});
}

void cuda_rows_write(void *out, DType type, const float *x, int rows, int cols)
{
    const size_t numbers = (size_t)rows * cols;
    switch (type) {
    case DTYPE_F32: write<DTYPE_F32>(out, x, numbers); break;
    case DTYPE_F16: write<DTYPE_F16>(out, x, numbers); break;
    case DTYPE_BF16: write<DTYPE_BF16>(out, x, numbers); break;
    case DTYPE_F8_E4M3: write<DTYPE_F8_E4M3>(out, x, numbers); break;
    case DTYPE_F8_E5M2: write<DTYPE_F8_E5M2>(out, x, numbers); break;
    case DTYPE_Q8_0: write<DTYPE_Q8_0>(out, x, numbers); break;
    case DTYPE_Q4_0: write<DTYPE_Q4_0>(out, x, numbers); break;
    case DTYPE_Q4_1: write<DTYPE_Q4_1>(out, x, numbers); break;
    case DTYPE_Q4_K: write<DTYPE_Q4_K>(out, x, numbers); break;
    default: break;
    }
}
