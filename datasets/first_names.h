/* first_names.h -- first names by country, from Joerg Michael's dictionary of 2008 (nam_dict.txt, GNU FDL 1.2).
 *
 *     FirstNames names;
 *     if (!first_names_load(&names, keep, "data/nam_dict.txt", &err)) return report_error(&err);
 *     printf("%s: %s\n", first_names_countries[names.country[0]], names.text[0]);
 *
 * The file holds a name a line, in UTF-8 and Latin letters, with how frequent it is in each of 55 countries. Kept are
 * the names of exactly one country: those that tell it from the others. Chinese, Korean and Arabic names of two parts,
 * "Jun+Wei", are written as one word.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "common/error.h"

enum { FIRST_NAMES_COUNTRIES = 55, FIRST_NAMES_LONGEST = 64 };    // bytes of a name, at most

extern const char *const first_names_countries[FIRST_NAMES_COUNTRIES];

typedef struct FirstNames {
    int count;
    const char **text;    // [count], in the file's order
    int *country;         // [count]
} FirstNames;

bool first_names_load(FirstNames *names, Arena *keep, const char *path, Error *err);
