/* tokens.h -- a text's token ids as samples: windows of T tokens, each labelled with the tokens that follow.
 *
 *     Tokens all = {.ids = ids, .count = count}, train, validation;
 *     tokens_split(&all, 0.1f, &train, &validation);             // the last tenth
 *     TokenWindows windows;
 *     if (!token_windows(&windows, train, 64, 1, "the training set", &err)) return error_report(&err);
 *     Training training = {.train = token_batches(&windows), ...};    // x [B,T], labels [B,T], I32
 *
 * The label of a token is the next one, so that a window takes T + 1 tokens. Nothing is padded and nothing
 * is read past the end: text of T tokens or fewer is refused. All is borrowed.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/batches.h"
#include "common/error.h"

typedef struct Tokens {
    const int32_t *ids;
    size_t count;
    const size_t
        *starts;    // where windows begin, ascending: of lines, of documents; NULL: anywhere
    size_t start_count;
} Tokens;

// The last `share` of the tokens (of the starts, where there are some) for validation, the rest for
// training: none is in both.
void tokens_split(const Tokens *all, float share, Tokens *train, Tokens *validation);

typedef struct TokenWindows {
    Tokens tokens;
    int length;       // T
    size_t stride;    // from a window's first token, or start, to that of the next
    int count;
} TokenWindows;

// Every window, or every stride-th. A stride of T shows each token once; the stride grows until the
// windows can be counted in an int. False where there is none; `where` names the text in the message.
bool token_windows(TokenWindows *windows, Tokens tokens, int length, size_t stride,
                   const char *where, Error *err);

// At most `most` of them, spread evenly.
void token_windows_limit(TokenWindows *windows, int most);

Batches token_batches(const TokenWindows *windows);

// The place of a window's first token.
size_t token_window_first(const TokenWindows *windows, int index);
