/* Files of another type: the numbers of the model that they are made of, in the types that were asked for or
 * those that fit; whole or not at all. */
#include "labs/5_frontier/paged_kv/app/quantize/requantize.h"
#include <omp.h>
#include "common/gguf_writer.h"
#include "labs/3_language/transformer/tests/opened.h"
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"
#include "tests/facts.h"

static const TypeChoice f32 = {DTYPE_F32, DTYPE_NONE, DTYPE_NONE};

static bool try_write(const char *from, const char *to, TypeChoice choice, Error *err)
{
    ModelFile random, *file = &random;
    if (!random_weights_named(from)) file = model_file_open(from, err);
    else if (!random_weights_file(&random, names, from, err)) return false;
    if (file == NULL) return false;
    Requantized made;
    const Requantize how = {.choice = choice};
    const bool good = requantize(names, file, to, &how, &made, err);
    if (file != &random) model_file_close(file);
    return good;
}

static Requantized written(const char *from, const char *to, TypeChoice choice)
{
    Error err = {""};
    Requantized made;
    ModelFile *file = model_file_open(from, &err);
    if (file == NULL) fail_msg("%s", err.message);
    const Requantize how = {.choice = choice};
    if (!requantize(names, file, to, &how, &made, &err)) fail_msg("%s", err.message);
    model_file_close(file);
    return made;
}

static void assert_refusal(const char *from, const char *to, TypeChoice choice,
                           const char *sentence)
{
    Error err = {""};
    assert_boolean(sentence, try_write(from, to, choice, &err), false);
    assert_that(strstr(err.message, sentence) != NULL, "got: %s, expected: %s", err.message,
                sentence);
}

static Gguf *opened_gguf(const char *path)
{
    Error err = {""};
    Gguf *file = gguf_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    return file;
}

static DType type_in(const Gguf *file, const char *name)
{
    const GgufTensor *tensor = gguf_tensor(file, name);
    if (tensor == NULL) fail_msg("there is no %s", name);
    return tensor->type;
}

// ---- the numbers ----

static const char *const fixtures[] = {"gpt2",       "gpt2_untied",   "llama",   "llama_biases",
                                       "llama_f16",  "llama_sharded", "mistral", "qwen2",
                                       "qwen2_bf16", "qwen3"};
enum { FIXTURE_COUNT = sizeof fixtures / sizeof *fixtures };

static void every_family_in_f32_is_the_same_model(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        Error err = {""};
        const char *path = scratch_path("model.gguf");
        if (!try_write(fixture_path(fixtures[i]), path, f32, &err)) {
            assert_non_null(strstr(err.message, "GGUF"));    // what the format has no words for
            continue;
        }
        Opened *before = open_fixture(fixtures[i]), *after = open_path(path);
        assert_same_params(before, after);
        assert_logits(after, fixtures[i]);
        close_opened(before);
        close_opened(after);
        count++;
    }
    assert_that(count >= 8, "%d files were written", count);
}

static void a_file_of_a_file_is_the_same(void **state)
{
    (void)state;
    const char *a = scratch_path("a.gguf"), *b = scratch_path("b.gguf");
    written(fixture_path("llama"), a, f32);
    written(a, b, f32);
    Gguf *x = opened_gguf(a), *y = opened_gguf(b);
    assert_integer("tensors", y->tensor_count, x->tensor_count);
    for (int i = 0; i < x->tensor_count; i++) {
        assert_string_equal(x->tensors[i].name, y->tensors[i].name);
        assert_memory_equal(x->tensors[i].data, y->tensors[i].data, x->tensors[i].bytes);
    }
    assert_integer("values", y->value_count, x->value_count);
    for (int i = 0; i < x->value_count; i++) {
        const GgufValue *v = gguf_value(y, x->values[i].key);
        assert_that(v != NULL && v->kind == x->values[i].kind && v->bytes == x->values[i].bytes &&
                        memcmp(v->data, x->values[i].data, v->bytes) == 0,
                    "%s differs", x->values[i].key);
    }
    gguf_close(x);
    gguf_close(y);
}

// Rows of 64 numbers: blocks of 32.
static void blocks_are_those_of_the_rows_as_the_file_has_them(void **state)
{
    (void)state;
    static const DType types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_F16, DTYPE_BF16};
    const char *plain = scratch_path("plain.gguf"), *path = scratch_path("blocks.gguf");
    Error err = {""};
    if (!try_write("random:15m", plain, f32, &err)) fail_msg("%s", err.message);
    Gguf *want = opened_gguf(plain);
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        const TypeChoice choice = {types[k], types[k], DTYPE_NONE};
        if (!try_write("random:15m", path, choice, &err)) fail_msg("%s", err.message);
        Gguf *got = opened_gguf(path);
        for (int i = 0; i < want->tensor_count; i++) {
            const GgufTensor *w = &want->tensors[i], *g = gguf_tensor(got, w->name);
            const DType type = w->dims == 1 ? DTYPE_F32 : types[k];
            assert_non_null(g);
            assert_integer(w->name, g->type, type);
            void *bytes = malloc(g->bytes);
            dtype_from_floats(type, bytes, w->data, w->count);
            if (memcmp(bytes, g->data, g->bytes) != 0) fail_msg("%s differs", w->name);
            free(bytes);
        }
        gguf_close(got);
    }
    gguf_close(want);
}

static void errors_are_those_of_the_numbers(void **state)
{
    (void)state;
    const char *plain = scratch_path("plain.gguf"), *path = scratch_path("q.gguf");
    Error err = {""};
    if (!try_write("random:15m", plain, f32, &err)) fail_msg("%s", err.message);
    const Requantized made = written(plain, path, (TypeChoice){DTYPE_Q4_0, DTYPE_F32, DTYPE_NONE});
    Gguf *x = opened_gguf(plain), *y = opened_gguf(path);
    for (int i = 0; i < made.plan.count; i++) {
        const GgufTensor *a = &x->tensors[i], *b = &y->tensors[i];
        float *before = malloc(a->count * sizeof *before),
              *after = malloc(a->count * sizeof *after);
        double squares = 0, errors = 0;
        dtype_to_floats(a->type, before, a->data, a->count);
        dtype_to_floats(b->type, after, b->data, a->count);
        for (uint64_t j = 0; j < a->count; j++) {
            const double off = (double)after[j] - (double)before[j];
            squares += (double)before[j] * (double)before[j];
            errors += off * off;
        }
        assert_close(loss_rms(&made.losses[i]), sqrt(errors / squares), 1e-9);
        assert_that((errors > 0) == (b->type == DTYPE_Q4_0), "%s is off by %g", a->name, errors);
        free(before);
        free(after);
    }
    gguf_close(x);
    gguf_close(y);
}

static void the_bytes_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    const char *a = scratch_path("a.gguf"), *b = scratch_path("b.gguf");
    const TypeChoice choice = {DTYPE_Q4_1, DTYPE_NONE, DTYPE_NONE};
    Error err = {""};
    omp_set_num_threads(1);
    bool good = try_write("random:15m", a, choice, &err);
    omp_set_num_threads(3);
    good = good && try_write("random:15m", b, choice, &err);
    omp_set_num_threads(threads);
    if (!good) fail_msg("%s", err.message);
    FileView x, y;
    assert_true(file_map(&x, a, &err) && file_map(&y, b, &err));
    assert_integer("bytes", (int64_t)y.size, (int64_t)x.size);
    assert_memory_equal(x.bytes, y.bytes, x.size);
    file_unmap(x);
    file_unmap(y);
}

// ---- types ----

typedef struct Made {
    const char *name;
    uint64_t cols, rows;
    int dims;
} Made;

// A GGUF file without data: for the plan alone.
static Plan plan_for(const Made *tensors, int count, bool tied, TypeChoice choice)
{
    Gguf *gguf = arena_zeros(names, sizeof *gguf);
    ModelFile *file = arena_zeros(names, sizeof *file);
    gguf->tensors = arena_zeros(names, (size_t)count * sizeof *gguf->tensors);
    gguf->tensor_count = count;
    for (int i = 0; i < count; i++)
        gguf->tensors[i] = (GgufTensor){.name = tensors[i].name,
                                        .dims = tensors[i].dims,
                                        .shape = {tensors[i].cols, tensors[i].rows, 1, 1},
                                        .count = tensors[i].cols * tensors[i].rows};
    file->gguf = gguf;
    file->config = model_config_llama((ModelSize){.vocabulary = 8,
                                                  .context = 8,
                                                  .width = 8,
                                                  .layers = 1,
                                                  .heads = 1,
                                                  .kv_heads = 1,
                                                  .ff = 8});
    file->config.tied = tied;
    return plan_of(names, file, FORMAT_GGUF_LLAMA, choice);
}

static void types_are_those_that_fit(void **state)
{
    (void)state;
    static const Made tensors[] = {
        {"token_embd.weight", 512, 100, 2},     {"blk.0.attn_norm.weight", 512, 1, 1},
        {"blk.0.attn_q.weight", 512, 512, 2},   {"blk.0.ffn_down.weight", 896, 512, 2},
        {"blk.0.ffn_up.weight", 33, 4, 2},      {"blk.0.attn_q.bias", 512, 1, 1},
        {"position_embd.weight", 512, 8, 2},    {"output.weight", 512, 100, 2},
        {"blk.1.ffn_down.weight", 49954, 1, 2},
    };
    enum { N = sizeof tensors / sizeof *tensors };
    static const struct {
        TypeChoice choice;
        bool tied;
        DType want[N];
    } cases[] = {
        {{DTYPE_Q4_K, DTYPE_NONE, DTYPE_NONE},
         false,
         {DTYPE_Q4_K, DTYPE_F32, DTYPE_Q4_K, DTYPE_Q8_0, DTYPE_F16, DTYPE_F32, DTYPE_F32,
          DTYPE_Q8_0, DTYPE_F16}},
        {{DTYPE_Q4_0, DTYPE_NONE, DTYPE_NONE},
         true,
         {DTYPE_Q8_0, DTYPE_F32, DTYPE_Q4_0, DTYPE_Q4_0, DTYPE_F16, DTYPE_F32, DTYPE_F32,
          DTYPE_Q8_0, DTYPE_F16}},
        {{DTYPE_Q4_0, DTYPE_F16, DTYPE_Q4_K},
         false,
         {DTYPE_Q4_K, DTYPE_F32, DTYPE_Q4_0, DTYPE_Q4_0, DTYPE_F16, DTYPE_F32, DTYPE_F32, DTYPE_F16,
          DTYPE_F16}},
        {{DTYPE_BF16, DTYPE_NONE, DTYPE_NONE},
         false,
         {DTYPE_BF16, DTYPE_F32, DTYPE_BF16, DTYPE_BF16, DTYPE_BF16, DTYPE_F32, DTYPE_F32,
          DTYPE_BF16, DTYPE_BF16}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const Plan plan = plan_for(tensors, N, cases[k].tied, cases[k].choice);
        for (int i = 0; i < N; i++)
            assert_that(plan.tensors[i].type == cases[k].want[i], "case %zu, %s: %s, expected %s",
                        k, tensors[i].name, dtype_name(plan.tensors[i].type),
                        dtype_name(cases[k].want[i]));
        assert_boolean("fallback", plan.tensors[4].falls_back, cases[k].choice.type != DTYPE_BF16);
    }
}

static void a_quantized_file_has_a_head_of_eight_bits(void **state)
{
    (void)state;
    const char *path = scratch_path("head.gguf");
    Error err = {""};
    if (!try_write("random:15m", path, (TypeChoice){DTYPE_Q4_0, DTYPE_NONE, DTYPE_NONE}, &err))
        fail_msg("%s", err.message);
    Gguf *file = opened_gguf(path);
    uint64_t number;
    assert_integer("embedding", type_in(file, "token_embd.weight"), DTYPE_Q8_0);
    assert_integer("q", type_in(file, "blk.0.attn_q.weight"), DTYPE_Q4_0);
    assert_integer("norm", type_in(file, "blk.0.attn_norm.weight"), DTYPE_F32);
    assert_true(gguf_integer(file, "general.file_type", 0, &number, &err) && number == 2);
    assert_true(gguf_integer(file, "general.quantization_version", 0, &number, &err) &&
                number == 2);
    gguf_close(file);
}

// ---- what is not written ----

// A model of one layer whose norm or matrix holds this number.
static const char *with_number(float number, int piece)
{
    const char *plain = scratch_path("plain.gguf"), *path = scratch_path("number.gguf");
    Error err = {""};
    if (!try_write(fixture_path("llama"), plain, f32, &err)) fail_msg("%s", err.message);
    Gguf *file = opened_gguf(plain);
    GgufWriter *out = gguf_writer_open(path, &err);
    for (int i = 0; i < file->value_count; i++) gguf_writer_copy(out, &file->values[i]);
    for (int i = 0; i < file->tensor_count; i++)
        gguf_writer_tensor(out, file->tensors[i].name, DTYPE_F32, file->tensors[i].dims,
                           file->tensors[i].shape);
    for (int i = 0; i < file->tensor_count; i++) {
        float *numbers = malloc(file->tensors[i].bytes);
        memcpy(numbers, file->tensors[i].data, file->tensors[i].bytes);
        if (i == piece) numbers[file->tensors[i].count - 1] = number;
        gguf_writer_data(out, numbers, file->tensors[i].bytes);
        free(numbers);
    }
    if (!gguf_writer_commit(out, &err)) fail_msg("%s", err.message);
    gguf_close(file);
    return path;
}

static void assert_nothing_written(const char *path)
{
    FILE *file = fopen(path, "rb");
    char text[8] = "";
    assert_non_null(file);
    assert_integer("bytes", (int64_t)fread(text, 1, sizeof text, file), 3);
    fclose(file);
    assert_string_equal(text, "old");
}

static void numbers_that_do_not_fit_are_refused_by_the_tensor(void **state)
{
    (void)state;
    const char *out = scratch_path("out.gguf");
    Error err = {""};
    assert_true(file_write(out, "old", &err));
    const TypeChoice f16 = {DTYPE_F16, DTYPE_NONE, DTYPE_NONE};
    const TypeChoice q8 = {DTYPE_Q8_0, DTYPE_NONE, DTYPE_NONE};
    assert_refusal(with_number(NAN, 0), out, f16, "'token_embd.weight' holds nan in row");
    assert_refusal(with_number(INFINITY, 2), out, q8, "holds inf in row");
    assert_refusal(with_number(1e6f, 2), out, f16, "1e+06 in row");
    assert_refusal(with_number(1e6f, 2), out, f16, "which are too large for F16");
    assert_refusal(with_number(3e38f, 2), out, q8, "which are too large for ");
    assert_nothing_written(out);
}

static volatile sig_atomic_t stop_at_once = 1;

static void a_stopped_run_leaves_the_old_file(void **state)
{
    (void)state;
    const char *out = scratch_path("out.gguf");
    Error err = {""};
    Requantized made;
    assert_true(file_write(out, "old", &err));
    ModelFile *file = model_file_open(fixture_path("qwen2"), &err);
    assert_non_null(file);
    const Requantize how = {.choice = {DTYPE_F16, DTYPE_NONE, DTYPE_NONE}, .stop = &stop_at_once};
    assert_false(requantize(names, file, out, &how, &made, &err));
    assert_non_null(strstr(err.message, "interrupted"));
    model_file_close(file);
    assert_nothing_written(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_in_f32_is_the_same_model),
        cmocka_unit_test(a_file_of_a_file_is_the_same),
        cmocka_unit_test(blocks_are_those_of_the_rows_as_the_file_has_them),
        cmocka_unit_test(errors_are_those_of_the_numbers),
        cmocka_unit_test(the_bytes_do_not_depend_on_the_threads),
        cmocka_unit_test(types_are_those_that_fit),
        cmocka_unit_test(a_quantized_file_has_a_head_of_eight_bits),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused_by_the_tensor),
        cmocka_unit_test(a_stopped_run_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
