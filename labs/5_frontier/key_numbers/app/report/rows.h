/* sheet.h -- an answer: named quantities in their order, each with its unit and how it came about.
 *
 *     Sheet *sheet = sheet_new(arena);
 *     Entry *e = sheet_count(sheet, "kv_cache.bytes_per_token", "KV cache per token", bytes, UNIT_BYTES);
 *     entry_explain(sheet, e, "sum over layers of 2 k d e", "%d x 2 x %d x %d x %d", 32, 8, 128, 2);
 *
 * Everything that is told is told from here: table, --explain, JSON, CSV, comparison, sweep, charts and
 * the web page. A path is the place in the JSON: dots open objects, [i] an element of a list. A label
 * is what people read; NULL keeps an entry out of the table (it is in JSON, CSV and --explain).
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

typedef enum EntryKind { ENTRY_COUNT, ENTRY_REAL, ENTRY_TEXT, ENTRY_FLAG, ENTRY_NULL } EntryKind;

typedef struct Entry {
    const char *path, *label;
    EntryKind kind;
    uint64_t count;
    double real;
    const char *text;
    bool flag;
    Unit unit;
    const char *formula, *filled;    // "2 k d e", "2 x 8 x 128 x 2"; NULL where there is none
    struct Entry *next, *next_in_bucket;
} Entry;

enum { SHEET_BUCKETS = 512 };

typedef struct Sheet {
    Arena *arena;
    Entry *first, *last;
    int count;
    Entry *buckets[SHEET_BUCKETS];    // by the path, for sheet_find()
} Sheet;

Sheet *sheet_new(Arena *arena);
Entry *sheet_count(Sheet *sheet, const char *path, const char *label, uint64_t value, Unit unit);
Entry *sheet_real(Sheet *sheet, const char *path, const char *label, double value, Unit unit);
Entry *sheet_text(Sheet *sheet, const char *path, const char *label,
                  const char *value);    // borrowed
Entry *sheet_flag(Sheet *sheet, const char *path, const char *label, bool value);
Entry *sheet_null(Sheet *sheet, const char *path, const char *label,
                  const char *why);    // no answer, and why
const char *sheet_path(Sheet *sheet, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The formula in symbols, and with the numbers in their places.
void entry_explain(Sheet *sheet, Entry *entry, const char *formula, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const Entry *sheet_find(const Sheet *sheet, const char *path);    // NULL when it is not there
double entry_number(const Entry *entry);    // of a count, a real or a flag; else NaN
