/* pool.c -- pooling. Windows of 2 by 2 side by side, which stand behind most convolutions, have loops of
 * their own; the others go tap by tap, a tap being one place of the window for a whole row of outputs.
 * A plane is one thread's.
 */
#include <math.h>
#include <string.h>
#include "kernels/cpu/loops.h"

// Outputs first .. end - 1 of a row have one tap of their windows inside of the image; it reads from pixel
// `from` on.
typedef struct Reach {
    int first, end, from;
} Reach;

// From the reach of the tap before: without a division, of which a row of few outputs would have too many.
static Reach next_reach(Reach before, int tap, PoolShape s)
{
    Reach r = before;
    while (r.first > 0 && (r.first - 1) * s.stride >= s.pad - tap) r.first--;
    while (r.end > 0 && (r.end - 1) * s.stride >= s.width + s.pad - tap) r.end--;
    r.from = r.first * s.stride - s.pad + tap;
    if (r.end < r.first) r.end = r.first;
    return r;
}

static Reach first_reach(PoolShape s)
{
    const int cols = pool_size(s.width, s);
    return next_reach((Reach){cols, cols, 0}, 0, s);
}

// Row `row` of the plane's outputs, tap row by tap row: i is the row of x.
#define EACH_TAP_ROW(i, row, s)                                                                    \
    for (int i = MAX((row) * (s).stride - (s).pad, 0),                                             \
             end_ = MIN((row) * (s).stride - (s).pad + (s).kernel, (s).height);                    \
         i < end_; i++)

// The usual strides as constants, with which the compiler makes vectors of them.
#define KNOWN_STRIDE(value, ...)                                                                   \
    do {                                                                                           \
        const size_t stride = (size_t)(value);                                                     \
        if (stride == 1) {                                                                         \
            __VA_ARGS__;                                                                           \
        } else if (stride == 2) {                                                                  \
            __VA_ARGS__;                                                                           \
        } else {                                                                                   \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

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

// A plane with a NaN. The loops for all others make one comparison, which is what compilers turn into vectors.
static void max_plane_with_nan(float *y, int32_t *at, const float *x, PoolShape s)
{
    const int rows = pool_size(s.height, s), cols = pool_size(s.width, s);
    for (int row = 0; row < rows; row++)
        for (int col = 0; col < cols; col++, y++, at++) {
            const int left = MAX(col * s.stride - s.pad, 0),
                      right = MIN(col * s.stride - s.pad + s.kernel, s.width);
            int32_t best = MAX(row * s.stride - s.pad, 0) * s.width + left;
            EACH_TAP_ROW (i, row, s)
                for (int32_t here = i * s.width + left; here < i * s.width + right; here++)
                    if (!(x[here] <= x[best]) && !isnan(x[best])) best = here;
            *y = x[best];
            *at = best;
        }
}

static bool has_nan(const float *x, size_t n)
{
    int found = 0;
#pragma omp simd reduction(| : found)
    for (size_t i = 0; i < n; i++) found |= x[i] != x[i];
    return found;
}

// n outputs of two rows of x, the first pixel at `place` in the plane and the rows `width` apart.
static inline void max_of_squares(float *y, int32_t *at, const float *top, size_t width,
                                  int32_t place, size_t n)
{
    const float *bottom = top + width;
    const int32_t down = (int32_t)width;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float a = top[2 * j], b = top[2 * j + 1], c = bottom[2 * j], d = bottom[2 * j + 1];
        const float above = b > a ? b : a, below = d > c ? d : c;
        const int32_t first = b > a ? 1 : 0, second = d > c ? down + 1 : down;
        y[j] = below > above ? below : above;
        at[j] = place + 2 * (int32_t)j + (below > above ? second : first);
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
            IN_BLOCKS_OF(n, j, n, __VA_ARGS__);                                                    \
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

// One tap of a row's outputs: x[0], x[stride], ... from `place` on.
static inline void max_tap(float *y, int32_t *at, const float *x, size_t stride, int32_t place,
                           size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const float value = x[j * stride], so_far = y[j];
        const int32_t here = place + (int32_t)j * (int32_t)stride;
        const int32_t mask =
            -(int32_t)(value > so_far);    // a choice would become a slow masked store
        y[j] = value > so_far ? value : so_far;
        at[j] ^= (at[j] ^ here) & mask;
    }
}

static void max_row(float *y, int32_t *at, const float *x, int row, Reach start, PoolShape s)
{
    const int cols = pool_size(s.width, s), top = MAX(row * s.stride - s.pad, 0);
    for (int j = 0; j < cols; j++) {
        y[j] = -INFINITY;
        at[j] = top * s.width + MAX(j * s.stride - s.pad, 0);
    }
    EACH_TAP_ROW (i, row, s) {
        Reach r = start;
        for (int tap = 0; tap < s.kernel; tap++, r = next_reach(r, tap, s)) {
            const int32_t place = i * s.width + r.from;
            const size_t n = (size_t)(r.end - r.first);
            // NOLINTNEXTLINE(bugprone-branch-clone): the same text, compiled for each stride
            KNOWN_STRIDE(s.stride, max_tap(y + r.first, at + r.first, x + place, stride, place, n));
        }
    }
}

static void max_plane(float *y, int32_t *at, const float *x, PoolShape s)
{
    const int rows = pool_size(s.height, s), cols = pool_size(s.width, s);
    const Reach start = first_reach(s);
    if (has_nan(x, plane_in(s))) max_plane_with_nan(y, at, x, s);
    else if (is_two_by_two(s)) max_plane_of_squares(y, at, x, s);
    else
        for (int row = 0; row < rows; row++)
            max_row(y + row * cols, at + row * cols, x, row, start, s);
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

// The bits of a float, which a mask keeps or makes 0: a choice would become a branch.
typedef int32_t Bits __attribute__((may_alias));

// The inverse of max_of_squares: all four of a window are written.
static inline void pull_squares(Bits *top, const Bits *dy, const int32_t *at, size_t width,
                                int32_t place, size_t n)
{
    Bits *bottom = top + width;
    const int32_t below = (int32_t)width;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        const int32_t which = at[j] - place - 2 * (int32_t)j;
        top[2 * j] = dy[j] & -(which == 0);
        top[2 * j + 1] = dy[j] & -(which == 1);
        bottom[2 * j] = dy[j] & -(which == below);
        bottom[2 * j + 1] = dy[j] & -(which == below + 1);
    }
}

static void pull_plane_of_squares(float *dx, const float *dy, const int32_t *at, PoolShape s)
{
    const size_t width = (size_t)s.width, rows = (size_t)s.height / 2, cols = width / 2;
    for (size_t i = 0; i < rows; i++, dy += cols, at += cols) {
        const size_t place = 2 * i * width;
        IN_BLOCKS(j, cols,
                  pull_squares((Bits *)(void *)dx + place + 2 * j,
                               (const Bits *)(const void *)dy + j, at + j, width,
                               (int32_t)(place + 2 * j), block));
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

static inline void add_tap(float *y, const float *x, size_t stride, float share, size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) y[j] += share * x[j * stride];
}

static void avg_plane(float *y, const float *x, PoolShape s)
{
    const size_t cols = (size_t)pool_size(s.width, s);
    const float share = 1.0f / (float)(s.kernel * s.kernel);
    const Reach start = first_reach(s);
    memset(y, 0, plane_out(s) * sizeof *y);
    for (int row = 0; row < pool_size(s.height, s); row++, y += cols)
        EACH_TAP_ROW (i, row, s) {
            Reach r = start;
            for (int tap = 0; tap < s.kernel; tap++, r = next_reach(r, tap, s)) {
                const float *from = x + i * s.width + r.from;
                const size_t n = (size_t)(r.end - r.first);
                // NOLINTNEXTLINE(bugprone-branch-clone): the same text, compiled for each stride
                KNOWN_STRIDE(s.stride, add_tap(y + r.first, from, stride, share, n));
            }
        }
}

void CPU(avg_pool)(float *y, const float *x, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT, avg_plane(y + p * out, x + p * in, s));
}

static inline void pull_tap(float *dx, const float *dy, size_t stride, float share, size_t n)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) dx[j * stride] += share * dy[j];
}

static void avg_pool_backward_plane(float *dx, const float *dy, float beta, PoolShape s)
{
    const size_t cols = (size_t)pool_size(s.width, s);
    const float share = 1.0f / (float)(s.kernel * s.kernel);
    const Reach start = first_reach(s);
    scale_plane(dx, beta, plane_in(s));
    for (int row = 0; row < pool_size(s.height, s); row++, dy += cols)
        EACH_TAP_ROW (i, row, s) {
            Reach r = start;
            for (int tap = 0; tap < s.kernel; tap++, r = next_reach(r, tap, s)) {
                float *to = dx + i * s.width + r.from;
                const size_t n = (size_t)(r.end - r.first);
                // NOLINTNEXTLINE(bugprone-branch-clone): the same text, compiled for each stride
                KNOWN_STRIDE(s.stride, pull_tap(to, dy + r.first, stride, share, n));
            }
        }
}

void CPU(avg_pool_backward)(float *dx, const float *dy, float beta, PoolShape s)
{
    const size_t in = plane_in(s), out = plane_out(s);
    EACH_ROW(p, s.planes, in, LIGHT, avg_pool_backward_plane(dx + p * in, dy + p * out, beta, s));
}
