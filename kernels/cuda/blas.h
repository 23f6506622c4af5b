/* blas.h -- matrix products by cuBLAS, where its library is found; else by our own kernel.
 *
 *     const char *why = cuda_blas_open("tf32");    // NULL: open; else a sentence
 *     cuda_blas_matmul(c, ...);                    // as kernels.matmul
 *     cuda_blas_close();
 *
 * What LAB_CUDA_PRODUCTS asks for:
 *     fp32    float32 (CUBLAS_COMPUTE_32F); by default, and then ours takes over where there is no cuBLAS
 *     tf32    inputs rounded to 10 bits of mantissa in place of 23, summed in float32: tensor cores
 *     bf16    inputs rounded to bfloat16, 7 bits, summed in float32; weights of 16 bits in a model file are not
 *             widened, but multiplied by activations of their own type (F16's end at 65504)
 *     wgmma   as bf16, by our own kernel for GPUs of compute capability 9.0 (wgmma.cu); what it does not take (batches,
 *             F16 weights, rows that are no multiple of 16 bytes) is cuBLAS', or our plain kernel's
 *     own     our kernel (matmul.cu), to measure cuBLAS against
 *
 * The library is looked up at run time. One handle, for the device in use; its workspace is ours and taken when it
 * is opened, so that no call allocates (cuBLAS Library, cublasSetWorkspace). With one stream, its own workspace
 * and no atomics a run repeats to the bit on the same GPU with the same cuBLAS (there, Results Reproducibility);
 * products of other shapes may be summed in another order. No kernel of list.h has a bias or an activation in its
 * product, so that cuBLASLt's epilogues have no use here.
 *
 * The GPU's part was compiled, and has never run on a GPU; tests/kernels/cuda/test_blas.c holds the calls
 * against a plain model of cuBLAS.
 */
#pragma once
#include "kernels/kernels.h"
#ifdef __cplusplus
extern "C" {
#endif

#define CUDA_PRODUCTS "fp32, tf32, bf16, wgmma or own"

// choice: NULL or "" is fp32. Closes what was open.
const char *cuda_blas_open(const char *choice);
void cuda_blas_close(void);
const char *cuda_blas_name(void);    // what multiplies: "cuBLAS fp32", ..., "own products"

void cuda_blas_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                      int k, float beta);
// cuBLAS, or wgmma.cu, for 16-bit weights and more rows of x than our kernel takes at once, with bf16 and wgmma alone:
// y's bits then depend on m.
void cuda_blas_row_product(float *y, size_t y_row, const float *x, size_t x_row, int m,
                           WeightRows w, Activations activations);

// Products that cuBLAS has computed: for tests.
size_t cuda_blas_count(void);

// For tests: the library's name in place of libcublas.so.NN.
const char *cuda_blas_open_library(const char *file, const char *choice);

#ifdef __cplusplus
}
#endif
