/* The model: the same logits token by token with a cache as all at once, the same loss as its logits give,
 * how it starts, dropout, and sizes that cannot be. */
#include <math.h>
#include <string.h>
#include "common/loss.h"
#include "labs/3_language/transformer/model/model.h"
#include "tests/cases.h"
#include "tests/devices.h"
#include "tests/near.h"
#include "tests/stops.h"

enum { VOCABULARY = 11, CONTEXT = 12, T = 9 };

static Arena *keep;
static Params *params;
static Tape *tape;
static Rng rng;

static int setup(void **state)
{
    device_for_case(*state);
    keep = arena_new("keep", 64u << 20);
    params = params_new(keep);
    tape = tape_new(arena_new("step", 64u << 20));
    rng = rng_from_seed(3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(tape->arena);
    arena_free(keep);
    return 0;
}

static ModelConfig gpt2(void)
{
    return model_config_gpt2((ModelSize){
        .vocabulary = VOCABULARY, .context = CONTEXT, .width = 12, .layers = 2, .heads = 3});
}

static ModelConfig qwen3(void)
{
    ModelConfig config = model_config_llama((ModelSize){.vocabulary = VOCABULARY,
                                                        .context = CONTEXT,
                                                        .width = 12,
                                                        .layers = 2,
                                                        .heads = 4,
                                                        .kv_heads = 2,
                                                        .head = 6});
    config.qk_norm = true;
    config.tied = false;
    return config;
}

// With weights far from their start.
static Model random_model(ModelConfig config)
{
    Model model = model_new(params, config, &rng);
    for (int i = 0; i < params->count; i++) {
        Tensor *x = params->items[i].tensor;
        float *noise = arena_alloc(keep, tensor_bytes(x)), *values = values_of(x);
        rng_fill_normal(&rng, noise, tensor_count(x));
        for (size_t k = 0; k < tensor_count(x); k++) noise[k] = values[k] + 0.3f * noise[k];
        tensor_write(x, noise);
    }
    return model;
}

static const int32_t IDS[2 * T] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 10};

static Tensor *ids(int first, int batch, int count)
{
    return tensor_from_ints(tape->arena, SHAPE(batch, count), IDS + first);
}

static double *wide(const float *x, size_t n)
{
    double *out = arena_alloc(keep, n * sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = (double)x[i];
    return out;
}

// ---- the cache ----

static void assert_extends(const Model *model, const int *parts)
{
    tape_quiet(tape, true);
    double *all = wide(values_of(model_logits(tape, model, ids(0, 1, T))), T * VOCABULARY);
    KvCache *cache = kv_cache_new(keep, model, CONTEXT);
    for (int i = 0, before = 0; before < T; before += parts[i++]) {
        Tensor *got = model_extend(tape, model, cache, ids(before, 1, parts[i]));
        const int last = before + parts[i] - 1;
        assert_int_equal(cache->used, last + 1);
        assert_near(values_of(got), all + last * VOCABULARY, SHAPE(1, VOCABULARY), .name = "logits",
                    .atol = 1e-5, .rtol = 1e-5);
    }
}

static void cache_gives_the_logits_of_the_whole_sequence(void **state)
{
    (void)state;
    Model gpt = random_model(gpt2());
    assert_extends(&gpt, (int[]){1, 1, 1, 1, 1, 1, 1, 1, 1});
    assert_extends(&gpt, (int[]){4, 1, 3, 1});
    assert_extends(&gpt, (int[]){9});
    params = params_new(keep);
    Model qwen = random_model(qwen3());
    assert_extends(&qwen, (int[]){1, 1, 1, 1, 1, 1, 1, 1, 1});
    assert_extends(&qwen, (int[]){5, 3, 1});
}

static void cache_goes_back_to_fewer_tokens(void **state)
{
    (void)state;
    Model model = random_model(qwen3());
    tape_quiet(tape, true);
    KvCache *cache = kv_cache_new(keep, &model, CONTEXT);
    double *first = wide(values_of(model_extend(tape, &model, cache, ids(0, 1, 5))), VOCABULARY);
    model_extend(tape, &model, cache, ids(7, 1, 4));
    cache->used = 2;
    Tensor *again = model_extend(tape, &model, cache, ids(2, 1, 3));
    assert_near(values_of(again), first, SHAPE(1, VOCABULARY), .name = "logits", .atol = 1e-5);
}

static void later_tokens_change_no_earlier_logits(void **state)
{
    (void)state;
    Model model = random_model(gpt2());
    tape_quiet(tape, true);
    float *a = values_of(model_logits(tape, &model, ids(0, 1, T)));
    float *b = values_of(model_logits(tape, &model, ids(0, 1, T - 2)));
    assert_near(b, wide(a, (T - 2) * VOCABULARY), SHAPE(T - 2, VOCABULARY), .name = "logits",
                .atol = 1e-5, .rtol = 1e-5);
}

static void sequences_of_a_batch_do_not_see_each_other(void **state)
{
    (void)state;
    Model model = random_model(qwen3());
    tape_quiet(tape, true);
    double *both = wide(values_of(model_logits(tape, &model, ids(0, 2, T))), 2 * T * VOCABULARY);
    for (int b = 0; b < 2; b++)
        assert_near(values_of(model_logits(tape, &model, ids(b * T, 1, T))),
                    both + b * T * VOCABULARY, SHAPE(T, VOCABULARY), .name = "logits", .atol = 1e-5,
                    .rtol = 1e-5);
}

static void cache_and_context_that_are_full_stop_the_program(void **state)
{
    (void)state;
    Model model = random_model(gpt2());
    tape_quiet(tape, true);
    KvCache *cache = kv_cache_new(keep, &model, 4);
    stops_with("[1,5] tokens after 0; expected [1,T] in a cache of 4",
               model_extend(tape, &model, cache, ids(0, 1, 5)));
    stops_with("a cache of 13 tokens; expected 1 to 12", kv_cache_new(keep, &model, CONTEXT + 1));
    stops_with("[1,13] tokens after 0; expected [B,T] and a context of at most 12",
               model_logits(tape, &model, ids(0, 1, CONTEXT + 1)));
    tape_quiet(tape, false);
    stops_with("the tape records", model_extend(tape, &model, cache, ids(0, 1, 1)));
}

// ---- training ----

static void loss_is_the_cross_entropy_of_the_logits(void **state)
{
    (void)state;
    static const int32_t labels[2 * T] = {1, 4, 1, 5, 9, 2, 6, 5,  -1,
                                          5, 8, 9, 7, 9, 3, 2, 10, -100};
    const ModelConfig configs[] = {gpt2(), qwen3()};
    for (int i = 0; i < 2; i++) {
        params = params_new(keep);
        Model model = random_model(configs[i]);
        tape_quiet(tape, true);
        Tensor *target = tensor_from_ints(tape->arena, SHAPE(2, T), labels);
        Tensor *loss = model_loss(tape, &model, ids(0, 2, T), target, draw_at(1, 1, 0));
        const float *z = values_of(model_logits(tape, &model, ids(0, 2, T)));
        double sum = 0;
        int count = 0;
        for (int r = 0; r < 2 * T; r++) {
            double total = 0;
            if (labels[r] < 0) continue;
            for (int v = 0; v < VOCABULARY; v++) total += exp((double)z[r * VOCABULARY + v]);
            sum += log(total) - (double)z[r * VOCABULARY + labels[r]];
            count++;
        }
        assert_number((double)tensor_item(loss), sum / count, .name = "loss", .rtol = 1e-5);
    }
}

static void start_is_that_of_gpt2(void **state)
{
    (void)state;
    ModelConfig config = model_config_gpt2(
        (ModelSize){.vocabulary = 512, .context = 64, .width = 64, .layers = 8, .heads = 4});
    Model model = model_new(params, config, &rng);
    assert_int_equal(params_total(params), model_config_params(&config));
    assert_ptr_equal(model.head, model.embedding);
    const struct {
        const Tensor *x;
        double deviation;
    } cases[] = {{model.embedding, 0.02},
                 {model.positions, 0.02},
                 {model.blocks[3].qkv.weight, 0.02},
                 {model.blocks[3].up.weight, 0.02},
                 {model.blocks[3].out.weight, 0.02 / 4},
                 {model.blocks[7].down.weight, 0.02 / 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float *values = values_of(cases[i].x);
        const size_t n = tensor_count(cases[i].x);
        double squares = 0;
        for (size_t k = 0; k < n; k++) squares += (double)values[k] * (double)values[k];
        // The relative error of a deviation from n numbers is 1 / sqrt(2 n).
        assert_number(sqrt(squares / (double)n), cases[i].deviation, .name = "deviation",
                      .rtol = 4 / sqrt(2 * (double)n));
    }
    assert_number((double)values_of(model.blocks[0].mlp_norm.weight)[5], 1, .name = "norm");
    assert_number((double)values_of(model.blocks[0].mlp_norm.bias)[5], 0, .name = "norm's bias");
    assert_number((double)values_of(model.blocks[0].qkv.bias)[5], 0, .name = "bias");
}

static void dropout_is_off_in_evaluation_and_changes_with_the_draw(void **state)
{
    (void)state;
    Model model = random_model(gpt2());
    Tensor *target = tensor_from_ints(keep, SHAPE(1, T), IDS + 1);
    tape_quiet(tape, true);
    const float plain =
        tensor_item(model_loss(tape, &model, ids(0, 1, T), target, draw_at(1, 1, 0)));
    model.dropout = 0.3f;
    const float quiet =
        tensor_item(model_loss(tape, &model, ids(0, 1, T), target, draw_at(1, 1, 0)));
    assert_true(plain == quiet);
    tape_quiet(tape, false);
    const float one = tensor_item(model_loss(tape, &model, ids(0, 1, T), target, draw_at(1, 1, 0)));
    const float again =
        tensor_item(model_loss(tape, &model, ids(0, 1, T), target, draw_at(1, 1, 0)));
    const float two = tensor_item(model_loss(tape, &model, ids(0, 1, T), target, draw_at(1, 2, 0)));
    assert_true(one == again);
    assert_true(one != two && one != plain);
}

// ---- sizes ----

static void sizes_follow_from_those_that_are_given(void **state)
{
    (void)state;
    // Published: GPT-2 124M; LLaMA 7B.
    ModelConfig gpt = model_config_gpt2(
        (ModelSize){.vocabulary = 50257, .context = 1024, .width = 768, .layers = 12, .heads = 12});
    assert_int_equal(model_config_params(&gpt), 124439808);
    ModelConfig big = model_config_llama((ModelSize){.vocabulary = 32000,
                                                     .context = 2048,
                                                     .width = 4096,
                                                     .layers = 32,
                                                     .heads = 32,
                                                     .ff = 11008});
    big.tied = false;
    assert_int_equal(model_config_params(&big), 6738415616);
    ModelConfig small = qwen3();
    assert_int_equal(model_config_qkv(&small), (4 + 2 * 2) * 6);
    assert_int_equal(small.ff, 32);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct {
        ModelSize size;
        const char *why;
    } cases[] = {
        {{0, 8, 8, 1, 2, 0, 0, 0}, "the vocabulary is 0, expected 1 to"},
        {{8, -1, 8, 1, 2, 0, 0, 0}, "the context is -1, expected 1 to"},
        {{8, 8, 8, 100000, 2, 0, 0, 0}, "the number of layers is 100000, expected 1 to 65536"},
        {{8, 8, 8, 1, 0, 0, 0, 0}, "the number of heads is 0"},
        {{8, 8, 10, 1, 4, 0, 0, 0}, "a width of 10 does not divide into 4 heads"},
        {{8, 8, 12, 1, 4, 3, 0, 0}, "4 heads cannot share 3 heads of keys and values"},
        {{8, 8, 12, 1, 4, 0, 3, 0}, "a head has 3 numbers, expected an even number to rotate"},
        {{8, 8, 12, 1, 1 << 20, 0, 1 << 20, 0}, "1048576 heads of 1048576 numbers"},
        {{1 << 29, 8, 1 << 20, 1, 4, 0, 0, 8}, "parameters, expected at most 2^40"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        ModelConfig config = model_config_llama(cases[i].size);
        assert_false(model_config_check(&config, "a test", &err));
        if (strncmp(err.message, "a test: ", 8) != 0 || strstr(err.message, cases[i].why) == NULL)
            fail_msg("got: %s\nexpected: %s", err.message, cases[i].why);
    }
    ModelConfig config = qwen3();
    Error err = {""};
    assert_true(model_config_check(&config, "a test", &err));
    config.eps = NAN;
    assert_false(model_config_check(&config, "a test", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(cache_gives_the_logits_of_the_whole_sequence),
        EACH_DEVICE(cache_goes_back_to_fewer_tokens),
        EACH_DEVICE(later_tokens_change_no_earlier_logits),
        EACH_DEVICE(sequences_of_a_batch_do_not_see_each_other),
        EACH_DEVICE(loss_is_the_cross_entropy_of_the_logits),
        EACH_DEVICE(start_is_that_of_gpt2),
        EACH_DEVICE(dropout_is_off_in_evaluation_and_changes_with_the_draw),
        ON_DEVICE(cache_and_context_that_are_full_stop_the_program, "ref"),
        ON_DEVICE(sizes_follow_from_those_that_are_given, "ref"),
        ON_DEVICE(sizes_that_cannot_be_are_refused, "ref"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
