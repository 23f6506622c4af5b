/* rivals.h -- other people's matrix products, loaded at run time where they are installed.
 *
 *     Rival rivals[RIVAL_COUNT];
 *     rivals_open(keep, rivals);
 *     Rival *blis = &rivals[RIVAL_BLIS];
 *     if (blis->absent == NULL) rival_multiply(blis, &product);
 *
 * Each library is opened with its names kept to itself, so that two that define cblas_sgemm can
 * stand in one process. Libraries stay loaded until the process ends.
 */
#pragma once
#include "common/arena.h"

typedef enum MatrixProductKind {
    PRODUCT_NN,    // c[m,n] = a[m,k] b[k,n]
    PRODUCT_NT,    // c[m,n] = a[m,k] b[n,k]
    PRODUCT_TN,    // c[m,n] = a[k,m] b[k,n]
} MatrixProductKind;

// Rows of each operand, as it is stored, are row_x elements apart, and matrices batch_x: c[i] = a[i] b[i]
// for i < batch.
typedef struct MatrixProduct {
    MatrixProductKind kind;
    int m, n, k;
    float *c;
    const float *a, *b;
    int batch;
    size_t row_a, row_b, row_c;
    size_t batch_a, batch_b, batch_c;
} MatrixProduct;

MatrixProduct matrix_product_dense(MatrixProductKind kind, int m, int n, int k, float *c,
                                   const float *a, const float *b);

typedef enum RivalName { RIVAL_OPENBLAS, RIVAL_BLIS, RIVAL_ONEDNN, RIVAL_COUNT } RivalName;

typedef struct Rival {
    const char *name;
    const char *absent;     // why it cannot be asked; NULL when it can
    const char *version;    // "0.3.21 SkylakeX"
    void (*multiply)(const struct Rival *rival,
                     const MatrixProduct *product);    // one matrix of the batch
    void *sgemm, *set_threads;    // the library's functions; set_threads may be NULL
} Rival;

void rival_multiply(const Rival *rival, const MatrixProduct *product);    // matrix by matrix

void rivals_open(Arena *keep, Rival rivals[RIVAL_COUNT]);
void rival_threads(const Rival *rival, int threads);    // after bench_threads()

// "OpenBLAS 0.3.21 SkylakeX, no BLIS (libblis.so.4 not found), oneDNN 2.6.3".
const char *rivals_text(Arena *keep, const Rival rivals[RIVAL_COUNT]);
