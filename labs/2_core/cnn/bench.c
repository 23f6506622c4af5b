/* bench.c -- what the exercises are called with in a training step of a LeNet, batch 64.
 *
 *     ./lab bench cnn --mine
 */
#include "bench/exercises.h"
#include "labs/2_core/cnn/cnn.h"

// The second convolution: 5x5, 20 channels of 12 x 12 to 50 of 8 x 8.
static const CnnConv conv = {.B = 64, .C = 20, .H = 12, .W = 12, .O = 50, .K = 5, .stride = 1};
static const CnnPool pool = {.planes = 64 * 20, .H = 24, .W = 24, .K = 2, .stride = 2};
static const CnnNorm norm = {.B = 64, .C = 20, .P = 24 * 24, .eps = 1e-5f, .momentum = 0.1f};

enum {
    X = 64 * 20 * 12 * 12,
    W = 50 * 20 * 5 * 5,
    Y = 64 * 50 * 8 * 8,
    COLUMNS = 500 * 64,
    MAP = 64 * 20 * 24 * 24,
    HALF = MAP / 4,
    C = 20,
    UNITS = 64 * 500,
    LOGITS = 64 * 10,
};

static int32_t at[HALF], labels[64];    // the first pixel of each window is a place in its plane

static void output_size(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(cnn_output_size, solution)(28, 5, 1, 2);
}

static void conv_loops(Solution *solution, float *const *a)
{
    AS(cnn_conv_loops, solution)(a[0], a[1], a[2], a[3], conv);
}

static void im2col(Solution *solution, float *const *a)
{
    AS(cnn_im2col, solution)(a[0], a[1], conv);
}

static void conv_matmul(Solution *solution, float *const *a)
{
    AS(cnn_conv_matmul, solution)(a[0], a[1], a[2], a[3], a[4], conv);
}

static void col2im(Solution *solution, float *const *a)
{
    AS(cnn_col2im, solution)(a[0], a[1], conv);
}

static void conv_backward(Solution *solution, float *const *a)
{
    AS(cnn_conv_backward, solution)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], conv);
}

static void max_pool(Solution *solution, float *const *a)
{
    AS(cnn_max_pool, solution)(a[0], at, a[1], pool);
}

static void max_pool_backward(Solution *solution, float *const *a)
{
    AS(cnn_max_pool_backward, solution)(a[0], a[1], at, pool);
}

static void avg_pool(Solution *solution, float *const *a)
{
    AS(cnn_avg_pool, solution)(a[0], a[1], pool);
}

static void avg_pool_backward(Solution *solution, float *const *a)
{
    AS(cnn_avg_pool_backward, solution)(a[0], a[1], pool);
}

static void batch_norm(Solution *solution, float *const *a)
{
    AS(cnn_batch_norm, solution)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], norm);
}

static void batch_norm_inference(Solution *solution, float *const *a)
{
    for (int c = 0; c < C; c++) a[3][c] = 1;    // a variance
    AS(cnn_batch_norm_inference, solution)(a[0], a[1], a[2], a[3], a[4], a[5], norm);
}

static void batch_norm_backward(Solution *solution, float *const *a)
{
    AS(cnn_batch_norm_backward, solution)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], norm);
}

static void dropout(Solution *solution, float *const *a)
{
    Rng rng = rng_from_seed(1);
    AS(cnn_dropout, solution)(a[0], a[1], a[2], UNITS, 0.5f, &rng);
}

static void dropout_backward(Solution *solution, float *const *a)
{
    AS(cnn_dropout_backward, solution)(a[0], a[1], a[2], UNITS);
}

static void cross_entropy(Solution *solution, float *const *a)
{
    a[2][0] = AS(cnn_cross_entropy, solution)(a[0], a[1], labels, 64, 10);
}

static void residual(Solution *solution, float *const *a)
{
    AS(cnn_residual, solution)(a[0], a[1], a[2], MAP);
}

static void residual_backward(Solution *solution, float *const *a)
{
    AS(cnn_residual_backward, solution)(a[0], a[1], a[2], a[3], MAP);
}

// clang-format off
static const Workload workloads[] = {
    {"output_size", "cnn_output_size", "28, 5, 1, 2", output_size, .arrays = {WRITES(1)}},
    {"conv_loops", "cnn_conv_loops", "64x20x12x12 -> 50", conv_loops,
     .arrays = {WRITES(Y), READS(X), READS(W), READS(50)}},                     // y x w bias
    {"im2col", "cnn_im2col", "20x12x12, 5x5", im2col,
     .arrays = {WRITES(COLUMNS), READS(20 * 144)}},                             // columns image
    {"conv_matmul", "cnn_conv_matmul", "64x20x12x12 -> 50", conv_matmul, .kernels = true,
     .arrays = {WRITES(Y), READS(X), READS(W), READS(50), WRITES(COLUMNS)}},    // y x w bias columns
    {"col2im", "cnn_col2im", "20x12x12, 5x5", col2im,
     .arrays = {ADDS(20 * 144), READS(COLUMNS)}},                               // dimage columns
    {"conv_backward", "cnn_conv_backward", "64x20x12x12 <- 50", conv_backward, .kernels = true,
     .arrays = {ADDS(X), ADDS(W), ADDS(50), READS(Y), READS(X), READS(W),       // dx dw dbias dy x w
                WRITES(COLUMNS)}},
    {"max_pool", "cnn_max_pool", "1280 x 24x24", max_pool, .arrays = {WRITES(HALF), READS(MAP)}},
    {"max_pool_backward", "cnn_max_pool_backward", "1280 x 24x24", max_pool_backward,
     .arrays = {ADDS(MAP), READS(HALF)}},
    {"avg_pool", "cnn_avg_pool", "1280 x 24x24", avg_pool, .arrays = {WRITES(HALF), READS(MAP)}},
    {"avg_pool_backward", "cnn_avg_pool_backward", "1280 x 24x24", avg_pool_backward,
     .arrays = {ADDS(MAP), READS(HALF)}},
    {"batch_norm", "cnn_batch_norm", "64x20x24x24", batch_norm,
     .arrays = {WRITES(MAP), WRITES(C), WRITES(C), ADDS(C), ADDS(C),            // y mean rstd running
                READS(MAP), READS(C), READS(C)}},                               // x gamma shift
    {"batch_norm_inference", "cnn_batch_norm_inference", "64x20x24x24", batch_norm_inference,
     .arrays = {WRITES(MAP), READS(MAP), READS(C), READS(C), READS(C), READS(C)}},
    {"batch_norm_backward", "cnn_batch_norm_backward", "64x20x24x24", batch_norm_backward,
     .arrays = {ADDS(MAP), ADDS(C), ADDS(C), READS(MAP), READS(MAP),            // dx dgamma dshift dy x
                READS(C), READS(C), READS(C)}},                                 // mean rstd gamma
    {"dropout", "cnn_dropout", "64 x 500", dropout,
     .arrays = {WRITES(UNITS), WRITES(UNITS), READS(UNITS)}},                   // y mask x
    {"dropout_backward", "cnn_dropout_backward", "64 x 500", dropout_backward,
     .arrays = {ADDS(UNITS), READS(UNITS), READS(UNITS)}},                      // dx dy mask
    {"cross_entropy", "cnn_cross_entropy", "64 x 10", cross_entropy,
     .arrays = {WRITES(LOGITS), READS(LOGITS), WRITES(1)}},                     // dz z, and the loss
    {"residual", "cnn_residual", "64x20x24x24", residual,
     .arrays = {WRITES(MAP), READS(MAP), READS(MAP)}},                          // y f x
    {"residual_backward", "cnn_residual_backward", "64x20x24x24", residual_backward,
     .arrays = {ADDS(MAP), ADDS(MAP), READS(MAP), READS(MAP)}},                 // df dx dy y
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    return exercises_main("cnn", workloads, argc, argv);
}
