/* Checkpoints: a run stopped at any step and resumed ends in the same bits, and a file that does not
 * fit changes nothing. */
#include "common/checkpoint.h"
#include "common/loss.h"
#include "common/ops.h"
#include "common/safetensors.h"
#include "tests/devices.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS = 12 };

static Arena *arena;
static char folder[] = "/tmp/test_checkpoint_XXXXXX", path[64];

static int setup(void **state)
{
    device_for_case(*state);
    arena = arena_new("test", 1u << 26);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

// A small run that uses all a checkpoint holds: noise in each batch, momentum, a moving rate.
typedef struct Training {
    Rng rng;
    Params *params;
    Tape *tape;
    float *losses;    // records
    double *best;
    Checkpoint point;
} Training;

static Training training_new(OptimizerKind kind)
{
    Training t = {.rng = rng_from_seed(3),
                  .params = params_new(arena),
                  .tape = tape_new(arena_new("step", 1u << 20)),
                  .losses = arena_zeros(arena, STEPS * sizeof(float)),
                  .best = arena_zeros(arena, sizeof(double))};
    float start[4 * 6];
    Tensor *w = params_add(t.params, "weight", SHAPE(4, 6));
    params_add(t.params, "bias", SHAPE(4));
    rng_fill_normal(&t.rng, start, 4 * 6);
    tensor_write(w, start);
    *t.best = 1e9;
    Record *records = arena_alloc(arena, 2 * sizeof *records);
    records[0] = (Record){"losses", t.losses, STEPS, DTYPE_F32};
    records[1] = (Record){"best", t.best, 1, DTYPE_F64};
    OptimizerConfig config = {
        .kind = kind,
        .schedule = {.shape = SCHEDULE_COSINE, .peak = 0.1f, .warmup = 3, .total = STEPS},
        .momentum = 0.9f,
        .clip_norm = 1.0f};
    t.point = (Checkpoint){.params = t.params,
                           .optimizer = optimizer_new(arena, t.params, config),
                           .records = records,
                           .record_count = 2,
                           .config = "a small run"};
    return t;
}

static void train_until(Training *t, long steps)
{
    for (; t->point.step < steps; t->point.step++) {
        float noise[5 * 6], target[5 * 4] = {0};
        rng_fill_normal(&t->rng, noise, 5 * 6);
        target[0] = rng_normal(&t->rng);
        Tensor *x = tensor_from(t->tape->arena, SHAPE(5, 6), noise);
        Tensor *y = tensor_from(t->tape->arena, SHAPE(5, 4), target);
        Tensor *out = op_linear(t->tape, x, t->params->items[0].tensor, t->params->items[1].tensor);
        Tensor *loss = loss_squared_error(t->tape, out, y);
        tape_backward(t->tape, loss);
        t->losses[t->point.step] = tensor_item(loss);
        double least = (double)tensor_item(loss) / 3;    // not a float's
        if (least < *t->best) *t->best = least;
        optimizer_step(t->point.optimizer);
        tape_reset(t->tape);
    }
}

static void training_free(Training *t)
{
    arena_free(t->tape->arena);
}

static void assert_same_tensor(const Tensor *a, const Tensor *b)
{
    assert_memory_equal(values_of(a), values_of(b), tensor_bytes(a));
}

static void assert_same_bits(const Training *a, const Training *b)
{
    const Optimizer *one = a->point.optimizer, *other = b->point.optimizer;
    for (int i = 0; i < a->params->count; i++)
        assert_same_tensor(a->params->items[i].tensor, b->params->items[i].tensor);
    for (int i = 0; i < one->state_count; i++)
        assert_same_tensor(one->state[i].tensor, other->state[i].tensor);
    assert_memory_equal(a->losses, b->losses, STEPS * sizeof *a->losses);
    assert_memory_equal(a->best, b->best, sizeof *a->best);
    assert_memory_equal(&a->rng, &b->rng, sizeof a->rng);
    assert_int_equal(a->point.step, b->point.step);
    assert_int_equal(one->step, other->step);
}

static void a_run_stopped_at_any_step_ends_in_the_same_bits(void **state)
{
    (void)state;
    for (OptimizerKind kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAM; kind++) {
        Training whole = training_new(kind);
        train_until(&whole, STEPS);
        for (long stop = 0; stop <= STEPS; stop++) {
            Error err = {""};
            Training stopped = training_new(kind), resumed = training_new(kind);
            train_until(&stopped, stop);
            stopped.point.rng = &stopped.rng;
            resumed.point.rng = &resumed.rng;
            resumed.rng = rng_from_seed(999);
            if (!checkpoint_save(path, &stopped.point, &err) ||
                !checkpoint_load(path, &resumed.point, &err))
                fail_msg("%s", err.message);
            long step = -1;
            assert_true(checkpoint_step(path, stopped.point.config, &step, &err));
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
    const float *held = values_of(other->params->items[0].tensor);
    *other->best = 7;
    assert_false(checkpoint_load(path, &other->point, &err));
    if (strstr(err.message, sentence) == NULL)
        fail_msg("got \"%s\", expected \"%s\"", err.message, sentence);
    assert_memory_equal(held, values_of(other->params->items[0].tensor), 4 * 6 * sizeof *held);
    assert_true(*other->best == 7 && other->losses[0] == 0);
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

static void another_configuration_is_named_from_where_it_differs(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    saved.point.config = "epochs 3, batch 128, data in a folder";
    other.point.config = "epochs 3, batch 64, data in a folder";
    refuses(
        &saved, &other,
        "was written by a run with 'batch 128, data in a folder', this one has 'batch 64, data in "
        "a folder'");
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

static void a_missing_record_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    saved.point.record_count = 1;
    refuses(&saved, &other, "lacks 'best' [1]");
    saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    other.point.record_count = 1;
    refuses(&saved, &other, "holds 'best' [1], which is not asked for");
}

static void a_record_of_another_length_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    Record shorter[] = {{"losses", saved.losses, STEPS - 1, DTYPE_F32},
                        {"best", saved.best, 1, DTYPE_F64}};
    saved.point.records = shorter;
    refuses(&saved, &other, "'losses'");
}

static void a_record_of_doubles_does_not_take_floats(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    float best = 3;
    Record floats[] = {saved.point.records[0], {"best", &best, 1, DTYPE_F32}};
    saved.point.records = floats;
    refuses(&saved, &other, "'best' is of F32, expected F64");
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
    Training t = training_new(OPTIMIZER_ADAM);
    Error err = {""};
    long step = -1;
    assert_true(safetensors_save(path, t.params, &err));
    assert_false(checkpoint_load(path, &t.point, &err));
    assert_non_null(
        strstr(err.message, "its format is 'missing', expected 'training checkpoint 3'"));
    assert_false(checkpoint_step(path, t.point.config, &step, &err));
    training_free(&t);
}

// Layout 1 had records as tensors of any shape.
static void an_earlier_layout_is_refused_by_its_name(void **state)
{
    (void)state;
    Training t = training_new(OPTIMIZER_ADAM);
    SafetensorsPair pairs[] = {
        {"format", "training checkpoint 1"}, {"config", "a small run"}, {"step", "7"}};
    Error err = {""};
    assert_true(safetensors_write(path, t.params->items, t.params->count, pairs, 3, &err));
    assert_false(checkpoint_load(path, &t.point, &err));
    assert_non_null(strstr(
        err.message, "its format is 'training checkpoint 1', expected 'training checkpoint 3'"));
    training_free(&t);
}

static void damaged_numbers_are_refused(void **state)
{
    (void)state;
    const char *steps[] = {"", "-1", "1.5", " 1", "1 ", "9999999999999999999", "ten"};
    const char *rngs[] = {"",     "1",
                          "1 2",  "one 3",
                          "1 3!", "18446744073709551616 3"};    // an even increment is no generator
    Training t = training_new(OPTIMIZER_ADAM);
    t.point.optimizer = NULL;
    t.point.rng = &t.rng;
    for (size_t i = 0; i < sizeof steps / sizeof *steps + sizeof rngs / sizeof *rngs; i++) {
        bool is_step = i < sizeof steps / sizeof *steps;
        SafetensorsPair pairs[] = {
            {"format", "training checkpoint 3"},
            {"config", "a small run"},
            {"step", is_step ? steps[i] : "7"},
            {"rng", is_step ? "1 3" : rngs[i - sizeof steps / sizeof *steps]}};
        Error err = {""};
        assert_true(safetensors_write(path, t.params->items, t.params->count, pairs, 4, &err));
        if (checkpoint_load(path, &t.point, &err))
            fail_msg("'%s', '%s' were taken", pairs[2].value, pairs[3].value);
        assert_non_null(strstr(err.message, is_step ? "its step is '" : "its rng is '"));
    }
    training_free(&t);
}

static long read_whole_file(char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    assert_true(size < room);
    return (long)size;
}

static void write_whole_file(const char *bytes, long size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, (size_t)size, file), size);
    assert_int_equal(fclose(file), 0);
}

// In the header too, where a bit makes another name, number or configuration of it.
static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    static char bytes[1 << 16];
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    saved.point.rng = &saved.rng;
    other.point.rng = &other.rng;
    Error err = {""};
    train_until(&saved, 2);
    assert_true(checkpoint_save(path, &saved.point, &err));
    long size = read_whole_file(bytes, sizeof bytes);
    for (long at = 0; at < size; at++) {
        char flipped = (char)(bytes[at] ^ 1 << at % 8), held = bytes[at];
        bytes[at] = flipped;
        write_whole_file(bytes, size);
        if (checkpoint_load(path, &other.point, &err))
            fail_msg("byte %ld of %ld was '%c' instead of '%c', and was taken", at, size, flipped,
                     held);
        bytes[at] = held;
    }
    write_whole_file(bytes, size);
    if (!checkpoint_load(path, &other.point, &err)) fail_msg("%s", err.message);
    training_free(&saved);
    training_free(&other);
}

static void fields_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    saved.point.optimizer->step = 12;    // refuses() takes two steps more
    refuses(&saved, &other, "its optimizer is at step 14, after the run's 2");
}

static void a_parameter_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    Training saved = training_new(OPTIMIZER_ADAM), other = training_new(OPTIMIZER_ADAM);
    const float bias[] = {0, 0, -INFINITY, 0};
    Error err = {""};
    train_until(&saved, 2);
    tensor_write(saved.params->items[1].tensor, bias);
    assert_true(checkpoint_save(path, &saved.point, &err));
    assert_false(checkpoint_load(path, &other.point, &err));
    assert_non_null(strstr(err.message, "'bias' holds -inf at 2, expected finite numbers"));
    training_free(&saved);
    training_free(&other);
}

static void a_pipe_is_refused_at_once(void **state)
{
    (void)state;
    Training t = training_new(OPTIMIZER_ADAM);
    Error err = {""};
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(checkpoint_load(path, &t.point, &err));
    assert_non_null(strstr(err.message, ": is a pipe or a device, expected a file"));
    unlink(path);
    training_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_run_stopped_at_any_step_ends_in_the_same_bits),
        ON_DEVICE(another_configuration_is_refused, "ref"),
        ON_DEVICE(another_configuration_is_named_from_where_it_differs, "ref"),
        ON_DEVICE(another_optimizer_is_refused, "ref"),
        EACH_DEVICE(another_model_is_refused),
        EACH_DEVICE(a_missing_record_is_refused),
        ON_DEVICE(a_record_of_another_length_is_refused, "ref"),
        ON_DEVICE(a_record_of_doubles_does_not_take_floats, "ref"),
        ON_DEVICE(what_the_run_does_not_ask_for_is_refused, "ref"),
        ON_DEVICE(missing_random_numbers_are_refused, "ref"),
        ON_DEVICE(weights_alone_are_not_a_checkpoint, "ref"),
        ON_DEVICE(an_earlier_layout_is_refused_by_its_name, "ref"),
        ON_DEVICE(damaged_numbers_are_refused, "ref"),
        ON_DEVICE(any_flipped_bit_is_refused, "ref"),
        ON_DEVICE(fields_that_contradict_each_other_are_refused, "ref"),
        EACH_DEVICE(a_parameter_that_is_not_finite_is_refused),
        ON_DEVICE(a_pipe_is_refused_at_once, "ref"),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
