#include "common/rng.h"
#include "tests/facts.h"
#include "tests/stops.h"
#include <stdlib.h>
#include <string.h>

// Output of pcg32-demo in github.com/imneme/pcg-c-basic, round 1: seed 42, stream 54.
static void the_golden_values_are_those_of_the_published_demo(void **state)
{
    (void)state;
    static const uint32_t golden[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330,
                                      0x83d2f293, 0xbfa4784b, 0xcbed606e};
    Rng rng = rng_pcg32(42, 54);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        assert_int_equal(rng_next(&rng), golden[i]);
}

// The values below were computed in Python from the two papers, without this code.
static void a_seed_alone_is_its_stream_0(void **state)
{
    (void)state;
    static const uint32_t golden[] = {0xccfe45fc, 0x61157d5e, 0x68e11cdb, 0xab48faa0};
    Rng rng = rng_from_seed(42), same = rng_stream(42, 0);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        assert_int_equal(rng_next(&rng), golden[i]);
        assert_int_equal(rng_next(&same), golden[i]);
    }
}

static void the_other_draws_have_golden_values(void **state)
{
    (void)state;
    Rng rng = rng_pcg32(42, 54);
    assert_close(rng_uniform(&rng), 0.6303101778030396, 0);
    assert_close(rng_uniform(&rng), 0.4815666675567627, 0);

    static const uint32_t below[] = {3, 2, 4, 3, 4, 4, 4, 3, 5, 5, 1, 0, 5, 1, 1, 0, 3, 3, 4, 4};
    rng = rng_pcg32(42, 54);
    for (int i = 0; i < 20; i++) assert_int_equal(rng_below(&rng, 6), below[i]);

    // Libraries round logf and cosf differently in the last place.
    float normal[4];
    rng = rng_pcg32(42, 54);
    rng_fill_normal(&rng, normal, 4);
    assert_close(normal[0], -1.4012866175, 1e-6);
    assert_close(normal[1], 0.1630266919, 1e-6);
    assert_close(normal[2], -1.6043128839, 1e-6);
    assert_close(normal[3], -0.1510168030, 1e-6);
}

static void the_struct_is_the_whole_state(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(5);
    rng_normal(&rng);
    Rng saved = {rng.state, rng.increment};
    for (int i = 0; i < 10; i++) assert_true(rng_normal(&rng) == rng_normal(&saved));
}

static void seeds_and_streams_differ(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    Rng a = rng_stream(1, 0), b = rng_stream(1, 1), c = rng_stream(2, 0);
    int same = 0;
    for (int i = 0; i < COUNT; i++) {
        uint32_t x = rng_next(&a), y = rng_next(&b), z = rng_next(&c);
        same += (x == y) + (y == z) + (x == z);
    }
    assert_int_equal(same, 0);
}

// What a bare PCG32 fails: its (seed, stream + 1) begins as (seed + 2, stream) does.
static void neighbouring_seeds_and_streams_begin_apart(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 8; stream++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            Rng a = rng_stream(seed, stream + 1), b = rng_stream(seed + 2, stream);
            assert_true(rng_next(&a) >> 16 != rng_next(&b) >> 16);
        }
}

static void uniform_lies_in_0_to_1_and_is_flat(void **state)
{
    (void)state;
    enum { COUNT = 200000, BINS = 50 };
    Rng rng = rng_from_seed(11);
    int bins[BINS] = {0};
    double sum = 0;
    for (int i = 0; i < COUNT; i++) {
        float u = rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        bins[(int)(u * BINS)]++;
        sum += (double)u;
    }
    assert_close(sum / COUNT, 0.5, 4 * sqrt(1.0 / 12 / COUNT));
    double chi = 0, expected = (double)COUNT / BINS;
    for (int i = 0; i < BINS; i++) chi += (bins[i] - expected) * (bins[i] - expected) / expected;
    assert_close(chi, BINS - 1, 4 * sqrt(2.0 * (BINS - 1)));    // mean and deviation of chi-square
}

// The largest draw, all ones, must not round up to 1: 2^24 - 1 of 2^24.
static void uniform_keeps_24_bits(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(12);
    bool low = false;
    for (int i = 0; i < 1000; i++) {
        float scaled = rng_uniform(&rng) * 0x1p24f;
        assert_true(scaled == floorf(scaled));
        low |= (uint32_t)scaled % 2 == 1;
    }
    assert_true(low);
}

static void below_is_unbiased(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const uint32_t sizes[] = {2, 3, 7, 10, 64, 1000};
    Rng rng = rng_from_seed(13);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s];
        int hits[1000] = {0};
        for (int i = 0; i < COUNT; i++) {
            uint32_t value = rng_below(&rng, n);
            assert_true(value < n);
            hits[value]++;
        }
        double chi = 0, expected = (double)COUNT / n;
        for (uint32_t i = 0; i < n; i++)
            chi += (hits[i] - expected) * (hits[i] - expected) / expected;
        assert_close(chi, n - 1, 5 * sqrt(2.0 * (n - 1)));
    }
}

// Of 3/4 of 2^32, `next % n` would fall in the first third half of the time.
static void below_is_unbiased_where_a_remainder_is_not(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    Rng rng = rng_from_seed(14);
    int third = 0;
    for (int i = 0; i < COUNT; i++) third += rng_below(&rng, 3u << 30) < 1u << 30;
    assert_close((double)third / COUNT, 1.0 / 3, 4 * sqrt(2.0 / 9 / COUNT));
}

static void below_has_edges(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(15);
    for (int i = 0; i < 10; i++) assert_int_equal(rng_below(&rng, 1), 0);
    rng_below(&rng, UINT32_MAX);
    stops_with("n is 0; expected at least 1", rng_below(&rng, 0));
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Moments within four deviations of their estimates, and the largest distance between the sample's
// distribution and N(0,1)'s: 1.95/sqrt(n) is exceeded by one seed in a thousand (Kolmogorov).
static void assert_normal(float *x, size_t n)
{
    double sum[5] = {0};
    for (size_t i = 0; i < n; i++)
        for (int k = 1; k <= 4; k++) sum[k] += pow((double)x[i], k);
    assert_close(sum[1] / n, 0, 4 * sqrt(1.0 / n));
    assert_close(sum[2] / n, 1, 4 * sqrt(2.0 / n));
    assert_close(sum[3] / n, 0, 4 * sqrt(15.0 / n));
    assert_close(sum[4] / n, 3, 4 * sqrt(96.0 / n));

    qsort(x, n, sizeof *x, by_value);
    double distance = 0;
    for (size_t i = 0; i < n; i++) {
        double below = 0.5 * erfc(-(double)x[i] / sqrt(2));
        distance = fmax(distance, fmax(fabs(below - (double)i / n), fabs(below - (i + 1.0) / n)));
    }
    assert_close(distance, 0, 1.95 / sqrt((double)n));
}

enum { DRAWS = 100001 };    // odd: the last of a fill has no twin

static void single_normals_are_normal(void **state)
{
    (void)state;
    static float x[DRAWS];
    Rng rng = rng_from_seed(16);
    for (int i = 0; i < DRAWS; i++) x[i] = rng_normal(&rng);
    assert_normal(x, DRAWS);
}

static void filled_normals_are_normal(void **state)
{
    (void)state;
    static float x[DRAWS];
    Rng rng = rng_from_seed(17);
    rng_fill_normal(&rng, x, DRAWS);
    assert_normal(x, DRAWS);
}

// The two of a pair share a radius, and must not share anything else.
static void neighbours_in_a_fill_are_uncorrelated(void **state)
{
    (void)state;
    static float x[DRAWS];
    Rng rng = rng_from_seed(18);
    rng_fill_normal(&rng, x, DRAWS);
    double product = 0, squares = 0;
    for (int i = 0; i + 1 < DRAWS; i += 2) {
        product += (double)x[i] * x[i + 1];
        squares += ((double)x[i] * x[i] - 1) * ((double)x[i + 1] * x[i + 1] - 1);
    }
    int pairs = DRAWS / 2;
    assert_close(product / pairs, 0, 4 / sqrt((double)pairs));
    assert_close(squares / pairs, 0, 4 * 2 / sqrt((double)pairs));
}

static void fill_uniform_equals_the_singles(void **state)
{
    (void)state;
    float x[101];
    Rng rng = rng_from_seed(19), one = rng;
    rng_fill_uniform(&rng, x, 101);
    for (int i = 0; i < 101; i++) assert_true(x[i] == rng_uniform(&one));
    assert_memory_equal(&rng, &one, sizeof rng);
}

static void fill_normal_takes_two_values_from_each_pair_of_uniforms(void **state)
{
    (void)state;
    float x[7];
    Rng rng = rng_from_seed(20), uniform = rng, one = rng;
    rng_fill_normal(&rng, x, 7);
    for (int i = 0; i < 8; i++) rng_uniform(&uniform);
    assert_memory_equal(&rng, &uniform, sizeof rng);
    for (int i = 0; i < 7; i += 2)
        assert_true(x[i] == rng_normal(&one));    // a single is the first
    rng_fill_normal(&rng, x, 0);
    assert_memory_equal(&rng, &uniform, sizeof rng);
}

static void shuffle_has_a_golden_order(void **state)
{
    (void)state;
    int items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    Rng rng = rng_pcg32(42, 54);
    rng_shuffle(&rng, items, 10);
    assert_memory_equal(items, ((int[]){0, 7, 1, 2, 9, 8, 3, 5, 4, 6}), sizeof items);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int items[COUNT], moved = 0;
    bool seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) items[i] = i;
    Rng rng = rng_from_seed(21);
    rng_shuffle(&rng, items, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_false(seen[items[i]]);
        seen[items[i]] = true;
        moved += items[i] != i;
    }
    assert_true(moved > COUNT - 10);
    rng_shuffle(&rng, items, 1);
    rng_shuffle(&rng, items, 0);
}

// All 24 orders of four items, each as often as the others.
static void shuffle_reaches_every_order_alike(void **state)
{
    (void)state;
    enum { COUNT = 48000, ORDERS = 24 };
    int hits[256] = {0};
    Rng rng = rng_from_seed(22);
    for (int i = 0; i < COUNT; i++) {
        int items[] = {0, 1, 2, 3};
        rng_shuffle(&rng, items, 4);
        hits[items[0] | items[1] << 2 | items[2] << 4 | items[3] << 6]++;
    }
    double chi = 0, expected = (double)COUNT / ORDERS;
    int orders = 0;
    for (int i = 0; i < 256; i++)
        if (hits[i] > 0) {
            chi += (hits[i] - expected) * (hits[i] - expected) / expected;
            orders++;
        }
    assert_int_equal(orders, ORDERS);
    assert_close(chi, ORDERS - 1, 4 * sqrt(2.0 * (ORDERS - 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_values_are_those_of_the_published_demo),
        cmocka_unit_test(a_seed_alone_is_its_stream_0),
        cmocka_unit_test(the_other_draws_have_golden_values),
        cmocka_unit_test(the_struct_is_the_whole_state),
        cmocka_unit_test(seeds_and_streams_differ),
        cmocka_unit_test(neighbouring_seeds_and_streams_begin_apart),
        cmocka_unit_test(uniform_lies_in_0_to_1_and_is_flat),
        cmocka_unit_test(uniform_keeps_24_bits),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(below_is_unbiased_where_a_remainder_is_not),
        cmocka_unit_test(below_has_edges),
        cmocka_unit_test(single_normals_are_normal),
        cmocka_unit_test(filled_normals_are_normal),
        cmocka_unit_test(neighbours_in_a_fill_are_uncorrelated),
        cmocka_unit_test(fill_uniform_equals_the_singles),
        cmocka_unit_test(fill_normal_takes_two_values_from_each_pair_of_uniforms),
        cmocka_unit_test(shuffle_has_a_golden_order),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(shuffle_reaches_every_order_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
