/* tokenizer_json.h -- tokenizers of the package `tokenizers`: reading, writing, and making one of parts.
 *
 *     cJSON *tree = json_load("tokenizer.json", &err);
 *     Tokenizer *tokenizer = tokenizer_json_read(tree, "tokenizer.json", &err);    // copies what it needs
 *
 * The other readers make their tokenizers of the same parts:
 *
 *     Tokenizer *t = tokenizer_new(count);            // then vocabulary_put(), merges_put(), t->bpe.*
 *     if (!tokenizer_set_parts(t, PARTS, path, &err)) ...    // JSON of normalizer, pre_tokenizer, ...
 *     return tokenizer_finish(t, added, path, &err);         // NULL and closed upon failure
 */
#pragma once
#include "labs/3_language/tokenizer/app/parts.h"

Tokenizer *tokenizer_json_read(const cJSON *tree, const char *where, Error *err);
bool tokenizer_json_write(const Tokenizer *tokenizer, const char *path, Error *err);

// What stands beside the added tokens and the model.
enum { TOKENIZER_PARTS = 6 };
extern const char *const tokenizer_part_names[TOKENIZER_PARTS];

// ---- the same of parts ----

// Ids are below `room`; no tokens yet.
Tokenizer *tokenizer_new(size_t room);

// Each of "normalizer", "pre_tokenizer", "post_processor" and "decoder", or null. Takes the tree. Before the
// vocabulary: it says whether that is of bytes.
bool tokenizer_set_parts(Tokenizer *t, cJSON *parts, const char *where, Error *err);

// After the vocabulary: ids around a text.
bool tokenizer_set_template(Tokenizer *t, const char *where, Error *err);

// A "post_processor" that puts an id before a text and one after it; -1: none there.
cJSON *tokenizer_template_part(const Tokenizer *t, int before, int after);

// The merges and what text the tokens are; then the tokenizer can be used.
bool tokenizer_finish(Tokenizer *t, const char *where, Error *err);

// The tokens of single bytes: of byte-level BPE, or <0x0A> where the model falls back to them.
void tokenizer_find_bytes(Tokenizer *t);

// A token that is looked for before all else, from its entry in the vocabulary.
void tokenizer_add(Tokenizer *t, AddedToken token);

// The parts of a style: "gpt2", "llama3", "smollm", ... (styles.c lists them); NULL: no such style.
cJSON *tokenizer_style(const char *name);
