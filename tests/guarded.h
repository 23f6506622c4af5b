/* guarded.h -- memory that ends at a guard page.
 *
 *     float *y = guarded_new(35, sizeof *y);
 *     matmul(y, a, b, 5, 7, 3, 0);    // writing or reading y[35] is a segmentation fault
 *     guarded_free(y, 35 * sizeof *y);
 *
 * Sanitizers see only code that was compiled with them; a page that is closed stops everybody,
 * also inside a BLAS. The page in front is closed too, but the block rarely begins right behind it.
 * Aligned as well as its end allows: to 4 bytes where bytes is a multiple of 4. What it holds first
 * is a pattern of 0xff bytes, so that a float that is never written reads as NaN.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

// `count` elements of `each` bytes. Stops the program when the system has no room.
void *guarded_new(size_t count, size_t each);
void guarded_free(void *block, size_t bytes);    // all that it was made with; NULL is fine

typedef struct Guard {
    const void *block;
    size_t bytes, each;    // of all, and of one element
} Guard;

// The block at whose guard pages the address lies, for who has to say what was touched. The first
// few thousand blocks of a process are known.
bool guarded_find(const void *address, Guard *guard);
