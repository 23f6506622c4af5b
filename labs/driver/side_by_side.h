/* side_by_side.h -- prints two texts side by side and marks the lines that differ, as `diff -y`.
 *
 *     side_by_side_print(arena, &console, 120, "yours", mine, "the reference", reference);
 *
 *     yours                              the reference
 *     double sum = 0;                    double sum = 0;
 *     sum += miss;                    |  sum += (double)miss * miss;
 *                                     >  sum /= B;
 *
 * From 110 columns on, long lines are wrapped; on a narrower console, texts that do not fit are printed
 * one below the other.
 */
#pragma once
#include "common/arena.h"
#include "common/console.h"

void side_by_side_print(Arena *arena, const Console *console, int columns, const char *left_title,
                        const char *left, const char *right_title, const char *right);
