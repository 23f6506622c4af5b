/* conv.c -- convolution forward, and the gradient of its input. See conv.h for the operand that both are
 * made of.
 *
 * Forward: y = w col, a panel of WIDTH pixels at a time, which may span images. The panel is packed once
 * (a few per cent of the time) and all channels of the output pass over it. The bias is one more tap,
 * which reads 1.
 *
 * Backward: col's gradient = w' dy, whose tiles are added where the taps read, before they reach memory
 * ("col2im"). Of the two ways, this one multiplies nothing by the padding's or a stride's zeros.
 */
#include <string.h>
#include "kernels/cpu/conv.h"

enum { DEPTH = 640 };    // taps in one pass

static size_t strips_of(size_t rows)
{
    return (rows + ROWS - 1) / ROWS;
}

static size_t strip_first(size_t rows, size_t strip)
{
    return strip * (rows / strips_of(rows)) + MIN(strip, rows % strips_of(rows));
}

typedef struct Pass {
    Conv conv;
    size_t depth, strips;    // of one group
    float *weights;          // packed: [groups,strips,depth,STEP]
    unsigned *offsets;       // where each tap reads
    float *planes;           // [threads,own]
    size_t own;
} Pass;

// ---- forward

typedef struct Forward {
    Pass pass;
    float *y;
    const float *x, *w, *bias;
} Forward;

static void pack_weights(const Forward *f)
{
    const Conv *x = &f->pass.conv;
    const size_t depth = f->pass.depth;
    float *to = f->pass.weights;
    for (size_t g = 0; g < x->groups; g++)
        for (size_t s = 0; s < f->pass.strips; s++, to += STEP * depth) {
            const size_t first = strip_first(x->out, s), rows = strip_first(x->out, s + 1) - first;
            const size_t o = g * x->out + first;
            pack(to, STEP, f->w + o * x->taps, 1, x->taps, x->taps, rows);
            for (size_t r = 0; f->bias && r < rows; r++) to[x->taps * STEP + r] = f->bias[o + r];
        }
}

// Inlined with a constant count. A piece may write up to LANES - 1 floats too many: they belong to the next
// piece or the next tap, which come later.
INLINED void pack_taps(const size_t count, float *panel, size_t width, const float *planes,
                       const unsigned *offsets, size_t taps, const Piece *pieces)
{
    for (size_t k = 0; k < taps; k++, panel += width) {
        const float *from = planes + offsets[k];
        UNROLL
        for (size_t i = 0; i < count; i++)
            vec_store(panel + pieces[i].to, vec_load(from + pieces[i].from));
    }
}

#define EACH_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
static void pack_panel(float *panel, size_t width, const float *planes, const unsigned *offsets,
                       size_t taps, const Piece *pieces, size_t count)
{
#define X(n)                                                                                       \
    case n: pack_taps(n, panel, width, planes, offsets, taps, pieces); break;
    switch (count) {
        EACH_COUNT(X)
    default: pack_taps(count, panel, width, planes, offsets, taps, pieces);
    }
#undef X
}

// Columns p.. of the chunk that begins at image `first`, of rows o..: where they lie in y, image by image.
static void store_columns(const Forward *f, size_t first, size_t p, size_t cols, size_t channel,
                          size_t rows, const float *sum, float beta)
{
    const Conv *x = &f->pass.conv;
    const size_t channels = x->out * x->groups;
    for (size_t j = 0, run; j < cols; j += run) {
        const size_t image = first + (p + j) / x->pixels, pixel = (p + j) % x->pixels;
        run = MIN(cols - j, x->pixels - pixel);
        store_edge(f->y + (image * channels + channel) * x->pixels + pixel, x->pixels, sum + j,
                   rows, run, beta);
    }
}

static void multiply_panel(const Forward *f, const float *planes, size_t first, size_t g, size_t p,
                           size_t cols)
{
    const Conv *x = &f->pass.conv;
    const size_t vectors = (cols + LANES - 1) / LANES, width = vectors * LANES;
    _Alignas(64) float panel[DEPTH * WIDTH + LANES], sum[(STEP + 1) * WIDTH];
    Piece pieces[WIDTH];
    const size_t count = conv_pieces(x, p, cols, pieces);
    const bool direct =
        p / x->pixels == (p + cols - 1) / x->pixels && (LANES == 16 || cols == width);
    for (size_t k = 0; k < MAX(f->pass.depth, 1); k += DEPTH) {
        const size_t depth = MIN(DEPTH, f->pass.depth - k);
        const size_t taps = MIN(depth, x->taps - k);
        pack_panel(panel, width, planes, f->pass.offsets + k, taps, pieces, count);
        for (size_t j = 0; taps < depth && j < width; j++) panel[taps * width + j] = 1;
        TileWork work = {.a_step = STEP, .b = panel, .b_row = width, .k = depth, .cols = cols};
        for (size_t s = 0; s < f->pass.strips; s++) {
            const size_t row = strip_first(x->out, s), rows = strip_first(x->out, s + 1) - row;
            const size_t o = g * x->out + row;
            work.a = f->pass.weights + ((g * f->pass.strips + s) * f->pass.depth + k) * STEP;
            Tile *const compute = CPU(tiles)[A_ADJACENT][rows - 1][vectors - 1];
            if (direct) {
                work.c = f->y + ((first + p / x->pixels) * x->out * x->groups + o) * x->pixels +
                         p % x->pixels;
                work.c_row = x->pixels;
                work.beta = k > 0;
                compute(&work);
            } else {
                work.c = sum;
                work.c_row = WIDTH;
                compute(&work);
                store_columns(f, first, p, cols, o, rows, sum, k > 0);
            }
        }
    }
}

// The units of work are panels, of a group of a chunk: a thread's lie side by side.
static void forward_share(const Forward *f, size_t threads, size_t t)
{
    const Conv *x = &f->pass.conv;
    const size_t panels = (x->images * x->pixels + WIDTH - 1) / WIDTH;
    const size_t units = x->chunks * x->groups * panels;
    const size_t image = conv_image(x->s), group = image / x->groups;
    float *planes = f->pass.planes + t * f->pass.own;
    memset(planes, 0, f->pass.own * sizeof *planes);
    size_t here = SIZE_MAX;    // the group of a chunk that the planes hold
    for (size_t unit = units * t / threads; unit < units * (t + 1) / threads; unit++) {
        const size_t g = unit / panels % x->groups, p = unit % panels * WIDTH;
        const size_t first = unit / panels / x->groups * x->images;
        const size_t images = MIN(x->images, x->batch - first);
        if (p >= images * x->pixels) continue;
        if (here != unit / panels) {
            here = unit / panels;
            for (size_t i = 0; i < images; i++)
                conv_pad(x, planes + i * x->image, f->x + (first + i) * image + g * group);
        }
        multiply_panel(f, planes, first, g, p, MIN(WIDTH, images * x->pixels - p));
    }
}

void CPU(conv2d)(float *y, const float *x, const float *w, const float *bias, ConvShape s)
{
    Forward f = {{.conv = conv_of(s)}, y, x, w, bias};
    const Conv *conv = &f.pass.conv;
    if (conv->batch == 0 || conv->out == 0 || conv->pixels == 0) return;
    f.pass.depth = conv->taps + (bias != NULL);
    f.pass.strips = strips_of(conv->out);
    f.pass.own = conv->images * conv->image + LANES;
    const size_t work = conv->batch * conv->groups * conv->out * conv->pixels * f.pass.depth;
    const size_t weights = conv->groups * f.pass.strips * f.pass.depth * STEP;
    const int threads = team_size(work, CONV_SERIAL);
    f.pass.weights = workspace(weights + conv->taps + (size_t)threads * f.pass.own);
    f.pass.offsets = (unsigned *)(void *)(f.pass.weights + weights);
    f.pass.planes = f.pass.weights + weights + conv->taps;
    pack_weights(&f);
    unsigned *offset = f.pass.offsets;
    for (size_t c = 0; c < conv->in; c++)
        for (size_t u = 0; u < (size_t)s.kernel_height; u++)
            for (size_t v = 0; v < (size_t)s.kernel_width; v++)
                *offset++ = (unsigned)conv_tap(conv, c, u, v);
    ON_TEAM(threads, work, forward_share(&f, (size_t)threads, t));
}
