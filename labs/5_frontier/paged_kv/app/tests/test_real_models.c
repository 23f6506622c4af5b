/* The engine with models that people use. Each is skipped where the data folder lacks it. */
#include "labs/5_frontier/paged_kv/app/chat/template.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "labs/5_frontier/paged_kv/app/tests/asked.h"
#include "tests/skip.h"

static const char *data_file(const char *name)
{
    char data[PATH_MAX];
    root_data_dir(data);
    const char *path = arena_print(names, "%s/%s", data, name);
    if (access(path, R_OK) == 0) return path;
    path = arena_print(names, "%s/../shared/data/%s", root_dir(), name);
    return access(path, R_OK) == 0 ? path : NULL;
}

// llama2.c, test_all.py: ./run stories260K.bin -z tok512.bin -t 0.0 -n 200
static const char STORY[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One "
    "day, she saw a big, red ball. She wanted to play with it, but it was too high.\nLily's mom "
    "said, "
    "\"Lily, let's go to the park.\" Lily was sad and didn't know what to do. She said, \"I want "
    "to play "
    "with your ball, but I can't find it.\"\nLily was sad and didn't know what to do. She said, "
    "\"I'm "
    "sorry, Lily. I didn't know what to do.\"\nLily didn't want to help her mom, so she";

static void run_request(const Weights *w, const Tokenizer *t, EngineOptions options,
                        Request request, Received *received)
{
    Error err = {""};
    Engine *e = engine_open(w, t, options, &err);
    if (e == NULL) fail_msg("%s", err.message);
    memset(received, 0, sizeof *received);
    request.on_event = receive;
    request.context = received;
    if (engine_submit(e, &request, &err) < 0) fail_msg("%s", err.message);
    while (engine_step(e)) continue;
    engine_close(e);
}

static void stories260k_continues_to_the_text_of_llama2_c(void **state)
{
    (void)state;
    const char *path = data_file("stories260k/stories260K.bin"),
               *vocabulary = data_file("stories260k/tok512.bin");
    if (path == NULL) SKIP("no stories260k in the data folder", "LAB_DATA=... ./lab test");
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){0}, &err);
    Tokenizer *t = tokenizer_open(vocabulary, &err);
    if (w == NULL || t == NULL) fail_msg("%s", err.message);
    static Received received;
    const int32_t begin = w->config.bos;
    for (int drafts = 0; drafts <= 4; drafts += 2)
        for (int size = 1; size <= 256; size *= 16) {
            run_request(w, t, (EngineOptions){.block_size = size, .drafts = drafts},
                        (Request){.prompt = &begin, .prompt_count = 1, .max_tokens = 200},
                        &received);
            assert_string_equal(received.text[0] + (received.text[0][0] == ' '), STORY);
        }
    // A stop string over several tokens: nothing of it is shown.
    const char *stops[] = {"big, red b", "nowhere"};
    run_request(w, t, (EngineOptions){0},
                (Request){.prompt = &begin,
                          .prompt_count = 1,
                          .max_tokens = 200,
                          .stop_strings = stops,
                          .stop_string_count = 2},
                &received);
    assert_int_equal(received.finish[0], FINISH_STOP);
    const char *end = strstr(STORY, stops[0]);
    assert_int_equal(strlen(received.text[0] + (received.text[0][0] == ' ')), end - STORY);
    tokenizer_close(t);
    weights_close(w);
}

// ---- a model that answers ----

static void answer(const Weights *w, const Tokenizer *t, const ChatTemplate *template,
                   EngineOptions options, const char *question, Constraint *constraint,
                   Received *received)
{
    Error err = {""};
    const ChatMessage message = {.role = "user", .content = question};
    const Chat chat = {.messages = &message, .count = 1};
    TokenIds ids = {0};
    if (!chat_encode(template, t, &chat, &ids, &err)) fail_msg("%s", err.message);
    const int32_t end = tokenizer_token(t, chat_template_end(template));
    run_request(w, t, options,
                (Request){.prompt = ids.ids,
                          .prompt_count = (int)ids.count,
                          .max_tokens = 24,
                          .stop_tokens = &end,
                          .stop_token_count = 1,
                          .constraint = constraint},
                received);
    free(ids.ids);
}

static void smollm2_knows_the_capital_of_france(void **state)
{
    (void)state;
    const char *path = data_file("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    if (path == NULL) SKIP("no SmolLM2 in the data folder", "./lab data get smollm2");
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){0}, &err);
    Tokenizer *t = tokenizer_open(path, &err);
    ChatTemplate *template = chat_template_open(path, &err);
    if (w == NULL || t == NULL || template == NULL) fail_msg("%s", err.message);
    static Received received;
    answer(w, t, template, (EngineOptions){0}, "What is the capital of France?", NULL, &received);
    assert_string_equal(received.text[0], "The capital of France is Paris.");
    assert_int_equal(received.finish[0], FINISH_STOP);
    // As JSON: every token is one that the schema allows, with and without drafts.
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"capital\":{\"enum\":[\"Paris\",\"Rome\"]}},"
        "\"required\":[\"capital\"],\"additionalProperties\":false}";
    TokenIndex *index = token_index_new(t, w->config.stops, w->config.stop_count);
    for (int drafts = 0; drafts <= 4; drafts += 4) {
        Grammar *grammar = json_schema_compile(schema, strlen(schema), &err);
        if (grammar == NULL) fail_msg("%s", err.message);
        Constraint *constraint = constraint_new(grammar, index);
        answer(w, t, template, (EngineOptions){.drafts = drafts},
               "What is the capital of France? Answer in JSON.", constraint, &received);
        constraint_close(constraint);
        assert_int_equal(received.finish[0], FINISH_STOP);
        assert_non_null(strstr(received.text[0], "\"Paris\""));
    }
    token_index_free(index);
    chat_template_close(template);
    tokenizer_close(t);
    weights_close(w);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(stories260k_continues_to_the_text_of_llama2_c),
        cmocka_unit_test(smollm2_knows_the_capital_of_france),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
