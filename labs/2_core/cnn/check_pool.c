/* Exercises 7 to 10: pooling. check.c says how cases are made. */
#include <math.h>
#include <string.h>
#include "labs/2_core/cnn/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

// Planes of normal random numbers, and gradients of their pooled ones.
typedef struct Planes {
    CnnPool s;
    int rows, cols;
    size_t x_size, y_size;
    float *x, *dy;
    float held;    // in the gradient before the call
} Planes;

// clang-format off
enum { POOL_SHAPES = 9 };
static const CnnPool shapes[POOL_SHAPES] = {
    // planes, H, W, K, stride
    {6,  4,  4, 2, 2},
    {3,  5,  7, 2, 2},    // the last row and column are not reached
    {2,  7,  5, 3, 2},    // windows overlap
    {4,  8,  6, 2, 3},    // pixels between the windows
    {1,  1,  1, 1, 1},
    {5,  3,  3, 3, 1},    // one window: global pooling
    {2,  5,  4, 1, 2},
    {1,  6,  9, 4, 1},
    {37, 49, 13, 3, 2},
};
// clang-format on

static Planes planes_new(CnnPool s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Planes planes = {
        .s = s, .rows = places_of(s.H, s.K, s.stride, 0), .cols = places_of(s.W, s.K, s.stride, 0)};
    planes.x_size = count_of(s.planes, s.H, s.W, 1);
    planes.y_size = count_of(s.planes, planes.rows, planes.cols, 1);
    planes.x = floats_normal(&rng, planes.x_size);
    planes.dy = floats_normal(&rng, planes.y_size);
    return planes;
}

// The place in its plane of pixel (k,l) of output i's window, and its index in x.
static int place_of(const Planes *p, size_t i, int k, int l)
{
    int j = (int)i % p->cols, row = (int)i / p->cols % p->rows;
    return (row * p->s.stride + k) * p->s.W + j * p->s.stride + l;
}

static size_t pixel_of(const Planes *p, size_t i, int place)
{
    size_t plane = i / count_of(p->rows, p->cols, 1, 1);
    return plane * count_of(p->s.H, p->s.W, 1, 1) + (size_t)place;
}

// The same arrays again with other contents, and others in turns.
static void check_again(void (*check)(Planes planes), uint64_t seed)
{
    Planes one = planes_new(shapes[1], seed), other = planes_new(shapes[3], seed + 1);
    check(one);
    for (size_t i = 0; i < one.x_size; i++) one.x[i] *= -2;
    for (size_t i = 0; i < one.y_size; i++) one.dy[i] *= -2;
    check(one);
    check(other);
    check(one);
}

// ---- 7: the maximum ----

static const char max_formula[] = "y[p,i,j] = max_kl x[p, i stride + k, j stride + l]";

static int place_of_maximum(const Planes *p, size_t i)
{
    int best = place_of(p, i, 0, 0);
    for (int k = 0; k < p->s.K; k++)
        for (int l = 0; l < p->s.K; l++) {
            float here = p->x[pixel_of(p, i, place_of(p, i, k, l))],
                  most = p->x[pixel_of(p, i, best)];
            if (!isnan(most) && (isnan(here) || here > most)) best = place_of(p, i, k, l);
        }
    return best;
}

static void assert_max_pool(Planes p)
{
    float *y = floats_filled(p.y_size, 7), *before = floats_copy(y, p.y_size),
          *kept = floats_copy(p.x, p.x_size);
    int32_t *at = ints_filled(p.y_size, -1);
    double *want = doubles_zero(p.y_size);
    for (size_t i = 0; i < p.y_size; i++)
        want[i] = (double)p.x[pixel_of(&p, i, place_of_maximum(&p, i))];
    cnn_max_pool(y, at, p.x, p.s);
    assert_near(y, want, SHAPE(p.s.planes, p.rows, p.cols), .name = "y", .replaces = before,
                .exact = true, .formula = max_formula);
    for (size_t i = 0; i < p.y_size; i++) {
        int place = place_of_maximum(&p, i);
        assert_that(
            at[i] == place,
            "at[%zu] is %d, expected %d: the first maximum in row order, counted in its plane", i,
            at[i], place);
    }
    assert_kept("x", p.x, kept, p.x_size);
}

// One plane, one window.
static void check_window(const float *x, int K, int want)
{
    float y = 7;
    int32_t at = -1;
    cnn_max_pool(&y, &at, x, (CnnPool){.planes = 1, .H = K, .W = K, .K = K, .stride = 1});
    assert_near(&y, &(double){(double)x[want]}, SCALAR, .name = "y", .exact = true,
                .formula = max_formula);
    assert_integer("at[0]", at, want);
}

CASE(max_pool__matches_an_example_computed_by_hand)
{
    float *y = floats_filled(4, NAN);
    int32_t *at = ints_filled(4, -1);
    // clang-format off
    const float *x = FLOATS(1, 5, 2, 0,
                            3, 4, 6, 1,
                            9, 2, 3, 3,
                            1, 1, 2, 8);
    // clang-format on
    cnn_max_pool(y, at, x, (CnnPool){.planes = 1, .H = 4, .W = 4, .K = 2, .stride = 2});
    assert_near(y, ((double[]){5, 6, 9, 8}), SHAPE(1, 2, 2), .name = "y", .formula = max_formula);
    static const int want[] = {1, 6, 8, 15};
    for (int i = 0; i < 4; i++) assert_integer("at", at[i], want[i]);
}

CASE(max_pool__matches_plain_loops)
{
    for (int i = 0; i < POOL_SHAPES; i++) assert_max_pool(planes_new(shapes[i], 150 + (uint64_t)i));
}

CASE(max_pool__takes_the_first_of_equal_pixels)
{
    check_window(FLOATS(1, 2, 2, 2), 2, 1);
    check_window(FLOATS(0, 0, 0, 0), 2, 0);
    check_window(FLOATS(-0.0f, 0, 0, 0), 2, 0);
    check_window(FLOATS(1, 2, 3, 1, 2, 3, 3, 2, 3), 3, 2);
    Planes p = planes_new(shapes[7], 160);
    for (size_t i = 0; i < p.x_size; i++) p.x[i] = fmaxf(roundf(p.x[i]), 0);    // as after a ReLU
    assert_max_pool(p);
}

CASE(max_pool__handles_negative_and_infinite_pixels)
{
    check_window(FLOATS(-3, -2, -5, -4), 2, 1);
    check_window(FLOATS(-3e38f, -2e38f, -2.5e38f, -3e38f), 2, 1);
    check_window(FLOATS(-INFINITY, -INFINITY, -INFINITY, -INFINITY), 2, 0);
    check_window(FLOATS(-INFINITY, -INFINITY, -3e38f, -INFINITY), 2, 2);
    check_window(FLOATS(1, INFINITY, 3e38f, 2), 2, 1);
    check_window(FLOATS(-1e-40f, -2e-40f, 1e-40f, 0), 2, 2);
}

CASE(max_pool__propagates_the_first_nan)
{
    check_window(FLOATS(NAN, 1, 2, 3), 2, 0);
    check_window(FLOATS(1, 2, NAN, 3), 2, 2);
    check_window(FLOATS(INFINITY, 1, 2, NAN), 2, 3);
    check_window(FLOATS(1, NAN, NAN, 3), 2, 1);
    Planes p = planes_new(shapes[2], 161);
    p.x[12] = NAN;    // in some windows, and not in the others
    assert_max_pool(p);
}

CASE(max_pool__takes_the_same_arrays_again_with_other_contents)
{
    check_again(assert_max_pool, 162);
}

// ---- 8: its gradient ----

static const char max_backward_formula[] = "dx[p, at[p,i,j]] += dy[p,i,j]";

static void assert_max_backward(Planes p)
{
    float *dx = floats_filled(p.x_size, p.held), *before = floats_copy(dx, p.x_size);
    int *at = ints_filled(p.y_size, -1);
    double *want = floats_wide(dx, p.x_size);
    for (size_t i = 0; i < p.y_size; i++) {
        at[i] = place_of_maximum(&p, i);
        want[pixel_of(&p, i, at[i])] += (double)p.dy[i];
    }
    float *dy_kept = floats_copy(p.dy, p.y_size);
    int *at_kept = ints_copy(at, p.y_size);
    cnn_max_pool_backward(dx, p.dy, at, p.s);
    assert_near(dx, want, SHAPE(p.s.planes, p.s.H, p.s.W), .name = "dx", .added_to = before,
                .formula = max_backward_formula);
    assert_kept("dy", p.dy, dy_kept, p.y_size);
    assert_that(memcmp(at, at_kept, p.y_size * sizeof *at) == 0, "at is const: it must not change");
}

CASE(max_pool_backward__matches_examples_computed_by_hand)
{
    float *dx = floats_filled(4, 0);
    CnnPool s = {.planes = 1, .H = 2, .W = 2, .K = 2, .stride = 2};
    cnn_max_pool_backward(dx, FLOATS(5), (int32_t[]){1}, s);
    assert_near(dx, ((double[]){0, 5, 0, 0}), SHAPE(1, 2, 2), .name = "dx",
                .formula = max_backward_formula);
    dx = floats_filled(6, 0);    // 1 3 2 over zeros: both windows have the same maximum
    s = (CnnPool){.planes = 1, .H = 2, .W = 3, .K = 2, .stride = 1};
    cnn_max_pool_backward(dx, FLOATS(1, 1), (int32_t[]){1, 1}, s);
    assert_near(dx, ((double[]){0, 2, 0, 0, 0, 0}), SHAPE(1, 2, 3), .name = "dx",
                .formula = max_backward_formula);
}

CASE(max_pool_backward__gives_the_gradient_to_the_maximum_of_each_window)
{
    for (int i = 0; i < POOL_SHAPES; i++)
        assert_max_backward(planes_new(shapes[i], 170 + (uint64_t)i));
}

CASE(max_pool_backward__accumulates_into_dx)
{
    for (int i = 0; i < 4; i++) {
        Planes p = planes_new(shapes[i], 180 + (uint64_t)i);
        p.held = 7;
        assert_max_backward(p);
    }
}

CASE(max_pool_backward__takes_the_same_arrays_again_with_other_contents)
{
    float *dx = floats_filled(4, 0), *dy = FLOATS(1);
    int32_t *at = INTS(0);
    CnnPool s = {.planes = 1, .H = 2, .W = 2, .K = 2, .stride = 2};
    cnn_max_pool_backward(dx, dy, at, s);
    dy[0] = 10, at[0] = 3;
    cnn_max_pool_backward(dx, dy, at, s);
    assert_near(dx, ((double[]){1, 0, 0, 10}), SHAPE(1, 2, 2), .name = "dx of two calls",
                .formula = max_backward_formula);
}

CASE(max_pool_backward__passes_on_nan_and_large_gradients)
{
    float *dx = floats_filled(8, 0);
    CnnPool s = {.planes = 2, .H = 2, .W = 2, .K = 2, .stride = 2};
    cnn_max_pool_backward(dx, FLOATS(NAN, 3e38f), (int32_t[]){2, 0}, s);
    assert_near(dx, ((double[]){0, 0, NAN, 0, (double)3e38f, 0, 0, 0}), SHAPE(2, 2, 2),
                .name = "dx", .formula = max_backward_formula);
}

// ---- 9 and 10: the mean ----

static const char avg_formula[] = "y[p,i,j] = 1/(K K) sum_kl x[p, i stride + k, j stride + l]";
static const char avg_backward_formula[] = "dx[p, i stride + k, j stride + l] += dy[p,i,j] / (K K)";

static void assert_avg_pool(Planes p)
{
    int K = p.s.K;
    float *y = floats_filled(p.y_size, 7), *before = floats_copy(y, p.y_size),
          *kept = floats_copy(p.x, p.x_size);
    double *want = doubles_zero(p.y_size);
    for (size_t i = 0; i < p.y_size; i++)
        for (int at = 0; at < K * K; at++)
            want[i] += (double)p.x[pixel_of(&p, i, place_of(&p, i, at / K, at % K))] / (K * K);
    cnn_avg_pool(y, p.x, p.s);
    assert_near(y, want, SHAPE(p.s.planes, p.rows, p.cols), .name = "y", .replaces = before,
                .formula = avg_formula);
    assert_kept("x", p.x, kept, p.x_size);
}

static void assert_avg_backward(Planes p)
{
    int K = p.s.K;
    float *dx = floats_filled(p.x_size, p.held), *before = floats_copy(dx, p.x_size),
          *kept = floats_copy(p.dy, p.y_size);
    double *want = floats_wide(dx, p.x_size);
    for (size_t i = 0; i < p.y_size; i++)
        for (int at = 0; at < K * K; at++)
            want[pixel_of(&p, i, place_of(&p, i, at / K, at % K))] += (double)p.dy[i] / (K * K);
    cnn_avg_pool_backward(dx, p.dy, p.s);
    assert_near(dx, want, SHAPE(p.s.planes, p.s.H, p.s.W), .name = "dx", .added_to = before,
                .formula = avg_backward_formula);
    assert_kept("dy", p.dy, kept, p.y_size);
}

CASE(avg_pool__matches_an_example_computed_by_hand)
{
    float *y = floats_filled(2, NAN);
    CnnPool s = {.planes = 1, .H = 2, .W = 4, .K = 2, .stride = 2};
    cnn_avg_pool(y, FLOATS(1, 2, 0, -4, 3, 4, 1, 1), s);
    assert_near(y, ((double[]){2.5, -0.5}), SHAPE(1, 1, 2), .name = "y", .formula = avg_formula);
}

CASE(avg_pool__matches_plain_loops_in_double)
{
    for (int i = 0; i < POOL_SHAPES; i++) assert_avg_pool(planes_new(shapes[i], 190 + (uint64_t)i));
}

CASE(avg_pool__handles_large_and_small_numbers)
{
    CnnPool s = {.planes = 1, .H = 2, .W = 2, .K = 2, .stride = 2};
    float y = 7;
    cnn_avg_pool(&y, FLOATS(1e30f, 2e30f, 3e30f, 4e30f), s);
    assert_near(&y, &(double){2.5e30}, SCALAR, .name = "y", .formula = avg_formula);
    cnn_avg_pool(&y, FLOATS(1e-30f, 2e-30f, 3e-30f, 4e-30f), s);
    assert_near(&y, &(double){2.5e-30}, SCALAR, .name = "y", .rtol = 1e-5, .formula = avg_formula);
}

CASE(avg_pool__propagates_nan_to_the_windows_that_hold_it)
{
    Planes p = planes_new(shapes[2], 200);
    p.x[12] = NAN;
    p.x[50] = INFINITY;
    assert_avg_pool(p);
}

CASE(avg_pool__takes_the_same_arrays_again_with_other_contents)
{
    check_again(assert_avg_pool, 201);
}

CASE(avg_pool_backward__shares_the_gradient_among_the_pixels_of_each_window)
{
    float *dx = floats_filled(8, 0);
    CnnPool s = {.planes = 1, .H = 2, .W = 4, .K = 2, .stride = 2};
    cnn_avg_pool_backward(dx, FLOATS(4, -8), s);
    assert_near(dx, ((double[]){1, 1, -2, -2, 1, 1, -2, -2}), SHAPE(1, 2, 4), .name = "dx",
                .formula = avg_backward_formula);
}

CASE(avg_pool_backward__matches_plain_loops_in_double)
{
    for (int i = 0; i < POOL_SHAPES; i++)
        assert_avg_backward(planes_new(shapes[i], 210 + (uint64_t)i));
}

CASE(avg_pool_backward__accumulates_into_dx)
{
    for (int i = 0; i < 4; i++) {
        Planes p = planes_new(shapes[i], 220 + (uint64_t)i);
        p.held = 7;
        assert_avg_backward(p);
    }
}

CASE(avg_pool_backward__takes_the_same_arrays_again_with_other_contents)
{
    check_again(assert_avg_backward, 230);
}

CASE(avg_pool_backward__passes_on_nan_and_large_gradients)
{
    Planes p = planes_new(shapes[2], 232);
    p.dy[3] = NAN;
    p.dy[7] = 1e30f;
    p.dy[9] = -INFINITY;
    assert_avg_backward(p);
}

const struct CMUnitTest pool_cases[] = {
    cmocka_unit_test(max_pool__matches_an_example_computed_by_hand),
    cmocka_unit_test(max_pool__matches_plain_loops),
    cmocka_unit_test(max_pool__takes_the_first_of_equal_pixels),
    cmocka_unit_test(max_pool__handles_negative_and_infinite_pixels),
    cmocka_unit_test(max_pool__propagates_the_first_nan),
    cmocka_unit_test(max_pool__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(max_pool_backward__matches_examples_computed_by_hand),
    cmocka_unit_test(max_pool_backward__gives_the_gradient_to_the_maximum_of_each_window),
    cmocka_unit_test(max_pool_backward__accumulates_into_dx),
    cmocka_unit_test(max_pool_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(max_pool_backward__passes_on_nan_and_large_gradients),
    cmocka_unit_test(avg_pool__matches_an_example_computed_by_hand),
    cmocka_unit_test(avg_pool__matches_plain_loops_in_double),
    cmocka_unit_test(avg_pool__handles_large_and_small_numbers),
    cmocka_unit_test(avg_pool__propagates_nan_to_the_windows_that_hold_it),
    cmocka_unit_test(avg_pool__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(avg_pool_backward__shares_the_gradient_among_the_pixels_of_each_window),
    cmocka_unit_test(avg_pool_backward__matches_plain_loops_in_double),
    cmocka_unit_test(avg_pool_backward__accumulates_into_dx),
    cmocka_unit_test(avg_pool_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(avg_pool_backward__passes_on_nan_and_large_gradients),
    {0},
};
