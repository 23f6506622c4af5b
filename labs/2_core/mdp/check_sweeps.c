/* Exercises 7 to 9: the best values, by sweeps and by priority. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"
#include "common/arena.h"

// Russell and Norvig's 4 x 3 world, at -3 a step, 100 and -100 at its ends, which slips to either side
// with probability .1; states row by row from the top left, the wall left out.
static Mdp world_4x3(void)
{
    static const int cell[3][4] = {{0, 1, 2, 3}, {4, -1, 5, 6}, {7, 8, 9, 10}};
    Rule rules[9 * 4 * 3];
    size_t count = 0;
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 4; column++)
            for (int a = 0; a < 4; a++)
                for (int slip = -1; slip <= 1 && cell[row][column] >= 0; slip++) {
                    int d = (a + slip + 4) % 4, s = cell[row][column];
                    int y = row + (d == 2) - (d == 0), x = column + (d == 1) - (d == 3);
                    bool stays = y < 0 || y > 2 || x < 0 || x > 3 || cell[y][x] < 0;
                    int next = stays ? s : cell[y][x];
                    if (s == 3 || s == 6) continue;
                    rules[count++] = (Rule){s, a, next, slip == 0 ? .8 : .1,
                                            -3 + 100 * (next == 3) - 100 * (next == 6)};
                }
    return world_of(11, 4, 1, -1, rules, count);
}

static const double values_4x3[11] = {85.1819, 89.4007, 93.1507, 0,       81.4319, 68.3562,
                                      0,       77.2132, 73.4632, 69.5624, 47.3888};

// ---- 7 and 8: value iteration ----

static const char value_formula[] = "v'(s) = max_a backup(s,a), all from the old v";
static const char gauss_formula[] = "v(s) = max_a backup(s,a), s = 0, 1, ..., in place";

static MdpSweeps by_sweeps(double *v, const Mdp *mdp, double tolerance, int most)
{
    return mdp_value_iteration(v, mdp, tolerance, most, doubles_filled((size_t)mdp->states, NAN));
}

static MdpSweeps in_place(double *v, const Mdp *mdp, double tolerance, int most)
{
    return mdp_gauss_seidel(v, mdp, tolerance, most);
}

typedef MdpSweeps Solve(double *v, const Mdp *mdp, double tolerance, int most);

static double *solve(Solve *by, const Mdp *mdp)
{
    double *v = doubles_zero((size_t)mdp->states);
    assert_that(by(v, mdp, 1e-13, 100000).change <= 1e-13, "did not converge in 100000 sweeps");
    return v;
}

static void check_published(Solve *by, const char *formula)
{
    static const double discounts[] = {0.99, 0.9, 1}, lakes[] = {.5420259320, .0688909, 14. / 17};
    Mdp student = world_student_actions(), grid = world_grid_5x5(), cliff = world_cliff(),
        rooms = world_4x3(), gambler = world_gambler(0.4);
    assert_near(solve(by, &student), ((double[]){6, 6, 8, 10, 0}), SHAPE(5),
                .name = "v of the student", .atol = 1e-10, .formula = formula);
    assert_near(solve(by, &grid), grid_5x5_best, SHAPE(5, 5), .name = "v of figure 3.5",
                .atol = 0.05001, .formula = formula);
    assert_number(solve(by, &grid)[1], 10 / (1 - pow(0.9, 5)), .name = "v of A", .atol = 1e-10,
                  .formula = formula);
    assert_near(solve(by, &rooms), values_4x3, SHAPE(11), .name = "v of the 4x3 world",
                .atol = 0.0000501, .formula = formula);
    double *v = solve(by, &cliff), *w = solve(by, &gambler);
    assert_number(v[36], -13, .name = "v[36] of the cliff", .formula = formula);
    assert_number(v[47], 0, .name = "v[47] of the cliff", .exact = true, .formula = formula);
    assert_near(DOUBLES(w[25], w[50], w[75], w[0], w[100]), ((double[]){.16, .4, .64, 0, 0}),
                SHAPE(5), .name = "v of the gambler", .atol = 1e-10, .formula = formula);
    for (int k = 0; k < 3; k++) {
        Mdp lake = world_lake(discounts[k], true);
        assert_number(solve(by, &lake)[0], lakes[k], .name = "v[0] of FrozenLake",
                      .atol = k == 1 ? 1e-7 : 1e-9, .formula = formula);
    }
}

static void check_sweeps(Solve *by, const char *formula)
{
    Mdp mdp = world_halving();
    double *v = DOUBLES(0);
    MdpSweeps done = by(v, &mdp, 0.5, 100);
    assert_integer("sweeps", done.sweeps, 2);
    assert_number(done.change, 0.5, .name = "change", .formula = formula);
    done = by(v, &mdp, 0.1, 1);
    assert_integer("sweeps of at most 1", done.sweeps, 1);
    assert_number(v[0], 1.75, .name = "v, from where it was", .formula = formula);
    done = by(v, &mdp, 0.1, 0);
    assert_integer("sweeps of at most 0", done.sweeps, 0);
    assert_number(done.change, INFINITY, .name = "change before the first sweep");
    assert_number(v[0], 1.75, .name = "v of no sweep", .exact = true);
}

static void check_random(Solve *by, const char *formula)
{
    static const int sizes[] = {2, 3, 40, 1500};
    for (int k = 0; k < 4; k++) {
        Mdp mdp = world_random(70 + (uint64_t)k, sizes[k], 3 + k, 3, 0.9);
        assert_number(residual(solve(by, &mdp), &mdp, NULL), 0, .name = "|max_a q(s,a) - v(s)|",
                      .atol = 1e-12, .formula = formula);
    }
}

static void check_not_finite(Solve *by, const char *formula)
{
    static const double rewards[] = {NAN, INFINITY, 1e308};
    for (int k = 0; k < 3; k++) {
        Mdp mdp = world_not_finite(rewards[k]);
        double *v = doubles_zero(4), reward = rewards[k];
        MdpSweeps done = by(v, &mdp, 1e-9, 4);
        assert_near(v, ((double[]){reward / 2, reward, 1e300, 0}), SHAPE(4), .name = "v",
                    .formula = formula);
        if (k == 0) assert_number(done.change, NAN, .name = "change", .formula = formula);
    }
}

CASE(value_iteration__solves_the_published_worlds)
{
    check_published(by_sweeps, value_formula);
}
CASE(value_iteration__ends_at_the_tolerance_or_after_most_sweeps)
{
    check_sweeps(by_sweeps, value_formula);
}
CASE(value_iteration__is_optimal_on_random_worlds)
{
    check_random(by_sweeps, value_formula);
}
CASE(value_iteration__takes_rewards_of_any_size_and_nan)
{
    check_not_finite(by_sweeps, value_formula);
}

// Rewards of 1 for each step down to state 0, or up to state 9.
static Mdp world_steps(bool down)
{
    Rule rules[9];
    for (int i = 0; i < 9; i++)
        rules[i] = down ? (Rule){i + 1, 0, i, 1, 1} : (Rule){i, 0, i + 1, 1, 1};
    return world_of(10, 1, 1, -1, rules, 9);
}

CASE(value_iteration__uses_only_values_of_the_sweep_before)
{
    Mdp mdp = world_steps(true);
    double *v = doubles_zero(10), *want = doubles_zero(10);
    for (int k = 1; k <= 10; k++) {
        MdpSweeps done = by_sweeps(v, &mdp, 0, 1);
        for (int s = 0; s < 10; s++) want[s] = fmin(s, k);
        assert_near(v, want, SHAPE(10), .name = "v", .formula = value_formula);
        assert_number(done.change, k < 10, .name = "change", .formula = value_formula);
    }
}

CASE(gauss_seidel__solves_the_published_worlds)
{
    check_published(in_place, gauss_formula);
}
CASE(gauss_seidel__ends_at_the_tolerance_or_after_most_sweeps)
{
    check_sweeps(in_place, gauss_formula);
}
CASE(gauss_seidel__is_optimal_on_random_worlds)
{
    check_random(in_place, gauss_formula);
}
CASE(gauss_seidel__takes_rewards_of_any_size_and_nan)
{
    check_not_finite(in_place, gauss_formula);
}

CASE(gauss_seidel__uses_the_new_values_of_the_states_before)
{
    Mdp down = world_steps(true), up = world_steps(false);
    double *v = doubles_zero(10), *u = doubles_zero(10);
    assert_number(in_place(v, &down, 0, 1).change, 9, .name = "change", .formula = gauss_formula);
    in_place(u, &up, 0, 2);
    assert_near(v, ((double[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), SHAPE(10), .name = "v",
                .formula = gauss_formula);
    assert_near(u, ((double[]){2, 2, 2, 2, 2, 2, 2, 2, 1, 0}), SHAPE(10), .name = "v",
                .formula = gauss_formula);
}

// ---- 9: prioritized sweeping ----

static const char prioritized_formula[] = "v[s] = max_a backup(s,a), the largest change first";

static double priority_of(const double *v, const Mdp *mdp, int s)
{
    double best = -INFINITY;
    for (int a = 0; a < mdp->actions; a++)
        if (mdp_allowed(mdp, s, a)) best = fmax(best, value_of(v, mdp, s, a));
    return mdp->terminal[s] ? 0 : fabs(best - v[s]);
}

static size_t sweep(double *v, const Mdp *mdp, double tolerance, size_t most)
{
    Arena *arena = arena_new("queue", (size_t)1 << 24);
    MdpQueue queue = mdp_queue_new(arena, mdp);
    size_t updates = mdp_prioritized_sweeping(v, mdp, tolerance, most, &queue);
    assert_that(updates == most || queue.count == 0, "%d states are left in the queue",
                queue.count);
    arena_free(arena);
    return updates;
}

// Against a list of priorities, for at most 1, 2, ... updates.
static void check_order(uint64_t seed)
{
    enum { S = 12 };
    Mdp mdp = world_random(seed, S, 3, 2, 0.8);
    double *want = doubles_zero(S), priority[S];
    for (int s = 0; s < S; s++) {
        double p = priority_of(want, &mdp, s);
        priority[s] = p > 1e-3 ? p : 0;
    }
    for (size_t most = 1; most <= 60; most++) {
        int first = 0, tied = -1;    // of those waiting, whose priority is not 0
        for (int s = 1; s < S; s++)
            if (priority[s] > priority[first]) first = s;
        for (int s = 0; s < S; s++) tied += priority[s] > priority[first] - 1e-9;
        if (tied > 0) return;    // rounding would decide
        double best = -INFINITY;
        for (int a = 0; a < 3; a++)
            if (mdp_allowed(&mdp, first, a)) best = fmax(best, value_of(want, &mdp, first, a));
        want[first] = best;
        priority[first] = 0;
        for (int s = 0; s < S; s++) {
            bool precedes = false;
            for (int i = mdp.first[3 * s]; i < mdp.first[3 * s + 3]; i++)
                precedes = precedes || mdp.outcomes[i].next == first;
            double p = priority_of(want, &mdp, s);
            if (precedes && p > 1e-3) priority[s] = p;
        }
        double *v = doubles_zero(S);
        if (sweep(v, &mdp, 1e-3, most) < most) break;
        assert_near(v, want, SHAPE(S), .name = "v", .formula = prioritized_formula);
    }
}

CASE(prioritized__makes_its_updates_in_order_of_priority)
{
    for (uint64_t seed = 90; seed < 98; seed++) check_order(seed);
}

CASE(prioritized__updates_each_state_of_a_corridor_once)
{
    Rule up[999];
    for (int i = 0; i < 999; i++) up[i] = (Rule){i, 0, i + 1, 1, i == 998};
    Mdp mdp = world_of(1000, 1, 0.99, -1, up, 999);
    double *v = doubles_zero(1000);
    assert_integer("updates", (int64_t)sweep(v, &mdp, 0, 100000), 999);
    assert_number(v[0], pow(0.99, 998), .name = "v[0]", .formula = prioritized_formula);
    assert_integer("updates of values that are right", (int64_t)sweep(v, &mdp, 1e-12, 10), 0);
}

CASE(prioritized__leaves_no_priority_above_tolerance)
{
    static const double tolerances[] = {1e-12, 1e-3, 0.5};
    Mdp worlds[] = {world_random(91, 300, 4, 3, 0.9), world_lake(0.99, true), world_cliff()};
    for (int k = 0; k < 9; k++) {
        const Mdp *mdp = &worlds[k / 3];
        double *v = doubles_zero((size_t)mdp->states);
        sweep(v, mdp, tolerances[k % 3], 1000000);
        assert_that(residual(v, mdp, NULL) <= tolerances[k % 3] * (1 + 1e-9),
                    "a priority is %g, above the tolerance %g", residual(v, mdp, NULL),
                    tolerances[k % 3]);
    }
}

CASE(prioritized__stops_at_the_tolerance_and_at_most)
{
    Mdp mdp = world_halving();
    double *v = DOUBLES(0), *u = DOUBLES(0);
    assert_integer("updates", (int64_t)sweep(v, &mdp, 0.25, 100), 2);
    assert_number(v[0], 1.5, .name = "v where the priority is equal to the tolerance",
                  .formula = prioritized_formula);
    assert_integer("updates of at most 2^40",
                   (int64_t)sweep(DOUBLES(0), &mdp, 0.25, (size_t)1 << 40), 2);
    assert_integer("updates of at most 0", (int64_t)sweep(u, &mdp, 0.25, 0), 0);
    assert_number(u[0], 0, .name = "v of no update", .exact = true);
}

CASE(prioritized__takes_rewards_of_any_size_and_passes_a_nan_by)
{
    static const double rewards[] = {NAN, 1e308};
    for (int k = 0; k < 2; k++) {
        Mdp mdp = world_not_finite(rewards[k]);
        double *v = doubles_zero(4), reward = k == 0 ? 0 : rewards[k];
        assert_integer("updates", (int64_t)sweep(v, &mdp, 1e-9, 100), k == 0 ? 1 : 3);
        assert_near(v, ((double[]){reward / 2, reward, 1e300, 0}), SHAPE(4), .name = "v",
                    .formula = prioritized_formula);
    }
}

const struct CMUnitTest sweep_cases[] = {
    cmocka_unit_test(value_iteration__solves_the_published_worlds),
    cmocka_unit_test(value_iteration__ends_at_the_tolerance_or_after_most_sweeps),
    cmocka_unit_test(value_iteration__is_optimal_on_random_worlds),
    cmocka_unit_test(value_iteration__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(value_iteration__uses_only_values_of_the_sweep_before),
    cmocka_unit_test(gauss_seidel__solves_the_published_worlds),
    cmocka_unit_test(gauss_seidel__ends_at_the_tolerance_or_after_most_sweeps),
    cmocka_unit_test(gauss_seidel__is_optimal_on_random_worlds),
    cmocka_unit_test(gauss_seidel__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(gauss_seidel__uses_the_new_values_of_the_states_before),
    cmocka_unit_test(prioritized__makes_its_updates_in_order_of_priority),
    cmocka_unit_test(prioritized__updates_each_state_of_a_corridor_once),
    cmocka_unit_test(prioritized__leaves_no_priority_above_tolerance),
    cmocka_unit_test(prioritized__stops_at_the_tolerance_and_at_most),
    cmocka_unit_test(prioritized__takes_rewards_of_any_size_and_passes_a_nan_by),
    {0},
};
