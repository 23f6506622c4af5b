/* distribution.h -- tokens with weights, from which one is drawn.
 *
 *     distribution_largest(list, logits, vocabulary, 40);    // top_k; then weights are made of them
 *     const int kept = distribution_nucleus(list, 40, 0.95);
 *     const Distribution d = {list, kept, distribution_sum(list, kept)};
 *     const int token = distribution_draw(&d, u);
 */
#pragma once

typedef struct TokenWeight {
    int token;
    float weight;
} TokenWeight;

// What a token is drawn from: its probability is its weight over the sum.
typedef struct Distribution {
    const TokenWeight
        *list;    // each token once, weights above 0; the sampler's until its next call
    int count;
    double sum;
} Distribution;

int distribution_draw(const Distribution *distribution, double u);    // u in [0,1)
double distribution_probability(const Distribution *distribution, int token);

// ---- lists in the making ----

// The k largest of x, sorted, of equals the first first; the list has room for n.
void distribution_largest(TokenWeight *list, const float *x, int n, int k);
// How many of the largest weights, each of 0 to 1, have this share together; they come to the front.
int distribution_nucleus(TokenWeight *list, int n, double share);
double distribution_sum(const TokenWeight *list, int n);
