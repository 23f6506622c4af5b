// Rows, columns and sums. Both sides accumulate in double, so that one rounding is left of them.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const int shapes[][2] = {{0, 5},  {5, 0},   {1, 1},   {3, 2},    {2, 17},   {17, 16},
                                {7, 63}, {64, 64}, {5, 129}, {301, 10}, {211, 331}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const Fill fills[] = {NORMAL, SPECIAL};

#define SUM_ROUNDING (4 * ROUNDING)
#define FUNCTION     (8 * ROUNDING)

void check_add_row(const Kernels *table)
{
    for (int i = 0; i < SHAPES; i++, numbers_free()) {
        const int rows = shapes[i][0], cols = shapes[i][1];
        const size_t n = (size_t)rows * (size_t)cols;
        const float *x = numbers_new(n, SPECIAL), *b = numbers_new((size_t)cols, NORMAL);
        Pair y = pair_new(n, NANS), in_place = {numbers_copy(x, n), y.want, n};
        kernels_ref.add_row(y.want, x, b, rows, cols);
        table->add_row(y.got, x, b, rows, cols);
        table->add_row(in_place.got, in_place.got, b, rows, cols);
        pair_check("add_row", y, 0);
        pair_check("add_row in place", in_place, 0);
    }
}

void check_sum_rows(const Kernels *table)
{
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < SHAPES; i++, numbers_free()) {
            const int rows = shapes[i][0], cols = shapes[i][1];
            const float *x = numbers_new((size_t)rows * (size_t)cols, fills[f]);
            Pair y         = pair_new((size_t)cols, NORMAL);
            kernels_ref.sum_rows(y.want, x, rows, cols);
            table->sum_rows(y.got, x, rows, cols);
            pair_check("sum_rows", y, SUM_ROUNDING);
        }
}

// From 0 logits through moderate ones to some so far apart that all but one p are 0.
static const Fill logits[] = {ZEROS, NORMAL, WIDE, SPECIAL};

void check_softmax_rows(const Kernels *table)
{
    for (int f = 0; f < 4; f++)
        for (int i = 0; i < SHAPES; i++, numbers_free()) {
            const int rows = shapes[i][0], cols = shapes[i][1];
            const size_t n = (size_t)rows * (size_t)cols;
            const float *x = numbers_new(n, logits[f]);
            Pair y = pair_new(n, NANS), in_place = {numbers_copy(x, n), y.want, n};
            kernels_ref.softmax_rows(y.want, x, rows, cols);
            table->softmax_rows(y.got, x, rows, cols);
            table->softmax_rows(in_place.got, in_place.got, rows, cols);
            pair_check("softmax_rows", y, FUNCTION);
            pair_check("softmax_rows in place", in_place, FUNCTION);
        }
}

void check_cross_entropy(const Kernels *table)
{
    for (int f = 0; f < 4; f++)
        for (int i = 0; i < SHAPES; i++, numbers_free()) {
            const int rows = shapes[i][0], cols = shapes[i][1];
            if (rows > 0 && cols == 0) continue;    // a label would have no class
            const size_t n       = (size_t)rows * (size_t)cols;
            const float *z       = numbers_new(n, logits[f]);
            const int32_t *label = labels_new((size_t)rows, cols);
            Pair p = pair_new(n, NANS), loss = pair_new(1, NANS);
            kernels_ref.cross_entropy(loss.want, p.want, z, label, rows, cols);
            table->cross_entropy(loss.got, p.got, z, label, rows, cols);
            pair_check("cross_entropy: p", p, FUNCTION);
            pair_check("cross_entropy: loss", loss, FUNCTION);
        }
}

void check_cross_entropy_backward(const Kernels *table)
{
    for (int i = 0; i < SHAPES; i++, numbers_free()) {
        const int rows = shapes[i][0], cols = shapes[i][1];
        if (rows > 0 && cols == 0) continue;
        const size_t n       = (size_t)rows * (size_t)cols;
        const float *p       = numbers_new(n, UNIT);
        const int32_t *label = labels_new((size_t)rows, cols);
        Pair dz              = pair_new(n, NORMAL);
        kernels_ref.cross_entropy_backward(dz.want, 0.3f, p, label, rows, cols);
        table->cross_entropy_backward(dz.got, 0.3f, p, label, rows, cols);
        pair_check("cross_entropy_backward", dz, 4 * ROUNDING);
    }
}

// ---- to one number

enum { CASES = 2 * NUMBERS_SIZES };

void check_sum(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = fills[i % 2];
        const float *x  = numbers_new(n, fill);
        Pair y          = pair_new(1, NANS);
        kernels_ref.sum(y.want, x, n);
        table->sum(y.got, x, n);
        pair_check("sum", y, SUM_ROUNDING);
    }
}

void check_sum_squares(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = fills[i % 2];
        const float *x  = numbers_new(n, fill);
        Pair y          = pair_new(1, NANS);
        kernels_ref.sum_squares(y.want, x, n);
        table->sum_squares(y.got, x, n);
        pair_check("sum_squares", y, SUM_ROUNDING);
    }
}

void check_squared_error(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = fills[i % 2];
        const float *x = numbers_new(n, fill), *t = numbers_new(n, NORMAL);
        Pair y = pair_new(1, NANS);
        kernels_ref.squared_error(y.want, x, t, n);
        table->squared_error(y.got, x, t, n);
        pair_check("squared_error", y, SUM_ROUNDING);
    }
}

void check_bce_logits(const Kernels *table)
{
    for (int i = 0; i < CASES; i++, numbers_free()) {
        const size_t n  = numbers_sizes[i / 2];
        const Fill fill = fills[i % 2];
        const float *z = numbers_new(n, fill == NORMAL ? WIDE : fill), *t = numbers_new(n, UNIT);
        Pair y = pair_new(1, NANS);
        kernels_ref.bce_logits(y.want, z, t, n);
        table->bce_logits(y.got, z, t, n);
        pair_check("bce_logits", y, FUNCTION);
    }
}
