/* fuzz_tokenizer.c -- whatever a tokenizer.json or a llama2.c vocabulary says, it becomes a tokenizer that encodes
 * any text, or is refused with a sentence. Some of the input is the text as well.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/files/plain.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int holds)
{
    if (!holds) abort();
}

static void try(Tokenizer *t, const char *text, size_t size, const Error *refusal)
{
    expect(t != NULL || strlen(refusal->message) > 10);
    if (t == NULL) return;
    TokenIds ids = {0};
    Error err = {""};
    size_t decoded;
    EncodeOptions options = {.add_special = true, .parse_special = true};
    if (size > 200) size = 200;
    if (!tokenizer_encode(t, text, size, options, &ids, &err)) expect(strlen(err.message) > 10);
    for (size_t i = 0; i < ids.count; i++)
        expect(ids.ids[i] >= 0 && ids.ids[i] < tokenizer_size(t));
    free(tokenizer_decode(t, ids.ids, ids.count, (DecodeOptions){0}, &decoded));
    free(ids.ids);
    tokenizer_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    Error err = {""};
    cJSON *tree = cJSON_ParseWithLength(text, size);
    if (tree != NULL) try(tokenizer_json_read(tree, "fuzz", &err), text, size, &err);
    else if (tokenizer_llama2c_fits(bytes, size))
        try(tokenizer_llama2c_read(bytes, size, "fuzz", &err), text, size, &err);
    else try(tokenizer_merges_read(text, size, "fuzz", &err), text, size, &err);
    cJSON_Delete(tree);
    return 0;
}
