/* bench.c -- what the exercises are called with in a training step of 784-256-..., batch 128.
 *
 *     ./lab bench autoencoder --mine
 */
#include "labs/2_core/autoencoder/autoencoder.h"
#include "bench/exercises.h"

enum { B = 128, I = 784, O = 256, P = 784, FEATURES = 500, Z = 2 };

static void linear_forward(Solution *solution, float *const *a)
{
    AS(ae_linear_forward, solution)(a[0], a[1], a[2], a[3], B, I, O);
}

static void linear_backward(Solution *solution, float *const *a)
{
    AS(ae_linear_backward, solution)(a[0], a[1], a[2], a[3], a[4], a[5], B, I, O);
}

static void relu_backward(Solution *solution, float *const *a)
{
    AS(ae_relu_backward, solution)(a[0], a[1], a[2], B * FEATURES);
}

static void loss(Solution *solution, float *const *a)
{
    a[3][0] = AS(ae_loss, solution)(a[0], a[1], a[2], B, P);
}

static void tied_forward(Solution *solution, float *const *a)
{
    AS(ae_tied_forward, solution)(a[0], a[1], a[2], a[3], B, I, O);
}

static void tied_backward(Solution *solution, float *const *a)
{
    AS(ae_tied_backward, solution)(a[0], a[1], a[2], a[3], a[4], a[5], B, I, O);
}

static void corrupt(Solution *solution, float *const *a)
{
    Rng rng = rng_from_seed(1);
    AS(ae_corrupt, solution)(a[0], a[1], B * P, 0.3f, &rng);
}

static void sample(Solution *solution, float *const *a)
{
    AS(ae_sample, solution)(a[0], a[1], a[2], a[3], B * Z);
}

static void sample_backward(Solution *solution, float *const *a)
{
    AS(ae_sample_backward, solution)(a[0], a[1], a[2], a[3], a[4], B * Z);
}

static void kl(Solution *solution, float *const *a)
{
    a[4][0] = AS(ae_kl, solution)(a[0], a[1], a[2], a[3], B, Z);
}

// clang-format off
static const Workload workloads[] = {
    {"linear_forward", "ae_linear_forward", "128 x 784 -> 256", linear_forward, .kernels = true,
     .arrays   = {WRITES(B * O), READS(B * I), READS(O * I), READS(O)},    // y x w bias
     .products = {{PRODUCT_NT, B, O, I, .c = 0, .a = 1, .b = 2}}},
    {"linear_backward", "ae_linear_backward", "128 x 784 <- 256", linear_backward, .kernels = true,
     .arrays   = {ADDS(B * I), ADDS(O * I), ADDS(O),                       // dx dw dbias
                  READS(B * O), READS(B * I), READS(O * I)},               // dy x w
     .products = {{PRODUCT_NN, B, I, O, .c = 0, .a = 3, .b = 5},
                  {PRODUCT_TN, O, I, B, .c = 1, .a = 3, .b = 4}}},
    {"relu_backward", "ae_relu_backward", "128 x 500", relu_backward,
     .arrays = {ADDS(B * FEATURES), READS(B * FEATURES), READS(B * FEATURES)}},    // dx dy y
    {"loss", "ae_loss", "128 x 784", loss, .kernels = true,
     .arrays = {WRITES(B * P), READS(B * P), READS(B * P), WRITES(1)}},    // dz z x, and the loss
    {"tied_forward", "ae_tied_forward", "128 x 256 -> 784", tied_forward, .kernels = true,
     .arrays   = {WRITES(B * I), READS(B * O), READS(O * I), READS(I)},    // y h w bias
     .products = {{PRODUCT_NN, B, I, O, .c = 0, .a = 1, .b = 2}}},
    {"tied_backward", "ae_tied_backward", "128 x 256 <- 784", tied_backward, .kernels = true,
     .arrays   = {ADDS(B * O), ADDS(O * I), ADDS(I),                       // dh dw dbias
                  READS(B * I), READS(B * O), READS(O * I)},               // dy h w
     .products = {{PRODUCT_NT, B, O, I, .c = 0, .a = 3, .b = 5},
                  {PRODUCT_TN, O, I, B, .c = 1, .a = 4, .b = 3}}},
    {"corrupt", "ae_corrupt", "128 x 784", corrupt,
     .arrays = {WRITES(B * P), READS(B * P)}},                             // noisy x
    {"sample", "ae_sample", "128 x 2", sample,
     .arrays = {WRITES(B * Z), READS(B * Z), READS(B * Z), READS(B * Z)}},     // z mean logvar e
    {"sample_backward", "ae_sample_backward", "128 x 2", sample_backward,
     .arrays = {ADDS(B * Z), ADDS(B * Z), READS(B * Z), READS(B * Z),          // dmean dlogvar dz
                READS(B * Z)}},                                                // logvar e
    {"kl", "ae_kl", "128 x 2", kl,
     .arrays = {WRITES(B * Z), WRITES(B * Z), READS(B * Z), READS(B * Z),      // dmean dlogvar
                WRITES(1)}},                                                   // mean logvar, and KL
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    return exercises_main("autoencoder", workloads, argc, argv);
}
