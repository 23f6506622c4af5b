/* cuda.h -- the launchers of the CUDA kernels, and the memory that they work on.
 *
 *     float *x = cuda_new(n * sizeof *x);
 *     cuda_put(x, host, n * sizeof *x);
 *     cuda_softmax_rows(x, x, rows, cols);
 *     const char *failed = cuda_finish();    // NULL: all that was launched is done
 *
 * Compiled by nvcc they run on the GPU; compiled with the emulator, on the CPU (emulator/emulator.h). A
 * launcher returns at once and never fails itself: cuda_finish() says what became of it. Those named in
 * list.h do what stands there.
 */
#pragma once
#include <stddef.h>
#include "kernels/mat.h"
#include "kernels/norm.h"
#ifdef __cplusplus
extern "C" {
#endif

void *cuda_new(size_t bytes);    // NULL: out of memory, or none was asked for
void cuda_free(void *memory);
void cuda_put(void *to, const void *host, size_t bytes);
void cuda_get(void *host, const void *from, size_t bytes);
void *
cuda_workspace(size_t bytes);    // for a launcher's own use, until the next one's; kept and grown
const char *cuda_finish(void);

void cuda_add(float *y, const float *a, const float *b, size_t n);
void cuda_sum(float *y, const float *x, size_t n);
void cuda_softmax_rows(float *y, const float *x, int rows, int cols);
void cuda_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                     const float *shift, float eps, NormRows s);
void cuda_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                 int k, float beta);    // a tile of c for each block, through shared memory
void cuda_matmul_naive(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                       int n, int k, float beta);    // an element of c for each thread

// y[c,r] = x[r,c]
void cuda_transpose(float *y, const float *x, int rows, int cols);    // through shared memory
void cuda_transpose_naive(float *y, const float *x, int rows, int cols);

#ifdef __cplusplus
}
#endif
