/* matrix.h -- what the story does with matrices beside the exercises: make, measure, hand to a plot. */
#pragma once
#include "common/arena.h"

double *matrix_new(Arena *arena, int m, int n);    // [m,n], uninitialised
double *matrix_copy(Arena *arena, const double *a, int m, int n);
double *matrix_transpose(Arena *arena, const double *a, int m, int n);    // [n,m]
double *matrix_hilbert(Arena *arena, int n);                              // 1 / (i + j + 1)

double vector_length(const double *x, size_t n);    // of a matrix: its Frobenius norm
float *vector_floats(Arena *arena, const double *x, size_t n);

// |b - A x| / (|A| |x|): how much A would have to change for x to be its exact solution (Rigal &
// Gaches 1967). A good method makes it a few eps, however bad the matrix.   a: [n,n]
double backward_error(Arena *arena, const double *a, const double *x, const double *b, int n);
