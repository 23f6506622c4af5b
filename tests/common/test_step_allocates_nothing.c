/* A warm training step asks the system for no memory: not the core, not the BLAS, not the threads.
 *
 * The allocating functions are defined here, in the program, where the dynamic linker finds them
 * before glibc's: calls from every library are counted, then passed on. It is easily lost: OpenBLAS
 * allocates a table of jobs for each product it threads, libgomp a team for each parallel region of
 * one thread. */
#include "common/conv.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/training.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/model/model.h"
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/skip.h"

#if defined __GLIBC__ && !defined LAB_SANITIZE
#define CAN_COUNT 1
#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *piece, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long calls;

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *piece, size_t size)
{
    calls++;
    return __libc_realloc(piece, size);
}

void *memalign(size_t alignment, size_t size)
{
    calls++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **piece, size_t alignment, size_t size)
{
    *piece = memalign(alignment, size);
    return *piece != NULL ? 0 : ENOMEM;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    calls++;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
#else
#define CAN_COUNT 0
static long calls;
#endif

#define SKIP_WITHOUT_COUNTER()                                                                     \
    if (!CAN_COUNT) {                                                                              \
        SKIP("malloc that cannot be counted", "run it on glibc, without sanitizers");              \
    }

enum { BATCH = 128, PIXELS = 784, LAYERS = 4 };

typedef struct Network {
    Conv2d conv[2];    // in front of the layers, of 28 x 28 pixels
    Linear layers[LAYERS];
    Optimizer *optimizer;
    Tape *tape;
    float images[BATCH * PIXELS];
} Network;

static void train_step(Network *network)
{
    Tape *tape = network->tape;
    Tensor *x = tensor_from(tape->arena, SHAPE(BATCH, 1, 28, 28), network->images), *y = x;
    for (int i = 0; i < 2; i++)
        y = op_conv2d_relu(tape, y, network->conv[i].weight, network->conv[i].bias,
                           network->conv[i].config);
    x = tensor_view(tape->arena, x, SHAPE(BATCH, PIXELS));
    y = tensor_view(tape->arena, y, SHAPE(BATCH, PIXELS));
    for (int i = 0; i < LAYERS; i++) {
        const Linear *layer = &network->layers[i];
        y = op_linear_activated(tape, y, layer->weight, layer->bias,
                                i + 1 < LAYERS ? ACTIVATION_RELU : ACTIVATION_NONE);
    }
    tape_backward(tape, loss_bce_logits(tape, y, x));
    optimizer_step(network->optimizer);
    tape_reset(tape);
}

// The number of allocations of five steps of two convolutions and 784-256-64-256-784, after three to warm up.
static long allocations(int threads)
{
    static const int widths[LAYERS + 1] = {PIXELS, 256, 64, 256, PIXELS};
    const char *why;
    assert_true(device_use("cpu", &why));
    omp_set_num_threads(threads);

    Arena *keep = arena_new("keep", 64u << 20), *step = arena_new("step", 64u << 20);
    Network *network = arena_zeros(keep, sizeof *network);
    Params *params = params_new(keep);
    Rng rng = rng_from_seed(1);
    network->conv[0] = conv2d_new(params, "conv0", 1, 4, 3, (ConvConfig){.pad = 1}, true, &rng);
    network->conv[1] = conv2d_new(params, "conv1", 4, 1, 3, (ConvConfig){.pad = 1}, true, &rng);
    for (int i = 0; i < LAYERS; i++)
        network->layers[i] =
            linear_new(params, arena_print(keep, "%d", i), widths[i], widths[i + 1], init_he, &rng);
    network->optimizer = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}, .clip_norm = 1});
    network->tape = tape_new(step);
    rng_fill_uniform(&rng, network->images, BATCH * PIXELS);

    for (int i = 0; i < 3; i++) train_step(network);
    long before = calls;
    for (int i = 0; i < 5; i++) train_step(network);
    long during = calls - before;
    arena_free(step);
    arena_free(keep);
    return during;
}

// ---- a transformer ----

enum { WINDOWS = 4, TOKENS = 64, VOCABULARY = 65 };

// The number of allocations of five steps, after three to warm up.
static long allocations_of(ModelConfig (*style)(ModelSize), int threads)
{
    const char *why;
    assert_true(device_use("cpu", &why));
    omp_set_num_threads(threads);

    Arena *keep = arena_new("keep", 64u << 20), *step = arena_new("step", 64u << 20);
    Params *params = params_new(keep);
    Rng rng = rng_from_seed(1);
    const Model model = model_new(params,
                                  style((ModelSize){.vocabulary = VOCABULARY,
                                                    .context = TOKENS,
                                                    .width = 128,
                                                    .layers = 2,
                                                    .heads = 4,
                                                    .kv_heads = 2}),
                                  &rng);
    Optimizer *optimizer = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}, .clip_norm = 1});
    Tape *tape = tape_new(step);
    int32_t ids[2 * WINDOWS * TOKENS];
    for (int i = 0; i < 2 * WINDOWS * TOKENS; i++) ids[i] = (int32_t)rng_below(&rng, VOCABULARY);

    long before = 0;
    for (int i = 0; i < 8; i++) {
        if (i == 3) before = calls;
        Tensor *x = tensor_from_ints(step, SHAPE(WINDOWS, TOKENS), ids);
        Tensor *labels = tensor_from_ints(step, SHAPE(WINDOWS, TOKENS), ids + WINDOWS * TOKENS);
        tape_backward(tape, model_loss(tape, &model, x, labels, (Draw){0}));
        optimizer_step(optimizer);
        tape_reset(tape);
    }
    const long during = calls - before;
    arena_free(step);
    arena_free(keep);
    return during;
}

// ---- the same in the loop of common/training.h ----

// All within one epoch, since its end writes a checkpoint, and within a second, since the page is
// written once in that.
enum { WARM = 3, LAST = 9, WIDTH = 64 };

typedef struct Loop {
    Linear layer;
    float images[BATCH * WIDTH];
    long steps, before, during;
} Loop;

static void make_batch(Batch *batch, const void *data, const int *index)
{
    (void)index;
    batch->x = tensor_from(batch->arena, SHAPE(BATCH, WIDTH), data);
}

static Tensor *counting_loss(Tape *tape, const void *model, const Batch *batch)
{
    Loop *loop = *(Loop *const *)model;
    if (++loop->steps == WARM) loop->before = calls;
    if (loop->steps == LAST) loop->during = calls - loop->before;
    return loss_bce_logits(tape, linear_forward(tape, &loop->layer, batch->x), batch->x);
}

static long allocations_of_the_loop(void)
{
    Arena *keep = arena_new("keep", 256u << 20);
    char *folder = arena_print(keep, "--out=/tmp/test_loop_%ld", (long)getpid());
    char *words[] = {(char[]){"loop"}, (char[]){"--threads=1"}, folder, NULL};
    int status;
    Run *run = run_begin(keep, options_new(keep, "loop", "Counts."), 3, words, &status);
    assert_non_null(run);
    Loop *loop = arena_zeros(keep, sizeof *loop);
    Params *params = params_new(keep);
    Rng rng = rng_from_seed(1);
    loop->layer = linear_new(params, "layer", WIDTH, WIDTH, init_he, &rng);
    rng_fill_uniform(&rng, loop->images, BATCH * WIDTH);
    Session session = {.run = run};
    Training training = {.name = "loop",
                         .model = &loop,
                         .loss = counting_loss,
                         .params = params,
                         .optimizer = {.schedule = {.peak = 1e-6f}, .clip_norm = 1},
                         .train = {BATCH * (LAST + 1), make_batch, loop->images},
                         .batch = BATCH,
                         .epochs = 1};
    Error err = {""};
    training_plan(&session, &training);
    if (!training_run(&session, &training, &err)) fail_msg("%s", err.message);
    run_end(run, CHECKPOINT);
    const char *left[] = {CHECKPOINT, "metrics.jsonl", "report.html"};
    for (int i = 0; i < 3; i++) assert_int_equal(unlink(run_path(run, left[i])), 0);
    assert_int_equal(rmdir(run->out), 0);
    long during = loop->during;
    arena_free(keep);
    return during;
}

static void a_warm_step_of_the_training_loop_allocates_nothing(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
    assert_int_equal(allocations_of_the_loop(), 0);
}

static void the_counter_sees_what_libraries_allocate(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
    long before = calls;
    char *volatile copy = strdup("a string");    // volatile, or a compiler leaves both calls out
    free(copy);
    assert_int_equal(calls - before, 1);
    arena_free(arena_new("arena", 4096));
    assert_int_equal(calls - before, 2);
}

static void a_warm_step_on_one_thread_allocates_nothing(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
    assert_int_equal(allocations(1), 0);
}

static void a_warm_step_of_a_transformer_on_one_thread_allocates_nothing(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
    assert_int_equal(allocations_of(model_config_gpt2, 1), 0);
    assert_int_equal(allocations_of(model_config_llama, 1), 0);
}

static void a_warm_step_of_a_transformer_on_two_threads_allocates_nothing(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
#ifdef __clang__
    SKIP("LLVM's OpenMP, which allocates", "cmake --preset release -DCMAKE_C_COMPILER=gcc");
#endif
    assert_int_equal(allocations_of(model_config_gpt2, 2), 0);
    assert_int_equal(allocations_of(model_config_llama, 2), 0);
}

static void a_warm_step_on_two_threads_allocates_nothing(void **state)
{
    (void)state;
    SKIP_WITHOUT_COUNTER();
#ifdef __clang__
    SKIP("LLVM's OpenMP, which allocates", "cmake --preset release -DCMAKE_C_COMPILER=gcc");
#endif
    assert_int_equal(allocations(2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_sees_what_libraries_allocate),
        cmocka_unit_test(a_warm_step_on_one_thread_allocates_nothing),
        cmocka_unit_test(a_warm_step_of_the_training_loop_allocates_nothing),
        cmocka_unit_test(a_warm_step_on_two_threads_allocates_nothing),
        cmocka_unit_test(a_warm_step_of_a_transformer_on_one_thread_allocates_nothing),
        cmocka_unit_test(a_warm_step_of_a_transformer_on_two_threads_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
