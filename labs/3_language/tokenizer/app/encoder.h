/* encoder.h -- text to token ids and back, as the models' own tokenizers do it.
 *
 *     Tokenizer *tokenizer = tokenizer_open("gpt2/tokenizer.json", &err);
 *     TokenIds ids = {0};
 *     if (!tokenizer_encode(tokenizer, "Hello,", 6, (EncodeOptions){0}, &ids, &err)) ...    // 15496 11
 *     size_t bytes;
 *     char *text = tokenizer_decode(tokenizer, ids.ids, ids.count, (DecodeOptions){0}, &bytes);
 *     free(text), free(ids.ids);
 *     tokenizer_close(tokenizer);
 *
 * Ids are those of the package `tokenizers` for the same tokenizer.json, with four differences: text
 * never becomes a special token unless parse_special says so; a character that no token stands for is
 * refused where there is no unknown token, not dropped; text need not be UTF-8 (a wrong byte is a
 * character of its own); ids are neither cut nor padded (tokenizer_ignores()). Decoding byte-level BPE
 * gives the same bytes back: spaces are not tidied.
 *
 * A tokenizer does not change once it is open, and several threads may use it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/bpe/bpe.h"

typedef struct Tokenizer Tokenizer;

// ---- opening and saving ----

// A tokenizer.json, a folder that holds one, a GGUF file (its vocabulary), llama2.c's tokenizer.bin, or
// GPT-2's merges.txt; by what is in the file. NULL and a sentence.
Tokenizer *tokenizer_open(const char *path, Error *err);
Tokenizer *tokenizer_bytes(void);    // 256 ids, the bytes themselves
// One id for each character of the text, in the order of their code points.
Tokenizer *tokenizer_characters(const char *text, size_t bytes, Error *err);
void tokenizer_close(Tokenizer *tokenizer);    // NULL is fine

// A tokenizer.json that `tokenizers` and `transformers` open.
bool tokenizer_save(const Tokenizer *tokenizer, const char *path, Error *err);

// The vocabulary as values of a GGUF file, tokenizer.ggml.*, that llama.cpp reads; ids up to `count`, the
// model's, stand for nothing where the tokenizer ends before. False, with nothing written, for one that
// GGUF has no name for.
typedef struct GgufWriter GgufWriter;
bool tokenizer_write_gguf(const Tokenizer *tokenizer, GgufWriter *out, int count, Error *err);

// Byte-level BPE, the same merges that `tokenizers` trains on the text: each time the pair of tokens that
// is most often beside each other within a piece (in "aaa" it counts twice), of equals the one of lower ids.
typedef struct TokenizerTraining {
    int vocabulary;                // how many ids, at most: special tokens, 256 bytes, merges
    int minimum;                   // a pair that is rarer is not merged; 0: 1
    const char *style;             // the split: "gpt2" (NULL), "llama3", "qwen2", "smollm"
    const char *const *special;    // the first ids; the first is BOS and EOS
    int special_count;
    // Called at each merge unless NULL: the new token's bytes, how often its pair was found.
    void (*on_merge)(void *context, int id, const char *piece, size_t bytes, uint64_t times);
    void *context;
} TokenizerTraining;
Tokenizer *tokenizer_train(const char *text, size_t bytes, TokenizerTraining how, Error *err);

// ---- what it holds ----

const char *tokenizer_about(const Tokenizer *tokenizer);    // "byte-level BPE, 50000 merges"
int tokenizer_size(
    const Tokenizer *tokenizer);    // ids are below; some of them may stand for nothing
int tokenizer_bos(const Tokenizer *tokenizer);    // -1: none
int tokenizer_eos(const Tokenizer *tokenizer);
int tokenizer_token(const Tokenizer *tokenizer, const char *name);    // "<|im_end|>"; -1: none
// What of the file is not applied, as in `transformers`, where each call says what it wants: "truncation",
// "padding", "truncation and padding"; NULL: nothing.
const char *tokenizer_ignores(const Tokenizer *tokenizer);
bool tokenizer_is_special(const Tokenizer *tokenizer, int id);
size_t tokenizer_longest(const Tokenizer *tokenizer);    // bytes that an id decodes to, at most

// The bytes that an id decodes to, not ended by a zero and perhaps half a character; "" and 0 for an
// id that stands for nothing. Special tokens are their names.
const char *tokenizer_piece(const Tokenizer *tokenizer, int id, size_t *bytes);

// ---- encoding ----

typedef struct EncodeOptions {
    bool add_special;    // what the file puts around a text: BOS, EOS
    bool
        parse_special;    // the text may hold special tokens: text of the program's own, a chat template
} EncodeOptions;

// Appends to `out`, which begins as {0} and whose ids the caller frees; upon failure it is as before.
bool tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t bytes,
                      EncodeOptions options, TokenIds *out, Error *err);

// ---- decoding ----

typedef struct DecodeOptions {
    bool skip_special;
    bool continues;    // a text that has begun: its first space is its own
} DecodeOptions;

// malloc; a zero stands behind its bytes. Ids that stand for nothing are left out.
char *tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, size_t count,
                       DecodeOptions options, size_t *bytes);

// One id at a time: half a character is held back until the rest of it comes, so that what is printed
// is always whole. In sum the bytes are those of tokenizer_decode(). All memory is allocated at the start.
typedef struct TokenStream TokenStream;
TokenStream *token_stream_open(const Tokenizer *tokenizer,
                               DecodeOptions options);                        // NULL: no memory
const char *token_stream_step(TokenStream *stream, int id, size_t *bytes);    // until the next call
const char *token_stream_end(TokenStream *stream,
                             size_t *bytes);    // what was held; then a new text
void token_stream_close(TokenStream *stream);
