/* The same seed gives the same bits, also in memory that the host cannot touch; another number of threads
 * or other kernels give the same network but for rounding. */
#include "common/layers.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "kernels/device.h"
#include "tests/facts.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100, IN = 300, HIDDEN = 128, CLASSES = 10, STEPS = 20 };
enum { TOTAL = HIDDEN * IN + HIDDEN + CLASSES * HIDDEN + CLASSES };

typedef struct Result {
    float params[TOTAL];
    float losses[STEPS];
} Result;

// Trains a classifier for 20 steps on noise, which it can only memorize.
static Result *train(const char *device_name, int threads, uint64_t seed)
{
    const char *why;
    assert_true(device_use(device_name, &why));
    omp_set_num_threads(threads);
    Arena *keep = arena_new("keep", 16u << 20);
    Params *params = params_new(keep);
    Rng rng = rng_from_seed(seed);
    Linear hidden = linear_new(params, "hidden", IN, HIDDEN, init_he, &rng);
    Linear output = linear_new(params, "output", HIDDEN, CLASSES, init_glorot, &rng);
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}, .clip_norm = 1});
    Tape *tape = tape_new(arena_new("step", 16u << 20));
    Result *result = calloc(1, sizeof *result);
    assert_non_null(result);
    for (int i = 0; i < STEPS; i++) {
        float noise[BATCH * IN];
        int32_t classes[BATCH];
        rng_fill_normal(&rng, noise, BATCH * IN);
        for (int r = 0; r < BATCH; r++) classes[r] = (int32_t)rng_below(&rng, CLASSES);
        Tensor *x = tensor_from(tape->arena, SHAPE(BATCH, IN), noise);
        Tensor *labels = tensor_from_ints(tape->arena, SHAPE(BATCH), classes);
        Tensor *h = op_linear_relu(tape, x, hidden.weight, hidden.bias);
        Tensor *loss = loss_cross_entropy(tape, linear_forward(tape, &output, h), labels);
        result->losses[i] = tensor_item(loss);
        tape_backward(tape, loss);
        optimizer_step(adam);
        tape_reset(tape);
    }
    for (int i = 0, used = 0; i < params->count; i++) {
        tensor_read(params->items[i].tensor, result->params + used);
        used += (int)tensor_count(params->items[i].tensor);
    }
    arena_free(tape->arena);
    arena_free(keep);
    return result;
}

static void the_same_seed_gives_the_same_bits_twice(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        Result *first = train("cpu", threads, 1), *second = train("cpu", threads, 1),
               *other = train("cpu", threads, 2);
        assert_memory_equal(first, second, sizeof *first);
        assert_true(memcmp(first, other, sizeof *first) != 0);
        free(first);
        free(second);
        free(other);
    }
}

// Threads change the order of sums, which moves a float by parts in 10^7. Adam divides a gradient by
// its own size, so that one near 0 passes its rounding on: up to some hundredths of a step of 1e-3.
// On the whole, the 2-norm of all differences is held to 1e-5 of the parameters', a loss to 1e-5.
static void assert_same_but_for_rounding(const Result *a, const Result *b)
{
    double difference = 0, size = 0;
    for (int i = 0; i < TOTAL; i++) {
        double d = (double)a->params[i] - (double)b->params[i];
        difference += d * d;
        size += (double)a->params[i] * (double)a->params[i];
        assert_close(a->params[i], b->params[i], 1e-4);
    }
    assert_close(sqrt(difference / size), 0, 1e-5);
    for (int i = 0; i < STEPS; i++) assert_close(a->losses[i], b->losses[i], 1e-5);
}

static void one_and_two_threads_agree(void **state)
{
    (void)state;
    Result *one = train("cpu", 1, 1), *two = train("cpu", 2, 1);
    assert_same_but_for_rounding(one, two);
    free(one);
    free(two);
}

static void cpu_and_ref_train_the_same_network(void **state)
{
    (void)state;
    Result *cpu = train("cpu", 2, 1), *ref = train("ref", 1, 1);
    assert_same_but_for_rounding(cpu, ref);
    free(cpu);
    free(ref);
}

static void far_and_ref_train_to_the_same_bits(void **state)
{
    (void)state;
    Result *far = train("far", 1, 1), *ref = train("ref", 1, 1);
    assert_memory_equal(far, ref, sizeof *far);
    free(far);
    free(ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bits_twice),
        cmocka_unit_test(one_and_two_threads_agree),
        cmocka_unit_test(cpu_and_ref_train_the_same_network),
        cmocka_unit_test(far_and_ref_train_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
