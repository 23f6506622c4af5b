/* devices.h -- a case run on each device, and what it reads back from there.
 *
 *     static int setup(void **state)
 *     {
 *         device_for_case(*state);    // the case's device; `ref` where it names none
 *         ...
 *     const struct CMUnitTest tests[] = {
 *         EACH_DEVICE(sgd_moves_against_the_gradient),    // needs a setup() and a teardown()
 *         ON_DEVICE(rows_of_far, "far"),
 *
 *     assert_near(values_of(y), want, y->shape, .name = "y");
 *     assert_near(grad_of(w), want, w->shape, .name = "dw");
 *
 * What is read back is a copy in the host's memory (floats.h) and is never given back.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/tensor.h"

#define ON_DEVICE(test, device) {#test " on " device, test, setup, teardown, (char[]){device}}
#define EACH_DEVICE(test)       ON_DEVICE(test, "cpu"), ON_DEVICE(test, "ref"), ON_DEVICE(test, "far")

void device_for_case(const char *name);    // NULL: ref

float *values_of(const Tensor *x);
float *grad_of(const Tensor *x);                      // fails the case where x has none
float *numbers_at(const float *numbers, size_t n);    // of the device's memory
