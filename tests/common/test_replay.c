// Training steps that a device replays: the same bits as steps that are computed, and what must not be replayed.
#include "common/replay.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/ops.h"
#include "common/optimizer.h"
#include "kernels/device.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CASE(name) static void name(__attribute__((unused)) void **state)

enum { STEPS = 12, ROWS = 9, IN = 7, HIDDEN = 13, CLASSES = 5, NUMBERS = IN * HIDDEN + HIDDEN };

typedef enum Kind {
    PLAIN,
    DRAWS,         // random numbers
    READS,         // the device's memory
    GROWS,         // between two steps a kernel takes more memory to work in
    LAST_SHORT,    // each fourth batch has fewer rows
} Kind;

typedef struct Model {
    Kind kind;
    Linear first, second;
} Model;

static Tensor *loss_of(Tape *tape, const Model *model, Tensor *x, Tensor *labels, Rng *rng)
{
    Tensor *h = op_gelu(tape, linear_forward(tape, &model->first, x));
    if (model->kind == DRAWS) h = op_scale(tape, h, 1 + rng_uniform(rng));
    if (model->kind == READS) h = op_scale(tape, h, tensor_values(tape->arena, h)[0]);
    return loss_cross_entropy(tape, linear_forward(tape, &model->second, h), labels);
}

// The weights of the first layer after STEPS steps, which differ in batch and learning rate. Returns how many
// were replayed.
static long train(float weights[NUMBERS], Kind kind, const char *graphs)
{
    const char *why = "";
    if (!device_use("emulated", &why)) fail_msg("%s", why);
    setenv("LAB_CUDA_GRAPHS", graphs, 1);
    Arena *keep = arena_new("keep", (size_t)1 << 24), *step = arena_new("step", (size_t)1 << 26);
    Rng rng = rng_from_seed(3);
    Params *params = params_new(keep);
    const Model model = {.kind = kind,
                         .first = linear_new(params, "first", IN, HIDDEN, init_he, &rng),
                         .second = linear_new(params, "second", HIDDEN, CLASSES, init_he, &rng)};
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){
            .kind = OPTIMIZER_ADAM,
            .clip_norm = 0.5f,
            .schedule = {.shape = SCHEDULE_COSINE, .peak = 0.05f, .warmup = 3, .total = STEPS}});
    Tape *tape = tape_new(step);
    Replay *replay = replay_new(keep, params);
    for (int i = 0; i < STEPS; i++) {
        const int rows = kind == LAST_SHORT && i % 4 == 3 ? 4 : ROWS;
        float x[ROWS * IN], value;
        int32_t label[ROWS];
        rng_fill_normal(&rng, x, ROWS * IN);
        for (int r = 0; r < ROWS; r++) label[r] = (int32_t)rng_below(&rng, CLASSES);
        if (kind == GROWS && i == 6) {
            static int times;    // it keeps what it had in the training before
            const int cols = 4096 << times++;
            float *numbers = arena_numbers(keep, ((size_t)cols + 1) * sizeof *numbers);
            const WeightRows w = {arena_numbers(keep, (size_t)cols * 2), DTYPE_Q8_0, 1, cols};
            kernels.row_product(numbers + cols, 1, numbers, (size_t)cols, 1, w, ACTIVATIONS_Q8);
        }
        Tensor *batch = tensor_from(step, SHAPE(rows, IN), x);
        Tensor *labels = tensor_from_ints(step, SHAPE(rows), label);
        if (replay_forward(replay, tape, rows, 1, &rng, &value)) {
            replay_backward(replay);
        } else {
            Tensor *loss = loss_of(tape, &model, batch, labels, &rng);
            replay_end_forward(replay, loss, &rng);
            value = tensor_item(loss);
            replay_begin_backward(replay);
            tape_backward(tape, loss);
            replay_end_backward(replay);
        }
        assert_true(isfinite(value) && value > 0);
        tape_reset(tape);
        optimizer_step(adam);
    }
    device->get(weights, params->trained.at, NUMBERS * sizeof *weights);
    const long count = replay_count(replay);
    replay_free(replay);
    arena_free(step);
    arena_free(keep);
    return count;
}

// How many steps were replayed, of a training that ends with the same bits as without.
static long replayed(Kind kind)
{
    float direct[NUMBERS], again[NUMBERS];
    assert_int_equal(train(direct, kind, "off"), 0);
    const long count = train(again, kind, "on");
    for (int i = 0; i < NUMBERS; i++)
        if (memcmp(&direct[i], &again[i], sizeof *direct) != 0)
            fail_msg("weight %d is %.9g with %ld replayed steps; expected %.9g", i,
                     (double)again[i], count, (double)direct[i]);
    return count;
}

CASE(all_but_the_first_two_steps_are_replayed_with_the_same_bits)
{
    assert_int_equal(replayed(PLAIN), STEPS - 2);
}

CASE(a_batch_of_fewer_rows_is_computed)
{
    assert_int_equal(replayed(LAST_SHORT), STEPS - 2 - STEPS / 4);
}

CASE(a_loss_that_draws_is_never_replayed)
{
    assert_int_equal(replayed(DRAWS), 0);
}

CASE(a_loss_that_reads_the_device_is_never_replayed)
{
    assert_int_equal(replayed(READS), 0);
}

CASE(a_step_is_recorded_anew_when_memory_of_a_kernel_has_moved)
{
    assert_int_equal(replayed(GROWS), STEPS - 3);
}

CASE(devices_on_the_host_replay_nothing)
{
    const char *why;
    assert_true(device_use("ref", &why));
    setenv("LAB_CUDA_GRAPHS", "on", 1);
    Arena *keep = arena_new("keep", (size_t)1 << 20);
    assert_null(replay_new(keep, params_new(keep)));
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_but_the_first_two_steps_are_replayed_with_the_same_bits),
        cmocka_unit_test(a_batch_of_fewer_rows_is_computed),
        cmocka_unit_test(a_loss_that_draws_is_never_replayed),
        cmocka_unit_test(a_loss_that_reads_the_device_is_never_replayed),
        cmocka_unit_test(a_step_is_recorded_anew_when_memory_of_a_kernel_has_moved),
        cmocka_unit_test(devices_on_the_host_replay_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
