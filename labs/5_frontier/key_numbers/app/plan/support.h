/* support.h -- which formats a runtime cannot run as they are.
 *
 *     const char *why = support_weights(RUNTIME_LLAMA_CPP, format);    // NULL: it runs it
 *     const char *why = support_cache(RUNTIME_VLLM, "q8_0:q4_0");
 *
 * The answer is a sentence without its end. Versions: llama.cpp b7000 (common/arg.cpp: kv_cache_types; ggml.h:
 * ggml_type), vLLM 0.14 (docs, Quantization; CacheDType), transformers 5.24 (quantizers/auto.py, cache_utils.py).
 * What a later version adds is a line here.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/plan/workload.h"

const char *support_weights(Runtime runtime, const FormatInfo *format);
// `cache` is a format, or that of the keys and that of the values with a colon between them.
const char *support_cache(Runtime runtime, const char *cache);
