/* tiny.h -- the smallest lab there is: the contract of the submissions in the tests of the grader. */
#pragma once

float tiny_sum(const float *x, int n);                // sum_i x[i]
void tiny_double(float *y, const float *x, int n);    // y[i] = 2 x[i]
