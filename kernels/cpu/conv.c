/* conv.c -- convolution forward, and the gradient of its input. See conv.h for the operand that both are
 * made of.
 *
 * Forward: y = w col, a panel of WIDTH pixels at a time, which may span images: so images of few pixels fill
 * whole vectors too. The panel is packed once, a tenth of the time or less, and all channels of the output
 * pass over it. The bias is one more tap, which reads 1.
 *
 * Backward: the gradient of col is w' dy; its tiles are added where their taps read and never stored
 * ("col2im"). A forward convolution of dy with w turned round would multiply by the zeros of its padding,
 * 2.25 times the work in LeNet's second layer, and by those that a stride leaves.
 *
 * One path serves all shapes. It is at its weakest with few channels of output in a group, above all where each
 * channel is a group: then a tile has one row.
 */
#include <string.h>
#include "kernels/cpu/conv.h"

enum {
    DEPTH = 640,    // taps in one pass of the forward
    BLOCK = 16,     // channels at least of a block, in the gradient
    CHUNKS = 16,    // at least, where the batch has so many images, in the gradient
};

// What forward and backward have in common.
typedef struct Pass {
    Conv conv;
    size_t depth, strips;    // of the packed weights, of one group or block
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

// A tile's columns are pixels p.. of the chunk that begins at image `first`, its rows channels of the output:
// stored image by image.
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

// Pixels p .. p + cols - 1 of the chunk that begins at image `first`, all channels of a group.
static void multiply_panel(const Forward *f, const float *planes, size_t first, size_t g, size_t p,
                           size_t cols)
{
    const Conv *x = &f->pass.conv;
    const size_t vectors = (cols + LANES - 1) / LANES, width = vectors * LANES;
    _Alignas(64) float panel[DEPTH * WIDTH + LANES], sum[(STEP + 1) * WIDTH];
    Piece pieces[WIDTH];
    const size_t count = conv_pieces(x, p, cols, LANES, pieces);
    const bool direct =
        p / x->pixels == (p + cols - 1) / x->pixels && (LANES == 16 || cols == width);
    for (size_t k = 0; k < MAX(f->pass.depth, 1); k += DEPTH) {
        const size_t depth = MIN(DEPTH, f->pass.depth - k);
        const size_t taps = MIN(depth, x->taps - k);
        pack_pieces(panel, width, planes, f->pass.offsets + k, taps, pieces, count);
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

// Thread t of `threads`. The units of work are panels, of a group of a chunk: a thread's lie side by side.
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
                conv_pad(x, planes + i * x->image, f->x + (first + i) * image + g * group, x->in);
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
    f.pass.own = lines_of(conv->images * conv->image + LANES);
    const size_t work = conv->batch * conv->groups * conv->out * conv->pixels * f.pass.depth;
    const size_t weights = lines_of(conv->groups * f.pass.strips * f.pass.depth * STEP);
    const size_t offsets = lines_of(conv->taps);
    const int threads = team_size(work, CONV_SERIAL);
    f.pass.weights = workspace(workspace_room(weights + offsets, f.pass.own));
    f.pass.offsets = (unsigned *)(void *)(f.pass.weights + weights);
    f.pass.planes = f.pass.weights + weights + offsets;
    pack_weights(&f);
    unsigned *offset = f.pass.offsets;
    for (size_t c = 0; c < conv->in; c++)
        for (size_t u = 0; u < (size_t)s.kernel_height; u++)
            for (size_t v = 0; v < (size_t)s.kernel_width; v++)
                *offset++ = (unsigned)conv_tap(conv, c, u, v);
    ON_TEAM(threads, work, CONV_SERIAL, forward_share(&f, (size_t)threads, t));
}

// ---- backward: the input's gradient

// The chunks are shared by the threads, and where there are too few the blocks of a group's channels are. Both
// depend on the shape alone: where a panel or a strip ends decides in which order a pixel's terms are added.
typedef struct Backward {
    Pass pass;
    float *dx;
    const float *dy, *w;
    float beta;
    size_t blocks;          // of a group's channels
    size_t across, down;    // parts of the chunks, parts of the blocks
} Backward;

static size_t channel_first(const Backward *b, size_t block)
{
    return b->pass.conv.in * block / b->blocks;
}

// The rows of a block's product: its taps, the channels innermost. So neighbours lie in different planes, and
// no sum waits for the one before it.
static size_t block_rows(const Backward *b, size_t block)
{
    const ConvShape s = b->pass.conv.s;
    return (channel_first(b, block + 1) - channel_first(b, block)) * (size_t)s.kernel_height *
           (size_t)s.kernel_width;
}

static float *block_weights(const Backward *b, size_t block, size_t g)
{
    return b->pass.weights +
           (block * b->pass.conv.groups + g) * b->pass.strips * b->pass.depth * STEP;
}

static unsigned *block_offsets(const Backward *b, size_t block)
{
    const Conv *x = &b->pass.conv;
    return b->pass.offsets + channel_first(b, block) * (x->taps / x->in);
}

static void pack_block(const Backward *b, size_t block)
{
    const Conv *x = &b->pass.conv;
    const size_t first = channel_first(b, block), channels = channel_first(b, block + 1) - first;
    const size_t height = (size_t)x->s.kernel_height, width = (size_t)x->s.kernel_width;
    const size_t rows = block_rows(b, block);
    unsigned *offset = block_offsets(b, block);
    for (size_t k = 0; k < rows; k++) {
        const size_t c = first + k % channels, u = k / channels % height, v = k / channels / height;
        offset[k] = (unsigned)conv_tap(x, c, u, v);
    }
    for (size_t g = 0; g < x->groups; g++)
        for (size_t s = 0; s < strips_of(rows); s++) {
            float *to = block_weights(b, block, g) + s * b->pass.depth * STEP;
            for (size_t k = strip_first(rows, s); k < strip_first(rows, s + 1); k++, to++) {
                const size_t c = first + k % channels, u = k / channels % height,
                             v = k / channels / height;
                const float *from = b->w + g * x->out * x->taps + (c * height + u) * width + v;
                for (size_t o = 0; o < x->out; o++) to[o * STEP] = from[o * x->taps];
            }
        }
}

// What is added at once: 32 bytes. Most stores of 64 bytes would cross a cache line, and LeNet's second layer take
// 1.3 times as long.
enum { PART = MIN(LANES, 8) };    // NOLINT(bugprone-branch-clone): LANES may be 8
typedef float Part __attribute__((vector_size(4 * PART), aligned(4), may_alias));
typedef int PartMask __attribute__((vector_size(4 * PART)));

// Adds rows of the product where their taps read; behind the end of a piece it adds 0.
static void add_rows(float *planes, const unsigned *offsets, size_t rows, const float *sum,
                     const Piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PartMask keep = {0};
        for (int l = 0; l < PART; l++) keep[l] = -((size_t)l < pieces[i].lanes);
        for (size_t r = 0; r < rows; r++) {
            const Part more = *(const Part *)(sum + r * WIDTH + pieces[i].to);
            *(Part *)(planes + offsets[r] + pieces[i].from) += (Part)((PartMask)more & keep);
        }
    }
}

// Columns p.. of the chunk that begins at image `first`, for some blocks. `panel` is room for them.
static void multiply_back(const Backward *b, float *planes, float *panel, size_t block, size_t last,
                          size_t first, size_t g, size_t p, size_t cols)
{
    const Conv *x = &b->pass.conv;
    const size_t vectors = (cols + LANES - 1) / LANES, row = WIDTH + LANES;
    const size_t channels = x->out * x->groups;
    const float *dy = b->dy + (first * channels + g * x->out) * x->pixels;
    Piece pieces[WIDTH];
    const size_t count = conv_pieces(x, p, cols, PART, pieces);
    for (size_t j = 0, run; j < cols; j += run) {
        const size_t image = (p + j) / x->pixels, pixel = (p + j) % x->pixels;
        run = MIN(cols - j, x->pixels - pixel);
        copy_rows(panel + j, row, dy + image * channels * x->pixels + pixel, x->pixels, x->out,
                  run);
    }
    _Alignas(64) float sum[(ROWS + 1) * WIDTH];
    TileWork work = {.a_step = STEP,
                     .b = panel,
                     .b_row = row,
                     .c = sum,
                     .c_row = WIDTH,
                     .k = x->out,
                     .cols = vectors * LANES};
    const size_t next = (p + WIDTH) / x->pixels * channels * x->pixels + (p + WIDTH) % x->pixels;
    const size_t strips = (last - block) * b->pass.strips;
    for (size_t done = 0; block < last; block++) {
        const size_t rows = block_rows(b, block);
        for (size_t s = 0; s < strips_of(rows); s++, done++) {
            const size_t k = strip_first(rows, s), height = strip_first(rows, s + 1) - k;
            work.a = block_weights(b, block, g) + s * b->pass.depth * STEP;
            CPU(tiles)[A_ADJACENT][height - 1][vectors - 1](&work);
            add_rows(planes, block_offsets(b, block) + k, height, sum, pieces, count);
            for (size_t o = x->out * done / strips; o < x->out * (done + 1) / strips;
                 o++)    // the next panel
                for (size_t j = 0; j < WIDTH; j += 16)
                    __builtin_prefetch(dy + o * x->pixels + next + j);
        }
    }
}

// Thread t.
static void backward_share(const Backward *b, size_t t)
{
    const Conv *x = &b->pass.conv;
    if (t >= b->across * b->down) return;
    const size_t block = b->blocks * (t / b->across) / b->down;
    const size_t last = b->blocks * (t / b->across + 1) / b->down;
    const size_t channel = channel_first(b, block), channels = channel_first(b, last) - channel;
    const size_t pixels = (size_t)x->s.height * (size_t)x->s.width;
    float *panel = b->pass.planes + t * b->pass.own;
    float *planes = panel + (WIDTH + LANES) * (x->out + 1);
    for (size_t chunk = x->chunks * (t % b->across) / b->across;
         chunk < x->chunks * (t % b->across + 1) / b->across; chunk++) {
        const size_t first = chunk * x->images, images = MIN(x->images, x->batch - first);
        for (size_t g = 0; g < x->groups; g++) {
            for (size_t i = 0; i < images; i++)
                memset(planes + i * x->image + channel * x->plane, 0,
                       channels * x->plane * sizeof *planes);
            for (size_t p = 0; p < images * x->pixels; p += WIDTH)
                multiply_back(b, planes, panel, block, last, first, g, p,
                              MIN(WIDTH, images * x->pixels - p));
            for (size_t i = 0; i < images; i++)
                conv_unpad(x, b->dx + (((first + i) * x->groups + g) * x->in + channel) * pixels,
                           planes + i * x->image + channel * x->plane, channels, b->beta);
        }
    }
}

void CPU(conv2d_backward_input)(float *dx, const float *dy, const float *w, float beta, ConvShape s)
{
    Backward b = {.pass = {.conv = conv_of(s)}, .dx = dx, .dy = dy, .w = w, .beta = beta};
    Conv *x = &b.pass.conv;
    if (x->batch == 0 || conv_image(s) == 0) return;
    x->images = MAX(MIN(x->images, x->batch / CHUNKS), 1);
    x->chunks = (x->batch + x->images - 1) / x->images;
    b.pass.depth = x->out;
    const size_t work = x->batch * x->groups * x->out * x->pixels * x->taps;
    const int threads = team_size(work, CONV_SERIAL);
    b.across = MIN((size_t)threads, x->chunks);
    b.blocks = MAX(x->in / BLOCK, 1);
    b.down = MIN((size_t)threads / b.across, b.blocks);
    for (size_t block = 0; block < b.blocks; block++)
        b.pass.strips = MAX(b.pass.strips, strips_of(block_rows(&b, block)));
    const size_t weights = lines_of(b.blocks * x->groups * b.pass.strips * b.pass.depth * STEP);
    const size_t offsets = lines_of(x->taps);
    b.pass.own = (WIDTH + LANES) * (x->out + 1) + lines_of(x->images * x->image + LANES);
    b.pass.weights = workspace(workspace_room(weights + offsets, b.pass.own));
    b.pass.offsets = (unsigned *)(void *)(b.pass.weights + weights);
    b.pass.planes = b.pass.weights + weights + offsets;
    for (size_t block = 0; block < b.blocks; block++) pack_block(&b, block);
    ON_TEAM(threads, work, CONV_SERIAL, backward_share(&b, t));
}
