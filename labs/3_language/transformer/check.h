/* check.h -- the cases of each part of the lab, in the order of the exercises; {0} ends a list. */
#pragma once
#include "labs/3_language/transformer/transformer.h"
#include "tests/cases.h"

extern const struct CMUnitTest embedding_cases[];       // embedding, embedding_backward
extern const struct CMUnitTest attention_cases[];       // attention, attention_backward
extern const struct CMUnitTest head_cases[];            // split_heads .. multi_head
extern const struct CMUnitTest norm_cases[];            // layer_norm .. rms_norm_backward
extern const struct CMUnitTest position_cases[];        // sinusoidal, rope
extern const struct CMUnitTest feed_forward_cases[];    // gelu .. feed_forward
extern const struct CMUnitTest block_cases[];           // block
extern const struct CMUnitTest training_cases[];        // cross_entropy .. schedule
extern const struct CMUnitTest sampling_cases[];        // temperature .. sample
extern const struct CMUnitTest cache_cases[];           // cache_step

// Sums of a few hundred products of size 1, in float and in any order.
#define SUM_TOLERANCE .atol = 1e-4, .rtol = 1e-5

// offset + scale sin(first + i), the inputs of the examples that PyTorch computed.
float *waves(size_t n, double first, double scale, double offset);

// The largest of n numbers.
double largest_of(const double *x, int n);

// x = factor x: other contents in the same memory.
void floats_scale(float *x, size_t n, float factor);

// p[j] = exp(z[j]) / sum exp(z), for j < seen of n; 0 for the others.
void softmax_of(double *p, const double *z, int seen, int n);
