/* Checkpoints: a run stopped at any step and resumed ends in the same bits, and a file that does not
 * fit changes nothing. */
#include "common/checkpoint.h"
#include "common/loss.h"
#include "common/ops.h"
#include "common/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { STEPS = 12 };

static Arena *arena;
static char   folder[] = "/tmp/test_checkpoint_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 26);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    arena_free(arena);
    unlink(path);
    return rmdir(folder);
}

// A small run that uses all a checkpoint holds: noise in each batch, momentum, a moving rate.
typedef struct Training {
    Rng        rng;
    Params    *params;
    Tape      *tape;
    Checkpoint point;
} Training;

static Training training_new(OptimizerKind kind)
{
    Training t = {.rng    = rng_from_seed(3),
                  .params = params_new(arena),
                  .tape   = tape_new(arena_new("step", 1u << 20))};
    Tensor  *w = params_add(t.params, "weight", SHAPE(4, 6));
    params_add(t.params, "bias", SHAPE(4));
    rng_fill_normal(&t.rng, w->data, tensor_count(w));
    OptimizerConfig config = {
        .kind      = kind,
        .schedule  = {.shape = SCHEDULE_COSINE, .peak = 0.1f, .warmup = 3, .total = STEPS},
        .momentum  = 0.9f,
        .clip_norm = 1.0f};
    t.point = (Checkpoint){.params = t.params, .optimizer = optimizer_new(arena, t.params, config),
                           .config = "a small run"};
    return t;
}

static void train_until(Training *t, long steps)
{
    for (; t->point.step < steps; t->point.step++) {
        Tensor *x = tensor_new(t->tape->arena, SHAPE(5, 6)),
               *y = tensor_zeros(t->tape->arena, SHAPE(5, 4));
        rng_fill_normal(&t->rng, x->data, tensor_count(x));
        y->data[0]   = rng_normal(&t->rng);
        Tensor *out = op_linear(t->tape, x, t->params->items[0].tensor, t->params->items[1].tensor);
        tape_backward(t->tape, loss_squared_error(t->tape, out, y));
        optimizer_step(t->point.optimizer);
        tape_reset(t->tape);
    }
}

static void training_free(Training *t)
{
    arena_free(t->tape->arena);
}

static void assert_same_bits(const Training *a, const Training *b)
{
    for (int i = 0; i < a->params->count; i++)
        assert_memory_equal(a->params->items[i].tensor->data, b->params->items[i].tensor->data,
                            tensor_count(a->params->items[i].tensor) * sizeof(float));
    for (int i = 0; i < a->point.optimizer->state_count; i++)
        assert_memory_equal(a->point.optimizer->state[i].tensor->data,
                            b->point.optimizer->state[i].tensor->data,
                            tensor_count(a->point.optimizer->state[i].tensor) * sizeof(float));
    assert_memory_equal(&a->rng, &b->rng, sizeof a->rng);
    assert_int_equal(a->point.step, b->point.step);
    assert_int_equal(a->point.optimizer->step, b->point.optimizer->step);
}

static void a_run_stopped_at_any_step_ends_in_the_same_bits(void **state)
{
    (void)state;
    for (OptimizerKind kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAM; kind++) {
        Training whole = training_new(kind);
        train_until(&whole, STEPS);
        for (long stop = 0; stop <= STEPS; stop++) {
            Error    err     = {""};
            Training stopped = training_new(kind), resumed = training_new(kind);
            train_until(&stopped, stop);
            stopped.point.rng = &stopped.rng;
            resumed.point.rng = &resumed.rng;
            resumed.rng       = rng_from_seed(999);
            if (!checkpoint_save(path, &stopped.point, &err) ||
                !checkpoint_load(path, &resumed.point, &err))
                fail_msg("%s", err.message);
            long step = -1;
            assert_true(checkpoint_step(path, &step, &err));
            assert_int_equal(step, stop);
            train_until(&resumed, STEPS);
            assert_same_bits(&whole, &resumed);
            training_free(&stopped);
            training_free(&resumed);
        }
        training_free(&whole);
    }
}

// Saves one run, loads it into another that differs, and checks that it is refused and untouched.
static void refuses(Training *saved, Training *other, const char *sentence)
{
    Error err = {""};
    train_until(saved, 2);
    assert_true(checkpoint_save(path, &saved->point, &err));
    Training before = *other;    // shares tensors: their bits are held apart
    size_t   count  = tensor_count(other->params->items[0].tensor);
    float    held[64];
    tensor_read(other->params->items[0].tensor, held);
    assert_false(checkpoint_load(path, &other->point, &err));
    if (strstr(err.message, sentence) == NULL)
        fail_msg("said \"%s\", expected \"%s\"", err.message, sentence);
    assert_memory_equal(held, other->params->items[0].tensor->data, count * sizeof(float));
    assert_memory_equal(&before.rng, &other->rng, sizeof before.rng);
    assert_int_equal(other->point.step, 0);
    training_free(saved);
    training_free(other);
}

static void another_configuration_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    other.point.config = "a large run";
    refuses(&saved, &other, "was written by a run with 'a small run', this one has 'a large run'");
}

static void another_optimizer_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_SGD);
    refuses(&saved, &other, "lacks 'sgd.v.weight' [4,6]");
}

static void another_model_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    params_add(other.params, "more", SHAPE(2));
    refuses(&saved, &other, "lacks 'more' [2]");
}

static void what_the_run_does_not_ask_for_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    other.point.optimizer = NULL;
    refuses(&saved, &other, "holds 'adam.m.weight' [4,6], which is not asked for");
}

static void missing_random_numbers_are_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    other.point.rng = &other.rng;
    refuses(&saved, &other, "its rng is 'missing'");
}

static void weights_alone_are_not_a_checkpoint(void **state)
{
    (void)state;
    Training t    = training_new(OPTIMIZER_ADAM);
    Error    err  = {""};
    long     step = -1;
    assert_true(safetensors_save(path, t.params, &err));
    assert_false(checkpoint_load(path, &t.point, &err));
    assert_non_null(
        strstr(err.message, "its format is 'missing', expected 'training checkpoint 1'"));
    assert_false(checkpoint_step(path, &step, &err));
    training_free(&t);
}

static void damaged_numbers_are_refused(void **state)
{
    (void)state;
    const char *steps[] = {"", "-1", "1.5", " 1", "1 ", "9999999999999999999", "ten"};
    const char *rngs[]  = {"", "1", "1 2", "one 3", "1 3!"};    // an even increment is no generator
    Training    t       = training_new(OPTIMIZER_ADAM);
    t.point.optimizer   = NULL;
    t.point.rng         = &t.rng;
    for (size_t i = 0; i < sizeof steps / sizeof *steps + sizeof rngs / sizeof *rngs; i++) {
        bool            is_step = i < sizeof steps / sizeof *steps;
        SafetensorsPair pairs[] = {
            {"format", "training checkpoint 1"},
            {"config", "a small run"},
            {"step", is_step ? steps[i] : "7"},
            {"rng", is_step ? "1 3" : rngs[i - sizeof steps / sizeof *steps]}};
        Error           err     = {""};
        assert_true(safetensors_write(path, t.params->items, t.params->count, pairs, 4, &err));
        if (checkpoint_load(path, &t.point, &err))
            fail_msg("'%s', '%s' were taken", pairs[2].value, pairs[3].value);
        assert_non_null(strstr(err.message, is_step ? "its step is '" : "its rng is '"));
    }
    training_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_stopped_at_any_step_ends_in_the_same_bits),
        cmocka_unit_test(another_configuration_is_refused),
        cmocka_unit_test(another_optimizer_is_refused),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(what_the_run_does_not_ask_for_is_refused),
        cmocka_unit_test(missing_random_numbers_are_refused),
        cmocka_unit_test(weights_alone_are_not_a_checkpoint),
        cmocka_unit_test(damaged_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
