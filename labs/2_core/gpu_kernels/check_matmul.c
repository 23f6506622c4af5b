/* check_matmul.c -- cases of the matrix products. */
#include "labs/2_core/gpu_kernels/check.h"

enum { SIDE_OF_TILE = 16, SIDE_OF_BLOCK = 64, SIDE_OF_PAIR = 32 };

static int rounded_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

// Multiples of 1/64 up to 16, which a half holds exactly; no two equal for n < 2039.
static float *halves(size_t n, unsigned seed)
{
    float *x = numbers(n, seed);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((int)((i * 977 + (size_t)seed * 331) % 2039) - 1019) / 64;
    return x;
}

static void multiply(Multiplier kind, int m, int n, int k)
{
    const bool tensor = kind == MATMUL_TENSOR;
    size_t ak = (size_t)m * (size_t)k, kb = (size_t)k * (size_t)n, cn = (size_t)m * (size_t)n;
    float *a = tensor ? halves(ak, 1) : numbers(ak, 31),
          *b = tensor ? halves(kb, 2) : numbers(kb, 32);
    float *c = blank(cn);
    double *want = expected(cn);
    for (int i = 0; i < m; i++)
        for (int p = 0; p < k; p++)
            for (int j = 0; j < n; j++)
                want[i * n + j] += (double)a[i * k + p] * (double)b[p * n + j];
    emulator_clear();
    run_matmul(kind, c, a, b, m, n, k);
    expect_clean();
    assert_near(c, want, SHAPE(m, n), .name = "c", .formula = "c[i,j] = sum_p a[i,p] b[p,j]",
                .atol = tensor ? 0.02 : 2e-4, .rtol = 1e-5);
}

// m, n, k of one block and of several, and each of them 1.
static void multiply_shapes(Multiplier kind)
{
    multiply(kind, 1, 1, 1);
    multiply(kind, 1, 37, 5);
    multiply(kind, 37, 1, 3);
    multiply(kind, 5, 3, 41);
    multiply(kind, 19, 41, 1);
}

// ---- matmul_naive ----

CASE(matmul_naive__multiplies_across_blocks)
{
    multiply(MATMUL_NAIVE, 19, 45, 23);
}

CASE(matmul_naive__multiplies_along_many_tiles)
{
    multiply(MATMUL_NAIVE, 19, 37, 117);
}

CASE(matmul_naive__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_NAIVE, 41, 11, 35);
}

CASE(matmul_naive__multiplies_matrices_of_any_shape)
{
    multiply_shapes(MATMUL_NAIVE);
}

CASE(matmul_naive__reads_and_writes_full_sectors)
{
    multiply(MATMUL_NAIVE, 19, 48, 23);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(matmul_naive__shares_out_the_work)
{
    multiply(MATMUL_NAIVE, 63, 95, 23);
    expect_shared_out(1.5, 1.3);
    expect_written_once(63.0 * 95);
}

// ---- matmul_tiled ----

// Threads that lie in the matrix read `of_tile` numbers of each operand for each tile.
static void expect_one_read_for_a_tile(int m, int n, int k, int tile)
{
    double a = (double)m * k * (rounded_up(n, tile) / tile);
    double b = (double)k * n * (rounded_up(m, tile) / tile);
    const EmulatorReport *report = emulator_report();
    double bytes = 0;
    for (size_t i = 0; i < report->lines; i++)
        if (report->line[i].space == SPACE_GLOBAL && !report->line[i].writes)
            bytes += (double)report->line[i].lanes * report->line[i].bytes;
    expect_at_most(bytes / sizeof(float), a + b, 1.01,
                   "reads from global memory for each element that a block needs");
}

CASE(matmul_tiled__multiplies_across_blocks)
{
    multiply(MATMUL_TILED, 19, 45, 23);
}

CASE(matmul_tiled__multiplies_along_many_tiles)
{
    multiply(MATMUL_TILED, 19, 37, 117);
}

CASE(matmul_tiled__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_TILED, 41, 11, 35);
}

CASE(matmul_tiled__multiplies_matrices_of_any_shape)
{
    multiply_shapes(MATMUL_TILED);
}

CASE(matmul_tiled__multiplies_whole_tiles)
{
    multiply(MATMUL_TILED, 2 * SIDE_OF_TILE, 3 * SIDE_OF_TILE, SIDE_OF_TILE);
}

CASE(matmul_tiled__reads_each_element_once_for_a_block)
{
    multiply(MATMUL_TILED, 35, 50, 37);
    expect_one_read_for_a_tile(35, 50, 37, SIDE_OF_TILE);
}

CASE(matmul_tiled__reads_and_writes_full_sectors)
{
    multiply(MATMUL_TILED, 35, 56, 40);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(matmul_tiled__has_no_bank_conflicts)
{
    multiply(MATMUL_TILED, 19, 45, 23);
    expect_no_bank_conflicts();
}

CASE(matmul_tiled__shares_out_the_work)
{
    multiply(MATMUL_TILED, 47, 63, 37);
    expect_shared_out(1.2, 1.1);
    expect_written_once(47.0 * 63);
}

// ---- matmul_blocked ----

static double products(int m, int n, int k)    // with those of the cut tiles
{
    return (double)rounded_up(m, SIDE_OF_BLOCK) * rounded_up(n, SIDE_OF_BLOCK) *
           rounded_up(k, SIDE_OF_TILE);
}

CASE(matmul_blocked__multiplies_across_blocks)
{
    multiply(MATMUL_BLOCKED, 67, 83, 21);
}

CASE(matmul_blocked__multiplies_along_many_tiles)
{
    multiply(MATMUL_BLOCKED, 21, 67, 117);
}

CASE(matmul_blocked__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_BLOCKED, 75, 11, 35);
}

CASE(matmul_blocked__multiplies_matrices_of_any_shape)
{
    multiply_shapes(MATMUL_BLOCKED);
}

CASE(matmul_blocked__reads_each_element_once_for_a_block)
{
    multiply(MATMUL_BLOCKED, 67, 83, 21);
    expect_one_read_for_a_tile(67, 83, 21, SIDE_OF_BLOCK);
}

CASE(matmul_blocked__reads_and_writes_full_sectors)
{
    multiply(MATMUL_BLOCKED, 67, 88, 24);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(matmul_blocked__keeps_operands_in_registers)
{
    multiply(MATMUL_BLOCKED, 67, 41, 21);
    expect_at_most(traffic_of(emulator_report(), SPACE_SHARED, false).lanes, products(67, 41, 21),
                   0.6, "reads from shared memory for a product");
}

CASE(matmul_blocked__shares_out_the_work)
{
    multiply(MATMUL_BLOCKED, 127, 126, 37);
    expect_shared_out(1.2, 1.1);
    expect_written_once(127.0 * 126);
}

// ---- matmul_vectorized ----

static void expect_float4_reads(void)
{
    const Traffic reads = traffic_of(emulator_report(), SPACE_GLOBAL, false);
    assert_that(reads.lanes > 0 && reads.narrow == 0,
                "%.0f of %.0f reads from global memory are of less than 16 bytes: read a float4 "
                "into a variable",
                reads.narrow, reads.lanes);
}

CASE(matmul_vectorized__multiplies_across_blocks)
{
    multiply(MATMUL_VECTORIZED, 67, 84, 20);
}

CASE(matmul_vectorized__multiplies_along_many_tiles)
{
    multiply(MATMUL_VECTORIZED, 21, 68, 116);
}

CASE(matmul_vectorized__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_VECTORIZED, 75, 12, 36);
}

CASE(matmul_vectorized__multiplies_small_matrices)
{
    multiply(MATMUL_VECTORIZED, 1, 4, 4);
    multiply(MATMUL_VECTORIZED, 3, 20, 4);
    multiply(MATMUL_VECTORIZED, 21, 4, 44);
}

CASE(matmul_vectorized__reads_global_memory_by_float4_alone)
{
    multiply(MATMUL_VECTORIZED, 67, 84, 20);
    expect_float4_reads();
    expect_one_read_for_a_tile(67, 84, 20, SIDE_OF_BLOCK);
}

CASE(matmul_vectorized__reads_and_writes_full_sectors)
{
    multiply(MATMUL_VECTORIZED, 67, 88, 24);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(matmul_vectorized__reads_shared_memory_by_vectors)
{
    multiply(MATMUL_VECTORIZED, 67, 44, 20);
    expect_at_most(traffic_of(emulator_report(), SPACE_SHARED, false).lanes, products(67, 44, 20),
                   0.15, "reads from shared memory for a product");
}

CASE(matmul_vectorized__shares_out_the_work)
{
    multiply(MATMUL_VECTORIZED, 127, 128, 44);
    expect_shared_out(1.15, 1.1);
    expect_written_once(127.0 * 128);
}

// ---- matmul_warp_tiled ----

CASE(matmul_warp_tiled__multiplies_across_blocks)
{
    multiply(MATMUL_WARP_TILED, 67, 84, 20);
}

CASE(matmul_warp_tiled__multiplies_along_many_tiles)
{
    multiply(MATMUL_WARP_TILED, 21, 68, 116);
}

CASE(matmul_warp_tiled__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_WARP_TILED, 75, 12, 36);
}

CASE(matmul_warp_tiled__multiplies_small_matrices)
{
    multiply(MATMUL_WARP_TILED, 1, 4, 4);
    multiply(MATMUL_WARP_TILED, 3, 20, 4);
    multiply(MATMUL_WARP_TILED, 21, 4, 44);
}

CASE(matmul_warp_tiled__reads_global_memory_by_float4_in_full_sectors)
{
    multiply(MATMUL_WARP_TILED, 67, 88, 24);
    expect_float4_reads();
    expect_one_read_for_a_tile(67, 88, 24, SIDE_OF_BLOCK);
    expect_coalesced_reads(1.1);
    expect_coalesced_writes(1.1);
}

CASE(matmul_warp_tiled__keeps_eight_rows_and_columns_in_registers)
{
    multiply(MATMUL_WARP_TILED, 67, 44, 20);
    const Traffic reads = traffic_of(emulator_report(), SPACE_SHARED, false);
    expect_at_most(reads.lanes, products(67, 44, 20), 0.07,
                   "reads from shared memory for a product");
    assert_that(reads.transactions <= reads.ideal,
                "%s:%d: bank conflicts: reads take %.0f wavefronts of shared memory where %.0f "
                "would do",
                reads.worst->at.file, reads.worst->at.line, reads.transactions, reads.ideal);
}

CASE(matmul_warp_tiled__shares_out_the_work)
{
    multiply(MATMUL_WARP_TILED, 127, 128, 44);
    expect_shared_out(1.2, 1.1);
    expect_written_once(127.0 * 128);
}

// ---- matmul_tensor ----

CASE(matmul_tensor__multiplies_across_blocks)
{
    multiply(MATMUL_TENSOR, 35, 45, 37);
    multiply(MATMUL_TENSOR, 53, 59, 20);
}

CASE(matmul_tensor__multiplies_along_many_tiles)
{
    multiply(MATMUL_TENSOR, 21, 37, 117);
}

CASE(matmul_tensor__multiplies_a_tall_matrix_by_a_narrow_one)
{
    multiply(MATMUL_TENSOR, 41, 11, 35);
}

CASE(matmul_tensor__multiplies_matrices_of_any_shape)
{
    multiply_shapes(MATMUL_TENSOR);
}

CASE(matmul_tensor__reads_each_element_once_for_a_block)
{
    multiply(MATMUL_TENSOR, 35, 45, 37);
    const double elements = 35.0 * 37 * 2 + 37.0 * 45 * 2;
    expect_at_most(traffic_of(emulator_report(), SPACE_GLOBAL, false).lanes, elements, 1.01,
                   "reads from global memory for each element that a block needs");
}

// A fragment's 2 x 256 elements are read once for its 4096 products.
CASE(matmul_tensor__multiplies_on_tensor_cores)
{
    multiply(MATMUL_TENSOR, 35, 45, 37);
    const double all = (double)rounded_up(35, SIDE_OF_PAIR) * rounded_up(45, SIDE_OF_PAIR) * 48;
    expect_at_most(traffic_of(emulator_report(), SPACE_SHARED, false).lanes, all, 0.2,
                   "reads from shared memory for a product");
}

CASE(matmul_tensor__shares_out_the_work)
{
    multiply(MATMUL_TENSOR, 63, 62, 45);
    expect_shared_out(1.2, 1.1);
    expect_written_once(63.0 * 62);
}

// ----

const struct CMUnitTest matmul_cases[] = {
    cmocka_unit_test(matmul_naive__multiplies_across_blocks),
    cmocka_unit_test(matmul_naive__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_naive__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_naive__multiplies_matrices_of_any_shape),
    cmocka_unit_test(matmul_naive__reads_and_writes_full_sectors),
    cmocka_unit_test(matmul_naive__shares_out_the_work),
    cmocka_unit_test(matmul_tiled__multiplies_across_blocks),
    cmocka_unit_test(matmul_tiled__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_tiled__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_tiled__multiplies_matrices_of_any_shape),
    cmocka_unit_test(matmul_tiled__multiplies_whole_tiles),
    cmocka_unit_test(matmul_tiled__reads_each_element_once_for_a_block),
    cmocka_unit_test(matmul_tiled__reads_and_writes_full_sectors),
    cmocka_unit_test(matmul_tiled__has_no_bank_conflicts),
    cmocka_unit_test(matmul_tiled__shares_out_the_work),
    cmocka_unit_test(matmul_blocked__multiplies_across_blocks),
    cmocka_unit_test(matmul_blocked__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_blocked__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_blocked__multiplies_matrices_of_any_shape),
    cmocka_unit_test(matmul_blocked__reads_each_element_once_for_a_block),
    cmocka_unit_test(matmul_blocked__reads_and_writes_full_sectors),
    cmocka_unit_test(matmul_blocked__keeps_operands_in_registers),
    cmocka_unit_test(matmul_blocked__shares_out_the_work),
    cmocka_unit_test(matmul_vectorized__multiplies_across_blocks),
    cmocka_unit_test(matmul_vectorized__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_vectorized__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_vectorized__multiplies_small_matrices),
    cmocka_unit_test(matmul_vectorized__reads_global_memory_by_float4_alone),
    cmocka_unit_test(matmul_vectorized__reads_and_writes_full_sectors),
    cmocka_unit_test(matmul_vectorized__reads_shared_memory_by_vectors),
    cmocka_unit_test(matmul_vectorized__shares_out_the_work),
    cmocka_unit_test(matmul_warp_tiled__multiplies_across_blocks),
    cmocka_unit_test(matmul_warp_tiled__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_warp_tiled__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_warp_tiled__multiplies_small_matrices),
    cmocka_unit_test(matmul_warp_tiled__reads_global_memory_by_float4_in_full_sectors),
    cmocka_unit_test(matmul_warp_tiled__keeps_eight_rows_and_columns_in_registers),
    cmocka_unit_test(matmul_warp_tiled__shares_out_the_work),
    cmocka_unit_test(matmul_tensor__multiplies_across_blocks),
    cmocka_unit_test(matmul_tensor__multiplies_along_many_tiles),
    cmocka_unit_test(matmul_tensor__multiplies_a_tall_matrix_by_a_narrow_one),
    cmocka_unit_test(matmul_tensor__multiplies_matrices_of_any_shape),
    cmocka_unit_test(matmul_tensor__reads_each_element_once_for_a_block),
    cmocka_unit_test(matmul_tensor__multiplies_on_tensor_cores),
    cmocka_unit_test(matmul_tensor__shares_out_the_work),
    {0}};
