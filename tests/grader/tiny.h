/* tiny.h -- the smallest lab there is: what answers to the grader's own tests promise. */
#pragma once

float tiny_sum(const float *x, int n);                // sum_i x[i]
void tiny_double(float *y, const float *x, int n);    // y[i] = 2 x[i]
