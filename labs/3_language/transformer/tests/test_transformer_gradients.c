/* Every derivative of the whole model against central differences, in double precision: the loss, with some
 * labels that do not count, and the logits. */
#include "labs/3_language/transformer/model/model.h"
#include "tests/gradcheck.h"
#include <cmocka.h>

enum { B = 2, T = 5, VOCABULARY = 7, MOST_PARAMS = 64 };

static Arena *keep;
static Params *params;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 8u << 20);
    params = params_new(keep);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static ModelConfig gpt2(void)
{
    return model_config_gpt2((ModelSize){
        .vocabulary = VOCABULARY, .context = T + 1, .width = 6, .layers = 2, .heads = 2, .ff = 5});
}

static ModelConfig llama(void)
{
    return model_config_llama((ModelSize){.vocabulary = VOCABULARY,
                                          .context = T + 1,
                                          .width = 6,
                                          .layers = 2,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .head = 4,
                                          .ff = 5});
}

static Tensor *tokens(Tape *tape)
{
    static const int32_t ids[B * T] = {3, 1, 4, 1, 5, 0, 2, 6, 5, 3};
    return tensor_from_ints(tape->arena, SHAPE(B, T), ids);
}

// The parameters are the inputs, which the model has already.
static Tensor *loss(Tape *tape, Tensor *const in[], const void *context)
{
    (void)in;
    static const int32_t labels[B * T] = {1, 4, -1, 5, 0, 2, 6, -100, 3, 3};
    return model_loss(tape, context, tokens(tape),
                      tensor_from_ints(tape->arena, SHAPE(B, T), labels), draw_at(5, 1, 0));
}

static Tensor *logits(Tape *tape, Tensor *const in[], const void *context)
{
    (void)in;
    return model_logits(tape, context, tokens(tape));
}

static void assert_gradients(ModelConfig config, float dropout)
{
    Rng rng = rng_from_seed(11);
    Model model = model_new(params, config, &rng);
    model.dropout = dropout;
    Tensor *list[MOST_PARAMS];
    assert_true(params->count <= MOST_PARAMS);
    for (int i = 0; i < params->count; i++) {
        list[i] = params->items[i].tensor;
        // Far from their start, where biases are 0 and norms are 1.
        float *values = tensor_floats(list[i]), *noise = arena_alloc(keep, tensor_bytes(list[i]));
        rng_fill_normal(&rng, noise, tensor_count(list[i]));
        for (size_t k = 0; k < tensor_count(list[i]); k++) values[k] += 0.3 * noise[k];
    }
    const Tensors in = {list, params->count};
    gradcheck_assert(__FILE__, __LINE__, "model_loss", loss, &model, in);
    gradcheck_assert(__FILE__, __LINE__, "model_logits", logits, &model, in);
}

static void gpt2_has_its_gradients(void **state)
{
    (void)state;
    assert_gradients(gpt2(), 0);
}

static void gpt2_has_its_gradients_untied_with_dropout_and_the_exact_gelu(void **state)
{
    (void)state;
    ModelConfig config = gpt2();
    config.tied = false;
    config.mlp = MLP_GELU_ERF;
    assert_gradients(config, 0.25f);
}

static void llama_has_its_gradients(void **state)
{
    (void)state;
    assert_gradients(llama(), 0);
}

static void qwen2_has_its_gradients(void **state)
{
    (void)state;
    ModelConfig config = llama();
    config.qkv_bias = true;
    config.tied = false;
    assert_gradients(config, 0);
}

static void qwen3_has_its_gradients(void **state)
{
    (void)state;
    ModelConfig config = llama();
    config.qk_norm = true;
    assert_gradients(config, 0.25f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gpt2_has_its_gradients, setup, teardown),
        cmocka_unit_test_setup_teardown(
            gpt2_has_its_gradients_untied_with_dropout_and_the_exact_gelu, setup, teardown),
        cmocka_unit_test_setup_teardown(llama_has_its_gradients, setup, teardown),
        cmocka_unit_test_setup_teardown(qwen2_has_its_gradients, setup, teardown),
        cmocka_unit_test_setup_teardown(qwen3_has_its_gradients, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
