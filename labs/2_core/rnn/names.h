/* names.h -- names and their languages: what a conditional character model learns from.
 *
 *     Names names;
 *     if (!names_load(&names, keep, NULL, seed, &err)) ...    // NULL: four invented languages
 *
 * A sample is the language, then the name's bytes, then the end. Tokens: the languages are 0 .. languages - 1, the end
 * comes next, then the bytes that occur.
 */
#pragma once
#include "common/batches.h"
#include "common/error.h"
#include "datasets/grammar.h"

enum { LANGUAGES = 8, NAME_LONGEST = 24 };    // at most; bytes of a name

typedef struct Names {
    const char *origin;
    Grammar *grammar;    // NULL for a file
    int languages;
    const char *language[LANGUAGES];
    int count, held_out;    // the last of them, for validation
    const char **text;      // [count], in random order
    int *of;                // [count] their languages
    int length;             // T: bytes of the longest, and one more
    int vocabulary, end;
    int id_of[256];
    char symbols[256 + LANGUAGES + 1];    // of each token; of the languages and the end: '\0'
} Names;

bool names_load(Names *names, Arena *keep, const char *path, uint64_t seed, Error *err);

// A part of the names as samples: x [2 T + 1,B], time first: T tokens to read, padded with the end, then the T + 1
// tokens to predict from, padded with -1. language: of every sample, whatever it is; -1: its own.
typedef struct NameSamples {
    const Names *names;
    int first, language;
} NameSamples;
Batches names_batches(const NameSamples *samples, int count);
void make_names(Batch *batch, const void *data, const int *index);    // what it calls

// Nats per predicted token of the held-out names, given the language: of the grammar itself.
double names_true_loss(const Names *names);
// The same of frequencies of pairs of tokens, counted in the training set with add-one smoothing; given the language
// or not.
double names_pair_loss(const Names *names, bool conditional);
