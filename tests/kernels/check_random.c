// Random numbers: every table's have ref's bits, on every size.
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const Draw draw = {0x0123456789abcdef, 0xfedcba9876543210};

void check_random_uniform(const Kernels *table)
{
    for (int i = 0; i < NUMBERS_SIZES; i++, numbers_free()) {
        if ((double)numbers_sizes[i] > numbers_most) continue;
        Pair y = pair_new(numbers_sizes[i], NANS);
        kernels_ref.random_uniform(y.want, draw, y.n);
        table->random_uniform(y.got, draw, y.n);
        pair_check("random_uniform", y, 0);
    }
}

void check_random_normal(const Kernels *table)
{
    for (int i = 0; i < NUMBERS_SIZES; i++, numbers_free()) {
        if ((double)numbers_sizes[i] > numbers_most) continue;
        Pair y = pair_new(numbers_sizes[i], NANS);
        kernels_ref.random_normal(y.want, draw, y.n);
        table->random_normal(y.got, draw, y.n);
        pair_check("random_normal", y, 0);
    }
}

void check_dropout(const Kernels *table)
{
    for (int i = 0; i < NUMBERS_BETAS * NUMBERS_SIZES; i++, numbers_free()) {
        const size_t n = numbers_sizes[i / NUMBERS_BETAS];
        if ((double)n > numbers_most) continue;
        const float beta = numbers_betas[i % NUMBERS_BETAS], *x = numbers_new(n, SPECIAL);
        Pair y = pair_before(n, beta), in_place = {numbers_copy(x, n), y.want, n};
        kernels_ref.dropout(y.want, x, 0.3f, draw, beta, n);
        table->dropout(y.got, x, 0.3f, draw, beta, n);
        pair_check("dropout", y, 0);
        if (beta != 0) continue;
        table->dropout(in_place.got, in_place.got, 0.3f, draw, 0, n);
        pair_check("dropout in place", in_place, 0);
    }
}
