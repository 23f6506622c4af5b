/* harness.h -- times several ways of doing the same work in one run, and says how sure it is.
 *
 *     Contender pair[] = {{"ours", time_ours, &work}, {"theirs", time_theirs, &work}};
 *     Timing    timing[2];
 *     if (!bench_compare(pair, 2, BENCH_PLAN, timing, &err)) return error_report(&err);
 *     printf("%.3g s, %.2f times theirs\n", timing[0].seconds.median, timing[1].ratio.median);
 *
 * A shared machine drifts by more than two good kernels differ. So a round takes one sample of
 * each contender, A B C, the next goes C B A, and a ratio is the median of the rounds' own ratios:
 * both sides of every single ratio were measured within the same fraction of a second.
 */
#pragma once
#include <stdbool.h>
#include "bench/stats.h"
#include "common/error.h"

enum { BENCH_MAX_CONTENDERS = 8, BENCH_MAX_ROUNDS = 1000 };

// Does the work `calls` times and returns the seconds that took, by a clock of its own choice (a
// peer in another process uses its own); negative, with err set, when it cannot.
typedef double Run(void *work, long calls, Error *err);

typedef struct Contender {
    const char *name;
    Run *run;
    void *work;
} Contender;

typedef struct Plan {
    int rounds;               // at least so many,
    double seconds;           // and until so much time was measured, over all contenders
    double sample_seconds;    // a sample repeats short work until it lasts about so long
} Plan;

#define BENCH_PLAN  ((Plan){.rounds = 11, .seconds = 0.6, .sample_seconds = 4e-3})
#define BENCH_QUICK ((Plan){.rounds = 3, .seconds = 0, .sample_seconds = 1e-4})

typedef struct Timing {
    const char *name;
    long calls;       // in each sample
    Stats seconds;    // of one call
    Stats ratio;      // the first contender's speed over this one's: above 1, the first wins
} Timing;

// Warms every contender up, then measures. One Timing a contender, in their order.
bool bench_compare(const Contender *contenders, int count, Plan plan, Timing *timings, Error *err);

// True when the middle half of the samples spreads over more than a tenth of the median: the
// figure is then printed as noisy.
bool bench_noisy(Stats stats);

double bench_now(void);    // seconds, of a clock that only goes forward
void bench_sleep(double seconds);
void bench_threads(int threads);    // for OpenMP, from here on
