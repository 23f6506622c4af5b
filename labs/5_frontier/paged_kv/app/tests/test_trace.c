/* Traces as files, and synthetic workloads. */
#include <unistd.h>
#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include "labs/5_frontier/paged_kv/app/tests/replays.h"

// ---- traces ----

static void read_text(const char *text, Trace *trace, const char *error)
{
    Error err = {""};
    char path[] = "/tmp/trace_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    const bool good = trace_read(arena, path, trace, &err);
    unlink(path);
    assert_boolean(error != NULL ? error : err.message, good, error == NULL);
    if (error != NULL && strcmp(err.message + strlen(path), error) != 0)
        assert_string_equal(err.message, error);
}

static void a_trace_is_read_in_the_order_of_arrival(void **state)
{
    (void)state;
    Trace trace;
    read_text(
        "{\"timestamp\": 2.5, \"input_length\": 40, \"output_length\": 7, \"hash_ids\": [1, 2, "
        "3]}\n"
        "\n"
        "{\"timestamp\": 1, \"input_length\": 32, \"output_length\": 9, \"hash_ids\": [1, 4], "
        "\"type\": \"text\"}\n",
        &trace, NULL);
    assert_integer("requests", trace.count, 2);
    assert_integer("prompt", trace.requests[0].prompt, 32);
    assert_integer("output", trace.requests[1].output, 7);
    assert_close(trace.requests[1].arrival, 2.5, 0);
    for (int i = 0; i < 32; i++) {
        const bool same =
            request_token(&trace.requests[0], i) == request_token(&trace.requests[1], i);
        assert_boolean("the same token", same, i < 16);
    }
}

static void tokens_without_an_id_are_unique(void **state)
{
    (void)state;
    const Request a = {.id = 1, .prompt = 40}, b = {.id = 2, .prompt = 40};
    for (int i = 0; i < 40; i++) {
        assert_boolean("another request", request_token(&a, i) == request_token(&b, i), false);
        assert_boolean("another place", request_token(&a, i) == request_token(&a, i + 1), false);
        assert_that(request_token(&a, i) >= 0, "token %d is negative", i);
    }
}

// The parent's output is known from the child's prompt.
static void the_next_turn_continues_the_parents_output(void **state)
{
    (void)state;
    Trace trace;
    read_text(
        "{\"timestamp\": 0, \"input_length\": 20, \"output_length\": 30, \"hash_ids\": [1, 2], "
        "\"chat_id\": 5, \"parent_chat_id\": -1}\n"
        "{\"timestamp\": 9, \"input_length\": 70, \"output_length\": 3, \"hash_ids\": [1, 3, 4, 6, "
        "7], "
        "\"chat_id\": 6, \"parent_chat_id\": 5}\n",
        &trace, NULL);
    for (int i = 0; i < 50; i++)
        assert_integer("token", request_token(&trace.requests[0], i),
                       request_token(&trace.requests[1], i));
}

static void a_bad_trace_gets_a_sentence(void **state)
{
    (void)state;
    Trace trace;
    read_text("", &trace, ": holds no request");
    read_text("\n \n", &trace, ": holds no request");
    read_text("{\"input_length\": 4, \"output_length\": 7}\n", &trace,
              ":1: \"timestamp\" is missing, expected a number");
    read_text("{\"timestamp\": 1, \"input_length\": 0, \"output_length\": 7}\n", &trace,
              ":1: \"input_length\" is 0, expected 1 to 4.1943e+06");
    read_text("{\"timestamp\": 1, \"input_length\": 4, \"output_length\": 7, \"hash_ids\": [-1]}\n",
              &trace, ":1: \"hash_ids\" holds a value that is not an integer from 0 to 2147483647");
    read_text("{\"timestamp\": 1, \"input_length\": 4, \"output_length\": 7, \"hash_ids\": 3}\n",
              &trace, ":1: \"hash_ids\" is not a list");
}

static void a_damaged_trace_is_read_or_refused(void **state)
{
    (void)state;
    static const char good[] =
        "{\"timestamp\": 0.5, \"input_length\": 40, \"output_length\": 3, \"hash_ids\": [1, 2, 3], "
        "\"chat_id\": 1, \"parent_chat_id\": -1}\n"
        "{\"timestamp\": 1.5, \"input_length\": 90, \"output_length\": 3, \"hash_ids\": [1, 2, 4, "
        "5], "
        "\"chat_id\": 2, \"parent_chat_id\": 1}\n";
    static const char letters[] = "0123456789-.e,:[]{}\" \n\tx\0";
    char text[sizeof good], path[] = "/tmp/trace_XXXXXX";
    const int file = mkstemp(path);
    Rng rng = rng_from_seed(5);
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
        Trace trace;
        Error err = {""};
        memcpy(text, good, sizeof good);
        for (int n = 1 + (int)rng_below(&rng, 3); n > 0; n--)
            text[rng_below(&rng, sizeof good - 1)] = letters[rng_below(&rng, sizeof letters - 1)];
        assert_true(pwrite(file, text, sizeof good - 1, 0) == (ssize_t)(sizeof good - 1));
        if (!trace_read(arena, path, &trace, &err)) {
            refused++;
            assert_that(strlen(err.message) > strlen(path) + 8, "no reason: '%s'", err.message);
            continue;
        }
        for (int r = 0; r < trace.count; r++)
            for (int t = 0; t < 100; t++)
                assert_that(request_token(&trace.requests[r], t) >= 0, "token %d", t);
    }
    close(file);
    unlink(path);
    assert_that(refused > 500 && refused < 2990, "%d of 3000 were refused", refused);
}

// ---- synthetic workloads ----

static void lengths_have_the_means_of_the_paper(void **state)
{
    (void)state;
    const struct {
        const char *name;
        double prompt, output;
    } want[] = {{"sharegpt", 161.31, 337.99}, {"alpaca", 19.31, 58.45}};
    for (int w = 0; w < 2; w++) {
        const int n = 20000;
        const Trace trace = workload_make(arena, workload_find(want[w].name), n, 2, 1);
        double prompt = 0, output = 0;
        for (int i = 0; i < n; i++) {
            prompt += trace.requests[i].prompt;
            output += trace.requests[i].output;
            assert_that(i == 0 || trace.requests[i].arrival >= trace.requests[i - 1].arrival,
                        "request %d comes before the one before", i);
        }
        assert_close(prompt / n, want[w].prompt, 0.03 * want[w].prompt);
        assert_close(output / n, want[w].output, 0.03 * want[w].output);
        assert_close(trace.requests[n - 1].arrival, n / 2.0, 0.03 * n / 2);
    }
}

static void the_same_seed_makes_the_same_trace(void **state)
{
    (void)state;
    const Workload *chat = workload_find("chat");
    const Trace a = workload_make(arena, chat, 500, 2, 7),
                b = workload_make(arena, chat, 500, 2, 7);
    const Trace c = workload_make(arena, chat, 500, 2, 8);
    int differ = 0;
    for (int i = 0; i < 500; i++) {
        assert_integer("prompt", a.requests[i].prompt, b.requests[i].prompt);
        assert_integer("token", request_token(&a.requests[i], a.requests[i].prompt - 1),
                       request_token(&b.requests[i], b.requests[i].prompt - 1));
        differ += a.requests[i].prompt != c.requests[i].prompt;
    }
    assert_that(differ > 400, "another seed changes %d of 500 prompts", differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_is_read_in_the_order_of_arrival),
        cmocka_unit_test(tokens_without_an_id_are_unique),
        cmocka_unit_test(the_next_turn_continues_the_parents_output),
        cmocka_unit_test(a_bad_trace_gets_a_sentence),
        cmocka_unit_test(a_damaged_trace_is_read_or_refused),
        cmocka_unit_test(lengths_have_the_means_of_the_paper),
        cmocka_unit_test(the_same_seed_makes_the_same_trace),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
