/* ranks_mpi.c -- the ranks through MPI (MPI: A Message-Passing Interface Standard 3.1, chapter 5). */
#include "common/ranks.h"
#include "kernels/device.h"
#include "kernels/seconds.h"
#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { PENDING = 256 };

// A process has one, as MPI does.
static struct {
    int count, own, on_host, place;
    const DeviceSums *sums;    // the device's; NULL: floats are the host's
    bool (*interrupted)(void);
    double patience;    // seconds from a signal until mpirun may kill, halved
    MPI_Request pending[PENDING];
    int begun;
    bool gone;    // a rank, so that no call may wait for it
} ranks = {.count = 1, .on_host = 1};

static bool done(void)
{
    int all;
    MPI_Testall(ranks.begun, ranks.pending, &all, MPI_STATUSES_IGNORE);
    const int summed = ranks.sums != NULL ? ranks.sums->state() : 1;
    ranks.gone |= summed < 0;
    return all && summed > 0;
}

bool ranks_wait(void)
{
    double asked = 0;    // when the signal was first seen
    while (!ranks.gone && !done()) {
        sched_yield();    // there may be more ranks than cores
        if (!ranks.interrupted()) continue;
        if (asked == 0) asked = seconds_now();
        ranks.gone = seconds_now() - asked > ranks.patience;
    }
    ranks.begun = 0;
    return !ranks.gone;
}

bool ranks_lost(void)
{
    return ranks.gone;
}

// An exit before MPI_Finalize() makes mpirun end the other ranks, which is right unless all get here.
static void end(void)
{
    MPI_Request all;
    int there = 0;
    if (ranks.gone) return;
    MPI_Ibarrier(MPI_COMM_WORLD, &all);
    // Rank 0 may be computing for a while, but after a signal none is.
    double asked = 0;
    while (!there && (asked == 0 || seconds_now() - asked < ranks.patience)) {
        MPI_Test(&all, &there, MPI_STATUS_IGNORE);
        if (asked == 0 && ranks.interrupted()) asked = seconds_now();
        usleep(1000);
    }
    if (there) MPI_Finalize();
}

bool ranks_begin(bool (*interrupted)(void), Error *err)
{
    (void)err;
    // mpirun's, and srun's. Otherwise MPI would start a service process for one rank.
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL && getenv("PMIX_RANK") == NULL) return true;
    MPI_Init(NULL, NULL);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.count);
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.own);
    MPI_Comm host;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Comm_size(host, &ranks.on_host);
    MPI_Comm_rank(host, &ranks.place);
    MPI_Comm_free(&host);
    const char *timeout = getenv("OMPI_MCA_odls_base_sigkill_timeout");
    ranks.patience = timeout != NULL && atoi(timeout) > 0 ? atoi(timeout) / 2.0 : 0.5;
    ranks.interrupted = interrupted;
    atexit(end);
    return true;
}

int ranks_count(void)
{
    return ranks.count;
}

int ranks_own(void)
{
    return ranks.own;
}

int ranks_on_host(void)
{
    return ranks.on_host;
}

int ranks_place(void)
{
    return ranks.place;
}

static bool share(void *bytes, size_t count, bool good)
{
    int all = good;
    MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (all) MPI_Bcast(bytes, (int)count, MPI_BYTE, 0, MPI_COMM_WORLD);
    return all;
}

bool ranks_join_device(Error *err)
{
    if (ranks.count == 1 || device->on_host) return true;
    const char *why = device->sums != NULL ? device->sums->join(ranks.own, ranks.count, share)
                                           : "it cannot sum the gradients of several processes";
    ranks.sums = device->sums;
    return why == NULL || error_set(err, "--device %s: %s", device->name, why);
}

RankShare ranks_share(int rows)
{
    int first = (int)((long)rows * ranks.own / ranks.count),
        end_row = (int)((long)rows * (ranks.own + 1) / ranks.count);
    return (RankShare){first, end_row - first};
}

static void begin(void *values, int count, MPI_Datatype type)
{
    REQUIRE(ranks.begun < PENDING, "more than %d sums at once", PENDING);
    MPI_Iallreduce(MPI_IN_PLACE, values, count, type, MPI_SUM, MPI_COMM_WORLD,
                   &ranks.pending[ranks.begun++]);
}

void ranks_sum_begin(float *values, size_t count)
{
    if (ranks.count == 1 || ranks.gone) return;
    if (ranks.sums != NULL) {
        ranks.sums->begin(values, count);
        return;
    }
    REQUIRE(count <= INT_MAX, "%zu floats in one sum", count);
    begin(values, (int)count, MPI_FLOAT);
    ranks_advance();
}

bool ranks_sum(double *values, int count)
{
    if (ranks.count == 1) return true;
    if (ranks.gone) return false;
    begin(values, count, MPI_DOUBLE);
    return ranks_wait();
}

void ranks_advance(void)
{
    if (ranks.begun > 0 && !ranks.gone) done();
}

void ranks_fail(void)
{
    if (ranks.count == 1) return;
    ranks.gone = true;
    if (ranks.own > 0) sleep(1);
}
