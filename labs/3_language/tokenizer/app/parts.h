/* parts.h -- what a Tokenizer is made of: for the readers and writers in files/, and encoder.c. */
#pragma once
#include <cjson/cJSON.h>
#include <stdatomic.h>
#include "common/arena.h"
#include "labs/3_language/tokenizer/app/bpe/added.h"
#include "labs/3_language/tokenizer/app/bpe/bpe.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/app/split/split.h"
#include "labs/3_language/tokenizer/app/text/normalize.h"

enum { TEMPLATE_MAX = 16 };

// Ids around a text.
typedef struct Template {
    int before[TEMPLATE_MAX], after[TEMPLATE_MAX];
    int before_count, after_count;
} Template;

struct Tokenizer {
    Arena *keep;
    AddedTokens added[2];    // looked for in the text as it is, and in the normalized text
    Normalizer normalizer;
    Splitter splitter;
    Bpe bpe;
    Template template;
    int bos, eos;
    Normalizer pieces_to_text;    // what decoding replaces in a piece
    bool strip_space;             // and takes one space from the start of a text
    size_t longest;               // bytes of a token's text
    const char *about;
    cJSON *parts;    // {"truncation", "padding", "normalizer", ...} for the writer
    struct Scratch *_Atomic scratch;    // one that no thread uses just now; NULL
};
