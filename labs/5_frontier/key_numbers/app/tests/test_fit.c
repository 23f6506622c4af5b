/* Which GPU: well-known fits, what must hold for every model and GPU, and models of which little is known. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/cases.h"

static Question asked(const char *gpu, const char *weights, uint64_t context)
{
    Question question = question_default();
    Error err = {""};
    question.gpu = gpu, question.weights = weights, question.context = context;
    if (!question_settle(&question, arena, &err)) fail_msg("%s", err.message);
    return question;
}

static uint64_t gpus_for(const Model *model, const Question *question)
{
    return planned(arena, model, question, PART_FIT)->fit.asked.gpus;
}

static const FitOption *options_of(const Model *model, const Question *question, int *count)
{
    const Fit *fit = &planned(arena, model, question, PART_FIT)->fit;
    *count = fit->count;
    return fit->options;
}

// ---- what is known of these models ----

// Llama-3.1: meta-llama/Llama-3.1-405B's model card and Hugging Face's announcement (huggingface.co/blog/llama31:
// 140 GB and 810 GB of bf16; fp8 on a node of 8 x 80 GB). DeepSeek-V3: 8 x H200 for its fp8 weights, two
// nodes of H100 (sglang, benchmark/deepseek_v3/README.md). gpt-oss: "120b fits into a single 80GB GPU, 20b
// within 16GB of memory" (github.com/openai/gpt-oss). Mixtral: more than one 80 GB GPU in bf16.
static void well_known_fits(void **state)
{
    (void)state;
    static const struct {
        const char *model, *weights, *gpu;
        uint64_t gpus;
    } known[] = {
        {"meta-llama/Llama-3.1-8B", "bf16", "rtx-4090", 1},
        {"meta-llama/Llama-3.1-8B", "bf16", "rtx-4080", 2},
        {"meta-llama/Llama-3.1-70B", "bf16", "h100-sxm", 2},
        {"meta-llama/Llama-3.1-70B", "bf16", "mi300x", 1},
        {"meta-llama/Llama-3.1-405B", "bf16", "h100-sxm", 16},
        {"meta-llama/Llama-3.1-405B", "fp8", "h100-sxm", 8},
        {"meta-llama/Llama-3.1-405B", "bf16", "h200-sxm", 8},
        {"deepseek-ai/DeepSeek-V3", "fp8", "h200-sxm", 8},
        {"deepseek-ai/DeepSeek-V3", "fp8", "h100-sxm", 16},
        {"openai/gpt-oss-120b", "mxfp4", "h100-sxm", 1},
        {"openai/gpt-oss-20b", "mxfp4", "rtx-4060-ti-16", 1},
        {"openai/gpt-oss-20b", "mxfp4", "rtx-4070", 2},
        {"mistralai/Mixtral-8x7B-Instruct-v0.1", "bf16", "a100", 2},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        Question question = asked(known[i].gpu, known[i].weights, 4096);
        uint64_t gpus = gpus_for(model_of(known[i].model), &question);
        if (gpus != known[i].gpus)
            fail_msg("%s in %s: %" PRIu64 " x %s, expected %" PRIu64, known[i].model,
                     known[i].weights, gpus, known[i].gpu, known[i].gpus);
    }
}

// What llama.cpp's users run on two 24 GB GPUs, with little context and most of the memory.
static void seventy_billion_in_four_bits_are_on_two_small_gpus(void **state)
{
    (void)state;
    const Model *model = model_of("meta-llama/Llama-3.1-70B");
    Question question = asked("rtx-3090", "q4_k_m", 2048);
    question.utilisation = 0.95;
    assert_int_equal(gpus_for(model, &question), 2);
    question.context = 65536;
    assert_true(gpus_for(model, &question) > 2);
}

// ---- what holds for all ----

static const char *const varied[] = {"meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B",
                                     "google/gemma-3-27b-it",   "deepseek-ai/DeepSeek-V2-Lite",
                                     "openai/gpt-oss-20b",      "Qwen/Qwen2.5-0.5B",
                                     "tiiuae/falcon-7b",        "google-t5/t5-11b",
                                     "Qwen/Qwen3-30B-A3B"};
enum { VARIED = sizeof varied / sizeof *varied };

// 0 GPUs: none hold it.
static uint64_t in_order(uint64_t gpus)
{
    return gpus > 0 ? gpus : UINT64_MAX;
}

static void more_to_hold_never_takes_fewer(void **state)
{
    (void)state;
    static const char *const specs[] = {"rtx-3060", "rtx-4090", "l40s", "h100-sxm", "mi300x"};
    for (int m = 0; m < VARIED; m++)
        for (size_t c = 0; c < sizeof specs / sizeof *specs; c++) {
            const Model *model = model_of(varied[m]);
            uint64_t least = 0;
            for (uint64_t context = 256; context <= 1u << 20; context *= 8) {
                Question question = asked(specs[c], NULL, context);
                uint64_t gpus = in_order(gpus_for(model, &question));
                assert_true(gpus >= least);
                least = gpus;
                question.batch = 16;
                assert_true(in_order(gpus_for(model, &question)) >= gpus);
                question.batch = 1, question.gpu_spec.memory *= 1.5;
                assert_true(in_order(gpus_for(model, &question)) <= gpus);
            }
        }
}

// Against the plan of inference, which makes its own split of so many GPUs.
static void a_split_holds_it_and_a_smaller_one_does_not(void **state)
{
    (void)state;
    for (int m = 0; m < VARIED; m++) {
        const Model *model = model_of(varied[m]);
        Question question = asked("h100-sxm", NULL, 8192);
        int count;
        const FitOption *options = options_of(model, &question, &count);
        for (int i = 0; i < count; i++) {
            const FitOption *o = &options[i];
            question.gpu_spec = o->gpu_spec;
            if (o->gpus == 0) continue;
            question.gpus = o->gpus;
            Serving serving = planned(arena, model, &question, PART_INFERENCE)->serving;
            assert_true(serving.fits && serving.max_requests == o->requests);
            assert_true(serving.of.split.tp == o->tp && serving.of.split.pp == o->pp);
            assert_true(o->free >= 0 &&
                        fabs(o->free - (serving.budget - serving.per_gpu.total)) < 1);
            for (question.gpus = o->gpus / 2; question.gpus > 0 && o->gpus <= 8;
                 question.gpus /= 2) {
                const ModelPlan *less =
                    plan_new(arena, model, &question, 1u << PART_INFERENCE, NULL);
                assert_false(less != NULL && less->serving.fits);
            }
        }
    }
}

static void the_cheapest_comes_first(void **state)
{
    (void)state;
    for (int m = 0; m < VARIED; m++) {
        Question question = asked("h100-sxm", NULL, 4096);
        int count;
        const FitOption *o = options_of(model_of(varied[m]), &question, &count);
        assert_true(o[0].gpus > 0);
        for (int i = 1; i < count; i++) {
            if (o[i - 1].gpus == 0) assert_true(o[i].gpus == 0);
            if (o[i].gpus == 0) continue;
            assert_true(o[i].memory >= o[i - 1].memory);
            if (o[i].memory == o[i - 1].memory) assert_true(o[i].gpus >= o[i - 1].gpus);
            assert_true(o[i].memory == o[i].gpu_spec.vendor_gb * 1e9 * (double)o[i].gpus);
            assert_true(!o[i].gpu_spec.shared || o[i].gpus == 1);
        }
    }
}

// All experts are held, though a token goes through few: Mixtral's 46.7e9 in 16 bits are 93.4 GB.
static void all_experts_are_held(void **state)
{
    (void)state;
    Question question = asked("h100-sxm", NULL, 4096);
    const Model *model = model_of("mistralai/Mixtral-8x7B-Instruct-v0.1");
    Serving serving = planned(arena, model, &question, PART_INFERENCE)->serving;
    assert_true(serving.per_gpu.weights > 93e9);
    Serving best = planned(arena, model, &question, PART_FIT)->fit.best;
    double bits = best.of.basis->weights.bits_per_weight;
    assert_true(bits < 16 && bits > 8);
}

static void the_best_weights_fit_and_better_ones_do_not(void **state)
{
    (void)state;
    static const char *const specs[] = {"rtx-3060", "rtx-4090", "h100-sxm"};
    for (int m = 0; m < VARIED; m++)
        for (size_t c = 0; c < sizeof specs / sizeof *specs; c++) {
            const Model *model = model_of(varied[m]);
            Question question = asked(specs[c], NULL, 4096);
            WeightBytes published;
            Serving best = planned(arena, model, &question, PART_FIT)->fit.best;
            double best_bits = best.of.basis != NULL ? best.of.basis->weights.bits_per_weight : 0;
            assert_true(format_weights(arena, model, NULL, &published, NULL));
            assert_true(best.of.basis == NULL || best.fits);
            for (int i = 0; i < FIT_FORMATS; i++) {
                question.weights = fit_formats[i];
                const ModelPlan *plan = planned(arena, model, &question, PART_INFERENCE);
                double bits = plan->basis.weights.bits_per_weight;
                if (bits > best_bits && bits <= published.bits_per_weight)
                    assert_false(plan->serving.fits);
            }
        }
}

// ---- models of which little is known ----

static Model *tensors_alone(void)
{
    Model *model = build_model(arena, "unknown", "model.safetensors");
    build_weight(model, OUTSIDE, COMPONENT_MLP, ROLE_OTHER, "a", 1000000, 30000);    // 30e9 numbers
    model->published = "bf16";
    build_finish(model);
    return model;
}

static void tensors_alone_fit_by_their_bytes(void **state)
{
    (void)state;
    Model *model = tensors_alone();
    Question question = asked("h100-sxm", NULL, 4096);
    assert_int_equal(gpus_for(model, &question), 1);
    question.gpu_spec.memory = 48e9;
    assert_int_equal(gpus_for(model, &question), 2);
    question.gpu_spec.memory = 1e9;    // less than the runtime takes
    assert_int_equal(gpus_for(model, &question), 0);
    Rows *rows = reported(arena, model, &question, PART_FIT);
    assert_non_null(strstr(rows_find(rows, "fit.counted")->text, "weights alone"));
    assert_true(rows_find(rows, "fit.here.gpus")->kind == ROW_NULL);
}

// ---- the report ----

static void the_report_has_what_was_found(void **state)
{
    (void)state;
    const Model *model = model_of("meta-llama/Llama-3.1-70B");
    Question question = asked("h100-sxm", "bf16", 4096);
    Rows *rows = reported(arena, model, &question, PART_FIT);
    assert_true(number_of(rows, "fit.here.gpus") == 2 && number_of(rows, "fit.here.tp") == 2);
    assert_true(number_of(rows, "fit.here.requests") >= 1 &&
                number_of(rows, "fit.here.max_context") > 4096);
    assert_true(number_of(rows, "fit.options[0].gpus") >= 1);
    assert_true(number_of(rows, "fit.options[0].memory_bytes") <=
                number_of(rows, "fit.options[1].memory_bytes"));
    assert_true(number_of(rows, "fit.single.count") >= 5);    // what has 180 GB and more
    int shown = 0;
    for (const Row *e = rows->first; e != NULL; e = e->next) shown += e->label != NULL;
    assert_true(shown <= 14);
}

static void the_largest_models_are_in_order_and_fit(void **state)
{
    (void)state;
    Question question = asked("rtx-4090", NULL, 4096);
    Error err = {""};
    double last = INFINITY;
    ModelPlan *plan = plan_new(arena, model_of("gpt2"), &question, 1u << PART_FIT, &err);
    if (plan == NULL || !plan_largest(arena, plan, &question, &err)) fail_msg("%s", err.message);
    Rows *rows = report_rows(arena, plan);
    for (int i = 0; i < 5; i++) {
        double params = number_of(rows, row_path(rows, "fit.largest_models[%d].parameters", i));
        assert_true(params <= last &&
                    params > 25e9);    // Llama-2-70B's 39 GB of q4_k_m are too many
        assert_true(number_of(rows, row_path(rows, "fit.largest_models[%d].bytes", i)) <
                    0.9 * question.gpu_spec.memory);
        last = params;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_known_fits),
        cmocka_unit_test(seventy_billion_in_four_bits_are_on_two_small_gpus),
        cmocka_unit_test(more_to_hold_never_takes_fewer),
        cmocka_unit_test(a_split_holds_it_and_a_smaller_one_does_not),
        cmocka_unit_test(the_cheapest_comes_first),
        cmocka_unit_test(all_experts_are_held),
        cmocka_unit_test(the_best_weights_fit_and_better_ones_do_not),
        cmocka_unit_test(tensors_alone_fit_by_their_bytes),
        cmocka_unit_test(the_report_has_what_was_found),
        cmocka_unit_test(the_largest_models_are_in_order_and_fit),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
