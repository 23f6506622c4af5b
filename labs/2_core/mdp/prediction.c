/* Values of a random walk from episodes: Sutton & Barto 2018, figures 6.2, 7.2 and 12.6. */
#include "labs/2_core/mdp/story.h"

enum { LIMIT = 100000, SHORT = 5, LONG = 19 };

typedef enum Method { MONTE_CARLO, CONSTANT_MONTE_CARLO, TD, N_STEP, LAMBDA } Method;

typedef struct Walk {
    Method method;
    double step, parameter;    // step size; n or lambda
    const World *world;
    int states;    // between the two ends
    int episodes;
} Walk;

// The root mean square error over the states between the ends.
static double error_of(const Walk *walk, const double *v)
{
    double squares = 0;
    for (int s = 1; s <= walk->states; s++) {
        double truth = (double)s / (walk->states + 1);    // of 0 and 1 at the ends
        if (walk->states == LONG) truth = 2 * truth - 1;
        squares += pow(v[s] - truth, 2);
    }
    return sqrt(squares / walk->states);
}

static void learn(const Walk *walk, double *v, size_t *counts, int *first, double *trace,
                  const MdpEpisode *e)
{
    const Mdp *mdp = &walk->world->mdp;
    switch (walk->method) {
    case MONTE_CARLO:
        mdp_returns(e->rewards, e->rewards, e->count, mdp->discount, 0);
        mdp_monte_carlo(v, counts, e, e->rewards, MDP_FIRST_VISIT, first);
        break;
    case CONSTANT_MONTE_CARLO: mdp_n_step_td(v, e, e->count, walk->step, mdp->discount); break;
    case TD:
        for (size_t t = 0; t < e->count; t++)
            mdp_td(v, e->states[t], e->rewards[t], e->states[t + 1], walk->step, mdp->discount);
        break;
    case N_STEP: mdp_n_step_td(v, e, (size_t)walk->parameter, walk->step, mdp->discount); break;
    case LAMBDA:
        mdp_td_lambda(v, trace, mdp->states, e, walk->parameter, MDP_ACCUMULATING, walk->step,
                      mdp->discount);
        break;
    }
}

// y: the error after each episode.
static void walk_errors(const void *context, Rng *rng, Arena *scratch, double *y)
{
    const Walk *walk = context;
    const Mdp *mdp = &walk->world->mdp;
    double policy[LONG + 2], v[LONG + 2] = {0}, trace[LONG + 2];
    size_t counts[LONG + 2] = {0};
    int first[LONG + 2];
    MdpEpisode episode = story_episode(scratch, LIMIT);
    for (int s = 0; s < mdp->states; s++) policy[s] = 1;
    for (int s = 1; s <= walk->states; s++) v[s] = walk->states == SHORT ? 0.5 : 0;
    for (int e = 0; e < walk->episodes; e++) {
        mdp_play(&episode, mdp, policy, walk->world->starts[0], rng);
        learn(walk, v, counts, first, trace, &episode);
        y[e] = error_of(walk, v);
    }
}

bool part_prediction(void *context, Error *err)
{
    (void)err;
    enum { EPISODES = 100 };
    static const struct {
        const char *name;
        Method method;
        double step;
    } methods[] = {{"Monte Carlo, sample average", MONTE_CARLO, 0},
                   {"Monte Carlo, step 0.01", CONSTANT_MONTE_CARLO, 0.01},
                   {"Monte Carlo, step 0.03", CONSTANT_MONTE_CARLO, 0.03},
                   {"TD(0), step 0.05", TD, 0.05},
                   {"TD(0), step 0.1", TD, 0.1},
                   {"TD(0), step 0.15", TD, 0.15}};
    const Lab *lab = context;
    Plot plot = {.title = "Random walk with 5 states: Monte Carlo against TD(0)",
                 .x_label = "episode",
                 .y_label = "RMS error of the values"};
    Table table = table_new(lab->step, "method|after 10 episodes|+-|after 100|+-");
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        Walk walk = {.method = methods[m].method,
                     .step = methods[m].step,
                     .world = story_world(lab->step, "walk5"),
                     .states = SHORT,
                     .episodes = EPISODES};
        Curve c = curve_measure(lab->run, lab->step, 30, lab->runs, EPISODES, walk_errors, &walk);
        curve_add(lab->step, &plot, methods[m].name, &c, NULL, 0, 1);
        table_row(&table, "%s|%.4f|%.4f|%.4f|%.4f", methods[m].name, c.mean[9], 1.96 * c.error[9],
                  c.mean[EPISODES - 1], 1.96 * c.error[EPISODES - 1]);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"method", (double)m}, {"rms_error", c.mean[EPISODES - 1]}));
    }
    run_print(lab->run, "RMS error, mean of %d runs, and half of its 95 %% interval", lab->runs);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "prediction");
    return true;
}

// ---- step sizes ----

enum { STEPS = 20, FIRST_EPISODES = 10 };

// y: at each of the step sizes 0.05, 0.1, ..., the mean error over the first 10 episodes.
static void sweep_steps(const void *context, Rng *rng, Arena *scratch, double *y)
{
    Rng same = *rng;    // the same episodes at each
    for (int i = 0; i < STEPS; i++) {
        Walk walk = *(const Walk *)context;
        double errors[FIRST_EPISODES] = {0};
        walk.step = 0.05 * (i + 1);
        *rng = same;
        ArenaMark mark = arena_mark(scratch);
        walk_errors(&walk, rng, scratch, errors);
        arena_rewind(scratch, mark);
        y[i] = 0;
        for (int e = 0; e < FIRST_EPISODES; e++) y[i] += errors[e] / FIRST_EPISODES;
    }
}

static void sweep_methods(const Lab *lab, const char *title, const char *file, Method method,
                          const char *parameter, const double *values, int count)
{
    double x[STEPS];
    for (int i = 0; i < STEPS; i++) x[i] = 0.05 * (i + 1);
    Plot plot = {.title = title, .x_label = "step size", .y_label = "RMS error, first 10 episodes"};
    Table table =
        table_new(lab->step, arena_print(lab->step, "%s|best step size|RMS error|+-", parameter));
    for (int m = 0; m < count; m++) {
        Walk walk = {.method = method,
                     .parameter = values[m],
                     .world = story_world(lab->step, "walk19"),
                     .states = LONG,
                     .episodes = FIRST_EPISODES};
        Curve c = curve_measure(lab->run, lab->step, 31, lab->runs, STEPS, sweep_steps, &walk);
        int best = 0;
        for (int i = 1; i < STEPS; i++)
            if (c.mean[i] < c.mean[best]) best = i;
        curve_add(lab->step, &plot, arena_print(lab->step, "%s = %g", parameter, values[m]), &c, x,
                  0, 0.55);
        table_row(&table, "%g|%.2f|%.4f|%.4f", values[m], x[best], c.mean[best],
                  1.96 * c.error[best]);
        metrics_write(
            lab->run->metrics, 0,
            METRICS({"parameter", values[m]}, {"best_step", x[best]}, {"rms_error", c.mean[best]}));
    }
    run_print(lab->run, "%s", title);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, file);
}

bool part_steps(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    const double n[] = {1, 2, 4, 8, 16, 32, 64}, lambda[] = {0, 0.4, 0.8, 0.9, 0.95, 0.99};
    sweep_methods(lab, "n-step TD on the random walk with 19 states", "n_step", N_STEP, "n", n,
                  sizeof n / sizeof *n);
    sweep_methods(lab, "TD(lambda) on the random walk with 19 states", "td_lambda", LAMBDA,
                  "lambda", lambda, sizeof lambda / sizeof *lambda);
    return true;
}
