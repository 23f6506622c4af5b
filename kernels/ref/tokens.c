/* tokens.c -- what belongs to a token of a sequence: its embedding, its position, its label. */
#include "kernels/ref/ref.h"

void ref_embedding(float *y, const int32_t *id, const float *table, size_t n, int cols)
{
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < cols; c++) y[i * cols + c] = table[(size_t)id[i] * cols + c];
}

void ref_embedding_backward(float *dtable, const int32_t *id, const float *dy, size_t n, int rows,
                            int cols)
{
    (void)rows;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < cols; c++) dtable[(size_t)id[i] * cols + c] += dy[i * cols + c];
}

// Su et al. 2021, equation 34: each pair is a point in the plane.
static void rotate(float *head, const float *cosine, const float *sine, RopeShape s)
{
    const int half = s.rotated / 2;
    for (int i = 0; i < half; i++) {
        float *a = head + (s.interleaved ? 2 * i : i), *b = s.interleaved ? a + 1 : a + half;
        const float sin = s.inverse ? -sine[i] : sine[i], x = *a, y = *b;
        *a = x * cosine[i] - y * sin;
        *b = x * sin + y * cosine[i];
    }
}

void ref_rope(float *x, const float *cosine, const float *sine, RopeShape s)
{
    for (size_t r = 0; r < (size_t)s.rows; r++) {
        const size_t angles = r % (size_t)s.period * (size_t)(s.rotated / 2);
        for (size_t h = 0; h < (size_t)s.heads; h++)
            rotate(x + r * s.row + h * (size_t)s.head, cosine + angles, sine + angles, s);
    }
}

void ref_label_factor(float *y, const int32_t *label, size_t n)
{
    size_t counted = 0;
    for (size_t i = 0; i < n; i++) counted += label[i] >= 0;
    *y = counted > 0 ? 1 / (float)counted : 0;
}
