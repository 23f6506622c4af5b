/* fuzz_serve.c -- whatever is posted to lab serve, it becomes prompts within the model's context, or is refused with
 * a status of 4xx and a sentence. The first byte chooses the API. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/serve/api_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char template_text[] = "<|im_start|><tool_call>You may call one or more functions";

static void expect(int holds)
{
    if (!holds) abort();
}

static Tokenizer *tokenizer;
static ChatTemplate *template;
static Arena *arena;

// The leak checker does not see what an arena points to.
static void end(void)
{
    chat_template_close(template);
    tokenizer_close(tokenizer);
    arena_free(arena);
}

static void begin(void)
{
    Error err;
    arena = arena_new("fuzz", (size_t)1 << 30);
    tokenizer = tokenizer_bytes();
    template = chat_template_parse(template_text, strlen(template_text), "fuzz", &err);
    expect(template != NULL);
    atexit(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err;
    if (tokenizer == NULL) begin();
    if (size == 0) return 0;
    const Served served = {.name = "m",
                           .tokenizer = tokenizer,
                           .template = template,
                           .no_template = "",
                           .end = -1,
                           .vocabulary = 256,
                           .context = 500,
                           .bos = 1,
                           .sequences = 8};
    char *body = malloc(size);
    expect(body != NULL);
    memcpy(body, bytes + 1, size - 1);
    body[size - 1] = '\0';
    ApiRequest asked;
    Refusal refusal = {0};
    Bytes out = {0};
    if (api_request_read(&asked, bytes[0] % 2 ? API_CHAT : API_COMPLETIONS, arena, &served, body,
                         size - 1, &refusal)) {
        expect(asked.prompt_count > 0 &&
               asked.prompt_count * asked.request.choices <= served.sequences);
        for (int i = 0; i < asked.prompt_count; i++)
            expect(asked.prompts[i].count > 0 && asked.prompts[i].count < 500);
        expect(sampler_check(&asked.request.sampling, served.vocabulary, &err));
        expect((asked.schema != NULL) == (asked.grammar != NULL));
        api_request_free(&asked);
    } else {
        expect(refusal.status >= 400 && refusal.status < 500 && strlen(refusal.err.message) > 10);
        refusal_write(&out, &refusal);
        cJSON *tree = cJSON_ParseWithLength((char *)out.data, out.count);
        expect(tree != NULL);
        cJSON_Delete(tree);
    }
    arena_reset(arena);
    free(out.data);
    free(body);
    return 0;
}
