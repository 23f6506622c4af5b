#include "kernels/cuda/blas.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/wgmma.h"

// ---- cuBLAS, as far as it is used: no header of its own is needed

typedef struct cublasContext *Handle;
enum {
    OP_N = 0,
    OP_T = 1,
    COMPUTE_32F = 68,
    COMPUTE_32F_FAST_16BF = 75,
    COMPUTE_32F_FAST_TF32 = 77,
    GEMM_DEFAULT = -1,
    ATOMICS_NOT_ALLOWED = 0,
    // Of the default math mode, and sums of 16-bit inputs stay in float32 also between parts of k.
    NO_REDUCED_PRECISION = 16,
    REAL_32F = 0,
    REAL_16F = 2,
    REAL_16BF = 14,
};

#define FUNCTIONS(X)                                                                               \
    X(cublasCreate_v2, (Handle * handle))                                                          \
    X(cublasDestroy_v2, (Handle handle))                                                           \
    X(cublasSetStream_v2, (Handle handle, void *stream))                                           \
    X(cublasSetWorkspace_v2, (Handle handle, void *workspace, size_t bytes))                       \
    X(cublasSetAtomicsMode, (Handle handle, int mode))                                             \
    X(cublasSetMathMode, (Handle handle, int mode))                                                \
    X(cublasGemmStridedBatchedEx,                                                                  \
      (Handle handle, int op_a, int op_b, int m, int n, int k, const void *alpha, const void *a,   \
       int a_type, int lda, long long a_stride, const void *b, int b_type, int ldb,                \
       long long b_stride, const void *beta, void *c, int c_type, int ldc, long long c_stride,     \
       int batch, int compute, int algorithm))

#ifdef LABS_CUBLAS_HEADER    // where the Toolkit has it, held against it
#include <cublas_v2.h>
#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #theirs)
SAME(OP_N, CUBLAS_OP_N);
SAME(OP_T, CUBLAS_OP_T);
SAME(COMPUTE_32F, CUBLAS_COMPUTE_32F);
SAME(COMPUTE_32F_FAST_16BF, CUBLAS_COMPUTE_32F_FAST_16BF);
SAME(COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_32F_FAST_TF32);
SAME(GEMM_DEFAULT, CUBLAS_GEMM_DEFAULT);
SAME(ATOMICS_NOT_ALLOWED, CUBLAS_ATOMICS_NOT_ALLOWED);
SAME(NO_REDUCED_PRECISION, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
SAME(REAL_32F, CUDA_R_32F);
SAME(REAL_16F, CUDA_R_16F);
SAME(REAL_16BF, CUDA_R_16BF);
// A call with our arguments has to compile against their prototype; sizeof calls nothing.
#define NOTHING (const void *)0
_Static_assert(sizeof cublasGemmStridedBatchedEx((Handle)0, CUBLAS_OP_N, CUBLAS_OP_T, 1, 1, 1,
                                                 NOTHING, NOTHING, CUDA_R_32F, 1, 0LL, NOTHING,
                                                 CUDA_R_32F, 1, 0LL, NOTHING, (void *)0, CUDA_R_32F,
                                                 1, 0LL, 1, CUBLAS_COMPUTE_32F,
                                                 CUBLAS_GEMM_DEFAULT) == sizeof(int),
               "cublasGemmStridedBatchedEx");
#endif

static struct {
    Handle handle;    // NULL: our own kernel
    const char *name;
    int compute;
    bool halves;    // 16-bit weights are multiplied as they are
    bool wgmma;     // single products are wgmma.cu's
    void *workspace;
    size_t count;
#define X(name, arguments) int(*name) arguments;
    FUNCTIONS(X)
#undef X
} blas = {.name = "own products"};

// NVIDIA's advice: 32 MiB on Hopper, 4 MiB before it (cuBLAS Library, cublasSetWorkspace).
enum { WORKSPACE = 32 << 20, OWN_ROWS = 4 };

size_t cuda_blas_count(void)
{
    return blas.count;
}

const char *cuda_blas_name(void)
{
    return blas.name;
}

void cuda_blas_close(void)
{
    if (blas.handle != NULL) {
        cuda_finish();    // the products that use the workspace
        blas.cublasDestroy_v2(blas.handle);
        cuda_free(blas.workspace);
    }
    blas.handle = NULL;
    blas.workspace = NULL;
    blas.halves = blas.wgmma = false;
    blas.count = 0;
    blas.name = "own products";
}

// The handle, as this file's top says; false: it could not be made.
static bool begin(void *library)
{
#define X(name, arguments)                                                                         \
    *(void **)&blas.name = dlsym(library, #name);                                                  \
    if (blas.name == NULL) return false;
    FUNCTIONS(X)
#undef X
    if (blas.cublasCreate_v2(&blas.handle) != 0) {
        blas.handle = NULL;
        return false;
    }
    // A new stream takes the workspace away: it is given last.
    blas.workspace = cuda_new(WORKSPACE);
    if (blas.workspace != NULL && blas.cublasSetStream_v2(blas.handle, cuda_stream()) == 0 &&
        blas.cublasSetAtomicsMode(blas.handle, ATOMICS_NOT_ALLOWED) == 0 &&
        blas.cublasSetMathMode(blas.handle, NO_REDUCED_PRECISION) == 0 &&
        blas.cublasSetWorkspace_v2(blas.handle, blas.workspace, WORKSPACE) == 0)
        return true;
    cuda_blas_close();
    return false;
}

const char *cuda_blas_open_library(const char *file, const char *choice)
{
    static const struct {
        const char *choice, *name;
        int compute;
        bool halves, wgmma;
    } products[] = {{"fp32", "cuBLAS fp32", COMPUTE_32F, false, false},
                    {"tf32", "cuBLAS tf32", COMPUTE_32F_FAST_TF32, false, false},
                    {"bf16", "cuBLAS bf16", COMPUTE_32F_FAST_16BF, true, false},
                    {"wgmma", "wgmma bf16", COMPUTE_32F_FAST_16BF, true, true}};
    enum { KINDS = sizeof products / sizeof *products };
    cuda_blas_close();
    if (choice == NULL || choice[0] == '\0') choice = "fp32";
    if (strcmp(choice, "own") == 0) return NULL;
    int kind = 0;
    while (kind < KINDS && strcmp(products[kind].choice, choice) != 0) kind++;
    if (kind == KINDS)
        return "LAB_CUDA_PRODUCTS names an unknown kind of products; expected " CUDA_PRODUCTS;
    static char why[160];
    const char *missing = products[kind].wgmma ? cuda_wgmma_missing() : NULL;
    if (missing != NULL) {
        snprintf(why, sizeof why, "LAB_CUDA_PRODUCTS=%s: %s", choice, missing);
        return why;
    }
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const bool begun = library != NULL && begin(library);
    if (!begun && library != NULL) dlclose(library);
    if (!begun && kind == 0) return NULL;
    snprintf(why, sizeof why,
             library == NULL ? "LAB_CUDA_PRODUCTS=%s needs cuBLAS, and %s was not found"
                             : "LAB_CUDA_PRODUCTS=%s needs cuBLAS, and %s could not be started",
             choice, file);
    blas.wgmma = products[kind].wgmma;
    if (!begun && !blas.wgmma) return why;
    blas.name = products[kind].name;
    blas.compute = products[kind].compute;
    blas.halves = products[kind].halves;
    return NULL;
}

const char *cuda_blas_open(const char *choice)
{
    char file[32];    // of the same release as the runtime that was linked: they share its context
    snprintf(file, sizeof file, "libcublas.so.%d", cuda_release_number());
    return cuda_blas_open_library(file, choice);
}

// ---- products

// How cuBLAS sees a matrix [rows,cols] of ours: the transpose of one by columns, whose columns are our rows.
typedef struct Operand {
    int op, ld;
} Operand;

// False: neither rows nor columns lie side by side, or they overlap (a stride of 0, windows of a signal).
static bool operand_of(Operand *operand, Mat x, int rows, int cols)
{
    // The stride of a single row, or column, is never used.
    const size_t row = rows > 1 ? x.row : (size_t)cols, col = cols > 1 ? x.col : (size_t)rows;
    const bool by_rows = (x.col == 1 || cols == 1) && row >= (size_t)cols;
    const bool by_cols = (x.row == 1 || rows == 1) && col >= (size_t)rows;
    const size_t ld = by_rows ? row : col;
    *operand = (Operand){by_rows ? OP_N : OP_T, (int)ld};
    return (by_rows || by_cols) && ld <= INT_MAX;
}

// c^T = b^T a^T: what is a row to us is a column to cuBLAS. Since Fortran's times BLAS stores by columns.
static bool multiply(float *c, size_t c_row, size_t c_batch, Mat a, int a_type, Mat b, int b_type,
                     int batch, int m, int n, int k, float beta)
{
    Operand of_a, of_b;
    const float one = 1;
    const size_t ldc = m > 1 ? c_row : (size_t)n;
    if (k == 0 || ldc < (size_t)n || ldc > INT_MAX || !operand_of(&of_a, a, m, k) ||
        !operand_of(&of_b, b, k, n))
        return false;
    // Inputs of 16 bits are as they are: nothing to round.
    const int compute = a_type == REAL_32F ? blas.compute : COMPUTE_32F;
    if (blas.cublasGemmStridedBatchedEx(blas.handle, of_b.op, of_a.op, n, m, k, &one, b.data,
                                        b_type, of_b.ld, (long long)b.batch, a.data, a_type,
                                        of_a.ld, (long long)a.batch, &beta, c, REAL_32F, (int)ldc,
                                        (long long)c_batch, batch, compute, GEMM_DEFAULT) != 0)
        return false;    // refused before anything was launched: ours takes it
    blas.count++;
    return true;
}

void cuda_blas_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                      int k, float beta)
{
    if (batch == 0 || m == 0 || n == 0) return;
    if (blas.wgmma && batch == 1 && cuda_matmul_wgmma(c, c_row, a, b, m, n, k, beta)) return;
    if (blas.handle == NULL ||
        !multiply(c, c_row, c_batch, a, REAL_32F, b, REAL_32F, batch, m, n, k, beta))
        cuda_matmul(c, c_row, c_batch, a, b, batch, m, n, k, beta);
}

void cuda_blas_row_product(float *y, size_t y_row, const float *x, size_t x_row, int m,
                           WeightRows w, Activations activations)
{
    const bool half = w.type == DTYPE_F16 || w.type == DTYPE_BF16;
    const size_t cols = (size_t)w.cols;
    const bool wgmma = blas.wgmma && w.type == DTYPE_BF16;
    // A file's numbers may lie anywhere; cuBLAS wants them at their own size.
    if ((blas.handle != NULL || wgmma) && blas.halves && half && m > OWN_ROWS && x_row == cols &&
        cols > 0 && (size_t)w.data % 2 == 0) {
        void *rounded = cuda_workspace((size_t)m * cols * 2);
        const int type = w.type == DTYPE_F16 ? REAL_16F : REAL_16BF;
        if (rounded != NULL) {
            cuda_rows_write(rounded, w.type, x, m, w.cols);
            if (wgmma &&
                cuda_wgmma_product(y, y_row, rounded, cols, w.data, cols, m, w.rows, w.cols, 0))
                return;
            const Mat a = {rounded, cols, 1, 0}, b = {w.data, 1, cols, 0};
            if (blas.handle != NULL &&
                multiply(y, y_row, 0, a, type, b, type, 1, m, w.rows, w.cols, 0))
                return;
        }
    }
    cuda_row_product(y, y_row, x, x_row, m, w, activations);
}
