/* code_tile.h -- rows of x as whole numbers (ACTIVATIONS_Q8), and a tile of them times a panel of weights.
 *
 * The products of a block are summed exactly; its sum is scaled and added to y's in the order of the blocks,
 * by operations that are the same in every tile. So y[i,r] does not depend on the tile it is in.
 */
#pragma once
#include "kernels/cpu/code_panel.h"
#ifdef ROW_CODES

enum { TILE_MOST = LANES == 16 ? 8 : 4 };    // rows of x

// 32 numbers of a row of x. A tile's lie side by side, block after block.
typedef struct XBlock {
    int8_t code[ACTIVATION_BLOCK];
    float scale, sum;    // sum of its numbers, scale times that of the codes
    int32_t start
        [2];    // what the weights' offset takes from the sum of products; CODES_6: of each half
} XBlock;

// What the codes of a type are, and so the instructions that multiply them.
typedef enum CodeKind {
    CODES_4,        // 0 ... 15, and one scale
    CODES_4_MIN,    // 0 ... 15, a scale and a minimum
    CODES_6,        // 0 ... 63, and a scale for each 16
    CODES_8,        // bytes, and one scale
    CODE_KINDS
} CodeKind;

typedef struct CodeType {
    CodeKind kind;
    int offset;
} CodeType;

static const CodeType code_type[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = {CODES_8, OFFSET_Q8_0}, [DTYPE_Q4_0] = {CODES_4, 8},
    [DTYPE_Q4_1] = {CODES_4_MIN, 0},       [DTYPE_Q4_K] = {CODES_4_MIN, 0},
    [DTYPE_Q6_K] = {CODES_6, 32},
};

static void write_block(XBlock *out, const float *x, CodeType type)
{
    uint32_t bits[ACTIVATION_BLOCK], most = 0;
    memcpy(bits, x, sizeof bits);
    for (int i = 0; i < ACTIVATION_BLOCK; i++)    // as integers: a NaN is the largest
        most = MAX(most, bits[i] & 0x7FFFFFFF);
    float largest;
    memcpy(&largest, &most, sizeof largest);
    if (most > 0x7F800000) largest = INFINITY;
    const float scale = activation_scale(largest), inverse = activation_inverse(scale);
    int32_t sum[2] = {0};
    for (int i = 0; i < ACTIVATION_BLOCK; i++) {
        const int32_t code = isnan(scale) ? 0 : (int32_t)rintf(x[i] * inverse);
        out->code[i] = (int8_t)code;
        sum[i / 16] += code;
    }
    out->scale = scale;
    out->sum = scale * (float)(sum[0] + sum[1]);
    out->start[0] = -type.offset * (type.kind == CODES_6 ? sum[0] : sum[0] + sum[1]);
    out->start[1] = -type.offset * sum[1];
}

INLINED Codes four_codes(const int8_t *x)    // in all lanes
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return CODES(set1_epi32)(word);
}

// start + the products of `groups` times four codes.
INLINED Codes dot_codes(const CodeKind kind, const int groups, Codes start, const Codes *w,
                        const int8_t *x)
{
#if defined __AVX512VNNI__ && LANES == 16
    (void)kind;
    UNROLL
    for (int g = 0; g < groups; g++)
        start = _mm512_dpbusd_epi32(start, w[g], four_codes(x + 4 * g));
    return start;
#elif defined __AVXVNNI__
    (void)kind;
    UNROLL
    for (int g = 0; g < groups; g++)
        start = _mm256_dpbusd_avx_epi32(start, w[g], four_codes(x + 4 * g));
    return start;
#else
    // Pairs of products fit 16 bits: 8 sums of two codes below 16, 2 below 64, 1 of bytes.
    const int most = kind == CODES_8 ? 1 : kind == CODES_6 ? 2 : 8;
    const Codes one = CODES(set1_epi16)(1);
    UNROLL
    for (int g = 0; g < groups; g += most) {
        Codes sum;
        UNROLL
        for (int k = g; k < g + most; k++) {
            Codes weight = w[k], code = four_codes(x + 4 * k);
            if (kind == CODES_8) {
#if LANES == 16
                code = _mm512_mask_sub_epi8(code, _mm512_movepi8_mask(weight),
                                            _mm512_setzero_si512(), code);
#else
                code = _mm256_sign_epi8(code, weight);
#endif
                weight = CODES(abs_epi8)(weight);
            }
            const Codes pairs = CODES(maddubs_epi16)(weight, code);
            sum = k == g ? pairs : CODES(add_epi16)(sum, pairs);
        }
        start = CODES(add_epi32)(start, CODES(madd_epi16)(sum, one));
    }
    return start;
#endif
}

INLINED Vec fused(Vec a, Vec b, Vec c)    // a b + c, rounded once
{
    return (Vec)CODES(fmadd_ps)(a, b, c);
}

INLINED Vec in_all(float x)
{
    return (Vec)CODES(set1_ps)(x);
}

typedef void CodeTile(float *y, size_t y_row, const CodePanel *w, const XBlock *x, size_t blocks,
                      size_t cols, bool first);

// y[i,:cols] (+)= x[i] w^T for `rows` rows of x.
INLINED void code_tile(const CodeKind kind, const int rows, float *y, size_t y_row,
                       const CodePanel *w, const XBlock *x, size_t blocks, size_t cols, bool first)
{
    Vec sum[TILE_MOST];
    UNROLL
    for (int i = 0; i < rows; i++)
        sum[i] = first ? (Vec){0} : load_some(y + (size_t)i * y_row, cols);
    for (; blocks > 0; blocks--, w++, x += rows) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            const Codes start = CODES(set1_epi32)(x[i].start[0]);
            Vec value;
            if (kind == CODES_6) {
                const Codes second = CODES(set1_epi32)(x[i].start[1]);
                value = w->scale * codes_to_floats(dot_codes(kind, 4, start, w->code, x[i].code));
                value =
                    fused(w->other,
                          codes_to_floats(dot_codes(kind, 4, second, w->code + 4, x[i].code + 16)),
                          value);
            } else {
                value = codes_to_floats(dot_codes(kind, 8, start, w->code, x[i].code));
            }
            // The scales meet first: their product does not depend on what is summed.
            sum[i] = kind == CODES_6 ? fused(value, in_all(x[i].scale), sum[i])
                                     : fused(value, w->scale * in_all(x[i].scale), sum[i]);
            if (kind == CODES_4_MIN) sum[i] = fused(w->other, in_all(x[i].sum), sum[i]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) store_some(y + (size_t)i * y_row, sum[i], cols);
}

#define DEFINE_TILE(kind, rows)                                                                    \
    static void kind##_tile_##rows(float *y, size_t y_row, const CodePanel *w, const XBlock *x,    \
                                   size_t blocks, size_t cols, bool first)                         \
    {                                                                                              \
        code_tile(kind, rows, y, y_row, w, x, blocks, cols, first);                                \
    }
#define NAME_TILE(kind, rows) kind##_tile_##rows,
#if LANES == 16
#define EACH_TILE(X, kind)                                                                         \
    X(kind, 1) X(kind, 2) X(kind, 3) X(kind, 4) X(kind, 5) X(kind, 6) X(kind, 7) X(kind, 8)
#else
#define EACH_TILE(X, kind) X(kind, 1) X(kind, 2) X(kind, 3) X(kind, 4)
#endif
EACH_TILE(DEFINE_TILE, CODES_4)
EACH_TILE(DEFINE_TILE, CODES_4_MIN)
EACH_TILE(DEFINE_TILE, CODES_6)
EACH_TILE(DEFINE_TILE, CODES_8)

static CodeTile *const code_tiles[CODE_KINDS][TILE_MOST] = {
    {EACH_TILE(NAME_TILE, CODES_4)},
    {EACH_TILE(NAME_TILE, CODES_4_MIN)},
    {EACH_TILE(NAME_TILE, CODES_6)},
    {EACH_TILE(NAME_TILE, CODES_8)},
};
#endif
