/* The catalogue: every integer that is published, every count that transformers makes, and the names. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/skip.h"

static char folder[] = "/tmp/test_kn_catalogue_XXXXXX";

static int begin(void **state)
{
    return scratch_begin(state) != 0 || mkdtemp(folder) == NULL ? -1 : 0;
}

static int end(void **state)
{
    scratch_end(state);
    return rmdir(folder);
}

static const CatalogueEntry *entries(int *count)
{
    const CatalogueEntry *list;
    Error err = {""};
    *count = catalogue_list(arena, &list, &err);
    if (*count < 0) fail_msg("%s", err.message);
    return list;
}

// ---- integers ----

// "parameters.json" keeps them as they were given, each with what it was said of the file.
static void published_integers_are_reproduced(void **state)
{
    (void)state;
    cJSON *tree = fixture_load("parameters.json");
    const cJSON *published;
    int count = 0;
    cJSON_ArrayForEach(published, fixture_get(tree, "published"))
    {
        const char *name = published->string;
        Model *model = model_of(name);
        fixture_equal(name, "the total", model_params(model),
                      fixture_count(published, "params_total"));
        fixture_components(model, name, fixture_get(published, "components"));
        if (cJSON_HasObjectItem(published, "params_active"))
            fixture_equal(name, "active", model_active(model),
                          fixture_count(published, "params_active"));
        if (cJSON_HasObjectItem(published, "checkpoint_elements"))
            fixture_equal(name, "stored", model_stored(model),
                          fixture_count(published, "checkpoint_elements"));
        count++;
    }
    assert_int_equal(count, 18);
    cJSON_Delete(tree);
}

static void models_that_transformers_knows_have_its_counts(void **state)
{
    (void)state;
    cJSON *tree = fixture_load("parameters.json");
    const cJSON *counted;
    int count = 0;
    cJSON_ArrayForEach(counted, fixture_get(tree, "models"))
    {
        Model *model = model_of(counted->string);
        fixture_equal(counted->string, "the total", model_params(model),
                      fixture_count(counted, "total"));
        fixture_components(model, counted->string, fixture_get(counted, "components"));
        count++;
    }
    assert_int_equal(count, 115);
    cJSON_Delete(tree);
}

// What the Hugging Face API gives as safetensors.total, of models that transformers does not know or whose
// file holds more than the parameters.
static void integers_of_files_are_reproduced(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t params, stored;    // 0: not published
    } files[] = {
        {"deepseek-ai/DeepSeek-V2", 235741434880, 235741434880},
        {"deepseek-ai/DeepSeek-V2-Lite", 15706484224, 15706484224},
        {"deepseek-ai/DeepSeek-V3.2", 0, 685396921376},    // of V3.2-Exp
        {"zai-org/GLM-5", 0, 753864139008},
        // The second of M2.5, which counts scales.
        {"MiniMaxAI/MiniMax-M2", 228689764864, 228703644928},
        {"openai/gpt-oss-120b", 116829156672, 120412337472},
        {"Qwen/Qwen3-235B-A22B", 235093634560, 235093634560},
        {"Qwen/Qwen3-Coder-480B-A35B-Instruct", 480154875392, 480154875392},
        {"internlm/internlm2_5-7b-chat", 7737708544, 7737708544},
        {"internlm/internlm2-chat-20b", 19861149696, 19861149696},
        {"THUDM/glm-4-9b-chat", 9399951360, 9399951392},    // trainable, and all
        {"THUDM/chatglm3-6b", 6243584000, 6243584032},
        {"tiiuae/falcon-180B-chat", 0, 179522565120},
        {"meta-llama/Llama-2-13b-hf", 0, 13015866880},
        {"meta-llama/Llama-2-70b-hf", 0, 68976653312},
        {"meta-llama/Llama-3.1-405B", 405853388800, 405853388800},
        {"allenai/OLMo-2-1124-13B-Instruct", 13716198400, 13716198400},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        Model *model = model_of(files[i].name);
        if (files[i].params > 0)
            fixture_equal(files[i].name, "the total", model_params(model), files[i].params);
        if (files[i].stored > 0)
            fixture_equal(files[i].name, "stored", model_stored(model), files[i].stored);
    }
}

// Baichuan's code is in no library: V h twice, L (4 h^2 + 3 h f + 2 h), h.
static void baichuan_is_summed_by_hand(void **state)
{
    (void)state;
    uint64_t V = 125696, h = 4096, f = 11008;
    fixture_equal("7B", "the total", model_params(model_of("Baichuan2-7B-Base")),
                  2 * V * h + 32 * (4 * h * h + 3 * h * f + 2 * h) + h);
    h = 5120, f = 13696;
    fixture_equal("13B", "the total", model_params(model_of("Baichuan2-13B-Chat")),
                  2 * V * h + 40 * (4 * h * h + 3 * h * f + 2 * h) + h);
}

// ---- layers ----

// What a layer has beside kn_block_params(), by family.
static uint64_t expected_other(const Model *model, const LayerKind *kind)
{
    const KnBlock *b = &kind->block;
    const char *f = model->family;
    uint64_t h = b->width, q = b->heads * b->head_dim, kv = b->kv_heads * b->head_dim;
    if (kind->cross) return 4 * h * q;                 // attention over the encoder's output
    if (strcmp(f, "gpt_oss") == 0) return b->heads;    // sinks
    if (strcmp(f, "qwen2_moe") == 0) return h;         // the shared expert's gate
    if (strcmp(f, "olmo2") == 0 || strcmp(f, "olmoe") == 0 || strcmp(f, "minimax_m2") == 0)
        return q + kv;    // norms over all heads
    uint64_t n = strcmp(f, "deepseek_v32") == 0  ? 64
                 : strcmp(f, "glm_moe_dsa") == 0 ? 32
                                                 : 0,
             d = 128;
    return n > 0 ? n * d * b->q_rank + d * h + 2 * d + n * h : 0;    // the indexer
}

static void the_formula_accounts_for_all_but_the_named_rest(void **state)
{
    (void)state;
    int count;
    const CatalogueEntry *list = entries(&count);
    assert_int_equal(count, 124);
    for (int i = 0; i < count; i++) {
        Model *model = model_of(list[i].name);
        for (int k = 0; k < model->kind_count; k++)
            fixture_equal(list[i].name, "other", model->kinds[k].other,
                          expected_other(model, &model->kinds[k]));
    }
}

static void expect_kinds(const char *name, const char *first, int count, uint64_t window,
                         int layer_of_second)
{
    const Model *model = model_of(name);
    assert_string_equal(model->kinds[0].name, first);
    assert_int_equal(model->kinds[0].count, count);
    fixture_equal(name, "a window", model->kinds[0].window, window);
    int layer = 0;
    while (layer < model->layers && model->kind_of[layer] == 0) layer++;
    assert_int_equal(layer, layer_of_second);
}

// Windows as the models' papers and pages give them.
static void layers_come_in_the_published_order(void **state)
{
    (void)state;
    expect_kinds("mistral-7b-v0.1", "sliding attention", 32, 4096, 32);
    expect_kinds("mistral-7b-instruct-v0.3", "full attention", 32, 0, 32);
    expect_kinds("gemma-2-9b", "sliding attention", 21, 4096, 1);
    expect_kinds("gemma-3-27b-it", "sliding attention", 52, 1024, 5);
    expect_kinds("gpt-oss-20b", "sliding attention, experts", 12, 128, 1);
    expect_kinds("deepseek-v3", "latent attention, dense MLP", 3, 0, 3);
    // Bidirectional.
    expect_kinds("bert-base-uncased", "attention both ways", 12, 0, 12);    // image: both ways
    expect_kinds("t5-11b", "encoder", 24, 0, 24);
    const Model *v32 = model_of("deepseek-v3.2");
    fixture_equal("V3.2", "numbers of the indexer in the cache", v32->kinds[1].index_dim, 128);
}

// ---- names ----

static void expect_name(const char *asked, const char *id)
{
    assert_string_equal(model_of(asked)->name, id);
}

static void names_are_found_as_people_type_them(void **state)
{
    (void)state;
    expect_name("gpt2", "openai-community/gpt2");
    expect_name("GPT-2", "openai-community/gpt2");
    expect_name("gpt3", "gpt3-175b");
    expect_name("llama2-7b", "meta-llama/Llama-2-7b-hf");
    expect_name("llama-3.1-8b", "meta-llama/Llama-3.1-8B");
    expect_name("llama3.1:8b", "meta-llama/Llama-3.1-8B");
    expect_name("META-LLAMA/llama_3.1_8B", "meta-llama/Llama-3.1-8B");
    expect_name("mixtral-8x7b", "mistralai/Mixtral-8x7B-Instruct-v0.1");
    expect_name("deepseek-v3", "deepseek-ai/DeepSeek-V3");
    expect_name("deepseekv3", "deepseek-ai/DeepSeek-V3");
    expect_name("deepseek-v2", "deepseek-ai/DeepSeek-V2");
    expect_name("qwen2.5-7b", "Qwen/Qwen2.5-7B");
    expect_name("gpt-oss-20b", "openai/gpt-oss-20b");
    expect_name("kimi-k2", "moonshotai/Kimi-K2-Instruct");
    expect_name("tinyllama", "TinyLlama/TinyLlama-1.1B-Chat-v1.0");
    expect_name("qwen3-0.6b", "Qwen/Qwen3-0.6B");
}

static void refused(const char *asked, const char *sentence)
{
    Error err = {""};
    if (catalogue_model(arena, asked, &err) != NULL) fail_msg("'%s' was found", asked);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("'%s'\n  said \"%s\"\n  expected \"%s\"", asked, err.message, sentence);
}

static void an_unknown_model_gets_the_nearest_name(void **state)
{
    (void)state;
    refused("lama-3.1-8b",
            "there is no model 'lama-3.1-8b'; did you mean meta-llama/Llama-3.1-8B?");
    refused("llama-3.1-7", "there is no model 'llama-3.1-7'");    // not the beginning of 70B
    refused("llama-3.1-8b-instruct", "did you mean meta-llama/Llama-3.1-8B?");
    refused("Meta-Llama-3.1-8B-Instruct", "did you mean meta-llama/Llama-3.1-8B?");
    refused("my-qwen3-8b-tuned", "did you mean Qwen/Qwen3-8B?");
    refused("stable-diffusion-xl", "and no file or folder of that name");    // near nothing
    refused("xyzzy", "there is no model 'xyzzy', and no file or folder of that name");
    refused("", "there is no model ''");
    refused("mistral-7b", "'mistral-7b' may be Mistral-7B-v0.1, Mistral-7B-Instruct-v0.3");
    refused("pythia", "and 3 more");
    char *long_name = arena_zeros(arena, 5000);
    memset(long_name, 'a', 4999);
    refused(long_name, "there is no model 'aaaa");
}

static void every_model_is_found_by_its_id_and_by_the_end_of_it(void **state)
{
    (void)state;
    int count;
    const CatalogueEntry *list = entries(&count);
    for (int i = 0; i < count; i++) {
        const char *slash = strchr(list[i].name, '/');
        assert_string_equal(model_of(list[i].name)->name, list[i].name);
        assert_string_equal(model_of(slash != NULL ? slash + 1 : list[i].name)->name, list[i].name);
        assert_string_equal(model_of(list[i].name)->family, list[i].family);
    }
}

// ---- files ----

static const char *write_file(const char *name, const char *text)
{
    const char *path = arena_print(arena, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static Model *opened(const char *what)
{
    Error err = {""};
    Model *model = model_open(arena, what, &err);
    if (model == NULL) fail_msg("%s", err.message);
    return model;
}

// The config of each model, written to a file: what its published file stores is known again, and nothing
// is added where the format or the context is another.
static void a_published_config_is_recognised(void **state)
{
    (void)state;
    char path[PATH_MAX];
    Error err = {""};
    snprintf(path, sizeof path, "%s/labs/5_frontier/key_numbers/app/facts/models.json", root_dir());
    cJSON *tree = json_load(path, &err), *entry;
    assert_non_null(tree);
    int known = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(tree, "models"))
    {
        if (!cJSON_HasObjectItem(entry, "stored")) continue;
        const char *id = cJSON_GetObjectItem(entry, "id")->valuestring;
        cJSON *config = cJSON_GetObjectItem(entry, "config");
        char *text = cJSON_PrintUnformatted(config);
        const char *file = write_file("config.json", text);
        cJSON_free(text);
        fixture_equal(id, "stored", model_stored(opened(file)), model_stored(model_of(id)));
        assert_true(model_stored(opened(file)) > model_params(opened(file)));

        cJSON_DeleteItemFromObject(config,
                                   "torch_dtype");    // a file that says no format may be it
        text = cJSON_PrintUnformatted(config);
        write_file("config.json", text);
        cJSON_free(text);
        fixture_equal(id, "stored", model_stored(opened(file)), model_stored(model_of(id)));

        cJSON_DeleteItemFromObject(config, "quantization_config");
        cJSON_DeleteItemFromObject(config, "num_nextn_predict_layers");
        cJSON_AddStringToObject(config, "dtype", "bfloat16");
        cJSON_DeleteItemFromObject(config, "max_position_embeddings");
        cJSON_AddNumberToObject(config, "max_position_embeddings", 4000);
        cJSON_DeleteItemFromObject(config, "n_positions");
        cJSON_AddNumberToObject(config, "n_positions", 4000);
        cJSON_DeleteItemFromObject(config, "seq_length");
        text = cJSON_PrintUnformatted(config);
        write_file("config.json", text);
        cJSON_free(text);
        fixture_equal(id, "stored", model_stored(opened(file)), model_params(opened(file)));
        known++;
    }
    assert_int_equal(known, 29);
    unlink(write_file("config.json", ""));
    cJSON_Delete(tree);
}

// Qwen/Qwen3-30B-A3B-Instruct-2507-FP8 and zai-org/GLM-5-FP8, by the Hugging Face API.
static void scales_of_fp8_are_counted_for_any_config(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        uint64_t stored;
    } files[] = {{"Qwen/Qwen3-30B-A3B", 30533947392}, {"zai-org/GLM-5", 753910024032}};
    char path[PATH_MAX];
    Error err = {""};
    snprintf(path, sizeof path, "%s/labs/5_frontier/key_numbers/app/facts/models.json", root_dir());
    cJSON *tree = json_load(path, &err), *entry;
    assert_non_null(tree);
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(tree, "models"))
    {
        for (int i = 0; i < 2; i++) {
            if (strcmp(cJSON_GetObjectItem(entry, "id")->valuestring, files[i].id) != 0) continue;
            cJSON *config = cJSON_GetObjectItem(entry, "config");
            cJSON_AddItemToObject(
                config, "quantization_config",
                cJSON_Parse("{\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}"));
            Model *model = config_model(arena, config, files[i].id, "config.json", &err);
            assert_non_null(model);
            fixture_equal(files[i].id, "stored", model_stored(model), files[i].stored);
        }
    }
    cJSON_Delete(tree);
}

static void not_opened(const char *what, const char *sentence)
{
    Error err = {""};
    if (model_open(arena, what, &err) != NULL) fail_msg("'%s' was opened", what);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("'%s'\n  said \"%s\"\n  expected \"%s\"", what, err.message, sentence);
}

static void an_unreadable_model_is_refused_by_its_path(void **state)
{
    (void)state;
    not_opened(folder, "holds no config.json, .safetensors or .gguf");
    const char *index =
        write_file("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"b.safetensors\"}}");
    not_opened(folder, "b.safetensors: cannot be read");
    unlink(index);
    not_opened("/no/such/config.json", "/no/such/config.json: No such file or directory");
    not_opened("./model.gguf", "./model.gguf: No such file or directory");
    not_opened("/dev/null", "is neither a file nor a folder");
    const char *path = write_file("config.json", "hello");
    not_opened(path, "config.json:1: is not JSON from here on");
    write_file("config.json", "[1]");
    not_opened(path, "holds no object");
    write_file("config.json", "{\"model_type\": \"rwkv9\"}");
    not_opened(folder, "config.json: \"model_type\" is \"rwkv9\"");
    char *nested = arena_alloc(arena, 20001);
    memset(nested, '[', 20000), nested[20000] = '\0';
    write_file("config.json", nested);
    not_opened(path, "is not JSON from here on");
    unlink(path);
    const char *first = write_file("a.gguf", "GGUF"), *second = write_file("b.gguf", "GGUF");
    not_opened(folder, "holds 2 .gguf files, expected the name of one");
    unlink(second);
    not_opened(folder, "a.gguf");
    unlink(first);
}

static void a_file_is_known_by_how_it_begins(void **state)
{
    (void)state;
    const char *path = write_file(
        "blob", "{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 1}");
    assert_string_equal(opened(path)->family, "llama");
    assert_string_equal(opened(path)->source, "config.json");
    write_file("blob", "GGUF");
    not_opened(path, "blob");
    unlink(path);
}

// ---- time ----

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// The best of some, so that a busy machine does not count.
static void a_model_is_there_in_five_milliseconds(void **state)
{
    (void)state;
#ifdef LAB_SANITIZE
    SKIP("no true time under sanitizers", "./lab test -R test_kn_catalogue");
#endif
    double best = 1;
    for (int i = 0; i < 20; i++) {
        double start = seconds();
        model_of("kimi-k2");
        if (seconds() - start < best) best = seconds() - start;
    }
    if (best > 0.005) fail_msg("took %.1f ms, expected 5", 1000 * best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_integers_are_reproduced),
        cmocka_unit_test(models_that_transformers_knows_have_its_counts),
        cmocka_unit_test(integers_of_files_are_reproduced),
        cmocka_unit_test(baichuan_is_summed_by_hand),
        cmocka_unit_test(the_formula_accounts_for_all_but_the_named_rest),
        cmocka_unit_test(layers_come_in_the_published_order),
        cmocka_unit_test(names_are_found_as_people_type_them),
        cmocka_unit_test(an_unknown_model_gets_the_nearest_name),
        cmocka_unit_test(every_model_is_found_by_its_id_and_by_the_end_of_it),
        cmocka_unit_test(a_published_config_is_recognised),
        cmocka_unit_test(scales_of_fp8_are_counted_for_any_config),
        cmocka_unit_test(an_unreadable_model_is_refused_by_its_path),
        cmocka_unit_test(a_file_is_known_by_how_it_begins),
        cmocka_unit_test(a_model_is_there_in_five_milliseconds),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
