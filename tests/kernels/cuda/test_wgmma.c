// The product by TMA, mbarriers and wgmma (wgmma.cu), emulated and checked or on a GPU of compute capability 9.0: against
// a sum in double precision of the same rounded numbers; and, emulated, with planted mistakes, which have to be found.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "common/rng.h"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/wgmma.h"
#include "kernels/dtype.h"
#include "tests/kernels/cuda/planted_wgmma.h"

#define CASE(name) static void name(__attribute__((unused)) void **state)

typedef bool Multiply(float *c, size_t c_row, const uint16_t *a, size_t a_row, const uint16_t *b,
                      size_t b_row, int m, int n, int k, float beta);

// Rows that are longer than what is multiplied, so that a wrong length or stride shows.
enum { GAP = 8, C_GAP = 3 };

typedef struct Shape {
    int m, n, k;
    float beta;
    size_t c_row;    // 0: n + C_GAP
} Shape;

static size_t row_of(int k)
{
    return ((size_t)k + 7) / 8 * 8 + GAP;
}

// [rows,k] as numbers of the host, and on the device; NaN between the rows.
static float *operand(Rng *rng, int rows, int k, uint16_t **on_device)
{
    const size_t row = row_of(k), count = (size_t)rows * row;
    uint16_t *x = malloc(count * sizeof *x);
    float *numbers = malloc(count * sizeof *numbers);
    if (x == NULL || numbers == NULL) fail_msg("out of memory");
    for (size_t i = 0; i < count; i++) numbers[i] = i % row < (size_t)k ? rng_normal(rng) : NAN;
    assert_true(dtype_from_floats(DTYPE_BF16, x, numbers, count));
    assert_true(dtype_to_floats(DTYPE_BF16, numbers, x, count));
    *on_device = cuda_new(count * sizeof *x);
    cuda_put(*on_device, x, count * sizeof *x);
    free(x);
    return numbers;
}

// The largest difference, in units of what the sums' own roundings allow: above 1 is wrong. Negative: refused.
static double worst_of(Multiply *multiply, Shape s)
{
    Rng rng = rng_from_seed((uint64_t)s.m * 1000 + (uint64_t)s.n);
    const size_t c_row = s.c_row > 0 ? s.c_row : (size_t)s.n + C_GAP, row = row_of(s.k),
                 count = (size_t)s.m * c_row;
    uint16_t *a_there, *b_there;
    float *a = operand(&rng, s.m, s.k, &a_there), *b = operand(&rng, s.n, s.k, &b_there);
    float *before = malloc(count * sizeof *before), *c = malloc(count * sizeof *c);
    if (before == NULL || c == NULL) fail_msg("out of memory");
    for (size_t i = 0; i < count; i++)
        before[i] = s.beta == 0 ? NAN : rng_normal(&rng);    // beta 0 does not read c
    float *c_there = cuda_new(count * sizeof *c);
    cuda_put(c_there, before, count * sizeof *c);
    const bool done = multiply(c_there, c_row, a_there, row, b_there, row, s.m, s.n, s.k, s.beta);
    cuda_finish();
    cuda_get(c, c_there, count * sizeof *c);
    double worst = done ? 0 : -1;
    for (int i = 0; i < s.m && done; i++)
        for (size_t j = 0; j < c_row; j++) {
            const size_t at = (size_t)i * c_row + j;
            if (j >= (size_t)s.n) {    // between the rows nothing is written
                if (memcmp(&c[at], &before[at], sizeof *c) != 0) worst = INFINITY;
                continue;
            }
            double want = s.beta == 0 ? 0 : (double)s.beta * (double)before[at], size = fabs(want);
            for (int p = 0; p < s.k; p++) {
                const double product =
                    (double)a[(size_t)i * row + (size_t)p] * (double)b[j * row + (size_t)p];
                want += product;
                size += fabs(product);
            }
            // Each of k sums in float32 is off by half a unit of what has been summed up, at most; a tensor core may cut
            // off where IEEE rounds, which is a whole unit.
            const double off = fabs((double)c[at] - want) / ((s.k + 2) * size * 0x1p-23);
            if (!(off <= worst)) worst = isnan(off) ? INFINITY : off;
        }
    cuda_free(a_there), cuda_free(b_there), cuda_free(c_there);
    free(a), free(b), free(before), free(c);
    return worst;
}

static void clear(void)
{
    cuda_finish();
#ifndef CUDA_GPU
    emulator_clear();
#endif
}

static void agrees(Shape s)
{
    clear();
    const double worst = worst_of(cuda_wgmma_product, s);
#ifndef CUDA_GPU
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
#endif
    if (!(worst >= 0 && worst <= 1))
        fail_msg("[%d,%d,%d], beta %g: off by %g of what roundings allow (below 0: refused)", s.m,
                 s.n, s.k, (double)s.beta, worst);
}

CASE(each_instruction_does_what_its_documentation_says)
{
    clear();
    assert_int_equal(hopper_features_that_fail(), 0);
#ifndef CUDA_GPU
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
#endif
}

CASE(odd_sizes_agree_with_sums_in_double)
{
    static const Shape shapes[] = {
        {1, 1, 1, 0, 0},            // one element of a tile
        {129, 131, 65, 0, 0},       // one more than a tile, in each direction
        {65, 127, 64, 1, 0},        // beta; one consumer with a single row
        {100, 200, 200, 0, 200},    // rows of pairs; four stages
        {5, 258, 130, -0.5f, 0},
        {130, 600, 70, 0, 602},    // wide tiles: as many as multiprocessors
        {300, 300, 500, 0, 0},     // several tiles for a block, the ring goes round
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) agrees(shapes[i]);
}

#ifdef CUDA_GPU
// Many tiles for each multiprocessor; the sum in double takes a few seconds.
CASE(large_products_agree_with_sums_in_double)
{
    agrees((Shape){2051, 1030, 517, 0, 0});
    agrees((Shape){1500, 3000, 264, 1, 3000});
}
#endif

CASE(what_tma_cannot_copy_is_refused)
{
    float *c = cuda_new(64 * sizeof *c);
    uint16_t *a = cuda_new(64 * sizeof *a);
    assert_false(cuda_wgmma_product(c, 4, a, 8, a, 8, 4, 4, 0, 0));        // no products
    assert_false(cuda_wgmma_product(c, 4, a, 7, a, 8, 4, 4, 7, 0));        // rows of 14 bytes
    assert_false(cuda_wgmma_product(c, 4, a, 8, a + 1, 8, 4, 4, 8, 0));    // begins at 2
    assert_true(cuda_wgmma_product(c, 4, a, 8, a, 8, 0, 4, 8, 0));         // nothing to do
    cuda_free(c), cuda_free(a);
}

#ifndef CUDA_GPU
// Each mistake is reported by its kind. Three stages of k at least go round in a tile.
static void finds(void **state)
{
    const PlantedWgmma *p = *state;
    clear();
    const double worst = worst_of(p->multiply, (Shape){150, 140, 520, 0, 0});
    const EmulatorReport *report = emulator_report();
    for (size_t i = 0; i < report->faults; i++) print_message("%s\n", report->fault[i].message);
    if (report->faults == 0 && p->kind != FAULT_KINDS) fail_msg("%s: nothing was found", p->name);
    bool found = p->kind == FAULT_KINDS;
    for (size_t i = 0; i < report->faults; i++) found |= report->fault[i].kind == p->kind;
    if (!found) fail_msg("no %s was found", fault_name(p->kind));
    if (p->kind == FAULT_KINDS && worst >= 0 && worst <= 1)
        fail_msg("%s: the result is right all the same", p->name);
}
#endif

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(each_instruction_does_what_its_documentation_says),
        cmocka_unit_test(odd_sizes_agree_with_sums_in_double),
        cmocka_unit_test(what_tma_cannot_copy_is_refused),
#ifdef CUDA_GPU
        cmocka_unit_test(large_products_agree_with_sums_in_double),
#endif
    };
#ifdef CUDA_GPU
    const char *missing = cuda_wgmma_missing();
    if (missing != NULL) {
        print_message("skipped: %s: run this test on an H100 or H200\n", missing);
        return 0;
    }
    return cmocka_run_group_tests(own, NULL, NULL);
#else
    enum { OWN = sizeof own / sizeof *own };
    struct CMUnitTest *tests = calloc(OWN + planted_wgmma_count, sizeof *tests);
    if (tests == NULL) return 1;
    memcpy(tests, own, sizeof own);
    for (size_t i = 0; i < planted_wgmma_count; i++)
        tests[OWN + i] = (struct CMUnitTest){planted_wgmma[i].name, finds, NULL, NULL,
                                             (void *)&planted_wgmma[i]};
    const int failed =
        _cmocka_run_group_tests("wgmma", tests, OWN + planted_wgmma_count, NULL, NULL);
    free(tests);
    return failed;
#endif
}
