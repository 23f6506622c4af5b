/* Exercises 6 to 8: the KV cache, and how many requests it fits. check.c says how cases are made. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 6: the KV cache of one token ----

typedef struct KvRow {
    const char *name;
    const KnBlock *block;
    KnFormat format;
    uint64_t want;
    const char *sum;
} KvRow;

static void check_kv(const KvRow *row)
{
    const KnBlock *b = row->block;
    double a = (double)b->heads, k = (double)b->kv_heads, d = (double)b->head_dim;
    double each = (double)row->format.bits / 8;    // bytes of a number, without scales
    uint64_t even = b->width / b->heads;
    bool latent = b->kv_rank > 0;
    const Clue clues[] = {
        TIMES(latent ? 2 : 0.5,
              latent ? "the latent serves as keys and values: one row" : "keys AND values?"),
        TIMES(latent ? 0 : a / k, "there are k key/value heads, not a"),
        OFF((double)b->rope_dim * each, "the key's rotary part is cached next to the latent"),
        OFF((a - 1) * (double)b->rope_dim * each, "all heads share one rotary part of the key"),
        VALUE(a * (double)(b->nope_dim + b->rope_dim + b->value_dim) * each,
              "the latent is cached, not the heads that are projected from it"),
        VALUE(2 * k * (double)even * each, "head_dim taken as h / a? It is a field of its own"),
        VALUE(2 * k * d * each, "the scales are stored too"),
        VALUE(2 * k * d * 2, "16 bits? The cache is stored in the format that is given"),
        OFF(parts_of(row->format.block_bits, 8),
            "two rows, not one: each has a last block of its own"),
        {0}};
    assert_count(kn_kv_bytes(b, &row->format), row->want, .name = row->name, .sum = row->sum,
                 .formula =
                     "2 rows of k d numbers; latent: 1 row of r_kv + d_r; each row in the format",
                 .clues = clues);
}

static void kv_rows(void **state)
{
    for (const KvRow *row = *state; row->name != NULL; row++) check_kv(row);
}

// ---- 7: tokens in pages ----

typedef struct CachedRow {
    uint64_t context, window, page, want;    // all 0 after the last
} CachedRow;

static void check_cached(uint64_t context, uint64_t window, uint64_t page, uint64_t want)
{
    char title[96];
    snprintf(title, sizeof title, "context %" PRIu64 ", window %" PRIu64 ", page %" PRIu64, context,
             window, page);
    uint64_t stay = context < window || window == 0 ? context : window, pages = want / page;
    uint64_t all = parts_of(context, page) * page;
    uint64_t filled = window < context ? parts_of(window, page) * page : 0;
    uint64_t touched = window > 0 ? (parts_of(window - 1, page) + 1) * page : 0;
    const Clue clues[] = {
        VALUE(all, "only the last `window` tokens stay cached"),
        VALUE(filled, "a window may start late in a page: it touches one more than it fills"),
        VALUE(touched, "never more pages than the whole context takes"),
        VALUE(stay % page != 0 ? (double)stay : 0,
              "memory is allocated in whole pages, free slots included"),
        VALUE(pages, "tokens are asked for, not pages"),
        OFF(page, "one page too many or too few"),
        {0}};
    assert_count(kn_cached_tokens(context, window, page), want, .name = title,
                 .formula =
                     "pages x page; at most ceil(context / page) pages, with a window at most "
                     "ceil((window - 1) / page) + 1",
                 .clues = clues);
}

static void cached_rows(void **state)
{
    for (const CachedRow *row = *state; row->page != 0; row++)
        check_cached(row->context, row->window, row->page, row->want);
}

// The most pages that are held at once, as a request grows token by token.
static uint64_t peak_pages(uint64_t context, uint64_t window, uint64_t page)
{
    uint64_t most = 0;
    for (uint64_t now = 1; now <= context; now++) {
        uint64_t oldest = window > 0 && now > window ? now - window : 0;    // still in the window
        uint64_t pages = (now - 1) / page - oldest / page + 1;
        if (pages > most) most = pages;
    }
    return most;
}

static void cached__matches_a_simulation_token_by_token(void **state)
{
    (void)state;
    for (uint64_t context = 0; context <= 40; context++)
        for (uint64_t window = 0; window <= 24; window++)
            for (uint64_t page = 1; page <= 9; page++)
                check_cached(context, window, page, peak_pages(context, window, page) * page);
}

// ---- 8: concurrent requests ----

typedef struct ConcurrencyRow {
    const char *name;
    double memory, utilization, reserved;
    const KnLayerCache *layers;
    int count;
    uint64_t context, page, want;
    const char *sum;
} ConcurrencyRow;

static void check_concurrency(const ConcurrencyRow *row)
{
    double cost = 0, whole = 0, one = 0;    // of a request: without pages; nor windows; nor layers
    double context = (double)row->context;
    for (const KnLayerCache *l = row->layers; l < row->layers + row->count; l++) {
        bool full = l->window == 0 || l->window >= row->context;
        cost += (double)l->layers * (double)l->bytes * (full ? context : (double)l->window);
        whole += (double)l->layers * (double)l->bytes * context;
        one += (double)l->bytes * context;
    }
    double share = row->memory * row->utilization, pool = share - row->reserved,
           free = row->memory - row->reserved;
    const Clue clues[] = {
        VALUE(whole > cost ? floor(pool / whole) : 0,
              "a layer with a sliding window caches only the window"),
        VALUE(floor(pool / cost), "a request takes whole pages"),
        VALUE(one < whole ? floor(pool / one) : 0, "each of the layers has a cache"),
        VALUE(floor(free * row->utilization / cost),
              "utilization is a share of all memory, not of what is free"),
        VALUE(floor(free / cost), "the engine may use only the share `utilization` of the memory"),
        VALUE(floor(share / cost), "weights and work space are in the memory as well"),
        OFF(1, "only whole requests count"),
        {0}};
    assert_count(kn_concurrency(row->memory, row->utilization, row->reserved, row->layers,
                                row->count, row->context, row->page),
                 row->want, .name = row->name, .sum = row->sum,
                 .formula =
                     "(memory utilization - reserved) / sum of layers x bytes x cached tokens, "
                     "rounded down",
                 .clues = clues);
}

static void concurrency_rows(void **state)
{
    for (const ConcurrencyRow *row = *state; row->name != NULL; row++) check_concurrency(row);
}

static void kv__are_of_what_the_block_holds_now(void **state)
{
    (void)state;
    KnBlock block = llama_31_8b, other = deepseek_v3;
    KnFormat format = {.bits = 16};
    for (int call = 0; call < 6; call++) {
        if (call == 1) block.kv_heads = 4;
        if (call == 4) format.bits = 8;
        uint64_t want = call % 3 == 2 ? 1152 : call == 0 ? 4096 : 2048;
        assert_count(kn_kv_bytes(call % 3 == 2 ? &other : &block, &format),
                     call < 4 ? want : want / 2, .name = "two blocks in turns",
                     .formula = "2 rows of k d numbers; latent: 1");
    }
}

static void concurrency__uses_what_the_layers_hold_now(void **state)
{
    (void)state;
    KnLayerCache layers = {1, 10, 0};
    for (int call = 0; call < 3; call++) {
        if (call == 1) layers.bytes = 20;
        if (call == 2) layers.window = 4;
        assert_count(kn_concurrency(1000, 1, 0, &layers, 1, 10, 1),
                     call == 0   ? 10
                     : call == 1 ? 5
                                 : 12,
                     .name = "the same layers with other bytes and windows",
                     .formula = "(memory utilization - reserved) / sum of layers x bytes x tokens");
    }
}

// ---- the cases ----

// clang-format off
static const KnLayerCache llama_8b = {32, 4096, 0}, llama_405b = {126, 4096, 0},
    gpt_oss[] = {{12, 2048, 128}, {12, 2048, 0}},    // every second layer sees 128 tokens
    gemma_27b[] = {{52, 8192, 1024}, {10, 8192, 0}}, // 52 of 62 see 1024; 2 x 16 x 128 numbers each
    byte = {1, 1, 0}, twenty_bytes = {2, 10, 0}, no_bytes = {32, 0, 0};

#define WIDE ((1 << 27) + 1)
#define BF16 {.bits = 16}
#define Q8_0 {8, 32, 16, 0, 0}
#define GROUPED(k) {"h = 96, a = 12, d = 8, k = " #k,     &(KnBlock){.width = 96, .heads = 12, .kv_heads = (k), .head_dim = 8}, BF16, 32 * (k), "2 x k x 8 x 2"}

const struct CMUnitTest cache_cases[] = {
    ROWS(kv__multi_head_stores_two_rows_of_all_heads, kv_rows, KvRow,
        {"GPT-2", &GPT(768, 12), BF16, 3072, "2 x 768 x 2"},
        {"Llama-2-7B", &llama_2_7b, BF16, 16384, "2 x 4096 x 2"}),
    // DeepSeek-AI 2025 gives 516.096 KB for all 126 layers of Llama-3.1-405B.
    ROWS(kv__grouped_query_stores_fewer_heads, kv_rows, KvRow,
        {"Llama-3.1-8B", &llama_31_8b, BF16, 4096, "2 x 8 x 128 x 2"},
        {"Llama-3.1-405B", &llama_31_405b, BF16, 516096 / 126, "2 x 8 x 128 x 2"},
        {"Falcon-7B, k = 1", &falcon_7b, BF16, 256, "2 x 64 x 2"}),
    ROWS(kv__grows_with_each_key_value_head, kv_rows, KvRow,
        GROUPED(1), GROUPED(2), GROUPED(3), GROUPED(4), GROUPED(6), GROUPED(12)),
    ROWS(kv__head_dim_is_independent_of_width, kv_rows, KvRow,
        {"Qwen3-0.6B", &qwen3_06b, BF16, 4096, "2 x 8 x 128 x 2"},
        {"gpt-oss-20b", &gpt_oss_20b, BF16, 2048, "2 x 8 x 64 x 2"}),
    // DeepSeek-AI 2025: 70.272 KB in 61 layers.
    ROWS(kv__latent_stores_one_row_for_all_heads, kv_rows, KvRow,
        {"DeepSeek-V3", &deepseek_v3, BF16, 70272 / 61, "(512 + 64) x 2"},
        {"DeepSeek-V2-Lite", &deepseek_v2_lite, BF16, 1152, "(512 + 64) x 2"}),
    // llama.cpp's cache of Qwen2.5-0.5B: 24 layers, 6.375 KiB a token.
    ROWS(kv__latent_ignores_the_heads, kv_rows, KvRow,
        {"r_kv = 1, d_r = 0", &(KnBlock){.width = 8, .heads = 4, .kv_heads = 4, .head_dim = 2,
         .kv_rank = 1, .nope_dim = 2, .value_dim = 2}, BF16, 2, "1 x 2"}),
    ROWS(kv__quantized_includes_the_scales, kv_rows, KvRow,
        {"Llama-3.1-8B in fp8", &llama_31_8b, {.bits = 8}, 2048, "2 x 1024"},
        {"Llama-3.1-8B in Q8_0", &llama_31_8b, Q8_0, 2176, "2 x 32 blocks of 34"},
        {"Qwen2.5-0.5B in Q8_0", &qwen25_05b, Q8_0, 6528 / 24, "2 x 4 blocks of 34"},
        {"DeepSeek-V3 in Q8_0", &deepseek_v3, Q8_0, 612, "18 blocks of 34"}),
    // 80 numbers: 40 bytes, and 3 blocks' scales of 2. As one row of 160 it would be 90.
    ROWS(kv__keys_and_values_are_separate_rows, kv_rows, KvRow,
        {"k d = 80 in Q4_0",
         &(KnBlock){.width = 320, .heads = 4, .kv_heads = 1, .head_dim = 80}, {4, 32, 16, 0, 0},
         92, "2 x (40 + 3 x 2): two rows, not one of 160"},
        {"k d = 1 in 4 bits",
         &(KnBlock){.width = 320, .heads = 4, .kv_heads = 1, .head_dim = 1}, {.bits = 4},
         2, "2 x 1: two rows"}),
    // 96 numbers are 48 bytes and 3 blocks' scales of 2, 64 are 32 and 2.
    ROWS(kv__a_row_is_stored_as_a_whole, kv_rows, KvRow,
        {"k = 4, d = 24 in Q4_0",
         &(KnBlock){.width = 96, .heads = 4, .kv_heads = 4, .head_dim = 24}, {4, 32, 16, 0, 0},
         108, "2 x (48 + 3 x 2): blocks go on over the heads"},
        {"r_kv = 48, d_r = 16 in Q4_0",
         &(KnBlock){.width = 96, .heads = 4, .kv_rank = 48, .nope_dim = 16, .rope_dim = 16,
         .value_dim = 16}, {4, 32, 16, 0, 0}, 36, "32 + 2 x 2: one row of 64"}),
    ROWS(kv__counts_in_64_bits, kv_rows, KvRow,
        {"k = d = 2^27 + 1, 8 bits", &(KnBlock){.width = 1 << 27, .heads = WIDE, .kv_heads = WIDE,
         .head_dim = WIDE}, {.bits = 8}, ((uint64_t)1 << 55) + (1 << 29) + 2, "2 (2^27 + 1)^2"}),
    cmocka_unit_test(kv__are_of_what_the_block_holds_now),

    ROWS(cached__without_a_window_is_whole_pages, cached_rows, CachedRow,    // vLLM's pages of 16
        {1, 0, 16, 16}, {15, 0, 16, 16}, {16, 0, 16, 16}, {17, 0, 16, 32},
        {4096, 0, 16, 4096}, {131072, 0, 48, 131088}),
    ROWS(cached__with_pages_of_one_is_context_or_window, cached_rows, CachedRow,
        {1000, 0, 1, 1000}, {1000, 128, 1, 128}, {128, 128, 1, 128}, {127, 128, 1, 127},
        {5, 1, 1, 1}),
    ROWS(cached__sliding_window_touches_one_more_page, cached_rows, CachedRow,
        {131072, 128, 16, 144},      // gpt-oss
        {131072, 1024, 16, 1040},    // Gemma-3
        {32768, 4096, 16, 4112}, {32768, 4096, 256, 4352}),    // Mistral-7B-v0.1
    ROWS(cached__window_beyond_the_context_is_the_context, cached_rows, CachedRow,
        {100, 4096, 16, 112}, {4096, 4096, 16, 4096}, {4097, 4096, 16, 4112}, {5, 4, 4, 8}),
    ROWS(cached__small_windows_end_at_a_page, cached_rows, CachedRow,
        {1000, 1, 16, 16}, {1000, 2, 16, 32}, {1000, 16, 16, 32}, {1000, 17, 16, 32},
        {1000, 18, 16, 48}, {1000, 10, 1000, 1000}),
    ROWS(cached__without_context_is_zero, cached_rows, CachedRow,
        {0, 0, 16, 0}, {0, 128, 16, 0}, {0, 1, 1, 0}),
    cmocka_unit_test(cached__matches_a_simulation_token_by_token),
    ROWS(cached__counts_in_64_bits, cached_rows, CachedRow,
        {10000000001, 0, 16, 10000000016}, {10000000001, 5000000000, 16, 5000000016},
        {((uint64_t)1 << 53) + 1, 0, 1, ((uint64_t)1 << 53) + 1}),
    ROWS(cached__of_a_huge_window_or_page_does_not_overflow, cached_rows, CachedRow,
        {1000000, UINT64_MAX, 16, 1000000}, {1000001, UINT64_MAX, 16, 1000016},
        {1000000, UINT64_MAX, 1, 1000000}, {UINT64_MAX, 0, 1, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX, 1, UINT64_MAX}, {100, 0, UINT64_MAX, UINT64_MAX},
        {100, 50, UINT64_MAX, UINT64_MAX}),
    ROWS(cached__are_the_largest_count_where_pages_hold_more, cached_rows, CachedRow,
        {UINT64_MAX, 0, 16, UINT64_MAX}, {UINT64_MAX, UINT64_MAX, 16, UINT64_MAX},
        {UINT64_MAX - 15, 0, 16, UINT64_MAX - 15}, {UINT64_MAX - 30, 0, 16, UINT64_MAX - 15},
        {UINT64_MAX, 100, 16, 128}, {UINT64_MAX, 0, 3, UINT64_MAX},
        {UINT64_MAX, 2, UINT64_MAX / 2 + 2, UINT64_MAX}),

    // Llama-3.1-8B in bf16 and 2 GB of work space, on 80 GB: 72e9 - 18060522496 is left.
    ROWS(concurrency__is_free_memory_over_the_cache_of_a_request, concurrency_rows, ConcurrencyRow,
        {"Llama-3.1-8B, 4096 tokens", 80e9, 0.9, 18060522496, &llama_8b, 1, 4096, 16, 100,
         "53,939,477,504 / (32 x 4096 x 4096) = 100.47"},
        {"Llama-3.1-8B, 131072 tokens", 80e9, 0.9, 18060522496, &llama_8b, 1, 131072, 16, 3,
         "53,939,477,504 / (32 x 4096 x 131072) = 3.14"}),
    // 20 x 16 tokens = 320 bytes
    ROWS(concurrency__counts_whole_requests, concurrency_rows, ConcurrencyRow,
        {"room for 3", 960, 1, 0, &twenty_bytes, 1, 16, 16, 3, "960 / 320"},
        {"one byte less", 959, 1, 0, &twenty_bytes, 1, 16, 16, 2, "959 / 320 = 2.997"},
        {"room for 1", 320, 1, 0, &twenty_bytes, 1, 16, 16, 1, "320 / 320"},
        {"not for 1", 319, 1, 0, &twenty_bytes, 1, 16, 16, 0, "319 / 320 = 0.997"},
        {"room for 3 of a gigabyte", 3e9, 1, 0, &byte, 1, 1000000000, 1, 3, "3e9 / 1e9"},
        {"one byte less", 2999999999, 1, 0, &byte, 1, 1000000000, 1, 2,
         "2,999,999,999 / 1e9 = 2.999999999"},
        {"one byte less, reserved", 3e9, 1, 1, &byte, 1, 1000000000, 1, 2,
         "(3e9 - 1) / 1e9 = 2.999999999"}),
    ROWS(concurrency__takes_utilization_of_all_memory, concurrency_rows, ConcurrencyRow,
        {"half of 100, 40 reserved", 100, 0.5, 40, &byte, 1, 1, 1, 10, "(100 x 0.5 - 40) / 1"}),
    ROWS(concurrency__pays_for_whole_pages, concurrency_rows, ConcurrencyRow,
        {"17 tokens in pages of 16", 1000, 0.5, 180, &byte, 1, 17, 16, 10, "(500 - 180) / 32"}),
    ROWS(concurrency__adds_layers_with_and_without_a_window, concurrency_rows, ConcurrencyRow,
        {"gpt-oss-20b, 131072 tokens", 80e9, 0.9, 20e9, gpt_oss, 2, 131072, 16, 16,
         "52e9 / (24,576 x 131,216) = 16.13"},    // 12 x 2048 (131072 + 144) a request
        {"Gemma-3-27B, 131072 tokens", 80e9, 0.9, 56e9, gemma_27b, 2, 131072, 16, 1,
         "16e9 / (81,920 x 131,072 + 425,984 x 1,040) = 1.43"},
        {"Gemma-3-27B, 8192 tokens", 80e9, 0.9, 56e9, gemma_27b, 2, 8192, 16, 14,
         "16e9 / (81,920 x 8,192 + 425,984 x 1,040) = 14.36"}),
    ROWS(concurrency__is_zero_without_free_memory, concurrency_rows, ConcurrencyRow,
        {"weights larger than the GPU's memory", 24e9, 0.9, 40e9, &llama_8b, 1, 4096, 16, 0,
         "0, since 21.6e9 - 40e9 is below 0"},
        {"weights that fill it", 100, 0.5, 50, &llama_8b, 1, 1, 1, 0, "0 / 131,072"}),
    ROWS(concurrency__is_zero_for_a_request_without_a_cache, concurrency_rows, ConcurrencyRow,
        {"no context", 80e9, 0.9, 0, &llama_8b, 1, 0, 16, 0, NULL},
        {"no layers", 80e9, 0.9, 0, &llama_8b, 0, 4096, 16, 0, NULL},
        {"layers that cache nothing", 80e9, 0.9, 0, &no_bytes, 1, 4096, 16, 0, NULL}),
    // Llama-3.1-405B in fp8 on 8 GPUs of 141 GB: 67,645,734,912 bytes a request of 128k tokens.
    ROWS(concurrency__counts_in_64_bits, concurrency_rows, ConcurrencyRow,
        {"Llama-3.1-405B, 131072 tokens", 8 * 141e9, 0.9, 410e9, &llama_405b, 1, 131072, 16, 8,
         "605.2e9 / (126 x 4096 x 131072) = 8.95"},
        {"one byte a request", 8e9, 1, 0, &byte, 1, 1, 1, 8000000000, NULL},
        {"one byte a request", 16777217, 1, 0, &byte, 1, 1, 1, 16777217, "2^24 + 1"}),
    ROWS(concurrency__is_at_most_the_largest_count, concurrency_rows, ConcurrencyRow,
        {"one byte a request", 0x1p63, 1, 0, &byte, 1, 1, 1, (uint64_t)1 << 63, "2^63"},
        {"one byte a request", 0x1p64, 1, 0, &byte, 1, 1, 1, UINT64_MAX, "2^64"},
        {"one byte a request", 1e300, 1, 0, &byte, 1, 1, 1, UINT64_MAX, "1e300"},
        {"memory without an end", INFINITY, 1, 0, &byte, 1, 1, 1, UINT64_MAX, NULL}),
    cmocka_unit_test(concurrency__uses_what_the_layers_hold_now),
    {0},
};
// clang-format on
