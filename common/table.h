/* table.h -- rows of text under headings: aligned columns in a terminal, an HTML table on a page.
 *
 *     Table table = table_new(step, "degree|RMSE|time [ms]");     // a bar between two columns
 *     table_row(&table, "%d|%.3f|%.1f", degree, rmse, ms);
 *     run_table(run, &table);                                     // on stdout and in report.html
 *     //   degree    RMSE   time [ms]
 *     //        1   0.486         3.1
 *
 * A column of numbers is aligned to the right, any other to the left. A unit stands in the heading.
 * The bars are those of the format: one in a text that is filled in stays in its cell.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "common/arena.h"

enum { TABLE_MAX_COLUMNS = 16 };

typedef struct Table {
    Arena *arena;
    int columns, rows;
    const char *headings[TABLE_MAX_COLUMNS];    // "" for none
    bool numbers[TABLE_MAX_COLUMNS];            // every cell is a number or empty
    struct TableRow *first, *last;
} Table;

typedef struct TableRow {
    const char *cells[TABLE_MAX_COLUMNS];
    struct TableRow *next;
} TableRow;

Table table_new(Arena *arena, const char *headings);

// As many cells as there are columns; one that does not apply is empty.
void table_row(Table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool table_headed(const Table *table);    // whether a column has a heading

// Every line begins with `indent` spaces. Where the terminal, or COLUMNS, is too narrow for the widest
// row, each row is printed as lines of a heading and a cell.
void table_print(const Table *table, int indent, FILE *stream);
