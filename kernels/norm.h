/* norm.h -- the shapes of normalisations: of a batch, x [B,C,H,W] or [B,C], with one mean and variance a
 * channel; and of rows, with one for each row or each part of a row.
 */
#pragma once
#include <stddef.h>

typedef struct NormShape {
    int batch, channels, pixels;    // pixels is H W, or 1
} NormShape;

static inline size_t norm_count(NormShape s)    // values of a channel
{
    return (size_t)s.batch * (size_t)s.pixels;
}

static inline size_t norm_total(NormShape s)    // elements of x
{
    return norm_count(s) * (size_t)s.channels;
}

// x [rows,parts,cols] with rows that lie `row` numbers apart: layer and RMS normalisation over `cols`.
// One part is the whole row; the heads of a row are several, where more may follow in the row.
typedef struct NormRows {
    int rows, parts, cols;
    size_t row;
} NormRows;

static inline NormRows norm_rows(int rows, int cols)    // dense
{
    return (NormRows){rows, 1, cols, (size_t)cols};
}

static inline size_t norm_parts(NormRows s)    // how many are normalised
{
    return (size_t)s.rows * (size_t)s.parts;
}
