/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check autoencoder
 *     ./lab check autoencoder.linear_forward
 *
 * The wanted values never come from autoencoder.c: they are plain loops in double, values computed
 * by hand or found in a textbook, and slopes measured by moving one number a little. A case calls
 * functions of its own exercise only. Every tensor ends where a page begins that nobody may touch,
 * so that reading or writing one element too many stops the case at that line.
 */
#include "labs/2_core/autoencoder/check.h"

const CaseList lab_cases[] = {layer_cases, tied_cases, noise_cases, NULL};
