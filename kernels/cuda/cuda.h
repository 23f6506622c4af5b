/* cuda.h -- the launchers of the CUDA kernels, and the memory that they work on.
 *
 *     float *x = cuda_new(n * sizeof *x);
 *     cuda_put(x, host, n * sizeof *x);
 *     cuda_softmax_rows(x, x, rows, cols);
 *     const char *failed = cuda_finish();    // NULL: all that was launched is done
 *
 * Compiled by nvcc they run on the GPU; compiled with the emulator, on the CPU (emulator/emulator.h). A
 * launcher returns at once and never fails itself: cuda_finish() says what became of it. list.h says what
 * each does; `kernels_cuda` has those that are there.
 */
#pragma once
#include <stddef.h>
#include "kernels/kernels.h"
#ifdef __cplusplus
extern "C" {
#endif

void *cuda_new(size_t bytes);    // NULL: out of memory, or none was asked for
void cuda_free(void *memory);
void cuda_put(void *to, const void *host, size_t bytes);
void cuda_get(void *host, const void *from, size_t bytes);
void *cuda_workspace(size_t bytes);    // for a launcher, until the next one: kept, and grown
const char *cuda_finish(void);
const char *cuda_failed(void);    // the same of what is known by now: it waits for nothing
void *cuda_stream(void);    // a cudaStream_t: what is launched runs there; NULL is the default one

// Launches recorded as a CUDA graph (graph.cu; DeviceRecorder, device.h). The functions above end a recording by
// cuda_record_interrupt(), which runs what it has; it then gives no graph.
void cuda_record_begin(void);
void *cuda_record_end(void);
void cuda_record_interrupt(void);
bool cuda_replay(void *recording);
void cuda_record_free(void *recording);
long cuda_workspace_moves(void);    // how often the workspace has got another address

// Sums over processes (sums_of_ranks.cu; DeviceSums, device.h) by NCCL, in this opened library.
const char *cuda_ranks_join(void *nccl, int rank, int count,
                            bool (*share)(void *bytes, size_t count, bool good));
void cuda_ranks_sum(float *values, size_t count);
int cuda_ranks_state(void);

int cuda_release_number(void);    // of the CUDA that this was built with: 13; 0 emulated

// Queues blocks of 256 threads that multiply and add in registers, 64 times in a round; how many FLOPs that are.
double cuda_multiply_adds(int blocks, int rounds);

// Of a GPU alone (gpu.cu): a Device's memory, device.h.
const char *cuda_open(int gpu);    // puts it in use; or says why not, in a static sentence
void *cuda_reserve(size_t bytes);
const char *cuda_commit(void *base, size_t from, size_t to);    // NULL, or what went wrong
void cuda_release(void *base, size_t bytes);
void cuda_copy(void *to, const void *from, size_t bytes);    // these may overlap

#define X(name, prototype, arguments, work) void cuda_##name prototype;
KERNEL_LIST(X)
#undef X
extern const Kernels kernels_cuda;    // table.c

// An element of c for each thread; cuda_matmul has a tile for each block, through shared memory.
void cuda_matmul_naive(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                       int n, int k, float beta);

// An element for each thread, down a column of y; cuda_transpose goes through shared memory.
void cuda_transpose_naive(float *y, size_t y_row, const float *x, int rows, int cols);

#ifdef __cplusplus
}
#endif
