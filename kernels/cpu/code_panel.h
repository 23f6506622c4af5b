/* code_panel.h -- blocks of weights unpacked for dot products of small integers: LANES rows side by side.
 *
 *     CodePanel panel[16];
 *     panel_of[DTYPE_Q4_1](panel, row, 16, ahead);    // 16 blocks of 32 numbers of each row
 *
 * Lane l holds four codes of row l, so that a product with four codes of x adds to row l alone and no sum
 * ever crosses lanes.
 */
#pragma once
#include <string.h>
#include "kernels/cpu/part.h"

#if LANES >= 8
#define ROW_CODES    // whole numbers are multiplied with these instructions

#if LANES == 16
typedef __m512i Codes;
typedef __m256i Halves;
#define CODES(name) _mm512_##name
#else
typedef __m256i Codes;
typedef __m128i Halves;
#define CODES(name) _mm256_##name
#endif

// Without VNNI a byte of weights keeps its sign, and no code has an offset.
#if defined __AVX512VNNI__ || defined __AVXVNNI__
#define VNNI
enum { OFFSET_Q8_0 = 128 };
#else
enum { OFFSET_Q8_0 = 0 };
#endif

// 32 numbers of each row: scale (code - offset), or scale code + least.
typedef struct CodePanel {
    Codes code[8];    // [g]: numbers 4 g ... 4 g + 3
    Vec scale;
    Vec other;    // least; of Q6_K, which has two scales, that of the last 16
} CodePanel;

INLINED __m128i load_16(const uint8_t *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

// Bytes at ... at + 15 of each row: out[g] has bytes 4 g ... 4 g + 3 of row l in lane l.
INLINED void load_columns(Codes out[4], const uint8_t *const row[LANES], size_t at)
{
    Codes part[4];
    UNROLL
    for (int j = 0; j < 4; j++) {
#if LANES == 16
        part[j] = _mm512_castsi128_si512(load_16(row[j] + at));
        part[j] = _mm512_inserti32x4(part[j], load_16(row[4 + j] + at), 1);
        part[j] = _mm512_inserti32x4(part[j], load_16(row[8 + j] + at), 2);
        part[j] = _mm512_inserti32x4(part[j], load_16(row[12 + j] + at), 3);
#else
        part[j] = _mm256_castsi128_si256(load_16(row[j] + at));
        part[j] = _mm256_inserti128_si256(part[j], load_16(row[4 + j] + at), 1);
#endif
    }
    const Codes a = CODES(unpacklo_epi32)(part[0], part[1]),
                b = CODES(unpacklo_epi32)(part[2], part[3]);
    const Codes c = CODES(unpackhi_epi32)(part[0], part[1]),
                d = CODES(unpackhi_epi32)(part[2], part[3]);
    out[0] = CODES(unpacklo_epi64)(a, b);
    out[1] = CODES(unpackhi_epi64)(a, b);
    out[2] = CODES(unpacklo_epi64)(c, d);
    out[3] = CODES(unpackhi_epi64)(c, d);
}

// Bytes at ... at + 3 of each row, which has 12 more behind them: whole loads cost less than a gather of words.
INLINED Codes load_words(const uint8_t *const row[LANES], size_t at)
{
    Codes columns[4];
    load_columns(columns, row, at);
    return columns[0];
}

INLINED Codes shift_right(Codes x, unsigned bits)
{
    return CODES(srli_epi32)(x, bits);
}

INLINED Codes and_byte(Codes x, char mask)
{
#if LANES == 16
    return _mm512_and_si512(x, _mm512_set1_epi8(mask));
#else
    return _mm256_and_si256(x, _mm256_set1_epi8(mask));
#endif
}

INLINED Codes and_word(Codes x, int mask)
{
#if LANES == 16
    return _mm512_and_si512(x, _mm512_set1_epi32(mask));
#else
    return _mm256_and_si256(x, _mm256_set1_epi32(mask));
#endif
}

INLINED Codes either(Codes x, Codes y)
{
#if LANES == 16
    return _mm512_or_si512(x, y);
#else
    return _mm256_or_si256(x, y);
#endif
}

// The halves in the lower 16 bits of each lane.
INLINED Vec lower_halves(Codes x)
{
#if LANES == 16
    return (Vec)_mm512_cvtph_ps(_mm512_cvtepi32_epi16(x));
#else
    x = and_word(x, 0xFFFF);
    return (Vec)_mm256_cvtph_ps(
        _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
#endif
}

INLINED Vec codes_to_floats(Codes x)
{
    return (Vec)CODES(cvtepi32_ps)(x);
}

INLINED void split_nibbles(Codes low[4], Codes high[4], const Codes both[4])
{
    UNROLL
    for (int g = 0; g < 4; g++) {
        low[g] = and_byte(both[g], 15);
        high[g] = and_byte(shift_right(both[g], 4), 15);
    }
}

// ---- by type: the rows' bytes from `at` on are unpacked, and as many of all rows are asked for at `ahead`

INLINED void ask_for(const uint8_t *ahead, const size_t bytes)
{
    UNROLL
    for (size_t at = 0; at < LANES * bytes; at += 64) __builtin_prefetch(ahead + at, 0, 3);
}

INLINED void unpack_32(const DType type, const size_t bytes, CodePanel *out,
                       const uint8_t *const row[LANES], size_t at, const uint8_t *ahead)
{
    Codes codes[4];
    const Codes scale = load_words(row, at);
    ask_for(ahead, bytes);
    out->scale = lower_halves(scale);
    if (type == DTYPE_Q8_0) {
        load_columns(out->code, row, at + 2);
        load_columns(out->code + 4, row, at + 18);
#ifdef VNNI
        UNROLL
        for (int g = 0; g < 8; g++) out->code[g] ^= CODES(set1_epi8)((char)0x80);
#endif
    } else {
        if (type == DTYPE_Q4_1) out->other = lower_halves(shift_right(scale, 16));
        load_columns(codes, row, at + bytes - 16);
        split_nibbles(out->code, out->code + 4, codes);
    }
}

INLINED void unpack_q4_k(CodePanel *out, const uint8_t *const row[LANES], size_t at,
                         const uint8_t *ahead)
{
    Codes head[4];    // d and a scale of the minima; 12 bytes of scales and minima
    load_columns(head, row, at);
    const Vec d = lower_halves(head[0]), m = lower_halves(shift_right(head[0], 16));
    UNROLL
    for (int part = 0; part < 8; part++) {
        const unsigned shift = 8 * ((unsigned)part % 4);
        Codes scale, least;
        if (part < 4) {
            scale = and_word(shift_right(head[1], shift), 63);
            least = and_word(shift_right(head[2], shift), 63);
        } else {
            scale = either(and_word(shift_right(head[3], shift), 15),
                           and_word(shift_right(head[1], shift + 2), 48));
            least = either(and_word(shift_right(head[3], shift + 4), 15),
                           and_word(shift_right(head[2], shift + 2), 48));
        }
        out[part].scale = d * codes_to_floats(scale);
        out[part].other = -m * codes_to_floats(least);
    }
    for (size_t pair = 0; pair < 4; pair++)
        for (int half = 0; half < 2; half++, ahead += LANES * 18) {
            Codes codes[4];
            ask_for(ahead, 18);
            load_columns(codes, row, at + 16 + 32 * pair + 16 * (size_t)half);
            split_nibbles(out[2 * pair].code + 4 * half, out[2 * pair + 1].code + 4 * half, codes);
        }
}

INLINED void unpack_q6_k(CodePanel *out, const uint8_t *const row[LANES], size_t at,
                         const uint8_t *ahead)
{
    Codes scales[4], last[4];
    load_columns(scales, row, at + 192);
    load_columns(last, row, at + 194);
    const Vec d = lower_halves(shift_right(last[3], 16));
    for (size_t half = 0; half < 4;
         half++, ahead += LANES * 52) {    // 16 numbers of each of 4 parts of 128
        Codes low[2][4], high[4];
        const size_t of_128 = half / 2, of_32 = half % 2;
        CodePanel *to = out + 4 * of_128;
        ask_for(ahead, 52);
        load_columns(low[0], row, at + 64 * of_128 + 16 * of_32);
        load_columns(low[1], row, at + 64 * of_128 + 32 + 16 * of_32);
        load_columns(high, row, at + 128 + 32 * of_128 + 16 * of_32);
        UNROLL
        for (int part = 0; part < 4; part++) {
            UNROLL
            for (int g = 0; g < 4; g++) {
                const Codes upper = and_byte(shift_right(high[g], 2 * (unsigned)part), 3);
                const Codes lower = and_byte(shift_right(low[part % 2][g], part / 2 * 4), 15);
                to[part].code[4 * of_32 + (size_t)g] = either(lower, CODES(slli_epi32)(upper, 4));
            }
            const size_t which = 8 * of_128 + 2 * (size_t)part + of_32;
            const Codes left = CODES(slli_epi32)(scales[which / 4], 24 - 8 * (which % 4));
            const Vec scale = d * codes_to_floats(CODES(srai_epi32)(left, 24));
            if (of_32 == 0) to[part].scale = scale;
            else to[part].other = scale;
        }
    }
}

// X(type, bytes of a block, panels that it makes, kind, offset)
#define EACH_CODE_TYPE(X)                                                                          \
    X(Q8_0, 34, 1, CODES_8, OFFSET_Q8_0)                                                           \
    X(Q4_0, 18, 1, CODES_4, 8)                                                                     \
    X(Q4_1, 20, 1, CODES_4_MIN, 0)                                                                 \
    X(Q4_K, 144, 8, CODES_4_MIN, 0)                                                                \
    X(Q6_K, 210, 8, CODES_6, 32)

INLINED void unpack(const DType type, const size_t bytes, CodePanel *out,
                    const uint8_t *const row[LANES], size_t at, const uint8_t *ahead)
{
    if (type == DTYPE_Q4_K) unpack_q4_k(out, row, at, ahead);
    else if (type == DTYPE_Q6_K) unpack_q6_k(out, row, at, ahead);
    else unpack_32(type, bytes, out, row, at, ahead);
}

// `blocks` of 32 numbers, whole blocks of the type.
typedef void ToPanel(CodePanel *out, const uint8_t *const row[LANES], size_t blocks,
                     const uint8_t *ahead);

#define DEFINE_TO_PANEL(type, bytes, panels, kind, offset)                                         \
    static void panel_of_##type(CodePanel *out, const uint8_t *const row[LANES], size_t blocks,    \
                                const uint8_t *ahead)                                              \
    {                                                                                              \
        for (size_t at = 0; at < blocks / panels * bytes; at += bytes, out += panels)              \
            unpack(DTYPE_##type, bytes, out, row, at, ahead + LANES * at);                         \
    }
EACH_CODE_TYPE(DEFINE_TO_PANEL)

#define NAME_TO_PANEL(type, bytes, panels, kind, offset) [DTYPE_##type] = panel_of_##type,
static ToPanel *const panel_of[DTYPE_COUNT] = {EACH_CODE_TYPE(NAME_TO_PANEL)};
#endif
