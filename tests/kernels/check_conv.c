// Convolution and its gradients against ref's: strides, paddings, dilations, groups, odd sizes, images
// smaller than the kernel, nothing at all; NaN and infinities; the same bits for any number of threads.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

// clang-format off
static const ConvShape shapes[] = {
    // batch, in, height, width, out, kernel height and width, stride, pad, dilation, groups
    {1, 1, 1, 1,     1, 1, 1,   1, 0, 1, 1},
    {2, 1, 28, 28,  20, 5, 5,   1, 0, 1, 1},    // LeNet's
    {2, 20, 12, 12, 50, 5, 5,   1, 0, 1, 1},
    {1, 32, 14, 28, 64, 3, 3,   1, 1, 1, 1},
    {3, 17, 14, 14, 33, 3, 3,   1, 1, 1, 1},
    {1, 3, 31, 17,   7, 3, 3,   1, 0, 1, 1},
    {5, 7, 9, 11,   13, 3, 5,   1, 2, 1, 1},
    {2, 5, 13, 7,   15, 2, 1,   1, 3, 1, 1},
    {4, 6, 10, 12,   9, 3, 3,   2, 1, 1, 1},
    {3, 4, 11, 9,    5, 1, 1,   2, 0, 1, 1},    // no window reads most pixels
    {2, 3, 16, 19,  14, 3, 3,   3, 2, 1, 1},
    {2, 3, 15, 13,   6, 5, 4,   2, 3, 1, 1},
    {2, 4, 12, 14,   8, 3, 3,   1, 2, 2, 1},
    {2, 2, 17, 16,   3, 3, 2,   2, 1, 2, 1},
    {2, 2, 20, 11,   3, 2, 3,   3, 3, 2, 1},
    {2, 6, 9, 9,     8, 3, 3,   1, 1, 1, 2},    // groups
    {2, 9, 8, 7,     6, 3, 3,   2, 1, 1, 3},
    {3, 18, 10, 9,  18, 3, 3,   1, 1, 1, 18},   // depthwise
    {2, 5, 7, 7,    10, 5, 5,   2, 2, 1, 5},
    {7, 40, 3, 3,   24, 3, 3,   1, 1, 1, 1},    // images of few pixels
    {9, 11, 5, 4,   19, 5, 4,   1, 0, 1, 1},    // one pixel each
    {70, 3, 4, 4,   16, 3, 3,   1, 0, 1, 1},
    {2, 130, 5, 5,  31, 3, 3,   1, 1, 1, 1},    // more than one pass over the taps
    {1, 2, 3, 70,    5, 3, 3,   1, 1, 1, 1},    // wide
    {1, 2, 70, 1,    5, 3, 1,   1, 1, 1, 1},
    {3, 2, 2, 3,     4, 5, 5,   1, 2, 1, 1},    // larger than the image, not than the padded one
    {3, 2, 4, 3,     4, 5, 5,   1, 0, 1, 1},    // larger: y is empty
    {0, 2, 5, 5,     4, 3, 3,   1, 1, 1, 1},    // nothing
    {2, 0, 5, 5,     4, 3, 3,   1, 1, 1, 1},
    {2, 2, 0, 5,     4, 3, 3,   1, 1, 1, 1},
    {2, 2, 0, 5,     4, 3, 3,   1, 2, 1, 1},
    {2, 2, 5, 5,     0, 3, 3,   1, 1, 1, 1},
    {2, 2, 5, 5,     4, 0, 3,   1, 1, 1, 1},
};
// clang-format on
enum { SHAPES = sizeof shapes / sizeof *shapes, TEXT = 160 };

typedef enum Pass { FORWARD, INPUT, WEIGHT, PASSES } Pass;
static const char *const pass_name[PASSES] = {"conv2d", "conv2d_backward_input",
                                              "conv2d_backward_weight"};

static char *text_of(char text[TEXT], Pass pass, ConvShape s, float beta)
{
    snprintf(text, TEXT,
             "%s of [%d,%d,%d,%d], kernel [%d,%d,%d], stride %d, pad %d, dilation %d, groups %d, "
             "beta %g",
             pass_name[pass], s.batch, s.in, s.height, s.width, s.out, s.kernel_height,
             s.kernel_width, s.stride, s.pad, s.dilation, s.groups, (double)beta);
    return text;
}

// The sizes of x, y and w; a pass writes one of them from the two others.
typedef struct Sizes {
    size_t x, y, w;
} Sizes;

static Sizes sizes_of(ConvShape s)
{
    return (Sizes){(size_t)s.batch * conv_image(s), (size_t)s.batch * conv_out_image(s),
                   conv_weights(s)};
}

static size_t written(Pass pass, ConvShape s)
{
    const Sizes n = sizes_of(s);
    return pass == FORWARD ? n.y : pass == INPUT ? n.x : n.w;
}

// What a pass reads: y is its gradient, except for the forward, whose third is the bias.
typedef struct Inputs {
    float *x, *y, *w, *bias;
} Inputs;

static Inputs inputs_new(ConvShape s)
{
    const Sizes n = sizes_of(s);
    return (Inputs){numbers_new(n.x, NORMAL), numbers_new(n.y, NORMAL), numbers_new(n.w, NORMAL),
                    numbers_new((size_t)s.out, NORMAL)};
}

static void run(const Kernels *table, Pass pass, float *out, Inputs in, float beta, ConvShape s)
{
    switch (pass) {
    case FORWARD: table->conv2d(out, in.x, in.w, in.bias, s); break;
    case INPUT: table->conv2d_backward_input(out, in.y, in.w, beta, s); break;
    default: table->conv2d_backward_weight(out, in.y, in.x, beta, s); break;
    }
}

static float *magnitudes(const float *x, size_t n)
{
    float *copy = numbers_copy(x, n);
    for (size_t i = 0; i < n; i++) copy[i] = fabsf(copy[i]);
    return copy;
}

// The terms of one sum, the bias among them.
static double terms(Pass pass, ConvShape s)
{
    const double taps = (double)s.kernel_height * s.kernel_width;
    switch (pass) {
    case FORWARD: return taps * (s.in / s.groups) + 1;
    case INPUT: return taps * (s.out / s.groups);
    default: return (double)s.batch * (double)conv_out_pixels(s);
    }
}

// A sum of k terms, in whatever order, has an error of at most about k roundings of the sum of their
// sizes (Higham 2002, section 3.1); beta times what was there is one more.
static void agrees_with_ref(const Kernels *table, Pass pass, ConvShape s, float beta, bool biased)
{
    const Sizes n = sizes_of(s);
    const size_t size = written(pass, s);
    Inputs in = inputs_new(s);
    if (!biased) in.bias = NULL;
    Pair out = pass == FORWARD ? pair_new(size, NANS) : pair_before(size, beta);
    Inputs sizes = {magnitudes(in.x, n.x), magnitudes(in.y, n.y), magnitudes(in.w, n.w),
                    biased ? magnitudes(in.bias, (size_t)s.out) : NULL};
    float *bound_of = magnitudes(out.want, size);
    double *bound = (double *)(void *)numbers_new(2 * size, ZEROS);
    run(&kernels_ref, pass, bound_of, sizes, beta, s);
    for (size_t i = 0; i < size; i++)
        bound[i] = (terms(pass, s) + 3) * ROUNDING * (double)bound_of[i];
    run(&kernels_ref, pass, out.want, in, beta, s);
    run(table, pass, out.got, in, beta, s);
    pair_check_within(text_of((char[TEXT]){0}, pass, s, beta), out, bound);
    numbers_free();
}

// One NaN or infinity among the numbers that a sum slides over reaches the sums that it belongs to and
// no other. (In w it may meet the padding's zeros or not: so it is put where there is no padding.)
static void what_is_not_finite_stays_in_its_sums(const Kernels *table, Pass pass, ConvShape s)
{
    const Sizes n = sizes_of(s);
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 6; i++) {
        Inputs in = inputs_new(s);
        float *sliding = pass == INPUT ? in.y : in.x, *other = pass == FORWARD ? in.w : in.y;
        const size_t size = pass == INPUT ? n.y : n.x, others = pass == FORWARD ? n.w : n.y;
        if (i < 3 && size > 0) sliding[size / 2] = values[i];
        if (i >= 3 && s.pad == 0 && others > 0) other[others / 2] = values[i - 3];
        Pair out = pair_new(written(pass, s), NORMAL);
        run(&kernels_ref, pass, out.want, in, 1, s);
        run(table, pass, out.got, in, 1, s);
        pair_check(text_of((char[TEXT]){0}, pass, s, 1), out, terms(pass, s) * 1e-6);
        numbers_free();
    }
}

static void threads_change_no_bit(const Kernels *table, Pass pass, ConvShape s)
{
    const int before = omp_get_max_threads();
    const size_t size = written(pass, s);
    const Inputs in = inputs_new(s);
    Pair out = pair_new(size, NORMAL);
    const float *start = numbers_copy(out.got, size);
    omp_set_num_threads(1);
    run(table, pass, out.want, in, 0.5f, s);
    for (int threads = 2; threads <= 5; threads += 3) {
        omp_set_num_threads(threads);
        memcpy(out.got, start, size * sizeof *start);
        run(table, pass, out.got, in, 0.5f, s);
        assert_memory_equal(out.got, out.want, size * sizeof *start);
    }
    omp_set_num_threads(before);
    numbers_free();
}

static void check(const Kernels *table, Pass pass)
{
    for (int i = 0; i < SHAPES; i++) {
        const ConvShape s = shapes[i];
        if (conv_flops(s) > 2 * numbers_most) continue;
        if (pass == FORWARD) agrees_with_ref(table, pass, s, 0, false);
        for (int j = 0; j < (pass == FORWARD ? 1 : NUMBERS_BETAS); j++)
            agrees_with_ref(table, pass, s, numbers_betas[j], true);
        if (conv_flops(s) > 2e6) continue;    // ref takes its time
        what_is_not_finite_stays_in_its_sums(table, pass, s);
        if (omp_get_max_threads() == 1) threads_change_no_bit(table, pass, s);    // once is enough
    }
    if (omp_get_max_threads() > 1 && numbers_most == INFINITY) return;
    // Every combination on one image.
    for (int stride = 1; stride <= 3; stride++)
        for (int pad = 0; pad <= 3; pad++)
            for (int dilation = 1; dilation <= 2; dilation++)
                for (int groups = 1; groups <= 3; groups += 2) {
                    const ConvShape s = {2, 3, 9, 7, 6, 3, 2, stride, pad, dilation, groups};
                    if (conv_flops(s) <= 2 * numbers_most) agrees_with_ref(table, pass, s, 1, true);
                }
}

void check_conv2d(const Kernels *table)
{
    check(table, FORWARD);
}

void check_conv2d_backward_input(const Kernels *table)
{
    check(table, INPUT);
}

void check_conv2d_backward_weight(const Kernels *table)
{
    check(table, WEIGHT);
}

// Both sides accumulate in double.
void check_sum_channels(const Kernels *table)
{
    static const int sizes[][3] = {{0, 3, 5}, {3, 0, 5},  {3, 5, 0},    {1, 1, 1},  {2, 3, 17},
                                   {5, 7, 1}, {3, 2, 31}, {64, 20, 64}, {3, 5, 784}};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++, numbers_free()) {
        const int batch = sizes[i / 2][0], channels = sizes[i / 2][1], pixels = sizes[i / 2][2];
        if ((double)batch * channels * pixels > numbers_most) continue;
        const size_t n = (size_t)batch * (size_t)channels * (size_t)pixels;
        const float *x = numbers_new(n, i % 2 ? SPECIAL : NORMAL);
        for (int j = 0; j < NUMBERS_BETAS; j++) {
            Pair y = pair_before((size_t)channels, numbers_betas[j]);
            kernels_ref.sum_channels(y.want, x, batch, channels, pixels, numbers_betas[j]);
            table->sum_channels(y.got, x, batch, channels, pixels, numbers_betas[j]);
            pair_check("sum_channels", y, 4 * ROUNDING);
        }
    }
}
