/* model_cublas.c -- cuBLAS in plain loops, as its documentation has it, for test_blas.c: matrices by columns, with
 * leading dimensions; inputs rounded as the compute type allows. It refuses what the documentation forbids, and
 * what would not repeat: atomics, or a workspace that is not the caller's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cublasContext {
    int atomics, mode;
    void *workspace;
};
typedef struct cublasContext *Handle;
enum { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16F = 2, R_16BF = 14, COMPUTE_32F = 68, FAST_16BF = 75, FAST_TF32 = 77 };

int model_cublas_handles;    // that are open

int cublasCreate_v2(Handle *handle)
{
    *handle = calloc(1, sizeof **handle);
    (*handle)->atomics = 1;    // whatever it was: the caller has to say no
    model_cublas_handles++;
    return SUCCESS;
}

int cublasDestroy_v2(Handle handle)
{
    free(handle);
    model_cublas_handles--;
    return SUCCESS;
}

int cublasSetStream_v2(Handle handle, void *stream)
{
    (void)stream;
    handle->workspace = NULL;    // the library's own again
    return SUCCESS;
}

int cublasSetWorkspace_v2(Handle handle, void *workspace, size_t bytes)
{
    if (bytes == 0 || (uintptr_t)workspace % 256 != 0) return INVALID_VALUE;
    handle->workspace = workspace;
    return SUCCESS;
}

int cublasSetAtomicsMode(Handle handle, int mode)
{
    handle->atomics = mode;
    return SUCCESS;
}

int cublasSetMathMode(Handle handle, int mode)
{
    handle->mode = mode;
    return SUCCESS;
}

// To so many bits of mantissa; the tie goes to the even one.
static float rounded(float x, int mantissa)
{
    uint32_t bits;
    const int cut = 23 - mantissa;
    memcpy(&bits, &x, sizeof bits);
    if (cut == 0 || (bits & 0x7f800000u) == 0x7f800000u) return x;
    bits += (1u << (cut - 1)) - 1 + (bits >> cut & 1);
    bits &= ~((1u << cut) - 1);
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float of_half(uint16_t half)
{
    const int exponent = half >> 10 & 31;
    float x = (float)(half & 1023);
    if (exponent > 0) x += 1024;
    for (int e = exponent > 0 ? exponent : 1; e < 25; e++) x /= 2;
    for (int e = exponent; e > 25; e--) x *= 2;
    return half >> 15 ? -x : x;
}

static float number(const void *data, int type, size_t i)
{
    uint16_t half;
    uint32_t bits;
    float x;
    if (type == R_32F) return ((const float *)data)[i];
    memcpy(&half, (const char *)data + 2 * i, sizeof half);
    if (type == R_16F) return of_half(half);
    bits = (uint32_t)half << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

int cublasGemmStridedBatchedEx(Handle handle, int op_a, int op_b, int m, int n, int k,
                               const float *alpha, const void *a, int a_type, int lda,
                               long long a_stride, const void *b, int b_type, int ldb,
                               long long b_stride, const float *beta, float *c, int c_type, int ldc,
                               long long c_stride, int batch, int compute, int algorithm)
{
    const int a_rows = op_a == 0 ? m : k, b_rows = op_b == 0 ? k : n;
    if (handle->workspace == NULL || handle->atomics != 0 || handle->mode != 16)
        return NOT_SUPPORTED;
    if (m < 0 || n < 0 || k < 0 || batch < 0 || op_a < 0 || op_a > 1 || op_b < 0 || op_b > 1 ||
        lda < (a_rows > 1 ? a_rows : 1) || ldb < (b_rows > 1 ? b_rows : 1) || ldc < (m > 1 ? m : 1))
        return INVALID_VALUE;
    const int fast = compute == FAST_16BF || compute == FAST_TF32;
    if (a_type != b_type || c_type != R_32F || algorithm != -1 ||
        (compute != COMPUTE_32F && !fast) || (fast && a_type != R_32F))
        return NOT_SUPPORTED;
    const int mantissa = compute == FAST_16BF ? 7 : compute == FAST_TF32 ? 10 : 23;
    for (int s = 0; s < batch; s++)
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) {
                float sum = 0;
                for (int p = 0; p < k; p++) {
                    const size_t at = op_a == 0 ? (size_t)i + (size_t)p * (size_t)lda
                                                : (size_t)p + (size_t)i * (size_t)lda;
                    const size_t bt = op_b == 0 ? (size_t)p + (size_t)j * (size_t)ldb
                                                : (size_t)j + (size_t)p * (size_t)ldb;
                    sum += rounded(number(a, a_type, (size_t)(s * a_stride) + at), mantissa) *
                           rounded(number(b, b_type, (size_t)(s * b_stride) + bt), mantissa);
                }
                float *to = c + s * c_stride + i + (size_t)j * (size_t)ldc;
                *to = *alpha * sum + (*beta != 0 ? *beta * *to : 0);
            }
    return SUCCESS;
}
