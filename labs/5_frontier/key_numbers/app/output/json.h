/* json.h -- a report as JSON and as CSV, for other programs.
 *
 *     puts(rows_json(rows));    // {"model": {"name": ...}, "parameters": {"total": 8030261248, ...
 *
 * A path's dots open objects and [i] an element of a list: "fit.options[2].gpu". Whole numbers are
 * written with all their digits, other numbers so that they read back as they were; what has no answer
 * is null. A quantity's unit is not in the JSON: README.md lists each path with it.
 */
#pragma once
#include <stdio.h>
#include "labs/5_frontier/key_numbers/app/report/rows.h"

typedef struct cJSON cJSON;

// The caller deletes it.
cJSON *rows_tree(const Rows *rows);
char *rows_json(const Rows *rows);    // in the report's arena
// {"NAME": [VALUE, ...], "answers": [{...}, ...]}: what was compared or swept, and each answer.
char *reports_json(Arena *arena, const Rows *const *reports, int count, const char *name,
                   const char *const *values);

// A head of all their paths, then a row for each report; what one of them lacks is empty.
// `name` heads a first column of `values`, one for each report; NULL for none.
void reports_csv(FILE *stream, const Rows *const *reports, int count, const char *name,
                 const char *const *values);

// As RFC 4180 has it: in quotes where a comma, a quote or a line's end would mislead.
void csv_field(FILE *stream, const char *text);
