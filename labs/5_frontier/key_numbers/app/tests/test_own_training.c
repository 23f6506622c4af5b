/* What our own trainer takes (labs/3_language/transformer), beside what the exercises predict for the same
 * model. */
#include <math.h>
#include "common/optimizer.h"
#include "labs/3_language/transformer/model/model.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"
#include "tests/cases.h"

enum { B = 2, T = 64, FLOAT = 4, ADAM = 8 };

typedef struct Taken {
    double state, step;    // bytes of numbers: parameters, gradients, moments; of a training step
    uint64_t params;
} Taken;

static Taken train(const ModelConfig *config)
{
    Arena *keep = arena_new("keep", (size_t)256 << 20),
          *step = arena_new("step", (size_t)512 << 20);
    Rng rng = rng_from_seed(1);
    Params *params = params_new(keep);
    const Model model = model_new(params, *config, &rng);
    Optimizer *adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.001f}});
    Tape *tape = tape_new(step);
    Taken taken = {.params = model_config_params(config)};
    int32_t ids[B * T];
    for (int t = 0; t < B * T; t++) ids[t] = t % config->vocabulary;
    Tensor *x = tensor_from_ints(step, SHAPE(B, T), ids);
    Tensor *loss = model_loss(tape, &model, x, x, (Draw){0});
    tape_backward(tape, loss);
    optimizer_step(adam);
    taken.state = (double)(FLOAT * (params->trained.count + params->grads.count)) +
                  (double)arena_numbers_used(keep);
    taken.step = (double)arena_numbers_peak(step);
    arena_free(step);
    arena_free(keep);
    return taken;
}

static KnBlock block_of(const ModelConfig *c)
{
    return (KnBlock){.width = (uint64_t)c->width,
                     .heads = (uint64_t)c->heads,
                     .kv_heads = (uint64_t)c->kv_heads,
                     .head_dim = (uint64_t)c->head,
                     .ffn = (uint64_t)c->ff,
                     .gated = c->mlp == MLP_SWIGLU,
                     .norms = 2 * (uint64_t)c->width};
}

static void assert_within_3_percent(double taken, double predicted, const char *what)
{
    if (!(fabs(taken / predicted - 1) <= 0.03))
        fail_msg("%s: %.0f bytes, predicted %.0f (%+.1f %%)", what, taken, predicted,
                 100 * (predicted / taken - 1));
}

// Weights, gradients and Adam's moments in fp32: 16 bytes a parameter.
static void assert_state(const Taken *taken)
{
    KnState bytes;
    KnRecipe recipe = {FLOAT, FLOAT, ADAM};
    kn_training_state(&bytes, taken->params, &recipe, 0, 1);
    assert_within_3_percent(taken->state, bytes.weights + bytes.gradients + bytes.state, "state");
}

// The formula in fp32; and what our tape stores beside it, since each of its functions has an output: what
// attention and MLP add to the residual stream, and q, k and v before they are rotated. Then the tokens'
// embeddings and the last norm, and while an MLP goes backward the gradients of its input, its product
// and what that is made from. Logits are never whole.
static void assert_activations(const Taken *taken, const ModelConfig *c)
{
    KnBlock block = block_of(c);
    KnPass pass = {.sequence = T, .batch = B, .tensor_parallel = 1, .flash = true};
    double number = FLOAT * B * T, beside = 2 * c->width + model_config_qkv(c);
    double layers = c->layers * (2 * kn_activation_bytes(&block, &pass) + number * beside);
    double backward = number * (2 * c->width + c->width + 3 * c->ff);
    assert_within_3_percent(taken->step, layers + backward, "activations");
}

static void a_llama_takes_what_is_predicted(void **state)
{
    (void)state;
    static const ModelSize sizes[] = {
        {.vocabulary = 256, .context = 64, .width = 128, .layers = 12, .heads = 8, .kv_heads = 4},
        {.vocabulary = 256, .context = 64, .width = 96, .layers = 16, .heads = 6, .kv_heads = 6}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ModelConfig config = model_config_llama(sizes[i]);
        Taken taken = train(&config);
        KnBlock block = block_of(&config);
        uint64_t width = (uint64_t)config.width;
        assert_int_equal(taken.params, kn_block_params(&block).total * (uint64_t)config.layers +
                                           (uint64_t)config.vocabulary * width + width);
        assert_state(&taken);
        assert_activations(&taken, &config);
    }
}

static void the_state_of_a_gpt2_is_what_is_predicted(void **state)
{
    (void)state;
    ModelConfig config = model_config_gpt2(
        (ModelSize){.vocabulary = 256, .context = 64, .width = 128, .layers = 3, .heads = 8});
    Taken taken = train(&config);
    assert_state(&taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_llama_takes_what_is_predicted),
        cmocka_unit_test(the_state_of_a_gpt2_is_what_is_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
