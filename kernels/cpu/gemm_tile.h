/* gemm_tile.h -- a tile of C in registers, while rows of B and elements of A pass by.
 *
 *     CPU(tiles)[A_ADJACENT][rows - 1][vectors - 1](&(TileWork){.a = a, .a_step = STEP, ...});
 *
 * A tile is as many accumulators as there are registers, less those for a row of B and an element
 * of A. It is written whole: where C ends inside a vector, the caller stores through a buffer, but
 * for AVX-512, which masks.
 */
#pragma once
#include "kernels/cpu/part.h"

#if LANES == 16
enum { ROWS = 14, PANEL = 2 };
#elif defined __aarch64__
enum { ROWS = 8, PANEL = 3 };
#else
enum { ROWS = 6, PANEL = 2 };
#endif

enum {
    AHEAD = 6,
    FAR = 24,    // rows of B that are asked for before they are needed, in L1 and in L2
    WIDTH = PANEL * LANES,
    STEP = (ROWS + LANES - 1) / LANES * LANES,    // floats from one k of a packed strip to the next
};

// The compiler shall not see where p points: it would keep a pointer to each row of A and spill.
#define OPAQUE(p) __asm__("" : "+r"(p))

// How the elements of A that a tile reads at one k lie: side by side (a packed strip, or A
// transposed), or `a_step` apart, where it is the next k that lies beside.
typedef enum Layout { A_ADJACENT, A_APART } Layout;

typedef struct TileWork {
    const float *a, *b;
    float *c;
    float *keep;    // where to leave a packed copy of b on the way, or NULL
    size_t a_step, b_row, c_row;
    size_t k, cols;    // cols: of b and c; AVX-512 masks what is left of the last vector
    float beta;
    const uint8_t
        *next;    // what is read next: so many cache lines of it are asked for at each 4 k
    size_t lines;
} TileWork;

typedef void Tile(const TileWork *x);

extern Tile *const CPU(tiles)[2][ROWS][PANEL];    // by layout, rows - 1 and vectors - 1
