/* Requests and answers of lab serve, without a network and without a model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/paged_kv/app/serve/access.h"
#include "labs/5_frontier/paged_kv/app/serve/answer.h"
#include "labs/5_frontier/paged_kv/app/serve/stream.h"
#include "tests/facts.h"

static Arena *arena;
static cJSON *truth;
static Tokenizer *tokenizer;

static int begin(void **state)
{
    (void)state;
    Error err = {""};
    arena = arena_new("serving", (size_t)1 << 26);
    truth = json_load(FIXTURES "/chat.json", &err);
    tokenizer =
        tokenizer_open(SOURCE "/labs/3_language/tokenizer/app/tests/fixtures/qwen2.json", &err);
    if (truth == NULL || tokenizer == NULL) print_error("%s\n", err.message);
    return truth == NULL || tokenizer == NULL;
}

static int end(void **state)
{
    (void)state;
    tokenizer_close(tokenizer);
    cJSON_Delete(truth);
    arena_free(arena);
    return 0;
}

static ChatTemplate *template_of(const char *name)
{
    const char *text =
        cJSON_GetObjectItem(cJSON_GetObjectItem(truth, "templates"), name)->valuestring;
    Error err = {""};
    ChatTemplate *t = chat_template_parse(text, strlen(text), name, &err);
    if (t == NULL) fail_msg("%s", err.message);
    return t;
}

static Served served_with(const ChatTemplate *template)
{
    return (Served){.name = "m",
                    .tokenizer = tokenizer,
                    .template = template,
                    .no_template = "m: has no chat template",
                    .end = -1,
                    .vocabulary = tokenizer_size(tokenizer),
                    .context = 2000,
                    .bos = -1,
                    .sequences = 8};
}

// ---- a job whose model is the test ----

static void no_one(void *whom)
{
    (void)whom;
}

static Metrics metrics;

static Job *job_of(const Served *served, Api api, const char *body)
{
    Refusal refusal = {0};
    Job *job = job_new(served, &metrics, no_one, no_one);
    if (!api_request_read(&job->asked, api, job->arena, served, body, strlen(body), &refusal))
        fail_msg("%s: %s", body, refusal.err.message);
    job_begin(job);
    return job;
}

// The text in pieces of so many bytes, for all choices.
static void run(Job *job, const char *text, size_t piece)
{
    const size_t bytes = strlen(text);
    const Sampled sampled = {.token = 5};
    for (int k = 0; k < job->asked.request.choices; k++) {
        for (size_t at = 0; at < bytes; at += piece)
            job_event(&job->prompts[0],
                      &(EngineEvent){.choice = k,
                                     .sampled = &sampled,
                                     .text = text + at,
                                     .bytes = at + piece < bytes ? piece : bytes - at});
        job_event(&job->prompts[0], &(EngineEvent){.choice = k, .text = "", .finish = FINISH_STOP});
    }
}

static char *answer_of(Job *job)
{
    Bytes all = {0};
    char piece[100];
    for (long bytes; (bytes = job_read(job, piece, sizeof piece)) > 0;)
        bytes_add(&all, piece, (size_t)bytes);
    assert_integer("an answer's status", job_status(job), 200);
    bytes_add(&all, "", 1);
    job_release(job);
    return (char *)all.data;
}

// A choice's content and calls as one text: "content|name(arguments)".
static const char *answered(const char *answer)
{
    cJSON *tree = cJSON_Parse(answer);
    const cJSON *message =
        cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "choices"), 0), "message");
    const char *content = cJSON_GetStringValue(cJSON_GetObjectItem(message, "content"));
    const char *text = arena_print(arena, "%s|", content != NULL ? content : "");
    const cJSON *call;
    cJSON_ArrayForEach(call, cJSON_GetObjectItem(message, "tool_calls"))
    {
        const cJSON *f = cJSON_GetObjectItem(call, "function");
        text = arena_print(arena, "%s%s(%s)", text, cJSON_GetObjectItem(f, "name")->valuestring,
                           cJSON_GetObjectItem(f, "arguments")->valuestring);
    }
    cJSON_Delete(tree);
    return text;
}

static const char *streamed(const char *answer)
{
    const char *text = "", *calls = "";
    for (const char *at = answer; (at = strstr(at, "data: {")) != NULL; at += 6) {
        const char *line = arena_print(arena, "%.*s", (int)strcspn(at + 6, "\n"), at + 6);
        cJSON *tree = cJSON_Parse(line);
        assert_that(tree != NULL, "%s is not JSON", line);
        const cJSON *delta = cJSON_GetObjectItem(
            cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "choices"), 0), "delta");
        const char *content = cJSON_GetStringValue(cJSON_GetObjectItem(delta, "content"));
        const cJSON *call;
        text = arena_print(arena, "%s%s", text, content != NULL ? content : "");
        cJSON_ArrayForEach(call, cJSON_GetObjectItem(delta, "tool_calls"))
        {
            const cJSON *f = cJSON_GetObjectItem(call, "function");
            calls =
                arena_print(arena, "%s%s(%s)", calls, cJSON_GetObjectItem(f, "name")->valuestring,
                            cJSON_GetObjectItem(f, "arguments")->valuestring);
        }
        cJSON_Delete(tree);
    }
    assert_that(strstr(answer, "data: [DONE]\n\n") != NULL, "no [DONE] in %s", answer);
    return arena_print(arena, "%s|%s", text, calls);
}

#define WITH_TOOLS                                                                                 \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\","     \
    "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]"

static void calls_in_a_stream_are_those_of_the_whole(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
         "Let me see.|f({\"a\":1})"},
        {"  <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n<tool_call>{\"name\":\"f\","
         "\"arguments\":{\"b\":2}}</tool_call>",
         "|f({})f({\"b\":2})"},
        {"a < b, <tool, <tool_call", "a < b, <tool, <tool_call|"},
        {"no <tool_call>{\"name\": 5}</tool_call> at all",
         "no <tool_call>{\"name\": 5}</tool_call> at all|"},
        {" plain \n", "plain \n|"},
        {"<", "<|"},
        {"", "|"},
    };
    ChatTemplate *template = template_of("qwen2.5");
    const Served served = served_with(template);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Job *job = job_of(&served, API_CHAT, WITH_TOOLS "}");
        run(job, texts[i][0], 1000);
        char *answer = answer_of(job);
        assert_string_equal(answered(answer), texts[i][1]);
        free(answer);
        for (size_t piece = 1; piece < 30; piece++) {
            job = job_of(&served, API_CHAT, WITH_TOOLS ",\"stream\":true}");
            run(job, texts[i][0], piece);
            answer = answer_of(job);
            assert_string_equal(streamed(answer), texts[i][1]);
            free(answer);
        }
    }
    chat_template_close(template);
}

static void calls_of_llama_are_json_alone(void **state)
{
    (void)state;
    assert_integer("JSON that may be a call", (int)stream_certain("{\"name\"", 7, true), 0);
    assert_integer("white space", (int)stream_certain(" \n", 2, true), 0);
    assert_integer("words", (int)stream_certain("Yes {", 5, true), 5);
    assert_integer("JSON where calls are tagged", (int)stream_certain("{\"name\"", 7, false), 7);
    assert_integer("the start of a tag", (int)stream_certain("a <tool_", 8, false), 1);
}

static void a_required_call_is_the_whole_text(void **state)
{
    (void)state;
    ChatTemplate *template = template_of("qwen2.5");
    const Served served = served_with(template);
    Job *job = job_of(&served, API_CHAT, WITH_TOOLS ",\"tool_choice\":\"required\"}");
    assert_non_null(job->asked.grammar);
    run(job, "{\"name\":\"f\",\"arguments\":{\"x\":\"y\"}}", 3);
    char *answer = answer_of(job);
    assert_string_equal(answered(answer), "|f({\"x\":\"y\"})");
    assert_non_null(strstr(answer, "\"finish_reason\":\"tool_calls\""));
    free(answer);
    // Cut by max_tokens: no call.
    job = job_of(&served, API_CHAT, WITH_TOOLS ",\"tool_choice\":\"required\",\"stream\":true}");
    run(job, "{\"name\":\"f\",\"arg", 4);
    answer = answer_of(job);
    assert_string_equal(streamed(answer), "{\"name\":\"f\",\"arg|");
    free(answer);
    chat_template_close(template);
}

static void definitions_of_tools_come_along(void **state)
{
    (void)state;
    ChatTemplate *template = template_of("qwen2.5");
    const Served served = served_with(template);
    static const char body[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tool_choice\":\"required\","
        "\"tools\":[{\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{\"a\":{\"$ref\":"
        "\"#/$defs/A\"}},\"required\":[\"a\"],\"$defs\":{\"A\":{\"enum\":[\"x\"]}}}}}]}";
    Job *job = job_of(&served, API_CHAT, body);
    int at = grammar_begin(job->asked.grammar);
    for (const char *c = "{\"name\":\"f\",\"arguments\":{\"a\":\"x\"}}"; *c != '\0'; c++)
        at = grammar_step(job->asked.grammar, at, (uint8_t)*c);
    assert_that(at >= 0 && grammar_ends(job->asked.grammar, at),
                "the call is not a text of its schema");
    job_release(job);
    chat_template_close(template);
}

static void an_unfinished_job_can_be_given_up(void **state)
{
    (void)state;
    const Served served = served_with(NULL);
    Job *job = job_of(&served, API_COMPLETIONS, "{\"prompt\":\"x\",\"n\":3}");
    job_cancel(job, 408);
    job_event(&job->prompts[0], &(EngineEvent){.text = "", .finish = FINISH_CANCELLED});
    assert_integer("a status with two choices to come", job_status(job), 0);
    job_give_up(job);
    assert_integer("the status of one given up", job_status(job), 408);
    job_give_up(job);
    job_release(job);
}

static void a_suspended_reader_is_woken_once(void **state)
{
    (void)state;
    const Served served = served_with(NULL);
    Job *job = job_of(&served, API_COMPLETIONS, "{\"prompt\":\"x\",\"stream\":true}");
    assert_boolean("nothing is ready", job_suspends(job, job), true);
    run(job, "ab", 1);
    assert_pointer("who is suspended", job->suspended, NULL);
    assert_boolean("the answer is ready", job_suspends(job, job), false);
    free(answer_of(job));
}

static void fields_that_change_the_answer_are_not_passed_over(void **state)
{
    (void)state;
    static const struct {
        Api api;
        int status;
        const char *param, *body;
    } refused[] = {
        {API_CHAT, 400, "messages", "{}"},
        {API_CHAT, 400, "messages", "{\"messages\":[]}"},
        {API_CHAT, 400, "prompt",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"prompt\":\"x\"}"},
        {API_CHAT, 400, "top_logprobs", WITH_TOOLS ",\"top_logprobs\":2}"},
        {API_CHAT, 400, "tool_choice", WITH_TOOLS ",\"tool_choice\":\"always\"}"},
        {API_CHAT, 400, "tool_choice",
         WITH_TOOLS ",\"tool_choice\":{\"function\":{\"name\":\"g\"}}}"},
        {API_CHAT, 400, "parallel_tool_calls", WITH_TOOLS ",\"parallel_tool_calls\":false}"},
        {API_CHAT, 400, "response_format",
         WITH_TOOLS ",\"response_format\":{\"type\":\"json_object\"}}"},
        {API_CHAT, 400, "reasoning_effort", WITH_TOOLS ",\"reasoning_effort\":\"low\"}"},
        {API_CHAT, 400, "thinks", WITH_TOOLS ",\"chat_template_kwargs\":{\"thinks\":1}}"},
        {API_COMPLETIONS, 400, "tools", "{\"prompt\":\"x\",\"tools\":[]}"},
        {API_COMPLETIONS, 400, "prompt", "{\"prompt\":\"\"}"},
        {API_COMPLETIONS, 400, "n", "{\"prompt\":\"x\",\"n\":9}"},
        {API_COMPLETIONS, 400, "prompt", "{\"prompt\":[\"x\",\"y\",\"z\"],\"n\":3}"},
        {API_COMPLETIONS, 404, "model", "{\"prompt\":\"x\",\"model\":\"gpt-4\"}"},
    };
    ChatTemplate *template = template_of("qwen2.5");
    const Served served = served_with(template);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ApiRequest asked;
        Refusal refusal = {0};
        const char *body = refused[i].body;
        assert_that(
            !api_request_read(&asked, refused[i].api, arena, &served, body, strlen(body), &refusal),
            "%s is accepted", body);
        assert_integer(body, refusal.status, refused[i].status);
        assert_string_equal(refusal.param, refused[i].param);
        assert_that(strlen(refusal.err.message) > 10, "%s: %s", body, refusal.err.message);
    }
    Job *job =
        job_of(&served, API_CHAT,
               WITH_TOOLS ",\"user\":\"u\",\"store\":false,\"n\":null,\"tool_choice\":\"none\"}");
    assert_boolean("tools that may not be called", job->asked.has_tools, false);
    job_release(job);
    chat_template_close(template);
}

static void keys_and_origins_are_compared_whole(void **state)
{
    (void)state;
    static const char *const others[] = {"",    "k",   "ke",   "keys", "keykey",
                                         "Key", "kex", "key ", "xkey", "yek"};
    assert_boolean("the key", access_key_equals("key", "key"), true);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_boolean(others[i], access_key_equals(others[i], "key"), false);
    static const char *const own[] = {"http://localhost", "http://localhost:8080",
                                      "https://127.0.0.1:1", "http://[::1]:8080",
                                      "http://192.168.0.5"};
    static const char *const foreign[] = {"null",
                                          "",
                                          "http://",
                                          "http://evil.example",
                                          "http://localhost.evil.example",
                                          "http://127.0.0.1.evil.example",
                                          "http://[::1].evil.example:x",
                                          "localhost"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_boolean(own[i], access_is_own_origin(own[i]), true);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_boolean(foreign[i], access_is_own_origin(foreign[i]), false);
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    Metrics m = {0};
    const EngineStatistics none = {0};
    Bytes out = {0};
    metrics_observe(&m.gap, 0.0005);
    metrics_observe(&m.gap, 0.3);
    metrics_observe(&m.gap, 1000);
    metrics_write(&out, &m, &none);
    bytes_add(&out, "", 1);
    const char *text = (const char *)out.data;
    assert_non_null(strstr(text, "lab_inter_token_gap_seconds_bucket{le=\"0.001\"} 1\n"));
    assert_non_null(strstr(text, "lab_inter_token_gap_seconds_bucket{le=\"0.5\"} 2\n"));
    assert_non_null(strstr(text, "lab_inter_token_gap_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "lab_inter_token_gap_seconds_count 3\n"));
    free(out.data);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(calls_in_a_stream_are_those_of_the_whole),
        cmocka_unit_test(calls_of_llama_are_json_alone),
        cmocka_unit_test(a_required_call_is_the_whole_text),
        cmocka_unit_test(definitions_of_tools_come_along),
        cmocka_unit_test(an_unfinished_job_can_be_given_up),
        cmocka_unit_test(a_suspended_reader_is_woken_once),
        cmocka_unit_test(fields_that_change_the_answer_are_not_passed_over),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(keys_and_origins_are_compared_whole),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
