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
    double length = 0;
    for (size_t i = 0; i < n; i++) length = hypot(length, x[i]);    // no square overflows
    return length;
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
