// Pooling on sizes below, at and beyond the vectors', every window's shape, ties, NaN and infinities.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const PoolShape shapes[] = {
    {0, 4, 4, 2, 2, 0},   {3, 0, 5, 2, 2, 0},   {1, 1, 1, 1, 1, 0},    {1, 2, 2, 2, 2, 0},
    {3, 5, 7, 2, 2, 0},   {2, 28, 28, 2, 2, 0}, {5, 3, 33, 2, 2, 0},   {2, 6, 131, 2, 2, 0},
    {2, 8, 9, 2, 2, 1},   {3, 7, 5, 3, 2, 1},   {1, 49, 49, 3, 2, 0},  {2, 13, 11, 3, 1, 1},
    {2, 11, 17, 5, 3, 2}, {2, 9, 10, 2, 3, 0},  {4, 17, 19, 3, 3, 0},  {1, 4, 6, 4, 1, 2},
    {3, 7, 7, 7, 7, 0},   {2, 5, 6, 1, 2, 0},   {67, 32, 33, 2, 2, 0}, {61, 33, 32, 3, 2, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

// Whole numbers from a few: most windows are tied.
static float *ties_new(size_t n)
{
    float *x = numbers_new(n, UNIT);
    for (size_t i = 0; i < n; i++) x[i] = (float)(int)(4 * x[i]);
    return x;
}

static float *input_new(int kind, size_t n)
{
    return kind == 0 ? ties_new(n) : numbers_new(n, kind == 1 ? NORMAL : SPECIAL);
}

// The places as numbers, for pair_check: a plane has fewer than 2^24.
static void check_places(const char *what, const int32_t *got, const int32_t *want, size_t n)
{
    Pair places = pair_new(n, ZEROS);
    for (size_t i = 0; i < n; i++) places.got[i] = (float)got[i], places.want[i] = (float)want[i];
    pair_check(what, places, 0);
}

void check_max_pool(const Kernels *table)
{
    for (int i = 0; i < 3 * SHAPES; i++, numbers_free()) {
        const PoolShape s = shapes[i / 3];
        if ((double)pool_in(s) > numbers_most) continue;
        const size_t n = pool_out(s);
        const float *x = input_new(i % 3, pool_in(s));
        Pair y = pair_new(n, NANS);
        int32_t *want = labels_new(n, 1000), *got = labels_new(n, 1000);
        kernels_ref.max_pool(y.want, want, x, s);
        table->max_pool(y.got, got, x, s);
        pair_check("max_pool", y, 0);
        check_places("max_pool: at", got, want, n);
    }
}

void check_max_pool_backward(const Kernels *table)
{
    for (int i = 0; i < 3 * SHAPES; i++, numbers_free()) {
        const PoolShape s = shapes[i / 3];
        if ((double)pool_in(s) > numbers_most) continue;
        const size_t n = pool_out(s);
        int32_t *at = labels_new(n, 1000);
        kernels_ref.max_pool(numbers_new(n, NANS), at, input_new(i % 3, pool_in(s)), s);
        const float *dy = numbers_new(n, i % 3 == 2 ? SPECIAL : NORMAL);
        for (int j = 0; j < NUMBERS_BETAS; j++) {
            Pair dx = pair_before(pool_in(s), numbers_betas[j]);
            kernels_ref.max_pool_backward(dx.want, dy, at, numbers_betas[j], s);
            table->max_pool_backward(dx.got, dy, at, numbers_betas[j], s);
            pair_check("max_pool_backward", dx, 8 * ROUNDING);
        }
    }
}

void check_avg_pool(const Kernels *table)
{
    for (int i = 0; i < 2 * SHAPES; i++, numbers_free()) {
        const PoolShape s = shapes[i / 2];
        if ((double)pool_in(s) > numbers_most) continue;
        const float *x = numbers_new(pool_in(s), i % 2 ? SPECIAL : NORMAL);
        Pair y = pair_new(pool_out(s), NANS);
        kernels_ref.avg_pool(y.want, x, s);
        table->avg_pool(y.got, x, s);
        pair_check("avg_pool", y, 16 * ROUNDING);
    }
}

void check_avg_pool_backward(const Kernels *table)
{
    for (int i = 0; i < SHAPES; i++, numbers_free()) {
        const PoolShape s = shapes[i];
        if ((double)pool_in(s) > numbers_most) continue;
        const float *dy = numbers_new(pool_out(s), NORMAL);
        for (int j = 0; j < NUMBERS_BETAS; j++) {
            Pair dx = pair_before(pool_in(s), numbers_betas[j]);
            kernels_ref.avg_pool_backward(dx.want, dy, numbers_betas[j], s);
            table->avg_pool_backward(dx.got, dy, numbers_betas[j], s);
            pair_check("avg_pool_backward", dx, 16 * ROUNDING);
        }
    }
}
