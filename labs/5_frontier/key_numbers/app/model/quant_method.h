/* quant_method.h -- what a quantization_config says of the numbers: the format that they are stored in.
 *
 *     const char *format = quant_format(&q, "compressed-tensors");    // "w4a16-g128"; NULL: none that is known
 *
 * Formats of single modules are marked in the model (kept.h). Which modules stay as they were is published.c's.
 */
#pragma once
#include "common/config_fields.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"

// `method` is quant_method, or "mlx" for what mlx writes without one.
const char *quant_format(ConfigFields *q, const char *method);

// A field that is there and not null; else NULL.
const cJSON *quant_child(const cJSON *object, const char *name);
bool quant_is(const cJSON *node, const char *word);    // a text, and that one
double quant_number(const cJSON *object, const char *name, double fallback);
