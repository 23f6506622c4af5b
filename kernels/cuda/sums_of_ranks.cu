/* sums_of_ranks.cu -- gradients summed over processes that have a GPU each, by NCCL, without passing the host.
 *
 * The sums run on a stream of their own, behind what was launched before they began, while backward goes on (NCCL
 * User Guide, Using NCCL with CUDA, CUDA Stream Semantics). All ranks get the same bits. Compiled for GPUs, and
 * never run on one; emulated, emulator/nccl.c sums through MPI.
 */
#include <type_traits>
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"
#include <dlfcn.h>

#if defined __CUDACC__ && __has_include(<nccl.h>)
#include <nccl.h>    // what follows is held against it
#define LIKE_THEIRS(name) static_assert(std::is_same_v<decltype(&name), decltype(p_##name)>, #name);
#else
typedef struct ncclComm *ncclComm_t;
typedef struct {
    char internal[128];
} ncclUniqueId;
enum ncclResult_t { ncclSuccess = 0, ncclInProgress = 7 };
enum ncclDataType_t { ncclFloat32 = 7 };
enum ncclRedOp_t { ncclSum = 0 };
#define LIKE_THEIRS(name)
#endif

#define FUNCTIONS(X)                                                                               \
    X(ncclResult_t, ncclGetUniqueId, (ncclUniqueId * id))                                          \
    X(ncclResult_t, ncclCommInitRank, (ncclComm_t * comm, int count, ncclUniqueId id, int rank))   \
    X(ncclResult_t, ncclCommAbort, (ncclComm_t comm))                                              \
    X(ncclResult_t, ncclCommGetAsyncError, (ncclComm_t comm, ncclResult_t * error))                \
    X(ncclResult_t, ncclAllReduce,                                                                 \
      (const void *from, void *to, size_t count, ncclDataType_t type, ncclRedOp_t op,              \
       ncclComm_t comm, cudaStream_t stream))                                                      \
    X(const char *, ncclGetErrorString, (ncclResult_t result))

#define X(result, name, arguments)                                                                 \
    static result(*p_##name) arguments;                                                            \
    LIKE_THEIRS(name)
FUNCTIONS(X)
#undef X

static ncclComm_t comm;
static cudaStream_t stream;
static cudaEvent_t ready, done;
static bool begun, failed;

static bool load(void *nccl)
{
    if (!nccl) return false;
#define X(result, name, arguments)                                                                 \
    p_##name = reinterpret_cast<decltype(p_##name)>(dlsym(nccl, #name));                           \
    if (!p_##name) return false;
    FUNCTIONS(X)
#undef X
    return true;
}

const char *cuda_ranks_join(void *nccl, int rank, int count,
                            bool (*share)(void *bytes, size_t count, bool good))
{
    ncclUniqueId id = {};
    const bool loaded = load(nccl);
    ncclResult_t result = ncclSuccess;
    if (loaded && rank == 0) result = p_ncclGetUniqueId(&id);
    const bool good = loaded && result == ncclSuccess;
    const bool all = share(&id, sizeof id, good);    // by all ranks, lest the others wait
    if (!loaded) return "NCCL was not found (libnccl.so.2): it sums the gradients of several GPUs";
    if (!good) return p_ncclGetErrorString(result);
    if (!all) return "NCCL cannot be used in another process";
    if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaEventCreateWithFlags(&ready, cudaEventDisableTiming) != cudaSuccess ||
        cudaEventCreateWithFlags(&done, cudaEventDisableTiming) != cudaSuccess)
        return "this GPU cannot make a stream";
    result = p_ncclCommInitRank(&comm, count, id, rank);
    return result == ncclSuccess ? nullptr : p_ncclGetErrorString(result);
}

void cuda_ranks_sum(float *values, size_t count)
{
    cuda_record_interrupt();
    cudaEventRecord(ready, launch_stream);
    cudaStreamWaitEvent(stream, ready, 0);
    failed |=
        p_ncclAllReduce(values, values, count, ncclFloat32, ncclSum, comm, stream) != ncclSuccess;
    cudaEventRecord(done, stream);
    begun = true;
}

// The host waits for the sums: what it launches after that comes after them.
int cuda_ranks_state(void)
{
    ncclResult_t error = ncclSuccess;
    if (!begun) return 1;
    if (!failed && cudaEventQuery(done) == cudaSuccess) {
        begun = false;
        return 1;
    }
    if (!failed)
        failed = p_ncclCommGetAsyncError(comm, &error) != ncclSuccess ||
                 (error != ncclSuccess && error != ncclInProgress);
    if (!failed) return 0;
    if (comm) p_ncclCommAbort(comm);    // or its kernels would wait for ever
    comm = nullptr;
    return -1;
}
