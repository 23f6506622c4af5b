#include "common/table.h"
#include "common/console.h"
#include "common/error.h"
#include "common/text.h"
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char BETWEEN =
    '\x1f';    // cells, once the format's bars are replaced: "unit separator"

// Cuts the text at each `between`; returns how many cells there are. What follows the last cell
// that fits stays in it.
static int cut(char *text, char between, const char **cells, int most)
{
    int count = 0;
    for (char *end; count < most - 1 && (end = strchr(text, between)) != NULL; text = end + 1) {
        *end = '\0';
        cells[count++] = text;
    }
    cells[count++] = text;
    return count;
}

Table table_new(Arena *arena, const char *headings)
{
    Table table = {.arena = arena};
    table.columns = cut(arena_print(arena, "%s", headings), '|', table.headings, TABLE_MAX_COLUMNS);
    for (int c = 0; c < table.columns; c++) table.numbers[c] = true;
    return table;
}

// "-1.5e-3", "12.0 %", "nan", "": at most one word behind the number.
static bool is_number(const char *cell)
{
    char *rest;
    strtod(cell, &rest);
    if (rest == cell) return *cell == '\0';
    rest += *rest == ' ';
    return strchr(rest, ' ') == NULL;
}

void table_row(Table *table, const char *format, ...)
{
    // The bars are replaced before anything is filled in.
    char *cells = arena_print(table->arena, "%s", format);
    int bars = 0;
    for (char *at = cells; (at = strchr(at, '|')) != NULL; bars++) *at = BETWEEN;
    REQUIRE(bars + 1 == table->columns, "the row \"%s\" has %d cells, the table %d columns", format,
            bars + 1, table->columns);
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t size = (size_t)vsnprintf(NULL, 0, cells, args) + 1;
    char *text = arena_alloc(table->arena, size);
    vsnprintf(text, size, cells, again);
    va_end(again);
    va_end(args);

    TableRow *row = arena_zeros(table->arena, sizeof *row);
    cut(text, BETWEEN, row->cells, table->columns);
    for (int c = 0; c < table->columns; c++) {
        text_clean((char *)row->cells[c]);
        row->cells[c] += strspn(row->cells[c], " ");    // "%5.1f" is aligned here
        if (!is_number(row->cells[c])) table->numbers[c] = false;
    }
    if (table->last != NULL) table->last->next = row;
    else table->first = row;
    table->last = row;
    table->rows++;
}

// Columns that a text takes: UTF-8 continuation bytes take none.
static int width_of(const char *text)
{
    return text_columns(text, strlen(text));
}

static void print_row(const Table *table, const char *const *cells, const int *widths, int indent,
                      int gap, FILE *stream)
{
    int blanks = indent;    // before the next text: none is left at the end of a line
    for (int c = 0; c < table->columns; c++, blanks += gap) {
        int pad = widths[c] - width_of(cells[c]);
        if (table->numbers[c]) blanks += pad;
        if (*cells[c] != '\0') {
            fprintf(stream, "%*s%s", blanks, "", cells[c]);
            blanks = 0;
        }
        if (!table->numbers[c]) blanks += pad;
    }
    fputc('\n', stream);
}

bool table_headed(const Table *table)
{
    for (int c = 0; c < table->columns; c++)
        if (*table->headings[c] != '\0') return true;
    return false;
}

// Of a terminal, or COLUMNS; INT_MAX in a file and a pipe.
static int columns_of(FILE *stream)
{
    bool known = getenv("COLUMNS") != NULL || isatty(fileno(stream));
    return known ? console_begin().columns : INT_MAX;
}

// A row that does not fit: its first cell, and below it a line for each other one, with its heading.
static void print_stacked(const Table *table, const TableRow *row, int indent, FILE *stream)
{
    int widest = 0;
    for (int c = 1; c < table->columns; c++)
        if (width_of(table->headings[c]) > widest) widest = width_of(table->headings[c]);
    fprintf(stream, "%*s%s%s%s\n", indent, "", table->headings[0],
            *table->headings[0] != '\0' ? " " : "", row->cells[0]);
    for (int c = 1; c < table->columns; c++)
        if (*row->cells[c] != '\0')
            fprintf(stream, "%*s%s%*s%s\n", indent + 2, "", table->headings[c],
                    widest > 0 ? widest - width_of(table->headings[c]) + 2 : 0, "", row->cells[c]);
}

void table_print(const Table *table, int indent, FILE *stream)
{
    int widths[TABLE_MAX_COLUMNS], gaps = table->columns - 1, gap = 3, width = indent + gap * gaps;
    for (int c = 0; c < table->columns; c++) {
        widths[c] = width_of(table->headings[c]);
        for (const TableRow *row = table->first; row != NULL; row = row->next)
            if (width_of(row->cells[c]) > widths[c]) widths[c] = width_of(row->cells[c]);
        width += widths[c];
    }
    const int most = columns_of(stream);
    if (width > most) gap--, width -= gaps;
    if (width > most) {
        for (const TableRow *row = table->first; row != NULL; row = row->next)
            print_stacked(table, row, indent, stream);
        return;
    }
    if (table_headed(table)) print_row(table, table->headings, widths, indent, gap, stream);
    for (const TableRow *row = table->first; row != NULL; row = row->next)
        print_row(table, row->cells, widths, indent, gap, stream);
}
