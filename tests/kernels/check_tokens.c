// A table's rows by number, rotations, and the factor of a mean over labels.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

// Tokens, rows of the table, columns: one row for all of them, and more rows than tokens.
static const int tables[][3] = {{0, 3, 5},      {1, 1, 1},      {7, 1, 3},    {5, 9, 16},
                                {33, 4, 17},    {64, 65, 128},  {301, 7, 97}, {1000, 31, 64},
                                {17, 5000, 40}, {513, 65, 384}, {2, 3, 4099}};
enum { TABLES = sizeof tables / sizeof *tables };

void check_embedding(const Kernels *table)
{
    for (int i = 0; i < 2 * TABLES; i++, numbers_free()) {
        const int n = tables[i / 2][0], rows = tables[i / 2][1], cols = tables[i / 2][2];
        if ((double)n * cols > numbers_most) continue;
        const int32_t *id = labels_new((size_t)n, rows);
        const float *w = numbers_new((size_t)rows * (size_t)cols, i % 2 ? SPECIAL : NORMAL);
        Pair y = pair_new((size_t)n * (size_t)cols, NANS);
        kernels_ref.embedding(y.want, id, w, (size_t)n, cols);
        table->embedding(y.got, id, w, (size_t)n, cols);
        pair_check("embedding", y, 0);
    }
}

// The order of the sum is given: the bits are ref's.
void check_embedding_backward(const Kernels *table)
{
    for (int i = 0; i < TABLES; i++, numbers_free()) {
        const int n = tables[i][0], rows = tables[i][1], cols = tables[i][2];
        if ((double)n * cols > numbers_most) continue;
        const int32_t *id = labels_new((size_t)n, rows);
        const float *dy = numbers_new((size_t)n * (size_t)cols, NORMAL);
        Pair dtable = pair_new((size_t)rows * (size_t)cols, NORMAL);
        kernels_ref.embedding_backward(dtable.want, id, dy, (size_t)n, rows, cols);
        table->embedding_backward(dtable.got, id, dy, (size_t)n, rows, cols);
        pair_check("embedding_backward", dtable, 0);
    }
}

// Whole heads and parts of them, other numbers behind the last, more sequences than one.
static const RopeShape ropes[] = {
    {.rows = 0, .period = 3, .heads = 2, .head = 4, .rotated = 4, .row = 8},
    {.rows = 1, .period = 1, .heads = 1, .head = 2, .rotated = 2, .row = 2},
    {.rows = 6, .period = 3, .heads = 2, .head = 7, .rotated = 6, .row = 20},
    {.rows = 5, .period = 5, .heads = 3, .head = 16, .rotated = 16, .row = 80},
    {.rows = 14, .period = 7, .heads = 2, .head = 34, .rotated = 34, .row = 68},
    {.rows = 9, .period = 9, .heads = 4, .head = 64, .rotated = 64, .row = 512},
    {.rows = 300, .period = 75, .heads = 6, .head = 64, .rotated = 48, .row = 520},
    {.rows = 3, .period = 1, .heads = 0, .head = 8, .rotated = 8, .row = 8},
};
enum { ROPES = sizeof ropes / sizeof *ropes };

void check_rope(const Kernels *table)
{
    for (int i = 0; i < 4 * ROPES; i++, numbers_free()) {
        RopeShape s = ropes[i / 4];
        if ((double)s.rows * (double)s.row > numbers_most) continue;
        s.interleaved = i % 2;
        s.inverse = i / 2 % 2;
        const size_t angles = (size_t)s.period * (size_t)(s.rotated / 2);
        const float *cosine = numbers_new(angles, NORMAL), *sine = numbers_new(angles, NORMAL);
        Pair x = pair_new((size_t)s.rows * s.row, NORMAL);
        kernels_ref.rope(x.want, cosine, sine, s);
        table->rope(x.got, cosine, sine, s);
        pair_check("rope", x, 8 * ROUNDING);
    }
}

void check_label_factor(const Kernels *table)
{
    for (int i = 0; i < 3 * NUMBERS_SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / 3];
        if ((double)n > numbers_most) continue;
        int32_t *label = labels_new(n, 10);
        for (size_t k = 0; k < n; k++)
            if (i % 3 == 2 || (i % 3 == 1 && k % 3 == 0)) label[k] = -100;
        Pair y = pair_new(1, NANS);
        kernels_ref.label_factor(y.want, label, n);
        table->label_factor(y.got, label, n);
        pair_check("label_factor", y, 0);
    }
}
