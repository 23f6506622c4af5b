/* near_pair.h -- what a comparison knows: both sides, what is wrong, and where its words go.
 *
 * For near.c, which writes the report, and near_likeness.c, which recognises mistakes.
 */
#pragma once
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "tests/near.h"

// One comparison: the tensor seen as rows of its last dimension.
typedef struct Pair {
    Numbers got;
    Numbers before;    // what got held before the call; both NULL where that is not known
    const double *want;
    size_t rows, cols, count;
    Shape shape;
    Near near;
} Pair;

// What the report is written to; what does not fit is cut.
typedef struct Text {
    char *start;
    size_t size, used;
} Text;

__attribute__((format(printf, 2, 3))) static inline void put(Text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->start + text->used, text->size - text->used, format, args);
    va_end(args);
    size_t room = text->size - text->used - 1;
    text->used += (size_t)length < room ? (size_t)length : room;
}

// ---- right or wrong ----

static inline double number(Numbers x, size_t i)
{
    return x.floats != NULL ? (double)x.floats[i] : x.doubles[i];
}

static inline bool is_known(Numbers x)
{
    return x.floats != NULL || x.doubles != NULL;
}

static inline double tolerance(const Pair *p, double want)
{
    const Near *near = &p->near;
    if (near->exact) return 0;
    return near->atol + near->rtol * fabs(want) + near->eps * DBL_EPSILON * fmax(fabs(want), 1);
}

static inline bool is_wrong(const Pair *p, size_t i)
{
    double got = number(p->got, i), want = p->want[i];
    if (isnan(want)) return !isnan(got);
    if (isinf(want)) return got != want;
    return got != want && !(fabs(got - want) <= tolerance(p, want));
}

static inline size_t count_wrong(const Pair *p, size_t first, size_t end)
{
    size_t wrong = 0;
    for (size_t i = first; i < end; i++) wrong += is_wrong(p, i);
    return wrong;
}

// ---- places ----

static inline void put_index(Text *out, Shape shape, size_t index, bool whole_row)
{
    size_t size = shape_count(shape);
    put(out, "[");
    for (int d = 0; d < shape.dims; d++) {
        size /= (size_t)shape.size[d];
        if (whole_row && d == shape.dims - 1) put(out, "%s:", d ? "," : "");
        else put(out, "%s%zu", d ? "," : "", index / size);
        index %= size;
    }
    put(out, "]");
}

// ", first at [2,0]"; a scalar has no place to tell.
static inline void put_place(const Pair *p, Text *out, const char *words, size_t index)
{
    if (p->shape.dims == 0) return;
    put(out, "%s", words);
    put_index(out, p->shape, index, false);
}

// "looks like: ..." for the first mistake that is recognised; nothing for none.
void near_likeness(const Pair *p, Text *out);
