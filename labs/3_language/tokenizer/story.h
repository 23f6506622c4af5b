/* story.h -- the parts of the lab, and what they share: texts, tokenizers learned from them, tokens shown.
 */
#pragma once
#include "common/console.h"
#include "common/story.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/tokenizer.h"

// A text of which the first `train` bytes are the training set and the rest is held out.
typedef struct Text {
    const char *name, *bytes;
    size_t size, train;
} Text;

enum { ENGLISH, CHINESE, CODE, TEXTS };

typedef struct Lab {
    Run *run;
    Arena *step;    // reset after each part
    Text texts[TEXTS];
    int merges;          // to learn from a text
    Text own;            // of --text or --file, in place of the other parts; bytes NULL for none
    Tokenizer *given;    // of --vocabulary; NULL for none
    const char *name;    // of it
} Lab;

// Each takes a Lab.
bool part_bytes(void *context, Error *err);        // bytes.c: UTF-8, the byte map
bool part_merges(void *context, Error *err);       // merges.c: byte-pair encoding, merge by merge
bool part_training(void *context, Error *err);     // training.c: vocabulary size, naive and indexed
bool part_zipf(void *context, Error *err);         //     frequencies of tokens
bool part_tokens(void *context, Error *err);       // tokens.c: a text in the colours of its tokens
bool part_languages(void *context, Error *err);    // languages.c: bytes per token
bool part_own(void *context, Error *err);          // tokens.c: the user's text

typedef struct Piece {
    const char *bytes;
    size_t size;
} Piece;

typedef struct Pieces {
    Piece *all;    // [count]
    size_t count;
} Pieces;

// ---- texts ----

// The whole file, of at most 64 MB, in the arena.
bool text_read(Arena *arena, Text *text, const char *path, Error *err);

// Its different pieces, by exercise 12, with their counts.
BpeWords *text_words(Arena *arena, const char *text, size_t bytes);

// What exercise 7 learned.
typedef struct Learned {
    BpePair *merges;
    int count;
    BpePairs ranks;
    BpeVocabulary vocabulary;
} Learned;

Learned *learn(Arena *arena, const char *text, size_t bytes, int merges);
// The same with fewer merges: the first ones. For curves, that of step i of STEPS from 0 to all merges.
Learned *learned_first(Arena *arena, const Learned *all, int count);
enum { STEPS = 9 };
Learned *learned_step(Arena *arena, const Learned *all, int i);

// The tokens of a text, in the arena.
int *learned_encode(Arena *arena, const Learned *learned, const char *text, size_t bytes,
                    size_t *n);
Pieces learned_pieces(Arena *arena, const Learned *learned, const char *text, size_t bytes);
BpeRates learned_rates(Arena *arena, const Learned *learned, const char *text, size_t bytes);

// ---- tokens as pieces of text ----

Pieces pieces_of_bytes(Arena *arena, const char *text, size_t bytes);
Pieces pieces_of_characters(Arena *arena, const char *text, size_t bytes);
Pieces pieces_of_ids(Arena *arena, const Learned *learned, const int *ids, size_t n);
bool pieces_of_given(Arena *arena, const Tokenizer *tokenizer, const char *text, size_t bytes,
                     Pieces *pieces, Error *err);

// With bars between the tokens: "the| cat|"; what cannot be shown, as half a character, as "\xe4".
const char *pieces_text(Arena *arena, Pieces pieces);
// One line after the other, each token on a background of its own; without colour as pieces_text().
void pieces_print(const Console *console, Arena *arena, Pieces pieces, int indent);
