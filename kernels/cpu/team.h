/* team.h -- how many threads a kernel takes: all there are, while they pay.
 *
 *     const int threads = team_size(n, enough);    // 1 below `enough`
 *     Team team = team_begin();
 *     #pragma omp parallel num_threads(threads)
 *     {
 *         ... this thread's share ...
 *         team_arrive(&team);                      // the caller's share is done
 *     }
 *     team_end(&team, n, enough);
 *
 * A learner's machine is never idle. Where another program has a core, a thread that waits for it is
 * put aside for milliseconds, and a kernel of microseconds waits for that thread: two threads were a
 * hundred times slower than one. So each team looks how long its caller waited for the others. When
 * that was no time of working, and teams had not worked four times as long before without a loss, the
 * next kernels run alone for a while, four times as long as was lost and twice as long each time that it
 * happens again. No result depends on it: kernels give the same bits for any number of threads. (A process
 * that has had a team must not fork and go on with kernels in the child: OpenMP's threads are not there.)
 */
#pragma once
#include <stddef.h>

typedef struct Team {
    double began, arrived;    // seconds
} Team;

// Threads for work of n units, of which `enough` are worth waking a thread.
int team_size(size_t n, size_t enough);
Team team_begin(void);
void team_arrive(Team *team);    // by every thread; the caller's counts
void team_end(const Team *team, size_t n, size_t enough);

// For tests and benchmarks: scales every threshold; 0 takes all threads whatever the work, and even where
// they do not pay.
void team_scale(double scale);

// Runs `share` for thread t of `threads` on each of a team, or on the caller alone.
#define ON_TEAM(threads, work, enough, share)                                                      \
    do {                                                                                           \
        if ((threads) == 1) {                                                                      \
            const size_t t = 0;                                                                    \
            share;                                                                                 \
        } else {                                                                                   \
            Team team_ = team_begin();                                                             \
            _Pragma("omp parallel num_threads(threads)")                                           \
            {                                                                                      \
                _Pragma("omp for schedule(static, 1) nowait") for (size_t t = 0;                   \
                                                                   t < (size_t)(threads); t++)     \
                    share;                                                                         \
                team_arrive(&team_);                                                               \
            }                                                                                      \
            team_end(&team_, work, enough);                                                        \
        }                                                                                          \
    } while (0)
