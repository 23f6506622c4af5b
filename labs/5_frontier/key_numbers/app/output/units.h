/* units.h -- a quantity as people read it. Units are never mixed: GB is 1e9 bytes, GiB is 2^30, and
 * bytes are shown in both.
 *
 *     units_text(entry)         "16.06 GB (14.96 GiB)", "8,030,261,248 = 8.03e9 (8.03 B)", "31.2 ms"
 *     units_short(entry)        "16.06 GB", "8.030e9", for the columns of a comparison
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/report/rows.h"

const char *units_text(Arena *arena, const Row *row);
const char *units_short(Arena *arena, const Row *row);
