/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check cnn
 *     ./lab check cnn.im2col
 *
 * Expected values never come from cnn.c: they are plain loops in double, values computed by hand or
 * printed by PyTorch, and finite differences. A case calls functions of its own exercise only; those
 * may call earlier ones. Every array ends at a guard page, so that reading or writing past its end
 * stops the case at that line.
 */
#include "labs/2_core/cnn/check.h"
#include "tests/floats.h"

const CaseList lab_cases[] = {conv_cases,          conv_backward_cases, pool_cases,     norm_cases,
                              norm_backward_cases, loss_cases,          residual_cases, NULL};

// clang-format off
const CnnConv conv_shapes[CONV_SHAPES] = {
    // B   C   H   W   O  K  stride, pad
    {  2,  3,  5,  7,  4, 3, 1, 0},    // not square
    {  2,  3,  7,  5,  4, 3, 1, 1},    // as large as the image ("same")
    {  3,  2,  7,  6,  3, 3, 2, 1},    // the last column is not reached
    {  1,  2,  9,  8,  2, 3, 3, 2},    // stride 3
    {  2,  1,  6,  4,  2, 2, 2, 0},    // an even kernel, windows side by side
    {  1,  2,  8,  8,  2, 2, 3, 0},    // pixels between the windows
    {  1,  3,  1,  1,  2, 1, 1, 0},    // one pixel
    {  2,  2,  4,  3,  3, 1, 1, 3},    // windows that hold padding only
    {  1,  1,  3,  4,  1, 5, 1, 2},    // a kernel larger than the image
    {  1,  1,  5,  5,  1, 5, 1, 0},    // and one as large
    {  4,  1,  1,  6,  1, 1, 2, 0},    // one row
    {  2,  5, 13, 11,  6, 5, 2, 3},    // larger than a tile, and no multiple of one
    {  1,  1, 28, 28, 20, 5, 1, 0},    // the first layer of a LeNet
    {  2, 33, 10,  9, 37, 3, 1, 1},    // many channels
};
// clang-format on

int places_of(int size, int kernel, int stride, int pad)
{
    int places = 0;
    for (int first = -pad; first + kernel <= size + pad; first += stride) places++;
    return places;
}

Layer layer_new(CnnConv s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Layer layer = {.s = s};
    layer.rows = places_of(s.H, s.K, s.stride, s.pad);
    layer.cols = places_of(s.W, s.K, s.stride, s.pad);
    layer.taps = count_of(s.C, s.K, s.K, 1), layer.places = count_of(layer.rows, layer.cols, 1, 1);
    layer.x_size = count_of(s.B, s.C, s.H, s.W), layer.w_size = (size_t)s.O * layer.taps;
    layer.y_size = count_of(s.B, s.O, layer.rows, layer.cols);
    layer.x = floats_normal(&rng, layer.x_size);
    layer.w = floats_normal(&rng, layer.w_size);
    layer.bias = floats_normal(&rng, (size_t)s.O);
    layer.dy = floats_normal(&rng, layer.y_size);
    return layer;
}

void layer_scale(Layer layer, float factor)
{
    for (size_t i = 0; i < layer.x_size; i++) layer.x[i] *= factor;
    for (size_t i = 0; i < layer.w_size; i++) layer.w[i] *= -factor;
    for (int o = 0; o < layer.s.O; o++) layer.bias[o] *= factor * factor;
    for (size_t i = 0; i < layer.y_size; i++) layer.dy[i] *= factor;
}

// The filter's element (c,k,l) at the place (i,j) of image b.
static Tap tap_at(const Layer *layer, int b, int o, size_t place, size_t row)
{
    CnnConv s = layer->s;
    int size = s.K * s.K, c = (int)row / size, k = (int)row % size / s.K, l = (int)row % s.K;
    int i = (int)place / layer->cols * s.stride + k - s.pad;
    int j = (int)place % layer->cols * s.stride + l - s.pad;
    bool outside = i < 0 || i >= s.H || j < 0 || j >= s.W;
    return (Tap){.out = count_of(b * s.O + o, layer->rows, layer->cols, 1) + place,
                 .weight = (size_t)o * layer->taps + row,
                 .pixel = outside ? NO_PIXEL
                                  : count_of(b * s.C + c, s.H, s.W, 1) + count_of(i, s.W, 1, 1) +
                                        (size_t)j,
                 .row = row,
                 .place = place,
                 .b = b,
                 .o = o};
}

void layer_taps(const Layer *layer, void (*use)(Tap tap, void *data), void *data)
{
    for (int b = 0; b < layer->s.B; b++)
        for (int o = 0; o < layer->s.O; o++)
            for (size_t place = 0; place < layer->places; place++)
                for (size_t row = 0; row < layer->taps; row++)
                    use(tap_at(layer, b, o, place, row), data);
}
