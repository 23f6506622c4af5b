/* Exercises 3 and 4: the ReLU and the loss. check.c says how cases are made. */
#include "labs/2_core/autoencoder/check.h"
#include <math.h>
#include "labs/2_core/autoencoder/autoencoder.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 3: the ReLU ----

static const char relu_formula[] = "dx[i] += dy[i] where y[i] > 0";

static void check_relu_backward(const float *y, const float *dy, size_t n, float held)
{
    float *dx = floats_filled(n, held), *before = floats_copy(dx, n);
    double *want = floats_wide(dx, n);
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0) want[i] = (double)(held + dy[i]);    // rounded to float as yours is
    ae_relu_backward(dx, dy, y, n);
    assert_near(dx, want, SHAPE((int)n), .name = "dx", .formula = relu_formula, .exact = true,
                .added_to = before);
}

static void relu_backward__passes_the_gradient_where_y_is_positive(void **state)
{
    (void)state;
    check_relu_backward(FLOATS(2, 0, 0.5f, 0, 3), FLOATS(1, 2, -3, -4, 5), 5, 0);
}

static void relu_backward__blocks_the_gradient_where_y_is_zero(void **state)
{
    (void)state;
    check_relu_backward(FLOATS(0, -0.0f, 0, 0), FLOATS(1, 2, -3, -4), 4, 0);
}

static void relu_backward__passes_the_gradient_where_y_is_tiny(void **state)
{
    (void)state;
    check_relu_backward(FLOATS(1e-30f, 1e-7f, 0.01f, 1e-40f), FLOATS(1, -2, 3, 4), 4, 0);
}

static void relu_backward__accumulates_into_dx(void **state)
{
    (void)state;
    check_relu_backward(FLOATS(2, 0, 0.5f, 0, 3), FLOATS(1, 2, -3, -4, 5), 5, 7);
}

static void relu_backward__handles_one_element_and_many(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(40);
    check_relu_backward(FLOATS(4), FLOATS(3), 1, 1);
    float *y = floats_normal(&rng, 1003), *dy = floats_normal(&rng, 1003);
    for (size_t i = 0; i < 1003; i++) y[i] = y[i] > 0 ? y[i] : 0;
    check_relu_backward(y, dy, 1003, 0.5f);
}

static void relu_backward__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(41);
    float *y = floats_normal(&rng, 9), *dy = floats_normal(&rng, 9), *y_before = floats_copy(y, 9);
    float *dy_before = floats_copy(dy, 9);
    ae_relu_backward(floats_filled(9, 0), dy, y, 9);
    assert_kept("y", y, y_before, 9);
    assert_kept("dy", dy, dy_before, 9);
}

CASE(relu_backward__handles_many_elements)
{
    Rng rng = rng_from_seed(42);
    enum { N = 100003 };
    float *y = floats_normal(&rng, N), *dy = floats_normal(&rng, N);
    check_relu_backward(y, dy, N, 0);
    check_relu_backward(FLOATS(1), FLOATS(1), 0, 0);
}

CASE(relu_backward__passes_any_gradient_where_y_is_positive)
{
    check_relu_backward(FLOATS(1, 1e-30f, 1e30f, 3, INFINITY, 2),
                        FLOATS(1e30f, -1e30f, 1e-30f, NAN, 5, -INFINITY), 6, 0);
}

CASE(relu_backward__adds_nothing_where_y_is_not_positive)
{
    check_relu_backward(FLOATS(0, 0, -0.0f, -1, NAN, NAN),
                        FLOATS(INFINITY, NAN, -INFINITY, NAN, 4, NAN), 6, 2);
}

CASE(relu_backward__takes_the_same_arrays_again_with_other_contents)
{
    float *y = FLOATS(1, 0, 2), *dy = FLOATS(1, 2, 3);
    check_relu_backward(y, dy, 3, 0);
    y[0] = 0, y[1] = 4, dy[2] = -7;
    check_relu_backward(y, dy, 3, 0);
}

// ---- 4: the loss ----

static const char loss_formula[] = "L = 1/B sum_bp (s[b,p] - x[b,p])^2, s = sigmoid(z)";
static const char dz_formula[] =
    "dz[b,p] = dL/dz[b,p]; the chain rule passes through ds/dz = s (1 - s)";

typedef struct WideLoss {
    int B, P;
    double *z, *x;
} WideLoss;

static double loss_of(const void *argument)
{
    const WideLoss *l = argument;
    double sum = 0;
    for (int i = 0; i < l->B * l->P; i++) {
        double s = 1 / (1 + exp(-l->z[i]));
        sum += (s - l->x[i]) * (s - l->x[i]);
    }
    return sum / l->B;
}

static void check_loss(int B, int P, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    size_t n = (size_t)(B * P);
    float *z = floats_normal(&rng, n), *x = floats_filled(n, 0), *dz = floats_filled(n, 7),
          *before = floats_copy(dz, n);
    rng_fill_uniform(&rng, x, n);    // pixels are in [0,1)
    WideLoss wide = {B, P, floats_wide(z, n), floats_wide(x, n)};
    double want = loss_of(&wide);
    float loss = ae_loss(dz, z, x, B, P);
    assert_near(&loss, &want, SCALAR, .name = "loss", .batch = B, .formula = loss_formula);
    assert_near(dz, slopes(loss_of, &wide, wide.z, n), SHAPE(B, P), .name = "dz", .batch = B,
                .replaces = before, .formula = dz_formula);
}

static void loss__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    // sigmoid(0) = 1/2: the residuals at the pixels 1 and 1/2 are -1/2 and 0.
    float *dz = floats_filled(2, NAN), loss = ae_loss(dz, FLOATS(0, 0), FLOATS(1, 0.5f), 1, 2);
    assert_near(&loss, &(double){0.25}, SCALAR, .name = "loss", .formula = loss_formula);
    assert_near(dz, ((double[]){2 * -0.5 * 0.25, 0}), SHAPE(1, 2), .name = "dz",
                .formula = dz_formula);
}

static void loss__matches_the_formula_and_dz_finite_differences(void **state)
{
    (void)state;
    for (uint64_t seed = 51; seed <= 52; seed++) check_loss(3, 4, seed);
}

static void loss__is_summed_over_an_image_and_averaged_over_the_batch(void **state)
{
    (void)state;
    // Every residual is 1/2: the loss of an image is P/4, whatever B is.
    for (int B = 1; B <= 4; B++) {
        size_t n = (size_t)B * 6;
        float loss = ae_loss(floats_filled(n, 0), floats_filled(n, 0), floats_filled(n, 1), B, 6);
        assert_near(&loss, &(double){1.5}, SCALAR, .name = "loss", .batch = B,
                    .formula = loss_formula);
    }
}

static void loss__handles_one_image_one_pixel_and_many(void **state)
{
    (void)state;
    check_loss(1, 5, 53);
    check_loss(5, 1, 54);
    check_loss(1, 1, 55);
    check_loss(7, 33, 56);
}

static void loss__stays_finite_for_large_z(void **state)
{
    (void)state;
    // The sigmoid saturates at 0 or 1 here; two of the six residuals are 1.
    float *z = FLOATS(-1000, 1000, -100, 100, -1000, 1000);
    float *x = FLOATS(0, 1, 0, 1, 1, 0);
    float *dz = floats_filled(6, NAN), loss = ae_loss(dz, z, x, 2, 3);
    assert_near(&loss, &(double){1}, SCALAR, .name = "loss", .batch = 2, .formula = loss_formula);
    assert_near(dz, doubles_zero(6), SHAPE(2, 3), .name = "dz", .formula = dz_formula);
}

static void loss__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(57);
    float *z = floats_normal(&rng, 12), *x = floats_normal(&rng, 12),
          *z_before = floats_copy(z, 12);
    float *x_before = floats_copy(x, 12);
    ae_loss(floats_filled(12, 0), z, x, 3, 4);
    assert_kept("z", z, z_before, 12);
    assert_kept("x", x, x_before, 12);
}

CASE(loss__keeps_the_tails_of_the_sigmoid)
{
    // Between 8 and 16 the sigmoid is near 0, and its derivative is not 0: 9.1e-5 at -10.
    enum { N = 9 };
    float *z = floats_filled(N, 0), *dz = floats_filled(N, NAN);
    double *want = doubles_zero(N), sum = 0;
    for (int i = 0; i < N; i++) {
        z[i] = -8 - (float)i / 2;
        double s = 1 / (1 + exp((double)-z[i]));
        want[i] = 2 * (s - 1) * s * (1 - s);
        sum += (s - 1) * (s - 1);
    }
    float loss = ae_loss(dz, z, floats_filled(N, 1), 1, N);
    assert_near(dz, want, SHAPE(1, N), .name = "dz", .formula = dz_formula, .atol = 1e-6,
                .rtol = 1e-2);
    assert_near(&loss, &sum, SCALAR, .name = "loss", .formula = loss_formula);
}

CASE(loss__keeps_the_far_tail_of_the_sigmoid)
{
    // s = 1 / (1 + exp(-z)), about exp(z); dz = 2 (s - 1) s (1 - s), about -2 s.
    float *z = FLOATS(-18, -25, -40), *dz = floats_filled(3, NAN);
    double *want = doubles_zero(3);
    for (int i = 0; i < 3; i++) want[i] = -2 * exp((double)z[i]);
    ae_loss(dz, z, floats_filled(3, 1), 1, 3);
    assert_near(dz, want, SHAPE(1, 3), .name = "dz", .formula = dz_formula, .atol = 1e-30,
                .rtol = 1e-2);
}

CASE(loss__propagates_nan)
{
    for (int of_x = 0; of_x < 2; of_x++) {
        float *z = FLOATS(0, 0, 0, 0), *x = FLOATS(1, 1, 1, 1), *dz = floats_filled(4, 7);
        *(of_x ? &x[2] : &z[2]) = NAN;
        float loss = ae_loss(dz, z, x, 2, 2);
        assert_near(&loss, &(double){NAN}, SCALAR, .name = "loss", .formula = loss_formula);
        assert_near(dz, ((double[]){-0.125, -0.125, NAN, -0.125}), SHAPE(2, 2), .name = "dz",
                    .formula = dz_formula);
    }
}

CASE(loss__handles_infinite_z)
{
    float *dz = floats_filled(2, NAN),
          loss = ae_loss(dz, FLOATS(-INFINITY, INFINITY), FLOATS(1, 1), 1, 2);
    assert_near(&loss, &(double){1}, SCALAR, .name = "loss", .formula = "the sigmoid is 0 or 1");
    assert_near(dz, doubles_zero(2), SHAPE(1, 2), .name = "dz", .formula = dz_formula);
}

CASE(loss__takes_the_same_arrays_again_with_other_contents)
{
    float *z = FLOATS(0, 0), *x = FLOATS(1, 0.5f), *dz = floats_filled(2, NAN);
    ae_loss(dz, z, x, 1, 2);
    z[0] = logf(3), x[1] = 1;    // sigmoid(ln 3) = 3/4
    float loss = ae_loss(dz, z, x, 1, 2);
    assert_near(&loss, &(double){0.0625 + 0.25}, SCALAR, .name = "loss of the second call",
                .formula = loss_formula);
    assert_near(dz, ((double[]){2 * -0.25 * 0.1875, 2 * -0.5 * 0.25}), SHAPE(1, 2),
                .name = "dz of the second call", .formula = dz_formula);
}

const struct CMUnitTest loss_cases[] = {
    cmocka_unit_test(relu_backward__passes_the_gradient_where_y_is_positive),
    cmocka_unit_test(relu_backward__blocks_the_gradient_where_y_is_zero),
    cmocka_unit_test(relu_backward__passes_the_gradient_where_y_is_tiny),
    cmocka_unit_test(relu_backward__accumulates_into_dx),
    cmocka_unit_test(relu_backward__handles_one_element_and_many),
    cmocka_unit_test(relu_backward__does_not_modify_its_inputs),
    cmocka_unit_test(relu_backward__handles_many_elements),
    cmocka_unit_test(relu_backward__passes_any_gradient_where_y_is_positive),
    cmocka_unit_test(relu_backward__adds_nothing_where_y_is_not_positive),
    cmocka_unit_test(relu_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(loss__matches_an_example_computed_by_hand),
    cmocka_unit_test(loss__matches_the_formula_and_dz_finite_differences),
    cmocka_unit_test(loss__is_summed_over_an_image_and_averaged_over_the_batch),
    cmocka_unit_test(loss__handles_one_image_one_pixel_and_many),
    cmocka_unit_test(loss__stays_finite_for_large_z),
    cmocka_unit_test(loss__does_not_modify_its_inputs),
    cmocka_unit_test(loss__keeps_the_tails_of_the_sigmoid),
    cmocka_unit_test(loss__keeps_the_far_tail_of_the_sigmoid),
    cmocka_unit_test(loss__propagates_nan),
    cmocka_unit_test(loss__handles_infinite_z),
    cmocka_unit_test(loss__takes_the_same_arrays_again_with_other_contents),
    {0},
};
