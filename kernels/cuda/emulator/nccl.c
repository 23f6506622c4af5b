/* nccl.c -- the part of NCCL that our host code calls, for the emulated device: sums through MPI, in the host's memory.
 * A library of its own, found by name as NCCL is. Work is done when it is asked for.
 */
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

typedef struct ncclComm {
    MPI_Comm ranks;
} ncclComm;
typedef struct ncclUniqueId {
    char internal[128];
} ncclUniqueId;
enum { SUCCESS = 0, INVALID_ARGUMENT = 4, FLOAT32 = 7, SUM = 0 };

int ncclGetUniqueId(ncclUniqueId *id);
int ncclCommInitRank(ncclComm **comm, int count, ncclUniqueId id, int rank);
int ncclCommAbort(ncclComm *comm);
int ncclCommGetAsyncError(ncclComm *comm, int *error);
int ncclAllReduce(const void *from, void *to, size_t count, int type, int op, ncclComm *comm,
                  void *stream);
const char *ncclGetErrorString(int result);

int ncclGetUniqueId(ncclUniqueId *id)
{
    for (size_t i = 0; i < sizeof id->internal; i++) id->internal[i] = (char)(i + 1);
    return SUCCESS;
}

// As NCCL, it needs rank 0's id in all ranks, and each rank once.
int ncclCommInitRank(ncclComm **comm, int count, ncclUniqueId id, int rank)
{
    ncclUniqueId right;
    int size, own;
    ncclGetUniqueId(&right);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    if (count != size || rank != own || memcmp(&id, &right, sizeof id) != 0)
        return INVALID_ARGUMENT;
    *comm = malloc(sizeof **comm);
    MPI_Comm_dup(MPI_COMM_WORLD, &(*comm)->ranks);
    return SUCCESS;
}

int ncclCommAbort(ncclComm *comm)
{
    free(comm);
    return SUCCESS;
}

int ncclCommGetAsyncError(ncclComm *comm, int *error)
{
    (void)comm;
    *error = SUCCESS;
    return SUCCESS;
}

int ncclAllReduce(const void *from, void *to, size_t count, int type, int op, ncclComm *comm,
                  void *stream)
{
    (void)stream;
    if (from != to || count > INT_MAX || type != FLOAT32 || op != SUM) return INVALID_ARGUMENT;
    MPI_Allreduce(MPI_IN_PLACE, to, (int)count, MPI_FLOAT, MPI_SUM, comm->ranks);
    return SUCCESS;
}

const char *ncclGetErrorString(int result)
{
    return result == SUCCESS ? "no error" : "invalid argument";
}
