/* code_tile.h -- rows of x as whole numbers (ACTIVATIONS_Q8: one term of x, ACTIVATIONS_Q16: two), and a tile of
 * them times a panel of weights.
 *
 * The products of a block are summed exactly, for each term; the sums are scaled and added to y's in the order of
 * the blocks and terms, by operations that are the same in every tile. So y[i,r] does not depend on the tile it
 * is in.
 */
#pragma once
#include "kernels/cpu/code_panel.h"
#ifdef ROW_CODES

#if LANES == 16
enum { TILE_MOST = 6, FEW_MOST = 8 };
// clang-format off
#define EACH_TILE(X, of)                                                        \
    X(of, 1, 1) X(of, 1, 2) X(of, 1, 3) X(of, 1, 4) X(of, 1, 5) X(of, 1, 6)     \
    X(of, 2, 1) X(of, 2, 2) X(of, 2, 3) X(of, 2, 4)
#define EACH_FEW(X, of) EACH_TILE(X, of) X(of, 1, 7) X(of, 1, 8) X(of, 2, 5)
#else
enum { TILE_MOST = 3, FEW_MOST = 3 };
#define EACH_TILE(X, of) X(of, 1, 1) X(of, 1, 2) X(of, 1, 3) X(of, 2, 1) X(of, 2, 2)
#define EACH_FEW         EACH_TILE
// clang-format on
#endif
enum {
    PANELS = 2,            // of a tile: as many sums as there are registers for
    BLOCKS = 16,           // of a panel: with those of x they stay in L1
    BYTES_AHEAD = 3072,    // bytes
};

// Rows of x in a tile or at once. A row needs a register for each term and one for the sum.
static size_t tile_most(int terms)
{
    return TILE_MOST * 2 / (1 + (size_t)terms);
}

static size_t few_most(int terms)
{
    return FEW_MOST * 2 / (1 + (size_t)terms);
}

// A term of 32 numbers of a row of x. A block's terms lie side by side, then a tile's rows, block after block.
typedef struct XBlock {
    int8_t code[ACTIVATION_BLOCK];
    float scale,
        sum;    // sum of its numbers, scale times that of the codes; the first term has that of all
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
    size_t bytes, panels;    // of a block of weights, and what it makes
    CodeKind kind;
    int offset;
} CodeType;

#define NAME_TYPE(type, bytes, panels, kind, offset) [DTYPE_##type] = {bytes, panels, kind, offset},
static const CodeType code_type[DTYPE_COUNT] = {EACH_CODE_TYPE(NAME_TYPE)};

// x becomes what the term leaves over.
static void write_term(XBlock *out, __m256 x[4], float scale, float inverse, CodeType type)
{
    const __m256i one = _mm256_set1_epi8(1);
    __m256i code[4];
    for (int i = 0; i < 4; i++) {
        code[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x[i], _mm256_set1_ps(inverse)));
        x[i] = _mm256_fnmadd_ps(_mm256_set1_ps(scale), _mm256_cvtepi32_ps(code[i]), x[i]);
    }
    const __m256i mixed = _mm256_packs_epi16(_mm256_packs_epi32(code[0], code[1]),
                                             _mm256_packs_epi32(code[2], code[3]));
    const __m256i codes =
        _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)out->code, codes);
    const __m256i sums = _mm256_madd_epi16(_mm256_maddubs_epi16(one, codes), _mm256_set1_epi16(1));
    const __m128i pairs =    // of the first 16, the last 16
        _mm_hadd_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const __m128i of_16 = _mm_hadd_epi32(pairs, pairs);
    const int32_t first = _mm_cvtsi128_si32(of_16), second = _mm_extract_epi32(of_16, 1);
    out->scale = scale;
    out->sum = scale * (float)(first + second);
    out->start[0] = -type.offset * (type.kind == CODES_6 ? first : first + second);
    out->start[1] = -type.offset * second;
}

static void write_block(XBlock *out, const float *x, int terms, CodeType type)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256 part[4];
    __m256i most = _mm256_setzero_si256();    // as integers: a NaN is the largest
    for (int i = 0; i < 4; i++) {
        part[i] = _mm256_loadu_ps(x + 8 * i);
        most = _mm256_max_epi32(most, _mm256_and_si256(_mm256_castps_si256(part[i]), magnitude));
    }
    __m128i of_4 = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    of_4 = _mm_max_epi32(of_4, _mm_shuffle_epi32(of_4, 0x4E));
    of_4 = _mm_max_epi32(of_4, _mm_shuffle_epi32(of_4, 0xB1));
    const float largest = _mm_cvtss_f32(_mm_castsi128_ps(of_4));
    const float scale = activation_scale(isnan(largest) ? INFINITY : largest),
                inverse = activation_inverse(scale);
    write_term(out, part, scale, inverse, type);
    if (terms == 1) return;
    write_term(out + 1, part, scale / ACTIVATION_REST, inverse * ACTIVATION_REST, type);
    out->sum += out[1].sum;
}

INLINED Codes four_codes(const int8_t *x)    // in all lanes
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return CODES(set1_epi32)(word);
}

// sum + w x, four products a lane. Without VNNI they are added in pairs of 16 bits first: `part`, which holds
// the sums of several groups and is added to `sum` with the last.
INLINED void add_products(const CodeKind kind, Codes *sum, Codes *part, Codes w, Codes x,
                          const bool first, const bool last)
{
#ifdef VNNI
    (void)kind, (void)part, (void)first, (void)last;
#if LANES == 16
    *sum = _mm512_dpbusd_epi32(*sum, w, x);
#else
    *sum = _mm256_dpbusd_avx_epi32(*sum, w, x);
#endif
#else
    if (kind == CODES_8) {    // one factor must be without sign
#if LANES == 16
        x = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
#else
        x = _mm256_sign_epi8(x, w);
#endif
        w = CODES(abs_epi8)(w);
    }
    const Codes pairs = CODES(maddubs_epi16)(w, x);
    *part = first ? pairs : CODES(add_epi16)(*part, pairs);
    HELD(*part);
    if (last) {
        *sum = CODES(add_epi32)(*sum, CODES(madd_epi16)(*part, CODES(set1_epi16)(1)));
        HELD(*sum);
    }
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

// The columns of y that belong to panel p.
INLINED size_t panel_cols(size_t cols, size_t p)
{
    return cols > p * LANES ? cols - p * LANES : 0;
}

typedef Vec CodeSums[FEW_MOST][PANELS];

// A block of `rows` rows of x times one of each panel. A number of x is loaded once for all panels.
INLINED void add_block(const CodeKind kind, const int terms, const int rows, const int panels,
                       CodeSums sum, const CodePanel *w, const XBlock *x)
{
    const int count = terms * rows, halves = kind == CODES_6 ? 2 : 1, groups = 8 / halves;
    const int in_part = kind == CODES_8   ? 1
                        : kind == CODES_6 ? 2
                                          : 8;    // groups: 16 bits hold no more
    UNROLL
    for (int half = 0; half < halves; half++) {
        Codes dot[2 * FEW_MOST][PANELS], part[2 * FEW_MOST][PANELS];
        UNROLL
        for (int i = 0; i < count; i++) UNROLL
        for (int p = 0; p < panels; p++) dot[i][p] = CODES(set1_epi32)(x[i].start[half]);
        UNROLL
        for (int g = half * groups; g < (half + 1) * groups; g++) UNROLL
        for (int i = 0; i < count; i++) {
            const Codes four = four_codes(x[i].code + 4 * g);
            UNROLL
            for (int p = 0; p < panels; p++)
                add_products(kind, &dot[i][p], &part[i][p], w[p * BLOCKS].code[g], four,
                             g % in_part == 0, (g + 1) % in_part == 0);
        }
        UNROLL
        for (int i = 0; i < count; i++) UNROLL
        for (int p = 0; p < panels; p++) {
            const CodePanel *panel = w + p * BLOCKS;
            const Vec scale = (half == 0 ? panel->scale : panel->other) * in_all(x[i].scale);
            Vec *to = &sum[i / terms][p];
            *to = fused(codes_to_floats(dot[i][p]), scale, *to);
            if (kind == CODES_4_MIN && i % terms == 0)
                *to = fused(panel->other, in_all(x[i].sum), *to);
        }
    }
}

// y[i,:cols] (+)= x[i] w^T for `rows` rows of x.
typedef void CodeTile(float *y, size_t y_row, const CodePanel *w, const XBlock *x, size_t blocks,
                      size_t cols, bool first);

INLINED void code_tile(const CodeKind kind, const int terms, const int rows, float *y, size_t y_row,
                       const CodePanel *w, const XBlock *x, size_t blocks, size_t cols, bool first)
{
    CodeSums sum;
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (size_t p = 0; p < PANELS; p++) {
        const float *from = y + (size_t)i * y_row + p * LANES;
        sum[i][p] = first ? (Vec){0} : load_some(from, panel_cols(cols, p));
    }
    for (; blocks > 0; blocks--, w++, x += terms * rows)
        add_block(kind, terms, rows, PANELS, sum, w, x);
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (size_t p = 0; p < PANELS; p++)
        store_some(y + (size_t)i * y_row + p * LANES, sum[i][p], panel_cols(cols, p));
}

#define DEFINE_TILE(kind, terms, rows)                                                             \
    static void kind##_tile_##terms##_##rows(float *y, size_t y_row, const CodePanel *w,           \
                                             const XBlock *x, size_t blocks, size_t cols,          \
                                             bool first)                                           \
    {                                                                                              \
        code_tile(kind, terms, rows, y, y_row, w, x, blocks, cols, first);                         \
    }
#define NAME_TILE(kind, terms, rows) [kind][terms - 1][rows - 1] = kind##_tile_##terms##_##rows,
EACH_TILE(DEFINE_TILE, CODES_4)
EACH_TILE(DEFINE_TILE, CODES_4_MIN)
EACH_TILE(DEFINE_TILE, CODES_6)
EACH_TILE(DEFINE_TILE, CODES_8)

// [kind][terms - 1][rows - 1]
// clang-format off
static CodeTile *const code_tiles[CODE_KINDS][2][TILE_MOST] = {
    EACH_TILE(NAME_TILE, CODES_4) EACH_TILE(NAME_TILE, CODES_4_MIN)
    EACH_TILE(NAME_TILE, CODES_6) EACH_TILE(NAME_TILE, CODES_8)
};
// clang-format on

// ---- a few rows of x: what is unpacked meets them at once, without a panel in memory

typedef void CodeFew(float *y, size_t y_row, const uint8_t *const row[LANES], const XBlock *x,
                     size_t blocks, size_t cols, const uint8_t *ahead);

INLINED void code_few(const DType type, const int terms, const int rows, float *y, size_t y_row,
                      const uint8_t *const row[LANES], const XBlock *x, size_t blocks, size_t cols,
                      const uint8_t *ahead)
{
    const size_t bytes = code_type[type].bytes, panels = code_type[type].panels;
    CodeSums sum;
    UNROLL
    for (int i = 0; i < rows; i++) sum[i][0] = (Vec){0};
    for (size_t at = 0; at < blocks / panels * bytes; at += bytes) {
        CodePanel w[8];
        unpack(type, bytes, w, row, at, ahead + LANES * at);
        for (size_t p = 0; p < panels; p++, x += terms * rows)
            add_block(code_type[type].kind, terms, rows, 1, sum, w + p, x);
    }
    UNROLL
    for (int i = 0; i < rows; i++) store_some(y + (size_t)i * y_row, sum[i][0], cols);
}

#define DEFINE_FEW(type, terms, rows)                                                              \
    static void type##_few_##terms##_##rows(float *y, size_t y_row,                                \
                                            const uint8_t *const row[LANES], const XBlock *x,      \
                                            size_t blocks, size_t cols, const uint8_t *ahead)      \
    {                                                                                              \
        code_few(DTYPE_##type, terms, rows, y, y_row, row, x, blocks, cols, ahead);                \
    }
#define NAME_FEW(type, terms, rows)                                                                \
    [DTYPE_##type][terms - 1][rows - 1] = type##_few_##terms##_##rows,
EACH_FEW(DEFINE_FEW, Q8_0)
EACH_FEW(DEFINE_FEW, Q4_0)
EACH_FEW(DEFINE_FEW, Q4_1)
EACH_FEW(DEFINE_FEW, Q4_K)
EACH_FEW(DEFINE_FEW, Q6_K)

// [type][terms - 1][rows - 1]
#define NAME_FEWS(type, bytes, panels, kind, offset) EACH_FEW(NAME_FEW, type)
static CodeFew *const code_fews[DTYPE_COUNT][2][FEW_MOST] = {EACH_CODE_TYPE(NAME_FEWS)};
#endif
