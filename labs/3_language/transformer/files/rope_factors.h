/* rope_factors.h -- llama3's scaling of rotary positions as GGUF has it: a tensor of what each frequency
 * is divided by (rope_freqs.weight), in place of the settings.
 *
 *     float factors[64];
 *     rope_factors_of(factors, &config);                     // [D/2]
 *     if (!rope_factors_read(&config, factors)) ...          // no settings of llama3 give these
 */
#pragma once
#include "labs/3_language/transformer/model/config.h"

void rope_factors_of(float *factors, const ModelConfig *config);    // of a config scaled as llama3

// Sets the scaling whose factors these are: with the settings that config->rope.scaling has already, where
// it has some, else with those of the published models (low 1, high 4, original context 8192).
bool rope_factors_read(ModelConfig *config, const float *factors);
