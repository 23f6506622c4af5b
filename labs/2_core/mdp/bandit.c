/* The 10-armed testbed of Sutton & Barto 2018, figures 2.2 to 2.5. */
#include "labs/2_core/mdp/story.h"

enum { ARMS = 10 };

typedef enum Rule { EPSILON, UCB, GRADIENT } Rule;

typedef struct Bandit {
    const char *name;
    Rule rule;
    double parameter;    // epsilon, c, or the step size of the gradient bandit
    double start;        // of the estimates: optimistic when it is high
    double step;         // of the estimates; 0: sample averages
    bool optimal;        // whether the best arm was chosen, in place of the reward
    int steps;
} Bandit;

// One bandit problem: true values N(0,1), rewards N(true value, 1).
static void play(const void *context, Rng *rng, Arena *scratch, double *y)
{
    (void)scratch;
    const Bandit *bandit = context;
    double truth[ARMS], q[ARMS], h[ARMS] = {0}, policy[ARMS], mean = 0;
    size_t counts[ARMS] = {0}, rewards = 0;
    int best = 0;
    for (int a = 0; a < ARMS; a++) {
        truth[a] = (double)rng_normal(rng);
        q[a] = bandit->start;
        if (truth[a] > truth[best]) best = a;
    }
    for (int t = 0; t < bandit->steps; t++) {
        int a;
        if (bandit->rule == UCB) a = mdp_ucb(q, counts, ARMS, bandit->parameter);
        else if (bandit->rule == EPSILON) a = mdp_epsilon_greedy(q, ARMS, bandit->parameter, rng);
        else {
            mdp_softmax(policy, h, ARMS);
            a = mdp_draw(policy, ARMS, rng);
        }
        double reward = truth[a] + (double)rng_normal(rng);
        mdp_estimate(&q[a], &counts[a], reward, bandit->step);
        if (bandit->rule == GRADIENT) {
            mdp_estimate(&mean, &rewards, reward, 0);
            mdp_gradient_bandit(h, policy, ARMS, a, reward, mean, bandit->parameter);
        }
        y[t] = bandit->optimal ? 100.0 * (a == best) : reward;
    }
}

bool part_bandits(void *context, Error *err)
{
    (void)err;
    static const Bandit bandits[] = {
        {"greedy", EPSILON, .parameter = 0},
        {"epsilon-greedy 0.01", EPSILON, .parameter = 0.01},
        {"epsilon-greedy 0.1", EPSILON, .parameter = 0.1},
        {"greedy, optimistic start 5", EPSILON, .parameter = 0, .start = 5, .step = 0.1},
        {"UCB, c = 2", UCB, .parameter = 2},
        {"gradient, step 0.1", GRADIENT, .parameter = 0.1}};
    const Lab *lab = context;
    int steps = lab->run->smoke ? 200 : 1000, runs = 10 * lab->runs;
    Plot plots[] = {
        {.title = "10-armed testbed: mean reward", .x_label = "step", .y_label = "reward"},
        {.title = "10-armed testbed: how often the best arm is chosen",
         .x_label = "step",
         .y_label = "optimal action [%]"}};
    const char *const files[] = {"bandit_reward", "bandit_optimal"};
    Table table = table_new(lab->step, "method|reward|+-|optimal action [%]|+-");
    for (size_t b = 0; b < sizeof bandits / sizeof *bandits; b++) {
        double mean[2], error[2];
        for (int i = 0; i < 2; i++) {
            Bandit bandit = bandits[b];
            bandit.steps = steps;
            bandit.optimal = i == 1;
            // The same problems for all.
            Curve curve = curve_measure(lab->run, lab->step, 20, runs, steps, play, &bandit);
            curve_add(lab->step, &plots[i], bandit.name, &curve, NULL, -INFINITY, INFINITY);
            mean[i] = curve.mean[steps - 1];
            error[i] = 1.96 * curve.error[steps - 1];
        }
        table_row(&table, "%s|%.3f|%.3f|%.1f|%.1f", bandits[b].name, mean[0], error[0], mean[1],
                  error[1]);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"bandit", (double)b}, {"reward", mean[0]}, {"optimal", mean[1]}));
    }
    run_print(lab->run, "Mean over %d problems at step %d, and half of its 95 %% interval", runs,
              steps);
    run_table(lab->run, &table);
    for (int i = 0; i < 2; i++) run_plot(lab->run, &plots[i], files[i]);
    return true;
}
