// The counter-based generator: the published vectors, the same bits everywhere, the normal numbers'
// accuracy, and the statistics of all three kernels on fixed seeds. A statistic's bound is 5 standard
// errors where nothing else is said: a right generator would fail 1 seed in 1.7 million.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/team.h"
#include "kernels/philox.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"

enum { MANY = 1 << 20 };

// Runs a kernel of `table` into new memory.
#define DRAWN(table, kernel, draw, n) drawn((table)->kernel, draw, n)
static float *drawn(void (*kernel)(float *y, Draw draw, size_t n), Draw draw, size_t n)
{
    float *y = numbers_new(n, NANS);
    kernel(y, draw, n);
    return y;
}

// ---- the generator

static void the_published_vectors_come_out(void **state)
{
    (void)state;
    // Random123's tests/kat_vectors, "philox4x32 10": counter, key, result; the third is digits of pi.
    static const uint32_t vectors[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *v = vectors[i];
        const Draw draw = {v[4] | (uint64_t)v[5] << 32, v[2] | (uint64_t)v[3] << 32};
        const PhiloxBlock got = philox(draw, v[0] | (uint64_t)v[1] << 32);
        assert_memory_equal(got.word, v + 6, sizeof got.word);
    }
}

static void element_i_is_word_i_mod_4_of_block_i_over_4(void **state)
{
    (void)state;
    const Draw draw = {7, 1u << 20};
    float *y = DRAWN(&kernels_ref, random_uniform, draw, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_true(y[i] == (float)(philox(draw, i / 4).word[i % 4] >> 8) * 0x1p-24f);
}

static void no_two_draws_of_a_run_share_a_stream(void **state)
{
    (void)state;
    const Draw first = draw_at(9, 0, UINT16_MAX), next = draw_at(9, 1, 0),
               far = draw_at(9, (1ull << 48) - 1, 1);
    assert_true(first.seed == 9 && next.seed == 9 && far.seed == 9);
    assert_true(first.stream == UINT16_MAX && next.stream == first.stream + 1);
    assert_true(far.stream == UINT64_MAX - UINT16_MAX + 1);
}

// ---- the same bits everywhere

// All three kernels' results, n each.
static void run_all(const Kernels *table, float *out, const float *x, Draw draw, size_t n)
{
    table->random_uniform(out, draw, n);
    table->random_normal(out + n, draw, n);
    table->dropout(out + 2 * n, x, 0.3f, draw, 0.0f, n);
    memcpy(out + 3 * n, x, n * sizeof *x);
    table->dropout(out + 3 * n, x, 0.7f, draw, 1.0f, n);
    memcpy(out + 4 * n, x, n * sizeof *x);
    table->dropout(out + 4 * n, out + 4 * n, 0.7f, draw, -0.7f, n);
}

enum { RESULTS = 5 };
static const size_t sizes[] = {1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 511, 1023, 4099, 100003};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void same_bits_as_ref(const Kernels *table)
{
    for (int i = 0; i < SIZES; i++, numbers_free()) {
        const size_t n = sizes[i];
        const Draw draw = {i % 2 ? UINT64_MAX - 5 : 3, (uint64_t)i << 31};
        const float *x = DRAWN(&kernels_ref, random_normal, draw_at(1, 1, 1), n);
        float *want = numbers_new(RESULTS * n, NANS), *got = numbers_new(RESULTS * n, NANS);
        run_all(&kernels_ref, want, x, draw, n);
        run_all(table, got, x, draw, n);
        assert_memory_equal(got, want, RESULTS * n * sizeof *got);
    }
}

static void each_instruction_set_and_number_of_threads_gives_the_bits_of_ref(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    team_scale(0);    // also for one element, and beside a busy program
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        const Kernels table = kernels_complete(cpu_variants[v].table);
        for (int team = 1; team <= 5; team++) {
            omp_set_num_threads(team);
            same_bits_as_ref(&table);
        }
    }
    omp_set_num_threads(threads);
    team_scale(1);
}

static void the_far_device_gives_the_bits_of_ref(void **state)
{
    (void)state;
    const Kernels far = mirror_of(&device_far);
    same_bits_as_ref(&far);
}

static void a_shorter_draw_is_the_start_of_a_longer_one(void **state)
{
    (void)state;
    const Draw draw = {5, 6};
    for (size_t n = 0; n < 3000; n += 7, numbers_free()) {
        const float *all = DRAWN(kernels_cpu(), random_normal, draw, 3000);
        const float *start = DRAWN(kernels_cpu(), random_normal, draw, n);
        assert_memory_equal(start, all, n * sizeof *all);
    }
}

// FNV-1a.
static uint64_t hash(const float *x, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const unsigned char *byte = (const unsigned char *)x;
         byte < (const unsigned char *)(x + n); byte++)
        hash = (hash ^ *byte) * 0x100000001b3u;
    return hash;
}

// A resumed run must draw what it would have drawn. The numbers are this implementation's own, gcc 12 on
// x86-64: they change when a bit does, on whatever machine.
static void the_bits_stay_what_they_are(void **state)
{
    (void)state;
    float *u = DRAWN(&kernels_ref, random_uniform, draw_at(1, 2, 3), 100003);
    float *z = DRAWN(&kernels_ref, random_normal, draw_at(1, 2, 3), 100003);
    assert_int_equal(hash(u, 100003), 0x46c1c396f271d480);
    assert_int_equal(hash(z, 100003), 0x4af06f5389c0322e);
}

// ---- the normal numbers' accuracy

static double ulps(float got, long double truth)
{
    return truth == 0 ? fabs((double)got)
                      : (double)(fabsl(got - truth) / ldexpl(1, ilogbl(truth) - 23));
}

// The exact result: of word0 + 1/2 cut to 24 digits, and word1 without its last 6.
static void true_normal(uint32_t word0, uint32_t word1, long double truth[2])
{
    int exponent;
    long double u = frexpl(word0 + 0.5L, &exponent);
    u = ldexpl(floorl(ldexpl(u, 24)), exponent - 24 - 32);
    const long double pi = 3.14159265358979323846264L, radius = sqrtl(-2 * logl(u));
    const uint32_t turn = word1 & ~63u;
    truth[0] =
        turn == 0x40000000u || turn == 0xc0000000u ? 0 : radius * cosl(2 * pi * ldexpl(turn, -32));
    truth[1] = turn == 0 || turn == 0x80000000u ? 0 : radius * sinl(2 * pi * ldexpl(turn, -32));
}

static double worst_error(uint32_t word0, uint32_t word1)
{
    long double truth[2];
    true_normal(word0, word1, truth);
    const PhiloxPair got = philox_normal(word0, word1);
    const double a = ulps(got.first, truth[0]), b = ulps(got.second, truth[1]);
    return a > b ? a : b;
}

static void normal_numbers_are_within_two_and_a_half_ulp(void **state)
{
    (void)state;
    static const uint32_t edges[] = {0,          1,          2,          63,         64,
                                     0x1fffffff, 0x20000000, 0x3fffffff, 0x40000000, 0x5fffffff,
                                     0x7fffffff, 0x80000000, 0xb504f333, 0xc0000000, 0xffffff7f,
                                     0xffffff80, 0xffffffff};
    enum { EDGES = sizeof edges / sizeof *edges };
    double worst = 0;
    for (int i = 0; i < EDGES * EDGES; i++)
        worst = fmax(worst, worst_error(edges[i / EDGES], edges[i % EDGES]));
    // All of both words, in steps without a common divisor; then u near 0, where it has the most digits.
    for (uint32_t i = 0; i < MANY; i++)
        worst = fmax(worst, worst_error(i * 4099u, i * 2654435761u));
    for (uint32_t i = 0; i < MANY / 8; i++) worst = fmax(worst, worst_error(i, i * 2654435761u));
    if (!(worst <= 2.5)) fail_msg("a normal number is %g ulp from the truth, allowed 2.5", worst);
}

static void the_largest_normal_numbers_are_finite(void **state)
{
    (void)state;
    assert_true(fabs((double)philox_radius(0) - 6.7637) < 1e-4);    // sqrt(66 log 2)
    const float smallest = philox_radius(UINT32_MAX);
    assert_true(smallest > 0 && smallest < 4e-4f);
}

// ---- statistics

static void assert_within(const char *what, double got, double want, double bound)
{
    if (!(fabs(got - want) <= bound))
        fail_msg("%s is %.9g, expected %.9g within %.3g", what, got, want, bound);
}

static double correlation(const float *x, const float *y, size_t n)
{
    double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = x[i], b = y[i];
        sx += a, sy += b, sxx += a * a, syy += b * b, sxy += a * b;
    }
    const double count = (double)n;
    return (sxy - sx * sy / count) / sqrt((sxx - sx * sx / count) * (syy - sy * sy / count));
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Kolmogorov & Smirnov: sqrt(n) times the largest distance to the distribution. It exceeds 1.95 for 1 seed
// in 1000. Sorts x.
static double distance(float *x, size_t n, double (*distribution)(double x))
{
    double worst = 0;
    qsort(x, n, sizeof *x, ascending);
    for (size_t i = 0; i < n; i++) {
        const double p = distribution(x[i]);
        worst = fmax(worst, fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return sqrt((double)n) * worst;
}

static double uniform_distribution(double x)
{
    return x;
}

static double normal_distribution(double x)
{
    return 0.5 * erfc(-x * sqrt(0.5));
}

// About 0, of the given order.
static double moment(const float *x, size_t n, int order)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += pow(x[i], order);
    return sum / (double)n;
}

static void uniform_numbers_are_uniform(void **state)
{
    (void)state;
    const double error = 5 / sqrt((double)MANY);
    float *u = DRAWN(kernels_cpu(), random_uniform, draw_at(1, 0, 0), MANY);
    for (size_t i = 0; i < MANY; i++) assert_true(u[i] >= 0 && u[i] < 1);
    assert_within("the mean", moment(u, MANY, 1), 1.0 / 2, error * sqrt(1.0 / 12));
    assert_within("the mean square", moment(u, MANY, 2), 1.0 / 3, error * sqrt(4.0 / 45));
    for (size_t lag = 1; lag <= 9; lag++)
        assert_within("a lag's correlation", correlation(u, u + lag, MANY - lag), 0, error);
    assert_within("Kolmogorov's distance", distance(u, MANY, uniform_distribution), 0, 1.95);
}

static void each_bit_is_set_half_the_time(void **state)
{
    (void)state;
    int count[4][32] = {{0}};
    for (uint64_t block = 0; block < MANY / 4; block++) {
        const PhiloxBlock x = philox(draw_at(1, 0, 0), block);
        for (int word = 0; word < 4; word++)
            for (int bit = 0; bit < 32; bit++) count[word][bit] += x.word[word] >> bit & 1;
    }
    for (int i = 0; i < 128; i++)
        assert_within("a bit's count", count[i / 32][i % 32], MANY / 8, 5 * 0.5 * sqrt(MANY / 4.0));
}

static void normal_numbers_are_normal(void **state)
{
    (void)state;
    const double error = 5 / sqrt((double)MANY);
    float *z = DRAWN(kernels_cpu(), random_normal, draw_at(1, 0, 0), MANY);
    assert_within("the mean", moment(z, MANY, 1), 0, error);
    assert_within("the second moment", moment(z, MANY, 2), 1, error * sqrt(2));
    assert_within("the third moment", moment(z, MANY, 3), 0, error * sqrt(15));
    assert_within("the fourth moment", moment(z, MANY, 4), 3, error * sqrt(96));
    for (size_t lag = 1; lag <= 9; lag++)
        assert_within("a lag's correlation", correlation(z, z + lag, MANY - lag), 0, error);

    // A pair shares its radius; its squares must not be correlated all the same.
    float *square = numbers_new(MANY, NANS);
    for (size_t i = 0; i < MANY; i++) square[i] = z[i] * z[i];
    for (size_t lag = 1; lag <= 9; lag++)
        assert_within("a lag's correlation of squares",
                      correlation(square, square + lag, MANY - lag), 0, error);
    assert_within("Kolmogorov's distance", distance(z, MANY, normal_distribution), 0, 1.95);
}

static void the_tails_of_normal_numbers_have_their_share(void **state)
{
    (void)state;
    const size_t n = 4 * MANY;
    float *z = DRAWN(kernels_cpu(), random_normal, draw_at(1, 1, 0), n);
    for (double edge = 3; edge <= 4.5; edge += 0.5) {
        const double want = (double)n * normal_distribution(-edge);
        double above = 0, below = 0;
        for (size_t i = 0; i < n; i++) above += z[i] > edge, below += z[i] < -edge;
        assert_within("the numbers above", above, want, 5 * sqrt(want));
        assert_within("the numbers below", below, want, 5 * sqrt(want));
    }
}

static void other_seeds_and_streams_are_uncorrelated(void **state)
{
    (void)state;
    static const Draw draws[] = {{1, 0},          {1, 1},          {1, 2},          {0, 1},
                                 {2, 1},          {1, 1ull << 16}, {1, 1ull << 32}, {1ull << 32, 1},
                                 {1, UINT64_MAX}, {UINT64_MAX, 1}};
    enum { DRAWS = sizeof draws / sizeof *draws, EACH = MANY / 4 };
    float *z[DRAWS];
    for (int i = 0; i < DRAWS; i++) z[i] = DRAWN(kernels_cpu(), random_normal, draws[i], EACH);
    for (int i = 0; i < DRAWS; i++)
        for (int j = 0; j < i; j++)
            for (size_t lag = 0; lag <= 4; lag++)
                assert_within("two draws' correlation", correlation(z[i] + lag, z[j], EACH - lag),
                              0, 5 / sqrt(EACH));
}

// ---- dropout

static void dropout_keeps_its_share_and_the_expectation(void **state)
{
    (void)state;
    static const float ps[] = {0.1f, 0.5f, 0.9f};
    const Draw draw = draw_at(1, 2, 0);
    float *x = DRAWN(kernels_cpu(), random_normal, draw_at(1, 2, 1), MANY),
          *y = numbers_new(MANY, NANS);
    float *u = DRAWN(kernels_cpu(), random_uniform, draw, MANY), *ones = numbers_new(MANY, NANS);
    kernels_cpu()->fill(ones, 1, MANY);
    for (int i = 0; i < 3; i++) {
        const double p = ps[i];
        double kept = 0;
        kernels_cpu()->dropout(y, x, ps[i], draw, 0, MANY);
        for (size_t j = 0; j < MANY; j++) {
            assert_true(u[j] >= ps[i] ? fabs(y[j] - x[j] / (1 - p)) <= 0x1p-22 * fabs((double)y[j])
                                      : y[j] == 0);
            kept += u[j] >= ps[i];
        }
        assert_within("the share kept", kept / MANY, 1 - p, 5 * sqrt(p * (1 - p) / MANY));
        kernels_cpu()->dropout(y, ones, ps[i], draw, 0, MANY);
        assert_within("the mean", moment(y, MANY, 1), 1, 5 * sqrt(p / (1 - p) / MANY));
    }
}

static const Kernels
    *tables[CPU_VARIANTS + 2];    // ref's, then those of cpu that can run; NULL ends them

static void dropout_of_0_keeps_all_and_of_1_nothing(void **state)
{
    (void)state;
    const float x[6] = {1.5f, -0.0f, NAN, INFINITY, 3e38f, 1e-40f}, zeros[6] = {0};
    for (int t = 0; tables[t]; t++) {
        float y[6];
        tables[t]->dropout(y, x, 0, draw_at(1, 2, 3), 0, 6);
        assert_memory_equal(y, x, sizeof x);
        tables[t]->dropout(y, x, 1, draw_at(1, 2, 3), 0, 6);
        assert_memory_equal(y, zeros, sizeof zeros);
    }
}

static void a_uniform_number_of_exactly_p_is_kept(void **state)
{
    (void)state;
    const Draw draw = draw_at(4, 0, 0);
    const float one = 1;
    float u, y;
    kernels_ref.random_uniform(&u, draw, 1);
    for (int t = 0; tables[t]; t++) {
        tables[t]->dropout(&y, &one, u, draw, 0, 1);
        assert_true(y == 1 / (1 - u));
        tables[t]->dropout(&y, &one, u + 0x1p-24f, draw, 0, 1);
        assert_true(y == 0);
    }
}

static void a_dropped_nan_is_gone_and_a_kept_one_stays(void **state)
{
    (void)state;
    const Draw draw = draw_at(4, 0, 0);
    float x[100], y[100], u[100];
    kernels_ref.fill(x, NAN, 100);
    kernels_ref.random_uniform(u, draw, 100);
    for (int t = 0; tables[t]; t++) {
        kernels_ref.fill(y, NAN, 100);    // beta 0 does not read it
        tables[t]->dropout(y, x, 0.5f, draw, 0, 100);
        for (int i = 0; i < 100; i++) assert_true(u[i] < 0.5f ? y[i] == 0 : isnan(y[i]));
    }
}

static void dropout_adds_to_beta_times_what_was_there(void **state)
{
    (void)state;
    const Draw draw = draw_at(4, 0, 0);
    float y[100], u[100], x[100];
    kernels_ref.random_uniform(u, draw, 100);
    kernels_ref.fill(x, 3, 100);
    for (int t = 0; tables[t]; t++)
        for (float beta = -1; beta <= 1; beta += 0.5f) {
            kernels_ref.fill(y, 8, 100);
            tables[t]->dropout(y, x, 0.25f, draw, beta, 100);
            for (int i = 0; i < 100; i++) assert_true(y[i] == 8 * beta + (u[i] < 0.25f ? 0 : 4));
        }
}

static int teardown(void **state)
{
    (void)state;
    numbers_free();
    return 0;
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    static Kernels complete[CPU_VARIANTS];
    int count = 0;
    tables[count++] = &kernels_ref;
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        complete[v] = kernels_complete(cpu_variants[v].table);
        tables[count++] = &complete[v];
    }
    const struct CMUnitTest tests[] = {
        CASE(the_published_vectors_come_out),
        CASE(element_i_is_word_i_mod_4_of_block_i_over_4),
        CASE(no_two_draws_of_a_run_share_a_stream),
        CASE(each_instruction_set_and_number_of_threads_gives_the_bits_of_ref),
        CASE(a_shorter_draw_is_the_start_of_a_longer_one),
        CASE(the_far_device_gives_the_bits_of_ref),
        CASE(the_bits_stay_what_they_are),
        CASE(normal_numbers_are_within_two_and_a_half_ulp),
        CASE(the_largest_normal_numbers_are_finite),
        CASE(uniform_numbers_are_uniform),
        CASE(each_bit_is_set_half_the_time),
        CASE(normal_numbers_are_normal),
        CASE(the_tails_of_normal_numbers_have_their_share),
        CASE(other_seeds_and_streams_are_uncorrelated),
        CASE(dropout_keeps_its_share_and_the_expectation),
        CASE(dropout_of_0_keeps_all_and_of_1_nothing),
        CASE(a_uniform_number_of_exactly_p_is_kept),
        CASE(a_dropped_nan_is_gone_and_a_kept_one_stays),
        CASE(dropout_adds_to_beta_times_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
