/* draw.h -- a world's map: values as a heat map, and the best actions as arrows.
 *
 *     Console console = console_begin();
 *     draw_map(&console, world, values, policy);    // in the terminal, as wide as it is
 *     run_picture(run, draw_picture(step, world, values, policy, "Values"), "Values", "values");
 *
 * `values` is [states]; of a policy [states,actions] the actions with a probability above 0 are arrows, NULL
 * for none. Worlds without a map are not drawn:
 * world->rows is 0.
 */
#pragma once
#include "common/console.h"
#include "common/picture.h"
#include "labs/2_core/mdp/worlds/world.h"

// Returns the number of lines. Without colour the numbers alone are printed; where not even a row of
// arrows fits, the map is printed in blocks of columns.
int draw_map(const Console *console, const World *world, const double *values,
             const double *policy);

// Low values orange, high ones blue, walls gray.
Picture *draw_picture(Arena *arena, const World *world, const double *values, const double *policy,
                      const char *caption);
