/* Exercises 6 to 8: Hopfield's network and the Ising model. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

// ---- 6: Hebb's rule ----

static const char hebb[] = "w[i,j] = 1/n sum_p x[p,i] x[p,j], w[i,i] = 0";

static int *patterns(uint64_t seed, int count, int n)
{
    Rng rng = rng_from_seed(seed);
    int *x = ints_filled((size_t)count * (size_t)n, 0);
    for (int i = 0; i < count * n; i++) x[i] = rng_below(&rng, 2) == 0 ? -1 : 1;
    return x;
}

static void check_store(int count, int n, uint64_t seed)
{
    size_t cells = (size_t)n * (size_t)n;
    int *x = patterns(seed, count, n), *before = ints_copy(x, (size_t)count * (size_t)n);
    double *want = doubles_zero(cells), *w = doubles_filled(cells, 7);
    double *held = doubles_copy(w, cells);
    for (int p = 0; p < count; p++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                if (i != j) want[i * n + j] += (double)(x[p * n + i] * x[p * n + j]) / n;
    bm_hopfield_store(w, x, count, n);
    assert_near(w, want, SHAPE(n, n), .name = "w", .formula = hebb, .replaces = held);
    for (int i = 0; i < count * n; i++) assert_integer("x, an input", x[i], before[i]);
}

CASE(hopfield_store__matches_an_example_computed_by_hand)
{
    double *w = doubles_filled(9, (double)NAN);
    bm_hopfield_store(w, INTS(1, 1, -1, 1, -1, -1), 2, 3);
    assert_near(w, ((double[]){0, 0, -2 / 3.0, 0, 0, 0, -2 / 3.0, 0, 0}), SHAPE(3, 3), .name = "w",
                .formula = hebb);
}

CASE(hopfield_store__handles_any_number_of_patterns_and_units)
{
    check_store(1, 1, 360);
    check_store(1, 5, 361);
    check_store(7, 4, 362);
    check_store(3, 33, 363);
    check_store(40, 2, 364);
}

CASE(hopfield_store__of_no_pattern_is_zero)
{
    double *w = doubles_filled(4, (double)NAN);
    bm_hopfield_store(w, INTS(1), 0, 2);
    assert_near(w, ((double[]){0, 0, 0, 0}), SHAPE(2, 2), .name = "w", .formula = hebb);
}

CASE(hopfield_store__takes_the_same_arrays_again)
{
    double *w = doubles_filled(4, (double)NAN);
    int *x = INTS(1, 1);
    bm_hopfield_store(w, x, 1, 2);
    x[1] = -1;
    bm_hopfield_store(w, x, 1, 2);
    assert_near(w, ((double[]){0, -0.5, -0.5, 0}), SHAPE(2, 2), .name = "w of the second call",
                .formula = hebb);
}

// ---- 7: recall ----

// The Hebbian weights of patterns, with NAN on the diagonal, which is ignored.
static double *weights_of(const int *x, int count, int n)
{
    double *w = doubles_zero((size_t)n * (size_t)n);
    for (int p = 0; p < count; p++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) w[i * n + j] += (double)(x[p * n + i] * x[p * n + j]) / n;
    for (int i = 0; i < n; i++) w[i * n + i] = (double)NAN;
    return w;
}

static int recall(int *s, const double *w, int n, int most)
{
    for (int sweep = 1; sweep <= most; sweep++) {
        int changed = 0;
        for (int i = 0; i < n; i++) {
            double h = 0;
            for (int j = 0; j < n; j++) h += j == i ? 0 : w[i * n + j] * s[j];
            int next = fabs(h) <= 1e-9 || isnan(h) ? s[i] : h > 0 ? 1 : -1;
            changed += next != s[i];
            s[i] = next;
        }
        if (changed == 0) return sweep;
    }
    return 0;
}

static void check_recall(const int *start, const double *w, int n, int most)
{
    int *got = ints_copy(start, (size_t)n), *want = ints_copy(start, (size_t)n);
    double *before = doubles_copy(w, (size_t)n * (size_t)n);
    int sweeps = bm_hopfield_recall(got, w, n, most), right = recall(want, w, n, most);
    for (int i = 0; i < n; i++)
        assert_that(got[i] == want[i],
                    "unit %d: got %d, expected %d: the sign of h = sum_{j != i} w[i,j] s[j], with "
                    "the states of now; unchanged where h is 0",
                    i, got[i], want[i]);
    assert_integer("sweeps, with the one that changed nothing", sweeps, right);
    assert_kept("w", w, before, (size_t)n * (size_t)n);
}

CASE(hopfield_recall__repairs_a_damaged_pattern)
{
    int *x = patterns(370, 2, 60), *s = ints_copy(x, 60);
    double *w = weights_of(x, 2, 60);
    for (int i = 0; i < 60; i += 6) s[i] = -s[i];
    int sweeps = bm_hopfield_recall(s, w, 60, 100), wrong = 0;
    for (int i = 0; i < 60; i++) wrong += s[i] != x[i];
    assert_integer("wrong units after recall", wrong, 0);
    assert_integer("sweeps, with the one that changed nothing", sweeps, 2);
}

CASE(hopfield_recall__leaves_a_stored_pattern_and_returns_1)
{
    int *x = patterns(371, 1, 20), *s = ints_copy(x, 20);
    assert_integer("sweeps", bm_hopfield_recall(s, weights_of(x, 1, 20), 20, 5), 1);
    for (int i = 0; i < 20; i++) assert_integer("s", s[i], x[i]);
}

CASE(hopfield_recall__updates_one_unit_after_the_other)
{
    // All at once, the two units would exchange their states for ever.
    check_recall(INTS(1, -1), DOUBLES(0, 1, 1, 0), 2, 10);
    check_recall(INTS(1, 1), DOUBLES(0, -1, -1, 0), 2, 10);
    for (int n = 3; n <= 40; n += 9) {
        int *x = patterns(372 + (uint64_t)n, n / 3, n);
        check_recall(patterns(380 + (uint64_t)n, 1, n), weights_of(x, n / 3, n), n, 50);
    }
}

CASE(hopfield_recall__keeps_a_unit_whose_input_is_zero)
{
    check_recall(INTS(-1, 1, -1), DOUBLES(0, 0, 0, 0, 0, 0, 0, 0, 0), 3, 3);
    check_recall(INTS(-1), DOUBLES(5), 1, 3);
    check_recall(INTS(-1, 1, 1, -1, -1), weights_of(patterns(390, 2, 5), 2, 5), 5, 9);
    // 0.1 + 0.2 - 0.3 is 5.6e-17: a tie, too. 1e-8 is none.
    check_recall(INTS(-1, 1, 1, -1), DOUBLES(0, .1, .2, .3, .1, 0, 0, 0, .2, 0, 0, 0, .3, 0, 0, 0),
                 4, 1);
    check_recall(INTS(-1, 1), DOUBLES(0, 1e-8, 1e-8, 0), 2, 5);
}

CASE(hopfield_recall__stops_after_the_most_sweeps)
{
    int *x = patterns(391, 4, 30), *start = patterns(392, 1, 30);
    double *w = weights_of(x, 4, 30);
    int *end = ints_copy(start, 30), needed = recall(end, w, 30, 100);
    assert_that(needed >= 2, "this case needs another seed");
    check_recall(start, w, 30, needed);
    check_recall(start, w, 30, needed - 1);    // 0
    check_recall(start, w, 30, 1);
    check_recall(start, w, 30, 0);
}

CASE(hopfield_recall__keeps_a_unit_whose_input_is_nan)
{
    double *w = DOUBLES(0, (double)NAN, (double)NAN, 0);
    check_recall(INTS(-1, 1), w, 2, 4);
}

CASE(hopfield_recall__takes_the_same_arrays_again)
{
    double *w = DOUBLES(0, 1, 1, 0);
    int *s = INTS(1, -1);
    bm_hopfield_recall(s, w, 2, 10);
    w[1] = w[2] = -1;
    s[0] = 1, s[1] = 1;
    bm_hopfield_recall(s, w, 2, 10);
    assert_integer("s[0] + s[1] of the second call", s[0] + s[1], 0);
}

// ---- 8: the Ising model ----

static int metropolis(int *s, int L, double T, Rng *rng)
{
    int flips = 0;
    for (int r = 0; r < L; r++)
        for (int c = 0; c < L; c++) {
            int sum = s[(r + 1) % L * L + c] + s[(r + L - 1) % L * L + c] + s[r * L + (c + 1) % L] +
                      s[r * L + (c + L - 1) % L];
            int cost = 2 * s[r * L + c] * sum;
            if (cost > 0 && !((double)rng_uniform(rng) < exp(-cost / T))) continue;
            s[r * L + c] *= -1;
            flips++;
        }
    return flips;
}

static void check_ising(int L, double T, uint64_t seed, int sweeps)
{
    int *got = patterns(seed, 1, L * L), *want = ints_copy(got, (size_t)L * (size_t)L);
    Rng rng = rng_from_seed(seed), same = rng;
    for (int t = 0; t < sweeps; t++) {
        int flips = bm_ising(got, L, T, &rng), right = metropolis(want, L, T, &same);
        for (int i = 0; i < L * L; i++)
            assert_that(got[i] == want[i],
                        "L %d, T %g, sweep %d: spin [%d,%d] is %d, expected %d: dE = 2 s (sum of "
                        "four neighbours), flip where dE <= 0 or rng_uniform() < exp(-dE / T)",
                        L, T, t + 1, i / L, i % L, got[i], want[i]);
        assert_drawn(&rng, &same, "a draw where dE > 0 and none elsewhere");
        assert_integer("flips", flips, right);
    }
}

CASE(ising__follows_the_metropolis_rule)
{
    check_ising(4, 2, 400, 30);
    check_ising(5, 2.269, 401, 30);
    check_ising(16, 3, 402, 10);
    check_ising(33, 1, 403, 3);
}

CASE(ising__edges_meet)
{
    // Stripes of 3 on a lattice of 3: with free edges the corners would have two neighbours.
    int *s = INTS(1, 1, 1, -1, -1, -1, 1, 1, 1), *same = ints_copy(s, 9);
    Rng rng = rng_from_seed(404), copy = rng;
    bm_ising(s, 3, 0.01, &rng);
    metropolis(same, 3, 0.01, &copy);
    for (int i = 0; i < 9; i++) assert_integer("spin", s[i], same[i]);
    check_ising(2, 2, 405, 30);
}

CASE(ising__flips_at_no_cost_without_a_draw)
{
    // Every spin has two equal neighbours and two unequal ones: dE = 0.
    int *s = INTS(1, 1, -1, -1, 1, 1, -1, -1, -1, -1, 1, 1, -1, -1, 1, 1);
    Rng rng = rng_from_seed(406), before = rng;
    int *same = ints_copy(s, 16);
    Rng copy = rng;
    assert_integer("flips", bm_ising(s, 4, 1e-3, &rng), metropolis(same, 4, 1e-3, &copy));
    assert_drawn(&rng, &copy, "no draw where dE <= 0");
    assert_that(same[0] == -1 && before.increment == rng.increment, "this case is wrong");
}

CASE(ising__freezes_near_zero_and_melts_at_infinity)
{
    int *s = ints_filled(36, 1);
    Rng rng = rng_from_seed(407);
    assert_integer("flips at T = 1e-300 of equal spins", bm_ising(s, 6, 1e-300, &rng), 0);
    assert_integer("flips at T = infinity", bm_ising(s, 6, (double)INFINITY, &rng), 36);
}

CASE(ising__reaches_the_exact_energy_of_a_small_lattice)
{
    // All 512 states of 3 x 3.
    enum { L = 3, SWEEPS = 40000 };
    double T = 3, z = 0, exact = 0, mean = 0;
    int s[9];
    for (int k = 0; k < 512; k++) {
        int energy = 0;
        for (int i = 0; i < 9; i++) s[i] = k >> i & 1 ? 1 : -1;
        for (int i = 0; i < 9; i++) energy -= s[i] * (s[i / 3 * 3 + (i + 1) % 3] + s[(i + 3) % 9]);
        z += exp(-energy / T);
        exact += energy * exp(-energy / T);
    }
    int *spins = ints_filled(9, 1);
    Rng rng = rng_from_seed(408);
    for (int t = 0; t < SWEEPS; t++) {
        bm_ising(spins, L, T, &rng);
        for (int i = 0; i < 9; i++) {
            int row = i / 3;
            mean -=
                (double)(spins[i] * (spins[row * 3 + (i + 1) % 3] + spins[(i + 3) % 9])) / SWEEPS;
        }
    }
    assert_number(mean, exact / z, .name = "mean energy", .atol = 0.35,
                  .formula = "sum_s E exp(-E / T) / sum_s exp(-E / T)");
}

const struct CMUnitTest network_cases[] = {
    cmocka_unit_test(hopfield_store__matches_an_example_computed_by_hand),
    cmocka_unit_test(hopfield_store__handles_any_number_of_patterns_and_units),
    cmocka_unit_test(hopfield_store__of_no_pattern_is_zero),
    cmocka_unit_test(hopfield_store__takes_the_same_arrays_again),
    cmocka_unit_test(hopfield_recall__repairs_a_damaged_pattern),
    cmocka_unit_test(hopfield_recall__leaves_a_stored_pattern_and_returns_1),
    cmocka_unit_test(hopfield_recall__updates_one_unit_after_the_other),
    cmocka_unit_test(hopfield_recall__keeps_a_unit_whose_input_is_zero),
    cmocka_unit_test(hopfield_recall__stops_after_the_most_sweeps),
    cmocka_unit_test(hopfield_recall__keeps_a_unit_whose_input_is_nan),
    cmocka_unit_test(hopfield_recall__takes_the_same_arrays_again),
    cmocka_unit_test(ising__follows_the_metropolis_rule),
    cmocka_unit_test(ising__edges_meet),
    cmocka_unit_test(ising__flips_at_no_cost_without_a_draw),
    cmocka_unit_test(ising__freezes_near_zero_and_melts_at_infinity),
    cmocka_unit_test(ising__reaches_the_exact_energy_of_a_small_lattice),
    {0},
};
