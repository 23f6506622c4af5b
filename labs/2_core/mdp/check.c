/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check mdp
 *     ./lab check mdp.value_iteration
 *
 * Expected values never come from mdp.c: they are published tables (Silver's lectures, Sutton & Barto,
 * Gymnasium), closed forms, plain sums, and Gauss-Jordan elimination in place of LAPACK. A case calls
 * functions of its own exercise only. Every array ends at a guard page. Whole runs are held against
 * the exact values within a stated error over many seeds.
 */
#include "labs/2_core/mdp/check.h"

const CaseList lab_cases[] = {process_cases, policy_cases,      sweep_cases,
                              bandit_cases,  monte_carlo_cases, prediction_cases,
                              update_cases,  control_cases,     NULL};
