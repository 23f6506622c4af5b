/* normalize.h -- what is done to a text before it is cut into pieces.
 *
 *     Normalizer normalizer = {0};
 *     normalizer_add(&normalizer, (NormalStep){.kind = NORMAL_FORM, .form = "NFC"}, &err);
 *     Bytes held = {0};
 *     if (!normalizer_run(&normalizer, text, &bytes, &held, &text, &err)) ...
 *     // text and bytes are those of the result, in `held` or (unchanged) where they were
 *     free(held.data);
 *     normalizer_close(&normalizer);
 *
 * The normal forms are those of utf8proc's Unicode; without utf8proc a step that needs it is refused
 * when it is added. Bytes that are not UTF-8 stay as they are.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/3_language/tokenizer/app/text/regex.h"

typedef enum NormalKind {
    NORMAL_FORM,         // "NFC", "NFD", "NFKC" or "NFKD"
    NORMAL_LOWERCASE,    // a character at a time
    NORMAL_PREPEND,      // `with`, before a text that is not empty
    NORMAL_REPLACE,      // each `what`, or match of `regex`, by `with`
    NORMAL_STRIP,        // spaces at the ends
} NormalKind;

typedef struct NormalStep {
    NormalKind kind;
    const char *form;     // borrowed
    char *what, *with;    // owned by the normalizer from normalizer_add() on; malloc
    Regex *regex;         // likewise
    bool left, right;
} NormalStep;

enum { NORMAL_MAX_STEPS = 16 };

typedef struct Normalizer {
    int count;
    NormalStep steps[NORMAL_MAX_STEPS];
} Normalizer;

bool normalizer_add(Normalizer *normalizer, NormalStep step, Error *err);
void normalizer_close(Normalizer *normalizer);

bool normalizer_run(const Normalizer *normalizer, const uint8_t *text, size_t *bytes, Bytes *held,
                    const uint8_t **result, Error *err);

// ---- forms.c, or forms_none.c where there is no utf8proc ----

// NULL: no such form, or no utf8proc.
typedef void FormFunction(Bytes *out, const uint8_t *text, size_t bytes);
FormFunction *form_find(const char *name, Error *err);    // of NORMAL_FORM; "lowercase"
