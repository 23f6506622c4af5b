/* bench.c -- what the exercises are called with in a training step of a LeNet, batch 64, beside the
 * kernels that do the same work.
 *
 *     ./lab bench cnn --mine
 */
#include "bench/exercises.h"
#include "kernels/kernels.h"
#include "labs/2_core/cnn/cnn.h"

// The second convolution: 5x5, 20 channels of 12x12 to 50 of 8x8; after the first: 20 of 24x24.
static const CnnConv conv = {.B = 64, .C = 20, .H = 12, .W = 12, .O = 50, .K = 5, .stride = 1};
static const CnnPool pool = {.planes = 64 * 20, .H = 24, .W = 24, .K = 2, .stride = 2};
static const CnnNorm norm = {.B = 64, .C = 20, .P = 24 * 24, .eps = 1e-5f, .momentum = 0.1f};

static const ConvShape conv2d = {64, 20, 12, 12, 50, 5, 5, .stride = 1, .dilation = 1, .groups = 1};
static const PoolShape halve = {64 * 20, 24, 24, .kernel = 2, .stride = 2};
static const NormShape channels = {64, 20, 24 * 24};

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

static float columns[COLUMNS], probabilities[LOGITS];
static int32_t found[HALF], places[HALF], labels[64];

// An exercise called with the arrays a, and a kernel that does its work.
#define EXERCISE(name, ...)                                                                        \
    static void name(Solution *solution, float *const *a)                                          \
    {                                                                                              \
        AS(cnn_##name, solution)(__VA_ARGS__);                                                     \
    }
#define KERNEL(name, ...)                                                                          \
    static void table_##name(float *const *a)                                                      \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

static void output_size(Solution *solution, float *const *a)
{
    a[0][0] = (float)AS(cnn_output_size, solution)(28, 5, 1, 2);
}

EXERCISE(conv_loops, a[0], a[1], a[2], a[3], conv)
EXERCISE(im2col, a[0], a[1], conv)
EXERCISE(conv_matmul, a[0], a[1], a[2], a[3], columns, conv)
EXERCISE(col2im, a[0], a[1], conv)
EXERCISE(conv_backward, a[0], a[1], a[2], a[3], a[4], a[5], columns, conv)
EXERCISE(max_pool, a[0], found, a[1], pool)
EXERCISE(max_pool_backward, a[0], a[1], places, pool)
EXERCISE(avg_pool, a[0], a[1], pool)
EXERCISE(avg_pool_backward, a[0], a[1], pool)
EXERCISE(batch_norm, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], norm)
EXERCISE(batch_norm_inference, a[0], a[1], a[2], a[2], a[3], a[4], norm)
EXERCISE(batch_norm_backward, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], norm)
EXERCISE(dropout, a[0], a[1], a[2], UNITS, 0.5f, (&(Rng){.state = 1, .increment = 1}))
EXERCISE(dropout_backward, a[0], a[1], a[2], UNITS)
EXERCISE(residual, a[0], a[1], a[2], MAP)
EXERCISE(residual_backward, a[0], a[1], a[2], a[3], MAP)

static void cross_entropy(Solution *solution, float *const *a)
{
    a[2][0] = AS(cnn_cross_entropy, solution)(a[0], a[1], labels, 64, 10);
}

KERNEL(conv, kernels.conv2d(a[0], a[1], a[2], a[3], conv2d))
KERNEL(conv_backward, kernels.conv2d_backward_input(a[0], a[3], a[5], 1, conv2d),
       kernels.conv2d_backward_weight(a[1], a[3], a[4], 1, conv2d),
       kernels.sum_channels(a[2], a[3], 64, 50, 64, 1))
KERNEL(max_pool, kernels.max_pool(a[0], found, a[1], halve))
KERNEL(max_pool_backward, kernels.max_pool_backward(a[0], a[1], places, 1, halve))
KERNEL(avg_pool, kernels.avg_pool(a[0], a[1], halve))
KERNEL(avg_pool_backward, kernels.avg_pool_backward(a[0], a[1], 1, halve))
KERNEL(batch_norm, kernels.batch_norm(a[0], a[1], a[2], a[5], a[6], a[7], 1e-5f, channels))
KERNEL(inference, kernels.batch_norm_inference(a[0], a[1], a[3], a[4], a[2], a[2], 1e-5f, channels))
KERNEL(norm_backward, kernels.batch_norm_backward(a[0], a[1], a[2], a[3], a[4], a[7], a[5], a[6],
                                                  1e-5f, 1, channels))
KERNEL(cross_entropy, kernels.cross_entropy(a[2], probabilities, a[1], labels, 64, 10),
       kernels.cross_entropy_backward(a[0], a[2], 1.0f / 64, probabilities, labels, 64, 10, 0))
KERNEL(residual, kernels.add(a[0], a[1], a[2], MAP), kernels.relu(a[0], a[0], MAP))
KERNEL(residual_backward, kernels.relu_backward(a[0], a[2], a[3], 1, MAP),
       kernels.relu_backward(a[1], a[2], a[3], 1, MAP))

// clang-format off
#define TABLE(name) .rivals = {{"kernel table", table_##name}}
static const Workload workloads[] = {
    {"output_size", "cnn_output_size", "28, 5, 1, 2", output_size, .arrays = {WRITES(1)}},
    {"conv_loops", "cnn_conv_loops", "20x12x12 -> 50", conv_loops, TABLE(conv),
     .arrays = {WRITES(Y), READS(X), READS(W), READS(50)}},                     // y x w bias
    {"im2col", "cnn_im2col", "20x12x12", im2col,
     .arrays = {WRITES(COLUMNS), READS(20 * 144)}},                             // columns image
    {"conv_matmul", "cnn_conv_matmul", "20x12x12 -> 50", conv_matmul, TABLE(conv), .kernels = true,
     .arrays = {WRITES(Y), READS(X), READS(W), READS(50)}},                     // y x w bias
    {"col2im", "cnn_col2im", "20x12x12", col2im,
     .arrays = {ADDS(20 * 144), READS(COLUMNS)}},                               // dimage columns
    {"conv_backward", "cnn_conv_backward", "20x12x12 <- 50", conv_backward, TABLE(conv_backward),
     .arrays = {ADDS(X), ADDS(W), ADDS(50), READS(Y), READS(X), READS(W)},      // dx dw dbias dy x w
     .kernels = true},
    {"max_pool", "cnn_max_pool", "20x24x24", max_pool, TABLE(max_pool),
     .arrays = {WRITES(HALF), READS(MAP)}},                                     // y x
    {"max_pool_backward", "cnn_max_pool_backward", "20x24x24", max_pool_backward,
     TABLE(max_pool_backward), .arrays = {ADDS(MAP), READS(HALF)}},             // dx dy
    {"avg_pool", "cnn_avg_pool", "20x24x24", avg_pool, TABLE(avg_pool),
     .arrays = {WRITES(HALF), READS(MAP)}},                                     // y x
    {"avg_pool_backward", "cnn_avg_pool_backward", "20x24x24", avg_pool_backward,
     TABLE(avg_pool_backward), .arrays = {ADDS(MAP), READS(HALF)}},             // dx dy
    {"batch_norm", "cnn_batch_norm", "20x24x24", batch_norm, TABLE(batch_norm),
     .arrays = {WRITES(MAP), WRITES(C), WRITES(C), ADDS(C), ADDS(C),            // y mean rstd running
                READS(MAP), READS(C), READS(C)}},                               // x gamma shift
    {"batch_norm_inference", "cnn_batch_norm_inference", "20x24x24", batch_norm_inference,
     TABLE(inference), .arrays = {WRITES(MAP), READS(MAP), ADDS(C), READS(C), READS(C)}},
    {"batch_norm_backward", "cnn_batch_norm_backward", "20x24x24", batch_norm_backward,
     TABLE(norm_backward),
     .arrays = {ADDS(MAP), ADDS(C), ADDS(C), READS(MAP), READS(MAP),            // dx dgamma dshift dy x
                ADDS(C), ADDS(C), READS(C)}},                                   // mean rstd gamma
    {"dropout", "cnn_dropout", "500", dropout,
     .arrays = {WRITES(UNITS), WRITES(UNITS), READS(UNITS)}},                   // y mask x
    {"dropout_backward", "cnn_dropout_backward", "500", dropout_backward,
     .arrays = {ADDS(UNITS), READS(UNITS), READS(UNITS)}},                      // dx dy mask
    {"cross_entropy", "cnn_cross_entropy", "10 classes", cross_entropy, TABLE(cross_entropy),
     .arrays = {WRITES(LOGITS), READS(LOGITS), WRITES(1)}},                     // dz z, and the loss
    {"residual", "cnn_residual", "20x24x24", residual, TABLE(residual),
     .arrays = {WRITES(MAP), READS(MAP), READS(MAP)}},                          // y f x
    {"residual_backward", "cnn_residual_backward", "20x24x24", residual_backward,
     TABLE(residual_backward), .arrays = {ADDS(MAP), ADDS(MAP), READS(MAP), READS(MAP)}},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    for (int i = 0; i < HALF; i++)    // the first pixel of each window
        places[i] = i / 12 % 12 * 2 * 24 + i % 12 * 2;
    return exercises_main("cnn", workloads, argc, argv);
}
