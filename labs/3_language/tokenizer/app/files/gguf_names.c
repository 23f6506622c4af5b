#include "labs/3_language/tokenizer/app/files/gguf_names.h"

const PreTokenizer pre_tokenizers[PRE_TOKENIZERS] = {
    {"dbrx", "llama3", false, false},
    {"deepseek-llm", "deepseek-llm", false, false},
    {"deepseek-v3", "deepseek-v3", false, false},
    {"falcon", "falcon", false, false},
    {"gpt-2", "gpt2", false, false},
    {"gpt-4o", "gpt-4o", false, false},
    {"llama-bpe", "llama3", true, true},
    {"phi-2", "gpt2", false, false},
    {"qwen2", "qwen2", false, false},
    {"qwen35", "qwen3.5", false, false},
    {"refact", "smollm", false, false},
    {"smollm", "smollm", false, false},
    {"starcoder", "smollm", false, false},
    {"tekken", "tekken", true, true},
    // Other spellings.
    {"gpt2", "gpt2", false, false},
    {"llama3", "llama3", true, true},
    {"llama-v3", "llama3", true, true},
};
