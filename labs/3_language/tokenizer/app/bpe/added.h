/* added.h -- tokens that are cut out of a text before anything else is done to it: <|endoftext|>.
 *
 *     AddedTokens added;
 *     added_sort(&added);
 *     while (added_find(&added, text, bytes, at, &match)) at = match.end;
 *
 * The leftmost is found, and of those that begin there the longest; of equal ones a special one, then the one
 * that was added first.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AddedToken {
    const char *content;    // as it is looked for: normalized, if it is looked for after that
    size_t bytes;
    int id;
    bool special;        // found only where the caller says that the text may hold special tokens
    bool single_word;    // only where no word character is beside it
    bool left, right;    // takes the spaces on that side with it
    bool normalized;     // looked for in the normalized text
} AddedToken;

typedef struct AddedTokens {
    int count;
    AddedToken *items;    // sorted by added_sort()
    bool begins[256];     // with this byte
} AddedTokens;

typedef struct AddedMatch {
    const AddedToken *token;
    size_t start, end;
} AddedMatch;

void added_sort(AddedTokens *added);
bool added_find(const AddedTokens *added, const uint8_t *text, size_t bytes, size_t from,
                AddedMatch *match);

// Where the token applies: false when a word goes on beside it, else with the spaces it takes, from
// `done` on at the earliest.
bool added_fit(AddedMatch *match, const uint8_t *text, size_t bytes, size_t done);
