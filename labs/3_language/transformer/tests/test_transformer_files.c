/* Models that transformers wrote give its logits; what we write is read back the same, in every format. */
#include "common/json.h"
#include "labs/3_language/transformer/tests/opened.h"

static const char *const FIXTURES[] = {"gpt2",          "gpt2_untied", "llama",   "llama_biases",
                                       "llama_sharded", "llama_f16",   "mistral", "qwen2",
                                       "qwen2_bf16",    "qwen3"};
enum { FIXTURE_COUNT = sizeof FIXTURES / sizeof *FIXTURES };

static void fixtures_give_the_logits_of_transformers(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        Opened *opened = open_fixture(FIXTURES[i]);
        assert_string_equal(opened->format, "safetensors");
        assert_logits(opened, FIXTURES[i]);
        close_opened(opened);
    }
}

static void fixtures_are_opened_by_the_names_of_their_files_too(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"llama/model.safetensors", "llama"},
        {"llama_sharded/model.safetensors.index.json", "llama_sharded"},
        {"llama_sharded/model-00002-of-00003.safetensors", "llama_sharded"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        Opened *opened = open_fixture(paths[i][0]);
        assert_logits(opened, paths[i][1]);
        close_opened(opened);
    }
}

static void configurations_hold_what_the_files_say(void **state)
{
    (void)state;
    Opened *opened = open_fixture("llama_biases");
    const ModelConfig *c = &opened->model.config;
    assert_true(c->qkv_bias && c->out_bias && c->mlp_bias && c->tied && !c->qk_norm);
    assert_int_equal(c->head, 6);
    assert_int_equal(c->kv_heads, 1);
    assert_int_equal(c->bos, 1);
    close_opened(opened);
    opened = open_fixture("qwen2_bf16");
    assert_int_equal(opened->model.config.stop_count, 2);
    assert_int_equal(opened->model.config.stops[1], 3);
    close_opened(opened);
    opened = open_fixture("qwen3");
    assert_true(opened->model.config.qk_norm);
    assert_int_equal(opened->model.config.head, 8);
    close_opened(opened);
}

// ---- rotary positions ----

// The fixture llama with other settings of rotary positions.
static const char *write_variant(const cJSON *changes)
{
    Error err = {""};
    static int count;
    const char *folder = scratch_path(arena_print(names, "rope%d", count++));
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(symlink(fixture_path("llama/model.safetensors"),
                             arena_print(names, "%s/model.safetensors", folder)),
                     0);
    cJSON *config = json_load(fixture_path("llama/config.json"), &err);
    assert_non_null(config);
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(config, change->string);
        if (!cJSON_IsNull(change))
            cJSON_AddItemToObject(config, change->string, cJSON_Duplicate(change, true));
    }
    char *text = cJSON_Print(config);
    assert_true(file_write(arena_print(names, "%s/config.json", folder), text, &err));
    cJSON_free(text);
    cJSON_Delete(config);
    return folder;
}

static void assert_last_logits(const Opened *opened, const cJSON *ids, const cJSON *variant)
{
    const char *name = cJSON_GetObjectItem(variant, "name")->valuestring;
    const cJSON *want = cJSON_GetObjectItem(variant, "last_logits");
    const int T = cJSON_GetArraySize(ids), V = cJSON_GetArraySize(want);
    int32_t *tokens = arena_alloc(names, (size_t)T * sizeof *tokens);
    double *wide = arena_alloc(names, (size_t)V * sizeof *wide);
    for (int i = 0; i < T; i++) tokens[i] = cJSON_GetArrayItem(ids, i)->valueint;
    for (int i = 0; i < V; i++) wide[i] = cJSON_GetArrayItem(want, i)->valuedouble;
    Tensor *got = model_logits(opened->tape, &opened->model,
                               tensor_from_ints(opened->tape->arena, SHAPE(1, T), tokens));
    assert_near(values_of(got) + (T - 1) * V, wide, SHAPE(V), .name = name, .atol = 2e-5,
                .rtol = 2e-5);
    tape_reset(opened->tape);
}

static void assert_last_logits_of_gguf(const Opened *opened, const cJSON *ids, const cJSON *variant)
{
    Error err = {""};
    const RopeScaling *scaling = &opened->model.config.rope.scaling;
    const char *gguf = scratch_path("rope_again.gguf");
    const bool written = gguf_model_write(gguf, &opened->model.config, opened->params, NULL, &err);
    if (scaling->beta_fast > 0 || scaling->attention_factor > 0) {
        assert_false(written);
        assert_non_null(strstr(err.message, "yarn's beta and attention factors"));
        return;
    }
    if (!written) fail_msg("%s", err.message);
    Opened *again = open_path(gguf);
    assert_last_logits(again, ids, variant);
    close_opened(again);
}

static void all_spellings_of_rope_settings_give_the_logits_of_transformers(void **state)
{
    (void)state;
    Error err = {""};
    cJSON *tree = json_load(fixture_path("rope.json"), &err);
    assert_non_null(tree);
    const cJSON *ids = cJSON_GetObjectItem(tree, "ids"), *variant;
    cJSON_ArrayForEach(variant, cJSON_GetObjectItem(tree, "variants"))
    {
        Opened *opened = open_path(write_variant(cJSON_GetObjectItem(variant, "config")));
        assert_last_logits(opened, ids, variant);
        // The same of what we write in its place.
        const char *folder = scratch_path("rope_again");
        if (!folder_write(folder, &opened->model.config, opened->params, (FolderOptions){0}, &err))
            fail_msg("%s", err.message);
        Opened *again = open_path(folder);
        assert_last_logits(again, ids, variant);
        close_opened(again);
        assert_last_logits_of_gguf(opened, ids, variant);
        close_opened(opened);
    }
    cJSON_Delete(tree);
}

// ---- what we write ----

static void assert_same_config(const ModelConfig *a, const ModelConfig *b)
{
    Error err = {""};
    cJSON *x = config_json_write(a, config_json_family(a, &err), DTYPE_F32);
    cJSON *y = config_json_write(b, config_json_family(b, &err), DTYPE_F32);
    assert_true(cJSON_Compare(x, y, true));
    cJSON_Delete(x);
    cJSON_Delete(y);
}

static void folders_are_read_back_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURE_COUNT; i++)
        for (int sharded = 0; sharded < 2; sharded++) {
            Error err = {""};
            Opened *opened = open_fixture(FIXTURES[i]);
            const char *folder = scratch_path("written");    // the next one replaces it
            const FolderOptions options = {.shard_bytes = sharded ? 6000 : 0};
            if (!folder_write(folder, &opened->model.config, opened->params, options, &err))
                fail_msg("%s", err.message);
            const char *index = arena_print(names, "%s/model.safetensors.index.json", folder);
            assert_int_equal(access(index, F_OK) == 0, sharded);
            Opened *again = open_path(folder);
            assert_same_params(opened, again);
            assert_same_config(&opened->model.config, &again->model.config);
            assert_logits(again, FIXTURES[i]);
            close_opened(again);
            close_opened(opened);
        }
}

static void folders_of_half_precision_are_read_back_rounded(void **state)
{
    (void)state;
    static const struct {
        DType type;
        const char *fixture;
    } cases[] = {{DTYPE_F16, "llama_f16"}, {DTYPE_BF16, "qwen2_bf16"}, {DTYPE_F16, "gpt2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        Opened *opened = open_fixture(cases[i].fixture);
        const char *folder = scratch_path("half");
        assert_true(folder_write(folder, &opened->model.config, opened->params,
                                 (FolderOptions){.type = cases[i].type}, &err));
        Safetensors *file =
            safetensors_open(arena_print(names, "%s/model.safetensors", folder), &err);
        assert_non_null(file);
        for (int e = 0; e < file->count; e++)
            assert_int_equal(file->entries[e].type, cases[i].type);
        assert_string_equal(safetensors_value(file, "format"), "pt");
        safetensors_close(file);
        Opened *again = open_path(folder);
        if (i < 2) assert_same_params(opened, again);    // the files had these numbers
        close_opened(again);
        close_opened(opened);
    }
}

static void gguf_files_are_read_back_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        Error err = {""};
        Opened *opened = open_fixture(FIXTURES[i]);
        const char *path = scratch_path("model.gguf");
        const bool written =
            gguf_model_write(path, &opened->model.config, opened->params, NULL, &err);
        if (opened->model.config.mlp == MLP_GELU_ERF) {
            assert_false(written);
            assert_non_null(strstr(err.message, "GGUF has no GELU by erf"));
        } else {
            if (!written) fail_msg("%s", err.message);
            Opened *again = open_path(path);
            assert_string_equal(again->format, "GGUF");
            assert_same_params(opened, again);
            assert_logits(again, FIXTURES[i]);
            close_opened(again);
        }
        close_opened(opened);
    }
}

static void gguf_rows_of_q_and_k_alternate_in_llama_alone(void **state)
{
    (void)state;
    static const struct {
        const char *fixture;
        bool alternate;
    } cases[] = {{"llama", true}, {"qwen2", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        Opened *opened = open_fixture(cases[i].fixture);
        const char *path = scratch_path("rows.gguf");
        assert_true(gguf_model_write(path, &opened->model.config, opened->params, NULL, &err));
        Gguf *file = gguf_open(path, &err);
        assert_non_null(file);
        const float *q = gguf_tensor(file, "blk.0.attn_q.weight")->data;
        const float *memory = values_of(opened->model.blocks[0].qkv.weight);
        // Row 1 of the file is row D/2 = 2 of memory, where they alternate.
        assert_memory_equal(q + 16, memory + (cases[i].alternate ? 2 * 16 : 16), 16 * sizeof *q);
        gguf_close(file);
        close_opened(opened);
    }
}

static void a_model_that_no_class_has_is_not_written(void **state)
{
    (void)state;
    Error err = {""};
    Arena *keep = arena_new("keep", 1u << 24);
    ModelConfig config = model_config_llama(
        (ModelSize){.vocabulary = 8, .context = 8, .width = 8, .layers = 1, .heads = 2});
    config.norm = NORM_LAYER;
    Params *params = params_new(keep);
    model_new(params, config, NULL);
    assert_false(folder_write(scratch_path("none"), &config, params, (FolderOptions){0}, &err));
    assert_non_null(
        strstr(err.message, "no class of Hugging Face has a model of LayerNorm, rotary"));
    assert_int_not_equal(access(scratch_path("none"), F_OK), 0);
    assert_false(gguf_model_write(scratch_path("none.gguf"), &config, params, NULL, &err));
    assert_int_not_equal(access(scratch_path("none.gguf"), F_OK), 0);
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures_give_the_logits_of_transformers),
        cmocka_unit_test(fixtures_are_opened_by_the_names_of_their_files_too),
        cmocka_unit_test(configurations_hold_what_the_files_say),
        cmocka_unit_test(all_spellings_of_rope_settings_give_the_logits_of_transformers),
        cmocka_unit_test(folders_are_read_back_the_same),
        cmocka_unit_test(folders_of_half_precision_are_read_back_rounded),
        cmocka_unit_test(gguf_files_are_read_back_the_same),
        cmocka_unit_test(gguf_rows_of_q_and_k_alternate_in_llama_alone),
        cmocka_unit_test(a_model_that_no_class_has_is_not_written),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
