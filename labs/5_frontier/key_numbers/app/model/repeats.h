/* repeats.h -- a configuration's text without what it says of each expert again.
 *
 *     size_t bytes = repeats_drop(text, bytes);    // text[bytes] is 0 again
 *
 * Lists of quantized modules name every matrix of every expert, and reach some megabytes:
 *
 *     "model.layers.3.mlp.experts.0.up_proj": {"quant_algo": "NVFP4"},
 *     "model.layers.3.mlp.experts.1.up_proj": {"quant_algo": "NVFP4"},
 *
 * The ledger does not tell experts apart, so a member or an element that differs from an earlier one by the
 * expert's number alone is left out, before the text is parsed. Line ends stay, for messages.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

size_t repeats_drop(char *text, size_t bytes);
