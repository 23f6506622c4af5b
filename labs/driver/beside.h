/* beside.h -- two texts, line by line, so that the eye finds where they differ.
 *
 *     beside_print(arena, &console, 120, "yours", mine, "the reference", reference);
 *
 *     yours                              the reference
 *     double sum = 0;                    double sum = 0;
 *     sum += miss;                    |  sum += (double)miss * miss;
 *                                     >  sum /= B;
 *
 * Long lines are broken where there are 110 columns or more; with fewer, what does not fit stands one
 * above the other.
 */
#pragma once
#include "common/arena.h"
#include "common/console.h"

void beside_print(Arena *arena, const Console *console, int columns, const char *left_title,
                  const char *left, const char *right_title, const char *right);
