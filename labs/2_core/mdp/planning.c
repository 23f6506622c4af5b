/* Known models: reward processes, policy evaluation, value iteration, policy iteration. */
#include "labs/2_core/mdp/lapack.h"
#include "labs/2_core/mdp/story.h"
#include "common/text.h"

// ---- a Markov reward process ----

// The mean of the returns of simulated episodes from a state, and its standard error.
static void sample_returns(const Mdp *mdp, int start, int episodes, MdpEpisode *room, Rng *rng,
                           double *mean, double *error)
{
    const double policy[7] = {1, 1, 1, 1, 1, 1, 1};    // one action
    double sum = 0, squares = 0;
    for (int e = 0; e < episodes; e++) {
        mdp_play(room, mdp, policy, start, rng);
        mdp_returns(room->rewards, room->rewards, room->count, mdp->discount, 0);
        double g = room->count > 0 ? room->rewards[0] : 0;
        sum += g;
        squares += g * g;
    }
    *mean = sum / episodes;
    *error = sqrt(fmax(0, squares / episodes - *mean * *mean) / episodes);
}

bool part_reward_process(void *context, Error *err)
{
    enum { DISCOUNTS = 3, LIMIT = 10000, SHOWN = 4 };
    const double discounts[DISCOUNTS] = {0, 0.9, 1};
    const Lab *lab = context;
    const World *world = story_world(lab->step, "student");
    Mdp mdp = world->mdp;
    size_t n = (size_t)mdp.states;
    double *policy = story_random_policy(lab->step, &mdp), *v[DISCOUNTS];
    double *work = story_zeros(lab->step, mdp.states, mdp.states);
    MdpEpisode episode = story_episode(lab->step, LIMIT);
    Rng rng = rng_stream(lab->run->seed, 1);
    int samples = 100 * lab->runs;
    MdpSweeps sweeps = {0, 0};
    for (int d = 0; d < DISCOUNTS; d++) {
        mdp.discount = discounts[d];
        v[d] = story_zeros(lab->step, mdp.states, 1);
        if (!mdp_closed_form(v[d], &mdp, policy, mdp_lapack, work))
            return error_set(err, "the student's values: the system of equations is singular");
    }
    double *iterated = story_zeros(lab->step, mdp.states, 1), difference = 0;
    sweeps = mdp_evaluate(iterated, &mdp, policy, 1e-12, 100000, work);
    for (size_t s = 0; s < n; s++) difference = fmax(difference, fabs(iterated[s] - v[2][s]));

    mdp_play(&episode, &mdp, policy, 0, &rng);
    const char *path = world->state_names[0];
    double total = 0;
    for (size_t t = 0; t < episode.count; t++) {
        total += episode.rewards[t];
        if (t < SHOWN)
            path =
                arena_print(lab->step, "%s, %s", path, world->state_names[episode.states[t + 1]]);
    }
    run_print(lab->run, "One episode: %s%s; its return is %g", path,
              episode.count > SHOWN ? ", ..." : "", total);
    run_print(lab->run, "Values in closed form, and the mean return of %d episodes, discount 1",
              samples);
    Table table =
        table_new(lab->step, "state|discount 0|discount 0.9|discount 1|mean return|standard error");
    for (int s = 0; s < mdp.states; s++) {
        double mean, error;
        sample_returns(&mdp, s, samples, &episode, &rng, &mean, &error);
        table_row(&table, "%s|%.2f|%.2f|%.2f|%.2f|%.2f", world->state_names[s], v[0][s], v[1][s],
                  v[2][s], mean, error);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"state", s}, {"value", v[2][s]}, {"mean_return", mean}));
    }
    run_table(lab->run, &table);
    run_print(lab->run, "Iteration takes %d sweeps and differs by %.1g at most", sweeps.sweeps,
              difference);
    return true;
}

// ---- policy evaluation ----

bool part_policy_evaluation(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    const World *world = story_world(lab->step, "gridworld4");
    const Mdp *mdp = &world->mdp;
    double *random = story_random_policy(lab->step, mdp);
    double *v = story_zeros(lab->step, mdp->states, 1),
           *work = story_zeros(lab->step, mdp->states, 1);
    const int until[] = {1, 3, 100000};
    for (int i = 0, done = 0; i < 3; i++) {
        MdpSweeps sweeps = mdp_evaluate(v, mdp, random, 1e-12, until[i] - done, work);
        done += sweeps.sweeps;
        run_print(lab->run,
                  "Values of the random policy after %d sweep%s, and what is greedy for them", done,
                  text_plural(done));
        story_map(world, v, story_greedy(lab->step, mdp, v));
    }
    run_picture(lab->run,
                draw_picture(lab->step, world, v, story_greedy(lab->step, mdp, v),
                             "Random policy: values, greedy actions"),
                "Values of the random policy and the greedy actions", "random_policy");
    run_print(lab->run, "The greedy policy is already optimal: one improvement was enough here");
    return true;
}

// ---- value iteration ----

// The largest error of the values after each sweep; errors[0] is that of the start, 0.
static void errors_of(const Mdp *mdp, const double *best, int sweeps, bool in_place, Arena *arena,
                      float *errors)
{
    double *v = story_zeros(arena, mdp->states, 1), *work = story_zeros(arena, mdp->states, 1);
    for (int k = 0; k <= sweeps; k++) {
        double worst = 0;
        for (int s = 0; s < mdp->states; s++) worst = fmax(worst, fabs(v[s] - best[s]));
        errors[k] = worst > 1e-13 ? (float)worst : NAN;
        if (in_place) mdp_gauss_seidel(v, mdp, 0, 1);
        else mdp_value_iteration(v, mdp, 0, 1, work);
    }
}

bool part_value_iteration(void *context, Error *err)
{
    enum { SWEEPS = 100 };
    const Lab *lab = context;
    Arena *step = lab->step;
    const World *world = story_world(lab->step, "gridworld5");
    const Mdp *mdp = &world->mdp;
    double *best = story_zeros(step, mdp->states, 1), *work = story_zeros(step, mdp->states, 1);
    if (lab->animate) story_animate(lab->run, step, world);
    mdp_value_iteration(best, mdp, 0, 100000, work);
    double *greedy = story_greedy(step, mdp, best);
    run_print(lab->run, "Optimal values, and all actions that are best");
    story_map(world, best, greedy);
    run_picture(lab->run, draw_picture(step, world, best, greedy, "Optimal values"),
                "Optimal values and actions", "optimal");

    float *k = arena_alloc(step, (SWEEPS + 1) * sizeof *k), *errors[2], *bound;
    bound = arena_alloc(step, (SWEEPS + 1) * sizeof *bound);
    Plot plot = {.title = "Value iteration: error of the values after k sweeps",
                 .x_label = "sweeps k",
                 .y_label = "largest error",
                 .log_y = true};
    const char *const names[] = {"synchronous sweeps", "Gauss-Seidel sweeps"};
    for (int i = 0; i < 2; i++) {
        errors[i] = arena_alloc(step, (SWEEPS + 1) * sizeof(float));
        errors_of(mdp, best, SWEEPS, i == 1, step, errors[i]);
    }
    for (int i = 0; i <= SWEEPS; i++) {
        k[i] = (float)i;
        bound[i] = errors[0][0] * (float)pow(mdp->discount, i);
    }
    for (int i = 0; i < 2; i++) plot_series(&plot, names[i], k, errors[i], SWEEPS + 1);
    plot_shape(&plot, PLOT_LIMIT, "bound: 0.9^k times the first error", k, bound, SWEEPS + 1);
    run_plot(lab->run, &plot, "convergence");

    Table table = table_new(step, "world|states|synchronous|Gauss-Seidel|prioritized");
    const char *const worlds[] = {"gridworld5", "maze", "frozenlake8", "windy"};
    run_print(lab->run, "Updates of a state's value until none changes by more than 1e-9");
    for (size_t w = 0; w < sizeof worlds / sizeof *worlds; w++) {
        const Mdp *m = &story_world(lab->step, worlds[w])->mdp;
        double *v[3];
        for (int i = 0; i < 3; i++) v[i] = story_zeros(step, m->states, 1);
        MdpQueue queue = mdp_queue_new(step, m);
        double *next = story_zeros(step, m->states, 1);
        MdpSweeps all = mdp_value_iteration(v[0], m, 1e-9, 100000, next);
        MdpSweeps in_place = mdp_gauss_seidel(v[1], m, 1e-9, 100000);
        size_t first = mdp_prioritized_sweeping(v[2], m, 1e-9, (size_t)1 << 40, &queue);
        table_row(&table, "%s|%d|%d|%d|%zu", worlds[w], m->states, all.sweeps * m->states,
                  in_place.sweeps * m->states, first);
        for (int s = 0; s < m->states; s++)
            if (!(fabs(v[0][s] - v[1][s]) < 1e-6 && fabs(v[0][s] - v[2][s]) < 1e-6))
                return error_set(err, "%s: state %s has the values %g, %g and %g, expected one",
                                 worlds[w], m == mdp ? world->state_names[s] : "", v[0][s], v[1][s],
                                 v[2][s]);
    }
    run_table(lab->run, &table);
    return true;
}

// ---- policy iteration ----

static void show_gambler(const Lab *lab)
{
    const World *world = story_world(lab->step, "gambler");
    const Mdp *mdp = &world->mdp;
    size_t n = (size_t)mdp->states - 2;
    float *x = arena_alloc(lab->step, n * sizeof *x), *y[2];
    double *v = story_zeros(lab->step, mdp->states, 1),
           *work = story_zeros(lab->step, mdp->states, 1);
    MdpSweeps sweeps = mdp_value_iteration(v, mdp, 1e-15, 10000, work);
    double *greedy = story_greedy(lab->step, mdp, v);
    y[0] = arena_alloc(lab->step, n * sizeof *x);
    y[1] = arena_alloc(lab->step, n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        int stake = 0;
        while (greedy[(i + 1) * (size_t)mdp->actions + (size_t)stake] == 0) stake++;
        x[i] = (float)(i + 1);
        y[0][i] = (float)v[i + 1];
        y[1][i] = (float)(stake + 1) / 50;
    }
    Plot plot = {.title = "Gambler's problem, heads with probability 0.4",
                 .x_label = "capital",
                 .y_label = "probability; stake / 50"};
    plot_series(&plot, "value: probability of reaching 100", x, y[0], n);
    plot_shape(&plot, PLOT_BARS, "smallest best stake / 50", x, y[1], n);
    run_print(lab->run, "Gambler's problem: %d sweeps; the probability of reaching 100",
              sweeps.sweeps);
    run_print(lab->run, "with a capital of 25, 50 and 75: %.4f, %.4f and %.4f", v[25], v[50],
              v[75]);
    run_plot(lab->run, &plot, "gambler");
}

bool part_policy_iteration(void *context, Error *err)
{
    const Lab *lab = context;
    const World *world = story_world(lab->step, "rental");
    const Mdp *mdp = &world->mdp;
    double *policy = story_zeros(lab->step, mdp->states, mdp->actions);
    double *v = story_zeros(lab->step, mdp->states, 1),
           *work = story_zeros(lab->step, mdp->states, 1);
    for (int s = 0; s < mdp->states; s++)
        policy[(size_t)s * (size_t)mdp->actions + 5] = 1;    // at first, no car is moved
    int rounds = mdp_policy_iteration(policy, v, mdp, 1e-8, 10000, work);
    if (rounds == 0) return error_set(err, "car rental: policy iteration did not converge");
    run_print(lab->run, "Jack's car rental: optimal after %d rounds of policy iteration", rounds);
    run_print(lab->run, "Cars moved overnight from the first location to the second;");
    run_print(lab->run, "up: cars at the first, right: at the second");
    story_map(world, v, policy);
    run_print(lab->run, "Values from %.1f (no car) to %.1f (20 and 20)", v[0], v[mdp->states - 1]);
    run_picture(
        lab->run,
        draw_picture(lab->step, world, v, policy,
                     "Value, and cars moved; up: cars at the first location, right: at the second"),
        "Optimal policy of Jack's car rental", "rental");
    show_gambler(lab);
    return true;
}
