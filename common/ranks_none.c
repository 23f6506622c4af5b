/* ranks_none.c -- built without MPI: one rank. */
#include "common/ranks.h"
#include <stdlib.h>

bool ranks_begin(bool (*interrupted)(void), Error *err)
{
    (void)interrupted;
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    if (size == NULL || atoi(size) <= 1) return true;
    return error_set(err,
                     "mpirun has started %s processes, but this was built without MPI (packages "
                     "openmpi-bin, libopenmpi-dev: ./lab setup)",
                     size);
}

int ranks_count(void)
{
    return 1;
}

int ranks_own(void)
{
    return 0;
}

int ranks_on_host(void)
{
    return 1;
}

int ranks_place(void)
{
    return 0;
}

bool ranks_join_device(Error *err)
{
    (void)err;
    return true;
}

RankShare ranks_share(int rows)
{
    return (RankShare){0, rows};
}

bool ranks_sum(double *values, int count)
{
    (void)values;
    (void)count;
    return true;
}

void ranks_sum_begin(float *values, size_t count)
{
    (void)values;
    (void)count;
}

void ranks_advance(void)
{
}

bool ranks_wait(void)
{
    return true;
}

bool ranks_lost(void)
{
    return false;
}

void ranks_fail(void)
{
}
