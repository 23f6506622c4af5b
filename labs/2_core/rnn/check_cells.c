/* check_cells.c -- what holds for every cell: sizes, NaN and large numbers. check.c says how cases are made. */
#include "labs/2_core/rnn/check.h"

static const int forward_sizes[][4] = {{1, 1, 1, 1},  {7, 1, 3, 2},    {1, 5, 2, 4},
                                       {4, 3, 9, 5},  {3, 17, 33, 20}, {2, 3, 4, 33},
                                       {70, 2, 3, 5}, {2, 2, 3, 70}},
                 backward_sizes[][4] = {{1, 1, 1, 1},  {5, 1, 2, 3},  {1, 3, 4, 2}, {4, 3, 2, 5},
                                        {3, 2, 5, 17}, {40, 1, 1, 2}, {2, 1, 1, 70}};

void check_forwards(Kind kind, uint64_t seed)
{
    for (size_t k = 0; k < sizeof forward_sizes / sizeof *forward_sizes; k++)
        for (int given = 0; given < 2; given++) {
            const int *n = forward_sizes[k];
            const Problem p = problem_random(kind, n[0], n[1], n[2], n[3], seed + k, given == 1);
            check_forward(&p);
        }
}

void check_backwards(Kind kind, uint64_t seed)
{
    for (size_t k = 0; k < sizeof backward_sizes / sizeof *backward_sizes; k++)
        for (int given = 0; given < 2; given++) {
            const int *n = backward_sizes[k];
            const Problem p = problem_random(kind, n[0], n[1], n[2], n[3], seed + k, given == 1);
            check_backward(&p, 0, WANT_ALL);
        }
}

// Step 1 of sequence 0 has a NaN in x: it and what follows in that sequence are NaN, and no other.
void check_nan_forward(Kind kind)
{
    Problem p = problem_random(kind, 3, 2, 1, 2, 530, true);
    p.x[2] = (double)NAN;
    check_forward(&p);
}

// The NaN is in dh of step 1, sequence 0.
void check_nan_backward(Kind kind)
{
    Problem p = problem_random(kind, 3, 2, 1, 1, 540, true);
    p.dh[2] = (double)NAN;
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    for (int t = 0; t < 3; t++)
        for (int b = 0; b < 2; b++)
            assert_that(isnan(got.dx[2 * t + b]) == (b == 0 && t < 2), "dx[%d,%d] is %g", t, b,
                        (double)got.dx[2 * t + b]);
    assert_that(isnan(got.dw[0]) && isnan(got.du[0]) && isnan(got.db[0]) && isnan(got.dh0[0]),
                "dw, du, db, dh0 are %g %g %g %g; expected nan", (double)got.dw[0],
                (double)got.du[0], (double)got.db[0], (double)got.dh0[0]);
}

// Gates wide open or shut: h and c as by the formula, and no NaN.
void check_saturated(Kind kind)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        Problem p = problem_random(kind, 2, 1, 1, 2, 550, true);
        p.x[0] = sign * 1e4, p.x[1] = -sign * 1e4;
        check_forward(&p);
        p.x[0] = sign * 60.0, p.x[1] = 0;
        check_backward(&p, 0, WANT_ALL);
    }
}

void check_extremes(Kind kind, uint64_t seed)
{
    Problem p = problem_random(kind, 2, 1, 1, 2, seed, true);
    for (int sign = -1; sign <= 1; sign += 2) {
        p.x[0] = sign * 1e4, p.x[1] = -sign * 1e30;
        check_forward(&p);
    }
}
