/* rope.h -- the shape of a rotary position embedding (Su et al. 2021): the first `rotated` numbers of each of a
 * row's first `heads` heads, pair by pair, each pair by an angle of the row's position.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct RopeShape {
    int rows, period;    // row r is at position r mod period
    int heads, head;     // heads to rotate, and the numbers of a head
    int rotated;         // even, at most head
    size_t row;          // numbers from a row to the next
    bool interleaved;    // pairs (0,1), (2,3), ... ; else (0,rotated/2), (1,rotated/2+1), ...
    bool inverse;        // by minus the angles: backward
} RopeShape;
