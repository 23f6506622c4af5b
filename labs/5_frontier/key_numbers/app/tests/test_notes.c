/* Notes beside an answer: settings without effect, formats that a runtime lacks, drafts that do not pay. */
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/support.h"
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/asking.h"

static PlanNotes notes(const char *name, Question question)
{
    Error err = {""};
    ModelPlan *plan = plan_new(arena, model_of(name), &question, PARTS_ALL, &err);
    if (plan == NULL) fail_msg("%s", err.message);
    return plan->notes;
}

static void notes_are(const char *name, Question question, const char *only)
{
    PlanNotes got = notes(name, question);
    if (got.count != (only != NULL))
        fail_msg("%d notes, the first '%s'", got.count, got.count > 0 ? got.list[0].text : "");
    if (only != NULL) assert_string_equal(got.list[0].text, only);
}

static void a_setting_without_effect_is_noted(void **state)
{
    (void)state;
    const char *name = "Llama-3.1-8B";
    notes_are(name, ASKING("context", "8k"), NULL);
    notes_are(name, ASKING("acceptance", "0.5"), "acceptance has no effect without --draft");
    notes_are(name, ASKING("draft_tokens", "5"), "draft_tokens has no effect without --draft");
    notes_are(name, ASKING("draft_tokens", "5", "draft", "llama-3.2-1b"), NULL);
    notes_are(name, ASKING("host_bandwidth", "50"),
              "host_bandwidth has no effect without --cpu-layers or --cpu-experts");
    notes_are(name, ASKING("host_bandwidth", "50", "cpu_layers", "1"), NULL);
    notes_are(name, ASKING("sequences", "64"), "sequences has no effect without --runtime vllm");
    notes_are(name, ASKING("sequences", "64", "runtime", "vllm"), NULL);
    notes_are(name, ASKING("page", "32", "runtime", "llama.cpp"),
              "page has no effect without a cache in pages, which llama.cpp does not have");
    notes_are(name, ASKING("page", "32"), NULL);
    notes_are(name, ASKING("rank", "8"),
              "rank has no effect without --method lora or qlora, or --lora-slots");
    notes_are(name, ASKING("targets", "qv"),
              "targets has no effect without --method lora or qlora, or --lora-slots");
    notes_are(name, ASKING("rank", "8", "lora_slots", "1"), NULL);
    notes_are(name, ASKING("rank", "8", "targets", "qv", "method", "lora"), NULL);
    notes_are(name, ASKING("sp", "yes"), "sp has no effect without --tp");
    notes_are(name, ASKING("sp", "yes", "tp", "2"), NULL);
}

static void a_note_belongs_to_a_part_that_was_asked_for(void **state)
{
    (void)state;
    Question question = ASKING("acceptance", "0.5", "rank", "8");
    const Model *model = model_of("Llama-3.1-8B");
    assert_int_equal(planned(arena, model, &question, PART_TRAINING)->notes.count, 1);
    assert_int_equal(planned(arena, model, &question, PART_INFERENCE)->notes.count, 1);
    assert_int_equal(planned(arena, model, &question, PART_FIT)->notes.count, 0);
    Rows *rows = reported(arena, model, &question, PART_INFERENCE);
    assert_true(rows_find(rows, "inference.notes[0]")->warns);
    assert_null(rows_find(rows, "training.notes[0]"));
}

// A format of weights, and whether llama.cpp, vLLM and transformers 5 run it as it is.
static void a_format_that_a_runtime_lacks_is_noted(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool llama_cpp, vllm, transformers;
    } weights[] = {
        {"bf16", true, true, true},        {"q4_k_m", true, false, false},
        {"f16", true, false, true},        {"mxfp4_moe", true, false, false},
        {"mxfp4", false, true, false},     {"nvfp4", false, true, true},
        {"fp8", false, true, true},        {"gptq4-g128", false, true, true},
        {"awq4-g128", false, true, true},  {"nf4-dq", false, true, true},
        {"int8", false, true, true},       {"mlx4-g64", false, false, false},
        {"w4a16-g128", false, true, true}, {"w5a16-g128", false, false, true},
        {"mxfp6", false, false, false},
    };
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        const FormatInfo *format = format_find(weights[i].name, NULL);
        bool runs[RUNTIME_COUNT] = {true, weights[i].vllm, weights[i].llama_cpp,
                                    weights[i].transformers};
        for (int r = 0; r < RUNTIME_COUNT; r++)
            if ((support_weights((Runtime)r, format) == NULL) != runs[r])
                fail_msg("%s, runtime %d: %s", weights[i].name, r,
                         runs[r] ? support_weights((Runtime)r, format) : "no note");
    }
}

static void a_cache_that_a_runtime_lacks_is_noted(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool llama_cpp, vllm, transformers;
    } caches[] = {
        {"bf16", true, true, true},        {"Q8-0", true, false, false},
        {"q8_0:q4_0", true, false, false}, {"bf16:bf16", true, true, true},
        {"fp8", false, true, true},        {"fp8:fp16", false, false, false},
        {"nvfp4", false, true, false},     {"int8-g128", false, true, false},
        {"int8", false, false, true},      {"iq4_nl", true, false, false},
    };
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        bool runs[RUNTIME_COUNT] = {true, caches[i].vllm, caches[i].llama_cpp,
                                    caches[i].transformers};
        for (int r = 0; r < RUNTIME_COUNT; r++)
            if ((support_cache((Runtime)r, caches[i].name) == NULL) != runs[r])
                fail_msg("%s, runtime %d", caches[i].name, r);
    }
    notes_are("bert-base-uncased", ASKING("runtime", "llama.cpp", "kv", "fp8", "weights", "fp16"),
              NULL);    // it keeps none
}

static void what_a_published_format_cannot_do_is_noted_too(void **state)
{
    (void)state;
    PlanNotes got = notes("gpt-oss-20b", ASKING("runtime", "llama.cpp"));
    assert_int_equal(got.count, 1);
    assert_non_null(strstr(got.list[0].text, "weights in mxfp4: llama.cpp"));
    assert_non_null(strstr(got.list[0].text, "mxfp4_moe"));
}

static void a_draft_that_does_not_pay_is_noted(void **state)
{
    (void)state;
    const char *name = "Llama-3.1-8B";
    notes_are(name, ASKING("draft", "llama-3.2-1b"), NULL);
    PlanNotes slow = notes(name, ASKING("draft", "llama-3.2-1b", "acceptance", "0.01"));
    assert_int_equal(slow.count, 1);
    assert_true(slow.list[0].part == PART_COMPUTE);
    assert_non_null(strstr(slow.list[0].text, "drafting slows decoding down"));
}

static void a_draft_of_another_family_or_padding_is_noted(void **state)
{
    (void)state;
    PlanNotes padded =
        notes("Qwen2.5-72B", ASKING("draft", "qwen2.5-0.5b", "gpus", "4", "context", "4k"));
    assert_int_equal(padded.count, 1);
    assert_non_null(strstr(padded.list[0].text, "padded otherwise"));
    PlanNotes family = notes("llama-65b", ASKING("draft", "mistral-7b-v0.1", "gpus", "4"));
    bool found = false;
    for (int i = 0; i < family.count; i++)
        found |= strstr(family.list[i].text, "may still hold different tokens") != NULL;
    assert_true(found);
    // Longer than the draft's own context.
    PlanNotes length = notes("llama-7b", ASKING("draft", "tinyllama", "context", "4k"));
    found = false;
    for (int i = 0; i < length.count; i++)
        found |= strstr(length.list[i].text, "ends at 2048 tokens") != NULL;
    assert_true(found);
}

static void experts_that_are_in_later_layers_are_noted(void **state)
{
    (void)state;
    notes_are("deepseek-v3", ASKING("cpu_experts", "3"),
              "cpu_experts: the first 3 layers have no routed experts");
    notes_are("deepseek-v3", ASKING("cpu_experts", "4"), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_without_effect_is_noted),
        cmocka_unit_test(a_note_belongs_to_a_part_that_was_asked_for),
        cmocka_unit_test(a_format_that_a_runtime_lacks_is_noted),
        cmocka_unit_test(a_cache_that_a_runtime_lacks_is_noted),
        cmocka_unit_test(what_a_published_format_cannot_do_is_noted_too),
        cmocka_unit_test(a_draft_that_does_not_pay_is_noted),
        cmocka_unit_test(a_draft_of_another_family_or_padding_is_noted),
        cmocka_unit_test(experts_that_are_in_later_layers_are_noted),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
