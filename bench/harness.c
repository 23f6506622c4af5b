#include "bench/harness.h"
#include "kernels/seconds.h"
#include <math.h>
#include <omp.h>
#include <time.h>

double bench_now(void)
{
    return seconds_now();
}

void bench_sleep(double seconds)
{
    double whole = floor(seconds);
    nanosleep(&(struct timespec){(time_t)whole, (long)(1e9 * (seconds - whole))}, NULL);
}

void bench_threads(int threads)
{
    omp_set_num_threads(threads);
}

bool bench_noisy(Stats stats)
{
    return stats_spread(stats) > 0.10;
}

enum { MOST_CALLS = 1 << 30 };

// How many calls fill a sample. Growing towards it is the warm-up as well: caches, page tables,
// the thread pool and the processor's clock have all been at work for twice a sample's time.
static long calibrate(const Contender *contender, double sample_seconds, Error *err)
{
    if (contender->run(contender->work, 1, err) < 0) return -1;
    for (long calls = 1; calls < MOST_CALLS; calls *= 2) {
        bool filled = true;
        for (int attempt = 0; attempt < 2 && filled; attempt++) {    // a hiccup fills a sample once
            double seconds = contender->run(contender->work, calls, err);
            if (seconds < 0) return -1;
            filled = seconds >= sample_seconds;
        }
        if (filled) return calls;
    }
    return MOST_CALLS;
}

// One call goes before the clock: it wakes sleeping threads and takes the caches back from the
// contender before. Where a sample is a single long call, neither matters.
static double sample(const Contender *contender, long calls, Error *err)
{
    if (calls > 1 && contender->run(contender->work, 1, err) < 0) return -1;
    return contender->run(contender->work, calls, err);
}

bool bench_compare(const Contender *contenders, int count, Plan plan, Timing *timings, Error *err)
{
    double seconds[BENCH_MAX_CONTENDERS][BENCH_MAX_ROUNDS], ratios[BENCH_MAX_ROUNDS];
    REQUIRE(count >= 1 && count <= BENCH_MAX_CONTENDERS, "%d contenders, expected 1 to %d", count,
            BENCH_MAX_CONTENDERS);

    for (int c = 0; c < count; c++) {
        long calls = calibrate(&contenders[c], plan.sample_seconds, err);
        if (calls < 0) return error_wrap(err, "%s", contenders[c].name);
        timings[c] = (Timing){.name = contenders[c].name, .calls = calls};
    }
    int rounds = 0;
    double total = 0;
    while (rounds < BENCH_MAX_ROUNDS && (rounds < plan.rounds || total < plan.seconds)) {
        for (int i = 0; i < count; i++) {
            int c = rounds % 2 == 0 ? i : count - 1 - i;    // a steady drift cancels
            double taken = sample(&contenders[c], timings[c].calls, err);
            if (taken < 0) return error_wrap(err, "%s", contenders[c].name);
            seconds[c][rounds] = taken / (double)timings[c].calls;
            total += taken;
        }
        rounds++;
    }
    for (int c = count - 1; c >= 0; c--) {    // the first is sorted last: the others divide by it
        for (int r = 0; r < rounds; r++) ratios[r] = seconds[c][r] / seconds[0][r];
        timings[c].ratio = stats_of(ratios, rounds);
        timings[c].seconds = stats_of(seconds[c], rounds);
    }
    return true;
}
