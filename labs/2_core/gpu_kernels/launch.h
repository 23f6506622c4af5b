/* launch.h -- runs the kernels of gpu_kernels.cu on arrays of the host: copies in, one launch, copies out.
 *
 *     emulator_clear();
 *     run_transpose(TRANSPOSE_TILED, y, x, 45, 70);
 *     const EmulatorReport *report = emulator_report();    // of this launch
 *
 * Grid and block are those that gpu_kernels.h names. The arrays of the device have exactly the sizes that
 * the kernel is told. An output that was not written is 0.
 */
#pragma once
#include <stdbool.h>
#include "kernels/cuda/emulator/report.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum Transposer { TRANSPOSE_NAIVE, TRANSPOSE_TILED, TRANSPOSE_PADDED } Transposer;
typedef enum Multiplier {
    MATMUL_NAIVE,
    MATMUL_TILED,
    MATMUL_BLOCKED,
    MATMUL_VECTORIZED,
    MATMUL_WARP_TILED,
    MATMUL_TENSOR    // a and b are rounded to halves
} Multiplier;

void run_vector_add(float *c, const float *a, const float *b, int n, int blocks);
void run_transpose(Transposer kind, float *y, const float *x, int rows, int cols);
int reduce_tree_blocks(int n);                               // how many sums there are
void run_reduce_tree(float *sums, const float *x, int n);    // [reduce_tree_blocks(n)]
void run_reduce_shuffle(float *sums, const float *x, int n, int blocks);
// Of each thread of a block what gk_block_sum() gives it, called twice: of x, then of y.
void run_block_sum(float *of_x, float *of_y, const float *x, const float *y, int threads);
void run_softmax_rows(float *y, const float *x, int rows, int cols);
void run_layer_norm(float *y, const float *x, const float *gamma, const float *beta, float eps,
                    int rows, int cols);
void run_matmul(Multiplier kind, float *c, const float *a, const float *b, int m, int n, int k);
void run_flash_attention(float *out, const float *q, const float *k, const float *v, int heads,
                         int T, int D);

typedef struct PagedCache {
    const float *keys, *values;    // [blocks,KV_BLOCK,heads,D]
    const int *table;              // [sequences,table_width]
    const int *lengths;            // [sequences]
    int blocks, sequences, heads, table_width, D;
} PagedCache;

void run_paged_attention(float *out, const float *q, const PagedCache *cache);

#ifdef __cplusplus
}
#endif
