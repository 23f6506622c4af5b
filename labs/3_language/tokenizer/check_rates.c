/* Exercise 11: rates. check.c says how cases are made. */
#include "labs/3_language/tokenizer/check.h"
#include "tests/guarded.h"

static BpeRates check_rates(const int *ids, size_t n, int vocabulary, size_t bytes, BpeRates want)
{
    int64_t *counts = guarded_new((size_t)vocabulary, sizeof *counts);
    int *mine = ints_copy(ids, n);
    BpeRates got = bpe_rates(counts, vocabulary, mine, n, bytes);
    assert_number(got.bytes_per_token, want.bytes_per_token, .name = "bytes_per_token");
    assert_number(got.bits_per_token, want.bits_per_token, .name = "bits_per_token");
    assert_number(got.bits_per_byte, want.bits_per_byte, .name = "bits_per_byte");
    for (int t = 0; t < vocabulary; t++) {
        int64_t times = 0;
        for (size_t i = 0; i < n; i++) times += ids[i] == t;
        assert_that(counts[t] == times, "counts[%d]: got %lld, expected %lld", t,
                    (long long)counts[t], (long long)times);
    }
    assert_ids("ids, an input", mine, n, ids, n);
    return got;
}
#define RATES(vocabulary, bytes, a, b, c, ...)                                                     \
    check_rates(IDS(__VA_ARGS__), vocabulary, bytes, (BpeRates){a, b, c})

CASE(rates__of_frequencies_that_are_powers_of_two)
{
    RATES(3, 8, 2, 1.5, 0.75, 0, 1, 0, 2);
    RATES(4, 12, 1.5, 1.75, 1.75 / 1.5, 0, 1, 0, 2, 0, 3, 1, 0);
}

CASE(rates__of_equally_frequent_tokens_are_the_logarithm_of_their_number)
{
    int *ids = ints_filled(256, 0);
    for (int i = 0; i < 256; i++) ids[i] = i;
    check_rates(ids, 256, 256, 256, (BpeRates){1, 8, 8});
    check_rates(ids, 100, 300, 550, (BpeRates){5.5, log2(100), log2(100) / 5.5});
}

CASE(rates__of_one_token_cost_nothing)
{
    RATES(1, 5, 5, 0, 0, 0);
    RATES(9, 6, 2, 0, 0, 7, 7, 7);
}

CASE(rates__of_any_frequencies)
{
    double entropy = -(0.3 * log2(0.3) + 0.5 * log2(0.5) + 0.2 * log2(0.2));
    RATES(50, 7, 0.7, entropy, entropy / 0.7, 9, 9, 9, 49, 49, 49, 49, 49, 0, 0);
}

CASE(rates__without_tokens_or_without_bytes_are_nan)
{
    check_rates(ints_filled(0, 0), 0, 3, 5, (BpeRates){NAN, NAN, NAN});
    RATES(3, 0, NAN, NAN, NAN, 0, 1);
    check_rates(ints_filled(0, 0), 0, 0, 0, (BpeRates){NAN, NAN, NAN});
}

CASE(rates__of_texts_beyond_32_bits)
{
    RATES(2, (size_t)3 << 32, 6442450944.0, 1, 1 / 6442450944.0, 0, 1);
}

CASE(rates__of_many_tokens)
{
    enum { N = 100000 };
    int *ids = ints_filled(N, 3);
    for (int i = 0; i < N / 4; i++) ids[4 * i] = 4;
    double entropy = 2 - 0.75 * log2(3);
    BpeRates want = {4, entropy, entropy / 4};
    int64_t *counts = guarded_new(5, sizeof *counts);
    BpeRates got = bpe_rates(counts, 5, ids, N, 4 * (size_t)N);
    assert_number(got.bits_per_token, want.bits_per_token, .name = "bits_per_token");
    assert_number(got.bits_per_byte, want.bits_per_byte, .name = "bits_per_byte");
    assert_integer("counts[4]", counts[4], N / 4);
}

CASE(rates__count_anew_at_each_call)
{
    int64_t *counts = guarded_new(2, sizeof *counts);
    int *ids = INTS(0, 1);
    bpe_rates(counts, 2, ids, 2, 2);
    ids[1] = 0;
    BpeRates got = bpe_rates(counts, 2, ids, 2, 2);
    assert_integer("counts[0] of the second call", counts[0], 2);
    assert_number(got.bits_per_token, 0, .name = "bits_per_token of the second call");
}

const struct CMUnitTest rate_cases[] = {
    cmocka_unit_test(rates__of_frequencies_that_are_powers_of_two),
    cmocka_unit_test(rates__of_equally_frequent_tokens_are_the_logarithm_of_their_number),
    cmocka_unit_test(rates__of_one_token_cost_nothing),
    cmocka_unit_test(rates__of_any_frequencies),
    cmocka_unit_test(rates__without_tokens_or_without_bytes_are_nan),
    cmocka_unit_test(rates__of_texts_beyond_32_bits),
    cmocka_unit_test(rates__of_many_tokens),
    cmocka_unit_test(rates__count_anew_at_each_call),
    {0},
};
