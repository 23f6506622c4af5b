/* pool.c -- pooling. Windows of 2 by 2 side by side, which stand behind most convolutions, have loops of
 * their own; the others go tap by tap, a tap being one place of the window for a whole row of outputs.
 * A plane is one thread's.
 */
#include <math.h>
#include <string.h>
#include "kernels/cpu/loops.h"

// Outputs first .. end - 1 of a row have tap `tap` of their window inside of the image, where it reads from
// pixel `from` on.
typedef struct Reach {
    size_t first, end, from;
} Reach;

static Reach reach_of(int tap, int size, PoolShape s)
{
    const int outside = s.pad - tap, last = size - 1 + s.pad - tap;    // in pixels
    const int first = outside > 0 ? (outside + s.stride - 1) / s.stride : 0;
    const int end = last < 0 ? 0 : MIN(last / s.stride + 1, pool_size(size, s));
    return first < end ? (Reach){(size_t)first, (size_t)end, (size_t)(first * s.stride - outside)}
                       : (Reach){0};
}

// Row `row` of the plane's outputs, tap row by tap row: i is the row of x.
#define EACH_TAP_ROW(i, row, s)                                                                    \
    for (int i = MAX((row) * (s).stride - (s).pad, 0),                                             \
             end_ = MIN((row) * (s).stride - (s).pad + (s).kernel, (s).height);                    \
         i < end_; i++)

static bool is_two_by_two(PoolShape s)
{
    return s.kernel == 2 && s.stride == 2 && s.pad == 0;
}

static size_t plane_in(PoolShape s)
{
    return (size_t)s.height * (size_t)s.width;
}

static size_t plane_out(PoolShape s)
{
    return (size_t)pool_size(s.height, s) * (size_t)pool_size(s.width, s);
}

// ---- max

// Whether x takes b's place: it is larger, or the first NaN.
#define BEATS(x, b) (!((x) <= (b)) & ((b) == (b)))

// n outputs of two rows of x, the first pixel at `place` in the plane and the rows `width` apart.
static inline void max_of_squares(float *y, int32_t *at, const float *top, size_t width,
                                  int32_t place, size_t n)
{
    const float *bottom = top + width;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float a = top[2 * j], b = top[2 * j + 1], c = bottom[2 * j], d = bottom[2 * j + 1];
        const int32_t right = BEATS(b, a), below_right = BEATS(d, c);
        const float above = right ? b : a, below = below_right ? d : c;
        const int32_t down = BEATS(below, above);
        y[j] = down ? below : above;
        at[j] = place + 2 * (int32_t)j + (down ? (int32_t)width + below_right : right);
    }
}

// The row in blocks of a size that the compiler knows; the last overlaps the one before it.
#define IN_BLOCKS(j, n, ...)                                                                       \
    do {                                                                                           \
        if (LANES >= 16 && (n) >= 16) {                                                            \
            IN_BLOCKS_OF(16, j, n, __VA_ARGS__);                                                   \
        } else if (LANES >= 8 && (n) >= 8) {                                                       \
            IN_BLOCKS_OF(8, j, n, __VA_ARGS__);                                                    \
        } else if ((n) >= 4) {                                                                     \
            IN_BLOCKS_OF(4, j, n, __VA_ARGS__);                                                    \
        } else {                                                                                   \
            IN_BLOCKS_OF(1, j, n, __VA_ARGS__);                                                    \
        }                                                                                          \
    } while (0)
#define IN_BLOCKS_OF(size, j, n, ...)                                                              \
    for (size_t next_ = 0, block = (size); next_ < (n); next_ += block) {                          \
        const size_t j = MIN(next_, (n)-block);                                                    \
        __VA_ARGS__;                                                                               \
    }

static void max_plane_of_squares(float *y, int32_t *at, const float *x, PoolShape s)
{
    const size_t width = (size_t)s.width, rows = (size_t)s.height / 2, cols = width / 2;
    for (size_t i = 0; i < rows; i++, y += cols, at += cols) {
        const size_t place = 2 * i * width;
        IN_BLOCKS(j, cols,
                  max_of_squares(y + j, at + j, x + place + 2 * j, width, (int32_t)(place + 2 * j),
                                 block));
    }
}

static void max_row(float *y, int32_t *at, const float *x, int row, PoolShape s)
{
    const size_t cols = (size_t)pool_size(s.width, s), stride = (size_t)s.stride;
    const int top = MAX(row * s.stride - s.pad, 0);
    for (size_t j = 0; j < cols; j++) {
        y[j] = -INFINITY;
        at[j] = top * s.width + MAX((int)j * s.stride - s.pad, 0);
    }
    EACH_TAP_ROW (i, row, s)
        for (int tap = 0; tap < s.kernel; tap++) {
            const Reach r = reach_of(tap, s.width, s);
            const int32_t place = i * s.width + (int32_t)r.from;
            const float *from = x + place;
#pragma omp simd
            for (size_t j = r.first; j < r.end; j++) {
                const size_t step = (j - r.first) * stride;
                const bool beats = BEATS(from[step], y[j]);
                y[j] = beats ? from[step] : y[j];
                at[j] = beats ? place + (int32_t)step : at[j];
            }
        }
}

static void max_plane(float *y, int32_t *at, const float *x, PoolShape s)
{
    const int rows = pool_size(s.height, s), cols = pool_size(s.width, s);
    if (is_two_by_two(s)) max_plane_of_squares(y, at, x, s);
    else
        for (int row = 0; row < rows; row++) max_row(y + row * cols, at + row * cols, x, row, s);
}

void CPU(max_pool)(float *y, int32_t *at, const float *x, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT, max_plane(y + p * out, at + p * out, x + p * in, s));
}

// dx = beta dx; beta 0 does not read it.
static void scale_plane(float *dx, float beta, size_t n)
{
    if (beta == 1.0f) return;
    if (beta == 0.0f) memset(dx, 0, n * sizeof *dx);
    else
        for (size_t i = 0; i < n; i++) dx[i] *= beta;
}

// The inverse of max_of_squares: all four of a window are written.
static inline void pull_squares(float *top, const float *dy, const int32_t *at, size_t width,
                                int32_t place, size_t n)
{
    float *bottom = top + width;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const int32_t which = at[j] - place - 2 * (int32_t)j, below = (int32_t)width;
        const float a = which == 0 ? dy[j] : 0.0f, b = which == 1 ? dy[j] : 0.0f,
                    c = which == below ? dy[j] : 0.0f, d = which == below + 1 ? dy[j] : 0.0f;
        top[2 * j] = a;
        top[2 * j + 1] = b;
        bottom[2 * j] = c;
        bottom[2 * j + 1] = d;
    }
}

static void pull_plane_of_squares(float *dx, const float *dy, const int32_t *at, PoolShape s)
{
    const size_t width = (size_t)s.width, rows = (size_t)s.height / 2, cols = width / 2;
    for (size_t i = 0; i < rows; i++, dy += cols, at += cols) {
        const size_t place = 2 * i * width;
        IN_BLOCKS(j, cols,
                  pull_squares(dx + place + 2 * j, dy + j, at + j, width, (int32_t)(place + 2 * j),
                               block));
        if (width % 2) dx[place + width - 1] = dx[place + 2 * width - 1] = 0.0f;
    }
    if (s.height % 2) memset(dx + 2 * rows * width, 0, width * sizeof *dx);
}

static void max_pool_backward_plane(float *dx, const float *dy, const int32_t *at, float beta,
                                    PoolShape s)
{
    if (is_two_by_two(s) && beta == 0.0f) {
        pull_plane_of_squares(dx, dy, at, s);
        return;
    }
    scale_plane(dx, beta, plane_in(s));
    for (size_t i = 0; i < plane_out(s); i++) dx[at[i]] += dy[i];
}

void CPU(max_pool_backward)(float *dx, const float *dy, const int32_t *at, float beta, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT,
             max_pool_backward_plane(dx + p * in, dy + p * out, at + p * out, beta, s));
}

// ---- mean

static void avg_plane(float *y, const float *x, PoolShape s)
{
    const size_t cols = (size_t)pool_size(s.width, s), stride = (size_t)s.stride;
    const float share = 1.0f / (float)(s.kernel * s.kernel);
    for (int row = 0; row < pool_size(s.height, s); row++, y += cols) {
        memset(y, 0, cols * sizeof *y);
        EACH_TAP_ROW (i, row, s)
            for (int tap = 0; tap < s.kernel; tap++) {
                const Reach r = reach_of(tap, s.width, s);
                const float *from = x + (size_t)i * (size_t)s.width + r.from;
#pragma omp simd
                for (size_t j = r.first; j < r.end; j++) y[j] += share * from[(j - r.first) * stride];
            }
    }
}

void CPU(avg_pool)(float *y, const float *x, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT, avg_plane(y + p * out, x + p * in, s));
}

static void avg_pool_backward_plane(float *dx, const float *dy, float beta, PoolShape s)
{
    const size_t cols = (size_t)pool_size(s.width, s), stride = (size_t)s.stride;
    const float share = 1.0f / (float)(s.kernel * s.kernel);
    scale_plane(dx, beta, plane_in(s));
    for (int row = 0; row < pool_size(s.height, s); row++, dy += cols)
        EACH_TAP_ROW (i, row, s)
            for (int tap = 0; tap < s.kernel; tap++) {
                const Reach r = reach_of(tap, s.width, s);
                float *to = dx + (size_t)i * (size_t)s.width + r.from;
#pragma omp simd
                for (size_t j = r.first; j < r.end; j++)
                    to[(j - r.first) * stride] += share * dy[j];
            }
}

void CPU(avg_pool_backward)(float *dx, const float *dy, float beta, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT, avg_pool_backward_plane(dx + p * in, dy + p * out, beta, s));
}
