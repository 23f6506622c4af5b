/* story.h -- the parts of the story, in the order in which they are told.
 *
 * Each prints its figures and draws its plots into the run's folder. What a part allocates is gone
 * after it; each has random numbers of its own, so that leaving one out changes none of the others.
 */
#pragma once
#include "common/run.h"
#include "labs/1_foundations/probability/figure.h"

typedef struct Story {
    Run *run;
    Arena *arena;
    int experiments;    // that a share is counted over
} Story;

void tell_generators(const Story *story);    // are they uniform?
void tell_samplers(const Story *story);      // other shapes from uniform draws
void tell_games(const Story *story);         // birthdays and three doors, played and computed

void tell_large_numbers(const Story *story);    // means that settle, and one that never does
void tell_central_limit(const Story *story);    // why sums are normal

void tell_horse_kicks(const Story *story);     // most likely parameters, and whether they fit
void tell_sleep(const Story *story);           // two drugs, ten sleepers, 1908
void tell_coverage(const Story *story);        // what "95 %" means, counted
void tell_chance_alone(const Story *story);    // the p-value when there is nothing to find
void tell_bootstrap(const Story *story);       // how far a median can be trusted
void tell_belief(const Story *story);          // a coin, toss by toss

void tell_area(const Story *story);       // an integral and its error
void tell_walk(const Story *story);       // to where the density is
void tell_letters(const Story *story);    // what a letter costs

// The user's own numbers: a column's moments, quantiles, interval and fits; of two, a test as well.
bool tell_columns(const Story *story, const char *path, const char *columns, Error *err);
