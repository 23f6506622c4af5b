#include "tests/near.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/near_pair.h"

enum { MAP_ROWS = 8, MAP_COLS = 48, SHOWN_VALUES = 6 };

// A mark stands for a block of elements where there are many; X: something in it is wrong.
static void put_map(const Pair *p, Text *out)
{
    size_t rows = (p->rows + MAP_ROWS - 1) / MAP_ROWS, cols = (p->cols + MAP_COLS - 1) / MAP_COLS;
    for (size_t r = 0; r < p->rows; r += rows) {
        put(out, "  row %-3zu ", r);
        for (size_t c = 0; c < p->cols; c += cols) {
            size_t end = c + cols < p->cols ? c + cols : p->cols, wrong = 0;
            for (size_t k = r; k < r + rows && k < p->rows; k++)
                wrong += count_wrong(p, k * p->cols + c, k * p->cols + end);
            put(out, "%c", wrong ? 'X' : '.');
        }
        put(out, "\n");
    }
    if (rows * cols > 1) put(out, "  (a mark stands for %zu x %zu elements)\n", rows, cols);
}

// As few digits as show that the two are not the same.
static int shown_digits(double got, double want, int least)
{
    char one[32], other[32];
    for (int digits = least; digits < 17; digits += 3) {
        snprintf(one, sizeof one, "%.*g", digits, got);
        snprintf(other, sizeof other, "%.*g", digits, want);
        if (strcmp(one, other) != 0) return digits;
    }
    return 17;
}

static void put_values(const Pair *p, Text *out, size_t first, int digits, bool got)
{
    size_t row = first / p->cols * p->cols, from = first;
    if (first - row < SHOWN_VALUES) from = row;    // from the row's start where that shows it
    put(out, "  %s ", got ? "got " : "want");
    put_index(out, p->shape, row, true);
    put(out, from == row ? " " : "  ..");
    for (size_t i = from; i < row + p->cols && i < from + SHOWN_VALUES; i++)
        put(out, " %.*g", digits, got ? number(p->got, i) : p->want[i]);
    put(out, from + SHOWN_VALUES < row + p->cols ? " ..\n" : "\n");
}

static void put_tolerance(const Near *near, Text *out)
{
    if (near->exact) put(out, " not exactly equal");
    else if (near->eps > 0) put(out, " not within %g eps", near->eps);
    else if (near->atol == 0) put(out, " outside %g |want|", near->rtol);
    else if (near->rtol == 0) put(out, " outside %g", near->atol);
    else put(out, " outside %g + %g |want|", near->atol, near->rtol);
}

bool near_report(char *text, size_t size, Numbers got, const double *want, Shape shape, Near near)
{
    if (near.atol == 0 && near.rtol == 0 && near.eps == 0)
        near.atol = near.rtol = got.floats != NULL ? 1e-5 : 1e-12;
    const void *held = near.added_to != NULL ? near.added_to : near.replaces;
    Numbers before = got.floats != NULL ? numbers_of_floats(held) : numbers_of_doubles(held);
    size_t count = shape_count(shape), cols = shape.dims ? (size_t)shape.size[shape.dims - 1] : 1;
    Pair pair = {got, before, want, cols ? count / cols : 0, cols, count, shape, near}, *p = &pair;
    Text text_ = {text, size, 0}, *out = &text_;
    text[0] = '\0';

    size_t wrong = count_wrong(p, 0, count), first = 0;
    if (wrong == 0) return true;
    while (!is_wrong(p, first)) first++;
    double is = number(got, first), should_be = want[first];

    if (near.formula) put(out, "%s\n", near.formula);
    put(out, "%s", near.name);
    if (shape.dims > 0) put(out, " %s: %zu of %zu", SHAPE_TEXT(shape), wrong, count);
    put_tolerance(&near, out);
    put_place(p, out, ", first at ", first);
    int digits = shown_digits(is, should_be, 6);
    put(out, ": got %.*g, want %.*g\n", digits, is, digits, should_be);
    if (count > 1) {
        digits = shown_digits(is, should_be, 4);
        put_map(p, out);
        put_values(p, out, first, digits, true);
        put_values(p, out, first, digits, false);
    }
    near_likeness(p, out);
    return false;
}

bool near_tensor_report(char *text, size_t size, const Tensor *got, const double *want, Shape shape,
                        Near near)
{
    if (got != NULL && got->data != NULL && shape_equal(got->shape, shape))
        return near_report(text, size, numbers_of_floats(got->data), want, shape, near);
    Text out = {text, size, 0};
    if (near.formula) put(&out, "%s\n", near.formula);
    if (got == NULL)
        put(&out, "%s is NULL, expected a tensor of shape %s\n", near.name, SHAPE_TEXT(shape));
    else if (!shape_equal(got->shape, shape))
        put(&out, "%s has shape %s, expected %s\n", near.name, TENSOR_TEXT(got), SHAPE_TEXT(shape));
    else put(&out, "%s has no data: its data is NULL\n", near.name);
    return false;
}

// Ends the case. Line by line: cmocka cuts a message at 1024 bytes.
static _Noreturn void fail_with(char *text, const char *file, int line)
{
    for (char *piece = strtok(text, "\n"); piece != NULL; piece = strtok(NULL, "\n"))
        print_error("%s\n", piece);
    _fail(file, line);
    abort();    // cmocka's _fail() does not return, and does not say so
}

void near_tensor_assert(const Tensor *got, const double *want, Shape shape, Near near,
                        const char *file, int line)
{
    char text[4096];
    if (!near_tensor_report(text, sizeof text, got, want, shape, near)) fail_with(text, file, line);
}

void near_assert(Numbers got, const double *want, Shape shape, Near near, const char *file,
                 int line)
{
    char text[4096];
    if (!near_report(text, sizeof text, got, want, shape, near)) fail_with(text, file, line);
}

void within_assert(const char *formula, double error, double most, const char *file, int line)
{
    if (error <= most * DBL_EPSILON) return;    // a NaN is more
    print_error("%s is %.3g, that is %.3g eps; expected at most %g eps\n", formula, error,
                error / DBL_EPSILON, most);
    _fail(file, line);
}
