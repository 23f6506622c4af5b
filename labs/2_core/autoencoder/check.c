/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check autoencoder
 *     ./lab check autoencoder.linear_forward
 *
 * Expected values never come from autoencoder.c: they are plain loops in double, values computed by
 * hand or taken from a textbook, and finite differences. A case calls functions of its own exercise
 * only. Every array ends at a guard page, so that reading or writing past its end stops the case at
 * that line.
 */
#include "labs/2_core/autoencoder/check.h"

const CaseList lab_cases[] = {layer_cases, loss_cases, tied_cases, noise_cases, NULL};
