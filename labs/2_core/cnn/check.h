/* check.h -- the cases of each part of the lab, in the order of the exercises, and a convolution of
 * plain loops in double that those of 2 to 6 are held against; {0} ends a list. */
#pragma once
#include "labs/2_core/cnn/cnn.h"
#include "tests/cases.h"

extern const struct CMUnitTest conv_cases[];             // output_size .. conv_matmul
extern const struct CMUnitTest conv_backward_cases[];    // col2im, conv_backward
extern const struct CMUnitTest pool_cases[];             // max_pool .. avg_pool_backward
extern const struct CMUnitTest norm_cases[];             // batch_norm, batch_norm_inference
extern const struct CMUnitTest norm_backward_cases[];    // batch_norm_backward
extern const struct CMUnitTest loss_cases[];             // dropout .. cross_entropy
extern const struct CMUnitTest residual_cases[];         // residual, residual_backward

// Sums of a few hundred products of size 1, in float and in any order.
#define SUM_TOLERANCE .atol = 1e-4, .rtol = 1e-5

// A number of elements.
static inline size_t count_of(int a, int b, int c, int d)
{
    return (size_t)a * (size_t)b * (size_t)c * (size_t)d;
}

// ---- convolution ----

// A convolution of normal random numbers.
typedef struct Layer {
    CnnConv s;
    int rows, cols;                                 // H', W'
    size_t x_size, w_size, y_size, taps, places;    // taps: C K K, places: H' W'
    float *x, *w, *bias, *dy;
} Layer;

// One output's use of one pixel: y[out] += w[weight] x[pixel].
typedef struct Tap {
    size_t out, weight, pixel;    // pixel: NO_PIXEL in the padding
    size_t row, place;            // of the columns of its image
    int b, o;
} Tap;
#define NO_PIXEL SIZE_MAX

// How many places a window has, by trying one after the other.
int places_of(int size, int kernel, int stride, int pad);

Layer layer_new(CnnConv s, uint64_t seed);
void layer_scale(Layer layer, float factor);    // other contents in the same memory

// Calls `use` for every tap of the convolution, in the padding too.
void layer_taps(const Layer *layer, void (*use)(Tap tap, void *data), void *data);

// Shapes that tell mistakes apart: strides 1 to 3, pads 0 to 3, odd sizes, one of each.
enum { CONV_SHAPES = 14 };
extern const CnnConv conv_shapes[CONV_SHAPES];

// ---- batch normalization ----

typedef struct Norm {
    CnnNorm s;
    int n;    // values of a channel
    size_t size, C;
    float *x, *gamma, *shift, *dy, *running_mean, *running_var;
    float held;    // in the gradients before the call
} Norm;

enum { NORM_SHAPES = 8 };
extern const CnnNorm norm_shapes[NORM_SHAPES];

Norm norm_new(CnnNorm s, uint64_t seed);
Norm norm_copy(Norm norm);
void norm_move(Norm norm, float factor, float offset);    // x = factor x + offset
void norm_assert_kept(Norm norm, Norm before);

// Element i of channel c: its index in x.
size_t norm_at(const Norm *norm, size_t c, int i);

// The mean over channel c of u v, in which a NULL is 1.
double norm_average(const Norm *norm, size_t c, const double *u, const double *v);

// x becomes x - its channel's mean; the mean and the (biased) variance of every channel.
void norm_center(const Norm *norm, double *x, double *mean, double *variance);

// Checks the same arrays again with other contents, and others in turns.
void norm_check_again(void (*check)(Norm norm), uint64_t seed);
