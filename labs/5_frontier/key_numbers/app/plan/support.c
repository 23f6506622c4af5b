#include "labs/5_frontier/key_numbers/app/plan/support.h"
#include <string.h>

// Whether a list of words with bars between them has one that `name` is, or begins with where it ends in "*".
static bool is_listed(const char *list, const char *name)
{
    for (const char *at = list; at != NULL; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        size_t length = strcspn(at, "|");
        bool begins = length > 0 && at[length - 1] == '*';
        if (begins) length--;
        if (strncmp(at, name, length) == 0 && (begins || name[length] == '\0')) return true;
    }
    return false;
}

static bool is_ggml(const FormatInfo *format)
{
    return strncmp(format->about, "GGUF:", 5) == 0;
}

// llama.cpp converts what it reads into blocks of its own.
static const char *llama_cpp_weights(const FormatInfo *format)
{
    if (is_ggml(format) || is_listed("fp32|bf16|fp16", format->name)) return NULL;
    return is_listed("mxfp4", format->name)
               ? "llama.cpp keeps experts in MXFP4 and the rest in Q8_0: that is --weights "
                 "mxfp4_moe"
               : "llama.cpp cannot run it: a GGUF holds 16 or 32 bits or blocks of its own, such "
                 "as --weights q4_k_m";
}

static const char *vllm_weights(const FormatInfo *format)
{
    if (is_ggml(format))
        return "vLLM calls its support of GGUF experimental, and reads one file with the "
               "tokenizer of the original model";
    if (is_listed("mlx*", format->name)) return "vLLM reads no files of mlx";
    if (is_listed("mxfp6", format->name)) return "vLLM reads MXFP6 from AMD's Quark alone";
    return is_listed("w2a16*|w3a16*|w5a16*|w6a16*", format->name)
               ? "vLLM has products of packed integers of 4 and 8 bits alone"
               : NULL;
}

static const char *transformers_weights(const FormatInfo *format)
{
    if (is_ggml(format) && !is_listed("f32|f16|gguf-bf16", format->name))
        return "transformers unpacks a GGUF to 16 or 32 bits when it loads it, unless on Apple's "
               "GPUs: count with --weights bf16";
    if (is_listed("mxfp4", format->name))
        return "transformers keeps MXFP4 packed where its kernels are installed, and unpacks it "
               "to bf16 elsewhere";
    if (is_listed("mlx*", format->name)) return "transformers reads no files of mlx";
    return is_listed("mxfp6", format->name) ? "transformers has no MXFP6" : NULL;
}

const char *support_weights(Runtime runtime, const FormatInfo *format)
{
    switch (runtime) {
    case RUNTIME_LLAMA_CPP: return llama_cpp_weights(format);
    case RUNTIME_VLLM: return vllm_weights(format);
    case RUNTIME_TRANSFORMERS: return transformers_weights(format);
    case RUNTIME_ANY:
    case RUNTIME_COUNT: break;
    }
    return NULL;
}

// The name that the list of formats has for what was typed; "" where it has none.
static const char *cache_name(const char *text, size_t length)
{
    char word[64] = "";
    if (length < sizeof word) memcpy(word, text, length);
    const FormatInfo *format = format_find(word, NULL);
    return format != NULL ? format->name : "";
}

const char *support_cache(Runtime runtime, const char *cache)
{
    static const struct {
        const char *formats, *none;
    } known[RUNTIME_COUNT] = {
        [RUNTIME_VLLM] = {"fp32|fp16|bf16|f32|f16|gguf-bf16|fp8|fp8-*|int8-*|nvfp4",
                          "vLLM has no such cache: it keeps 16 bits, fp8, int8 with scales or "
                          "nvfp4"},
        [RUNTIME_LLAMA_CPP] = {"fp32|fp16|bf16|f32|f16|gguf-bf16|q8_0|q5_1|q5_0|q4_1|q4_0|iq4_nl",
                               "llama.cpp has no such cache: it keeps f32, f16, bf16, q8_0, q5_1, "
                               "q5_0, q4_1, q4_0 or iq4_nl"},
        [RUNTIME_TRANSFORMERS] = {"fp32|fp16|bf16|f32|f16|gguf-bf16|fp8|int8",
                                  "transformers has no such cache: it keeps 16 or 32 bits, fp8, or "
                                  "integers of quanto and HQQ"}};
    if (known[runtime].formats == NULL) return NULL;
    size_t length = strcspn(cache, ":");
    const char *keys = cache_name(cache, length), *values = keys;
    if (cache[length] == ':') values = cache_name(cache + length + 1, strlen(cache + length + 1));
    if (strcmp(keys, values) != 0 && runtime != RUNTIME_LLAMA_CPP)
        return "keys and values in two formats are llama.cpp's: this runtime keeps both alike";
    bool has = is_listed(known[runtime].formats, keys) && is_listed(known[runtime].formats, values);
    return has ? NULL : known[runtime].none;
}
