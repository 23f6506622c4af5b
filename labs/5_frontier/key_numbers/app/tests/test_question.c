/* Questions: what is read from a text, what is refused and with which sentence; sweeps. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/question/hub.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/question/sweep.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

static bool set(Question *question, const char *name, const char *text, Error *err)
{
    return question_set(question, arena, name, text, err);
}

static void a_suffix_is_binary_for_tokens_and_decimal_for_amounts(void **state)
{
    (void)state;
    Question question = question_default();
    Error err = {""};
    assert_true(set(&question, "context", "128k", &err));
    assert_int_equal(question.context, 131072);
    assert_true(set(&question, "context", "1m", &err));
    assert_int_equal(question.context, 1048576);
    assert_true(set(&question, "train-tokens", "15.6t", &err));
    assert_true(question.train_tokens == 15.6e12);
    assert_true(set(&question, "budget", "3.8e25", &err));
    assert_true(question.budget == 3.8e25);
    assert_true(set(&question, "micro_batch", "3", &err) &&
                set(&question, "micro-batch", "4", &err));
    assert_int_equal(question.micro_batch, 4);
    assert_true(set(&question, "flash", "no", &err));
    assert_false(question.flash);
}

static void refuses(const char *name, const char *text, const char *sentence)
{
    Question question = question_default(), before = question;
    Error err = {""};
    assert_false(set(&question, name, text, &err));
    if (strstr(err.message, sentence) == NULL)
        fail_msg("said \"%s\", expected \"%s\"", err.message, sentence);
    assert_memory_equal(&question, &before, sizeof question);
}

static void invalid_values_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-1",  "0",   "1.5",  "1e99", "4kk",
                                      "4x", "nan", "inf", "0x10", " 4",   "4 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses("context", bad[i], "is not a whole number from 1 to 1e+09");
    // What would do is said.
    refuses("context", "128kb",
            "context: '128kb' is not a whole number from 1 to 1e+09; did you mean 128k?");
    refuses("context", "128 k", "; did you mean 128k?");
    refuses("context", "128k tokens", "; did you mean 128k?");
    refuses("context", "1.5gb", "is not a whole number from 1 to 1e+09");
    refuses("mfu", "1.5", "mfu: '1.5' is not a number from 0.001 to 1");
    refuses("mfu", "1k", "is not a number");
    refuses("optimizer", "adam", "optimizer: 'adam' is not one of adamw|");
    refuses("flash", "maybe", "is not yes or no");
    refuses("contxt", "1", "'contxt' is no setting; did you mean context?");
}

static void values_read_back_unchanged(void **state)
{
    (void)state;
    Question question = question_default();
    Error err = {""};
    for (int i = 0; i < question_field_count; i++) {
        const QuestionField *field = &question_fields[i];
        const char *text = question_text(&question, arena, field);
        if (text == NULL) continue;
        Question again = question_default();
        if (!set(&again, field->name, text, &err)) fail_msg("%s", err.message);
        assert_string_equal(question_text(&again, arena, field), text);
    }
}

static void a_range_doubles_and_holds_its_end(void **state)
{
    (void)state;
    Sweep sweep;
    Error err = {""};
    assert_true(sweep_read(arena, "context=1k..5k", &sweep, &err));
    assert_int_equal(sweep.count, 4);
    assert_string_equal(sweep.values[0], "1024");
    assert_string_equal(sweep.values[2], "4096");
    assert_string_equal(sweep.values[3], "5120");
    assert_true(sweep_read(arena, "batch=1..8", &sweep, &err));
    assert_int_equal(sweep.count, 4);
    assert_true(sweep_read(arena, "weights=bf16,q4_k_m", &sweep, &err));
    assert_int_equal(sweep.count, 2);
    assert_string_equal(sweep.values[1], "q4_k_m");
}

static void a_sweep_of_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "context",      "context=",     "nothing=1..2",  "context=5..1", "context=0..4",
        "context=1..x", "weights=a..b", "batch=1..1e30", "=1..2",        ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Sweep sweep;
        Error err = {""};
        if (sweep_read(arena, bad[i], &sweep, &err)) fail_msg("'%s' was taken", bad[i]);
        assert_true(err.message[0] != '\0');
    }
}

static void an_address_of_the_hub_is_the_models_name(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"https://huggingface.co/Qwen/Qwen3-8B", "Qwen/Qwen3-8B"},
        {"http://www.huggingface.co/Qwen/Qwen3-8B/", "Qwen/Qwen3-8B"},
        {"huggingface.co/Qwen/Qwen3-8B/tree/main", "Qwen/Qwen3-8B"},
        {"HTTPS://HuggingFace.co/Qwen/Qwen3-8B/blob/main/config.json?x=1#y", "Qwen/Qwen3-8B"},
        {"https://hf.co/gpt2", "gpt2"},
        {"https://huggingface.co/gpt2/", "gpt2"},
        {"https://huggingface.co/gpt2?library=vllm", "gpt2"},
        {"https://huggingface.co/", "https://huggingface.co/"},
        {"https://example.org/Qwen/Qwen3-8B", "https://example.org/Qwen/Qwen3-8B"},
        {"Qwen/Qwen3-8B", "Qwen/Qwen3-8B"},
        {"./huggingface.co/model", "./huggingface.co/model"},
        {"", ""}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(hub_name(arena, texts[i][0]), texts[i][1]);
}

static void a_given_setting_differs_from_a_default(void **state)
{
    (void)state;
    Question question = question_default();
    Error err = {""};
    assert_false(question_given(&question, "step_tokens"));
    assert_true(set(&question, "step-tokens", "2048", &err));    // the default's own value
    assert_true(question_given(&question, "step_tokens"));
    assert_false(question_given(&question, "kv"));
    assert_false(set(&question, "kv-", "q8_0", &err));
    assert_false(question_given(&question, "kv"));
}

static void zero_stands_for_not_given_and_tiny_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"memory", "bandwidth",    "tflops",
                                        "price",  "train_tokens", "budget"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Question question = question_default();
        Error err = {""};
        assert_true(set(&question, names[i], "0", &err));
        assert_false(set(&question, names[i], "1e-30", &err));
        assert_non_null(strstr(err.message, ", or 0"));
    }
    // Where 0 is no default, it is as any number.
    refuses("tp", "0", "tp: '0' is not a whole number from 1 to 4096");
    refuses("host_bandwidth", "0", "host_bandwidth: '0' is not a number from 0.1 to 100000");
}

static void cards_stand_alone(void **state)
{
    (void)state;
    static const char *const others[][2] = {
        {"gpu", "h100-sxm"}, {"memory", "80"}, {"bandwidth", "1000"}, {"tflops", "100"}};
    for (int i = 0; i < 4; i++) {
        Question question = question_default();
        Error err = {""};
        assert_true(set(&question, "cards", "rtx-4090,rtx-3090", &err));
        assert_true(question_settle(&question, arena, &err));
        assert_true(set(&question, others[i][0], others[i][1], &err));
        assert_false(question_settle(&question, arena, &err));
        assert_string_equal(err.message,
                            arena_print(arena,
                                        "cards: they name the GPUs; expected no %s beside "
                                        "them",
                                        others[i][0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suffix_is_binary_for_tokens_and_decimal_for_amounts),
        cmocka_unit_test(invalid_values_are_refused),
        cmocka_unit_test(values_read_back_unchanged),
        cmocka_unit_test(a_range_doubles_and_holds_its_end),
        cmocka_unit_test(a_sweep_of_nothing_is_refused),
        cmocka_unit_test(an_address_of_the_hub_is_the_models_name),
        cmocka_unit_test(a_given_setting_differs_from_a_default),
        cmocka_unit_test(zero_stands_for_not_given_and_tiny_numbers_are_refused),
        cmocka_unit_test(cards_stand_alone),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
