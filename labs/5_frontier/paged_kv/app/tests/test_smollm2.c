/* The parts together, on a real model that answers questions: chat template, tokens, logits, sampler, stop
 * strings, JSON schema. The transformer lab's model computes. Skipped without ./lab data get smollm2. */
#include <cjson/cJSON.h>
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"
#include "labs/5_frontier/paged_kv/app/sampling/constraint.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "labs/5_frontier/paged_kv/app/sampling/output.h"
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"
#include "tests/facts.h"
#include "tests/skip.h"

enum { CONTEXT = 256, ANSWER = 1024 };

static Opened *opened;
static Tokenizer *tokenizer;
static ChatTemplate *chat_template;

static int open_all(void **state)
{
    if (begin(state) != 0) return -1;
    char data[PATH_MAX];
    Error err = {""};
    root_data_dir(data);
    const char *path = arena_print(names, "%s/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", data);
    if (access(path, R_OK) != 0) return 0;
    opened = open_path(path);
    tokenizer = tokenizer_open(path, &err);
    chat_template = chat_template_open(path, &err);
    if (tokenizer == NULL || chat_template == NULL) print_error("%s\n", err.message);
    return tokenizer == NULL || chat_template == NULL;
}

static int close_all(void **state)
{
    chat_template_close(chat_template);
    tokenizer_close(tokenizer);
    if (opened != NULL) close_opened(opened);
    return end(state);
}

static const float *logits_after(KvCache *cache, const int32_t *ids, int count)
{
    tape_reset(opened->tape);
    Tensor *input = tensor_from_ints(opened->tape->arena, SHAPE(1, count), ids);
    return values_of(model_extend(opened->tape, &opened->model, cache, input));
}

// The answer to one question, greedily, of at most `most` tokens.
static void ask(char answer[ANSWER], const char *question, int most, Constraint *constraint)
{
    const ChatMessage message = {.role = "user", .content = question};
    const Chat chat = {.messages = &message, .count = 1};
    TokenIds ids = {0};
    Error err = {""};
    if (!chat_encode(chat_template, tokenizer, &chat, &ids, &err)) fail_msg("%s", err.message);
    const int prompt = (int)ids.count, stop = opened->model.config.stops[0];
    KvCache *cache = kv_cache_new(opened->keep, &opened->model, CONTEXT);
    Sampler *sampler = sampler_new(opened->model.config.vocabulary);
    Output *output = output_open(tokenizer, NULL, 0, (OutputOptions){0});
    const SamplerOptions options = {.log_probabilities = -1};
    int state = constraint != NULL ? constraint_begin(constraint) : 0;
    size_t used = 0, bytes;
    const float *logits = logits_after(cache, ids.ids, prompt);
    for (int i = 0; i < most; i++) {
        const SamplerContext context = {
            .logits = logits,
            .tokens = ids.ids,
            .prompt = prompt,
            .count = (int)ids.count,
            .allowed = constraint != NULL ? constraint_mask(constraint, state) : NULL};
        Sampled next;
        if (!sampler_step(sampler, &options, &context, &next, &err)) fail_msg("%s", err.message);
        if (next.token == stop) break;
        if (constraint != NULL) state = constraint_next(constraint, state, next.token);
        const char *text = output_step(output, next.token, &bytes);
        assert_true(used + bytes < ANSWER);
        memcpy(answer + used, text, bytes);
        used += bytes;
        ids_add(&ids, next.token);
        logits = logits_after(cache, &next.token, 1);
    }
    const char *text = output_end(output, &bytes);
    memcpy(answer + used, text, bytes);
    answer[used + bytes] = '\0';
    output_close(output);
    sampler_close(sampler);
    free(ids.ids);
}

static void the_capital_of_france_is_paris(void **state)
{
    (void)state;
    if (opened == NULL) SKIP("no SmolLM2 in the data folder", "./lab data get smollm2");
    char answer[ANSWER];
    ask(answer, "What is the capital of France?", 30, NULL);
    assert_string_equal(answer, "The capital of France is Paris.");
}

static void an_answer_by_a_schema_is_valid(void **state)
{
    (void)state;
    if (opened == NULL) SKIP("no SmolLM2 in the data folder", "./lab data get smollm2");
    static const char schema[] =
        "{\"type\": \"object\", \"properties\": {\"country\": {\"enum\": [\"France\", \"Peru\"]}, "
        "\"capital\": {\"type\": \"string\", \"maxLength\": 20}, \"large\": {\"type\": "
        "\"boolean\"}}, "
        "\"required\": [\"country\", \"capital\", \"large\"]}";
    Error err = {""};
    Grammar *grammar = json_schema_compile(schema, strlen(schema), &err);
    if (grammar == NULL) fail_msg("%s", err.message);
    TokenIndex *index =
        token_index_new(tokenizer, opened->model.config.stops, opened->model.config.stop_count);
    Constraint *constraint = constraint_new(grammar, index);
    char answer[ANSWER];
    ask(answer, "What is the capital of France? Answer in JSON.", 60, constraint);
    print_message("%s\n", answer);
    cJSON *value = cJSON_ParseWithOpts(answer, NULL, true);
    assert_that(cJSON_GetArraySize(value) == 3, "not valid: %s", answer);
    assert_string_equal(cJSON_GetObjectItem(value, "country")->valuestring, "France");
    assert_string_equal(cJSON_GetObjectItem(value, "capital")->valuestring, "Paris");
    assert_true(cJSON_IsBool(cJSON_GetObjectItem(value, "large")));
    cJSON_Delete(value);
    constraint_close(constraint);
    token_index_free(index);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_capital_of_france_is_paris),
        cmocka_unit_test(an_answer_by_a_schema_is_valid),
    };
    return cmocka_run_group_tests(cases, open_all, close_all);
}
