// Rows, columns and sums. Both sides accumulate in double, so that one rounding is left of them.
#include <math.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const int shapes[][2] = {{0, 5},  {5, 0},   {1, 1},   {3, 2},    {2, 17},   {17, 16},
                                {7, 63}, {64, 64}, {5, 129}, {301, 10}, {211, 331}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

#define SUM_ROUNDING (4 * ROUNDING)
#define FUNCTION     (8 * ROUNDING)

void check_add_row(const Kernels *table)
{
    for (int i = 0; i < SHAPES; i++, numbers_free()) {
        const int rows = shapes[i][0], cols = shapes[i][1];
        if ((double)rows * cols > numbers_most) continue;
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
    for (int i = 0; i < 2 * SHAPES; i++, numbers_free()) {
        const int rows = shapes[i / 2][0], cols = shapes[i / 2][1];
        if ((double)rows * cols > numbers_most) continue;
        const float *x = numbers_new((size_t)rows * (size_t)cols, i % 2 ? SPECIAL : NORMAL);
        for (int j = 0; j < NUMBERS_BETAS; j++) {
            Pair y = pair_before((size_t)cols, numbers_betas[j]);
            kernels_ref.sum_rows(y.want, x, rows, cols, numbers_betas[j]);
            table->sum_rows(y.got, x, rows, cols, numbers_betas[j]);
            pair_check("sum_rows", y, SUM_ROUNDING);
        }
    }
}

// From 0 logits through moderate ones to some so far apart that all but one p are 0.
static const Fill logits[] = {ZEROS, NORMAL, WIDE, SPECIAL};

void check_softmax_rows(const Kernels *table)
{
    for (int i = 0; i < 4 * SHAPES; i++, numbers_free()) {
        const int rows = shapes[i / 4][0], cols = shapes[i / 4][1];
        if ((double)rows * cols > numbers_most) continue;
        const size_t n = (size_t)rows * (size_t)cols;
        const float *x = numbers_new(n, logits[i % 4]);
        Pair y = pair_new(n, NANS), in_place = {numbers_copy(x, n), y.want, n};
        kernels_ref.softmax_rows(y.want, x, rows, cols);
        table->softmax_rows(y.got, x, rows, cols);
        table->softmax_rows(in_place.got, in_place.got, rows, cols);
        pair_check("softmax_rows", y, FUNCTION);
        pair_check("softmax_rows in place", in_place, FUNCTION);
    }
}

// Rows of y as far apart as they are long, and further: what lies between stays.
void check_transpose(const Kernels *table)
{
    for (int i = 0; i < 2 * SHAPES; i++, numbers_free()) {
        const int rows = shapes[i / 2][0], cols = shapes[i / 2][1];
        if ((double)rows * cols > numbers_most) continue;
        const size_t row = (size_t)rows + (i % 2 ? 3 : 0), n = (size_t)cols * row;
        const float *x = numbers_new((size_t)rows * (size_t)cols, SPECIAL);
        const Pair y = pair_new(n, NORMAL);
        float *defined = numbers_copy(y.want, n);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < cols; c++) defined[(size_t)c * row + (size_t)r] = x[r * cols + c];
        kernels_ref.transpose(y.want, row, x, rows, cols);
        table->transpose(y.got, row, x, rows, cols);
        pair_check("ref's transpose", (Pair){y.want, defined, n}, 0);
        pair_check("transpose", y, 0);
    }
}

// Every fifth label is to be ignored.
static const int32_t *labels_some(size_t n, int classes)
{
    int32_t *label = labels_new(n, classes);
    for (size_t i = 3; i < n; i += 5) label[i] = i % 2 ? -1 : -100;
    return label;
}

// The loss is the log of how many there are, however large they are.
static void equal_logits_are_equally_likely(const Kernels *table)
{
    const float values[] = {1e6f, -1e6f, 1e30f, -3e38f};
    for (int i = 0; i < 4; i++, numbers_free()) {
        Pair p = pair_new(331, NANS), loss = pair_new(1, NANS);
        float *z = numbers_new(331, ZEROS);
        for (int c = 0; c < 331; c++) z[c] = values[i], p.want[c] = 1 / 331.0f;
        *loss.want = logf(331);
        table->cross_entropy(loss.got, p.got, z, labels_new(1, 331), 1, 331);
        pair_check("cross_entropy of equal logits: p", p, FUNCTION);
        pair_check("cross_entropy of equal logits: loss", loss, FUNCTION);
    }
}

void check_cross_entropy(const Kernels *table)
{
    equal_logits_are_equally_likely(&kernels_ref);
    equal_logits_are_equally_likely(table);
    for (int i = 0; i < 4 * SHAPES; i++, numbers_free()) {
        const int rows = shapes[i / 4][0], cols = shapes[i / 4][1];
        if ((double)rows * cols > numbers_most) continue;
        if (rows > 0 && cols == 0) continue;    // a label would have no class
        const size_t n = (size_t)rows * (size_t)cols;
        const float *z = numbers_new(n, logits[i % 4]);
        const int32_t *label = labels_some((size_t)rows, cols);
        Pair p = pair_new(n, NANS), loss = pair_new(1, NANS);
        kernels_ref.cross_entropy(loss.want, p.want, z, label, rows, cols);
        table->cross_entropy(loss.got, p.got, z, label, rows, cols);
        pair_check("cross_entropy: p", p, FUNCTION);
        pair_check("cross_entropy: loss", loss, FUNCTION);
        Pair in_place = {numbers_copy(z, n), p.want, n};
        table->cross_entropy(loss.got, in_place.got, in_place.got, label, rows, cols);
        pair_check("cross_entropy: p, in place", in_place, FUNCTION);
        pair_check("cross_entropy: loss, in place", loss, FUNCTION);
    }
}

void check_cross_entropy_backward(const Kernels *table)
{
    for (int i = 0; i < SHAPES; i++, numbers_free()) {
        const int rows = shapes[i][0], cols = shapes[i][1];
        if ((double)rows * cols > numbers_most) continue;
        if (rows > 0 && cols == 0) continue;
        const size_t n = (size_t)rows * (size_t)cols;
        const float *p = numbers_new(n, UNIT);
        const float *dloss = numbers_copy(&(float){-1.7f}, 1);
        const int32_t *label = labels_some((size_t)rows, cols);
        for (int j = 0; j < NUMBERS_BETAS; j++) {
            Pair dz = pair_before(n, numbers_betas[j]);
            kernels_ref.cross_entropy_backward(dz.want, dloss, 0.3f, p, label, rows, cols,
                                               numbers_betas[j]);
            table->cross_entropy_backward(dz.got, dloss, 0.3f, p, label, rows, cols,
                                          numbers_betas[j]);
            pair_check("cross_entropy_backward", dz, 4 * ROUNDING);
        }
        Pair in_place = pair_new(n, UNIT);
        kernels_ref.cross_entropy_backward(in_place.want, dloss, 0.3f, in_place.want, label, rows,
                                           cols, 0);
        table->cross_entropy_backward(in_place.got, dloss, 0.3f, in_place.got, label, rows, cols,
                                      0);
        pair_check("cross_entropy_backward, in place", in_place, 4 * ROUNDING);
    }
}

// ---- to one number

// Of x and t, filled as said and then with special values.
#define CHECK(name, arguments, fill_x, fill_t, tolerance)                                          \
    static void call_##name(const Kernels *k, float *y, const float *x, const float *t, size_t n)  \
    {                                                                                              \
        (void)t;                                                                                   \
        k->name arguments;                                                                         \
    }                                                                                              \
    void check_##name(const Kernels *table)                                                        \
    {                                                                                              \
        for (int i = 0; i < 2 * NUMBERS_SIZES; i++, numbers_free()) {                              \
            const size_t n = numbers_sizes[i / 2];                                                 \
            if ((double)n > numbers_most) continue;                                                \
            const float *x = numbers_new(n, i % 2 ? SPECIAL : fill_x);                             \
            const float *t = numbers_new(n, fill_t);                                               \
            Pair y = pair_new(1, NANS);                                                            \
            call_##name(&kernels_ref, y.want, x, t, n);                                            \
            call_##name(table, y.got, x, t, n);                                                    \
            pair_check(#name, y, tolerance);                                                       \
        }                                                                                          \
    }

CHECK(sum, (y, x, n), NORMAL, NORMAL, SUM_ROUNDING)
CHECK(sum_squares, (y, x, n), NORMAL, NORMAL, SUM_ROUNDING)
CHECK(squared_error, (y, x, t, n), NORMAL, NORMAL, SUM_ROUNDING)
CHECK(bce_logits, (y, x, t, n), WIDE, UNIT, FUNCTION)
