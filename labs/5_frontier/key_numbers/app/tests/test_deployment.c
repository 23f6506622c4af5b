/* What a deployment may have beside a model on a GPU: a host, a common prefix, adapters, two formats of
 * cache; and what its tokens cost. */
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/asking.h"

static Serving served(const char *name, Question question)
{
    return planned(arena, model_of(name), &question, PART_INFERENCE)->serving;
}

static Speed speed_of(const char *name, Question question)
{
    return planned(arena, model_of(name), &question, PART_COMPUTE)->speed;
}

static void is_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fabs(want))) fail_msg("got %.17g, want %.17g", got, want);
}

// ---- the host ----

static void layers_of_the_host_leave_the_gpu(void **state)
{
    (void)state;
    Serving whole = served("Llama-3.1-8B", ASKING("context", "8192"));
    Serving half = served("Llama-3.1-8B", ASKING("context", "8192", "cpu_layers", "12"));
    double layer = 2 * 218112000.0, cache = 4096.0 * 8192;
    is_near(half.host.dense, 12 * layer);
    is_near(half.host.cache, 12 * cache);
    is_near(half.host.experts, 0);
    is_near(half.per_gpu.weights, whole.per_gpu.weights - 12 * layer);
    is_near(half.per_gpu.cache, whole.per_gpu.cache - 12 * cache);
    // All of them: embedding, head and norm stay.
    Serving none = served("Llama-3.1-8B", ASKING("cpu_layers", "32"));
    is_near(none.per_gpu.weights, 2 * (2 * 525336576.0 + 4096));
    assert_true(none.per_gpu.cache == 0);
}

static void experts_of_the_host_leave_the_gpu(void **state)
{
    (void)state;
    // Mixtral: 8 experts of 3 x 4096 x 14336 in each of 32 layers.
    double experts = 2.0 * 8 * 3 * 4096 * 14336;
    Serving whole = served("Mixtral-8x7B", ASKING("context", "4096"));
    Serving some = served("Mixtral-8x7B", ASKING("cpu_experts", "20"));
    is_near(some.host.experts, 20 * experts);
    is_near(some.host.dense + 1, 1);
    is_near(some.per_gpu.weights, whole.per_gpu.weights - 20 * experts);
    is_near(some.per_gpu.cache, whole.per_gpu.cache);
    // Both: the experts of 20 layers, all else of 5.
    Serving both = served("Mixtral-8x7B", ASKING("cpu_experts", "20", "cpu_layers", "5"));
    is_near(both.host.experts, 20 * experts);
    is_near(both.host.dense, 5 * 2.0 * (1451270144 - 8 * 3.0 * 4096 * 14336));
}

static void the_host_reads_its_part_of_each_step(void **state)
{
    (void)state;
    Speed whole = speed_of("Mixtral-8x7B", ASKING("context", "4096"));
    Speed some = speed_of("Mixtral-8x7B", ASKING("cpu_experts", "32", "host_bandwidth", "50"));
    double experts = 32 * 2.0 * 8 * 3 * 4096 * 14336,
           read = experts * 2 / 8;    // 2 of 8 for a token
    is_near(some.decode.host, read / 50e9);
    is_near(some.decode.bytes, whole.decode.bytes - read);
    is_near(some.decode.bounds.seconds,
            some.decode.bytes / (some.load.bandwidth * 0.8) + read / 50e9);
    assert_true(whole.decode.host == 0 && some.compute_bound_batch == 0);
    // Twice as fast a host takes half the time; its layers' cache is read, too.
    Speed fast = speed_of("Mixtral-8x7B", ASKING("cpu_experts", "32", "host_bandwidth", "100"));
    is_near(fast.decode.host, some.decode.host / 2);
    Speed layers = speed_of("Llama-3.1-8B", ASKING("cpu_layers", "32", "host_bandwidth", "100",
                                                   "batch", "4", "context", "8192"));
    is_near(layers.decode.host, (32 * 2 * 218112000.0 + 4 * 131072.0 * 8192) / 100e9);
}

static void impossible_hosts_are_refused(void **state)
{
    (void)state;
    Question question = ASKING("cpu_layers", "33");
    assert_string_equal(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                        "cpu_layers, cpu_experts: meta-llama/Llama-3.1-8B has 32 layers, fewer "
                        "than 33");
    question = ASKING("cpu_experts", "3", "gpus", "2");
    assert_string_equal(refusal(arena, model_of("Mixtral-8x7B"), &question, PART_INFERENCE),
                        "cpu_layers, cpu_experts: expected one GPU beside the host, not 2");
    question = ASKING("cpu_experts", "3");
    assert_string_equal(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                        "cpu_experts: meta-llama/Llama-3.1-8B has no routed experts; --cpu-layers "
                        "keeps whole layers");
}

// ---- a common prefix ----

static void a_prefix_is_cached_once(void **state)
{
    (void)state;
    Question question = ASKING("context", "8192", "prefix", "4100", "batch", "10");
    Serving shared = served("Llama-3.1-8B", question);
    double saved = 9 * 4096.0 * 131072;    // whole pages of 16: 4096 of 4100 tokens
    is_near(shared.shared, saved);
    is_near(shared.per_gpu.cache, 10 * 8192.0 * 131072 - saved);
    is_near((double)shared.kv_paged, 10 * 8192.0 * 131072);
    // As many as are said fit, and one more does not.
    question.batch = shared.max_requests;
    assert_true(served("Llama-3.1-8B", question).fits);
    question.batch++;
    assert_false(served("Llama-3.1-8B", question).fits);
    question.prefix = 0;
    assert_true(served("Llama-3.1-8B", question).max_requests < shared.max_requests);
    // A window of 1024 does not reach back to it: 10 of 62 layers share.
    Serving window =
        served("gemma-3-27b-it", ASKING("context", "8192", "prefix", "4096", "batch", "2"));
    is_near(window.shared, 4096.0 * 10 * 8192);
    question = ASKING("context", "4096", "prefix", "4096");
    assert_string_equal(
        refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
        "prefix: 4096 tokens leave none of a context of 4096 to a request of its own");
}

static void a_cached_prefix_is_not_computed_again(void **state)
{
    (void)state;
    Speed half = speed_of("Llama-3.1-8B", ASKING("context", "8192", "prefix", "4096"));
    Speed short_one = speed_of("Llama-3.1-8B", ASKING("context", "4096"));
    // The second half: all of a prompt of 8192, but not of one of 4096 (whose head is one token's).
    double head = 2.0 * 128256 * 4096;
    is_near(half.cached.flops, half.prefill.flops - (short_one.prefill.flops - head));
    assert_true(half.cached.bounds.seconds < half.prefill.bounds.seconds);
    Speed none = speed_of("Llama-3.1-8B", ASKING("context", "8192"));
    assert_true(none.cached.bounds.seconds == none.prefill.bounds.seconds);
}

// ---- a model that drafts ----

static void a_model_that_drafts_stands_beside(void **state)
{
    (void)state;
    Serving alone = served("Llama-3.1-8B", ASKING("context", "8192", "batch", "2"));
    Serving both =
        served("Llama-3.1-8B", ASKING("context", "8192", "batch", "2", "draft", "llama-3.2-1b"));
    is_near(both.per_gpu.weights - alone.per_gpu.weights, 2 * 1235814400.0);
    is_near(both.per_gpu.cache - alone.per_gpu.cache, 2 * 8192 * 32768.0);
    assert_true(both.max_requests < alone.max_requests);
    // On the last of two stages, which held less than the first.
    Serving split = served("Llama-3.1-8B", ASKING("pp", "2", "draft", "llama-3.2-1b"));
    Serving bare = served("Llama-3.1-8B", ASKING("pp", "2"));
    assert_true(split.per_gpu.weights > bare.per_gpu.weights);
}

static void drafted_tokens_are_checked_in_one_step(void **state)
{
    (void)state;
    Speed speed =
        speed_of("Llama-3.1-8B", ASKING("context", "8192", "batch", "2", "draft", "llama-3.2-1b",
                                        "draft_tokens", "3", "acceptance", "0.5"));
    Speed small = speed_of("llama-3.2-1b", ASKING("context", "8192", "batch", "2"));
    is_near(speed.draft_seconds, 3 * small.decode.bounds.seconds);
    is_near(speed.verify_seconds, speed.decode.bounds.seconds);    // bound by memory
    is_near(speed.draft_kept, 1 + 0.5 + 0.25 + 0.125);
    is_near(speed.draft_rate,
            2 * 1.875 / (3 * small.decode.bounds.seconds + speed.decode.bounds.seconds));
    // Nothing accepted: one token of a step.
    speed = speed_of("Llama-3.1-8B", ASKING("draft", "llama-3.2-1b", "acceptance", "0"));
    is_near(speed.draft_kept, 1);
    // Where many are checked at once a step is bound by compute.
    speed = speed_of("Llama-3.1-8B", ASKING("context", "64", "batch", "200", "draft",
                                            "llama-3.2-1b", "draft_tokens", "10"));
    assert_true(speed.verify_seconds > 1.5 * speed.decode.bounds.seconds);
    assert_true(speed_of("Llama-3.1-8B", ASKING("batch", "2")).draft_kept == 0);
}

static void a_draft_of_other_words_is_refused(void **state)
{
    (void)state;
    Question question = ASKING("draft", "gpt2");
    assert_string_equal(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                        "draft: openai-community/gpt2 has a vocabulary of 50257, "
                        "meta-llama/Llama-3.1-8B one of 128256: tokens of the one are none of the "
                        "other");
    question = ASKING("draft", "no-such-model");
    assert_non_null(strstr(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                           "draft: there is no model 'no-such-model'"));
    served("Qwen2.5-72B",
           ASKING("draft", "qwen2.5-0.5b", "gpus", "4"));    // 152064 and 151936 words
    // Padding is up to 128 words; 256 of 32000 are another tokenizer (DeepSeek Coder's beside LLaMA's).
    Model other = *model_of("llama-65b");
    question = ASKING("draft", "llama-7b", "gpus", "2");
    other.vocab = 32000 + 128;
    planned(arena, &other, &question, PART_INFERENCE);
    other.vocab = 32000 + 129;
    assert_non_null(strstr(refusal(arena, &other, &question, PART_INFERENCE), "one of 32129"));
    other.vocab = 32000 - 129;
    assert_non_null(strstr(refusal(arena, &other, &question, PART_INFERENCE), "one of 31871"));
    question = ASKING("draft", "bert-base-uncased");
    assert_non_null(strstr(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                           "is an encoder and writes no tokens"));
}

static void a_draft_is_smaller_than_its_model(void **state)
{
    (void)state;
    static const char *const large[] = {"llama-3.1-8b", "llama-3.1-70b"};
    for (int i = 0; i < 2; i++) {
        Question question = ASKING("draft", large[i]);
        const char *text = refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE);
        assert_non_null(strstr(text, "no fewer than meta-llama/Llama-3.1-8B with 8.03 B"));
    }
}

// ---- cards of different kinds ----

static void layers_are_divided_by_the_cards_memory(void **state)
{
    (void)state;
    Serving serving = served("Llama-3.1-8B", ASKING("cards", "rtx-3090,rtx-3060", "tensor_split",
                                                    "2,1", "context", "8192"));
    // 2/3 of 33, the head among them: layers 0 to 21; then 10 and the head.
    assert_int_equal(serving.cards[0].to, 22);
    assert_int_equal(serving.cards[1].from, 22);
    assert_int_equal(serving.cards[1].to, 32);
    double layer = 2 * 218112000.0, cache = 4096.0 * 8192, fixed = 1073741824.0;
    double first = 2 * 525336576.0 + 22 * (layer + cache) + fixed;
    double last = 2 * (525336576.0 + 4096) + 10 * (layer + cache) + fixed;
    is_near(serving.cards[0].total - serving.per_gpu.work, first);
    assert_true(serving.cards[1].total > last && serving.cards[1].total < 1.05 * last);
    assert_true(serving.cards[0].budget > 1.9 * serving.cards[1].budget);
    assert_true(serving.fits);
    // By memory: 24 and 12 GB are nearly the same shares.
    Serving by_memory = served("Llama-3.1-8B", ASKING("cards", "rtx-3090,rtx-3060"));
    assert_in_range((unsigned long)by_memory.cards[0].to, 21, 23);
    // Too much for the small one alone.
    Serving turned =
        served("Llama-3.1-8B", ASKING("cards", "rtx-3090,rtx-3060", "tensor_split", "1,4"));
    assert_false(turned.fits);
    assert_true(turned.budget == turned.cards[1].budget);
}

static void requests_are_limited_by_the_fullest_card(void **state)
{
    (void)state;
    Question question = ASKING("cards", "rtx-4090,rtx-4060-ti-16,rtx-3060", "context", "8192");
    question.batch = served("Llama-3.1-8B", question).max_requests;
    assert_true(question.batch > 0 && served("Llama-3.1-8B", question).fits);
    question.batch++;
    assert_false(served("Llama-3.1-8B", question).fits);
}

static void cards_work_one_after_the_other(void **state)
{
    (void)state;
    Speed twice = speed_of("Llama-3.1-8B", ASKING("cards", "rtx-3090,rtx-3090"));
    Speed one = speed_of("Llama-3.1-8B", ASKING("gpu", "rtx-3090"));
    is_near(twice.decode.bounds.seconds, one.decode.bounds.seconds);
    Speed mixed =
        speed_of("Llama-3.1-8B", ASKING("cards", "rtx-3090,rtx-3060", "tensor_split", "1,1"));
    // 17 of 32 layers at 936.2 GB/s, 15 at 360: half of 33 with the head.
    is_near(mixed.load.bandwidth, 1 / (17 / 32.0 / twice.load.bandwidth + 15 / 32.0 / 360e9));
}

static void invalid_cards_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"rtx-3090", NULL, "cards: expected two GPUs or more, by commas"},
        {"rtx-3090,", NULL, "cards: gpu: ''"},
        {"rtx-3090,/etc/passwd", NULL, "is not in the table"},
        {"rtx-3090,rtx-3060", "1", "tensor_split: 1 shares for 2 cards"},
        {"rtx-3090,rtx-3060", "1,2,3", "tensor_split: 3 shares for 2 cards"},
        {"rtx-3090,rtx-3060", "1,0", "tensor_split: '0' is not a share above 0"},
        {"rtx-3090,rtx-3060", "1,nan", "tensor_split: 'nan' is not a share above 0"},
        {"rtx-3090,rtx-3060", "1,", "tensor_split: '' is not a share above 0"},
        {NULL, "1,2", "tensor_split: expected --cards with as many GPUs"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Question question = question_default();
        Error err = {""};
        question.cards = bad[i][0], question.tensor_split = bad[i][1];
        assert_false(question_settle(&question, arena, &err));
        if (strstr(err.message, bad[i][2]) == NULL)
            fail_msg("\"%s\", expected \"%s\"", err.message, bad[i][2]);
    }
    Question question = ASKING("cards", "rtx-3090,rtx-3060", "tp", "2");
    assert_string_equal(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                        "cards: they are a stage each; expected no gpus, tp, pp or ep");
}

// ---- adapters, formats, prices, conventions ----

static void adapters_stand_beside_the_weights(void **state)
{
    (void)state;
    Serving none = served("Llama-2-7b-hf", ASKING("context", "4096"));
    Serving four = served("Llama-2-7b-hf", ASKING("lora_slots", "4", "rank", "8", "targets", "qv"));
    is_near(four.per_gpu.weights - none.per_gpu.weights, 4 * 2.0 * 4194304);    // as PEFT prints
    Serving two =
        served("Llama-2-7b-hf", ASKING("lora_slots", "4", "rank", "8", "targets", "qv", "pp", "2"));
    Serving bare = served("Llama-2-7b-hf", ASKING("pp", "2"));
    is_near(two.per_gpu.weights - bare.per_gpu.weights, 2 * 2.0 * 4194304);
}

static void keys_and_values_have_formats_of_their_own(void **state)
{
    (void)state;
    // 32 layers, 1024 numbers a row: q8_0 34 bytes for 32, q4_0 18.
    Serving apart = served("Llama-3.1-8B", ASKING("kv", "q8_0:q4_0"));
    assert_int_equal(apart.kv_per_token, 32 * 32 * (34 + 18));
    assert_int_equal(served("Llama-3.1-8B", ASKING("kv", "q4_0:q8_0")).kv_per_token,
                     apart.kv_per_token);
    assert_int_equal(served("Llama-3.1-8B", ASKING("kv", "bf16:bf16")).kv_per_token, 131072);
    // A latent is one row, of the keys' format.
    assert_int_equal(served("DeepSeek-V3", ASKING("kv", "bf16:q4_0")).kv_per_token, 70272);
    Question question = ASKING("kv", "q8_0:q9");
    assert_non_null(strstr(refusal(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE),
                           "there is no format 'q9'"));
}

static void a_million_tokens_cost_their_time(void **state)
{
    (void)state;
    Speed speed = speed_of("Llama-3.1-8B", ASKING("price", "3.6", "batch", "8", "gpus", "2"));
    is_near(speed.token_dollars, 1e6 / speed.tokens_per_second * 2 * 3.6 / 3600);
    is_near(speed.prompt_dollars, 1e6 * speed.prefill.bounds.seconds / 4096 * 2 * 3.6 / 3600);
    Question question = ASKING("context", "4096");
    Rows *rows = reported(arena, model_of("Llama-3.1-8B"), &question, PART_COMPUTE);
    assert_int_equal(rows_find(rows, "compute.decode.dollars_per_million")->kind, ROW_NULL);
}

static void six_n_d_is_also_what_papers_quote(void **state)
{
    (void)state;
    // Llama 3.1 405B on 15.6e12 tokens: 3.8e25 FLOPs (The Llama 3 Herd of Models, section 3.2).
    Question question = ASKING("train_tokens", "15.6t");
    const ModelPlan *plan = planned(arena, model_of("Llama-3.1-405B"), &question, PART_COMPUTE);
    is_near(plan->run.quoted, 6 * 405853388800.0 * 15.6e12);
    assert_true(fabs(plan->run.quoted / 3.8e25 - 1) < 0.001);
    assert_true(plan->run.six_nd < plan->run.quoted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_the_host_leave_the_gpu),
        cmocka_unit_test(experts_of_the_host_leave_the_gpu),
        cmocka_unit_test(the_host_reads_its_part_of_each_step),
        cmocka_unit_test(impossible_hosts_are_refused),
        cmocka_unit_test(a_prefix_is_cached_once),
        cmocka_unit_test(a_cached_prefix_is_not_computed_again),
        cmocka_unit_test(a_model_that_drafts_stands_beside),
        cmocka_unit_test(drafted_tokens_are_checked_in_one_step),
        cmocka_unit_test(a_draft_of_other_words_is_refused),
        cmocka_unit_test(a_draft_is_smaller_than_its_model),
        cmocka_unit_test(layers_are_divided_by_the_cards_memory),
        cmocka_unit_test(requests_are_limited_by_the_fullest_card),
        cmocka_unit_test(cards_work_one_after_the_other),
        cmocka_unit_test(invalid_cards_are_refused),
        cmocka_unit_test(adapters_stand_beside_the_weights),
        cmocka_unit_test(keys_and_values_have_formats_of_their_own),
        cmocka_unit_test(a_million_tokens_cost_their_time),
        cmocka_unit_test(six_n_d_is_also_what_papers_quote),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
