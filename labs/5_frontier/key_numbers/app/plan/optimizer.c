#include "labs/5_frontier/key_numbers/app/plan/optimizer.h"

typedef double Moments(uint64_t rows, uint64_t cols);

static double two_floats(uint64_t rows, uint64_t cols)
{
    return 8 * (double)(rows * cols);
}

static double one_float(uint64_t rows, uint64_t cols)
{
    return 4 * (double)(rows * cols);
}

static double nothing(uint64_t rows, uint64_t cols)
{
    (void)rows, (void)cols;
    return 0;
}

// A byte in each of both moments, and a float for each 256 of them. Tensors of less than 4096 numbers
// stay in fp32 (bitsandbytes, optim/optimizer.py: min_8bit_size and blocksize).
static double two_bytes(uint64_t rows, uint64_t cols)
{
    uint64_t n = rows * cols, blocks = (n + 255) / 256;
    return n < 4096 ? two_floats(rows, cols) : 2 * (double)(n + 4 * blocks);
}

// The second moment of a matrix is kept as its rows' and columns' sums, that of a vector as it is, and
// there is no first moment (Shazeer & Stern 2018, Algorithm 4; transformers, optimization.py).
static double rows_and_columns(uint64_t rows, uint64_t cols)
{
    return 4 * (double)(rows > 1 && cols > 1 ? rows + cols : rows * cols);
}

static const struct {
    const char *name, *about;
    Moments *moments;
} optimizers[OPTIMIZER_COUNT] = {
    [OPTIMIZER_ADAMW] = {"adamw", "two fp32 moments, 8 bytes a parameter", two_floats},
    [OPTIMIZER_ADAMW_8BIT] = {"adamw8bit",
                              "two 8-bit moments with a float for each 256, 2.03 bytes a parameter",
                              two_bytes},
    [OPTIMIZER_ADAMW_BF16] = {"adamw-bf16", "two bf16 moments, 4 bytes a parameter", one_float},
    [OPTIMIZER_MOMENTUM] = {"momentum", "one fp32 moment, 4 bytes a parameter", one_float},
    [OPTIMIZER_SGD] = {"sgd", "no moments", nothing},
    [OPTIMIZER_LION] = {"lion", "one fp32 moment, 4 bytes a parameter", one_float},
    [OPTIMIZER_ADAFACTOR] = {"adafactor", "a float for each row and column of a matrix",
                             rows_and_columns},
    [OPTIMIZER_PAGED_ADAMW] = {"paged-adamw", "two fp32 moments, which may be on the host",
                               two_floats},
    [OPTIMIZER_PAGED_ADAMW_8BIT] = {"paged-adamw8bit",
                                    "two 8-bit moments, which may be on the host", two_bytes},
};

bool optimizer_paged(Optimizer optimizer)
{
    return optimizer >= OPTIMIZER_PAGED_ADAMW;
}

double optimizer_bytes(Optimizer optimizer, uint64_t rows, uint64_t cols)
{
    return optimizers[optimizer].moments(rows, cols);
}

const char *optimizer_name(Optimizer optimizer)
{
    return optimizers[optimizer].name;
}

const char *optimizer_about(Optimizer optimizer)
{
    return optimizers[optimizer].about;
}

KnRecipe optimizer_recipe(Precision precision, int gradient_bytes)
{
    if (precision == PRECISION_FP32) return (KnRecipe){4, 4, 0};
    return (KnRecipe){2, gradient_bytes, precision == PRECISION_MIXED ? 4 : 0};
}
