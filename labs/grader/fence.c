#include "labs/grader/fence.h"
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>

static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return;
    if (hard > now.rlim_max) hard = now.rlim_max;
    setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard});
}

void fence_close(double seconds)
{
    rlim_t whole = (rlim_t)ceil(seconds);
    limit(RLIMIT_CPU, whole + 1, whole + 2);    // for who has silenced the timer
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
    limit(RLIMIT_STACK, (rlim_t)STACK_LIMIT_MB << 20, (rlim_t)STACK_LIMIT_MB << 20);
    double left = seconds - floor(seconds);
    struct itimerval timer = {.it_value = {(time_t)floor(seconds), (suseconds_t)(left * 1e6)}};
    setitimer(ITIMER_PROF, &timer, NULL);
}
