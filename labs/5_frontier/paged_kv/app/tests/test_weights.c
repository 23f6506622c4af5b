/* Weights where they lie: the same numbers, to the bit, that model_file_read() puts into a model, which is held
 * against transformers' logits; and nothing is copied that need not be. */
#include "labs/5_frontier/paged_kv/app/model/weights.h"
#include "labs/3_language/transformer/tests/opened.h"
#include "tests/facts.h"
#include "tests/skip.h"

static Weights *open_weights(const char *path, bool huge_pages)
{
    Error err = {""};
    Weights *w = weights_open(path, (WeightsOptions){.huge_pages = huge_pages}, &err);
    if (w == NULL) fail_msg("%s", err.message);
    return w;
}

// ---- the same numbers ----

static void assert_numbers(const char *name, const float *got, const Tensor *want, size_t at,
                           size_t count)
{
    assert_that(at + count <= tensor_count(want), "%s: has %zu numbers up to %zu, expected %zu",
                name, count, at + count, tensor_count(want));
    const float *x = (const float *)want->data + at;    // on the host: the device is cpu
    for (size_t i = 0; i < count; i++)
        if (!(got[i] == x[i] && signbit(got[i]) == signbit(x[i])))
            fail_msg("%s[%zu]: %.9g, expected %.9g", name, at + i, (double)got[i], (double)x[i]);
}

// Rows `first` and on of the parameter.
static void assert_rows(const char *name, WeightRows rows, const Tensor *want, int first)
{
    const size_t count = (size_t)rows.rows * (size_t)rows.cols;
    float *numbers = malloc(count * sizeof *numbers);
    assert_non_null(numbers);
    assert_true(dtype_to_floats(rows.type, numbers, rows.data, count));
    assert_numbers(name, numbers, want, (size_t)first * (size_t)rows.cols, count);
    free(numbers);
}

static void assert_vector(const char *name, const float *got, const Tensor *want)
{
    assert_that((got == NULL) == (want == NULL), "%s: is %s", name, got ? "there" : "missing");
    if (got != NULL) assert_numbers(name, got, want, 0, tensor_count(want));
}

static void assert_projection(const char *name, const Projection *p, const Affine *want)
{
    int rows = 0;
    for (int i = 0; i < p->count; i++) {
        assert_rows(name, p->parts[i], want->weight, rows);
        rows += p->parts[i].rows;
    }
    assert_integer(name, p->rows, rows);
    assert_integer(name, (int64_t)rows * p->cols, (int64_t)tensor_count(want->weight));
    assert_vector(name, p->bias, want->bias);
}

static void assert_norm(const char *name, const NormWeights *got, const Norm *want)
{
    assert_vector(name, got->weight, want->weight);
    assert_vector(name, got->bias, want->bias);
}

static void assert_same(const Weights *w, const Model *model)
{
    assert_rows("embedding", w->embedding, model->embedding, 0);
    assert_integer("rows", w->embedding.rows, w->config.vocabulary);
    if (model->positions == NULL) assert_null(w->positions.data);
    else assert_rows("positions", w->positions, model->positions, 0);
    assert_rows("head", w->head, model->head, 0);
    assert_norm("norm", &w->norm, &model->norm);
    for (int i = 0; i < w->config.layers; i++) {
        const LayerWeights *layer = &w->layers[i];
        const ModelBlock *block = &model->blocks[i];
        assert_norm("attention_norm", &layer->attention_norm, &block->attention_norm);
        assert_projection("qkv", &layer->qkv, &block->qkv);
        assert_vector("q_norm", layer->q_norm, block->q_norm);
        assert_vector("k_norm", layer->k_norm, block->k_norm);
        assert_projection("out", &layer->out, &block->out);
        assert_norm("mlp_norm", &layer->mlp_norm, &block->mlp_norm);
        assert_projection("up", &layer->up, &block->up);
        assert_projection("down", &layer->down, &block->down);
    }
}

static void assert_file(const char *path)
{
    Opened *opened = open_path(path);
    for (int huge = 0; huge < 2; huge++) {
        Weights *w = open_weights(path, huge > 0);
        assert_same(w, &opened->model);
        weights_close(w);
    }
    close_opened(opened);
}

static const char *const fixtures[] = {"gpt2",       "gpt2_untied",   "llama",   "llama_biases",
                                       "llama_f16",  "llama_sharded", "mistral", "qwen2",
                                       "qwen2_bf16", "qwen3"};
enum { FIXTURE_COUNT = sizeof fixtures / sizeof *fixtures };

static void weights_of_every_family_are_those_of_the_model(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURE_COUNT; i++) assert_file(fixture_path(fixtures[i]));
}

static void weights_of_gguf_are_those_of_the_model(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        Opened *opened = open_fixture(fixtures[i]);
        Error err = {""};
        const char *path = scratch_path("model.gguf");
        if (!gguf_model_write(path, &opened->model.config, opened->params, NULL, &err)) {
            assert_non_null(strstr(err.message, "GGUF"));    // what the format has not
            close_opened(opened);
            continue;
        }
        assert_file(path);
        // The same model again: q's and k's rows alternate in the file and not here.
        Weights *w = open_weights(path, false);
        assert_same(w, &opened->model);
        weights_close(w);
        close_opened(opened);
    }
}

// ---- where they lie ----

static const void *mapped(const Weights *w, const char *param, int part)
{
    for (int i = 0, found = 0; i < w->file->pieces.count; i++)
        if (strcmp(w->file->pieces.list[i].param, param) == 0 && found++ == part)
            return w->file->stored[i].data;
    fail_msg("there is no %s", param);
    return NULL;
}

static void what_lies_as_it_is_needed_is_not_copied(void **state)
{
    (void)state;
    Weights *w = open_weights(fixture_path("qwen2_bf16"), false);
    assert_int_equal(w->region_bytes, 0);
    assert_int_equal(w->embedding.type, DTYPE_BF16);
    assert_pointer("embedding", w->embedding.data, mapped(w, "embedding.weight", 0));
    assert_pointer("q", w->layers[1].qkv.parts[0].data, mapped(w, "blocks.1.qkv.weight", 0));
    assert_pointer("down", w->layers[1].down.parts[0].data, mapped(w, "blocks.1.down.weight", 0));
    weights_close(w);
    // GPT-2: all but the embedding and the positions.
    w = open_weights(fixture_path("gpt2"), false);
    assert_pointer("embedding", w->embedding.data, mapped(w, "embedding.weight", 0));
    assert_pointer("head", w->head.data, w->embedding.data);
    assert_pointer("positions", w->positions.data, mapped(w, "positions.weight", 0));
    assert_true(w->region_bytes > 0);
    weights_close(w);
    // Copies of parts lie together, and are one.
    w = open_weights(fixture_path("llama"), true);
    assert_int_equal(w->layers[0].qkv.count, 1);
    assert_int_equal(w->layers[0].qkv.parts[0].rows, model_config_qkv(&w->config));
    assert_int_equal(w->layers[0].up.count, 1);
    assert_int_equal((uintptr_t)w->layers[0].up.parts[0].data % 64, 0);
    weights_close(w);
}

static void a_token_reads_all_projections_and_the_head(void **state)
{
    (void)state;
    Weights *w = open_weights(fixture_path("llama_f16"), false);
    const ModelConfig *c = &w->config;
    const int layer = model_config_qkv(c) + c->heads * c->head + model_config_up(c) + c->ff;
    const size_t numbers =
        ((size_t)c->layers * (size_t)layer + (size_t)c->vocabulary) * (size_t)c->width;
    assert_int_equal(weights_bytes(w), 2 * numbers);
    weights_close(w);
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    Error err = {""};
    assert_null(weights_open("/no/such/model.gguf", (WeightsOptions){0}, &err));
    assert_string_equal(err.message, "/no/such/model.gguf: does not exist");
}

// ---- random ones ----

static void assert_spread(const char *name, WeightRows rows)
{
    const size_t count = (size_t)rows.rows * (size_t)rows.cols;
    float *numbers = malloc(count * sizeof *numbers);
    double sum = 0, squares = 0;
    assert_non_null(numbers);
    assert_true(dtype_to_floats(rows.type, numbers, rows.data, count));
    for (size_t i = 0; i < count; i++) sum += (double)numbers[i];
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += pow((double)numbers[i] - mean, 2);
    const double deviation = sqrt(squares / (double)count);
    // Q4_0 has -8 to 7, Q8_0 -128 to 127: the mean is half a step below 0.
    assert_that(fabs(mean) < .0025 && fabs(deviation - .02) < .0002, "%s: %g +- %g", name, mean,
                deviation);
    free(numbers);
}

static void random_weights_have_the_shape_that_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        DType type;
    } cases[] = {{"random:15m", DTYPE_F32},       {"random:15m:f16", DTYPE_F16},
                 {"random:15M:BF16", DTYPE_BF16}, {"random:15m:Q8_0", DTYPE_Q8_0},
                 {"random:15m:q4_0", DTYPE_Q4_0}, {"random:15m:Q4_1", DTYPE_Q4_1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Weights *w = open_weights(cases[i].path, false);
        // llama2.c's stories15M.
        assert_int_equal(model_config_params(&w->config), 15191712);
        assert_int_equal(w->head.type, cases[i].type);
        assert_pointer("head", w->head.data, w->embedding.data);
        assert_int_equal(w->layers[5].qkv.count, 1);
        assert_close((double)w->layers[5].mlp_norm.weight[287], 1, 0);
        assert_spread(cases[i].path, w->layers[0].up.parts[0]);
        assert_spread(cases[i].path, w->head);
        assert_that(memcmp(w->layers[0].down.parts[0].data, w->layers[1].down.parts[0].data, 512) !=
                        0,
                    "two layers have the same numbers");
        weights_close(w);
    }
    static const char *const wrong[][2] = {
        {"random:16m", "random:16m: there is no such size, expected 15m, 42m"},
        {"random:", "there is no such size"},
        {"random:15m:Q4_K", "random:15m:Q4_K: there is no such type, expected F32, F16"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error err = {""};
        assert_null(weights_open(wrong[i][0], (WeightsOptions){0}, &err));
        if (strstr(err.message, wrong[i][1]) == NULL) fail_msg("got \"%s\"", err.message);
    }
}

// ---- real files ----

static const char *data_file(const char *name)
{
    char data[PATH_MAX];
    root_data_dir(data);
    const char *path = arena_print(names, "%s/%s", data, name);
    if (access(path, R_OK) == 0) return path;
    path = arena_print(names, "%s/../shared/data/%s", root_dir(), name);
    return access(path, R_OK) == 0 ? path : NULL;
}

static void weights_of_stories260k_are_those_of_the_model(void **state)
{
    (void)state;
    const char *path = data_file("stories260k/stories260K.bin");
    if (path == NULL) SKIP("no stories260k in the data folder", "LAB_DATA=... ./lab test");
    assert_file(path);
}

static void weights_of_smollm2_are_blocks_of_four_bits(void **state)
{
    (void)state;
    const char *path = data_file("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    if (path == NULL) SKIP("no SmolLM2 in the data folder", "./lab data get smollm2");
    Weights *w = open_weights(path, false);
    assert_int_equal(w->layers[29].qkv.count, 2);    // q and k were copied, and lie together
    assert_int_equal(w->layers[29].qkv.parts[0].type, DTYPE_Q4_1);
    assert_int_equal(w->head.type, DTYPE_Q8_0);
    // 210 matrices of 106,168,320 weights in 5 bits, and 49152 x 576 in 8.5.
    assert_int_equal(weights_bytes(w), 106168320u / 32 * 20 + 49152u * 576 / 32 * 34);
    weights_close(w);
    assert_file(path);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(weights_of_every_family_are_those_of_the_model),
        cmocka_unit_test(weights_of_gguf_are_those_of_the_model),
        cmocka_unit_test(what_lies_as_it_is_needed_is_not_copied),
        cmocka_unit_test(a_token_reads_all_projections_and_the_head),
        cmocka_unit_test(a_missing_file_is_refused),
        cmocka_unit_test(random_weights_have_the_shape_that_is_named),
        cmocka_unit_test(weights_of_stories260k_are_those_of_the_model),
        cmocka_unit_test(weights_of_smollm2_are_blocks_of_four_bits),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
