/* numbers.h -- the arrays that two kernels are compared on, and the comparison.
 *
 *     Pair y = pair_new(n, NORMAL);                    // the same numbers twice
 *     kernels_ref.relu(y.want, x, n);
 *     table->relu(y.got, x, n);
 *     pair_check("relu", y, 0);                        // equal to the bit
 *     numbers_free();
 *
 * Each array ends at a guard page (tests/guarded.h), so that it is aligned in all possible ways as
 * n changes and one element too many, read or written, ends the test. numbers_free() gives all of
 * them back.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum Fill {
    NORMAL,     // N(0,1)
    WIDE,       // N(0,30^2): exp, sigmoid and tanh from underflow to saturation
    UNIT,       // uniform in [0,1)
    SPECIAL,    // NaN, infinities, zeros, denormals among normal numbers
    NANS,       // nothing but NaN: what must be overwritten without being read
    ZEROS,
} Fill;

typedef struct Pair {
    float *got, *want;
    size_t n;
} Pair;

float *numbers_new(size_t n, Fill fill);
int32_t *labels_new(size_t n, int classes);
float *numbers_copy(const float *x, size_t n);
void *block_copy(const void *from, size_t bytes);    // of anything else
Pair pair_new(size_t n, Fill fill);
void numbers_free(void);

// What y holds before y = beta y + ...: with beta 0 it must not be read, and is NaN.
Pair pair_before(size_t n, float beta);

// The array that an address lies in, or right behind. Stops the program where there is none.
typedef struct Block {
    char *start;
    size_t bytes;
} Block;
Block block_of(const void *address);

// Fails unless |got - want| <= tolerance (1 + |want|), where NaN equals NaN only and infinity
// itself only. The message says what was compared, the first difference and how many there are.
void pair_check(const char *what, Pair y, double tolerance);

// The same with |got - want| <= bound[i].
void pair_check_within(const char *what, Pair y, const double *bound);

// Sizes around those of vectors and tiles, and beyond the sizes from which threads are woken.
extern const size_t numbers_sizes[];
enum { NUMBERS_SIZES = 15 };

// Of a slow device: shapes that take more products than this, or more numbers, are left out.
extern double numbers_most;

extern const float numbers_betas[];
enum { NUMBERS_BETAS = 3 };

// Half the distance from 1 to the next float: the relative error of one rounding.
#define ROUNDING 0x1p-24
