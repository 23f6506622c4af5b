/* The worlds against what was published of them: Gymnasium's tables, and values in the literature. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/device.h"
#include "labs/2_core/mdp/mdp.h"
#include "labs/2_core/mdp/solve/qlearn.h"
#include "labs/2_core/mdp/solve/solver.h"
#include "labs/2_core/mdp/solve/sweeper.h"
#include "labs/2_core/mdp/worlds/world.h"

static Arena *keep;

static int begin(void **state)
{
    (void)state;
    keep = arena_new("test", (size_t)4 << 30);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static World *named(const char *name)
{
    Error err = {""};
    World *world = world_named(keep, name, &err);
    if (world == NULL) fail_msg("%s", err.message);
    return world;
}

static void expect(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: got %.12g, expected %.12g within %g", what, got, want, tolerance);
}

static Optimum solved(const World *world)
{
    Optimum best = solver_optimum(keep, &world->mdp, NULL, NULL);
    if (!best.converged) fail_msg("%s: did not converge", world->name);
    return best;
}

static int state_of(const World *world, const char *name)
{
    for (int s = 0; s < world->mdp.states; s++)
        if (strcmp(world->state_names[s], name) == 0) return s;
    fail_msg("%s: no state '%s'", world->name, name);
    return -1;
}

// ---- Gymnasium ----

// What is left of each outcome's probability once the rows of the fixture are taken from it: 0. One
// that ends the episode there leads to a terminal state here.
static void take_row(const World *world, double *left, int state, int action, double probability,
                     int next, double reward, int done)
{
    const Mdp *mdp = &world->mdp;
    assert_in_range(state, 0, mdp->states - 1);
    assert_in_range(action, 0, mdp->actions - 1);
    if (mdp->terminal[state]) return;
    int row = state * mdp->actions + action;
    for (int i = mdp->first[row]; i < mdp->first[row + 1]; i++) {
        const Transition *t = &mdp->outcomes[i];
        bool same = done ? mdp->terminal[t->next] && (t->next == next || t->next == 500)
                         : t->next == next && !mdp->terminal[next];
        if (!same || t->reward != reward) continue;
        left[i] -= probability;
        return;
    }
    fail_msg("%s: state %d, action %d to %d with reward %g is missing", world->name, state, action,
             next, reward);
}

static void the_tables_are_those_of_gymnasium(void **state)
{
    (void)state;
    char name[64] = "", line[256];
    World *world = NULL;
    double *left = NULL;
    int rows = 0, worlds = 0;
    FILE *file = fopen(GYMNASIUM_CSV, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    for (bool more = true; more; rows++) {
        char its[64] = "";
        int s = 0, action = 0, next = 0, done = 0;
        double probability = 0, reward = 0;
        more = fgets(line, sizeof line, file) != NULL &&
               sscanf(line, "%63[^,],%d,%d,%lf,%d,%lf,%d", its, &s, &action, &probability, &next,
                      &reward, &done) == 7;
        if (strcmp(its, name) != 0) {
            int outcomes =
                world != NULL ? world->mdp.first[world->mdp.states * world->mdp.actions] : 0;
            for (int i = 0; i < outcomes; i++) expect(name, left[i], 0, 1e-15);
            if (!more) break;
            strcpy(name, its);
            world = named(name);
            worlds++;
            outcomes = world->mdp.first[world->mdp.states * world->mdp.actions];
            left = arena_alloc(keep, (size_t)outcomes * sizeof *left);
            for (int i = 0; i < outcomes; i++) left[i] = world->mdp.outcomes[i].probability;
        }
        take_row(world, left, s, action, probability, next, reward, done);
    }
    fclose(file);
    assert_int_equal(worlds, 5);
    assert_int_equal(rows, 4088);
}

// ---- published values ----

static void optimal_values_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        const char *world, *state;
        double discount, value, tolerance;    // the last digit that was printed
    } known[] = {
        {"student", "Class 1", 1, -12.54, 0.006},    // -13, 1.5, 4.3, 0.8, -23 on the slides
        {"student", "Class 2", 1, 1.46, 0.006},
        {"student", "Class 1", 0.9, -5.0, 0.05},
        {"student", "Facebook", 0.9, -7.6, 0.05},
        {"student_mdp", "Facebook", 1, 6, 1e-12},
        {"student_mdp", "Class 1", 1, 6, 1e-12},
        {"student_mdp", "Class 3", 1, 10, 1e-12},
        {"gridworld5", "0,1", 0.9, 24.4, 0.05},
        {"gridworld5", "4,4", 0.9, 11.7, 0.05},
        {"aima", "0,0", 1, 0.812, 0.0005},
        {"aima", "2,0", 1, 0.705, 0.0005},
        {"aima", "2,3", 1, 0.388, 0.0005},
        {"windy", "3,0", 1, -15, 1e-12},
        {"windy_king", "3,0", 1, -7, 1e-12},
        {"cliff", "3,0", 1, -13, 1e-12},
        {"cliff", "3,11", 1, 0, 0},
        {"maze", "2,0", 0.95, 0.5133420832795048, 1e-12},    // 0.95^13: the goal is 14 steps away
        {"walk5", "A", 1, 1 / 6.0, 1e-12},
        {"walk5", "E", 1, 5 / 6.0, 1e-12},
        {"walk19", "1", 1, -0.9, 1e-12},
        {"gambler", "50", 1, 0.4, 1e-12},
        {"gambler", "25", 1, 0.16, 1e-12},
        {"frozenlake4", "0,0", 0.99, 0.5420259320, 1e-9},
        {"frozenlake4", "0,0", 0.9, 0.0688909, 1e-7},
        {"frozenlake4", "0,0", 1, 14 / 17.0, 1e-9},
        {"frozenlake8", "0,0", 0.99, 0.4146, 0.00005},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        World *world = named(known[i].world);
        world->mdp.discount = known[i].discount;
        expect(arena_print(keep, "%s, state %s", known[i].world, known[i].state),
               solved(world).values[state_of(world, known[i].state)], known[i].value,
               known[i].tolerance);
    }
}

static void action_values_of_the_cliff_follow_the_fall(void **state)
{
    (void)state;
    World *world = named("cliff");
    Optimum best = solved(world);
    int s = state_of(world, "3,2");    // of the cliff: nothing leads there
    expect("up from 3,2", best.action_values[s * 4], -11, 1e-12);
    expect("right from 3,2", best.action_values[s * 4 + 1], -113, 1e-12);
}

static void the_random_policy_has_the_published_values(void **state)
{
    (void)state;
    static const double four[16] = {0,   -14, -20, -22, -14, -18, -20, -20,
                                    -20, -20, -18, -14, -22, -20, -14, 0};
    static const double five[25] = {3.3,  8.8,  4.4,  5.3,  1.5,  1.5,  3.0,  2.3,  1.9,
                                    0.5,  0.1,  0.7,  0.7,  0.4,  -0.4, -1.0, -0.4, -0.4,
                                    -0.6, -1.2, -1.9, -1.3, -1.2, -1.4, -2.0};
    double policy[100], v[25] = {0}, next[25];
    for (int i = 0; i < 100; i++) policy[i] = 0.25;
    mdp_evaluate(v, &named("gridworld4")->mdp, policy, 1e-13, 100000, next);
    for (int s = 0; s < 16; s++) expect("gridworld4", v[s], four[s], 1e-9);
    memset(v, 0, sizeof v);
    mdp_evaluate(v, &named("gridworld5")->mdp, policy, 1e-13, 100000, next);
    for (int s = 0; s < 25; s++) expect("gridworld5", v[s], five[s], 0.05);
}

// ---- car rental ----

static double poisson(int n, double mean)
{
    return exp(n * log(mean) - mean - lgamma(n + 1));
}

// One garage by brute force, requests and returns up to 60: what is cut off is below 1e-40.
static void one_day(double *closing, double *rentals, int cars, double requests, double returns)
{
    for (int n = 0; n <= 20; n++) closing[n] = 0;
    *rentals = 0;
    for (int wanted = 0; wanted <= 60; wanted++)
        for (int back = 0; back <= 60; back++) {
            int rented = wanted < cars ? wanted : cars, left = cars - rented + back;
            double p = poisson(wanted, requests) * poisson(back, returns);
            closing[left < 20 ? left : 20] += p;
            *rentals += p * rented;
        }
}

static void car_rental_is_exact_and_loses_no_probability(void **state)
{
    (void)state;
    static const int trials[][3] = {{10, 8, 3}, {18, 17, 5}, {0, 20, -5}, {20, 20, 0}, {3, 0, 2}};
    World *world = named("rental");
    const Mdp *mdp = &world->mdp;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        int first = trials[i][0], second = trials[i][1], move = trials[i][2];
        // There is no room for more than 20: what is moved beyond that is the company's.
        int morning[2] = {first - move < 20 ? first - move : 20,
                          second + move < 20 ? second + move : 20};
        double closing[2][21], rentals[2], reward = 0, sum = 0;
        one_day(closing[0], &rentals[0], morning[0], 3, 3);
        one_day(closing[1], &rentals[1], morning[1], 4, 2);
        int row = (first * 21 + second) * mdp->actions + move + 5;
        for (int o = mdp->first[row]; o < mdp->first[row + 1]; o++) {
            const Transition *t = &mdp->outcomes[o];
            expect("probability", t->probability,
                   closing[0][t->next / 21] * closing[1][t->next % 21], 1e-14);
            reward += t->probability * t->reward;
            sum += t->probability;
        }
        expect("sum", sum, 1, 1e-14);
        expect("expected reward", reward, 10 * (rentals[0] + rentals[1]) - 2 * abs(move), 1e-11);
    }
    int cannot = (3 * 21 + 0) * mdp->actions + 4 + 5;    // 4 of 3 cars
    assert_int_equal(mdp->first[cannot], mdp->first[cannot + 1]);
}

// ---- all of them ----

static void every_world_is_well_formed(void **state)
{
    (void)state;
#define X(name) #name,
    static const char *const names[] = {WORLD_LIST(X)};
#undef X
    for (size_t w = 0; w < sizeof names / sizeof *names; w++) {
        World *world = named(names[w]);
        const Mdp *mdp = &world->mdp;
        Error err = {""};
        if (!world_check(keep, world, &err)) fail_msg("%s", err.message);
        assert_string_equal(world->name, names[w]);
        for (int s = 0; s < mdp->states; s++) {
            int allowed = 0;
            for (int a = 0; a < mdp->actions; a++) {
                double sum = 0;
                for (int i = mdp->first[s * mdp->actions + a];
                     i < mdp->first[s * mdp->actions + a + 1]; i++)
                    sum += mdp->outcomes[i].probability;
                allowed += mdp_allowed(mdp, s, a);
                if (mdp_allowed(mdp, s, a)) expect(names[w], sum, 1, 1e-14);
            }
            assert_true(mdp->terminal[s] || allowed > 0);
        }
        for (int i = 0; i < world->start_count; i++) assert_false(mdp->terminal[world->starts[i]]);
    }
}

static void taxi_starts_are_the_300_of_gymnasium(void **state)
{
    (void)state;
    assert_int_equal(named("taxi")->start_count, 300);
}

static void the_solver_agrees_with_plain_value_iteration(void **state)
{
    (void)state;
    const char *const names[] = {"gridworld5", "aima", "cliff", "gambler", "frozenlake8", "taxi"};
    for (size_t w = 0; w < sizeof names / sizeof *names; w++) {
        World *world = named(names[w]);
        double v[512] = {0}, next[512];
        mdp_value_iteration(v, &world->mdp, 1e-14, 100000, next);
        Optimum best = solved(world);
        for (int s = 0; s < world->mdp.states; s++) expect(names[w], best.values[s], v[s], 1e-10);
    }
    World *random = world_random(keep, 5000, 3, 4, 7);
    double *v = arena_zeros(keep, 5000 * sizeof *v), *next = arena_zeros(keep, 5000 * sizeof *v);
    mdp_value_iteration(v, &random->mdp, 1e-13, 100000, next);
    Optimum best = solved(random);
    for (int s = 0; s < 5000; s++) expect("random", best.values[s], v[s], 1e-10);
}

static void values_do_not_depend_on_the_device(void **state)
{
    (void)state;
    static const char *const devices[] = {"far", "emulated"};
    const Device *before = device;
    World *random = world_random(keep, 301, 3, 4, 7), *taxi = named("taxi");
    const Optimum of_random = solved(random), of_taxi = solved(taxi);
    for (int i = 0; i < 2; i++) {
        const char *why = "";
        if (!device_use(devices[i], &why)) fail_msg("%s", why);
        Arena *arena = arena_new(devices[i], (size_t)1 << 28);
        const Optimum here = solver_optimum(arena, &random->mdp, NULL, NULL);
        assert_int_equal(here.sweeps, of_random.sweeps);
        assert_memory_equal(here.values, of_random.values, 301 * sizeof *here.values);
        const Optimum there = solver_optimum(arena, &taxi->mdp, NULL, NULL);
        assert_memory_equal(there.values, of_taxi.values,
                            (size_t)taxi->mdp.states * sizeof *there.values);
        arena_free(arena);
    }
    device_put_in_use(before);
}

static size_t put_bytes, got_bytes;

static void counted_put(void *to, const void *host, size_t bytes)
{
    put_bytes += bytes;
    device_far.put(to, host, bytes);
}

static void counted_get(void *host, const void *from, size_t bytes)
{
    got_bytes += bytes;
    device_far.get(host, from, bytes);
}

static void warm_sweeps_on_a_device_copy_only_the_change(void **state)
{
    (void)state;
    enum { STATES = 301, SWEEPS = 5 };
    const Device *before = device;
    const char *why = "";
    if (!device_use("far", &why)) fail_msg("%s", why);
    Device counting = *device;
    counting.put = counted_put;
    counting.get = counted_get;
    device_put_in_use(&counting);
    Arena *arena = arena_new("counted", (size_t)1 << 28);
    Sweeper *sweeper = sweeper_new(arena, &world_random(keep, STATES, 3, 4, 7)->mdp);
    double *v[2] = {sweeper_values(arena, sweeper), sweeper_values(arena, sweeper)};
    sweeper_sweep(sweeper, v[1], v[0]);    // the first one brings its values
    put_bytes = got_bytes = 0;
    for (int k = 1; k <= SWEEPS; k++) sweeper_sweep(sweeper, v[(k + 1) % 2], v[k % 2]);
    assert_int_equal(put_bytes, 0);
    assert_int_equal(got_bytes, SWEEPS * sizeof(double));
    sweeper_fetch(sweeper, v[(SWEEPS + 1) % 2]);
    assert_true(got_bytes >= (SWEEPS + STATES) * sizeof(double));
    got_bytes = 0;
    const Optimum best =
        solver_optimum(arena, &world_random(keep, STATES, 3, 4, 7)->mdp, NULL, NULL);
    if (got_bytes > STATES * sizeof(double) * (size_t)best.sweeps / 4)
        fail_msg("%zu bytes came from the device in %ld sweeps", got_bytes, best.sweeps);
    arena_free(arena);
    device_put_in_use(before);
}

static void values_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    World *random = world_random(keep, 5000, 3, 4, 7);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    Optimum one = solved(random);
    omp_set_num_threads(3);
    Optimum three = solved(random);
    omp_set_num_threads(threads);
    assert_int_equal(one.sweeps, three.sweeps);
    assert_memory_equal(one.values, three.values, 5000 * sizeof(double));
}

static void side_by_side_learners_are_the_exercises_to_the_bit(void **state)
{
    (void)state;
    enum { STEPS = 4000 };
    const char *const names[] = {"cliff",      "taxi",       "frozenlake4", "student_mdp",
                                 "windy_king", "gridworld5", "gridworld4",  "walk5"};
    for (size_t w = 0; w < sizeof names / sizeof *names; w++) {
        World *world = named(names[w]);
        const Mdp *mdp = &world->mdp;
        int start = world->starts[0], pairs = mdp->states * mdp->actions;
        Learners learners = learners_new(keep, mdp, start, 0.5, 0.1, 7),
                 others = learners_new(keep, mdp, start, 0.5, 0.1, 7);
        others.lanes = false;
        for (int k = 0; k < STEPS; k += 1000) learners_step(&learners, 1000);
        for (int k = 0; k < STEPS; k += 500) learners_step(&others, 500);
        for (int i = 0; i < LEARNERS; i += 3) {
            Rng rng = rng_stream(7, (uint64_t)i);
            double *q = arena_zeros(keep, (size_t)pairs * sizeof *q), reward;
            for (int p = 0; p < pairs; p++)
                if (!mdp->terminal[p / mdp->actions] && mdp->first[p] == mdp->first[p + 1])
                    q[p] = -INFINITY;
            for (int k = 0, s = start; k < STEPS; k++) {
                int a = mdp_epsilon_greedy(q + s * mdp->actions, mdp->actions, 0.1, &rng);
                int next = mdp_step(mdp, s, a, &rng, &reward);
                mdp_q_learning(q, mdp->actions, s, a, reward, next, 0.5, mdp->discount);
                s = mdp->terminal[next] ? start : next;
            }
            assert_memory_equal(q, learners.q[i], (size_t)pairs * sizeof *q);
            assert_memory_equal(q, others.q[i], (size_t)pairs * sizeof *q);
            assert_memory_equal(&rng, &learners.rng[i], sizeof rng);
        }
    }
}

// Worlds with terminal states, actions that are not allowed, and rows of one outcome and of many.
static void vectors_and_plain_loops_sweep_to_the_same_bits(void **state)
{
    (void)state;
    const char *const names[] = {"student_mdp", "gambler", "taxi",
                                 "frozenlake8", "rental",  "cliff"};
    for (size_t w = 0; w < sizeof names / sizeof *names; w++) {
        const Mdp *mdp = &named(names[w])->mdp;
        size_t n = (size_t)mdp->states;
        Sweeper *sweeper = sweeper_new(keep, mdp);
        double *exercise = arena_zeros(keep, n * sizeof *exercise),
               *next = arena_zeros(keep, n * sizeof *next);
        double *v[2][2];
        float *f[2][2];
        for (int plain = 0; plain < 2; plain++) {
            sweeper_vectors(sweeper, !plain);
            for (int i = 0; i < 2; i++) {
                v[plain][i] = sweeper_values(keep, sweeper);
                f[plain][i] = sweeper_values_float(keep, sweeper);
            }
            for (int k = 0; k < 20; k++) {
                sweeper_sweep(sweeper, v[plain][(k + 1) % 2], v[plain][k % 2]);
                sweeper_sweep_float(sweeper, f[plain][(k + 1) % 2], f[plain][k % 2]);
            }
        }
        mdp_value_iteration(exercise, mdp, 0, 20, next);
        assert_memory_equal(v[0][0], v[1][0], n * sizeof(double));
        assert_memory_equal(f[0][0], f[1][0], n * sizeof(float));
        for (size_t s = 0; s < n; s++) {
            expect("value", v[0][0][s], exercise[s], 1e-12 * fmax(1, fabs(exercise[s])));
            expect("float value", (double)f[0][0][s], exercise[s],
                   1e-5 * fmax(1, fabs(exercise[s])));
        }
    }
}

static void a_large_model_is_solved_in_double_precision(void **state)
{
    (void)state;
    World *world = world_random(keep, 50000, 3, 7, 7);    // more than a million outcomes
    Optimum best = solved(world);
    const Mdp *mdp = &world->mdp;
    double worst = 0;
    for (int s = 0; s < mdp->states; s++)
        worst = fmax(worst, fabs(mdp_best(mdp, best.values, s) - best.values[s]));
    expect("Bellman's equation", worst, 0, 1e-11);
}

static void a_random_world_is_the_same_for_the_same_seed(void **state)
{
    (void)state;
    World *one = world_random(keep, 50, 2, 3, 7), *same = world_random(keep, 50, 2, 3, 7);
    World *other = world_random(keep, 50, 2, 3, 8);
    int differ = 0;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(one->mdp.outcomes[i].next, same->mdp.outcomes[i].next);
        differ += one->mdp.outcomes[i].next != other->mdp.outcomes[i].next;
    }
    assert_true(differ > 200);
}

static void a_sum_that_grows_without_end_is_not_called_converged(void **state)
{
    (void)state;
    Error err = {""};
    const char text[] =
        "{\"discount\": 1, \"states\": [\"a\", \"end\"], \"actions\": [\"stay\", \"go\"],"
        "\"transitions\": [{\"state\": \"a\", \"action\": \"stay\", \"next\": \"a\","
        "\"probability\": 1, \"reward\": 1}, {\"state\": \"a\", \"action\": \"go\","
        "\"next\": \"end\", \"probability\": 1}]}";
    World *world = world_parse(keep, text, strlen(text), "growing.json", &err);
    assert_non_null(world);
    assert_false(solver_optimum(keep, &world->mdp, NULL, NULL).converged);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_tables_are_those_of_gymnasium),
        cmocka_unit_test(optimal_values_are_the_published_ones),
        cmocka_unit_test(action_values_of_the_cliff_follow_the_fall),
        cmocka_unit_test(the_random_policy_has_the_published_values),
        cmocka_unit_test(car_rental_is_exact_and_loses_no_probability),
        cmocka_unit_test(every_world_is_well_formed),
        cmocka_unit_test(taxi_starts_are_the_300_of_gymnasium),
        cmocka_unit_test(the_solver_agrees_with_plain_value_iteration),
        cmocka_unit_test(values_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(values_do_not_depend_on_the_device),
        cmocka_unit_test(warm_sweeps_on_a_device_copy_only_the_change),
        cmocka_unit_test(side_by_side_learners_are_the_exercises_to_the_bit),
        cmocka_unit_test(vectors_and_plain_loops_sweep_to_the_same_bits),
        cmocka_unit_test(a_large_model_is_solved_in_double_precision),
        cmocka_unit_test(a_random_world_is_the_same_for_the_same_seed),
        cmocka_unit_test(a_sum_that_grows_without_end_is_not_called_converged),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
