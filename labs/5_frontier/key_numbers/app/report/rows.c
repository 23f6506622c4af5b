#include "labs/5_frontier/key_numbers/app/report/rows.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "common/error.h"

enum { TEXT_MAX = 4096 };

Rows *rows_new(Arena *arena)
{
    Rows *rows = arena_zeros(arena, sizeof *rows);
    rows->arena = arena;
    return rows;
}

// FNV-1a.
static unsigned bucket_of(const char *path)
{
    uint32_t hash = 2166136261u;
    for (; *path != '\0'; path++) hash = (hash ^ (unsigned char)*path) * 16777619u;
    return hash % ROW_BUCKETS;
}

static Row *add(Rows *rows, const char *path, const char *label, RowKind kind, Unit unit)
{
    REQUIRE(rows_find(rows, path) == NULL, "there is a row %s already", path);
    Row *row = arena_zeros(rows->arena, sizeof *row);
    row->path = path, row->label = label, row->kind = kind, row->unit = unit;
    if (rows->last != NULL) rows->last->next = row;
    else rows->first = row;
    rows->last = row;
    rows->count++;
    Row **bucket = &rows->buckets[bucket_of(path)];
    row->next_in_bucket = *bucket;
    *bucket = row;
    return row;
}

Row *row_count(Rows *rows, const char *path, const char *label, uint64_t value, Unit unit)
{
    Row *row = add(rows, path, label, ROW_COUNT, unit);
    row->count = value;
    return row;
}

Row *row_bytes(Rows *rows, const char *path, const char *label, double bytes)
{
    return row_count(rows, path, label, (uint64_t)(bytes + 0.5), UNIT_BYTES);
}

Row *row_real(Rows *rows, const char *path, const char *label, double value, Unit unit)
{
    Row *row = add(rows, path, label, ROW_REAL, unit);
    row->real = value;
    return row;
}

Row *row_text(Rows *rows, const char *path, const char *label, const char *value)
{
    Row *row = add(rows, path, label, ROW_TEXT, UNIT_NONE);
    row->text = value;
    return row;
}

Row *row_flag(Rows *rows, const char *path, const char *label, bool value)
{
    Row *row = add(rows, path, label, ROW_FLAG, UNIT_NONE);
    row->flag = value;
    return row;
}

Row *row_null(Rows *rows, const char *path, const char *label, const char *why)
{
    Row *row = add(rows, path, label, ROW_NULL, UNIT_NONE);
    row->text = why;
    return row;
}

Row *rows_copy(Rows *rows, const Row *row)
{
    Row *copy = add(rows, row->path, row->label, row->kind, row->unit);
    copy->count = row->count, copy->real = row->real, copy->flag = row->flag;
    copy->text = row->text, copy->warns = row->warns;
    copy->formula = row->formula, copy->filled = row->filled;
    return copy;
}

static const char *print(Arena *arena, const char *format, va_list arguments)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    return arena_print(arena, "%s", text);
}

const char *row_path(Rows *rows, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *path = print(rows->arena, format, arguments);
    va_end(arguments);
    return path;
}

void sum_add(Arena *arena, const char **sum, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *term = print(arena, format, arguments);
    va_end(arguments);
    *sum = **sum == '\0' ? term : arena_print(arena, "%s + %s", *sum, term);
}

void row_explain(Rows *rows, Row *row, const char *formula, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    row->formula = formula;
    row->filled = print(rows->arena, format, arguments);
    va_end(arguments);
}

const Row *rows_find(const Rows *rows, const char *path)
{
    const Row *row = rows->buckets[bucket_of(path)];
    while (row != NULL && strcmp(row->path, path) != 0) row = row->next_in_bucket;
    return row;
}

double row_number(const Row *row)
{
    switch (row->kind) {
    case ROW_COUNT: return (double)row->count;
    case ROW_REAL: return row->real;
    case ROW_FLAG: return row->flag;
    case ROW_TEXT:
    case ROW_NULL: break;
    }
    return NAN;
}
