/* story.h -- the parts of the lab, in their order.
 *
 * Each prints its tables and draws its plots into the run's folder. Each has a random stream of its
 * own, so that leaving one part out changes none of the others.
 */
#pragma once
#include "common/story.h"
#include "labs/1_foundations/probability/figure.h"

typedef struct Lab {
    Run *run;
    Arena *step;            // reset after each part
    int experiments;        // simulated data sets that a share is counted over
    const char *csv;        // the user's table, in place of the other parts; NULL for none
    const char *columns;    // of it: one is described, two are compared; NULL for all
} Lab;

// Each takes a Lab.
bool part_uniformity(void *context, Error *err);    // random number generators
bool part_sampling(void *context, Error *err);      // inversion, Box-Muller, rejection
bool part_games(void *context, Error *err);         // the birthday and the Monty Hall problem

bool part_large_numbers(void *context, Error *err);    // sample means, with and without a mean
bool part_central_limit(void *context, Error *err);    // standardized means

bool part_horse_kicks(void *context, Error *err);    // maximum likelihood and goodness of fit
bool part_sleep(void *context, Error *err);          // Welch's and the paired t-test
bool part_coverage(void *context, Error *err);       // of confidence intervals
bool part_p_values(void *context, Error *err);       // type I error and power
bool part_bootstrap(void *context, Error *err);      // standard errors of a mean and a median
bool part_posterior(void *context, Error *err);      // a coin, toss by toss

bool part_integration(void *context, Error *err);    // Monte Carlo error
bool part_metropolis(void *context, Error *err);     // acceptance rate and mixing
bool part_information(void *context, Error *err);    // entropy of English letters

// The user's table: summary, quantiles, confidence interval and fits; of two columns, t-tests.
bool part_table(void *context, Error *err);
