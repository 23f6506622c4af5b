/* conv.h -- what convolution and its gradients share on a CPU. They are matrix products (gemm.c) one of
 * whose operands is never in memory as a whole: its rows are the kernel's taps (c,u,v), its columns the
 * output's pixels, and an element is the pixel of x that the tap reads there ("im2col").
 *
 * Images are first copied into padded planes, so that no window leaves them. With a stride, the columns
 * of a plane are sorted by their remainder, so that what one tap reads along a row of the output always
 * lies side by side. So a tap is an offset, a place of the output is another, and a panel of the operand
 * is copied, or added up, by stretches of a row (Piece).
 */
#pragma once
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/team.h"
#include "kernels/cpu/workspace.h"

enum {
    CONV_SERIAL = 40 * 1024 * LANES,    // multiplications: as in gemm.c
    CHUNK = 64 * 1024,                  // floats of padded images that are worked on at once
};

typedef struct Conv {
    ConvShape s;
    size_t batch, groups, stride;
    size_t in, out, taps;    // of one group: channels, and in * kernel_height * kernel_width
    size_t width, pixels;    // of the output
    size_t phase, row, plane,
        image;                // padded, in floats: a remainder's part of a row, a row, ...
    size_t images, chunks;    // images in a chunk, chunks in a batch
} Conv;

static inline Conv conv_of(ConvShape s)
{
    Conv x = {.s = s,
              .batch = (size_t)s.batch,
              .groups = (size_t)s.groups,
              .stride = (size_t)s.stride,
              .in = (size_t)(s.in / s.groups),
              .out = (size_t)(s.out / s.groups),
              .width = (size_t)conv_out_width(s),
              .pixels = conv_out_pixels(s)};
    x.taps = x.in * (size_t)s.kernel_height * (size_t)s.kernel_width;
    x.phase = (size_t)(s.width + 2 * s.pad + s.stride - 1) / x.stride;
    x.row = x.stride * x.phase;
    x.plane = (size_t)(s.height + 2 * s.pad) * x.row;
    x.image = x.in * x.plane;
    x.images = MAX(MIN(CHUNK / MAX(x.image, 1), x.batch), 1);
    x.chunks = (x.batch + x.images - 1) / x.images;
    return x;
}

// Where tap (c,u,v) reads for the output's pixel 0.
static inline size_t conv_tap(const Conv *x, size_t c, size_t u, size_t v)
{
    const size_t column = v * (size_t)x->s.dilation;
    return c * x->plane + u * (size_t)x->s.dilation * x->row + column % x->stride * x->phase +
           column / x->stride;
}

// Where tap 0 reads for pixel p of the chunk.
static inline size_t conv_pixel(const Conv *x, size_t p)
{
    return p / x->pixels * x->image + p % x->pixels / x->width * x->stride * x->row + p % x->width;
}

// Pixels of the output side by side in a row: where they lie in the planes and in the panel.
typedef struct Piece {
    size_t from, to, lanes;
} Piece;

// Those of the chunk's pixels p .. p + count - 1, each of at most `most`: how many pieces. At most WIDTH.
static inline size_t conv_pieces(const Conv *x, size_t p, size_t count, size_t most,
                                 Piece pieces[WIDTH])
{
    size_t n = 0;
    for (size_t to = 0; to < count; to += pieces[n++].lanes) {
        const size_t left = MIN(x->width - (p + to) % x->width, count - to);
        pieces[n] = (Piece){conv_pixel(x, p + to), to, MIN(left, most)};
    }
    return n;
}

// Rows in as few strips as possible, as even as possible; the first ones have a row more.
static inline size_t strips_of(size_t rows)
{
    return (rows + ROWS - 1) / ROWS;
}

static inline size_t strip_first(size_t rows, size_t strip)
{
    return strip * (rows / strips_of(rows)) + MIN(strip, rows % strips_of(rows));
}

// Rows of a panel, each from its offset. A piece may write up to LANES - 1 floats too many: they belong to
// the next piece or the next row, which come later.
INLINED void pack_rows(const size_t count, float *panel, size_t width, const float *planes,
                       const unsigned *offsets, size_t rows, const Piece *pieces)
{
    for (size_t k = 0; k < rows; k++, panel += width) {
        const float *from = planes + offsets[k];
        UNROLL
        for (size_t i = 0; i < count; i++)
            vec_store(panel + pieces[i].to, vec_load(from + pieces[i].from));
    }
}

#define EACH_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
static inline void pack_pieces(float *panel, size_t width, const float *planes,
                               const unsigned *offsets, size_t rows, const Piece *pieces,
                               size_t count)
{
#define X(n)                                                                                       \
    case n: pack_rows(n, panel, width, planes, offsets, rows, pieces); break;
    switch (count) {
        EACH_COUNT(X)
    default: pack_rows(count, panel, width, planes, offsets, rows, pieces);
    }
#undef X
}

// Columns first .. end - 1 of remainder q lie in the image; the image's column of column m is m stride + q - pad.
typedef struct Inside {
    size_t first, end;
} Inside;

static inline Inside conv_inside(const Conv *x, size_t q)
{
    const long before = (long)x->s.pad - (long)q, stride = (long)x->stride,
               after = before + x->s.width;
    return (Inside){(size_t)(before > 0 ? (before + stride - 1) / stride : 0),
                    (size_t)(after > 0 ? (after + stride - 1) / stride : 0)};
}

// The planes of some channels of an image; what lies outside of it is left as it is.
static inline void conv_pad(const Conv *x, float *planes, const float *image, size_t channels)
{
    const size_t height = (size_t)x->s.height, width = (size_t)x->s.width, pad = (size_t)x->s.pad;
    for (size_t c = 0; c < channels; c++)
        for (size_t h = 0; h < height; h++) {
            const float *from = image + (c * height + h) * width;
            float *to = planes + c * x->plane + (h + pad) * x->row;
            if (x->stride == 1) {
                for (size_t j = 0; j < width; j += LANES)
                    store_some(to + pad + j, load_some(from + j, width - j), width - j);
                continue;
            }
            for (size_t q = 0; q < x->stride; q++, to += x->phase) {
                const Inside in = conv_inside(x, q);
                for (size_t m = in.first; m < in.end; m++) to[m] = from[m * x->stride + q - pad];
            }
        }
}

// The other way round: image = beta image + planes.
static inline void conv_unpad(const Conv *x, float *image, const float *planes, size_t channels,
                              float beta)
{
    const size_t height = (size_t)x->s.height, width = (size_t)x->s.width, pad = (size_t)x->s.pad;
    for (size_t c = 0; c < channels; c++)
        for (size_t h = 0; h < height; h++) {
            float *to = image + (c * height + h) * width;
            const float *from = planes + c * x->plane + (h + pad) * x->row;
            if (x->stride == 1) {
                for (size_t j = 0; j < width; j += LANES) {
                    const Vec v = load_some(from + pad + j, width - j);
                    store_some(to + j, beta == 0 ? v : beta * load_some(to + j, width - j) + v,
                               width - j);
                }
                continue;
            }
            for (size_t q = 0; q < x->stride; q++, from += x->phase) {
                const Inside in = conv_inside(x, q);
                for (size_t m = in.first; m < in.end; m++) {
                    float *out = to + m * x->stride + q - pad;
                    *out = beta == 0 ? from[m] : beta * *out + from[m];
                }
            }
        }
}
