/* plain.h -- tokenizers that are not read from a tokenizer.json. */
#pragma once
#include "labs/3_language/tokenizer/app/parts.h"

// GPT-2's merges.txt, of which the vocabulary follows: 256 bytes, the merges, <|endoftext|>. text[bytes] is 0.
Tokenizer *tokenizer_merges_read(const char *text, size_t bytes, const char *where, Error *err);

// llama2.c's tokenizer.bin: a SentencePiece vocabulary with scores.
bool tokenizer_llama2c_fits(const uint8_t *data, size_t bytes);
Tokenizer *tokenizer_llama2c_read(const uint8_t *data, size_t bytes, const char *where, Error *err);

// The vocabulary of a GGUF file.
Tokenizer *tokenizer_gguf_read(const char *path, Error *err);
