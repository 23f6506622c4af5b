/* double.h -- reads float sources in double precision; forced in front of each file of core_double.
 *
 *     cc -include tests/double.h -c common/ops.c    // the very same source, every float a double
 *
 * Finite differences need digits that float does not have. The system's headers come first, so that
 * their own floats stay what they are; a later #include of one of them does nothing.
 */
#pragma once
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tgmath.h>
#include <unistd.h>
#include <cmocka.h>

// With one precision left there is nothing to choose by type: exp, expf and tgmath's exp are all
// the double function. (As a macro, exp would also break the call kernels.exp(y, x, n).)
#undef exp
#undef log
#undef log1p
#undef pow
#undef sqrt
#undef sin
#undef cos
#undef tanh
#undef fabs
#undef fmax
#undef fmin
#define expf   exp
#define logf   log
#define log1pf log1p
#define powf   pow
#define sqrtf  sqrt
#define sinf   sin
#define cosf   cos
#define tanhf  tanh
#define fabsf  fabs
#define fmaxf  fmax
#define fminf  fmin
#undef I    // <complex.h>'s, which <tgmath.h> includes; here it is a layer's number of inputs

#define float double
