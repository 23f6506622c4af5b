/* main.c -- Markov decision processes: planning with a known model, and learning from experience. */
#include <math.h>
#include <stdlib.h>
#include "labs/2_core/mdp/story.h"

static const Part parts[] = {
    {"reward_process", "Markov reward process: the student's day", part_reward_process,
     .notices = {{"values",
                  "a value is the mean of all returns: the episodes agree with the closed "
                  "form within their standard error"}}},
    {"evaluation", "Policy evaluation: the random policy on a 4x4 grid", part_policy_evaluation,
     .notices =
         {{"random_policy.png",
           "after 3 sweeps the values are far from right, and the greedy actions are already "
           "optimal"}}},
    {"iteration", "Value iteration: how fast it converges", part_value_iteration,
     .notices = {{"convergence", "each sweep takes away a tenth of the error, which is the least "
                                 "that the theorem promises; Gauss-Seidel takes away more"}}},
    {"policy", "Policy iteration: car rental and a gambler", part_policy_iteration,
     .notices = {{"rental.png", "where is it worth 2 dollars to move a car?"},
                 {"gambler",
                  "heads are rare, so the best is to play few large games: everything at 50"}}},
    {"bandit", "Multi-armed bandits: exploration", part_bandits,
     .notices = {{"bandit_optimal", "the greedy method stops improving early: it never tries the "
                                    "best arm again"}}},
    {"prediction", "Prediction: Monte Carlo against TD(0)", part_prediction,
     .notices = {{"prediction",
                  "at each number of episodes the best step size of TD(0) is ahead of "
                  "Monte Carlo; a large one is fast at first and noisy later"}}},
    {"steps", "Prediction: n-step TD and TD(lambda)", part_steps,
     .notices = {{"n_step, td_lambda", "the best is neither one step nor the whole episode"}}},
    {"cliff", "Control: SARSA against Q-learning on the cliff", part_cliff,
     .notices = {{"sarsa.png, q_learning.png",
                  "Q-learning finds the shortest path, along the edge; while it still explores it "
                  "falls off, and earns less than SARSA on its detour"}}},
    {"dyna", "Planning with a learned model: Dyna-Q", part_dyna,
     .notices = {{"dyna", "50 updates from memory after each step: a good path in the third "
                          "episode"}}},
    {"episodes", "Control from whole episodes: Monte Carlo and REINFORCE", part_episodes,
     .notices = {{"episodes",
                  "a baseline leaves the expected gradient as it is and lowers its variance: "
                  "with it a step of 0.02 is safe, which ruins some runs without it"}}},
    {"solve", "Optimal values and policy", part_solve, .unlisted = true},
};

// As a double: 0.9 as a float is another number.
static bool read_discount(const char *text, double *discount)
{
    char *end;
    *discount = strtod(text, &end);
    return end != text && *end == '\0' && *discount >= 0 && *discount <= 1;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)16 << 30);
    Lab lab = {.step = step, .runs = 200, .discount = NAN};
    Options *options = options_new(keep, "mdp",
                                   "Markov decision processes: dynamic programming, bandits, "
                                   "temporal differences, and a solver for your own.");
    options_group(options, "Solve a world");
    options_string(options, "world", 'w', &lab.world_name, "WORLD",
                   arena_print(keep,
                               "your own, FILE.json; or random:STATES,ACTIONS,SUCCESSORS; or %s",
                               world_names(keep)));
    options_flag(options, "solve", 0, &lab.solve, "its optimal values and policy: with --world");
    const char *discount = NULL;
    options_string(options, "discount", 0, &discount, "GAMMA",
                   "in place of the world's own, 0 to 1");
    options_string(options, "state", 0, &lab.state_name, "STATE",
                   "also show what each action of this state leads to");
    options_group(options, "This lab");
    options_int(options, "runs", 'n', &lab.runs, 2, 100000,
                "independent runs that a curve is the mean of");
    options_flag(options, "animate", 'a', &lab.animate,
                 "show value iteration sweep by sweep, on a terminal");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/mdp/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "runs")) lab.runs = 4;
    const char *const of_a_world[] = {"solve", "discount", "state"};
    for (int i = 0; i < 3 && lab.world_name == NULL; i++)
        if (options_given(options, of_a_world[i])) {
            error_print("--%s: expected --world WORLD with it", of_a_world[i]);
            return 2;
        }
    if (discount != NULL && !read_discount(discount, &lab.discount)) {
        error_print("--discount %s: expected a number from 0 to 1", discount);
        return 2;
    }
    if (lab.world_name != NULL) story_only(&story, "solve");
    return story_run(&story, &lab);
}
