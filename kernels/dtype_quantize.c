/* dtype_quantize.c -- floats to blocks of small numbers. Q8_0, Q4_0 and Q4_1 as ggml makes them
 * (src/ggml-quants.c: quantize_row_q8_0_ref ...), byte for byte; Q4_K by a search of our own.
 */
#include "kernels/dtype_quantize.h"
#include <math.h>
#include <string.h>

static void put_half(uint8_t *out, float value)
{
    dtype_from_floats(DTYPE_F16, out, &value, 1);
}

static float as_half(float value)    // what a half keeps of it
{
    uint8_t half[2];
    put_half(half, value);
    dtype_to_floats(DTYPE_F16, &value, half, 1);
    return value;
}

// 0 also where it overflows: such a d is 0 as a half.
static float inverse(float d)
{
    return d != 0 && isfinite(1 / d) ? 1 / d : 0;
}

static void write_q8_0(uint8_t *out, const float *x)
{
    float largest = 0;
    for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(x[i]));
    const float d = largest / 127, scale = inverse(d);
    put_half(out, d);
    for (int i = 0; i < 32; i++) out[2 + i] = (uint8_t)(int)roundf(x[i] * scale);
}

// Codes 0 ... 15 in nibbles: of each byte, one of the first 16 numbers below and one of the last above.
static void put_nibbles(uint8_t *out, const int *code)
{
    for (int i = 0; i < 16; i++) out[i] = (uint8_t)(code[i] | code[i + 16] << 4);
}

static void write_q4_0(uint8_t *out, const float *x)
{
    float largest = 0;    // with its sign, which gets the code -8
    for (int i = 0; i < 32; i++)
        if (fabsf(x[i]) > fabsf(largest)) largest = x[i];
    const float d = largest / -8, scale = inverse(d);
    int code[32];
    for (int i = 0; i < 32; i++) code[i] = (int)fminf(15, x[i] * scale + 8.5f);
    put_half(out, d);
    put_nibbles(out + 2, code);
}

static void write_q4_1(uint8_t *out, const float *x)
{
    float low = x[0], high = x[0];
    for (int i = 1; i < 32; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
    const float d = (high - low) / 15, scale = inverse(d);
    int code[32];
    for (int i = 0; i < 32; i++) code[i] = (int)fminf(15, (x[i] - low) * scale + 0.5f);
    put_half(out, d);
    put_half(out + 2, low);
    put_nibbles(out + 4, code);
}

// ---- Q4_K

// Codes of x ~ scale code - least.
static void encode(int *code, const float *x, float scale, float least)
{
    const float by = inverse(scale);
    for (int i = 0; i < 32; i++) code[i] = (int)fmaxf(0, fminf(15, rintf((x[i] + least) * by)));
}

// The scale and least >= 0 for which scale code - least is nearest to x, and how near.
static float fit(float *scale, float *least, const float *x, const int *code)
{
    float sum_x = 0, sum_c = 0, sum_cc = 0, sum_xc = 0, error = 0;
    for (int i = 0; i < 32; i++) {
        const float c = (float)code[i];
        sum_x += x[i], sum_c += c, sum_cc += c * c, sum_xc += x[i] * c;
    }
    const float spread = 32 * sum_cc - sum_c * sum_c;
    *scale = spread > 0 ? (32 * sum_xc - sum_x * sum_c) / spread : 0;
    *least = (*scale * sum_c - sum_x) / 32;
    if (*least < 0 || spread <= 0) {
        *least = 0;
        *scale = sum_cc > 0 ? sum_xc / sum_cc : 0;
    }
    for (int i = 0; i < 32; i++) {
        const float off = *scale * (float)code[i] - *least - x[i];
        error += off * off;
    }
    return error;
}

// Tries scales around the one that spans x, each refined by least squares.
static void choose_scale(float *scale, float *least, const float *x)
{
    float low = 0, high = x[0], best = INFINITY;
    for (int i = 0; i < 32; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
    *scale = 0, *least = -low;
    if (!(high > low)) return;
    for (int step = -10; step <= 10; step++) {
        float try_scale = (high - low) / (15 + 0.1f * (float)step), try_least = -low;
        for (int turn = 0; turn < 2; turn++) {
            int code[32];
            encode(code, x, try_scale, try_least);
            const float error = fit(&try_scale, &try_least, x, code);
            if (try_scale <= 0) break;
            if (error < best) best = error, *scale = try_scale, *least = try_least;
        }
    }
}

// d and a scale of the minima; 8 scales and 8 minima of 6 bits in 12 bytes; the codes of parts 2 j and
// 2 j + 1 in the halves of 32 bytes.
static void write_q4_k(uint8_t *out, const float *x)
{
    float scale[8], least[8], most_scale = 0, most_least = 0;
    for (int part = 0; part < 8; part++) {
        choose_scale(&scale[part], &least[part], x + 32 * part);
        most_scale = fmaxf(most_scale, scale[part]);
        most_least = fmaxf(most_least, least[part]);
    }
    const float d = as_half(most_scale / 63), m = as_half(most_least / 63);
    put_half(out, d);
    put_half(out + 2, m);
    memset(out + 4, 0, 12);
    for (int part = 0; part < 8; part++) {
        const int s = (int)fminf(63, rintf(scale[part] * inverse(d)));
        const int l = (int)fminf(63, rintf(least[part] * inverse(m)));
        uint8_t *to = out + 4 + part, *q = out + 16 + part / 2 * 32;
        if (part < 4) {
            to[0] |= (uint8_t)s;
            to[4] |= (uint8_t)l;
        } else {
            to[4] |= (uint8_t)((s & 15) | (l & 15) << 4);
            to[-4] |= (uint8_t)(s >> 4 << 6);
            to[0] |= (uint8_t)(l >> 4 << 6);
        }
        int code[32];
        encode(code, x + 32 * part, d * (float)s, m * (float)l);
        for (int i = 0; i < 32; i++) q[i] = (uint8_t)(part % 2 ? q[i] | code[i] << 4 : code[i]);
    }
}

static void (*const write_block[DTYPE_COUNT])(uint8_t *out, const float *x) = {
    [DTYPE_Q8_0] = write_q8_0,
    [DTYPE_Q4_0] = write_q4_0,
    [DTYPE_Q4_1] = write_q4_1,
    [DTYPE_Q4_K] = write_q4_k,
};

bool dtype_quantize(DType type, void *out, const float *in, size_t count)
{
    const DTypeInfo *info = &dtype_info[type];
    if (write_block[type] == NULL) return false;
    for (size_t b = 0; b < count / info->block; b++)
        write_block[type]((uint8_t *)out + b * info->bytes, in + b * info->block);
    return true;
}
