#include <stdio.h>
#include <string.h>
#include "labs/2_core/rnn/dates.h"

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month] + (month == 1 && leap);
}

// Sunday is 0; month 0..11 (Sakamoto's method).
static int weekday_of(int year, int month, int day)
{
    static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    if (month < 2) year--;
    return (year + year / 4 - year / 100 + year / 400 + shift[month] + day) % 7;
}

static const char *ordinal(int day)
{
    if (day / 10 == 1) return "th";
    return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

void date_write(const Dates *dates, int index, char source[DATE_TEXT], char target[DATE_TARGET + 1])
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};
    Rng rng = rng_stream(dates->seed, (uint64_t)index);
    const int year = 1950 + (int)rng_below(&rng, 100), m = (int)rng_below(&rng, 12),
              day = 1 + (int)rng_below(&rng, (uint32_t)days_in(year, m));
    const char *month = months[m], *weekday = weekdays[weekday_of(year, m, day)];
    const size_t size = DATE_TEXT;
    switch (rng_below(&rng, 8)) {
    case 0: snprintf(source, size, "%d %s %d", day, month, year); break;
    case 1: snprintf(source, size, "%s %d, %d", month, day, year); break;
    case 2: snprintf(source, size, "%d %.3s %d", day, month, year); break;
    case 3: snprintf(source, size, "%.3s %d %d", month, day, year); break;
    case 4: snprintf(source, size, "%s, %s %d, %d", weekday, month, day, year); break;
    case 5: snprintf(source, size, "%d%s of %s %d", day, ordinal(day), month, year); break;
    case 6: snprintf(source, size, "%d/%d/%d", m + 1, day, year); break;
    default: snprintf(source, size, "%.3s %02d.%02d.%d", weekday, day, m + 1, year); break;
    }
    snprintf(target, DATE_TARGET + 1, "%04u-%02u-%02u", (unsigned)year % 10000,
             (unsigned)(m + 1) % 100, (unsigned)day % 100);
}

static void make_batch(Batch *batch, const void *data, const int *index)
{
    const int B = batch->rows, rows = 2 + DATE_SOURCE + DATE_TARGET;
    int32_t *x = arena_zeros(batch->arena, (size_t)rows * (size_t)B * sizeof *x);
    for (int b = 0; b < B; b++) {
        char source[DATE_TEXT], target[DATE_TARGET + 1];
        date_write(data, index[b], source, target);
        x[b] = (int32_t)strlen(source);
        for (int t = 0; t < x[b]; t++) x[(1 + t) * B + b] = (uint8_t)source[t];
        int32_t *y = x + (size_t)(1 + DATE_SOURCE) * (size_t)B + b;
        y[0] = DATE_BEGIN;
        for (int t = 0; t < DATE_TARGET; t++)
            y[(size_t)(1 + t) * (size_t)B] = target[t] == '-' ? 10 : target[t] - '0';
    }
    batch->x = tensor_from_ints(batch->arena, SHAPE(rows, B), x);
}

Batches dates_batches(const Dates *dates)
{
    return (Batches){.count = dates->count, .make = make_batch, .data = dates};
}
