/* Exercises 6 to 8: what a request keeps, and how many fit on a card. check.c says how cases are made. */
#include <math.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 6: the cache of one token ----

static void check_kv(const char *name, KnBlock block, KnFormat format, uint64_t want,
                     const char *sum)
{
    double a = (double)block.heads, k = (double)block.kv_heads, d = (double)block.head_dim;
    double each = (double)format.bits / 8;    // bytes of a number, without scales
    uint64_t even = block.width / block.heads;
    bool latent = block.kv_rank > 0;
    assert_count(
        kn_kv_bytes(&block, &format), want, .name = name, .sum = sum,
        .formula = "2 rows of k d numbers; latent: 1 row of r_kv + d_r; each row in the format",
        .clues = {{.times = latent ? 2 : 0.5,
                   .likely = latent ? "the latent serves as keys and values: one row"
                                    : "keys AND values?"},
                  {.times = latent ? 0 : a / k, .likely = "there are k heads of them, not a"},
                  {.off = (double)block.rope_dim * each,
                   .likely = "beside the latent stands the key's part with a position"},
                  {.off = (a - 1) * (double)block.rope_dim * each,
                   .likely = "one part with a position serves all heads"},
                  {.value = a * (double)(block.nope_dim + block.rope_dim + block.value_dim) * each,
                   .likely = "the latent is cached, not what comes up from it"},
                  {.value = 2 * k * (double)even * each,
                   .likely = "is the head's size h / a? It is head_dim, as given"},
                  {.value = 2 * k * d * each, .likely = "the scales take room too"},
                  {.value = 2 * k * d * 2,
                   .likely = "16 bits? The cache is stored in the format that is given"},
                  {.off = (double)parts_of(format.block_bits, 8),
                   .likely = "two rows, not one: each has a last block of its own"}});
}

static const KnFormat bf16 = {.bits = 16}, fp8 = {.bits = 8}, q8_0 = {8, 32, 16, 0, 0},
                      q4_0 = {4, 32, 16, 0, 0};

static void kv__of_full_attention_are_two_rows_of_all_heads(void **state)
{
    (void)state;
    check_kv("GPT-2", gpt_of(768, 12), bf16, 3072, "2 x 768 x 2");
    check_kv("Llama-2-7B", llama_2_7b, bf16, 16384, "2 x 4096 x 2");
}

static void kv__of_grouped_heads_are_fewer(void **state)
{
    (void)state;
    check_kv("Llama-3.1-8B", llama_31_8b, bf16, 4096, "2 x 8 x 128 x 2");
    // DeepSeek-AI 2025 gives 516.096 KB for all 126 layers.
    check_kv("Llama-3.1-405B", llama_31_405b, bf16, 516096 / 126, "2 x 8 x 128 x 2");
    check_kv("Falcon-7B, k = 1", falcon_7b, bf16, 256, "2 x 64 x 2");
}

static void kv__grow_evenly_from_one_key_head_to_all(void **state)
{
    (void)state;
    for (uint64_t k = 1; k <= 12; k++) {
        if (12 % k != 0) continue;
        KnBlock block = {.width = 96, .heads = 12, .kv_heads = k, .head_dim = 8};
        check_kv("h = 96, a = 12, d = 8", block, bf16, 32 * k, "2 x k x 8 x 2");
    }
}

static void kv__take_the_size_of_a_head_as_it_is_given(void **state)
{
    (void)state;
    check_kv("Qwen3-0.6B", qwen3_06b, bf16, 4096, "2 x 8 x 128 x 2");
    check_kv("gpt-oss-20b", gpt_oss_20b, bf16, 2048, "2 x 8 x 64 x 2");
}

static void kv__of_a_latent_are_one_row_for_all_heads(void **state)
{
    (void)state;
    // DeepSeek-AI 2025: 70.272 KB in 61 layers.
    check_kv("DeepSeek-V3", deepseek_v3, bf16, 70272 / 61, "(512 + 64) x 2");
    check_kv("DeepSeek-V2-Lite", deepseek_v2_lite, bf16, 1152, "(512 + 64) x 2");
}

static void kv__in_a_block_format_have_their_scales(void **state)
{
    (void)state;
    check_kv("Llama-3.1-8B in fp8", llama_31_8b, fp8, 2048, "2 x 1024");
    check_kv("Llama-3.1-8B in Q8_0", llama_31_8b, q8_0, 2176, "2 x 32 blocks of 34");
    // llama.cpp's cache of Qwen2.5-0.5B: 24 layers, 6.375 KiB a token.
    check_kv("Qwen2.5-0.5B in Q8_0", qwen25_05b, q8_0, 6528 / 24, "2 x 4 blocks of 34");
    check_kv("DeepSeek-V3 in Q8_0", deepseek_v3, q8_0, 612, "18 blocks of 34");
}

static void kv__are_stored_row_by_row(void **state)
{
    (void)state;
    // 80 numbers: 40 bytes, and 3 blocks' scales of 2. As one row of 160 it would be 90.
    KnBlock block = {.width = 320, .heads = 4, .kv_heads = 1, .head_dim = 80};
    check_kv("k d = 80 in Q4_0", block, q4_0, 92, "2 x (40 + 3 x 2): two rows, not one of 160");
    block.head_dim = 1;
    check_kv("k d = 1 in 4 bits", block, (KnFormat){.bits = 4}, 2, "2 x 1: two rows");
}

// ---- 7: tokens in pages ----

static void check_cached(uint64_t context, uint64_t window, uint64_t page, uint64_t want)
{
    char title[96];
    snprintf(title, sizeof title, "context %llu, window %llu, page %llu",
             (unsigned long long)context, (unsigned long long)window, (unsigned long long)page);
    uint64_t stay = context < window || window == 0 ? context : window, pages = want / page;
    uint64_t all = parts_of(context, page) * page;
    uint64_t filled = window < context ? parts_of(window, page) * page : 0;
    uint64_t touched = window > 0 ? (parts_of(window - 1, page) + 1) * page : 0;
    assert_count(
        kn_cached_tokens(context, window, page), want, .name = title,
        .formula = "pages x page; at most ceil(context / page) pages, with a window at most "
                   "ceil((window - 1) / page) + 1",
        .clues = {{.value = (double)all, .likely = "only the last `window` tokens stay"},
                  {.value = (double)filled,
                   .likely = "a window that begins late in a page touches one more than it fills"},
                  {.value = (double)touched, .likely = "never more pages than all tokens take"},
                  {.value = stay % page != 0 ? (double)stay : 0,
                   .likely = "tokens stand in whole pages, with free places"},
                  {.value = (double)pages, .likely = "tokens that there is room for, not pages"},
                  {.off = (double)page, .likely = "one page too many or too few"}});
}

static void cached__without_a_window_are_whole_pages(void **state)
{
    (void)state;
    // vLLM's pages of 16.
    check_cached(1, 0, 16, 16);
    check_cached(15, 0, 16, 16);
    check_cached(16, 0, 16, 16);
    check_cached(17, 0, 16, 32);
    check_cached(4096, 0, 16, 4096);
    check_cached(131072, 0, 48, 131088);
}

static void cached__with_pages_of_one_are_context_or_window(void **state)
{
    (void)state;
    check_cached(1000, 0, 1, 1000);
    check_cached(1000, 128, 1, 128);
    check_cached(128, 128, 1, 128);
    check_cached(127, 128, 1, 127);
    check_cached(5, 1, 1, 1);
}

static void cached__of_published_windows_are_a_page_more(void **state)
{
    (void)state;
    // A window begins anywhere in a page, so that it touches one more than it would fill.
    check_cached(131072, 128, 16, 144);      // gpt-oss
    check_cached(131072, 1024, 16, 1040);    // Gemma-3
    check_cached(32768, 4096, 16, 4112);     // Mistral-7B-v0.1
    check_cached(32768, 4096, 256, 4352);
}

static void cached__of_a_window_beyond_the_context_are_the_context(void **state)
{
    (void)state;
    check_cached(100, 4096, 16, 112);
    check_cached(4096, 4096, 16, 4096);
    check_cached(4097, 4096, 16, 4112);
    check_cached(5, 4, 4, 8);
}

static void cached__of_small_windows_end_at_a_page(void **state)
{
    (void)state;
    check_cached(1000, 1, 16, 16);
    check_cached(1000, 2, 16, 32);
    check_cached(1000, 16, 16, 32);
    check_cached(1000, 17, 16, 32);
    check_cached(1000, 18, 16, 48);
    check_cached(1000, 10, 1000, 1000);
}

static void cached__of_no_context_are_none(void **state)
{
    (void)state;
    check_cached(0, 0, 16, 0);
    check_cached(0, 128, 16, 0);
    check_cached(0, 1, 1, 0);
}

// A request is followed token by token: the most pages that are held at once.
static uint64_t most_pages(uint64_t context, uint64_t window, uint64_t page)
{
    uint64_t most = 0;
    for (uint64_t now = 1; now <= context; now++) {
        uint64_t oldest = window > 0 && now > window ? now - window : 0;    // that is still seen
        uint64_t pages = (now - 1) / page - oldest / page + 1;
        if (pages > most) most = pages;
    }
    return most;
}

static void cached__are_what_following_a_request_counts(void **state)
{
    (void)state;
    for (uint64_t context = 0; context <= 40; context++)
        for (uint64_t window = 0; window <= 24; window++)
            for (uint64_t page = 1; page <= 9; page++)
                check_cached(context, window, page, most_pages(context, window, page) * page);
}

static void cached__pass_32_bits(void **state)
{
    (void)state;
    check_cached((uint64_t)10000000001, 0, 16, 10000000016);
    check_cached((uint64_t)10000000001, (uint64_t)5000000000, 16, 5000000016);
}

// ---- 8: requests on a card ----

typedef struct Card {
    double total, fraction, taken;
} Card;

static void check_concurrency(const char *name, Card card, const KnLayerCache *layers, int count,
                              uint64_t context, uint64_t page, uint64_t want, const char *sum)
{
    double cost = 0, whole = 0, one = 0;    // of a request: without pages; nor windows; nor layers
    for (int i = 0; i < count; i++) {
        uint64_t window = layers[i].window;
        double each = (double)layers[i].bytes;
        cost += (double)layers[i].layers * each *
                (double)(window > 0 && window < context ? window : context);
        whole += (double)layers[i].layers * each * (double)context;
        one += each * (double)context;
    }
    double share = card.total * card.fraction, pool = share - card.taken,
           free = card.total - card.taken;
    assert_count(
        kn_concurrency(card.total, card.fraction, card.taken, layers, count, context, page), want,
        .name = name, .sum = sum,
        .formula = "(total fraction - taken) / sum of layers x bytes x cached tokens, rounded down",
        .clues = {{.value = whole > cost ? floor(pool / whole) : 0,
                   .likely = "a layer with a window keeps the window alone"},
                  {.value = floor(pool / cost), .likely = "a request takes whole pages"},
                  {.value = one < whole ? floor(pool / one) : 0,
                   .likely = "each of the layers has a cache"},
                  {.value = floor(free * card.fraction / cost),
                   .likely = "the fraction is of the total, not of what is free"},
                  {.value = floor(free / cost),
                   .likely = "the engine may use only the fraction of the total"},
                  {.value = floor(share / cost),
                   .likely = "weights and work space are on the card as well"},
                  {.off = 1, .likely = "only whole requests count"}});
}

static void concurrency__is_the_pool_over_a_requests_cost(void **state)
{
    (void)state;
    // Llama-3.1-8B in bf16 and 2 GB of work space, on 80 GB: 72e9 - 18060522496 is left.
    const KnLayerCache llama = {32, 4096, 0};
    check_concurrency("Llama-3.1-8B, 4096 tokens", (Card){80e9, 0.9, 18060522496}, &llama, 1, 4096,
                      16, 100, "53,939,477,504 / (32 x 4096 x 4096) = 100.47");
    check_concurrency("Llama-3.1-8B, 131072 tokens", (Card){80e9, 0.9, 18060522496}, &llama, 1,
                      131072, 16, 3, "53,939,477,504 / (32 x 4096 x 131072) = 3.14");
}

static void concurrency__counts_whole_requests(void **state)
{
    (void)state;
    const KnLayerCache layer = {2, 10, 0};    // 20 x 16 tokens = 320 bytes
    check_concurrency("room for 3", (Card){960, 1, 0}, &layer, 1, 16, 16, 3, "960 / 320");
    check_concurrency("a byte less", (Card){959, 1, 0}, &layer, 1, 16, 16, 2, "959 / 320 = 2.997");
    check_concurrency("room for 1", (Card){320, 1, 0}, &layer, 1, 16, 16, 1, "320 / 320");
    check_concurrency("not for 1", (Card){319, 1, 0}, &layer, 1, 16, 16, 0, "319 / 320 = 0.997");
}

static void concurrency__takes_the_fraction_of_the_total(void **state)
{
    (void)state;
    const KnLayerCache layer = {1, 1, 0};
    check_concurrency("half of 100, 40 taken", (Card){100, 0.5, 40}, &layer, 1, 1, 1, 10,
                      "(100 x 0.5 - 40) / 1");
}

static void concurrency__pays_for_whole_pages(void **state)
{
    (void)state;
    const KnLayerCache layer = {1, 1, 0};
    check_concurrency("17 tokens in pages of 16", (Card){1000, 0.5, 180}, &layer, 1, 17, 16, 10,
                      "(500 - 180) / 32");
}

static void concurrency__adds_up_layers_of_all_kinds(void **state)
{
    (void)state;
    // gpt-oss-20b: every second layer sees 128 tokens. 12 x 2048 (131072 + 144) a request.
    const KnLayerCache gpt_oss[] = {{12, 2048, 128}, {12, 2048, 0}};
    check_concurrency("gpt-oss-20b, 131072 tokens", (Card){80e9, 0.9, 20e9}, gpt_oss, 2, 131072, 16,
                      16, "52e9 / (24,576 x 131,216) = 16.13");
    // Gemma-3-27B: 52 of 62 layers see 1024 tokens; 2 x 16 x 128 numbers a layer.
    const KnLayerCache gemma[] = {{52, 8192, 1024}, {10, 8192, 0}};
    check_concurrency("Gemma-3-27B, 131072 tokens", (Card){80e9, 0.9, 56e9}, gemma, 2, 131072, 16,
                      1, "16e9 / (81,920 x 131,072 + 425,984 x 1,040) = 1.43");
    check_concurrency("Gemma-3-27B, 8192 tokens", (Card){80e9, 0.9, 56e9}, gemma, 2, 8192, 16, 14,
                      "16e9 / (81,920 x 8,192 + 425,984 x 1,040) = 14.36");
}

static void concurrency__is_none_where_nothing_is_left(void **state)
{
    (void)state;
    const KnLayerCache layer = {32, 4096, 0};
    check_concurrency("weights larger than the card", (Card){24e9, 0.9, 40e9}, &layer, 1, 4096, 16,
                      0, "0, since 21.6e9 - 40e9 is below 0");
    check_concurrency("weights that fill it", (Card){100, 0.5, 50}, &layer, 1, 1, 1, 0,
                      "0 / 131,072");
}

static void concurrency__is_none_where_a_request_costs_nothing(void **state)
{
    (void)state;
    const KnLayerCache layer = {32, 4096, 0}, nothing = {32, 0, 0};
    check_concurrency("no context", (Card){80e9, 0.9, 0}, &layer, 1, 0, 16, 0, NULL);
    check_concurrency("no layers", (Card){80e9, 0.9, 0}, &layer, 0, 4096, 16, 0, NULL);
    check_concurrency("layers that keep nothing", (Card){80e9, 0.9, 0}, &nothing, 1, 4096, 16, 0,
                      NULL);
}

static void concurrency__passes_32_bits(void **state)
{
    (void)state;
    // Llama-3.1-405B in fp8 on 8 GPUs of 141 GB: 67,645,734,912 bytes a request of 128k tokens.
    const KnLayerCache llama = {126, 4096, 0};
    check_concurrency("Llama-3.1-405B, 131072 tokens", (Card){8 * 141e9, 0.9, 410e9}, &llama, 1,
                      131072, 16, 8, "605.2e9 / (126 x 4096 x 131072) = 8.95");
    const KnLayerCache small = {1, 1, 0};
    check_concurrency("a byte a request", (Card){8e9, 1, 0}, &small, 1, 1, 1, 8000000000, NULL);
}

const struct CMUnitTest cache_cases[] = {
    cmocka_unit_test(kv__of_full_attention_are_two_rows_of_all_heads),
    cmocka_unit_test(kv__of_grouped_heads_are_fewer),
    cmocka_unit_test(kv__grow_evenly_from_one_key_head_to_all),
    cmocka_unit_test(kv__take_the_size_of_a_head_as_it_is_given),
    cmocka_unit_test(kv__of_a_latent_are_one_row_for_all_heads),
    cmocka_unit_test(kv__in_a_block_format_have_their_scales),
    cmocka_unit_test(kv__are_stored_row_by_row),
    cmocka_unit_test(cached__without_a_window_are_whole_pages),
    cmocka_unit_test(cached__with_pages_of_one_are_context_or_window),
    cmocka_unit_test(cached__of_published_windows_are_a_page_more),
    cmocka_unit_test(cached__of_a_window_beyond_the_context_are_the_context),
    cmocka_unit_test(cached__of_small_windows_end_at_a_page),
    cmocka_unit_test(cached__of_no_context_are_none),
    cmocka_unit_test(cached__are_what_following_a_request_counts),
    cmocka_unit_test(cached__pass_32_bits),
    cmocka_unit_test(concurrency__is_the_pool_over_a_requests_cost),
    cmocka_unit_test(concurrency__counts_whole_requests),
    cmocka_unit_test(concurrency__takes_the_fraction_of_the_total),
    cmocka_unit_test(concurrency__pays_for_whole_pages),
    cmocka_unit_test(concurrency__adds_up_layers_of_all_kinds),
    cmocka_unit_test(concurrency__is_none_where_nothing_is_left),
    cmocka_unit_test(concurrency__is_none_where_a_request_costs_nothing),
    cmocka_unit_test(concurrency__passes_32_bits),
    {0},
};
