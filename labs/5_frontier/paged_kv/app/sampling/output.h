/* output.h -- the text of a request, token by token: whole characters, up to a stop string.
 *
 *     Output *output = output_open(tokenizer, stops, stop_count, (OutputOptions){0});
 *     size_t bytes;
 *     const char *text = output_step(output, token, &bytes);    // to be sent now; always valid UTF-8
 *     if (output_stopped(output)) ...                           // by a stop string
 *     text = output_end(output, &bytes);                        // the rest
 *     output_close(output);
 *
 * In sum the text is the same however it is sent. Special tokens show nothing. A byte that is no part of a
 * character (a model may give any, and a limit may cut an emoji) becomes U+FFFD. All memory is allocated at the
 * start.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "labs/3_language/tokenizer/app/encoder.h"

typedef struct Output Output;

typedef struct OutputOptions {
    bool include_stop;    // shows the stop string, too
    bool continues;       // a prompt: a space at the beginning is shown
} OutputOptions;

Output *output_open(const Tokenizer *tokenizer, const char *const *stops, int stop_count,
                    OutputOptions options);    // NULL: no memory
void output_close(Output *output);             // NULL is fine

// What is returned lives until the next call.
const char *output_step(Output *output, int token, size_t *bytes);
const char *output_end(Output *output, size_t *bytes);
bool output_stopped(const Output *output);
