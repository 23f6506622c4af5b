/* Exercises 4 and 5: bits and bytes of stored numbers. check.c says how cases are made. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// Formats as they are published, and what a full super-block takes.
typedef struct Stored {
    const char *name;
    KnFormat format;
    double bits;
    uint64_t numbers, bytes;
} Stored;

static const Stored stored[] = {
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
    {"NF4, scales quantised too", {4, 64, 8, 256, 32}, 4.126953125, 16384, 8452},
    {"NF4", {4, 64, 32, 0, 0}, 4.5, 64, 36},
    // DeepSeek-V3: a float for each tile of 128 x 128.
    {"fp8, tiles of 128 x 128", {8, 16384, 32, 0, 0}, 8.001953125, 16384, 16388},
};
enum { STORED = sizeof stored / sizeof *stored };

// ---- 4: bits ----

static void check_bits(const char *name, KnFormat format, double want)
{
    double each = (double)format.block, super = (double)format.super, bits = (double)format.bits;
    double scale = each > 0 ? (double)format.block_bits / each : 0,
           above = each * super > 0 ? (double)format.super_bits / (each * super) : 0;
    assert_real(
        kn_bits_per_weight(&format), want, .name = name,
        .formula = "bits + block_bits / block + super_bits / (super block)",
        .clues = {
            {.value = bits, .likely = "the scales take room too"},
            {.value = bits + scale, .likely = "the scales of scales take room too: super_bits"},
            {.value = above > 0 ? bits + above : 0, .likely = "each block has block_bits more"},
            {.value = bits + scale + above * each,
             .likely = "a super-block has super blocks, of block numbers each"},
            {.value = bits + scale + above * super,
             .likely = "super_bits are of a whole super-block, not of each block"},
            {.value = bits + (double)(format.block_bits + format.super_bits),
             .likely = "block_bits are of a whole block, not of each number"},
            {.value = bits / 8, .likely = "bits, not bytes"}});
}

static void bits__without_blocks_are_the_numbers_own(void **state)
{
    (void)state;
    check_bits("bf16", (KnFormat){.bits = 16}, 16);
    check_bits("one bit", (KnFormat){.bits = 1}, 1);
    check_bits("4 bits, blocks of nothing", (KnFormat){.bits = 4, .block_bits = 16}, 4);
}

static void bits__of_published_formats_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < STORED; i++) check_bits(stored[i].name, stored[i].format, stored[i].bits);
}

static void bits__of_a_scale_are_shared_by_its_block(void **state)
{
    (void)state;
    for (uint64_t block = 1; block <= 256; block *= 2)
        check_bits("4 bits, and 16 for each block", (KnFormat){4, block, 16, 0, 0},
                   4 + 16 / (double)block);
}

static void bits__of_scales_of_scales_need_blocks(void **state)
{
    (void)state;
    check_bits("3 numbers a block, 5 blocks a super-block", (KnFormat){2, 3, 6, 5, 30}, 2 + 2 + 2);
    check_bits("one block a super-block", (KnFormat){4, 32, 8, 1, 8}, 4.5);
    check_bits("super-blocks without blocks", (KnFormat){.bits = 4, .super = 8, .super_bits = 32},
               4);
}

// ---- 5: bytes ----

static const char bytes_formula[] =
    "numbers, blocks' bits, super-blocks' bits: three arrays, each in whole bytes";

static void check_bytes(const char *name, KnFormat f, uint64_t n, uint64_t want, const char *sum)
{
    char title[96];
    double blocks = (double)parts_of(n, f.block);
    snprintf(title, sizeof title, "%s, n = %llu", name, (unsigned long long)n);
    assert_count(
        kn_format_bytes(&f, n), want, .name = title, .formula = bytes_formula, .sum = sum,
        .clues = {{.off = (double)parts_of(f.block_bits, 8),
                   .likely = "as much as a block's bits: one that is not full has them too"},
                  {.off = (double)parts_of(f.super_bits, 8),
                   .likely = "as much as a super-block's bits: one that is not full has them too"},
                  {.off = blocks * (double)f.block_bits / 8,
                   .likely = "as much as the bits of all blocks"},
                  {.off = 1,
                   .likely = "each of the three arrays is rounded up to whole bytes, by itself"}});
}

static void bytes__of_plain_numbers_are_their_bits(void **state)
{
    (void)state;
    check_bytes("bf16", (KnFormat){.bits = 16}, 1000, 2000, "2 x 1000");
    check_bytes("fp32", (KnFormat){.bits = 32}, 7, 28, "4 x 7");
    check_bytes("4 bits", (KnFormat){.bits = 4}, 8, 4, "4 x 8 / 8");
}

static void bytes__of_no_numbers_are_none(void **state)
{
    (void)state;
    for (int i = 0; i < STORED; i++) check_bytes(stored[i].name, stored[i].format, 0, 0, NULL);
}

static void bytes__of_full_blocks_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < STORED; i++) {
        const Stored *s = &stored[i];
        check_bytes(s->name, s->format, s->numbers, s->bytes, NULL);
        check_bytes(s->name, s->format, 1000 * s->numbers, 1000 * s->bytes, NULL);
    }
}

static void bytes__are_whole_where_bits_do_not_fill_them(void **state)
{
    (void)state;
    check_bytes("4 bits", (KnFormat){.bits = 4}, 3, 2, "12 bits");
    check_bytes("1 bit", (KnFormat){.bits = 1}, 9, 2, "9 bits");
    check_bytes("3 bits", (KnFormat){.bits = 3}, 8, 3, "24 bits");
}

static void bytes__of_a_block_that_is_not_full_hold_its_scale(void **state)
{
    (void)state;
    check_bytes("Q8_0", (KnFormat){8, 32, 16, 0, 0}, 1, 3, "1 + 1 block of 2");
    check_bytes("Q8_0", (KnFormat){8, 32, 16, 0, 0}, 33, 37, "33 + 2 blocks of 2");
    check_bytes("Q4_0", (KnFormat){4, 32, 16, 0, 0}, 80, 46, "40 + 3 blocks of 2");
    check_bytes("NF4, scales quantised too", (KnFormat){4, 64, 8, 256, 32}, 64 * 257, 8489,
                "8224 + 257 + 2 super-blocks of 4");
    check_bytes("Q4_K's shape", (KnFormat){4, 32, 12, 8, 32}, 96, 57,
                "48 + 36 bits of 3 blocks in 5 bytes + 4");
}

static void bytes__are_what_walking_over_the_numbers_counts(void **state)
{
    (void)state;
    for (int i = 0; i < STORED; i++) {
        KnFormat f = stored[i].format;
        uint64_t numbers = 0, blocks = 0, supers = 0;    // in bits
        for (uint64_t n = 1; n <= 700; n++) {
            uint64_t at = n - 1;
            numbers += f.bits;
            if (f.block > 0 && at % f.block == 0) {
                blocks += f.block_bits;
                if (f.super > 0 && at / f.block % f.super == 0) supers += f.super_bits;
            }
            check_bytes(stored[i].name, f, n,
                        (numbers + 7) / 8 + (blocks + 7) / 8 + (supers + 7) / 8, NULL);
        }
    }
}

static void bytes__pass_32_bits(void **state)
{
    (void)state;
    check_bytes("bf16, Llama-3.1-8B", (KnFormat){.bits = 16}, 8030261248, 16060522496, NULL);
    check_bytes("Q4_0, a gigabyte of numbers", (KnFormat){4, 32, 16, 0, 0}, (uint64_t)1 << 40,
                ((uint64_t)1 << 39) + ((uint64_t)1 << 36), "2^39 + 2^35 blocks of 2");
    check_bytes("fp8 in tiles", (KnFormat){8, 16384, 32, 0, 0}, 653908770816, 654068416512,
                "653,908,770,816 + 39,911,424 tiles of 4");
}

const struct CMUnitTest byte_cases[] = {
    cmocka_unit_test(bits__without_blocks_are_the_numbers_own),
    cmocka_unit_test(bits__of_published_formats_are_the_published_ones),
    cmocka_unit_test(bits__of_a_scale_are_shared_by_its_block),
    cmocka_unit_test(bits__of_scales_of_scales_need_blocks),
    cmocka_unit_test(bytes__of_plain_numbers_are_their_bits),
    cmocka_unit_test(bytes__of_no_numbers_are_none),
    cmocka_unit_test(bytes__of_full_blocks_are_the_published_ones),
    cmocka_unit_test(bytes__are_whole_where_bits_do_not_fill_them),
    cmocka_unit_test(bytes__of_a_block_that_is_not_full_hold_its_scale),
    cmocka_unit_test(bytes__are_what_walking_over_the_numbers_counts),
    cmocka_unit_test(bytes__pass_32_bits),
    {0},
};
