#include "labs/5_frontier/key_numbers/app/report/rows.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "common/error.h"

enum { TEXT_MAX = 4096 };

Sheet *sheet_new(Arena *arena)
{
    Sheet *sheet = arena_zeros(arena, sizeof *sheet);
    sheet->arena = arena;
    return sheet;
}

// FNV-1a.
static unsigned bucket_of(const char *path)
{
    uint32_t hash = 2166136261u;
    for (; *path != '\0'; path++) hash = (hash ^ (unsigned char)*path) * 16777619u;
    return hash % SHEET_BUCKETS;
}

static Entry *add(Sheet *sheet, const char *path, const char *label, EntryKind kind, Unit unit)
{
    REQUIRE(sheet_find(sheet, path) == NULL, "%s is on the sheet already", path);
    Entry *entry = arena_zeros(sheet->arena, sizeof *entry);
    entry->path = path, entry->label = label, entry->kind = kind, entry->unit = unit;
    if (sheet->last != NULL) sheet->last->next = entry;
    else sheet->first = entry;
    sheet->last = entry;
    sheet->count++;
    Entry **bucket = &sheet->buckets[bucket_of(path)];
    entry->next_in_bucket = *bucket;
    *bucket = entry;
    return entry;
}

Entry *sheet_count(Sheet *sheet, const char *path, const char *label, uint64_t value, Unit unit)
{
    Entry *entry = add(sheet, path, label, ENTRY_COUNT, unit);
    entry->count = value;
    return entry;
}

Entry *sheet_real(Sheet *sheet, const char *path, const char *label, double value, Unit unit)
{
    Entry *entry = add(sheet, path, label, ENTRY_REAL, unit);
    entry->real = value;
    return entry;
}

Entry *sheet_text(Sheet *sheet, const char *path, const char *label, const char *value)
{
    Entry *entry = add(sheet, path, label, ENTRY_TEXT, UNIT_NONE);
    entry->text = value;
    return entry;
}

Entry *sheet_flag(Sheet *sheet, const char *path, const char *label, bool value)
{
    Entry *entry = add(sheet, path, label, ENTRY_FLAG, UNIT_NONE);
    entry->flag = value;
    return entry;
}

Entry *sheet_null(Sheet *sheet, const char *path, const char *label, const char *why)
{
    Entry *entry = add(sheet, path, label, ENTRY_NULL, UNIT_NONE);
    entry->text = why;
    return entry;
}

static const char *print(Arena *arena, const char *format, va_list arguments)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    return arena_print(arena, "%s", text);
}

const char *sheet_path(Sheet *sheet, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *path = print(sheet->arena, format, arguments);
    va_end(arguments);
    return path;
}

void entry_explain(Sheet *sheet, Entry *entry, const char *formula, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    entry->formula = formula;
    entry->filled = print(sheet->arena, format, arguments);
    va_end(arguments);
}

const Entry *sheet_find(const Sheet *sheet, const char *path)
{
    const Entry *entry = sheet->buckets[bucket_of(path)];
    while (entry != NULL && strcmp(entry->path, path) != 0) entry = entry->next_in_bucket;
    return entry;
}

double entry_number(const Entry *entry)
{
    switch (entry->kind) {
    case ENTRY_COUNT: return (double)entry->count;
    case ENTRY_REAL: return entry->real;
    case ENTRY_FLAG: return entry->flag;
    case ENTRY_TEXT:
    case ENTRY_NULL: break;
    }
    return NAN;
}
