#include "labs/1_foundations/linear_algebra/matrix.h"
#include <string.h>
#include "labs/1_foundations/linear_algebra/linear_algebra.h"

double *matrix_new(Arena *arena, int m, int n)
{
    return arena_alloc(arena, sizeof(double) * (size_t)m * (size_t)n);
}

double *matrix_copy(Arena *arena, const double *a, int m, int n)
{
    double *copy = matrix_new(arena, m, n);
    memcpy(copy, a, sizeof *a * (size_t)m * (size_t)n);
    return copy;
}

double *matrix_transpose(Arena *arena, const double *a, int m, int n)
{
    double *transpose = matrix_new(arena, n, m);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) transpose[(size_t)j * m + i] = a[(size_t)i * n + j];
    return transpose;
}

double *matrix_hilbert(Arena *arena, int n)
{
    double *a = matrix_new(arena, n, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) a[i * n + j] = 1.0 / (i + j + 1);
    return a;
}

double vector_length(const double *x, size_t n)
{
    double largest = 0, squares = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(x[i]));
    if (largest == 0) return 0;
    double scale = scalbn(1, ilogb(largest));    // a power of 2: exact, and no square overflows
    for (size_t i = 0; i < n; i++) squares += x[i] / scale * (x[i] / scale);
    return scale * sqrt(squares);
}

float *vector_floats(Arena *arena, const double *x, size_t n)
{
    float *narrow = arena_alloc(arena, sizeof *narrow * n);
    for (size_t i = 0; i < n; i++) narrow[i] = (float)x[i];
    return narrow;
}

double backward_error(Arena *arena, const double *a, const double *x, const double *b, int n)
{
    double *residual = matrix_new(arena, n, 1);
    la_matmul(residual, a, x, n, 1, n);
    for (int i = 0; i < n; i++) residual[i] = b[i] - residual[i];
    return vector_length(residual, (size_t)n) /
           (vector_length(a, (size_t)n * (size_t)n) * vector_length(x, (size_t)n));
}
