/* The first ten steps of training: PyTorch's losses from the same weights, batches and settings; and on a device that
 * replays its steps the bits of one that computes them. */
#include "labs/3_language/transformer/tests/opened.h"
#include <stdlib.h>
#include "common/optimizer.h"
#include "common/replay.h"
#include "kernels/device.h"

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

// The losses of the steps. Returns how many of them were replayed.
static long train(const char *name, float losses[STEPS])
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
    Replay *replay = replay_new(keep, params);
    const Rng rng = {0};    // nothing draws
    const float *want = numbers_of(expected, name);
    for (int i = 0; i < STEPS; i++) {
        int32_t ids[B * T], next[B * T];
        read_batch(expected, i, ids, next);
        Tensor *x = tensor_from_ints(step, SHAPE(B, T), ids);
        Tensor *labels = tensor_from_ints(step, SHAPE(B, T), next);
        if (replay_forward(replay, tape, B, 1, &rng, &losses[i])) {
            replay_backward(replay);
        } else {
            Tensor *loss = model_loss(tape, &model, x, labels, (Draw){0});
            replay_end_forward(replay, loss, &rng);
            losses[i] = tensor_item(loss);
            replay_begin_backward(replay);
            tape_backward(tape, loss);
            replay_end_backward(replay);
        }
        assert_number(losses[i], (double)want[i],
                      .name = arena_print(names, "%s: loss of step %d", name, i), .atol = 1e-4);
        optimizer_step(adam);
        tape_reset(tape);
    }
    const long count = replay_count(replay);
    replay_free(replay);
    arena_free(step);
    arena_free(keep);
    model_file_close(file);
    safetensors_close(expected);
    return count;
}

static void assert_trains_as_pytorch(const char *name)
{
    float losses[STEPS];
    train(name, losses);
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

static void replayed_steps_have_the_bits_of_computed_ones(void **state)
{
    (void)state;
    static const char *const models[] = {"gpt2", "llama"};
    const Device *before = device;
    const char *why = "";
    if (!device_use("emulated", &why)) fail_msg("%s", why);
    for (int i = 0; i < 2; i++) {
        float computed[STEPS], replayed[STEPS];
        unsetenv("LAB_CUDA_GRAPHS");
        assert_int_equal(train(models[i], computed), 0);
        setenv("LAB_CUDA_GRAPHS", "on", 1);
        assert_int_equal(train(models[i], replayed), STEPS - 2);
        unsetenv("LAB_CUDA_GRAPHS");
        assert_memory_equal(computed, replayed, sizeof computed);
    }
    device_put_in_use(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_trains_as_in_pytorch),
        cmocka_unit_test(llama_trains_as_in_pytorch),
        cmocka_unit_test(replayed_steps_have_the_bits_of_computed_ones),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
