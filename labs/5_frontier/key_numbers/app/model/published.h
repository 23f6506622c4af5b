/* published.h -- in which format a config.json says that its weights are: dtype, or one of the many ways in
 * which quantised files describe themselves, with the modules that they leave as they were.
 *
 *     published_read(&settings);    // sets model->published and ->cache, marks weights that are kept
 *
 * What is not understood is counted in the dtype, with a warning.
 */
#pragma once
#include "common/config_fields.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"

void published_read(ConfigFields *s);    // of a model that is built

// Some write it into a file of its own beside the config.json (`path`): puts what that says into `config`.
bool published_beside(Arena *arena, cJSON *config, const char *path, Error *err);
