/* rows.h -- an answer: named quantities in their order, each with its unit and how it came about.
 *
 *     Rows *rows = rows_new(arena);
 *     Row *r = row_count(rows, "kv_cache.bytes_per_token", "KV cache per token", bytes, UNIT_BYTES);
 *     row_explain(rows, r, "sum over layers of 2 k d e", "%d x 2 x %d x %d x %d", 32, 8, 128, 2);
 *
 * Every output is made from these: table, --explain, JSON, CSV, comparison, sweep and the web page. A
 * path is the place in the JSON: dots open objects, [i] an element of a list. A label is what people
 * read; NULL keeps a row out of the table (it is in JSON, CSV and --explain).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"

typedef enum Unit {
    UNIT_NONE,          // a plain number or ratio
    UNIT_PARAMETERS,    // also elements
    UNIT_TOKENS,
    UNIT_REQUESTS,
    UNIT_GPUS,
    UNIT_BYTES,    // shown in GB and GiB, both named
    UNIT_BITS,
    UNIT_FLOPS,    // an amount
    UNIT_FLOPS_PER_SECOND,
    UNIT_BYTES_PER_SECOND,
    UNIT_FLOPS_PER_BYTE,
    UNIT_TOKENS_PER_SECOND,
    UNIT_SECONDS,
    UNIT_GPU_HOURS,
    UNIT_KWH,
    UNIT_DOLLARS,
    UNIT_SHARE    // 0 to 1, shown in per cent
} Unit;

typedef enum RowKind { ROW_COUNT, ROW_REAL, ROW_TEXT, ROW_FLAG, ROW_NULL } RowKind;

typedef struct Row {
    const char *path, *label;
    RowKind kind;
    uint64_t count;
    double real;
    const char *text;
    bool flag;
    Unit unit;
    bool warns;                      // stands in the table whatever part is shown
    const char *formula, *filled;    // "2 k d e", "2 x 8 x 128 x 2"; NULL where there is none
    struct Row *next, *next_in_bucket;
} Row;

enum { ROW_BUCKETS = 512 };

typedef struct Rows {
    Arena *arena;
    Row *first, *last;
    int count;
    Row *buckets[ROW_BUCKETS];    // by the path, for rows_find()
} Rows;

Rows *rows_new(Arena *arena);
Row *row_count(Rows *rows, const char *path, const char *label, uint64_t value, Unit unit);
// A count of bytes that was estimated.
Row *row_bytes(Rows *rows, const char *path, const char *label, double bytes);
Row *row_real(Rows *rows, const char *path, const char *label, double value, Unit unit);
Row *row_text(Rows *rows, const char *path, const char *label,
              const char *value);    // borrowed
Row *row_flag(Rows *rows, const char *path, const char *label, bool value);
Row *row_null(Rows *rows, const char *path, const char *label,
              const char *why);                // no answer, and why
Row *rows_copy(Rows *rows, const Row *row);    // adds a row of another report
const char *row_path(Rows *rows, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Adds a term to a sum, which begins as "": "a", then "a + b".
void sum_add(Arena *arena, const char **sum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The formula in symbols, and with the numbers in their places.
void row_explain(Rows *rows, Row *row, const char *formula, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const Row *rows_find(const Rows *rows, const char *path);    // NULL when it is not there
double row_number(const Row *row);    // of a count, a real or a flag; else NaN
