/* The first ten steps of training: PyTorch's losses from the same weights, batches and settings. */
#include "labs/3_language/transformer/tests/opened.h"
#include "common/optimizer.h"

enum { STEPS = 10, B = 4, T = 16 };

static float *numbers_of(const Safetensors *file, const char *name)
{
    const SafetensorsEntry *entry = entry_of(file, name);
    assert_int_equal(entry->count, STEPS);
    float *numbers = arena_alloc(names, STEPS * sizeof *numbers);
    return memcpy(numbers, entry->data, STEPS * sizeof *numbers);
}

// x and the labels, one place on, of a step's B windows of T + 1 tokens.
static void read_batch(const Safetensors *file, int step, int32_t x[B * T], int32_t labels[B * T])
{
    const SafetensorsEntry *entry = entry_of(file, "ids");
    assert_int_equal(entry->count, STEPS * B * (T + 1));
    const char *data = entry->data;
    for (int b = 0; b < B; b++) {
        const char *window = data + sizeof *x * (size_t)((step * B + b) * (T + 1));
        memcpy(x + b * T, window, T * sizeof *x);
        memcpy(labels + b * T, window + sizeof *x, T * sizeof *x);
    }
}

static void assert_trains_as_pytorch(const char *name)
{
    Error err = {""};
    Safetensors *expected = safetensors_open(fixture_path("training.safetensors"), &err);
    ModelFile *file = model_file_open(fixture_path(name), &err);
    if (expected == NULL || file == NULL) fail_msg("%s", err.message);
    Arena *keep = arena_new("keep", (size_t)64 << 20), *step = arena_new("step", (size_t)64 << 20);
    Params *params = params_new(keep);
    const Model model = model_file_read(file, params);
    Tape *tape = tape_new(step);
    Optimizer *adam = optimizer_new(keep, params,
                                    (OptimizerConfig){.kind = OPTIMIZER_ADAM,
                                                      .beta2 = 0.99f,
                                                      .decay = 0.1f,
                                                      .clip_norm = 1,
                                                      .schedule = {.peak = 0.01f}});
    const float *want = numbers_of(expected, name);
    for (int i = 0; i < STEPS; i++) {
        int32_t x[B * T], labels[B * T];
        read_batch(expected, i, x, labels);
        Tensor *loss = model_loss(tape, &model, tensor_from_ints(step, SHAPE(B, T), x),
                                  tensor_from_ints(step, SHAPE(B, T), labels), (Draw){0});
        assert_number(tensor_item(loss), (double)want[i],
                      .name = arena_print(names, "%s: loss of step %d", name, i), .atol = 1e-4);
        tape_backward(tape, loss);
        optimizer_step(adam);
        tape_reset(tape);
    }
    arena_free(step);
    arena_free(keep);
    model_file_close(file);
    safetensors_close(expected);
}

static void gpt2_trains_as_in_pytorch(void **state)
{
    (void)state;
    assert_trains_as_pytorch("gpt2");
}

static void llama_trains_as_in_pytorch(void **state)
{
    (void)state;
    assert_trains_as_pytorch("llama");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_trains_as_in_pytorch),
        cmocka_unit_test(llama_trains_as_in_pytorch),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
