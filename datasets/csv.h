/* csv.h -- columns of numbers from a CSV file, by the names in its first row.
 *
 *     Csv csv;
 *     if (!csv_read(keep, &csv, "houses.csv", "area,price", &err)) return error_report(&err);
 *     double price = csv.values[row * csv.columns + 1];
 *
 *     houses.csv:17:12: price is "n/a", expected a number
 *
 * The format is RFC 4180: commas, fields in double quotes where they hold commas, quotes or lines,
 * LF or CRLF, with or without the byte order mark that spreadsheets put in front. Where the first row
 * has no comma outside of quotes, but tabs or semicolons, fields are separated by those. Blank lines and
 * blanks around a field do not count. Names are cleaned (text.h); an empty one becomes "column 3".
 * Every number asked for must be there and finite; what stands in the other columns does not matter.
 * A message names file, line and column of the first byte that is at fault. Everything lives in the
 * arena.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef struct Csv {
    int rows, columns;
    const char **names;    // [columns], in the order in which they were asked for
    double *values;        // [rows,columns]
} Csv;

// `columns` are names with commas between them, in double quotes where they hold commas themselves:
// "\"size, m2\",price"; NULL asks for all. False when there is no row at all.
bool csv_read(Arena *keep, Csv *csv, const char *path, const char *columns, Error *err);
