/* gguf_names.h -- how GGUF names the parts of a tokenizer: for who reads them and who writes them. */
#pragma once
#include <stdbool.h>

#define KEY(name) "tokenizer.ggml." name

// The numbers of tokenizer.ggml.token_type.
typedef enum GgufTokenType {
    GGUF_NORMAL = 1,
    GGUF_UNKNOWN,
    GGUF_CONTROL,
    GGUF_USER_DEFINED,
    GGUF_UNUSED,
    GGUF_BYTE,
} GgufTokenType;

// A name of tokenizer.ggml.pre, and what llama.cpp knows of it that the file may leave out.
typedef struct PreTokenizer {
    const char *name, *style;
    bool bos, ignore_merges;
} PreTokenizer;

enum { PRE_TOKENIZERS = 17, PRE_TOKENIZERS_SHOWN = 14 };    // the others are spelled in another way
extern const PreTokenizer pre_tokenizers[PRE_TOKENIZERS];
