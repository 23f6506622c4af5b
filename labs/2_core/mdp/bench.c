/* bench.c -- updates a second of the exercises: sweeps over a random world of 1000 states, 8 actions and
 * 10 outcomes, and learning on the cliff of 48 states.
 *
 *     ./lab bench mdp --mine
 */
#include "bench/exercises.h"
#include "labs/2_core/mdp/mdp.h"

enum { S = 1000, A = 8, OUTCOMES = 10, CELLS = 48, MOVES = 4, N = 10000, LIMIT = 200 };

static Transition outcomes[S * A * OUTCOMES], moves[CELLS * MOVES];
static int first[S * A + 1], first_move[CELLS * MOVES + 1];
static bool terminal[S], ends[CELLS];
static const Mdp random_world = {S, A, first, outcomes, terminal, 0.95},
                 cliff = {CELLS, MOVES, first_move, moves, ends, 1};

// What the calls work on; as `given` is made at the start, all calls see the same.
static double given[N], v[S], work[S], policy[S * A], q[CELLS * MOVES], other[CELLS * MOVES],
    row[A], totals[100], trace[S];
static size_t counts[A];
static int states[N + 1], taken[N], first_visit[S], next[CELLS * MOVES], pairs[CELLS * MOVES];
static const MdpEpisode episode = {states, taken, given, N, N};

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < S * A * OUTCOMES; i++)
        outcomes[i] = (Transition){(int)rng_below(&rng, S), 1.0 / OUTCOMES, rng_uniform(&rng)};
    for (int i = 0; i <= S * A; i++) first[i] = i * OUTCOMES;
    for (int i = 0; i < S * A; i++) policy[i] = 1.0 / A;
    for (int i = 0; i < CELLS * MOVES; i++) {
        int s = i / MOVES, x = s % 12, y = s / 12, a = i % MOVES;
        int to = a == 0 && y > 0    ? s - 12
                 : a == 1 && x < 11 ? s + 1
                 : a == 2 && y < 3  ? s + 12
                 : a == 3 && x > 0  ? s - 1
                                    : s;
        bool falls = to > 36 && to < 47;
        moves[i] = (Transition){falls ? 36 : to, 1, falls ? -100 : -1};
        first_move[i + 1] = i + 1;
    }
    ends[47] = true;
    for (int i = 0; i < N; i++) {
        given[i] = rng_uniform(&rng);
        states[i] = (int)rng_below(&rng, 20);
        taken[i] = (int)rng_below(&rng, A);
    }
}

// ---- the exercises: each makes N updates, and leaves a number to be compared ----

#define EXERCISE(name, result, ...)                                                                \
    static void name(Solution *solution, float *const *a)                                          \
    {                                                                                              \
        Rng rng = rng_from_seed(2);                                                                \
        (void)solution, (void)rng;                                                                 \
        for (int s = 0; s < S; s++) v[s] = 0;                                                      \
        for (int i = 0; i < CELLS * MOVES; i++) q[i] = other[i] = 0;                               \
        __VA_ARGS__;                                                                               \
        a[0][0] = (float)(result);                                                                 \
    }
#define EACH for (int i = 0; i < N; i++)

static void learn(Solution *solution, MdpMethod method)
{
    Rng rng = rng_from_seed(3);
    MdpControl control = {method, 36, LIMIT, 0.5, 0.1};
    AS(mdp_control, solution)(q, other, totals, 100, &cliff, &control, row, &rng);
}

EXERCISE(returns, work[0],
         for (int i = 0; i < N / S; i++) AS(mdp_returns, solution)(work, given + i * S, S, 0.9, 0))
EXERCISE(backup, row[0],
         for (int i = 0; i < N; i++)
             row[0] = AS(mdp_backup, solution)(&random_world, v, i % S, i % A))
EXERCISE(evaluate, v[1], AS(mdp_evaluate, solution)(v, &random_world, policy, 0, 10, work))
EXERCISE(value_iteration, v[1], AS(mdp_value_iteration, solution)(v, &random_world, 0, 10, work))
EXERCISE(gauss_seidel, v[1], AS(mdp_gauss_seidel, solution)(v, &random_world, 0, 10))
EXERCISE(greedy, row[0], EACH AS(mdp_greedy, solution)(row, given + i % S, A, 0.1))
EXERCISE(epsilon_greedy, row[0],
         EACH row[0] = AS(mdp_epsilon_greedy, solution)(given + i % S, A, 0.1, &rng))
EXERCISE(ucb, row[0], for (int b = 0; b < A; b++) counts[b] = 1;
         EACH counts[(int)(row[0] = AS(mdp_ucb, solution)(given, counts, A, 2))]++)
EXERCISE(softmax, row[0], EACH AS(mdp_softmax, solution)(row, given + i % S, A))
EXERCISE(monte_carlo, v[0], for (int b = 0; b < A; b++) counts[b] = 0; static size_t visits[S];
         for (int s = 0; s < S; s++) visits[s] = 0;
         AS(mdp_monte_carlo, solution)(v, visits, &episode, given, MDP_EVERY_VISIT, first_visit))
EXERCISE(td, v[0], EACH AS(mdp_td, solution)(v, states[i], given[i], states[i + 1], 0.1, 0.9))
EXERCISE(n_step_td, v[0], AS(mdp_n_step_td, solution)(v, &episode, 4, 0.1, 0.9))
EXERCISE(td_lambda, v[0],
         AS(mdp_td_lambda, solution)(v, trace, 20, &episode, 0.8, MDP_ACCUMULATING, 0.1, 0.9))
EXERCISE(q_learning, q[0],
         EACH AS(mdp_q_learning, solution)(q, MOVES, states[i], taken[i] % MOVES, given[i],
                                           states[i + 1], 0.1, 0.9))
EXERCISE(control_sarsa, totals[99], learn(solution, MDP_SARSA))
EXERCISE(control_q, totals[99], learn(solution, MDP_Q_LEARNING))
EXERCISE(control_double, totals[99], learn(solution, MDP_DOUBLE_Q))
EXERCISE(dyna_q, q[0], MdpMemory memory = {next, trace, pairs, 0};
         for (int i = 0; i < CELLS * MOVES; i++) next[i] = -1; for (int i = 0; i < 100; i++)
             AS(mdp_dyna_q, solution)(q, &memory, MOVES, states[i], taken[i] % MOVES, 1,
                                      states[i + 1], 99, 0.1, 0.9, &rng))

// ---- the table ----

#define NUMBERS .arrays = {WRITES(1)}, .numbers = N

// clang-format off
static const Workload workloads[] = {
    {"returns", "mdp_returns", "10 x 1000 rewards", returns, NUMBERS},
    {"backup", "mdp_backup", "10 outcomes", backup, NUMBERS},
    {"evaluate", "mdp_evaluate", "10 sweeps", evaluate, NUMBERS},
    {"value_iteration", "mdp_value_iteration", "10 sweeps", value_iteration, NUMBERS},
    {"gauss_seidel", "mdp_gauss_seidel", "10 sweeps", gauss_seidel, NUMBERS},
    {"greedy", "mdp_greedy", "8 actions", greedy, NUMBERS},
    {"epsilon_greedy", "mdp_epsilon_greedy", "8 actions", epsilon_greedy, NUMBERS},
    {"ucb", "mdp_ucb", "8 actions", ucb, NUMBERS},
    {"softmax", "mdp_softmax", "8 actions", softmax, NUMBERS},
    {"monte_carlo", "mdp_monte_carlo", "10000 steps", monte_carlo, NUMBERS},
    {"td", "mdp_td", "10000 steps", td, NUMBERS},
    {"n_step_td", "mdp_n_step_td", "n = 4", n_step_td, NUMBERS},
    {"td_lambda", "mdp_td_lambda", "20 states", td_lambda, NUMBERS},
    {"q_learning", "mdp_q_learning", "4 actions", q_learning, NUMBERS},
    {"control", "mdp_control", "SARSA, 100 ep.", control_sarsa, .arrays = {WRITES(1)}},
    {"control", "mdp_control", "Q, 100 episodes", control_q, .arrays = {WRITES(1)}},
    {"control", "mdp_control", "double, 100 ep.", control_double, .arrays = {WRITES(1)}},
    {"dyna_q", "mdp_dyna_q", "100 x 99 planned", dyna_q, NUMBERS},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
    return exercises_main("mdp", workloads, argc, argv);
}
