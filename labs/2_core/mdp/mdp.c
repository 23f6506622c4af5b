/* mdp.c -- the reference solutions; mdp.h is their contract. */
#include "labs/2_core/mdp/mdp.h"
#include <string.h>

// Where (s,a) is in an array [S,A].
static size_t at(int actions, int state, int action)
{
    return (size_t)state * (size_t)actions + (size_t)action;
}

// The larger of two, and a NaN rather than any number.
static double larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

// Moves an estimate towards its target; returns how far it was off.
static double move(double *estimate, double target, double step)
{
    double delta = target - *estimate;
    *estimate += step * delta;
    return delta;
}

// ---- returns and Markov reward processes ----

void mdp_returns(double *returns, const double *rewards, size_t n, double discount, double after)
{
    // solution returns
    for (size_t t = n; t-- > 0;) returns[t] = after = rewards[t] + discount * after;
    // end returns
}

bool mdp_closed_form(double *v, const Mdp *mdp, const double *policy, MdpSolver *solve,
                     double *work)
{
    // solution closed_form
    size_t states = (size_t)mdp->states;
    for (size_t i = 0; i < states * states; i++) work[i] = 0;
    for (int s = 0; s < mdp->states; s++) {
        double *row = work + (size_t)s * states;
        row[s] = 1;
        v[s] = 0;
        for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++) {
            size_t pair = at(mdp->actions, s, a);
            for (int i = mdp->first[pair]; i < mdp->first[pair + 1]; i++) {
                const Transition *outcome = &mdp->outcomes[i];
                double p = policy[pair] * outcome->probability;
                row[outcome->next] -= mdp->discount * p;    // two outcomes may lead to one state
                v[s] += p * outcome->reward;
            }
        }
    }
    return solve(v, work, mdp->states);
    // end closed_form
}

// ---- dynamic programming ----

double mdp_backup(const Mdp *mdp, const double *v, int state, int action)
{
    // solution backup
    size_t pair = at(mdp->actions, state, action);
    if (mdp->terminal[state]) return 0;
    if (mdp->first[pair] == mdp->first[pair + 1]) return -INFINITY;
    double sum = 0;
    for (int i = mdp->first[pair]; i < mdp->first[pair + 1]; i++) {
        const Transition *outcome = &mdp->outcomes[i];
        sum += outcome->probability * (outcome->reward + mdp->discount * v[outcome->next]);
    }
    return sum;
    // end backup
}

double mdp_best(const Mdp *mdp, const double *v, int state)
{
    double most = -INFINITY;
    for (int a = 0; a < mdp->actions; a++) most = larger(most, mdp_backup(mdp, v, state, a));
    return most;
}

MdpSweeps mdp_evaluate(double *v, const Mdp *mdp, const double *policy, double tolerance, int most,
                       double *next)
{
    // solution evaluate
    MdpSweeps done = {0, INFINITY};
    while (done.sweeps < most && !(done.change <= tolerance)) {
        done.change = 0;
        for (int s = 0; s < mdp->states; s++) {
            next[s] = 0;
            for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++) {
                double p = policy[at(mdp->actions, s, a)];
                if (p != 0) next[s] += p * mdp_backup(mdp, v, s, a);
            }
            done.change = larger(done.change, fabs(next[s] - v[s]));
        }
        memcpy(v, next, (size_t)mdp->states * sizeof *v);
        done.sweeps++;
    }
    return done;
    // end evaluate
}

void mdp_greedy(double *policy, const double *q, int actions, double epsilon)
{
    // solution greedy
    double best = -INFINITY;
    int tied = 0, allowed = 0;
    for (int a = 0; a < actions; a++) best = larger(best, q[a]);
    for (int a = 0; a < actions; a++) {
        allowed += q[a] > -INFINITY;
        tied += mdp_tied(q[a], best);
    }
    for (int a = 0; a < actions; a++) {
        if (isnan(best)) policy[a] = NAN;
        else if (!(q[a] > -INFINITY)) policy[a] = 0;
        else policy[a] = (mdp_tied(q[a], best) ? (1 - epsilon) / tied : 0) + epsilon / allowed;
    }
    // end greedy
}

int mdp_policy_iteration(double *policy, double *v, const Mdp *mdp, double tolerance, int most,
                         double *work)
{
    // solution policy_iteration
    for (int round = 1; round <= most; round++) {
        MdpSweeps done = mdp_evaluate(v, mdp, policy, tolerance, most, work);
        if (!(done.change <= tolerance)) return 0;
        bool improved = false;
        for (int s = 0; s < mdp->states; s++) {
            if (mdp->terminal[s]) continue;
            for (int a = 0; a < mdp->actions; a++) work[a] = mdp_backup(mdp, v, s, a);
            improved = improved || !mdp_tied(v[s], mdp_best(mdp, v, s));
            mdp_greedy(policy + at(mdp->actions, s, 0), work, mdp->actions, 0);
        }
        if (!improved) return round;
    }
    return 0;
    // end policy_iteration
}

MdpSweeps mdp_value_iteration(double *v, const Mdp *mdp, double tolerance, int most, double *next)
{
    // solution value_iteration
    MdpSweeps done = {0, INFINITY};
    while (done.sweeps < most && !(done.change <= tolerance)) {
        done.change = 0;
        for (int s = 0; s < mdp->states; s++) {
            next[s] = mdp_best(mdp, v, s);
            done.change = larger(done.change, fabs(next[s] - v[s]));
        }
        memcpy(v, next, (size_t)mdp->states * sizeof *v);
        done.sweeps++;
    }
    return done;
    // end value_iteration
}

MdpSweeps mdp_gauss_seidel(double *v, const Mdp *mdp, double tolerance, int most)
{
    // solution gauss_seidel
    MdpSweeps done = {0, INFINITY};
    while (done.sweeps < most && !(done.change <= tolerance)) {
        done.change = 0;
        for (int s = 0; s < mdp->states; s++) {
            double old = v[s];
            v[s] = mdp_best(mdp, v, s);
            done.change = larger(done.change, fabs(v[s] - old));
        }
        done.sweeps++;
    }
    return done;
    // end gauss_seidel
}

size_t mdp_prioritized_sweeping(double *v, const Mdp *mdp, double tolerance, size_t most,
                                MdpQueue *queue)
{
    // solution prioritized
    size_t updates = 0;
    for (int s = 0; s < mdp->states; s++) {
        double priority = fabs(mdp_best(mdp, v, s) - v[s]);
        if (priority > tolerance) mdp_queue_set(queue, s, priority);
    }
    for (int s; updates < most && (s = mdp_queue_pop(queue)) >= 0; updates++) {
        v[s] = mdp_best(mdp, v, s);
        for (int i = queue->first[s]; i < queue->end[s]; i++) {
            int before = queue->from[i];
            double priority = fabs(mdp_best(mdp, v, before) - v[before]);
            if (priority > tolerance) mdp_queue_set(queue, before, priority);
        }
    }
    return updates;
    // end prioritized
}

// ---- bandits ----

int mdp_epsilon_greedy(const double *q, int actions, double epsilon, Rng *rng)
{
    // solution epsilon_greedy
    bool explores = (double)rng_uniform(rng) < epsilon;
    double best = -INFINITY;
    int candidates = 0;
    for (int a = 0; a < actions; a++) best = q[a] > best ? q[a] : best;
    for (int a = 0; a < actions; a++)
        candidates += q[a] > -INFINITY && (explores || mdp_tied(q[a], best));
    int left = candidates > 1 ? (int)rng_below(rng, (uint32_t)candidates) : 0;
    for (int a = 0; a < actions; a++)
        if (q[a] > -INFINITY && (explores || mdp_tied(q[a], best)) && left-- == 0) return a;
    return -1;
    // end epsilon_greedy
}

void mdp_estimate(double *value, size_t *count, double target, double step)
{
    // solution estimate
    ++*count;
    if (step == 0) step = 1 / (double)*count;
    *value = step == 1 ? target : *value + (target - *value) * step;
    // end estimate
}

int mdp_ucb(const double *q, const size_t *counts, int actions, double c)
{
    // solution ucb
    double total = 0, best = -INFINITY;
    int choice = -1;
    for (int a = 0; a < actions; a++) total += (double)counts[a];
    for (int a = 0; a < actions; a++) {
        if (!(q[a] > -INFINITY)) continue;
        if (counts[a] == 0) return a;
        double bound = q[a] + c * sqrt(log(total) / (double)counts[a]);
        if (bound > best) {
            best = bound;
            choice = a;
        }
    }
    return choice;
    // end ucb
}

void mdp_softmax(double *policy, const double *preferences, int actions)
{
    // solution softmax
    double most = -INFINITY, sum = 0;
    for (int a = 0; a < actions; a++) most = larger(most, preferences[a]);
    for (int a = 0; a < actions; a++) sum += policy[a] = exp(preferences[a] - most);
    for (int a = 0; a < actions; a++) policy[a] /= sum;
    // end softmax
}

void mdp_gradient_bandit(double *preferences, const double *policy, int actions, int action,
                         double reward, double baseline, double step)
{
    // solution gradient_bandit
    for (int a = 0; a < actions; a++)
        preferences[a] += step * (reward - baseline) * ((a == action) - policy[a]);
    // end gradient_bandit
}

// ---- learning from episodes ----

void mdp_monte_carlo(double *v, size_t *counts, const MdpEpisode *episode, const double *returns,
                     MdpVisits visits, int *first)
{
    // solution monte_carlo
    const int *states = episode->states;
    for (size_t t = episode->count; t-- > 0;) first[states[t]] = (int)t;
    for (size_t t = 0; t < episode->count; t++)
        if (visits == MDP_EVERY_VISIT || first[states[t]] == (int)t)
            mdp_estimate(&v[states[t]], &counts[states[t]], returns[t], 0);
    // end monte_carlo
}

void mdp_monte_carlo_control(double *q, size_t *counts, double *policy, int actions,
                             const MdpEpisode *episode, const double *returns, double epsilon,
                             int *first)
{
    // solution monte_carlo_control
    for (size_t t = episode->count; t-- > 0;)
        first[at(actions, episode->states[t], episode->actions[t])] = (int)t;
    for (size_t t = 0; t < episode->count; t++) {
        size_t pair = at(actions, episode->states[t], episode->actions[t]);
        if (first[pair] == (int)t) mdp_estimate(&q[pair], &counts[pair], returns[t], 0);
    }
    for (size_t t = 0; t < episode->count; t++) {
        size_t row = at(actions, episode->states[t], 0);
        mdp_greedy(policy + row, q + row, actions, epsilon);
    }
    // end monte_carlo_control
}

double mdp_td(double *v, int state, double reward, int next, double step, double discount)
{
    // solution td
    return move(&v[state], reward + discount * v[next], step);
    // end td
}

void mdp_n_step_td(double *v, const MdpEpisode *episode, size_t n, double step, double discount)
{
    // solution n_step_td
    for (size_t t = 0; t < episode->count; t++) {
        size_t end = episode->count - t > n ? t + n : episode->count;
        double target = v[episode->states[end]];
        for (size_t i = end; i-- > t;) target = episode->rewards[i] + discount * target;
        move(&v[episode->states[t]], target, step);
    }
    // end n_step_td
}

void mdp_td_lambda(double *v, double *trace, int states, const MdpEpisode *episode, double lambda,
                   MdpTrace kind, double step, double discount)
{
    // solution td_lambda
    for (int s = 0; s < states; s++) trace[s] = 0;
    for (size_t t = 0; t < episode->count; t++) {
        int state = episode->states[t], next = episode->states[t + 1];
        double delta = episode->rewards[t] + discount * v[next] - v[state];
        for (int s = 0; s < states; s++) trace[s] *= discount * lambda;
        trace[state] = kind == MDP_REPLACING ? 1 : trace[state] + 1;
        for (int s = 0; s < states; s++) v[s] += step * delta * trace[s];
    }
    // end td_lambda
}

// ---- control by temporal differences ----

double mdp_sarsa(double *q, int actions, int state, int action, double reward, int next,
                 int next_action, double step, double discount)
{
    // solution sarsa
    double value = q[at(actions, next, next_action)];
    return move(&q[at(actions, state, action)], reward + discount * value, step);
    // end sarsa
}

double mdp_expected_sarsa(double *q, int actions, int state, int action, double reward, int next,
                          const double *policy, double step, double discount)
{
    // solution expected_sarsa
    double value = 0;
    for (int a = 0; a < actions; a++)
        if (policy[a] != 0) value += policy[a] * q[at(actions, next, a)];
    return move(&q[at(actions, state, action)], reward + discount * value, step);
    // end expected_sarsa
}

double mdp_q_learning(double *q, int actions, int state, int action, double reward, int next,
                      double step, double discount)
{
    // solution q_learning
    double value = -INFINITY;
    for (int a = 0; a < actions; a++) value = larger(value, q[at(actions, next, a)]);
    return move(&q[at(actions, state, action)], reward + discount * value, step);
    // end q_learning
}

double mdp_double_q(double *q, const double *other, int actions, int state, int action,
                    double reward, int next, double step, double discount)
{
    // solution double_q
    const double *row = &q[at(actions, next, 0)];
    int best = 0;
    for (int a = 1; a < actions; a++)
        if (row[a] > row[best] || isnan(row[a])) best = a;
    double value = isnan(row[best]) ? NAN : other[at(actions, next, best)];
    return move(&q[at(actions, state, action)], reward + discount * value, step);
    // end double_q
}

void mdp_control(double *q, double *other, double *totals, int episodes, const Mdp *mdp,
                 const MdpControl *control, double *row, Rng *rng)
{
    // solution control
    const int A = mdp->actions;
    const double step = control->step, epsilon = control->epsilon, discount = mdp->discount;
    for (int e = 0; e < episodes; e++) {
        totals[e] = 0;
        for (int t = 0, s = control->start, a = -1; t < control->limit && !mdp->terminal[s]; t++) {
            for (int b = 0; b < A; b++)
                row[b] =
                    q[at(A, s, b)] + (control->method == MDP_DOUBLE_Q ? other[at(A, s, b)] : 0);
            if (a < 0 && (a = mdp_epsilon_greedy(row, A, epsilon, rng)) < 0) break;
            double reward;
            int next = mdp_step(mdp, s, a, rng, &reward), next_action = -1;
            const double *after = q + at(A, next, 0);
            totals[e] += reward;
            if (control->method == MDP_SARSA) {
                if (!mdp->terminal[next]) next_action = mdp_epsilon_greedy(after, A, epsilon, rng);
                mdp_sarsa(q, A, s, a, reward, next, next_action < 0 ? 0 : next_action, step,
                          discount);
            } else if (control->method == MDP_EXPECTED_SARSA) {
                mdp_greedy(row, after, A, epsilon);
                mdp_expected_sarsa(q, A, s, a, reward, next, row, step, discount);
            } else if (control->method == MDP_Q_LEARNING) {
                mdp_q_learning(q, A, s, a, reward, next, step, discount);
            } else if (rng_below(rng, 2) == 0) {
                mdp_double_q(q, other, A, s, a, reward, next, step, discount);
            } else {
                mdp_double_q(other, q, A, s, a, reward, next, step, discount);
            }
            s = next;
            a = next_action;
        }
    }
    // end control
}

void mdp_dyna_q(double *q, MdpMemory *memory, int actions, int state, int action, double reward,
                int next, int planning, double step, double discount, Rng *rng)
{
    // solution dyna_q
    size_t pair = at(actions, state, action);
    mdp_q_learning(q, actions, state, action, reward, next, step, discount);
    if (memory->next[pair] < 0) memory->pairs[memory->count++] = (int)pair;
    memory->next[pair] = next;
    memory->reward[pair] = reward;
    for (int i = 0; i < planning; i++) {
        int chosen = memory->pairs[rng_below(rng, (uint32_t)memory->count)];
        mdp_q_learning(q, actions, chosen / actions, chosen % actions, memory->reward[chosen],
                       memory->next[chosen], step, discount);
    }
    // end dyna_q
}

void mdp_reinforce(double *preferences, double *baseline, int actions, const MdpEpisode *episode,
                   const double *returns, double step, double baseline_step, double discount,
                   double *policy)
{
    // solution reinforce
    double weight = step;    // step gamma^t
    for (size_t t = 0; t < episode->count; t++, weight *= discount) {
        int s = episode->states[t];
        double delta = returns[t], *row = preferences + at(actions, s, 0);
        if (baseline != NULL) {
            delta -= baseline[s];
            baseline[s] += baseline_step * delta;
        }
        mdp_softmax(policy, row, actions);
        for (int a = 0; a < actions; a++)
            row[a] += weight * delta * ((a == episode->actions[t]) - policy[a]);
    }
    // end reinforce
}
