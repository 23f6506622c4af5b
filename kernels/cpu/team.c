#include "kernels/cpu/team.h"
#include <math.h>
#include <omp.h>
#include "kernels/seconds.h"

// Of each thread that calls kernels: until when it works alone, how long it last decided to, the time of
// its teams since it last lost some, and how many of its last teams were late.
static _Thread_local double alone_until, pause, shared;
static _Thread_local int late;

static double threshold_scale = 1;

static const double WORTH = 5e-6;     // seconds: about what `enough` work takes one thread
static const double LATE = 100e-6;    // a wait of this length is not for work that was shared
static const double LOST = 1e-3;      // nor is it for a thread that sleeps and must be woken
static const double PAUSE_MAX = 0.5;

enum {
    LATE_IN_A_ROW = 3,    // waking takes long each time: then it does not pay
    WORTH_LOSING = 4,     // times what is lost must be won by sharing
};

int team_size(size_t n, size_t enough)
{
    if (threshold_scale > 0 && (double)n < threshold_scale * (double)enough) return 1;
    const int threads = omp_get_max_threads();
    return threads > 1 && threshold_scale > 0 && alone_until > 0 && seconds_now() < alone_until
               ? 1
               : threads;
}

Team team_begin(void)
{
    return (Team){.began = seconds_now()};
}

void team_arrive(Team *team)
{
    if (omp_get_thread_num() == 0) team->arrived = seconds_now();
}

void team_end(const Team *team, size_t n, size_t enough)
{
    const double end = seconds_now(), waited = end - team->arrived,
                 share = team->arrived - team->began;
    const double alone = WORTH * (double)n / (double)enough;
    const double lost = waited > share + LATE                  ? waited
                        : end - team->began > 4 * alone + LATE ? end - team->began - alone
                                                               : 0;
    late = lost > 0 ? late + 1 : 0;
    if (lost > LOST || late == LATE_IN_A_ROW) {
        // Seldom, and a system puts every thread aside at times; often, and another program has the core.
        const double worth = WORTH_LOSING * lost;
        pause = shared > worth ? 0 : fmin(fmax(2 * pause, worth), PAUSE_MAX);
        alone_until = end + pause;
        late = 0;
        shared = 0;
    } else if (lost == 0) {
        shared += end - team->began;
    }
}

void team_scale(double scale)
{
    threshold_scale = scale;
}
