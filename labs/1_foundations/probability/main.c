/* main.c -- sampling, limit theorems, inference, Bayes, Monte Carlo and information. */
#include "labs/1_foundations/probability/story.h"

static const Part parts[] = {
    {"sampling", "Uniformity of random number generators", part_uniformity,
     .notices = {{"planes",
                  "RANDU's triples lie on 15 planes; in one and two dimensions it passes the "
                  "test. A p-value near 1 is as suspicious as one near 0"}}},
    {"sampling", "Sampling from a distribution", part_sampling,
     .notices = {{"shapes", "three sampling methods; what does each need to know?"}}},
    {"sampling", "Simulation: birthday problem and Monty Hall", part_games,
     .notices = {{"birthdays", "the simulated shares lie on the exact curve"}}},
    {"limits", "Law of large numbers", part_large_numbers,
     .notices = {{"large_numbers",
                  "a sample mean converges, unless the distribution has no mean"}}},
    {"limits", "Central limit theorem", part_central_limit,
     .notices = {{"central_limit",
                  "the tail is the last to become normal: see the shares beyond 2 sd"}}},
    {"inference", "Maximum likelihood and goodness of fit: deaths by horse kick", part_horse_kicks,
     .notices = {{"horse kicks",
                  "a density's log-likelihood cannot be compared with a probability's"}}},
    {"inference", "t-test: Student's sleep data, 1908", part_sleep,
     .notices = {{"sleep",
                  "pairing removes the variance between patients, and p falls below 0.01"}}},
    {"inference", "Confidence intervals: coverage", part_coverage,
     .notices = {{"coverage", "5 in a hundred miss, and nothing tells which"}}},
    {"inference", "p-values: type I error and power", part_p_values,
     .notices = {{"p_values",
                  "uniform under H0; optional stopping raises the type I error from 5 % to 29 %"}}},
    {"inference", "Bootstrap: standard errors", part_bootstrap,
     .notices = {{"bootstrap", "the median's replicates jump: it is always one of few numbers"}}},
    {"bayes", "Bayesian inference: a biased coin", part_posterior,
     .notices = {{"posterior",
                  "broad and off at first, then narrow; how many tosses for one more digit?"}}},
    {"monte_carlo", "Monte Carlo integration", part_integration,
     .notices = {{"monte_carlo",
                  "the standard error is a line of slope -1/2, for any function in any "
                  "dimension"}}},
    {"monte_carlo", "Metropolis: a mixture of two normals", part_metropolis,
     .notices = {{"traces, metropolis",
                  "too narrow a proposal rarely crosses to the other mode; too wide a one is "
                  "hardly ever accepted"}}},
    {"information", "Entropy and KL divergence: English letters", part_information,
     .notices = {{"letters",
                  "the KL divergence is not symmetric; ten times the data, a tenth of it"}}},
    {"table", NULL, part_table, .unlisted = true},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)64 << 20), *step = arena_new("step", (size_t)1 << 30);
    Lab lab = {.step = step, .experiments = 10000};
    Options *options = options_new(keep, "probability",
                                   "Sampling, limit theorems, statistical inference, Monte Carlo "
                                   "and information theory.");
    options_group(options, "This lab");
    options_int(options, "experiments", 'n', &lab.experiments, 100, 1000000,
                "simulated data sets that a share is counted over");
    options_string(options, "csv", 0, &lab.csv, "FILE", "summary and tests of your own table");
    options_string(options, "columns", 0, &lab.columns, "A,B",
                   "its columns: one is described, two are compared");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/1_foundations/probability/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "experiments")) lab.experiments = 300;
    if (lab.columns != NULL && lab.csv == NULL) {
        error_print("--columns %s: expected --csv FILE with it", lab.columns);
        return 2;
    }
    if (lab.csv != NULL) story_only(&story, "table");
    return story_run(&story, &lab);
}
