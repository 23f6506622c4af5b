/* dates.h -- dates as people write them, and as ISO 8601 does: what sequence to sequence translates.
 *
 *     Dates dates = {.seed = 1, .count = 10000};
 *     Batches train = dates_batches(&dates);
 *
 * Date `index` depends on (seed, index) alone: a day of the years 1950 to 2049, in one of eight formats, from
 * "5 March 2021" to "Friday, March 5, 2021". The source is ASCII, the target has the symbols of DATE_SYMBOLS.
 */
#pragma once
#include "common/batches.h"

enum {
    DATE_SOURCE = 29,     // characters at most: of "Wednesday, September 30, 2021"
    DATE_TEXT = 64,       // room for such a text
    DATE_TARGET = 10,     // characters of "2021-03-05"
    DATE_SYMBOLS = 12,    // 0 to 9, '-', and what stands before the first: begin
    DATE_BEGIN = 11,
    DATE_CHARACTERS = 128    // of the source
};

typedef struct Dates {
    uint64_t seed;
    int count;
} Dates;

void date_write(const Dates *dates, int index, char source[DATE_TEXT],
                char target[DATE_TARGET + 1]);

// x [1 + S + 1 + DATE_TARGET,B] of I32, time first: the lengths of the sources; their characters, padded with 0; then
// the target's symbols, behind DATE_BEGIN.     S = DATE_SOURCE
Batches dates_batches(const Dates *dates);
