/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check transformer
 *     ./lab check transformer.attention
 *
 * Expected values never come from transformer.c: they are plain loops in double, closed forms, values
 * computed by hand, finite differences, and what PyTorch 2.15 and transformers 5.24 gave in double for
 * the inputs sin(0), sin(1), ..: check_values.py prints them. A case calls functions of its own
 * exercise only; those may call earlier ones. Every array ends at a guard page, so that reading or
 * writing past its end stops the case at that line.
 */
#include "labs/3_language/transformer/check.h"
#include <math.h>
#include "tests/floats.h"

const CaseList lab_cases[] = {embedding_cases, attention_cases,    head_cases,  norm_cases,
                              position_cases,  feed_forward_cases, block_cases, training_cases,
                              sampling_cases,  cache_cases,        NULL};

float *waves(size_t n, double first, double scale, double offset)
{
    float *x = floats_filled(n, 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)(offset + scale * sin(first + (double)i));
    return x;
}

double largest_of(const double *x, int n)
{
    double most = x[0];
    for (int i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

void floats_scale(float *x, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

void softmax_of(double *p, const double *z, int seen, int n)
{
    double most = largest_of(z, seen), sum = 0;
    for (int j = 0; j < seen; j++) sum += exp(z[j] - most);
    for (int j = 0; j < n; j++) p[j] = j < seen ? exp(z[j] - most) / sum : 0;
}
