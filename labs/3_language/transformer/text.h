/* text.h -- what the model learns from: a text, its tokens, and the windows of training and validation.
 *
 *     Text text = {.context = 128, .validation = 0.1f};
 *     if (!text_load(&text, keep, "poems.txt", seed, "chars", &err)) ...    // NULL: the grammar's stories
 *
 * Stories are drawn by a grammar whose entropy rate is known (datasets/grammar.h), and windows begin where a
 * story begins: what came before would tell nothing, so that the best possible model, which knows the
 * grammar, loses nothing to the limited context. Windows of a file begin anywhere.
 */
#pragma once
#include "datasets/grammar.h"
#include "datasets/tokens.h"
#include "labs/3_language/tokenizer/app/encoder.h"

typedef struct Text {
    // Set before loading.
    int context;         // T
    float validation;    // the share that is not trained on; 0: none
    bool
        share_given;    // whether the user asked for it: else a text that is too short does without
    size_t stories;     // bytes of the grammar's stories

    const char *origin;    // "stories by a grammar", or the file
    const char *bytes;     // [length]
    size_t length;
    Grammar *grammar;        // NULL for a file
    Tokenizer *tokenizer;    // its own, as are the ids: text_free() releases them
    TokenIds ids;
    size_t *offsets;    // [ids.count + 1]: where in the bytes a token begins
    TokenWindows train, validate,
        validate_all;               // validate: those that are looked at at each point
    bool validated;                 // whether there are any
    double tokens_per_character;    // of the validation text; a character is UTF-8
    double floor;                   // the entropy rate in nats per token; NAN where it is not known
} Text;

// tokenizer: "chars", "bytes", "bpe:SIZE" or a file; NULL with one that is open already in text->tokenizer.
bool text_load(Text *text, Arena *keep, const char *path, uint64_t seed, const char *tokenizer,
               Error *err);
void text_free(Text *text);    // also one that could not be loaded
// Where among the text's tokens a window begins.
size_t text_place(const Text *text, const TokenWindows *windows, int index);
unsigned long text_crc32(const Text *text);    // of its ids
// The bytes from byte `at` to the end of its line. The text has no 0 at its end.
size_t text_line(const Text *text, size_t at);
// The first characters of the first line that is not empty, as a prompt.
const char *text_beginning(const Text *text, Arena *arena);

// The grammar's own loss in nats per token over these windows, which no model can beat for long.
double text_true_loss(const Text *text, const TokenWindows *windows);

// Entropy in nats per token of the tokens' frequencies, counted in the training set and measured in the
// validation set; order 1: of pairs, given the token before. Add-one smoothing.
double text_ngram_loss(const Text *text, int order);
