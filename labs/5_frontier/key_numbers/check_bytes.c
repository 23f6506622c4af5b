/* Exercises 4 and 5: bits and bytes of stored numbers. check.c says how cases are made. */
#include <inttypes.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// Formats as they are published, and what a full super-block takes.
typedef struct Published {
    const char *name;
    KnFormat format;
    double bits;
    uint64_t numbers, bytes;
} Published;

static const Published published[] = {
    {"bf16", {.bits = 16}, 16, 1, 2},
    {"fp32", {.bits = 32}, 32, 1, 4},
    // ggml's block structures (ggml-common.h): sizeof(block_q4_0) is 18, and so on.
    {"Q4_0", {4, 32, 16, 0, 0}, 4.5, 32, 18},
    {"Q4_1", {4, 32, 32, 0, 0}, 5, 32, 20},
    {"Q5_0", {5, 32, 16, 0, 0}, 5.5, 32, 22},
    {"Q5_1", {5, 32, 32, 0, 0}, 6, 32, 24},
    {"Q8_0", {8, 32, 16, 0, 0}, 8.5, 32, 34},
    {"Q2_K", {2, 16, 8, 16, 32}, 2.625, 256, 84},
    {"Q3_K", {3, 16, 6, 16, 16}, 3.4375, 256, 110},
    {"Q4_K", {4, 32, 12, 8, 32}, 4.5, 256, 144},
    {"Q5_K", {5, 32, 12, 8, 32}, 5.5, 256, 176},
    {"Q6_K", {6, 16, 8, 16, 16}, 6.5625, 256, 210},
    {"IQ4_XS", {4, 32, 6, 8, 16}, 4.25, 256, 136},
    // Rouhani et al. 2023 (OCP microscaling formats): a scale of 8 bits for 32 numbers.
    {"MXFP4", {4, 32, 8, 0, 0}, 4.25, 32, 17},
    {"MXFP6", {6, 32, 8, 0, 0}, 6.25, 32, 25},
    {"MXFP8", {8, 32, 8, 0, 0}, 8.25, 32, 33},
    // GPTQ: a 16-bit scale and a 4-bit zero for 128 numbers.
    {"GPTQ, groups of 128", {4, 128, 20, 0, 0}, 4.15625, 256, 133},
    // Dettmers et al. 2023: the scales of 64 numbers in 8 bits, 256 of those with a float.
    {"NF4, double quantization", {4, 64, 8, 256, 32}, 4.126953125, 16384, 8452},
    {"NF4", {4, 64, 32, 0, 0}, 4.5, 64, 36},
    // DeepSeek-V3: a float for each tile of 128 x 128.
    {"fp8, tiles of 128 x 128", {8, 16384, 32, 0, 0}, 8.001953125, 16384, 16388},
};
enum { PUBLISHED = sizeof published / sizeof *published };

// ---- 4: bits ----

typedef struct BitsRow {
    const char *name;
    KnFormat format;
    double want;
} BitsRow;

static void check_bits(const char *name, KnFormat format, double want)
{
    double each = (double)format.block, super = (double)format.super, bits = (double)format.bits;
    double scale = each > 0 ? (double)format.block_bits / each : 0,
           above = each * super > 0 ? (double)format.super_bits / (each * super) : 0;
    const Clue clues[] = {
        VALUE(bits, "the scales are stored too"),
        VALUE(bits + scale, "the scales of scales are stored too: super_bits"),
        VALUE(above > 0 ? bits + above : 0, "each block has block_bits more"),
        VALUE(bits + scale + above * each, "a super-block has super blocks, of block numbers each"),
        VALUE(bits + scale + above * super,
              "super_bits are of a whole super-block, not of each block"),
        VALUE(bits + (double)(format.block_bits + format.super_bits),
              "block_bits are of a whole block, not of each number"),
        VALUE(bits / 8, "bits, not bytes"),
        {0}};
    assert_real(kn_bits_per_weight(&format), want, .name = name,
                .formula = "bits + block_bits / block + super_bits / (super block)",
                .clues = clues);
}

static void bits_rows(void **state)
{
    for (const BitsRow *row = *state; row->name != NULL; row++)
        check_bits(row->name, row->format, row->want);
}

static void bits__match_the_published_formats(void **state)
{
    (void)state;
    for (int i = 0; i < PUBLISHED; i++)
        check_bits(published[i].name, published[i].format, published[i].bits);
}

// ---- 5: bytes ----

typedef struct BytesRow {
    const char *name;
    KnFormat format;
    uint64_t n, want;
    const char *sum;
} BytesRow;

static void check_bytes(const char *name, KnFormat f, uint64_t n, uint64_t want, const char *sum)
{
    char title[96];
    double blocks = (double)parts_of(n, f.block);
    snprintf(title, sizeof title, "%s, n = %" PRIu64, name, n);
    const Clue clues[] = {
        OFF(parts_of(f.block_bits, 8), "one block's bits: a block that is not full has them too"),
        OFF(parts_of(f.super_bits, 8), "one super-block's bits: one that is not full has them too"),
        OFF(blocks * (double)f.block_bits / 8, "the bits of all blocks"),
        OFF(1, "each of the three arrays is rounded up to whole bytes, by itself"),
        {0}};
    assert_count(kn_format_bytes(&f, n), want, .name = title, .sum = sum,
                 .formula =
                     "numbers, blocks' bits, super-blocks' bits: three arrays, each in whole bytes",
                 .clues = clues);
}

static void bytes_rows(void **state)
{
    for (const BytesRow *row = *state; row->name != NULL; row++)
        check_bytes(row->name, row->format, row->n, row->want, row->sum);
}

static void bytes__of_zero_numbers_are_zero(void **state)
{
    (void)state;
    for (int i = 0; i < PUBLISHED; i++)
        check_bytes(published[i].name, published[i].format, 0, 0, NULL);
}

static void bytes__of_full_blocks_match_the_published_formats(void **state)
{
    (void)state;
    for (const Published *p = published; p < published + PUBLISHED; p++) {
        check_bytes(p->name, p->format, p->numbers, p->bytes, NULL);
        check_bytes(p->name, p->format, 1000 * p->numbers, 1000 * p->bytes, NULL);
    }
}

static void bytes__match_a_count_number_by_number(void **state)
{
    (void)state;
    for (int i = 0; i < PUBLISHED; i++) {
        KnFormat f = published[i].format;
        uint64_t numbers = 0, blocks = 0, supers = 0;    // in bits
        for (uint64_t n = 1; n <= 700; n++) {
            uint64_t at = n - 1;
            numbers += f.bits;
            if (f.block > 0 && at % f.block == 0) {
                blocks += f.block_bits;
                if (f.super > 0 && at / f.block % f.super == 0) supers += f.super_bits;
            }
            check_bytes(published[i].name, f, n,
                        (numbers + 7) / 8 + (blocks + 7) / 8 + (supers + 7) / 8, NULL);
        }
    }
}

static void bits__are_of_what_the_format_holds_now(void **state)
{
    (void)state;
    KnFormat format = {4, 32, 16, 0, 0}, other = {.bits = 16};
    for (int call = 0; call < 4; call++) {
        if (call == 1) format.block = 64;
        assert_real(kn_bits_per_weight(call == 2 ? &other : &format),
                    call == 2   ? 16
                    : call == 0 ? 4.5
                                : 4.25,
                    .name = "two formats in turns",
                    .formula = "bits + block_bits / block + super_bits / (super block)");
    }
}

static void bytes__are_of_what_the_format_holds_now(void **state)
{
    (void)state;
    KnFormat format = {4, 32, 16, 0, 0}, other = {.bits = 16};
    for (int call = 0; call < 4; call++) {
        if (call == 1) format.block = 64;
        assert_count(kn_format_bytes(call == 2 ? &other : &format, 64),
                     call == 2   ? 128
                     : call == 0 ? 36
                                 : 34,
                     .name = "two formats in turns, n = 64",
                     .formula = "numbers, blocks' bits, super-blocks' bits");
    }
}

// ---- the cases ----

// clang-format off
#define TWO(exponent) ((uint64_t)1 << (exponent))
#define SCALE(block) {"4 bits, and 16 for each " #block, {4, block, 16, 0, 0}, 4 + 16.0 / block}

const struct CMUnitTest byte_cases[] = {
    ROWS(bits__without_blocks_are_the_bit_width, bits_rows, BitsRow,
        {"bf16", {.bits = 16}, 16},
        {"one bit", {.bits = 1}, 1},
        {"4 bits, blocks of nothing", {.bits = 4, .block_bits = 16}, 4}),
    cmocka_unit_test(bits__match_the_published_formats),
    ROWS(bits__of_a_scale_are_shared_by_its_block, bits_rows, BitsRow,
        SCALE(1), SCALE(2), SCALE(4), SCALE(8), SCALE(16), SCALE(32), SCALE(64), SCALE(128),
        SCALE(256)),
    ROWS(bits__of_super_blocks_need_blocks, bits_rows, BitsRow,
        {"3 numbers a block, 5 blocks a super-block", {2, 3, 6, 5, 30}, 2 + 2 + 2},
        {"one block a super-block", {4, 32, 8, 1, 8}, 4.5},
        {"3 numbers a block, 1 bit for each", {2, 3, 1, 0, 0}, 2 + 1 / 3.0},
        {"super-blocks without blocks", {.bits = 4, .super = 8, .super_bits = 32}, 4}),
    ROWS(bits__of_large_blocks_are_a_double, bits_rows, BitsRow,
        {"2^16 blocks of 2^16", {4, 1 << 16, 1 << 16, 1 << 16, (uint64_t)1 << 32}, 4 + 1 + 1},
        {"7 bits a block of 10", {3, 10, 7, 0, 0}, 3.7}),
    cmocka_unit_test(bits__are_of_what_the_format_holds_now),

    ROWS(bytes__without_blocks_are_count_times_bit_width, bytes_rows, BytesRow,
        {"bf16", {.bits = 16}, 1000, 2000, "2 x 1000"},
        {"fp32", {.bits = 32}, 7, 28, "4 x 7"},
        {"4 bits", {.bits = 4}, 8, 4, "4 x 8 / 8"}),
    cmocka_unit_test(bytes__of_zero_numbers_are_zero),
    cmocka_unit_test(bytes__of_full_blocks_match_the_published_formats),
    ROWS(bytes__are_rounded_up, bytes_rows, BytesRow,
        {"4 bits", {.bits = 4}, 3, 2, "12 bits"},
        {"1 bit", {.bits = 1}, 9, 2, "9 bits"},
        {"3 bits", {.bits = 3}, 8, 3, "24 bits"}),
    ROWS(bytes__of_a_partial_block_include_its_scale, bytes_rows, BytesRow,
        {"Q8_0", {8, 32, 16, 0, 0}, 1, 3, "1 + 1 block of 2"},
        {"Q8_0", {8, 32, 16, 0, 0}, 33, 37, "33 + 2 blocks of 2"},
        {"Q4_0", {4, 32, 16, 0, 0}, 80, 46, "40 + 3 blocks of 2"},
        {"NF4, double quantization", {4, 64, 8, 256, 32}, 64 * 257, 8489,
         "8224 + 257 + 2 super-blocks of 4"},
        {"Q4_K's shape", {4, 32, 12, 8, 32}, 96, 57, "48 + 36 bits of 3 blocks in 5 bytes + 4"}),
    cmocka_unit_test(bytes__match_a_count_number_by_number),
    ROWS(bytes__count_in_64_bits, bytes_rows, BytesRow,
        {"bf16, Llama-3.1-8B", {.bits = 16}, 8030261248, 16060522496, NULL},
        {"8 bits, 2^53 + 1 numbers", {.bits = 8}, ((uint64_t)1 << 53) + 1, ((uint64_t)1 << 53) + 1,
         "2^53 + 1"},
        {"Q4_0, 2^40 numbers", {4, 32, 16, 0, 0}, (uint64_t)1 << 40,
         ((uint64_t)1 << 39) + ((uint64_t)1 << 36), "2^39 + 2^35 blocks of 2"},
        {"fp8 in tiles", {8, 16384, 32, 0, 0}, 653908770816, 654068416512,
         "653,908,770,816 + 39,911,424 tiles of 4"}),
    // As many bits as these are more than 2^64.
    ROWS(bytes__do_not_overflow_where_the_bits_do, bytes_rows, BytesRow,
        {"8 bits, 2^61 numbers", {.bits = 8}, TWO(61), TWO(61), "2^61"},
        {"bf16, 2^63 - 1 numbers", {.bits = 16}, TWO(63) - 1, UINT64_MAX - 1, "2 (2^63 - 1)"},
        {"4 bits, 2^63 + 3 numbers", {.bits = 4}, TWO(63) + 3, TWO(62) + 2, "2^62 + 12 bits"},
        {"1 bit, and 8 for each", {1, 1, 8, 0, 0}, TWO(62), TWO(59) + TWO(62),
         "2^62 / 8 + 2^62 blocks of 1"},
        {"1 bit, blocks of 1, super-blocks of 1, of 8 bits", {1, 1, 0, 1, 8}, TWO(62),
         TWO(59) + TWO(62), "2^62 / 8 + 2^62 super-blocks of 1"}),
    cmocka_unit_test(bytes__are_of_what_the_format_holds_now),
    {0},
};
// clang-format on
