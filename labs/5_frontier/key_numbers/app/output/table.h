/* table.h -- a report as people read it, on a page as wide as their terminal.
 *
 *     table_show(rows, PARTS_ALL, false);          // what has a label
 *     table_show(rows, 1u << PART_TRAINING, true);      // --explain: the formulas, with numbers filled in
 *     columns_show(reports, "model", names, 3, PARTS_ALL, false);    // a comparison, side by side
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/part.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

void table_show(const Rows *rows, unsigned shown, bool explain);
enum { COLUMNS_MAX = 64 };

// `differing`: only the rows in which the reports are not all the same.
// `heading` is what the names are: "context". Lists and sentences stand in no row.
void columns_show(const Rows *const *reports, const char *heading, const char *const *names,
                  int count, unsigned shown, bool differing);
