/* ranks.h -- the processes that train one model together, each on its share of every batch.
 *
 *     mpirun -n 4 build/labs/transformer       # four ranks, numbered from 0
 *
 *     if (!ranks_begin(run_interrupted_now, &err)) ...    // run_begin() does; one rank without mpirun
 *     RankShare own = ranks_share(rows);                  // this rank's rows of a batch
 *     double sums[2] = {loss, weight};
 *     if (!ranks_sum(sums, 2)) ...                        // a rank is gone
 *
 * All ranks run the same program and call what follows in the same order. Each sum is the same in all
 * bits on every rank. Rank 0 alone prints and writes files. Without MPI (ranks_none.c), and in a process
 * that mpirun did not start, there is one rank, and nothing is sent.
 *
 * mpirun ends all ranks when one has died. It sends SIGTERM first, and SIGKILL a second later
 * (odls_base_sigkill_timeout); half of that time after the signal a rank that still waits for the others
 * gives up and can say so.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/error.h"

// False with a message where mpirun has started a program that was built without MPI. interrupted: whether a
// signal has asked this process to stop.
bool ranks_begin(bool (*interrupted)(void), Error *err);
int ranks_count(void);
int ranks_own(void);        // 0..count-1
int ranks_on_host(void);    // how many share this machine
int ranks_place(void);      // which of these this is: 0..on_host-1; a GPU's number

// The device in use sums what lies in its memory from now on (kernels/device.h). False with a message where it
// cannot, in all ranks. Without: sums are of the host's numbers.
bool ranks_join_device(Error *err);

typedef struct RankShare {
    int first, count;
} RankShare;
RankShare
ranks_share(int rows);    // all ranks' shares make up 0..rows-1 and differ by a row at most

// Adds up, on all ranks, in place. False when a rank is gone: nothing can be sent any more.
bool ranks_sum(double *values, int count);

// The same of floats where the device's numbers lie, while the program goes on; `values` must not be touched until ranks_wait(). There may be
// several: they end in the order in which they began. They move on in these calls only, so that who
// computes in the meantime calls ranks_advance() now and then.
void ranks_sum_begin(float *values, size_t count);
void ranks_advance(void);
bool ranks_wait(void);    // for all of them
bool ranks_lost(void);    // whether a sum or a wait has failed

// This rank fails: the others are ended with it, and an exit does not wait for them. A rank other than
// 0 leaves rank 0 the time to say the same.
void ranks_fail(void);
