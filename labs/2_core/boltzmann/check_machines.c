/* Exercises 3 to 5: energy, probabilities, Gibbs sampling. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

static const double not_a_number = (double)NAN;

// ---- 3: the energy ----

static const char energy_formula[] = "E(s) = -sum_i b[i] s[i] - sum_{i<j} w[i,j] s[i] s[j]";

static void expect_energy(const Machine *m, const int *s, double want)
{
    assert_number(bm_energy(s, m->w, m->b, m->n), want, .name = "E", .formula = energy_formula,
                  .atol = 1e-12);
}

CASE(energy__matches_an_example_computed_by_hand)
{
    // Pairs: w01 = 2, w02 = -1, w12 = 4.
    Machine m = {3, DOUBLES(0, 2, -1, 2, 0, 4, -1, 4, 0), DOUBLES(0.5, -1, 3)};
    expect_energy(&m, INTS(0, 0, 0), 0);
    expect_energy(&m, INTS(1, 0, 0), -0.5);
    expect_energy(&m, INTS(1, 1, 0), -(0.5 - 1) - 2);
    expect_energy(&m, INTS(1, 1, 1), -(0.5 - 1 + 3) - (2 - 1 + 4));
}

CASE(energy__handles_states_of_minus_one_and_plus_one)
{
    Machine m = {3, DOUBLES(0, 2, -1, 2, 0, 4, -1, 4, 0), DOUBLES(0.5, -1, 3)};
    expect_energy(&m, INTS(-1, -1, -1), 0.5 - 1 + 3 - 5);
    expect_energy(&m, INTS(1, -1, 1), -(0.5 + 1 + 3) - (-2 - 1 - 4));
}

CASE(energy__counts_every_pair_once_in_any_size)
{
    for (int n = 1; n <= 17; n++) {
        Machine m = machine_random(300 + (uint64_t)n, n, 1);
        Rng rng = rng_from_seed((uint64_t)n);
        int *s = ints_filled((size_t)n, 0), *before;
        for (int i = 0; i < n; i++) s[i] = (int)rng_below(&rng, 3) - 1;
        before = ints_copy(s, (size_t)n);
        expect_energy(&m, s, energy_of(&m, s));
        for (int i = 0; i < n; i++) assert_integer("s, an input", s[i], before[i]);
    }
}

CASE(energy__is_computed_in_double)
{
    Machine m = {2, DOUBLES(0, 1e-9, 1e-9, 0), DOUBLES(1, 1e-10)};
    assert_number(bm_energy(INTS(1, 1), m.w, m.b, 2), -1.0000000011, .name = "E",
                  .formula = energy_formula, .atol = 1e-15);
    m = (Machine){2, DOUBLES(0, 1e300, 1e300, 0), DOUBLES(1, 2)};
    expect_energy(&m, INTS(1, 1), -1e300);
}

CASE(energy__propagates_nan)
{
    Machine m = {2, DOUBLES(0, 1, 1, 0), DOUBLES(not_a_number, 1)};
    expect_energy(&m, INTS(1, 1), not_a_number);
    expect_energy(&m, INTS(0, 1), not_a_number);
    m = (Machine){2, DOUBLES(0, not_a_number, not_a_number, 0), DOUBLES(1, 1)};
    expect_energy(&m, INTS(1, 1), not_a_number);
}

CASE(energy__takes_the_same_arrays_again_with_other_contents)
{
    Machine m = {2, DOUBLES(0, 1, 1, 0), DOUBLES(1, 1)};
    int *s = INTS(1, 1);
    expect_energy(&m, s, -3);
    m.w[1] = m.w[2] = 5;
    expect_energy(&m, s, -7);
    s[0] = 0;
    expect_energy(&m, s, -1);
}

// ---- 4: probabilities of all states ----

static const char probability_formula[] = "p[k] = exp(-E(s)) / Z, with s[i] = k >> i & 1";

static void check_probabilities(const Machine *m)
{
    size_t states = (size_t)1 << m->n, n = (size_t)m->n;
    double *want = doubles_zero(states), *p = doubles_filled(states, not_a_number),
           *before = doubles_copy(m->b, n);
    double log_z = enumerate(m, want), got = bm_probabilities(p, m->w, m->b, m->n);
    assert_near(p, want, SHAPE((int)states), .name = "p", .formula = probability_formula,
                .atol = 1e-10, .rtol = 1e-10);
    assert_number(got, log_z, .name = "log Z", .formula = "log Z = log sum_k exp(-E)",
                  .atol = 1e-10, .rtol = 1e-12);
    assert_kept("b", m->b, before, n);
}

CASE(probabilities__of_two_units_are_those_computed_by_hand)
{
    // exp(-E): 1, 2, 3, and 2 * 3 * 4.
    double *p = doubles_filled(4, not_a_number),
           log_z = bm_probabilities(p, DOUBLES(0, log(4), log(4), 0), DOUBLES(log(2), log(3)), 2);
    assert_near(p, ((double[]){1 / 30.0, 2 / 30.0, 3 / 30.0, 24 / 30.0}), SHAPE(4), .name = "p",
                .formula = probability_formula);
    assert_number(log_z, log(30), .name = "log Z", .rtol = 1e-13);
}

CASE(probabilities__match_enumeration_of_any_number_of_units)
{
    for (int n = 1; n <= 9; n++) {
        Machine m = machine_random(310 + (uint64_t)n, n, 1);
        check_probabilities(&m);
    }
}

CASE(probabilities__match_enumeration_of_twenty_units)
{
    Machine m = machine_random(320, 20, 0.5);
    check_probabilities(&m);
}

CASE(probabilities__handle_energies_beyond_the_range_of_exp)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double *p = doubles_filled(4, not_a_number);
        double log_z = bm_probabilities(p, DOUBLES(0, 0, 0, 0), DOUBLES(sign * 2000.0, 1), 2),
               on = 1 / (1 + exp(-1));
        double want[4] = {sign < 0 ? 1 - on : 0, sign < 0 ? 0 : 1 - on, sign < 0 ? on : 0,
                          sign < 0 ? 0 : on};
        assert_near(p, want, SHAPE(4), .name = "p", .formula = probability_formula);
        double on_z = sign > 0 ? 2000 : 0;
        assert_number(log_z, on_z + log1p(exp(1)), .name = "log Z", .rtol = 1e-13);
    }
    Machine m = machine_random(321, 6, 300);
    check_probabilities(&m);
}

CASE(probabilities__sum_to_one)
{
    Machine m = machine_random(322, 12, 2);
    double *p = doubles_filled(4096, not_a_number), sum = 0;
    bm_probabilities(p, m.w, m.b, 12);
    for (int k = 0; k < 4096; k++) sum += p[k];
    assert_number(sum, 1, .name = "sum of p", .atol = 1e-12);
}

CASE(probabilities__propagate_nan)
{
    double *p = doubles_filled(4, 1);
    double log_z = bm_probabilities(p, DOUBLES(0, 0, 0, 0), DOUBLES(not_a_number, 1), 2);
    assert_number(log_z, not_a_number, .name = "log Z");
    assert_near(p, ((double[]){not_a_number, not_a_number, not_a_number, not_a_number}), SHAPE(4),
                .name = "p", .formula = "all depend on Z");
}

CASE(probabilities__take_the_same_arrays_again)
{
    double *w = DOUBLES(0, 0, 0, 0), *b = DOUBLES(0, 0), *p = doubles_filled(4, 9);
    bm_probabilities(p, w, b, 2);
    b[1] = log(3);
    assert_number(bm_probabilities(p, w, b, 2), log(8), .name = "log Z of the second call");
    assert_near(p, ((double[]){0.125, 0.125, 0.375, 0.375}), SHAPE(4),
                .name = "p of the second call", .formula = probability_formula);
}

// ---- 5: Gibbs sampling ----

// A sweep by the contract.
static void sweep(int *s, const Machine *m, Rng *rng)
{
    for (int i = 0; i < m->n; i++) {
        double x = m->b[i];
        for (int j = 0; j < m->n; j++) x += j == i ? 0 : m->w[i * m->n + j] * s[j];
        s[i] = (double)rng_uniform(rng) < 1 / (1 + exp(-x));
    }
}

static void check_gibbs(const Machine *m, uint64_t seed, int sweeps)
{
    size_t n = (size_t)m->n;
    int *got = ints_filled(n, 0), *want = ints_filled(n, 0);
    Rng rng = rng_from_seed(seed), same = rng;
    double *before = doubles_copy(m->b, n);
    for (int t = 0; t < sweeps; t++) {
        bm_gibbs(got, m->w, m->b, m->n, &rng);
        sweep(want, m, &same);
        for (int i = 0; i < m->n; i++)
            assert_that(got[i] == want[i],
                        "sweep %d, unit %d: got %d, expected %d: rng_uniform() below "
                        "sigmoid(b[i] + sum_{j != i} w[i,j] s[j]), with the new states of the "
                        "units before it",
                        t + 1, i, got[i], want[i]);
        assert_drawn(&rng, &same, "one rng_uniform() for each unit");
    }
    assert_kept("b", m->b, before, n);
}

CASE(gibbs__draws_each_unit_given_the_others)
{
    for (int n = 1; n <= 9; n++) {
        Machine m = machine_random(330 + (uint64_t)n, n, 1);
        check_gibbs(&m, 340 + (uint64_t)n, 50);
    }
    Machine large = machine_random(331, 101, 0.3);
    check_gibbs(&large, 332, 5);
}

CASE(gibbs__uses_units_that_have_moved_already)
{
    // Unit 1 copies unit 0, which is always on.
    for (uint64_t seed = 0; seed < 20; seed++) {
        int *s = INTS(0, 0);
        Rng rng = rng_from_seed(seed);
        bm_gibbs(s, DOUBLES(0, 200, 200, 0), DOUBLES(100, -100), 2, &rng);
        assert_that(s[0] == 1 && s[1] == 1,
                    "got states %d %d, expected 1 1: unit 1 has to see that unit 0 is on now", s[0],
                    s[1]);
    }
}

CASE(gibbs__handles_inputs_beyond_the_range_of_exp)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        int *s = INTS(0, 1, 0);
        Rng rng = rng_from_seed(seed);
        bm_gibbs(s, DOUBLES(0, 0, 0, 0, 0, 0, 0, 0, 0), DOUBLES(1e4, -1e4, 800), 3, &rng);
        assert_that(s[0] == 1 && s[1] == 0 && s[2] == 1, "got states %d %d %d, expected 1 0 1",
                    s[0], s[1], s[2]);
    }
}

CASE(gibbs__visits_states_with_their_probabilities)
{
    enum { N = 4, STATES = 16, SWEEPS = 40000 };
    Machine m = machine_random(350, N, 0.8);
    double *p = doubles_zero(STATES), *share = doubles_zero(STATES);
    int *s = ints_filled(N, 0);
    Rng rng = rng_from_seed(351);
    enumerate(&m, p);
    for (int t = 0; t < SWEEPS; t++) {
        bm_gibbs(s, m.w, m.b, N, &rng);
        share[s[0] | s[1] << 1 | s[2] << 2 | s[3] << 3] += 1.0 / SWEEPS;
    }
    // A share of 0.3 of independent sweeps has a standard deviation of 0.0023.
    assert_near(share, p, SHAPE(STATES), .name = "share of the sweeps in each state",
                .formula = probability_formula, .atol = 0.012);
}

CASE(gibbs__continues_the_generator_it_is_given)
{
    Machine m = machine_random(352, 5, 0.1);
    Rng rng = rng_from_seed(353);
    int *first = ints_filled(5, 0), *second = ints_filled(5, 0), different = 0;
    for (int t = 0; t < 20; t++) {
        bm_gibbs(first, m.w, m.b, 5, &rng);
        for (int i = 0; i < 5; i++) second[i] = 0;
        bm_gibbs(second, m.w, m.b, 5, &rng);
        for (int i = 0; i < 5; i++) different += first[i] != second[i];
    }
    assert_that(different > 0, "20 pairs of sweeps were equal: each has to draw anew");
}

const struct CMUnitTest machine_cases[] = {
    cmocka_unit_test(energy__matches_an_example_computed_by_hand),
    cmocka_unit_test(energy__handles_states_of_minus_one_and_plus_one),
    cmocka_unit_test(energy__counts_every_pair_once_in_any_size),
    cmocka_unit_test(energy__is_computed_in_double),
    cmocka_unit_test(energy__propagates_nan),
    cmocka_unit_test(energy__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(probabilities__of_two_units_are_those_computed_by_hand),
    cmocka_unit_test(probabilities__match_enumeration_of_any_number_of_units),
    cmocka_unit_test(probabilities__match_enumeration_of_twenty_units),
    cmocka_unit_test(probabilities__handle_energies_beyond_the_range_of_exp),
    cmocka_unit_test(probabilities__sum_to_one),
    cmocka_unit_test(probabilities__propagate_nan),
    cmocka_unit_test(probabilities__take_the_same_arrays_again),
    cmocka_unit_test(gibbs__draws_each_unit_given_the_others),
    cmocka_unit_test(gibbs__uses_units_that_have_moved_already),
    cmocka_unit_test(gibbs__handles_inputs_beyond_the_range_of_exp),
    cmocka_unit_test(gibbs__visits_states_with_their_probabilities),
    cmocka_unit_test(gibbs__continues_the_generator_it_is_given),
    {0},
};
