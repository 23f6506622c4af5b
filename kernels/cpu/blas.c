/* blas.c -- OpenBLAS, for the products that it does faster than gemm.c. */
#include "kernels/cpu/cpu.h"

#ifdef LAB_HAVE_OPENBLAS
#include <cblas.h>

// Measured on two AVX-512 cores, one and two threads: gemm.c is faster wherever one side is small,
// as in every layer on a batch, and up to 512 on all sides; from there it reaches 75 % (transposed
// A) to 98 % of OpenBLAS.
enum { LARGE = 512 };

bool cpu_blas_takes(int m, int n, int k)
{
    return m >= LARGE && n >= LARGE && k >= LARGE;
}

void cpu_blas_matmul(bool a_transposed, bool b_transposed, float *c, const float *a, const float *b,
                     int m, int n, int k, float beta)
{
    cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
                b_transposed ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a, a_transposed ? m : k, b,
                b_transposed ? k : n, beta, c, n);
}
#else
bool cpu_blas_takes(int m, int n, int k)
{
    (void)m, (void)n, (void)k;
    return false;
}

void cpu_blas_matmul(bool a_transposed, bool b_transposed, float *c, const float *a, const float *b,
                     int m, int n, int k, float beta)
{
    (void)a_transposed, (void)b_transposed, (void)c, (void)a, (void)b;
    (void)m, (void)n, (void)k, (void)beta;
}
#endif
