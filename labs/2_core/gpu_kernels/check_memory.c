/* check_memory.c -- cases of vector_add, the transposes and the reductions. */
#include "labs/2_core/gpu_kernels/check.h"
#include <stdlib.h>

// ---- vector_add ----

static void add_vectors(int n, int blocks)
{
    float *a = numbers((size_t)n, 1), *b = numbers((size_t)n, 2), *c = blank((size_t)n);
    double *want = expected((size_t)n);
    for (int i = 0; i < n; i++) want[i] = (double)a[i] + (double)b[i];
    emulator_clear();
    run_vector_add(c, a, b, n, blocks);
    expect_clean();
    assert_near(c, want, SHAPE(n), .name = "c", .formula = "c[i] = a[i] + b[i]");
}

CASE(vector_add__adds_with_a_thread_for_each_element)
{
    add_vectors(1000, 8);
}

CASE(vector_add__leaves_alone_what_lies_behind_the_end)
{
    add_vectors(333, 7);
    add_vectors(1, 1);
}

CASE(vector_add__adds_with_fewer_threads_than_elements)
{
    add_vectors(1000, 3);
    add_vectors(2001, 1);
}

CASE(vector_add__reads_and_writes_each_element_once_in_full_sectors)
{
    enum { N = 1001 };
    add_vectors(N, 3);
    expect_coalesced_reads(1.05);
    expect_coalesced_writes(1.05);
    const EmulatorReport *report = emulator_report();
    expect_at_most(traffic_of(report, SPACE_GLOBAL, false).lanes, N, 2, "reads for each sum");
    expect_at_most(traffic_of(report, SPACE_GLOBAL, true).lanes, N, 1, "writes for each sum");
}

CASE(vector_add__shares_out_the_elements)
{
    add_vectors(5 * 3 * 128 - 7, 3);
    expect_shared_out(1.3, 1.3);
}

// ---- the transposes ----

static void transpose(Transposer kind, int rows, int cols)
{
    size_t n = (size_t)rows * (size_t)cols;
    float *x = numbers(n, 3), *y = blank(n);
    double *want = expected(n);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) want[c * rows + r] = x[r * cols + c];
    emulator_clear();
    run_transpose(kind, y, x, rows, cols);
    expect_clean();
    assert_near(y, want, SHAPE(cols, rows), .name = "y", .formula = "y[c,r] = x[r,c]",
                .exact = true);
}

static void transpose_shapes(Transposer kind)
{
    transpose(kind, 1, 1);
    transpose(kind, 1, 77);
    transpose(kind, 77, 1);
    transpose(kind, 31, 33);
    transpose(kind, 33, 31);
    transpose(kind, 70, 45);
}

CASE(transpose_naive__transposes_a_wide_matrix)
{
    transpose(TRANSPOSE_NAIVE, 45, 102);
}

CASE(transpose_naive__transposes_matrices_of_any_shape)
{
    transpose_shapes(TRANSPOSE_NAIVE);
}

CASE(transpose_naive__reads_full_sectors)
{
    transpose(TRANSPOSE_NAIVE, 90, 104);
    expect_coalesced_reads(1.1);
}

CASE(transpose_naive__shares_out_the_elements)
{
    transpose(TRANSPOSE_NAIVE, 63, 95);
    expect_shared_out(1.3, 1.3);
}

CASE(transpose_tiled__transposes_a_wide_matrix)
{
    transpose(TRANSPOSE_TILED, 45, 102);
}

CASE(transpose_tiled__transposes_matrices_of_any_shape)
{
    transpose_shapes(TRANSPOSE_TILED);
}

CASE(transpose_tiled__reads_full_sectors)
{
    transpose(TRANSPOSE_TILED, 88, 104);
    expect_coalesced_reads(1.1);
}

CASE(transpose_tiled__writes_full_sectors)
{
    transpose(TRANSPOSE_TILED, 88, 104);
    expect_coalesced_writes(1.1);
}

CASE(transpose_tiled__shares_out_the_elements)
{
    transpose(TRANSPOSE_TILED, 63, 95);
    expect_shared_out(1.3, 1.3);
}

CASE(transpose_padded__transposes_a_wide_matrix)
{
    transpose(TRANSPOSE_PADDED, 45, 102);
}

CASE(transpose_padded__transposes_matrices_of_any_shape)
{
    transpose_shapes(TRANSPOSE_PADDED);
}

CASE(transpose_padded__reads_and_writes_full_sectors)
{
    transpose(TRANSPOSE_PADDED, 88, 104);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(transpose_padded__has_no_bank_conflicts)
{
    transpose(TRANSPOSE_PADDED, 90, 75);
    expect_no_bank_conflicts();
}

CASE(transpose_padded__shares_out_the_elements)
{
    transpose(TRANSPOSE_PADDED, 63, 95);
    expect_shared_out(1.3, 1.3);
}

// ---- the reductions ----

enum { REDUCED = 256 };    // REDUCE_THREADS

static void sum_by_tree(int n)
{
    int blocks = reduce_tree_blocks(n);
    float *x = numbers((size_t)n, 4), *sums = blank((size_t)blocks);
    double *want = expected((size_t)blocks);
    for (int i = 0; i < n; i++) want[i / REDUCED] += (double)x[i];
    emulator_clear();
    run_reduce_tree(sums, x, n);
    expect_clean();
    assert_near(sums, want, SHAPE(blocks), .name = "sums",
                .formula = "sums[b] = the sum of x[256 b] ... x[256 b + 255]", SUM_TOLERANCE);
}

CASE(reduce_tree__sums_one_full_block)
{
    sum_by_tree(REDUCED);
}

CASE(reduce_tree__sums_each_block_apart)
{
    sum_by_tree(5 * REDUCED);
}

CASE(reduce_tree__takes_elements_behind_the_end_as_zero)
{
    sum_by_tree(1);
    sum_by_tree(700);
    sum_by_tree(3 * REDUCED + 1);
}

CASE(reduce_tree__has_no_bank_conflicts)
{
    sum_by_tree(700);
    expect_no_bank_conflicts();
}

// 256 are written; each of the 255 sums reads two and writes one.
CASE(reduce_tree__adds_half_as_many_in_each_step)
{
    sum_by_tree(REDUCED);
    const Traffic reads = traffic_of(emulator_report(), SPACE_SHARED, false);
    assert_that(reads.lanes >= 1, "no number was read from shared memory");
    expect_at_most(reads.lanes, 1, 2 * REDUCED, "reads from shared memory");
    // The first 128, 64, 32, ... threads are 4, 2, 1, ... warps, each of which reads twice.
    expect_at_most(reads.transactions, 1, 32,
                   "wavefronts of reads: the threads that add have to be neighbours, in few warps");
}

CASE(reduce_tree__shares_out_the_sums)
{
    sum_by_tree(5 * REDUCED);
    // Thread 0 takes part in all eight steps, and half of the threads in one.
    expect_shared_out(8, 1.1);
}

static void sum_block(int threads)
{
    size_t n = (size_t)threads;
    float *x = numbers(n, 5), *y = numbers(n, 6), *of_x = blank(n), *of_y = blank(n);
    double *want_x = expected(n), *want_y = expected(n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) want_x[i] += (double)x[j], want_y[i] += (double)y[j];
    emulator_clear();
    run_block_sum(of_x, of_y, x, y, threads);
    expect_clean();
    assert_near(of_x, want_x, SHAPE(threads), .name = "of the first call",
                .formula = "gk_block_sum(x) in each thread", SUM_TOLERANCE);
    assert_near(of_y, want_y, SHAPE(threads), .name = "of the second call",
                .formula = "gk_block_sum(y) in each thread", SUM_TOLERANCE);
}

CASE(reduce_shuffle__sums_a_warp)
{
    sum_block(32);
}

CASE(reduce_shuffle__sums_two_warps_and_seven)
{
    sum_block(64);
    sum_block(7 * 32);
}

CASE(reduce_shuffle__sums_the_largest_block)
{
    sum_block(1024);
}

CASE(reduce_shuffle__sums_with_fewer_threads_than_elements)
{
    enum { N = 1501, BLOCKS = 3 };
    float *x = numbers(N, 7), *sums = blank(BLOCKS);
    double *want = expected(BLOCKS);
    for (int i = 0; i < N; i++) want[i / REDUCED % BLOCKS] += (double)x[i];
    emulator_clear();
    run_reduce_shuffle(sums, x, N, BLOCKS);
    expect_clean();
    assert_near(sums, want, SHAPE(BLOCKS), .name = "sums", .formula = "sums[b] of block b",
                SUM_TOLERANCE);
}

CASE(reduce_shuffle__keeps_one_number_of_a_warp_in_shared_memory)
{
    sum_block(1024);
    const EmulatorReport *report = emulator_report();
    assert_that(shared_of(report) <= 33 * sizeof(float),
                "%zu bytes of shared memory, expected at most 132: one number of each warp, and "
                "the sum",
                shared_of(report));
    expect_at_most(traffic_of(report, SPACE_SHARED, true).lanes, 2 * 32, 2,
                   "writes to shared memory for each warp");
}

CASE(reduce_shuffle__shares_out_the_sums)
{
    sum_block(1024);
    expect_shared_out(8, 1);
}

// ----

const struct CMUnitTest memory_cases[] = {
    cmocka_unit_test(vector_add__adds_with_a_thread_for_each_element),
    cmocka_unit_test(vector_add__leaves_alone_what_lies_behind_the_end),
    cmocka_unit_test(vector_add__adds_with_fewer_threads_than_elements),
    cmocka_unit_test(vector_add__reads_and_writes_each_element_once_in_full_sectors),
    cmocka_unit_test(vector_add__shares_out_the_elements),
    cmocka_unit_test(transpose_naive__transposes_a_wide_matrix),
    cmocka_unit_test(transpose_naive__transposes_matrices_of_any_shape),
    cmocka_unit_test(transpose_naive__reads_full_sectors),
    cmocka_unit_test(transpose_naive__shares_out_the_elements),
    cmocka_unit_test(transpose_tiled__transposes_a_wide_matrix),
    cmocka_unit_test(transpose_tiled__transposes_matrices_of_any_shape),
    cmocka_unit_test(transpose_tiled__reads_full_sectors),
    cmocka_unit_test(transpose_tiled__writes_full_sectors),
    cmocka_unit_test(transpose_tiled__shares_out_the_elements),
    cmocka_unit_test(transpose_padded__transposes_a_wide_matrix),
    cmocka_unit_test(transpose_padded__transposes_matrices_of_any_shape),
    cmocka_unit_test(transpose_padded__reads_and_writes_full_sectors),
    cmocka_unit_test(transpose_padded__has_no_bank_conflicts),
    cmocka_unit_test(transpose_padded__shares_out_the_elements),
    cmocka_unit_test(reduce_tree__sums_one_full_block),
    cmocka_unit_test(reduce_tree__sums_each_block_apart),
    cmocka_unit_test(reduce_tree__takes_elements_behind_the_end_as_zero),
    cmocka_unit_test(reduce_tree__has_no_bank_conflicts),
    cmocka_unit_test(reduce_tree__adds_half_as_many_in_each_step),
    cmocka_unit_test(reduce_tree__shares_out_the_sums),
    cmocka_unit_test(reduce_shuffle__sums_a_warp),
    cmocka_unit_test(reduce_shuffle__sums_two_warps_and_seven),
    cmocka_unit_test(reduce_shuffle__sums_the_largest_block),
    cmocka_unit_test(reduce_shuffle__sums_with_fewer_threads_than_elements),
    cmocka_unit_test(reduce_shuffle__keeps_one_number_of_a_warp_in_shared_memory),
    cmocka_unit_test(reduce_shuffle__shares_out_the_sums),
    {0}};
