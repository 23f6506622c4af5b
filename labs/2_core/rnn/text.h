/* text.h -- what the character model learns from: a text, its characters, windows of training and validation.
 *
 *     Text text = {.context = 64};
 *     if (!text_load(&text, keep, NULL, seed, &err)) ...    // NULL: stories by a grammar
 *
 * A character is a byte; the vocabulary is the bytes that occur. Windows of stories begin where a story does, so
 * that the best possible model, which knows the grammar, loses nothing by its limited context; those of a file
 * begin anywhere. The last tenth is the validation set.
 */
#pragma once
#include "datasets/grammar.h"
#include "datasets/tokens.h"

typedef struct Text {
    int context;       // T: set before loading
    size_t stories;    // bytes of the grammar's stories, the same

    const char *origin;
    const char *bytes;    // [length]
    size_t length;
    Grammar *grammar;    // NULL for a file
    int32_t *ids;        // [length]
    int vocabulary;
    char symbols[256];          // of each id
    int id_of[256];             // of each byte; -1 where it does not occur
    TokenWindows train, all,    // all: of the validation set, each character once
        validate;               // some of these: what is looked at while it learns
} Text;

bool text_load(Text *text, Arena *keep, const char *path, uint64_t seed, Error *err);

// Samples for training.h: x [T+1,B] of ids, time first.
Batches text_batches(const TokenWindows *windows);

// Nats per character over these windows: of the grammar itself, which no model can beat; and of frequencies, counted
// in the training set with add-one smoothing: order 0 of characters, order 1 of pairs.
double text_true_loss(const Text *text, const TokenWindows *windows);
double text_ngram_loss(const Text *text, int order, const TokenWindows *windows);
