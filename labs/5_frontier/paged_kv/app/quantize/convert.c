#include "labs/5_frontier/paged_kv/app/quantize/convert.h"
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"

enum { CHUNK = 1 << 22 };    // numbers in a part, but at least a row

struct Converter {
    float *numbers, *lines;    // [CHUNK or a row]; [threads, 2 rows or columns of it]
    char *bytes;               // of the new type
    Loss *losses;              // [rows]
    char *drawn;               // a whole tensor of random weights, or NULL
    size_t line;
};

double loss_rms(const Loss *loss)
{
    return loss->squares > 0 ? sqrt(loss->errors / loss->squares) : 0;
}

static size_t rows_at_once(const PlanTensor *t)
{
    const size_t rows = CHUNK / t->cols;
    return rows < 1 ? 1 : rows < t->rows ? rows : t->rows;
}

static void *get(size_t bytes)
{
    void *made = malloc(bytes + 64);
    REQUIRE(made != NULL, "no memory for %zu bytes", bytes);
    return made;
}

Converter *converter_open(const Plan *plan)
{
    size_t numbers = 1, rows = 1, line = 1, drawn = 0;
    for (int i = 0; i < plan->count; i++) {
        const PlanTensor *t = &plan->tensors[i];
        const size_t once = rows_at_once(t), all = dtype_bytes(t->from, t->rows * t->cols);
        if (once * t->cols > numbers) numbers = once * t->cols;
        if (once > rows) rows = once;
        if (t->cols > line) line = t->cols;
        if (once > line && t->transposed) line = once;
        if (t->data == NULL && all > drawn) drawn = all;
    }
    Converter *c = get(sizeof *c);
    *c = (Converter){.numbers = get(numbers * sizeof(float)),
                     .lines = get((size_t)omp_get_max_threads() * line * sizeof(float)),
                     .bytes = get(numbers * sizeof(double)),
                     .losses = get(rows * sizeof(Loss)),
                     .drawn = drawn > 0 ? get(drawn) : NULL,
                     .line = line};
    return c;
}

void converter_close(Converter *c)
{
    if (c == NULL) return;
    free(c->numbers);
    free(c->lines);
    free(c->bytes);
    free(c->losses);
    free(c->drawn);
    free(c);
}

// ---- reading ----

static size_t row_in_memory(const PlanTensor *t, size_t row)
{
    return t->piece != NULL ? (size_t)piece_row_in_memory(t->piece, (int)row) : row;
}

// Rows `first` to `first + count`, one after the other as the new file has them.
static void read_rows(Converter *c, const PlanTensor *t, const char *data, size_t first,
                      size_t count)
{
    const size_t cols = t->cols, row_bytes = dtype_bytes(t->from, cols);
    if (!t->transposed) {
#pragma omp parallel for schedule(static)
        for (size_t r = 0; r < count; r++)
            dtype_to_floats(t->from, c->numbers + r * cols,
                            data + row_in_memory(t, first + r) * row_bytes, cols);
        return;
    }
    const size_t size = dtype_info[t->from].bytes;
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < cols; j++) {
        float *line = c->lines + (size_t)omp_get_thread_num() * c->line;
        dtype_to_floats(t->from, line, data + (j * t->rows + first) * size, count);
        for (size_t r = 0; r < count; r++) c->numbers[r * cols + j] = line[r];
    }
}

// ---- writing ----

// Whether the new row holds what it was made of; adds up how far it is off.
static bool write_row(const PlanTensor *t, char *out, const float *x, float *back, Loss *loss)
{
    bool good = true;
    *loss = (Loss){0};
    for (size_t j = 0; j < t->cols; j++) good = good && isfinite(x[j]);
    if (!good) return false;
    dtype_from_floats(t->type, out, x, t->cols);
    dtype_to_floats(t->type, back, out, t->cols);
    for (size_t j = 0; j < t->cols; j++) {
        const double off = (double)back[j] - (double)x[j];
        good = good && isfinite(back[j]);
        loss->squares += (double)x[j] * (double)x[j];
        loss->errors += off * off;
    }
    return good;
}

// The row that cannot be written, or `count`.
static size_t write_rows(Converter *c, const PlanTensor *t, size_t count, Loss *loss)
{
    const size_t row_bytes = dtype_bytes(t->type, t->cols);
    size_t wrong = count;
#pragma omp parallel for schedule(static) reduction(min : wrong)
    for (size_t r = 0; r < count; r++) {
        float *back = c->lines + (size_t)omp_get_thread_num() * c->line;
        if (!write_row(t, c->bytes + r * row_bytes, c->numbers + r * t->cols, back, &c->losses[r]))
            wrong = r < wrong ? r : wrong;
    }
    // In their order, so that the sum does not depend on the threads.
    for (size_t r = 0; r < count; r++) {
        loss->squares += c->losses[r].squares;
        loss->errors += c->losses[r].errors;
    }
    return wrong;
}

static bool refuse(const Converter *c, const PlanTensor *t, size_t row, size_t in_chunk, Error *err)
{
    const float *x = c->numbers + in_chunk * t->cols;
    float most = 0;
    for (size_t j = 0; j < t->cols; j++) {
        if (!isfinite(x[j]))
            return error_set(err, "'%s' holds %g in row %zu, column %zu", t->name, (double)x[j],
                             row, j);
        most = fmaxf(most, fabsf(x[j]));
    }
    return error_set(err, "'%s' holds numbers up to %g in row %zu, which are too large for %s",
                     t->name, (double)most, row, dtype_name(t->type));
}

// Rows of the same type go as they are: nothing is rounded twice.
static void copy_rows(Converter *c, const PlanTensor *t, const char *data, size_t first,
                      size_t count)
{
    const size_t row_bytes = dtype_bytes(t->from, t->cols);
    for (size_t r = 0; r < count; r++)
        memcpy(c->bytes + r * row_bytes, data + row_in_memory(t, first + r) * row_bytes, row_bytes);
}

static const char *data_of(Converter *c, const PlanTensor *t)
{
    if (t->data != NULL) return t->data;
    const size_t count = t->rows * t->cols;
    if (t->dims == 2)
        random_weights_fill(c->drawn, t->from, count, draw_at(1, 0, (uint16_t)t->index));
    return c->drawn;
}

bool convert(Converter *c, const PlanTensor *t, WritePart *write, void *context, Loss *loss,
             Error *err)
{
    const char *data = data_of(c, t);
    const size_t once = rows_at_once(t), row_bytes = dtype_bytes(t->type, t->cols);
    const bool vector_of_ones = t->data == NULL && t->dims == 1;
    err->message[0] = '\0';
    for (size_t first = 0; first < t->rows; first += once) {
        const size_t count = t->rows - first < once ? t->rows - first : once;
        if (t->from == t->type && !t->transposed && !vector_of_ones) {
            copy_rows(c, t, data, first, count);
        } else {
            if (vector_of_ones)
                for (size_t j = 0; j < t->cols; j++) c->numbers[j] = 1;
            else read_rows(c, t, data, first, count);
            const size_t wrong = write_rows(c, t, count, loss);
            if (wrong < count) return refuse(c, t, first + wrong, wrong, err);
        }
        if (!write(context, c->bytes, count * row_bytes)) return false;
    }
    return true;
}
