/* published.h -- in which format a config.json says that its weights are: dtype, or one of the many ways in
 * which quantised files describe themselves, with the modules that they leave as they were.
 *
 *     published_read(&settings);    // sets model->published and ->cache, marks weights that are kept
 *
 * What is not understood is counted in the dtype, with a warning.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/config_fields.h"

void published_read(ConfigFields *s);    // of a model that is built

// modelopt writes hf_quant_config.json beside the config.json: puts what it says into that. `beside` is its
// path; no such file is fine.
bool published_beside(cJSON *config, const char *beside, Error *err);
