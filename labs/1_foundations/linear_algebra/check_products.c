/* check_products.c -- cases of the exercises 1 to 3: matrix products. */
#include <fenv.h>
#include "labs/1_foundations/linear_algebra/check.h"

typedef void Product(double *c, const double *a, const double *b, int m, int n, int k);

// Wrappers: a learner's functions are resolved when they are called.
static void plain(double *c, const double *a, const double *b, int m, int n, int k)
{
    la_matmul(c, a, b, m, n, k);
}

static void blocked(double *c, const double *a, const double *b, int m, int n, int k)
{
    la_matmul_blocked(c, a, b, m, n, k);
}

static const char formula[] = "c[i,j] = sum_p a[i,p] b[p,j]";

// |c - ab| <= k eps |a| |b| for every order of summation (Higham 2002, section 3.5). Elements are of
// size 1 here, so sqrt(k) is closer to the truth and k is generous.
static void check_product(Product *multiply, int m, int n, int k, uint64_t seed)
{
    size_t size = (size_t)m * (size_t)n;
    double *a = random_matrix(seed, m, k), *b = random_matrix(seed + 1, k, n),
           *c = doubles_filled(size, NAN);
    double *a_before = doubles_copy(a, (size_t)m * (size_t)k),
           *b_before = doubles_copy(b, (size_t)k * (size_t)n);
    multiply(c, a, b, m, n, k);
    if (size > 0)
        assert_near(c, product(a, b, m, n, k), SHAPE(m, n), .name = "c", .formula = formula,
                    .eps = k + 2);
    if (m * k > 0) assert_kept("a", a, a_before, m * k);
    if (k * n > 0) assert_kept("b", b, b_before, k * n);
}

static void check_by_hand(Product *multiply)
{
    double *a = DOUBLES(1, 2, 3, 4, 5, 6), *b = DOUBLES(7, 8, 9, 10, 11, 12);
    double *c = doubles_filled(4, NAN);
    multiply(c, a, b, 2, 2, 3);
    assert_near(c, ((double[]){58, 64, 139, 154}), SHAPE(2, 2), .name = "c", .formula = formula,
                .exact = true);
}

static void check_edges(Product *multiply)
{
    check_product(multiply, 1, 1, 1, 3);
    check_product(multiply, 1, 5, 1, 4);
    check_product(multiply, 5, 1, 3, 5);
    check_product(multiply, 1, 1, 9, 6);
}

static void check_empty(Product *multiply)
{
    check_product(multiply, 0, 3, 2, 7);
    check_product(multiply, 3, 0, 2, 8);
    double *c = doubles_filled(6, NAN);
    multiply(c, doubles_filled(0, 0), doubles_filled(0, 0), 2, 3, 0);
    assert_near(c, doubles_filled(6, 0), SHAPE(2, 3), .name = "c", .formula = "an empty sum is 0",
                .exact = true);
}

// A NaN in row 1 of a propagates to all of row 1 of c, also where b is 0, and nowhere else.
static void check_nan(Product *multiply, int m, int n, int k)
{
    size_t size = (size_t)m * (size_t)n;
    double *a = doubles_filled((size_t)m * (size_t)k, 1),
           *b = doubles_filled((size_t)k * (size_t)n, 0);
    double *c = doubles_filled(size, 7), *want = doubles_filled(size, 0);
    a[k + k / 2] = NAN;
    for (int j = 0; j < n; j++) want[n + j] = NAN;
    multiply(c, a, b, m, n, k);
    assert_near(c, want, SHAPE(m, n), .name = "c", .formula = "0 times NaN is NaN", .exact = true);
    // And one in column 1 of b to all of column 1, also where a is 0.
    for (size_t i = 0; i < size; i++) want[i] = i % (size_t)n == 1 ? NAN : 0;
    for (int i = 0; i < m * k; i++) a[i] = 0;
    b[k / 2 * n + 1] = NAN;
    multiply(c, a, b, m, n, k);
    assert_near(c, want, SHAPE(m, n), .name = "c", .formula = "0 times NaN is NaN", .exact = true);
}

// ---- 1: matmul ----

CASE(matmul__matches_a_product_by_hand)
{
    check_by_hand(plain);
}

CASE(matmul__matches_long_double)
{
    for (uint64_t seed = 11; seed <= 13; seed += 2) check_product(plain, 4, 5, 3, seed);
}

CASE(matmul__handles_wide_and_tall_matrices)
{
    check_product(plain, 2, 31, 7, 15);
    check_product(plain, 31, 2, 7, 17);
    check_product(plain, 3, 4, 129, 19);
}

CASE(matmul__handles_one_row_one_column_and_k_one)
{
    check_edges(plain);
}

CASE(matmul__handles_empty_matrices)
{
    check_empty(plain);
}

CASE(matmul__propagates_nan)
{
    check_nan(plain, 3, 4, 5);
}

// A second product of other numbers in the same memory, and another one between.
static void check_again(Product *multiply, int m, int n, int k, uint64_t seed)
{
    double *a = random_matrix(seed, m, k), *b = random_matrix(seed + 1, k, n),
           *c = doubles_filled((size_t)(m * n), NAN);
    multiply(c, a, b, m, n, k);
    for (int i = 0; i < m * k; i++) a[i] = 3 * a[i] + 1;
    for (int i = 0; i < k * n; i++) b[i] = 1 - b[i];
    multiply(c, a, b, m, n, k);
    assert_near(c, product(a, b, m, n, k), SHAPE(m, n), .name = "c of the second call",
                .formula = formula, .eps = 8 * (k + 2));
    check_product(multiply, n, m, k, seed + 2);
    multiply(c, a, b, m, n, k);
    assert_near(c, product(a, b, m, n, k), SHAPE(m, n), .name = "c of the last call",
                .formula = formula, .eps = 8 * (k + 2));
}

CASE(matmul__takes_the_same_arrays_again)
{
    check_again(plain, 4, 3, 5, 21);
}

// ---- 2: tile ----

static const char tile_formula[] =
    "c[i * row + j] += sum_p a[p * TILE_ROWS + i] b[p * TILE_COLUMNS + j]";

enum { TILE = TILE_ROWS * TILE_COLUMNS };

static void check_tile(int row, int k, uint64_t seed)
{
    int last = (TILE_ROWS - 1) * row + TILE_COLUMNS;    // c ends with the tile's last element
    double *a = random_matrix(seed, k, TILE_ROWS), *b = random_matrix(seed + 1, k, TILE_COLUMNS);
    double *c = random_matrix(seed + 2, 1, last), *want = doubles_copy(c, (size_t)last);
    double *a_before = doubles_copy(a, (size_t)(k * TILE_ROWS)),
           *b_before = doubles_copy(b, (size_t)(k * TILE_COLUMNS));
    for (int i = 0; i < TILE_ROWS; i++)
        for (int j = 0; j < TILE_COLUMNS; j++) {
            long double sum = c[i * row + j];
            for (int p = 0; p < k; p++)
                sum += (long double)a[p * TILE_ROWS + i] * b[p * TILE_COLUMNS + j];
            want[i * row + j] = (double)sum;
        }
    la_tile(c, (size_t)row, a, b, k);
    assert_near(c, want, SHAPE(last), .name = "c", .formula = tile_formula, .eps = 2 * k + 2);
    if (k > 0) assert_kept("a", a, a_before, k * TILE_ROWS);
    if (k > 0) assert_kept("b", b, b_before, k * TILE_COLUMNS);
}

CASE(tile__with_k_one_is_an_outer_product)
{
    double *a = doubles_filled(TILE_ROWS, 0), *b = doubles_filled(TILE_COLUMNS, 0),
           *c = doubles_filled(TILE, 0), *want = doubles_filled(TILE, 0);
    for (int i = 0; i < TILE_ROWS; i++) a[i] = i + 1;
    for (int j = 0; j < TILE_COLUMNS; j++) b[j] = 10 * j;
    for (int i = 0; i < TILE; i++) want[i] = (i / TILE_COLUMNS + 1) * 10 * (i % TILE_COLUMNS);
    la_tile(c, TILE_COLUMNS, a, b, 1);
    assert_near(c, want, SHAPE(TILE_ROWS, TILE_COLUMNS), .name = "c", .formula = tile_formula,
                .exact = true);
}

CASE(tile__matches_long_double)
{
    check_tile(TILE_COLUMNS, 5, 21);
    check_tile(TILE_COLUMNS, 64, 24);
}

CASE(tile__accumulates_into_c)
{
    double *a = doubles_filled(2 * TILE_ROWS, 1), *b = doubles_filled(2 * TILE_COLUMNS, 1),
           *c = doubles_filled(TILE, 40);
    la_tile(c, TILE_COLUMNS, a, b, 2);
    assert_near(c, doubles_filled(TILE, 42), SHAPE(TILE_ROWS, TILE_COLUMNS), .name = "c",
                .formula = tile_formula, .exact = true);
}

CASE(tile__writes_only_its_tile_of_c)
{
    check_tile(TILE_COLUMNS + 1, 3, 27);
    check_tile(41, 7, 30);
}

CASE(tile__does_nothing_for_k_zero)
{
    check_tile(19, 0, 33);
}

CASE(tile__propagates_nan)
{
    double *a = doubles_filled(TILE_ROWS, 0), *b = doubles_filled(TILE_COLUMNS, 0),
           *c = doubles_filled(TILE, 1), *want = doubles_filled(TILE, 1);
    b[3] = NAN;
    for (int i = 0; i < TILE_ROWS; i++) want[i * TILE_COLUMNS + 3] = NAN;
    la_tile(c, TILE_COLUMNS, a, b, 1);
    assert_near(c, want, SHAPE(TILE_ROWS, TILE_COLUMNS), .name = "c",
                .formula = "0 times NaN is NaN", .exact = true);
}

CASE(tile__takes_the_same_arrays_again)
{
    double *a = doubles_filled(TILE_ROWS, 1), *b = doubles_filled(TILE_COLUMNS, 1),
           *c = doubles_filled(TILE, 0);
    la_tile(c, TILE_COLUMNS, a, b, 1);
    for (int i = 0; i < TILE_ROWS; i++) a[i] = 3;
    for (int j = 0; j < TILE_COLUMNS; j++) b[j] = 5;
    la_tile(c, TILE_COLUMNS, a, b, 1);
    assert_near(c, doubles_filled(TILE, 16), SHAPE(TILE_ROWS, TILE_COLUMNS), .name = "c",
                .formula = tile_formula, .exact = true);
}

// ---- 3: matmul_blocked ----

CASE(matmul_blocked__matches_a_product_by_hand)
{
    check_by_hand(blocked);
}

CASE(matmul_blocked__matches_long_double_within_one_block)
{
    check_product(blocked, 4, 5, 3, 41);
    check_product(blocked, 29, 37, 23, 43);
    check_product(blocked, 2 * TILE_ROWS, 2 * TILE_COLUMNS, 32, 45);
}

CASE(matmul_blocked__handles_k_above_the_block_depth)
{
    check_product(blocked, 7, 19, BLOCK_DEPTH, 47);
    check_product(blocked, 7, 19, BLOCK_DEPTH + 1, 48);
    check_product(blocked, 3, 5, 2 * BLOCK_DEPTH + 7, 49);
}

CASE(matmul_blocked__handles_more_rows_than_a_block)
{
    check_product(blocked, BLOCK_ROWS, 7, 5, 51);
    check_product(blocked, BLOCK_ROWS + 1, 7, 5, 52);
    check_product(blocked, 2 * BLOCK_ROWS + 5, 3, 9, 53);
}

CASE(matmul_blocked__handles_more_columns_than_a_block)
{
    check_product(blocked, 3, BLOCK_COLUMNS, 5, 55);
    check_product(blocked, 3, BLOCK_COLUMNS + 1, 5, 56);
    check_product(blocked, 2, 2 * BLOCK_COLUMNS + 3, 4, 57);
}

CASE(matmul_blocked__handles_several_blocks_in_every_dimension)
{
    check_product(blocked, BLOCK_ROWS + 7, BLOCK_COLUMNS + 5, BLOCK_DEPTH + 3, 59);
}

CASE(matmul_blocked__handles_one_row_one_column_and_k_one)
{
    check_edges(blocked);
}

CASE(matmul_blocked__handles_empty_matrices)
{
    check_empty(blocked);
}

CASE(matmul_blocked__propagates_nan)
{
    check_nan(blocked, 9, 20, 5);
    check_nan(blocked, 3, 4, BLOCK_DEPTH + 4);
}

CASE(matmul_blocked__takes_the_same_arrays_again)
{
    check_again(blocked, 9, 14, 5, 61);
}

// A tile that crosses the edge of C has rows of zeros, and 0 times infinity raises FE_INVALID. A plain
// product multiplies infinity by ones alone.
static void check_tiles(int m, int n, int k)
{
    size_t size = (size_t)m * (size_t)n;
    double *a = doubles_filled((size_t)m * (size_t)k, 1),
           *b = doubles_filled((size_t)k * (size_t)n, 1), *c = doubles_filled(size, NAN),
           *want = doubles_filled(size, k);
    b[0] = INFINITY;
    for (int i = 0; i < m; i++) want[i * n] = INFINITY;
    feclearexcept(FE_ALL_EXCEPT);
    blocked(c, a, b, m, n, k);
    assert_that(fetestexcept(FE_INVALID) != 0,
                "a %d x %d product did not compute the zeros that pack_rows() fills its last tile "
                "with: is it made of tiles, by multiply_blocks()?",
                m, n);
    assert_near(c, want, SHAPE(m, n), .name = "c", .formula = formula, .exact = true);
}

CASE(matmul_blocked__is_made_of_tiles)
{
    check_tiles(1, 1, 1);
    check_tiles(TILE_ROWS + 1, TILE_COLUMNS, 7);
    check_tiles(BLOCK_ROWS + 1, BLOCK_COLUMNS + 1, BLOCK_DEPTH + 1);
}

const struct CMUnitTest product_cases[] = {
    cmocka_unit_test(matmul__matches_a_product_by_hand),
    cmocka_unit_test(matmul__matches_long_double),
    cmocka_unit_test(matmul__handles_wide_and_tall_matrices),
    cmocka_unit_test(matmul__handles_one_row_one_column_and_k_one),
    cmocka_unit_test(matmul__handles_empty_matrices),
    cmocka_unit_test(matmul__propagates_nan),
    cmocka_unit_test(matmul__takes_the_same_arrays_again),
    cmocka_unit_test(tile__with_k_one_is_an_outer_product),
    cmocka_unit_test(tile__matches_long_double),
    cmocka_unit_test(tile__accumulates_into_c),
    cmocka_unit_test(tile__writes_only_its_tile_of_c),
    cmocka_unit_test(tile__does_nothing_for_k_zero),
    cmocka_unit_test(tile__propagates_nan),
    cmocka_unit_test(tile__takes_the_same_arrays_again),
    cmocka_unit_test(matmul_blocked__matches_a_product_by_hand),
    cmocka_unit_test(matmul_blocked__matches_long_double_within_one_block),
    cmocka_unit_test(matmul_blocked__handles_k_above_the_block_depth),
    cmocka_unit_test(matmul_blocked__handles_more_rows_than_a_block),
    cmocka_unit_test(matmul_blocked__handles_more_columns_than_a_block),
    cmocka_unit_test(matmul_blocked__handles_several_blocks_in_every_dimension),
    cmocka_unit_test(matmul_blocked__handles_one_row_one_column_and_k_one),
    cmocka_unit_test(matmul_blocked__handles_empty_matrices),
    cmocka_unit_test(matmul_blocked__propagates_nan),
    cmocka_unit_test(matmul_blocked__takes_the_same_arrays_again),
    cmocka_unit_test(matmul_blocked__is_made_of_tiles),
    {0},
};
