/* split.h -- pre-tokenization: cuts a text into the pieces that BPE then works on one by one.
 *
 *     Splitter splitter = {0};
 *     splitter_add(&splitter, (SplitStep){.kind = SPLIT_CLASS, .classes = CODE_NUMERIC});
 *     splitter_add(&splitter, (SplitStep){.kind = SPLIT_PATTERN, .pattern = pattern_named("gpt2")});
 *     splitter_run(&splitter, text, bytes, true, on_piece, context, &err);
 *     splitter_close(&splitter);
 *
 * Each step cuts the pieces of the one before. The steps and what they do with a match are those of
 * `tokenizers`. The pieces lie in the text, or in memory of the step that changed it: each is gone
 * when on_piece returns.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/split/pattern.h"
#include "labs/3_language/tokenizer/app/text/regex.h"

typedef enum SplitKind {
    SPLIT_PATTERN,         // each match of a known pattern is a piece
    SPLIT_REGEX,           // what matches is a match, what lies between matches is none
    SPLIT_LITERAL,         // a string
    SPLIT_CLASS,           // a character of one of the classes
    SPLIT_RUNS,            // each run of a string begins a piece
    SPLIT_PREFIX_SPACE,    // changes the text: a space before, unless there is one
    SPLIT_METASPACE,       // changes the text: spaces become the literal, and each begins a piece
    SPLIT_BYTE_ALPHABET,    // changes the text: later steps see its bytes as characters, on_piece does not
} SplitKind;

typedef enum SplitBehavior {
    SPLIT_ISOLATED,           // matches and what lies between them are pieces
    SPLIT_REMOVED,            // what lies between is
    SPLIT_MERGED_PREVIOUS,    // a match ends a piece
    SPLIT_MERGED_NEXT,        // a match begins a piece
    SPLIT_CONTIGUOUS,         // matches that touch are one
} SplitBehavior;

typedef enum SplitPrefix { SPLIT_ALWAYS, SPLIT_FIRST, SPLIT_NEVER } SplitPrefix;

typedef struct SplitStep {
    SplitKind kind;
    SplitBehavior behavior;
    bool invert;    // matches and what lies between change places
    const Pattern *pattern;
    Regex *regex;     // owned by the splitter from splitter_add() on
    char *literal;    // likewise; malloc
    unsigned classes;
    SplitPrefix prefix;    // SPLIT_METASPACE: where the literal is put before the text
    bool whole;            // SPLIT_METASPACE: do not cut
} SplitStep;

enum { SPLIT_MAX_STEPS = 16 };

typedef struct Splitter {
    int count;
    bool in_byte_alphabet;    // there is such a step
    SplitStep steps[SPLIT_MAX_STEPS];
} Splitter;

bool splitter_add(Splitter *splitter, SplitStep step);    // false: there are too many
void splitter_close(Splitter *splitter);

typedef bool OnPiece(void *context, const uint8_t *piece, size_t bytes,
                     Error *err);    // false ends it

// `first` says that the text before is empty.
bool splitter_run(const Splitter *splitter, const uint8_t *text, size_t bytes, bool first,
                  OnPiece *on_piece, void *context, Error *err);
