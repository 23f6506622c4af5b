/* conv_weight.c -- the gradient of a convolution's weight.
 *
 * dw = dy col', summed over all pixels: rows are channels of dy, columns are taps. Here a row of the
 * operand is a pixel and its columns are taps, side by side: so the padded planes are laid out with the
 * channels innermost, where the taps (v,c) of one row of the kernel are one stretch of memory, and the
 * columns are sorted as (u,v,c).
 *
 * The batch is cut into parts by the shape alone. Each is summed on its own, and the parts are added in
 * order: neither the number of threads nor who was first changes a bit.
 */
#include <string.h>
#include "kernels/cpu/conv.h"

enum {
    PASS = 256,    // pixels in one pass
    PARTS_MOST = 8,
    SUMS_MOST = 256 * 1024,    // floats: of all parts
    ADD_SERIAL = 16 * 1024,    // floats of sums below which waking a thread costs more
};

typedef struct Weights {
    Conv conv;
    float *dw;
    const float *dy, *x;
    float beta;
    size_t line, image;              // of the planes, in floats
    size_t parts, blocks, panels;    // of the batch; of the columns; panels of all columns
    size_t row;                      // of sums: the taps, and room up to a whole vector
    float *sums;                     // [parts,groups,out,row]
    float *own;                      // [threads]: planes, packed dy, offsets
    size_t own_size;
} Weights;

// ---- the operand

static size_t tap_offset(const Weights *b, size_t k)
{
    const size_t c = k % b->conv.in, tap = k / b->conv.in, width = (size_t)b->conv.s.kernel_width;
    return (size_t)b->conv.s.dilation * (tap / width * b->line + tap % width * b->conv.in) + c;
}

// Columns k .. k + count - 1: they lie side by side while their taps do.
static size_t column_pieces(const Weights *b, size_t k, size_t count, Piece pieces[WIDTH])
{
    const size_t run = b->conv.in * (b->conv.s.dilation == 1 ? (size_t)b->conv.s.kernel_width : 1);
    size_t n = 0;
    for (size_t to = 0; to < count; to += pieces[n++].lanes) {
        const size_t left = MIN(run - (k + to) % run, count - to);
        pieces[n] = (Piece){tap_offset(b, k + to), to, MIN(left, LANES)};
    }
    return n;
}

// One image's planes; what lies outside of the image stays 0.
static void interleave(const Weights *b, float *planes, const float *image)
{
    const Conv *x = &b->conv;
    const size_t width = (size_t)x->s.width, pad = (size_t)x->s.pad;
    const size_t plane = (size_t)x->s.height * width;
    for (size_t h = 0; h < (size_t)x->s.height; h++) {
        float *to = planes + (h + pad) * b->line + pad * x->in;
        const float *from = image + h * width;
        if (x->in % LANES == 0) {
            pack(to, x->in, from, 1, plane, width, x->in);
            continue;
        }
        for (size_t c = 0; c < x->in; c++)
            for (size_t j = 0; j < width; j++) to[j * x->in + c] = from[c * plane + j];
    }
}

// ---- one thread's share

// Pixels p .. p + depth - 1 of the chunk that begins at image `first`: their part of the sums of one block
// of columns.
static void multiply_pass(const Weights *b, float *sums, const float *planes, float *strips,
                          const unsigned *offsets, size_t first, size_t g, size_t p, size_t depth,
                          size_t block, float beta)
{
    const Conv *x = &b->conv;
    const size_t count = strips_of(x->out), channels = x->out * x->groups;
    for (size_t j = 0, run; j < depth; j += run) {
        const size_t image = first + (p + j) / x->pixels, pixel = (p + j) % x->pixels;
        run = MIN(depth - j, x->pixels - pixel);
        for (size_t s = 0; s < count; s++) {
            const size_t o = strip_first(x->out, s), rows = strip_first(x->out, s + 1) - o;
            pack(strips + (s * depth + j) * STEP, STEP,
                 b->dy + (image * channels + g * x->out + o) * x->pixels + pixel, 1, x->pixels, run,
                 rows);
        }
    }
    _Alignas(64) float panel[PASS * WIDTH + LANES];
    for (size_t t = b->panels * block / b->blocks; t < b->panels * (block + 1) / b->blocks; t++) {
        Piece pieces[WIDTH];
        const size_t k = t * WIDTH, width = MIN(WIDTH, b->row - k);
        pack_pieces(panel, width, planes, offsets + p, depth, pieces,
                    column_pieces(b, k, MIN(width, x->taps - k), pieces));
        TileWork work = {.a_step = STEP,
                         .b = panel,
                         .b_row = width,
                         .c_row = b->row,
                         .k = depth,
                         .cols = width,
                         .beta = beta};
        for (size_t s = 0; s < count; s++) {
            const size_t o = strip_first(x->out, s), rows = strip_first(x->out, s + 1) - o;
            work.a = strips + s * depth * STEP;
            work.c = sums + o * b->row + k;
            CPU(tiles)[A_ADJACENT][rows - 1][width / LANES - 1](&work);
        }
    }
}

static void sum_part(const Weights *b, float *own, size_t part, size_t g, size_t block)
{
    const Conv *x = &b->conv;
    float *strips = own, *planes = strips + strips_of(x->out) * STEP * PASS;
    unsigned *offsets = (unsigned *)(void *)(planes + x->images * b->image + LANES);
    float *sums = b->sums + (part * x->groups + g) * x->out * b->row;
    float beta = 0;
    const size_t last = x->batch * (part + 1) / b->parts;
    for (size_t first = x->batch * part / b->parts, images; first < last; first += images) {
        images = MIN(x->images, last - first);
        for (size_t i = 0; i < images; i++)
            interleave(b, planes + i * b->image,
                       b->x + ((first + i) * x->groups + g) * (conv_image(x->s) / x->groups));
        for (size_t p = 0, depth; p < images * x->pixels; p += depth, beta = 1) {
            depth = MIN(PASS, images * x->pixels - p);
            multiply_pass(b, sums, planes, strips, offsets, first, g, p, depth, block, beta);
        }
    }
}

static void sum_share(const Weights *b, size_t threads, size_t t)
{
    const Conv *x = &b->conv;
    const size_t units = b->parts * x->groups * b->blocks;
    float *own = b->own + t * b->own_size;
    float *planes = own + strips_of(x->out) * STEP * PASS;
    unsigned *offset = (unsigned *)(void *)(planes + x->images * b->image + LANES);
    memset(planes, 0, (x->images * b->image + LANES) * sizeof *planes);
    for (size_t i = 0; i < x->images; i++)
        for (size_t p = 0; p < x->pixels; p++)
            *offset++ = (unsigned)(i * b->image +
                                   x->stride * (p / x->width * b->line + p % x->width * x->in));
    for (size_t unit = units * t / threads; unit < units * (t + 1) / threads; unit++)
        sum_part(b, own, unit / b->blocks / x->groups, unit / b->blocks % x->groups,
                 unit % b->blocks);
}

// ---- the parts together

// Channels of dy from thread t: the parts of each are added in order and sorted as (c,u,v).
static void add_share(const Weights *b, size_t threads, size_t t)
{
    const Conv *x = &b->conv;
    const size_t channels = x->out * x->groups, size = x->taps / x->in;
    for (size_t o = channels * t / threads; o < channels * (t + 1) / threads; o++) {
        float *sum = b->sums + o * b->row, *dw = b->dw + o * x->taps;
        for (size_t part = 1; part < b->parts; part++) {
            const float *more = sum + part * channels * b->row;
            for (size_t k = 0; k < b->row; k += LANES)
                vec_store(sum + k, vec_load(sum + k) + vec_load(more + k));
        }
        for (size_t c = 0; c < x->in; c++)
            for (size_t k = 0; k < size; k++, dw++)
                *dw = b->beta == 0 ? sum[k * x->in + c] : b->beta * *dw + sum[k * x->in + c];
    }
}

void CPU(conv2d_backward_weight)(float *dw, const float *dy, const float *x, float beta,
                                 ConvShape s)
{
    Weights b = {.conv = conv_of(s), .dw = dw, .dy = dy, .x = x, .beta = beta};
    Conv *conv = &b.conv;
    const size_t count = conv_weights(s), pixels = conv->batch * conv->pixels;
    if (count == 0) return;
    if (pixels == 0) {    // nothing to sum
        for (size_t i = 0; i < count; i++) dw[i] = beta == 0 ? 0 : beta * dw[i];
        return;
    }
    b.line = (size_t)(s.width + 2 * s.pad) * conv->in;
    b.image = (size_t)(s.height + 2 * s.pad) * b.line;
    b.row = (conv->taps + LANES - 1) / LANES * LANES;
    b.panels = (b.row + WIDTH - 1) / WIDTH;
    for (b.parts = 1; 2 * b.parts <= MIN(PARTS_MOST, conv->batch) &&
                      2 * b.parts * (size_t)s.out * b.row <= SUMS_MOST;)
        b.parts *= 2;
    conv->images = MAX(MIN(CHUNK / b.image, (conv->batch + b.parts - 1) / b.parts), 1);

    const size_t work = pixels * count;
    const int threads = team_size(work, CONV_SERIAL);
    const size_t units = b.parts * conv->groups;
    b.blocks = MIN(((size_t)threads + units - 1) / units, b.panels);
    b.own_size = lines_of(strips_of(conv->out) * STEP * PASS +
                          conv->images * (b.image + conv->pixels) + LANES);
    const size_t sums = lines_of(b.parts * (size_t)s.out * b.row);
    b.sums = workspace(workspace_room(sums, b.own_size));
    b.own = b.sums + sums;
    ON_TEAM(threads, work, CONV_SERIAL, sum_share(&b, (size_t)threads, t));
    const int adders = team_size(b.parts * count, ADD_SERIAL);
    ON_TEAM(adders, b.parts * count, ADD_SERIAL, add_share(&b, (size_t)adders, t));
}
