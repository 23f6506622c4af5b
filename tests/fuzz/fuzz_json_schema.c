/* fuzz_json_schema.c -- whatever a request's schema says, it becomes a grammar in which no text is stuck, or is
 * refused with a sentence. The input is also read as a text of the grammar, and chooses the steps of another. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void walk(Grammar *g, const uint8_t *bytes, size_t size)
{
    int read = grammar_begin(g), written = read;
    for (size_t i = 0; i < size && i < 300; i++) {
        read = grammar_step(g, read, bytes[i]);
        int next = -1, byte = bytes[i];
        for (int k = 0; k < 256 && next < 0; k++)
            next = grammar_step(g, written, (uint8_t)(byte + k));
        // Unless there are too many states, only the end of a text has nothing behind it.
        if (next < 0) {
            expect(grammar_ends(g, written) || grammar_states(g) == GRAMMAR_STATES_MAX);
            return;
        }
        written = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    Error err = {""};
    expect(text != NULL);
    memcpy(text, bytes, size);
    text[size] = '\0';
    Grammar *g = json_schema_compile(text, size, &err);
    expect(g != NULL || strlen(err.message) > 10);
    if (g != NULL) walk(g, bytes, size);
    grammar_free(g);
    free(text);
    return 0;
}
