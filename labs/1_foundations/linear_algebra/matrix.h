/* matrix.h -- matrices beside the exercises: creation, norms, conversion for plots. */
#pragma once
#include "common/arena.h"

double *matrix_new(Arena *arena, int m, int n);    // [m,n], uninitialised
double *matrix_copy(Arena *arena, const double *a, int m, int n);
double *matrix_transpose(Arena *arena, const double *a, int m, int n);    // [n,m]
double *matrix_hilbert(Arena *arena, int n);                              // 1 / (i + j + 1)

double vector_length(const double *x, size_t n);    // Euclidean norm; of a matrix: Frobenius
float *vector_floats(Arena *arena, const double *x, size_t n);

// |b - A x| / (|A| |x|), the backward error: the relative change of A for which x is the exact
// solution (Rigal & Gaches 1967). A backward stable method keeps it at a few eps.   a: [n,n]
double backward_error(Arena *arena, const double *a, const double *x, const double *b, int n);
