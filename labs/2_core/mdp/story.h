/* story.h -- the parts of the lab, in their order.
 *
 * Each prints its tables and maps and draws its plots into the run's folder. Each has random streams of
 * its own, so that leaving one part out changes none of the others.
 */
#pragma once
#include "common/story.h"
#include "labs/2_core/mdp/curves.h"
#include "labs/2_core/mdp/mdp.h"
#include "labs/2_core/mdp/solve/draw.h"
#include "labs/2_core/mdp/worlds/world.h"

typedef struct Lab {
    Run *run;
    Arena *step;    // reset after each part
    int runs;       // independent runs that a curve is the mean of
    bool animate;
    // A world of the user's choice, solved in place of the other parts.
    const char *world_name, *state_name;
    const World *world;
    bool solve;
    double discount;    // in place of the world's own; NAN: as it is
} Lab;

// Each takes a Lab.
bool part_reward_process(void *context, Error *err);       // the student: returns and their mean
bool part_policy_evaluation(void *context, Error *err);    // 4x4: evaluation and improvement
bool part_value_iteration(void *context, Error *err);      // 5x5: how fast it converges
bool part_policy_iteration(void *context, Error *err);     // car rental and the gambler

bool part_bandits(void *context, Error *err);    // the 10-armed testbed

bool part_prediction(void *context, Error *err);    // Monte Carlo against TD
bool part_steps(void *context, Error *err);         // n-step TD and TD(lambda)

bool part_cliff(void *context, Error *err);       // SARSA against Q-learning
bool part_dyna(void *context, Error *err);        // planning steps
bool part_episodes(void *context, Error *err);    // Monte Carlo control and REINFORCE

bool part_solve(void *context, Error *err);    // the user's world

// ---- what the parts share ----

const World *story_world(Arena *arena, const char *name);    // one that exists

// The greedy policy [states,actions] of state values, by the exercises.
double *story_greedy(Arena *arena, const Mdp *mdp, const double *values);
// Of action values [states,actions], and the largest of each state; 0 where it is terminal.
double *story_greedy_q(Arena *arena, const Mdp *mdp, const double *q, double *values);
double *story_random_policy(Arena *arena, const Mdp *mdp);     // every allowed action as likely
double *story_zeros(Arena *arena, int states, int actions);    // [states,actions]
// Action values to learn from: 0, and -infinity where an action is not allowed.
double *story_action_values(Arena *arena, const Mdp *mdp);

void story_map(const World *world, const double *values, const double *policy);
// Value iteration in the terminal, sweep by sweep. Shows nothing where standard output is no terminal, on
// one that is "dumb" or too small for the map, and for a world without one.
void story_animate(const Run *run, Arena *arena, const World *world);
MdpEpisode story_episode(Arena *arena, size_t limit);    // room for one
