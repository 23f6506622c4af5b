#include "labs/2_core/gpu_kernels/rungs.h"
#include "common/rng.h"

static float *numbers(Arena *step, int n, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    float *x = arena_alloc(step, (size_t)n * sizeof *x);
    for (int i = 0; i < n; i++) x[i] = 2 * rng_uniform(&rng) - 1;
    return x;
}

static float *room(Arena *step, int n)
{
    return arena_alloc(step, (size_t)n * sizeof(float));
}

// ---- memory ----

static Work vector_add(Arena *step, int size)
{
    const int n = 128 * size, blocks = (n + 511) / 512;
    run_vector_add(room(step, n), numbers(step, n, 1), numbers(step, n, 2), n, blocks);
    return (Work){arena_print(step, "[%d]", n), n, 12.0 * n};
}

static Work transpose(Arena *step, int size, Transposer kind)
{
    const int rows = size, cols = size + size / 2;
    run_transpose(kind, room(step, rows * cols), numbers(step, rows * cols, 3), rows, cols);
    return (Work){arena_print(step, "[%d,%d]", rows, cols), 0, 8.0 * rows * cols};
}

static Work transpose_naive(Arena *step, int size)
{
    return transpose(step, size, TRANSPOSE_NAIVE);
}

static Work transpose_tiled(Arena *step, int size)
{
    return transpose(step, size, TRANSPOSE_TILED);
}

static Work transpose_padded(Arena *step, int size)
{
    return transpose(step, size, TRANSPOSE_PADDED);
}

static Work reduce_tree(Arena *step, int size)
{
    const int n = 128 * size;
    run_reduce_tree(room(step, reduce_tree_blocks(n)), numbers(step, n, 4), n);
    return (Work){arena_print(step, "[%d]", n), n, 4.0 * n};
}

static Work reduce_shuffle(Arena *step, int size)
{
    const int n = 128 * size, blocks = (n + 2047) / 2048;
    run_reduce_shuffle(room(step, blocks), numbers(step, n, 4), n, blocks);
    return (Work){arena_print(step, "[%d]", n), n, 4.0 * n};
}

// ---- rows ----

static Work softmax_rows(Arena *step, int size)
{
    const int rows = size / 4, cols = 4 * size;
    run_softmax_rows(room(step, rows * cols), numbers(step, rows * cols, 5), rows, cols);
    return (Work){arena_print(step, "[%d,%d]", rows, cols), 4.0 * rows * cols, 8.0 * rows * cols};
}

static Work layer_norm(Arena *step, int size)
{
    const int rows = size / 4, cols = 4 * size;
    run_layer_norm(room(step, rows * cols), numbers(step, rows * cols, 6), numbers(step, cols, 7),
                   numbers(step, cols, 8), 1e-5f, rows, cols);
    return (Work){arena_print(step, "[%d,%d]", rows, cols), 8.0 * rows * cols,
                  8.0 * rows * cols + 8.0 * cols};
}

// ---- matrix products ----

static Work matmul(Arena *step, int size, Multiplier kind)
{
    const int n = size / 4 * 4;
    const double bytes = kind == MATMUL_TENSOR ? 8 : 12;
    run_matmul(kind, room(step, n * n), numbers(step, n * n, 9), numbers(step, n * n, 10), n, n, n);
    return (Work){arena_print(step, "[%d,%d,%d]", n, n, n), 2.0 * n * n * n, bytes * n * n};
}

static Work matmul_naive(Arena *step, int size)
{
    return matmul(step, size, MATMUL_NAIVE);
}

static Work matmul_tiled(Arena *step, int size)
{
    return matmul(step, size, MATMUL_TILED);
}

static Work matmul_blocked(Arena *step, int size)
{
    return matmul(step, size, MATMUL_BLOCKED);
}

static Work matmul_vectorized(Arena *step, int size)
{
    return matmul(step, size, MATMUL_VECTORIZED);
}

static Work matmul_warp_tiled(Arena *step, int size)
{
    return matmul(step, size, MATMUL_WARP_TILED);
}

static Work matmul_tensor(Arena *step, int size)
{
    return matmul(step, size, MATMUL_TENSOR);
}

// ---- attention ----

enum { HEADS = 2, WIDTH = 64, SEQUENCES = 3, KV_BLOCK = 16 };

static Work flash_attention(Arena *step, int size)
{
    const int T = size, n = HEADS * T * WIDTH;
    run_flash_attention(room(step, n), numbers(step, n, 11), numbers(step, n, 12),
                        numbers(step, n, 13), HEADS, T, WIDTH);
    // Half of the T x T scores; a multiply-add for each element of q and of v.
    return (Work){arena_print(step, "[%d,%d,%d]", HEADS, T, WIDTH),
                  2.0 * HEADS * WIDTH * T * (T + 1), 16.0 * n};
}

static Work paged_attention(Arena *step, int size)
{
    const int width = size / KV_BLOCK + 1, blocks = SEQUENCES * width, slot = HEADS * WIDTH;
    int *table = arena_alloc(step, (size_t)blocks * sizeof *table), lengths[SEQUENCES];
    double tokens = 0;
    for (int i = 0; i < blocks; i++) table[i] = blocks - 1 - i;
    for (int s = 0; s < SEQUENCES; s++) tokens += lengths[s] = size - 5 * s;
    const PagedCache cache = {.keys = numbers(step, blocks * KV_BLOCK * slot, 14),
                              .values = numbers(step, blocks * KV_BLOCK * slot, 15),
                              .table = table,
                              .lengths = lengths,
                              .blocks = blocks,
                              .sequences = SEQUENCES,
                              .heads = HEADS,
                              .table_width = width,
                              .D = WIDTH};
    run_paged_attention(room(step, SEQUENCES * slot), numbers(step, SEQUENCES * slot, 16), &cache);
    return (Work){arena_print(step, "%d x %d tokens", SEQUENCES, size), 4 * tokens * slot,
                  8 * tokens * slot + 8.0 * SEQUENCES * slot};
}

const Rung rungs[] = {
    {"vector_add", "memory", vector_add, false},
    {"transpose_naive", "memory", transpose_naive, false},
    {"transpose_tiled", "memory", transpose_tiled, false},
    {"transpose_padded", "memory", transpose_padded, false},
    {"reduce_tree", "memory", reduce_tree, false},
    {"reduce_shuffle", "memory", reduce_shuffle, false},
    {"softmax_rows", "rows", softmax_rows, false},
    {"layer_norm", "rows", layer_norm, false},
    {"matmul_naive", "matmul", matmul_naive, false},
    {"matmul_tiled", "matmul", matmul_tiled, false},
    {"matmul_blocked", "matmul", matmul_blocked, false},
    {"matmul_vectorized", "matmul", matmul_vectorized, false},
    {"matmul_warp_tiled", "matmul", matmul_warp_tiled, false},
    {"matmul_tensor", "matmul", matmul_tensor, true},
    {"flash_attention", "attention", flash_attention, false},
    {"paged_attention", "attention", paged_attention, false},
};
const int rung_count = sizeof rungs / sizeof *rungs;
