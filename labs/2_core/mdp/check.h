/* check.h -- the cases of each part of the lab, in the exercises' order, and the worlds they use. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/2_core/mdp/mdp.h"

extern const struct CMUnitTest process_cases[];        // returns .. backup
extern const struct CMUnitTest policy_cases[];         // evaluate .. policy_iteration
extern const struct CMUnitTest sweep_cases[];          // value_iteration .. prioritized
extern const struct CMUnitTest bandit_cases[];         // epsilon_greedy .. gradient_bandit
extern const struct CMUnitTest monte_carlo_cases[];    // monte_carlo, monte_carlo_control
extern const struct CMUnitTest prediction_cases[];     // td .. td_lambda
extern const struct CMUnitTest update_cases[];         // sarsa .. double_q
extern const struct CMUnitTest control_cases[];        // control .. reinforce

// ---- worlds ----

typedef struct Rule {
    int state, action, next;
    double probability, reward;
} Rule;

// The arrays end at guard pages. A state without a rule is terminal, and so is `end` (-1: none), where
// rules are only listed.
Mdp world_of(int states, int actions, double discount, int end, const Rule *rules, size_t count);
#define WORLD(states, actions, discount, end, ...)                                                 \
    world_of(states, actions, discount, end, (const Rule[]){__VA_ARGS__},                          \
             sizeof((const Rule[]){__VA_ARGS__}) / sizeof(Rule))

Mdp world_student(double discount);    // the reward process of Silver's lecture 2: one action
Mdp world_student_actions(void);       // and the decision process: Facebook, quit or study, pub
Mdp world_grid_4x4(void);              // Sutton & Barto 2018, example 4.1
Mdp world_grid_5x5(void);              // example 3.5
Mdp world_walk(int states);            // example 6.2: an end on each side, reward 1 on the right
Mdp world_lake(double discount, bool slippery);    // FrozenLake 4x4
Mdp world_cliff(void);              // CliffWalking; Gymnasium lists moves out of the goal, too
Mdp world_gambler(double heads);    // example 4.3; action a stakes a + 1
Mdp world_halving(void);            // one state, two actions: its best value is 1 + 1/2 + 1/4 + ...
Mdp world_not_finite(double reward);    // a reward that is NaN or infinite, and one of 1e300
Mdp world_random(uint64_t seed, int states, int actions, int outcomes, double discount);

extern const double grid_4x4_values[16], grid_5x5_values[25], grid_5x5_best[25];

// max_s |max_a q(s,a) - v(s)|, or with a policy |sum_a pi(s,a) q(s,a) - v(s)|: 0 for the right values.
double residual(const double *v, const Mdp *mdp, const double *policy);
double value_of(const double *v, const Mdp *mdp, int state, int action);    // q(s,a), by plain sums
double *exact_values(const Mdp *mdp, const double *policy);                 // by Gauss-Jordan

double *
policy_uniform(const Mdp *mdp);    // over the actions that are allowed; 0 in terminal states

// ---- what compares ----

// Both generators must have made the same number of draws.
#define assert_drawn(rng, same, times)                                                             \
    assert_that((rng)->state == (same)->state,                                                     \
                "expected exactly %s; another number "                                             \
                "was drawn",                                                                       \
                times)

// An episode of so many steps on guarded arrays; states has one number more.
MdpEpisode *episode_of(size_t count, const int *states, const int *actions, const double *rewards);
#define EPISODE(states, actions, rewards)                                                          \
    episode_of(sizeof(rewards) / sizeof *(rewards), states, actions, rewards)

// An episode of six steps: a state comes three times, another one twice, 9 is where it ends.
extern const int visited[7];
extern const double paid[6];

// The next episode from the middle; the arrays are the same each time.
MdpEpisode *walk(const Mdp *mdp, const double *policy, Rng *rng);

size_t *counts_zero(size_t n);

// What epsilon_greedy has to choose, step by step, with a list of the candidates.
int choice_of(const double *q, int actions, double epsilon, Rng *rng);
