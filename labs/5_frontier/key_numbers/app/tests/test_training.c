/* Memory for training against what papers and frameworks' documentation say. */
#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/tests/trained.h"

static const double gib = 1073741824.0;

// So many parameters of which nothing else is known; the largest tensor has `largest`.
static Model *lump(uint64_t params, uint64_t largest)
{
    Model *model = build_model(arena, "test", "a lump");
    if (largest > 0)
        build_weight(model, OUTSIDE, COMPONENT_MLP, ROLE_OTHER, "largest", 2, largest / 2);
    for (uint64_t left = params - largest; left > 0;) {
        uint64_t part = largest == 0 || left < largest ? left : largest;
        build_weight(model, OUTSIDE, COMPONENT_MLP, ROLE_OTHER, "rest", 1, part);
        left -= part;
    }
    build_finish(model);
    return model;
}

static void refuses(const Model *model, const Question *q, const char *sentence)
{
    const char *message = refusal(arena, model, q, PART_TRAINING);
    if (strstr(message, sentence) == NULL)
        fail_msg("the error is \"%s\", expected \"%s\"", message, sentence);
}

static double state_of(const TrainingBytes *gpu)
{
    return gpu->weights + gpu->gradients + gpu->optimizer + gpu->master;
}

// ---- weights, gradients and state ----

// Rajbhandari et al. 2020, Figure 1: 7.5e9 parameters, 64 GPUs, Adam in mixed precision.
static void zero_divides_as_in_its_paper(void **state)
{
    (void)state;
    static const double gb[] = {120, 31.4, 16.6, 1.9};
    Question q = question();
    q.dp = 64;
    TrainingMemory t = trained(lump(7500000000, 0), &q);
    for (int z = 0; z < ZERO_STAGES; z++) assert_close(state_of(&t.by_zero[z]) / 1e9, gb[z], 0.05);
}

// NVIDIA/Megatron-LM, training/theoretical_memory_usage.py: 18 bytes, or 6 + 12 / dp.
static void megatron_needs_18_bytes_or_6_and_12_divided(void **state)
{
    (void)state;
    Question q = question();
    q.gradients = "32", q.dp = 8;
    TrainingMemory t = trained(lump(1 << 20, 0), &q);
    assert_close(state_of(&t.by_zero[0]) / (1 << 20), 18, 1e-9);
    assert_close(state_of(&t.by_zero[1]) / (1 << 20), 6 + 12 / 8.0, 1e-9);
}

// DeepSpeed's documentation, Memory Requirements, "all_cold": 2851e6 parameters, the largest layer 32e6,
// 8 GPUs. Its "GB" are 2^30; its fp32 gradients are ours of 32 bits.
static void deepspeeds_estimates_come_out(void **state)
{
    (void)state;
    Model *model = lump(2851000000, 32000000);
    Question q = question();
    q.gradients = "32", q.dp = 8, q.zero = 3;
    TrainingMemory t = trained(model, &q);
    assert_close((t.per_gpu.total - t.per_gpu.backward) / gib, 6.09, 0.005);
    assert_close(t.per_gpu.host, 0, 0);
    q.offload = "optimizer";
    t = trained(model, &q);
    assert_close(t.per_gpu.total / gib, 0.78, 0.005);
    assert_close(8 * t.per_gpu.host / gib, 63.72, 0.005);
    q.offload = "all";
    t = trained(model, &q);
    assert_close(t.per_gpu.total / gib, 0.12, 0.005);
    assert_close(8 * t.per_gpu.host / gib, 71.69, 0.005);
    q.offload = "optimizer", q.zero = 2;
    t = trained(model, &q);
    assert_close(t.per_gpu.weights / gib, 5.31, 0.005);
    assert_close(state_of(&t.per_gpu), t.per_gpu.weights, 0);
}

// Bytes a parameter: ml-engineering, training/performance, "Anatomy of Model's Memory Usage".
static void an_optimizer_keeps_what_it_is_known_for(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer, *precision, *gradients;
        double weights, gradient, moments, master;
    } rows[] = {
        {"adamw", "mixed", "32", 2, 4, 8, 4},    {"adamw", "mixed", "16", 2, 2, 8, 4},
        {"adamw", "fp32", "16", 4, 4, 8, 0},     {"adamw-bf16", "bf16", "16", 2, 2, 4, 0},
        {"momentum", "mixed", "16", 2, 2, 4, 4}, {"lion", "mixed", "16", 2, 2, 4, 4},
        {"sgd", "bf16", "32", 2, 4, 0, 0},
    };
    enum { N = 1 << 20 };
    Model *model = lump(N, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Question q = question();
        q.optimizer = rows[i].optimizer, q.precision = rows[i].precision,
        q.gradients = rows[i].gradients;
        TrainingMemory t = trained(model, &q);
        assert_close(t.per_gpu.weights / N, rows[i].weights, 1e-9);
        assert_close(t.per_gpu.gradients / N, rows[i].gradient, 1e-9);
        assert_close(t.per_gpu.optimizer / N, rows[i].moments, 1e-9);
        assert_close(t.per_gpu.master / N, rows[i].master, 1e-9);
    }
}

// bitsandbytes, optim/optimizer.py: a byte a moment, a float for each 256; small tensors stay in fp32.
static void adam_in_8_bits_has_a_float_for_each_256(void **state)
{
    (void)state;
    assert_close(optimizer_bytes(OPTIMIZER_ADAMW_8BIT, 4096, 4096) / (4096.0 * 4096),
                 2 + 2 * 4.0 / 256, 1e-12);
    assert_close(optimizer_bytes(OPTIMIZER_ADAMW_8BIT, 1, 4097), 2 * (4097 + 4 * 17), 0);
    assert_close(optimizer_bytes(OPTIMIZER_ADAMW_8BIT, 1, 4096), 2 * (4096 + 4 * 16), 0);
    assert_close(optimizer_bytes(OPTIMIZER_ADAMW_8BIT, 1, 4095), 8 * 4095, 0);
}

// transformers 4.57's Adafactor, the sizes of its state after a step on these three tensors.
static void adafactor_keeps_a_matrixs_rows_and_columns(void **state)
{
    (void)state;
    assert_close(optimizer_bytes(OPTIMIZER_ADAFACTOR, 96, 32), 4 * (96 + 32), 0);
    assert_close(optimizer_bytes(OPTIMIZER_ADAFACTOR, 1, 96), 4 * 96, 0);
    Question q = question();
    q.optimizer = "adafactor";
    TrainingMemory t = trained(llama_8b(), &q);
    double in_a_layer =
        2.0 * (4096 + 4096) + 2.0 * (1024 + 4096) + 3.0 * (14336 + 4096) + 2.0 * 4096;
    assert_close(t.per_gpu.optimizer, 4 * (32 * in_a_layer + 2 * (128256 + 4096.0) + 4096), 0.5);
}

// ---- LoRA ----

// As PEFT 0.17 counts them: get_nb_trainable_parameters() of models on the meta device.
static void adapters_have_as_many_parameters_as_in_peft(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        LoraTargets targets;
        uint64_t rank, params;
    } rows[] = {
        {"meta-llama/Llama-2-7b-hf", TARGETS_QV, 8, 4194304},
        {"meta-llama/Llama-3.1-8B", TARGETS_QV, 16, 6815744},
        {"meta-llama/Llama-3.1-8B", TARGETS_ATTENTION, 16, 13631488},
        {"meta-llama/Llama-3.1-8B", TARGETS_ALL, 16, 41943040},
        {"openai-community/gpt2", TARGETS_QV, 8, 294912},    // one adapter on c_attn
        {"openai-community/gpt2", TARGETS_ALL, 8, 1179648},
        {"facebook/opt-6.7b", TARGETS_QV, 16, 8388608},
        {"google-t5/t5-3b", TARGETS_QV, 8, 5898240},    // in the second attention as well
        {"google-t5/t5-small", TARGETS_ALL, 16, 2162688},
        {"EleutherAI/pythia-1b", TARGETS_ALL, 16, 8388608},
        {"google-bert/bert-base-uncased", TARGETS_QV, 16, 589824},
        {"microsoft/Phi-3-mini-4k-instruct", TARGETS_ALL, 16, 25165824},
        {"Qwen/Qwen3-0.6B", TARGETS_ALL, 16, 10092544},
        {"google/gemma-2-2b", TARGETS_ALL, 16, 20766720},
        // q, k, v, o, w1, w2, w3; with the routers it is huggingface/peft #1594's 242225152.
        {"mistralai/Mixtral-8x7B-Instruct-v0.1", TARGETS_ALL, 16, 242225152 - 32 * 16 * (4096 + 8)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t params = adapters_params(model_of(rows[i].model), rows[i].targets, rows[i].rank);
        if (params != rows[i].params)
            fail_msg("%s, %d: %" PRIu64 ", PEFT has %" PRIu64, rows[i].model, (int)rows[i].targets,
                     params, rows[i].params);
    }
}

static void lora_trains_the_adapters_alone(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    TrainingMemory full = trained(model, &q);
    q.method = "lora";
    TrainingMemory t = trained(model, &q);
    assert_int_equal(t.trained, 41943040);
    assert_close(t.per_gpu.weights, 2.0 * 8030261248 + 2.0 * 41943040, 0);
    assert_close(t.per_gpu.gradients + t.per_gpu.optimizer + t.per_gpu.master, 14.0 * 41943040, 1);
    // The base's activations stay, and each adapter's inside comes on top: r numbers of 2 bytes.
    assert_close(t.per_gpu.activations - full.per_gpu.activations, 32.0 * 7 * 16 * 2 * 4096, 1);
    q.zero = 3, q.dp = 8;
    assert_close(trained(model, &q).per_gpu.weights, (2.0 * 8030261248 + 2.0 * 41943040) / 8, 1);
}

// Dettmers et al. 2023: the base in NF4 with double quantisation, unpacked a matrix at a time.
static void qlora_keeps_its_base_in_nf4(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    WeightBytes base;
    Error err = {""};
    if (!format_weights(arena, model, "nf4-dq", &base, &err)) fail_msg("%s", err.message);
    Question q = question();
    q.method = "qlora";
    TrainingMemory t = trained(model, &q);
    assert_close(t.per_gpu.weights, (double)base.bytes + 2.0 * 41943040, 0);
    assert_close(t.per_gpu.unpacked, 2.0 * 14336 * 4096, 0);
    // Layers in 4.127 bits, both embeddings in 16.
    double layers = 8030261248 - 2.0 * 128256 * 4096;
    assert_close(t.per_gpu.weights / (layers * 4.127 / 8 + 4.0 * 128256 * 4096), 1, 0.03);
}

// ---- more GPUs ----

// 1F1B: the first of 4 stages has 4 micro-batches begun, the last one; embedding and head at the ends.
static void a_pipelines_stages_hold_its_layers_and_micro_batches(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    q.pp = 4;
    TrainingMemory t = trained(model, &q);
    assert_int_equal(t.gpus, 4);
    uint64_t params = 0;
    for (int s = 0; s < 4; s++) {
        assert_int_equal(t.stages[s].to - t.stages[s].from, 8);
        assert_int_equal(t.stages[s].in_flight, 4 - s);
        params += t.stages[s].parts[PART_DENSE].trained;
    }
    assert_int_equal(params, 8030261248);
    assert_int_equal(t.fullest, 0);
    assert_close(t.per_gpu.activations, 4 * (8 * t.layers[0].total + 4096 * 8), 0);
    assert_close(t.stages[3].logits, 8 * 4096.0 * 128256, 0);
    assert_close(t.stages[0].logits, 0, 0);
    // Without activations to speak of, the ends are the fullest; a tied head stands there twice.
    Model *tied = shaped("llama", llama_block, 32, 128256, true);
    t = trained(tied, &q);
    assert_int_equal(t.stages[0].parts[0].trained + 4096, t.stages[3].parts[0].trained);
}

static void tensor_parallel_gpus_divide_all_but_norms(void **state)
{
    (void)state;
    Question q = question();
    q.tp = 8;
    TrainingMemory t = trained(llama_8b(), &q);
    uint64_t norms = 65 * 4096;
    assert_int_equal(t.stages[0].parts[0].trained, (8030261248 - norms) / 8 + norms);
}

// Of q, k, v, gate and up the second small matrix is cut, of o and down the first.
static void tensor_parallel_gpus_divide_one_side_of_an_adapter(void **state)
{
    (void)state;
    Question q = question();
    q.method = "lora", q.tp = 8;
    TrainingMemory t = trained(llama_8b(), &q);
    uint64_t in_a_layer = 16 * ((4096 + 512) + 2 * (4096 + 128) + (512 + 4096) + 3 * (4096 + 1792));
    assert_int_equal(t.stages[0].parts[PART_DENSE].trained, 32 * in_a_layer);
}

// Of 8 experts each of 4 groups has 2; the rest of the model all 16 data-parallel GPUs have.
static void expert_parallel_gpus_divide_the_experts(void **state)
{
    (void)state;
    const Model *model = shaped("mixtral", mixtral_block, 32, 32000, false);
    uint64_t experts = model_component(model, COMPONENT_EXPERTS), all = model_params(model);
    Question q = question();
    q.ep = 4, q.dp = 16, q.zero = 1;
    TrainingMemory t = trained(model, &q);
    assert_int_equal(t.gpus, 16);
    assert_int_equal(t.stages[0].parts[PART_EXPERTS].trained, experts / 4);
    assert_int_equal(t.stages[0].parts[PART_DENSE].trained, all - experts);
    double dense = (double)(all - experts), routed = (double)experts / 4;
    assert_close(t.per_gpu.optimizer, 8 * (dense / 16 + routed / 4), 64);
    q.dp = 1;    // groups are data-parallel: there are four of them
    assert_int_equal(trained(model, &q).gpus, 4);
    q.dp = 6;
    refuses(model, &q, "ep: 6 data-parallel GPUs cannot be divided into groups of 4");
}

static void an_impossible_split_is_refused(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    q.pp = 33;
    refuses(model, &q, "32 layers");
    q.pp = 1, q.tp = 3;
    refuses(model, &q, "cannot be divided over 3");
    q = question(), q.method = "lora";
    refuses(lump(1000, 0), &q, "LoRA");
}

// ---- what fits ----

static void fewest_gpus_are_enough_and_one_less_is_not(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    q.zero = 3, q.recompute = "full";
    for (int gb = 16; gb < 90; gb += 7) {
        q.gpu_spec.memory = gb * 1e9, q.dp = 1;
        q.dp = trained(model, &q).fewest_gpus;
        assert_in_range(q.dp, 2, 64);
        assert_true(trained(model, &q).fits);
        q.dp--;
        assert_false(trained(model, &q).fits);
    }
}

static void without_a_number_that_fits_a_higher_stage_is_named(void **state)
{
    (void)state;
    Question q = question();
    q.recompute = "full";
    const Model *model = shaped("llama", llama_block, 200, 128256, false);    // 2N are over 80 GB
    Rows *rows = reported(arena, model, &q, PART_TRAINING);
    const Row *fewest = rows_find(rows, "training.fewest_gpus");
    assert_int_equal(fewest->kind, ROW_NULL);
    assert_non_null(strstr(fewest->text, "none at ZeRO stage 0; at stage 3, "));
    assert_int_equal(rows_find(rows, "training.by_zero[2].fewest_gpus")->kind, ROW_NULL);
    assert_true(rows_find(rows, "training.by_zero[3].fewest_gpus")->count > 2);
}

static void gpus_that_are_left_over_are_data_parallel(void **state)
{
    (void)state;
    Question q = question();
    q.gpus = 16, q.tp = 4;
    TrainingMemory t = trained(llama_8b(), &q);
    assert_int_equal(t.dp, 4);
    assert_int_equal(t.gpus, 16);
}

// ---- the report ----

static void the_parts_add_up_to_the_total(void **state)
{
    (void)state;
    static const char *const parts[] = {"weights",     "gradients", "optimizer", "master",
                                        "activations", "logits",    "work",      "runtime"};
    Question q = question();
    q.overhead = 1.5, q.zero = 2, q.dp = 7, q.optimizer = "adafactor", q.recompute = "selective",
    q.flash = false;
    Rows *rows = reported(arena, llama_8b(), &q, PART_TRAINING);
    double sum = 0, stage = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sum += number_of(rows, row_path(rows, "training.per_gpu.%s_bytes", parts[i]));
        stage += number_of(rows, row_path(rows, "training.by_zero[2].%s_bytes", parts[i]));
    }
    assert_close(sum, number_of(rows, "training.per_gpu.total_bytes"), 8);    // each is rounded up
    assert_close(stage, sum, 8);
}

static void a_report_has_the_same_paths_whatever_is_asked(void **state)
{
    (void)state;
    Question plain = question(), other = question();
    other.method = "lora", other.zero = 3, other.dp = 8, other.offload = "all",
    other.recompute = "full";
    const Model *model = llama_8b();
    Rows *a = reported(arena, model, &plain, PART_TRAINING),
         *b = reported(arena, model, &other, PART_TRAINING);
    assert_int_equal(a->count, b->count);
    int shown = 0;
    for (const Row *e = a->first; e != NULL; e = e->next) {
        assert_non_null(rows_find(b, e->path));
        shown += e->label != NULL;
    }
    assert_in_range(shown, 10, 16);    // what a user reads
}

static void without_layers_there_are_no_activations_to_report(void **state)
{
    (void)state;
    Question q = question();
    Rows *rows = reported(arena, lump(1000000, 0), &q, PART_TRAINING);
    assert_int_equal(rows_find(rows, "training.per_gpu.activations_bytes")->kind, ROW_NULL);
    assert_int_equal(rows_find(rows, "training.fits")->kind, ROW_NULL);
    assert_close(number_of(rows, "training.per_gpu.weights_bytes"), 2e6, 0);
    assert_close(number_of(rows, "training.per_gpu.optimizer_bytes"), 8e6, 0);
}

static void a_sum_is_filled_with_the_models_numbers(void **state)
{
    (void)state;
    Question q = question();
    q.zero = 3, q.dp = 8;
    Rows *rows = reported(arena, llama_8b(), &q, PART_TRAINING);
    const Row *e = rows_find(rows, "training.per_gpu.weights_bytes");
    assert_string_equal(e->filled, "2 x 8030261248 / 8");
    e = rows_find(rows, "training.layers[0].activations_bytes");
    assert_string_equal(e->filled,
                        "4096 x 1 x ((8 x 4096) + (2 x (32 + 8) x (128 + 128) + 2 x 3 x 14336 + "
                        "4 x 32) / 1)");
    assert_close(row_number(e), 4096.0 * (8 * 4096 + 2 * 40 * 256 + 6 * 14336 + 4 * 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_divides_as_in_its_paper),
        cmocka_unit_test(megatron_needs_18_bytes_or_6_and_12_divided),
        cmocka_unit_test(deepspeeds_estimates_come_out),
        cmocka_unit_test(an_optimizer_keeps_what_it_is_known_for),
        cmocka_unit_test(adam_in_8_bits_has_a_float_for_each_256),
        cmocka_unit_test(adafactor_keeps_a_matrixs_rows_and_columns),
        cmocka_unit_test(adapters_have_as_many_parameters_as_in_peft),
        cmocka_unit_test(lora_trains_the_adapters_alone),
        cmocka_unit_test(qlora_keeps_its_base_in_nf4),
        cmocka_unit_test(a_pipelines_stages_hold_its_layers_and_micro_batches),
        cmocka_unit_test(tensor_parallel_gpus_divide_all_but_norms),
        cmocka_unit_test(tensor_parallel_gpus_divide_one_side_of_an_adapter),
        cmocka_unit_test(expert_parallel_gpus_divide_the_experts),
        cmocka_unit_test(an_impossible_split_is_refused),
        cmocka_unit_test(fewest_gpus_are_enough_and_one_less_is_not),
        cmocka_unit_test(without_a_number_that_fits_a_higher_stage_is_named),
        cmocka_unit_test(gpus_that_are_left_over_are_data_parallel),
        cmocka_unit_test(the_parts_add_up_to_the_total),
        cmocka_unit_test(a_report_has_the_same_paths_whatever_is_asked),
        cmocka_unit_test(without_layers_there_are_no_activations_to_report),
        cmocka_unit_test(a_sum_is_filled_with_the_models_numbers),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
