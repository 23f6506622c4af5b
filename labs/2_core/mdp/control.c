/* Learning what to do: cliff walking, the Dyna maze, and a frozen lake. */
#include <string.h>
#include "labs/2_core/mdp/story.h"

// ---- SARSA against Q-learning: Sutton & Barto 2018, example 6.6 ----

enum { CLIFF_EPISODES = 500, LAST = 100, WINDOW = 10, WINDOWS = CLIFF_EPISODES / WINDOW };

typedef struct Cliff {
    const World *world;
    MdpControl control;
} Cliff;

// y: the mean return in each window of 10 episodes, and as the last point that of the last 100.
static void learn_cliff(const void *context, Rng *rng, Arena *scratch, double *y)
{
    const Cliff *cliff = context;
    const Mdp *mdp = &cliff->world->mdp;
    double *q = story_action_values(scratch, mdp), *other = story_action_values(scratch, mdp);
    double row[8], totals[CLIFF_EPISODES];
    mdp_control(q, other, totals, CLIFF_EPISODES, mdp, &cliff->control, row, rng);
    for (int w = 0; w <= WINDOWS; w++) y[w] = 0;
    for (int e = 0; e < CLIFF_EPISODES; e++) y[e / WINDOW] += totals[e] / WINDOW;
    for (int w = WINDOWS - LAST / WINDOW; w < WINDOWS; w++) y[WINDOWS] += y[w] * WINDOW / LAST;
}

// What one run has learned: the greedy policy, on the map.
static void show_cliff(const Lab *lab, const Cliff *cliff, const char *name, const char *file)
{
    const Mdp *mdp = &cliff->world->mdp;
    Rng rng = rng_stream(lab->run->seed, 41);
    double *q = story_action_values(lab->step, mdp), totals[CLIFF_EPISODES], row[8];
    double *v = story_zeros(lab->step, mdp->states, 1);
    mdp_control(q, NULL, totals, CLIFF_EPISODES, mdp, &cliff->control, row, &rng);
    double *greedy = story_greedy_q(lab->step, mdp, q, v);
    run_print(lab->run, "%s: the largest action values of one run, and the greedy actions", name);
    story_map(cliff->world, v, greedy);
    run_picture(
        lab->run,
        draw_picture(lab->step, cliff->world, v, greedy,
                     arena_print(lab->step, "%s: largest action values, greedy actions", name)),
        arena_print(lab->step, "%s on the cliff", name), file);
}

bool part_cliff(void *context, Error *err)
{
    (void)err;
    static const struct {
        const char *name;
        MdpMethod method;
    } methods[] = {{"SARSA", MDP_SARSA},
                   {"Q-learning", MDP_Q_LEARNING},
                   {"expected SARSA", MDP_EXPECTED_SARSA},
                   {"double Q-learning", MDP_DOUBLE_Q}};
    const Lab *lab = context;
    Cliff cliff = {story_world(lab->step, "cliff"),
                   {.start = 36, .limit = 10000, .step = 0.5, .epsilon = 0.1}};
    double x[WINDOWS];
    for (int w = 0; w < WINDOWS; w++) x[w] = WINDOW * (w + 0.5);
    Plot plot = {.title = "Cliff walking: mean return of 10 episodes, while learning",
                 .x_label = "episode",
                 .y_label = "return"};
    Table table = table_new(lab->step, "method|mean return, last 100 of 500 episodes|+-");
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        cliff.control.method = methods[m].method;
        Curve c =
            curve_measure(lab->run, lab->step, 40, lab->runs, WINDOWS + 1, learn_cliff, &cliff);
        table_row(&table, "%s|%.2f|%.2f", methods[m].name, c.mean[WINDOWS],
                  1.96 * c.error[WINDOWS]);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"method", (double)m}, {"return", c.mean[WINDOWS]}));
        c.points--;
        curve_add(lab->step, &plot, methods[m].name, &c, x, -100, 0);
    }
    run_print(lab->run, "Mean of %d runs, and half of its 95 %% interval", lab->runs);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "cliff");
    for (int m = 0; m < 2; m++) {
        cliff.control.method = methods[m].method;
        show_cliff(lab, &cliff, methods[m].name, m == 0 ? "sarsa" : "q_learning");
    }
    return true;
}

// ---- Dyna: Sutton & Barto 2018, figure 8.2 ----

enum { MAZE_EPISODES = 50 };

typedef struct Maze {
    const World *world;
    int planning;
} Maze;

// y: the steps of each episode.
static void learn_maze(const void *context, Rng *rng, Arena *scratch, double *y)
{
    const Maze *maze = context;
    const Mdp *mdp = &maze->world->mdp;
    size_t pairs = (size_t)mdp->states * (size_t)mdp->actions;
    double *q = story_action_values(scratch, mdp);
    MdpMemory memory = {arena_alloc(scratch, pairs * sizeof(int)),
                        arena_alloc(scratch, pairs * sizeof(double)),
                        arena_alloc(scratch, pairs * sizeof(int)), 0};
    for (size_t i = 0; i < pairs; i++) memory.next[i] = -1;
    for (int e = 0; e < MAZE_EPISODES; e++) {
        y[e] = 0;
        for (int s = maze->world->starts[0], next; !mdp->terminal[s]; s = next) {
            double reward;
            int a =
                mdp_epsilon_greedy(q + (size_t)s * (size_t)mdp->actions, mdp->actions, 0.1, rng);
            next = mdp_step(mdp, s, a, rng, &reward);
            mdp_dyna_q(q, &memory, mdp->actions, s, a, reward, next, maze->planning, 0.1,
                       mdp->discount, rng);
            y[e]++;
        }
    }
}

bool part_dyna(void *context, Error *err)
{
    (void)err;
    const int planning[] = {0, 5, 50};
    const Lab *lab = context;
    Plot plot = {.title = "Dyna maze: steps of each episode",
                 .x_label = "episode",
                 .y_label = "steps",
                 .log_y = true};
    Table table = table_new(lab->step, "planning steps|episode 2|+-|episode 10|+-|episode 50|+-");
    for (int i = 0; i < 3; i++) {
        Maze maze = {story_world(lab->step, "maze"), planning[i]};
        Curve c =
            curve_measure(lab->run, lab->step, 50, lab->runs, MAZE_EPISODES, learn_maze, &maze);
        curve_add(lab->step, &plot, arena_print(lab->step, "%d planning steps", planning[i]), &c,
                  NULL, 1, INFINITY);
        table_row(&table, "%d|%.1f|%.1f|%.1f|%.1f|%.1f|%.1f", planning[i], c.mean[1],
                  1.96 * c.error[1], c.mean[9], 1.96 * c.error[9], c.mean[49], 1.96 * c.error[49]);
        metrics_write(lab->run->metrics, 0,
                      METRICS({"planning", planning[i]}, {"steps", c.mean[9]}));
    }
    run_print(lab->run, "Steps to the goal, mean of %d runs; the shortest way has 14", lab->runs);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "dyna");
    return true;
}

// ---- from whole episodes ----

typedef enum Learner { MONTE_CARLO, REINFORCE, REINFORCE_BASELINE } Learner;

typedef struct Grid {
    const World *world;
    Learner learner;
    double step;    // of the preferences
    int episodes, limit;
} Grid;

// y: the return of each episode.
static void learn_grid(const void *context, Rng *rng, Arena *scratch, double *y)
{
    const Grid *grid = context;
    const Mdp *mdp = &grid->world->mdp;
    size_t pairs = (size_t)mdp->states * (size_t)mdp->actions;
    double *q = story_action_values(scratch, mdp), *policy = story_random_policy(scratch, mdp);
    double *baseline = story_zeros(scratch, mdp->states, 1), row[8];
    size_t *counts = arena_zeros(scratch, pairs * sizeof *counts);
    int *first = arena_alloc(scratch, pairs * sizeof *first);
    MdpEpisode episode = story_episode(scratch, (size_t)grid->limit);
    double *returns = arena_alloc(scratch, (size_t)grid->limit * sizeof *returns);
    for (int e = 0; e < grid->episodes; e++) {
        mdp_play(&episode, mdp, policy, world_start(grid->world, rng), rng);
        mdp_returns(returns, episode.rewards, episode.count, mdp->discount, 0);
        y[e] = 0;
        for (size_t t = 0; t < episode.count; t++) y[e] += episode.rewards[t];
        if (grid->learner == MONTE_CARLO) {
            mdp_monte_carlo_control(q, counts, policy, mdp->actions, &episode, returns, 0.1, first);
            continue;
        }
        mdp_reinforce(q, grid->learner == REINFORCE ? NULL : baseline, mdp->actions, &episode,
                      returns, grid->step, 0.1, mdp->discount, row);
        for (int s = 0; s < mdp->states; s++)
            if (!mdp->terminal[s])
                mdp_softmax(policy + (size_t)s * (size_t)mdp->actions,
                            q + (size_t)s * (size_t)mdp->actions, mdp->actions);
    }
}

bool part_episodes(void *context, Error *err)
{
    (void)err;
    static const struct {
        const char *name;
        double step;
    } methods[] = {{"Monte Carlo control", 0},
                   {"REINFORCE, step 0.003", 0.003},
                   {"+ baseline, step 0.02", 0.02}};
    const Lab *lab = context;
    Grid grid = {story_world(lab->step, "gridworld4"), MONTE_CARLO, 0, 400, 1000};
    Plot plot = {.title = "Gridworld 4x4: return of each episode, learning from whole episodes",
                 .x_label = "episode",
                 .y_label = "return"};
    Table table = table_new(lab->step, "method|episode 10|+-|episode 100|+-|episode 400|+-");
    for (int m = 0; m < 3; m++) {
        grid.learner = (Learner)m;
        grid.step = methods[m].step;
        Curve c =
            curve_measure(lab->run, lab->step, 60, lab->runs, grid.episodes, learn_grid, &grid);
        curve_add(lab->step, &plot, methods[m].name, &c, NULL, -40, 0);
        table_row(&table, "%s|%.2f|%.2f|%.2f|%.2f|%.2f|%.2f", methods[m].name, c.mean[9],
                  1.96 * c.error[9], c.mean[99], 1.96 * c.error[99], c.mean[399],
                  1.96 * c.error[399]);
        metrics_write(lab->run->metrics, 0, METRICS({"method", m}, {"return", c.mean[399]}));
    }
    run_print(lab->run, "Return from the upper right corner, mean of %d runs; the best is -3",
              lab->runs);
    run_table(lab->run, &table);
    run_plot(lab->run, &plot, "episodes");
    return true;
}
