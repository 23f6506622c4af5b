/* mdp.h -- what you write in this lab: twenty-six functions of a few lines each.
 *
 * All numbers are double. model.h has the tables of a Markov decision process: S states, A actions,
 * gamma its discount. A policy pi is an array of probabilities [S,A]; v are state values [S], q are
 * action values [S,A], both row-major; a row is one state's. Values of a terminal state are 0: the
 * caller gives arrays that hold it, and no function writes anything else there.
 *
 * An action that is not allowed has the action value -infinity and the probability 0: no function
 * chooses it, and nothing is multiplied by it. Outputs never overlap inputs and are overwritten unless
 * stated otherwise; inputs are not modified. Counts may be 0 unless a minimum is given. Random numbers
 * are drawn in the order given here, so that the same seed gives everyone the same run. Nothing is
 * kept from one call to the next. A NaN in an input propagates to all that depends on it.
 */
#pragma once
#include <math.h>
#include <stddef.h>
#include "labs/2_core/mdp/queue.h"

// Two action values are tied when they differ by rounding only: .1 + .2 is not .3. The best of a
// row are those for which  q >= best - MDP_TIE max(1, |best|).
#define MDP_TIE 1e-9
static inline bool mdp_tied(double q, double best)
{
    return q == best || q >= best - MDP_TIE * fmax(1, fabs(best));
}

// Provided: draws 0..n-1 with the probabilities p, by one rng_uniform().
static inline int mdp_draw(const double *p, int n, Rng *rng)
{
    double u = (double)rng_uniform(rng), sum = 0;
    int last = 0;
    for (int i = 0; i < n; i++) {
        if (!(p[i] > 0)) continue;
        last = i;
        if (u < (sum += p[i])) break;
    }
    return last;
}

// What happened from a start to a terminal state, or until the time limit cut it off there:
// states[t], actions[t], then rewards[t] and states[t + 1], for t = 0 .. count-1.
typedef struct MdpEpisode {
    int *states;        // [limit + 1]
    int *actions;       // [limit]
    double *rewards;    // [limit]
    size_t count, limit;
} MdpEpisode;

// Provided: an episode under a policy. At each time one mdp_draw(), then one mdp_step().
static inline void mdp_play(MdpEpisode *episode, const Mdp *mdp, const double *policy, int start,
                            Rng *rng)
{
    size_t t = 0, actions = (size_t)mdp->actions;
    episode->states[0] = start;
    for (int s = start; t < episode->limit && !mdp->terminal[s]; t++) {
        int a = episode->actions[t] = mdp_draw(policy + (size_t)s * actions, mdp->actions, rng);
        s = episode->states[t + 1] = mdp_step(mdp, s, a, rng, &episode->rewards[t]);
    }
    episode->count = t;
}

// ---- returns and Markov reward processes ----

// 1. The return at each time of an episode:  G_t = rewards[t] + gamma G_(t+1),  G_n = after: 0 where
//    the episode ended, the value of its last state where a time limit cut it off.
//    returns: [n]; may be rewards itself
void mdp_returns(double *returns, const double *rewards, size_t n, double discount, double after);

// Solves a x = b for x, which holds b; a is [n,n], row-major, and is lost. False: a is singular.
typedef bool MdpSolver(double *x, double *a, int n);

// 2. The values of a policy in closed form. An MDP under a policy is a Markov reward process with
//    P(s,s') = sum_a pi(s,a) p(s'|s,a)  and the expected rewards  R(s) = sum_a pi(s,a) r(s,a), and
//    (I - gamma P) v = R,  where the row of a terminal state reads  v = 0. One call of `solve`, whose
//    answer is returned. One action and pi = 1 everywhere: a reward process itself.
//    v: [S], work: [S,S], scratch space
bool mdp_closed_form(double *v, const Mdp *mdp, const double *policy, MdpSolver *solve,
                     double *work);

// ---- dynamic programming ----

// 3. The expected update of one action value:  sum over the outcomes of (s,a) of
//    probability (reward + gamma v[next]).  -infinity where the action is not allowed, 0 where s is
//    terminal, whatever outcomes are listed.
double mdp_backup(const Mdp *mdp, const double *v, int state, int action);

// Provided, on top of your 3: max_a of it, the right-hand side of Bellman's optimality equation.
double mdp_best(const Mdp *mdp, const double *v, int state);

typedef struct MdpSweeps {
    int sweeps;       // over all states
    double change;    // largest |new - old| value of the last one; infinity before the first
} MdpSweeps;

// 4. Policy evaluation, from the values in v, by sweeps of Bellman's expectation equation
//    v'(s) = sum_a pi(s,a) backup(s,a).  All of v' comes from the old v; then v = v'. Ends after
//    the first sweep with a change of at most `tolerance`, or after `most` sweeps.
//    v: [S], in and out; next: [S], scratch space
MdpSweeps mdp_evaluate(double *v, const Mdp *mdp, const double *policy, double tolerance, int most,
                       double *next);

// 5. The epsilon-greedy policy of one state: of probability 1 - epsilon, each of the best (mdp_tied)
//    has an equal share, of epsilon each action that is allowed. Greedy where epsilon is 0. All 0
//    where no action is allowed, all NaN where a q is NaN.    q, policy: [A]; may be the same array
void mdp_greedy(double *policy, const double *q, int actions, double epsilon);

// 6. Policy iteration. A round evaluates pi (4, from the v so far, with this tolerance and at most
//    `most` sweeps), then makes pi greedy for v (5): the actions that are tied share. Ends after the
//    first round in which no state's best action is better than v there (they are tied), so that equal
//    actions are not exchanged for ever. Returns the number of rounds; 0 where a round's evaluation
//    did not reach the tolerance, then at once, or `most` rounds were not enough.
//    policy: [S,A], v: [S], both in and out; a terminal state's row is left alone
//    work: [max(S, A)], scratch space
int mdp_policy_iteration(double *policy, double *v, const Mdp *mdp, double tolerance, int most,
                         double *work);

// 7. Value iteration: as 4, with Bellman's optimality equation  v'(s) = max_a backup(s,a).
MdpSweeps mdp_value_iteration(double *v, const Mdp *mdp, double tolerance, int most, double *next);

// 8. Gauss-Seidel value iteration: the same in place, state by state from 0 on, so that a state sees
//    the new values of those before it.
MdpSweeps mdp_gauss_seidel(double *v, const Mdp *mdp, double tolerance, int most);

// 9. Prioritized sweeping, from the values in v. The priority of s is  |max_a backup(s,a) - v[s]|.
//    Puts the states whose priority is above tolerance into the queue, in their order; then takes the
//    first, gives it its best value, and sets anew the priorities of its predecessors that are above
//    tolerance, until the queue is empty or `most` values were updated. Returns their number. No
//    priority is above tolerance when the queue is empty. A NaN is not above it either.    queue: empty, of mdp_queue_new()
size_t mdp_prioritized_sweeping(double *v, const Mdp *mdp, double tolerance, size_t most,
                                MdpQueue *queue);

// ---- bandits ----

// 10. Chooses epsilon-greedily from a row of action values. One rng_uniform(): explore when it is below
//     epsilon. The candidates are then the actions that are allowed, else the best (mdp_tied) of them;
//     one of those, in their order, by rng_below() where there are two or more. A NaN counts as not
//     allowed. Returns -1, after that draw, where no action is allowed.
int mdp_epsilon_greedy(const double *q, int actions, double epsilon, Rng *rng);

// 11. Counts a target (a reward, a return) and moves the estimate towards it:
//     value += (target - value) step,  or 1 / count for step where that is 0: the sample average. The
//     first target of an average replaces the value, exactly.    step: 0..1
void mdp_estimate(double *value, size_t *count, double target, double step);

// 12. Chooses by upper confidence bound (UCB1): the first action that was never tried, else the one
//     with the largest  q + c sqrt(ln t / counts[a]),  t the sum of all counts; of equals the
//     first. Skips a q of -infinity or NaN; -1 where no other is left.   c >= 0
int mdp_ucb(const double *q, const size_t *counts, int actions, double c);

// 13. policy[a] = exp(h[a]) / sum_b exp(h[b]), for preferences h of any size; 0 where h is
//     -infinity. At least one is finite.    [A]; may be the same array
void mdp_softmax(double *policy, const double *preferences, int actions);

// 14. The gradient bandit: one step of stochastic gradient ascent on the expected reward, after `action`
//     brought `reward`, for the policy (softmax of h) that chose it:
//     h[a] += step (reward - baseline) (1 - policy[a])  for the action taken,
//     h[b] -= step (reward - baseline) policy[b]        for the others.
void mdp_gradient_bandit(double *preferences, const double *policy, int actions, int action,
                         double reward, double baseline, double step);

// ---- learning from episodes ----

typedef enum MdpVisits { MDP_FIRST_VISIT, MDP_EVERY_VISIT } MdpVisits;

// 15. Monte Carlo prediction from one episode with its returns (1): v[s] is the average of the returns
//     after the first visit of each episode to s, or after every visit (11, in the order of time).
//     v: [S] and counts: [S], in and out; first: [S], scratch space
void mdp_monte_carlo(double *v, size_t *counts, const MdpEpisode *episode, const double *returns,
                     MdpVisits visits, int *first);

// 16. On-policy Monte Carlo control after one episode: q[s,a] averages the returns after the first
//     visit of each episode to the pair (s,a); then pi becomes epsilon-greedy (5) in the states that
//     were acted in.    q, counts, policy: [S,A], in and out; first: [S,A], scratch space
void mdp_monte_carlo_control(double *q, size_t *counts, double *policy, int actions,
                             const MdpEpisode *episode, const double *returns, double epsilon,
                             int *first);

// 17. TD(0):  v[state] += step delta,  delta = reward + gamma v[next] - v[state],  which is returned.
double mdp_td(double *v, int state, double reward, int next, double step, double discount);

// 18. n-step TD prediction of one episode: for t = 0 .. count-1 in order,
//     v[S_t] += step (G - v[S_t]),  where G has the n rewards from t on and then gamma^n v[S_(t+n)],
//     or the rewards that are left and then the value of the last state.   n >= 1
void mdp_n_step_td(double *v, const MdpEpisode *episode, size_t n, double step, double discount);

typedef enum MdpTrace { MDP_ACCUMULATING, MDP_REPLACING } MdpTrace;

// 19. TD(lambda) of one episode, backward view: all traces are 0 at its start. At each time t they
//     decay by  gamma lambda,  that of S_t grows by 1 (accumulating) or becomes 1 (replacing), and
//     v[s] += step delta trace[s]  for every s, with the delta of 17.    trace: [states], overwritten
void mdp_td_lambda(double *v, double *trace, int states, const MdpEpisode *episode, double lambda,
                   MdpTrace kind, double step, double discount);

// ---- control by temporal differences ----
// Each of 20 to 23 updates q[state,action] by step delta and returns delta = target - q[state,action].

// 20. SARSA: the target is  reward + gamma q[next,next_action].
double mdp_sarsa(double *q, int actions, int state, int action, double reward, int next,
                 int next_action, double step, double discount);

// 21. Expected SARSA:  reward + gamma sum_a policy[a] q[next,a],  policy: [A], that of `next`.
double mdp_expected_sarsa(double *q, int actions, int state, int action, double reward, int next,
                          const double *policy, double step, double discount);

// 22. Q-learning:  reward + gamma max_a q[next,a].
double mdp_q_learning(double *q, int actions, int state, int action, double reward, int next,
                      double step, double discount);

// 23. Double Q-learning:  reward + gamma other[next,a],  where a is the action with the largest
//     q[next,a], the first of equals. Only q is updated.    q, other: [S,A]
double mdp_double_q(double *q, const double *other, int actions, int state, int action,
                    double reward, int next, double step, double discount);

typedef enum MdpMethod { MDP_SARSA, MDP_EXPECTED_SARSA, MDP_Q_LEARNING, MDP_DOUBLE_Q } MdpMethod;

typedef struct MdpControl {
    MdpMethod method;
    int start, limit;    // first state of every episode; steps after which it is cut off
    double step, epsilon;
} MdpControl;

// 24. Learns from episodes. In each state chooses by 10, takes an mdp_step(), and updates by 20 to 23,
//     until the state is terminal or after `limit` steps; that is no end: the last update is like any.
//     SARSA chooses the next action before its update, and takes it; in a terminal state none is
//     chosen. Double Q-learning chooses by the sum of both tables; after the step it draws
//     rng_below(2): 0 updates q, 1 other. Where no action can be chosen (-1) the episode is cut off. Writes
//     the sum of each episode's rewards.
//     q, other: [S,A], in and out (other may be NULL for the other methods); totals: [episodes];
//     row: [A], scratch space
void mdp_control(double *q, double *other, double *totals, int episodes, const Mdp *mdp,
                 const MdpControl *control, double *row, Rng *rng);

// What Dyna has seen: where (s,a) led the last time, and the pairs in the order of their first time.
typedef struct MdpMemory {
    int *next;         // [S,A]; -1: not seen
    double *reward;    // [S,A]
    int *pairs;        // [S,A]: s A + a
    int count;         // of pairs
} MdpMemory;

// 25. Dyna-Q after one real step: a Q-learning update (22), then the step is remembered, then `planning`
//     updates from memory, each of a pair chosen by rng_below(count).
void mdp_dyna_q(double *q, MdpMemory *memory, int actions, int state, int action, double reward,
                int next, int planning, double step, double discount, Rng *rng);

// 26. REINFORCE with a baseline, after one episode with its returns. For each t in order, with pi the
//     softmax (13) of the preferences h[S_t,.] as they are then:  delta = G_t - baseline[S_t],
//     baseline[S_t] += baseline_step delta,  and for every a
//     h[S_t,a] += step gamma^t delta ((a == A_t) - pi[a]).
//     baseline NULL: delta = G_t.    h: [S,A] and baseline: [S], in and out; policy: [A], scratch space
void mdp_reinforce(double *preferences, double *baseline, int actions, const MdpEpisode *episode,
                   const double *returns, double step, double baseline_step, double discount,
                   double *policy);
