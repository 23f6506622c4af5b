/* Families as transformers 5 builds them: small ones, each held against the tensors that it saves, by the
 * configuration, by the file with it, and by the file alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/model/given.h"
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

static char folder[] = "/tmp/test_kn_family_XXXXXX";
static const KvFormats BF16 = {{.bits = 16}, {.bits = 16}};

// ---- a folder as save_pretrained() writes it, headers alone ----

static const char *in_folder(const char *name)
{
    return arena_print(arena, "%s/%s", folder, name);
}

typedef struct Header {
    cJSON *object;
    uint64_t bytes, elements;
} Header;

static void put(Header *header, const cJSON *tensor, const char *name)
{
    const char *type = cJSON_GetArrayItem(tensor, 1)->valuestring;
    const cJSON *shape = cJSON_GetArrayItem(tensor, 2), *size;
    uint64_t count = 1;
    cJSON_ArrayForEach(size, shape)
    {
        count *= (uint64_t)size->valuedouble;
    }
    uint64_t bytes = count * (strcmp(type, "F32") == 0 ? 4 : strcmp(type, "I64") == 0 ? 8 : 2);
    cJSON *entry = cJSON_AddObjectToObject(header->object, name);
    cJSON_AddStringToObject(entry, "dtype", type);
    cJSON_AddItemToObject(entry, "shape", cJSON_Duplicate(shape, true));
    const double range[] = {(double)header->bytes, (double)(header->bytes + bytes)};
    cJSON_AddItemToObject(entry, "data_offsets", cJSON_CreateDoubleArray(range, 2));
    header->bytes += bytes;
    header->elements += count;
}

// "model.layers.#.mlp.experts.@.up_proj.weight" with its numbers.
static const char *numbered(const char *pattern, int layer, int expert)
{
    char name[256];
    size_t n = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '#') n += (size_t)snprintf(name + n, sizeof name - n, "%d", layer);
        else if (*pattern == '@') n += (size_t)snprintf(name + n, sizeof name - n, "%d", expert);
        else name[n++] = *pattern;
    }
    return arena_print(arena, "%.*s", (int)n, name);
}

// How many numbers the file holds.
static uint64_t write_folder(const cJSON *variant)
{
    Header header = {.object = cJSON_CreateObject()};
    const cJSON *tensor, *layer;
    cJSON_ArrayForEach(tensor, fixture_get(variant, "tensors"))
    {
        const char *pattern = cJSON_GetArrayItem(tensor, 0)->valuestring;
        const cJSON *layers = cJSON_GetArrayItem(tensor, 3);
        int experts = cJSON_GetArrayItem(tensor, 4)->valueint;
        if (cJSON_GetArraySize(layers) == 0) put(&header, tensor, pattern);
        cJSON_ArrayForEach(layer, layers)
        {
            for (int e = 0; e < (experts > 0 ? experts : 1); e++)
                put(&header, tensor, numbered(pattern, layer->valueint, e));
        }
    }
    char *text = cJSON_PrintUnformatted(header.object);
    const uint64_t length = strlen(text);
    FILE *file = fopen(in_folder("model.safetensors"), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(&length, sizeof length, 1, file), 1);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    cJSON_free(text);
    cJSON_Delete(header.object);
    text = cJSON_PrintUnformatted(fixture_get(variant, "config"));
    file = fopen(in_folder("config.json"), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    cJSON_free(text);
    return header.elements;
}

// ---- each variant ----

typedef void (*EachVariant)(const char *name, const cJSON *variant);

static void each_of(const char *section, int least, EachVariant look)
{
    cJSON *fixture = fixture_load("families.json");
    const cJSON *variant;
    int count = 0;
    cJSON_ArrayForEach(variant, fixture_get(fixture, section))
    {
        look(variant->string, variant);
        count++;
    }
    assert_true(count >= least);
    cJSON_Delete(fixture);
}

static void each_variant(EachVariant look)
{
    each_of("variants", 50, look);
}

static Model *opened(const char *name, const char *path)
{
    Error err = {""};
    Model *model = model_open(arena, path, &err);
    if (model == NULL) fail_msg("%s: %s", name, err.message);
    return model;
}

static void expect_total(const char *name, const cJSON *variant)
{
    Error err = {""};
    Model *model = config_model(arena, fixture_get(variant, "config"), name, "config.json", &err);
    if (model == NULL) fail_msg("%s: %s", name, err.message);
    fixture_equal(name, "the total", model_params(model), fixture_count(variant, "total"));
}

static void every_family_has_the_parameters_that_transformers_counts(void **state)
{
    (void)state;
    each_variant(expect_total);
}

static void published_configurations_have_the_parameters_that_transformers_counts(void **state)
{
    (void)state;
    each_of("published", 10, expect_total);
}

// What stands beside the parameters are buffers; no tensor of the configuration is missing.
static void expect_file(const char *name, const cJSON *variant)
{
    uint64_t elements = write_folder(variant), beside = 0;
    Model *model = opened(name, folder);
    for (int i = 0; i < model->note_count; i++)
        if (strstr(model->notes[i], "not in the files") != NULL)
            fail_msg("%s: %s", name, model->notes[i]);
    for (int i = 0; i < model->extra_count; i++) {
        beside += model->extras[i].elements;
        if (strstr(model->extras[i].what, "not as the configuration says") != NULL)
            fail_msg("%s: %s", name, model->extras[i].what);
    }
    fixture_equal(name, "what the file holds", model_params(model) + beside, elements);
}

static void every_file_has_the_tensors_of_its_family(void **state)
{
    (void)state;
    each_variant(expect_file);
}

// Without its configuration the same file has as many numbers, and a cache of the same size wherever all
// layers see everything.
static void expect_names_alone(const char *name, const cJSON *variant)
{
    uint64_t elements = write_folder(variant), beside = 0;
    Model *known = opened(name, folder);
    assert_int_equal(unlink(in_folder("config.json")), 0);
    Model *model = opened(name, folder);
    for (int i = 0; i < model->extra_count; i++) beside += model->extras[i].elements;
    fixture_equal(name, "numbers by names", model_params(model) + beside, elements);
    bool plain = true;
    for (int k = 0; k < known->kind_count; k++) {
        const LayerKind *kind = &known->kinds[k];
        plain &= kind->window == 0 && kind->compress == 0 && kind->state == 0 && !kind->borrows;
    }
    assert_true(model->warnings != 0);
    if (plain)
        fixture_equal(name, "the cache by names", kv_cache_bytes(model, &BF16, 100, 1),
                      kv_cache_bytes(known, &BF16, 100, 1));
}

static void names_and_shapes_alone_give_parameters_and_cache(void **state)
{
    (void)state;
    each_variant(expect_names_alone);
}

// Kimi K3, which transformers does not have: the sum of its published shapes, as NVIDIA's NeMo AutoModel lists them.
static void families_that_transformers_lacks_are_counted_by_hand(void **state)
{
    (void)state;
    each_of("counted", 1, expect_total);
    const uint64_t h = 7168, q = 12288;
    uint64_t delta = h * (5 * q + 128 + 96) + q * (12 + 128 + 1) + 96 + 128;
    uint64_t latent = h * (1536 + 576 + 2 * q) + 1536 * (1 + 18432) + 512 * (1 + 24576);
    uint64_t experts = 896ul * (3 * 3584 * 3072 + h + 1) + h * (6 * 3072 + 2 * 3584) + 3584;
    uint64_t sees =
        1024 * (588 + 64 * 64 + 1) + 27 * 1024 * (2 + 4 * 1536 + 2 * 4096) + 4096 * (4096 + h) + h;
    uint64_t sum = 69 * delta + 24 * latent + 92 * experts + 93 * 6 * h + 3 * h * 33792 +
                   2 * 163840 * h + 3 * h + sees;
    cJSON *fixture = fixture_load("families.json");
    const cJSON *k3 = fixture_get(fixture_get(fixture, "counted"), "moonshotai/Kimi-K3");
    fixture_equal("Kimi-K3", "by hand", fixture_count(k3, "total"), sum);
    cJSON_Delete(fixture);
}

// Memory, split, speed, training and fit of all of them, on one GPU and on two where the heads divide.
static void expect_plan(const char *name, const cJSON *variant)
{
    Error err = {""};
    Model *model = config_model(arena, fixture_get(variant, "config"), name, "config.json", &err);
    if (model == NULL) fail_msg("%s: %s", name, err.message);
    for (uint64_t tp = 1; tp <= 2; tp++) {
        Question question = question_default();
        question.tp = tp;
        if (!question_settle(&question, arena, &err)) fail_msg("%s", err.message);
        ModelPlan *plan = plan_new(arena, model, &question, PARTS_ALL, &err);
        if (plan == NULL && tp == 1) fail_msg("%s: %s", name, err.message);
        if (plan == NULL) continue;
        double whole = (double)plan->basis.weights.bytes, one = plan->serving.per_gpu.weights;
        if (!(one <= whole && one >= whole / (double)tp))
            fail_msg("%s: %.0f of %.0f bytes on each of %d", name, one, whole, (int)tp);
    }
}

static void every_family_is_planned(void **state)
{
    (void)state;
    each_variant(expect_plan);
    each_of("published", 10, expect_plan);
    each_of("counted", 1, expect_plan);
}

static Model *variant_model(const char *name)
{
    Error err = {""};
    cJSON *fixture = fixture_load("families.json");
    const cJSON *variant = fixture_get(fixture_get(fixture, "variants"), name);
    Model *model = config_model(arena, fixture_get(variant, "config"), name, "config.json", &err);
    if (model == NULL) fail_msg("%s: %s", name, err.message);
    cJSON_Delete(fixture);
    return model;
}

// ---- what is given beside the files ----

static void what_files_do_not_say_is_taken_from_options(void **state)
{
    (void)state;
    Error err = {""};
    cJSON *fixture = fixture_load("families.json");
    const cJSON *variant = fixture_get(fixture_get(fixture, "variants"), "ernie4_5 experts");
    write_folder(variant);
    Model *known = opened("ernie", folder);
    assert_int_equal(unlink(in_folder("config.json")), 0);
    Model *named = opened("ernie", folder);
    assert_int_equal(named->kinds[0].block.kv_heads, 1);    // 24 numbers of keys may be one head's
    assert_true(model_active(named) == model_params(named));
    const ModelGiven stated = {.towers = true, .kv_heads = 2, .window = 10, .active_experts = 2};
    const Model *given = model_given(arena, named, &stated, &err);
    assert_non_null(given);
    assert_int_equal(given->kinds[0].block.kv_heads, 2);
    assert_int_equal(given->kinds[0].block.heads, known->kinds[0].block.heads);
    assert_int_equal(given->kinds[0].window, 10);
    assert_int_equal(model_active(given), model_active(known));
    assert_int_equal(named->kinds[0].block.kv_heads, 1);    // unchanged
    assert_null(model_given(arena, named, &(ModelGiven){.towers = true, .kv_heads = 5}, &err));
    assert_null(
        model_given(arena, named, &(ModelGiven){.towers = true, .active_experts = 7}, &err));
    assert_null(model_given(arena, known, &stated, &err));
    assert_non_null(strstr(err.message, "says them itself"));
    cJSON_Delete(fixture);
}

static void towers_are_counted_or_left_out(void **state)
{
    (void)state;
    Error err = {""};
    cJSON *fixture = fixture_load("families.json");
    const cJSON *variants = fixture_get(fixture, "variants"),
                *one = fixture_get(variants, "gemma4 effective");
    uint64_t elements = write_folder(one);
    Model *sees = opened("gemma4", folder);
    uint64_t towers =
        model_component(sees, COMPONENT_VISION) + model_component(sees, COMPONENT_AUDIO);
    assert_true(model_component(sees, COMPONENT_AUDIO) > 0);
    const Model *text = model_given(arena, sees, &(ModelGiven){.towers = false}, &err);
    assert_int_equal(model_params(text), model_params(sees) - towers);
    assert_int_equal(model_stored(text), elements - towers);
    assert_int_equal(model_component(text, COMPONENT_AUDIO), 0);
    Model *blind = variant_model("gemma4 text");
    assert_int_equal(model_params(model_given(arena, blind, &(ModelGiven){.towers = false}, &err)),
                     model_params(blind));
    cJSON_Delete(fixture);
}

// ---- the cache, by hand ----

static void linear_attention_keeps_a_state_of_one_size(void **state)
{
    (void)state;
    // 4 of 5 layers: 3 inputs of 80 channels in 16 bits, 4 heads of 8 x 12 in 32. One: 2 x 2 x 16 numbers a token.
    Model *model = variant_model("qwen3_next");
    uint64_t kept = 4 * (2 * 3 * 80 + 4 * 4 * 8 * 12);
    fixture_equal("qwen3_next", "no tokens", kv_cache_bytes(model, &BF16, 0, 1), kept);
    fixture_equal("qwen3_next", "100", kv_cache_bytes(model, &BF16, 100, 1), kept + 100 * 128);
    fixture_equal("qwen3_next", "on 2 GPUs", kv_cache_bytes(model, &BF16, 100, 2),
                  kept / 2 + 100 * 64);
    // Mamba 2, 3 of 6 layers: 3 x (48 + 2 x 2 x 10) and 48 x 10; attention in one: 2 x 2 x 16.
    model = variant_model("nemotron_h");
    fixture_equal("nemotron_h", "10", kv_cache_bytes(model, &BF16, 10, 1),
                  3 * (2 * 3 * 88 + 4 * 480) + 10 * 128);
    // Falcon-H1 has both in each of its 2 layers: 48 + 2 x 10 channels.
    model = variant_model("falcon_h1");
    fixture_equal("falcon_h1", "10", kv_cache_bytes(model, &BF16, 10, 1),
                  2 * (2 * 3 * 68 + 4 * 480) + 10 * 2 * 128);
}

static void delta_attention_keeps_a_state_beside_latent_rows(void **state)
{
    (void)state;
    // 4 of 6 layers: 3 inputs of 3 x 36 channels in 16 bits, 3 heads of 12 x 12 in 32. Two: 24 + 8 numbers a token.
    Model *model = variant_model("kimi_linear");
    uint64_t kept = 4 * (2 * 3 * 108 + 4 * 3 * 144);
    fixture_equal("kimi_linear", "100", kv_cache_bytes(model, &BF16, 100, 1),
                  kept + 100 * 2 * 2 * 32);
    // Step: 6 layers of 2 heads of 12, four with a window of 16.
    model = variant_model("step3p7");
    fixture_equal("step3p7", "100", kv_cache_bytes(model, &BF16, 100, 1),
                  (2 * 100 + 4 * 16) * 2 * 2 * 24);
}

// Of the file of Step 3.7, what is not seen with: [name, type, shape, [layers], experts].
static uint64_t text_elements(const cJSON *tensors)
{
    uint64_t sum = 0;
    const cJSON *tensor, *size;
    cJSON_ArrayForEach(tensor, tensors)
    {
        const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring;
        int layers = cJSON_GetArraySize(cJSON_GetArrayItem(tensor, 3)),
            experts = cJSON_GetArrayItem(tensor, 4)->valueint;
        uint64_t count =
            (uint64_t)(layers > 0 ? layers : 1) * (uint64_t)(experts > 0 ? experts : 1);
        cJSON_ArrayForEach(size, cJSON_GetArrayItem(tensor, 2))
        {
            count *= (uint64_t)size->valuedouble;
        }
        if (strstr(name, "vision") == NULL && strstr(name, "vit_") == NULL) sum += count;
    }
    return sum;
}

static void step_3_5_alone_is_the_text_of_3_7(void **state)
{
    (void)state;
    cJSON *fixture = fixture_load("families.json");
    const cJSON *variants = fixture_get(fixture, "variants");
    static const char *const names[] = {"step3p7", "step3p7-typed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Error err = {""};
        const cJSON *both = fixture_get(variants, names[i]);
        cJSON *config =
            cJSON_Duplicate(fixture_get(fixture_get(both, "config"), "text_config"), true);
        cJSON_DeleteItemFromObjectCaseSensitive(config, "model_type");
        cJSON_AddStringToObject(config, "model_type", "step3p5");
        Model *alone = config_model(arena, config, "step3p5", "config.json", &err);
        if (alone == NULL) fail_msg("%s", err.message);
        assert_string_equal(alone->family, "step3p5");
        fixture_equal(names[i], "its text", model_params(alone),
                      text_elements(fixture_get(both, "tensors")));
        const Model *seeing = variant_model(names[i]);
        fixture_equal(names[i], "the cache", kv_cache_bytes(alone, &BF16, 100, 1),
                      kv_cache_bytes(seeing, &BF16, 100, 1));
        assert_true(model_params(seeing) > model_params(alone));
        assert_int_equal(model_component(alone, COMPONENT_VISION), 0);
        cJSON_Delete(config);
    }
    cJSON_Delete(fixture);
}

static void layers_that_read_earlier_keys_keep_none(void **state)
{
    (void)state;
    // 10 layers, the last 4 read earlier ones: 5 slide with 1 head of 16, one sees all with 1 of 32.
    Model *model = variant_model("gemma4 effective");
    fixture_equal("gemma4 effective", "100", kv_cache_bytes(model, &BF16, 100, 1),
                  5 * 16 * 2 * 2 * 16 + 100 * 2 * 2 * 32);
    // Keys that are values too are cached as both: the one differs by its norm and rotation.
    model = variant_model("gemma4 text");
    fixture_equal("gemma4 text", "100", kv_cache_bytes(model, &BF16, 100, 1),
                  5 * 16 * 2 * 2 * 32 + 100 * 2 * 2 * 32);
}

static void compressed_rows_stand_beside_a_window(void **state)
{
    (void)state;
    // A row of 32 numbers: 6 layers keep 16 of them. Two keep one for each 4 tokens, with an indexer's 8 numbers
    // and their scale (12 bytes), one keeps one for each 128, rounded up to a byte.
    Model *model = variant_model("deepseek_v4");
    fixture_equal("deepseek_v4", "1024", kv_cache_bytes(model, &BF16, 1024, 1),
                  6 * 16 * 64 + 1024 * (2 * (64 + 12) / 4 + 1));
}

static void keys_may_be_longer_than_values(void **state)
{
    (void)state;
    // Keys of 24, values of 16: one head in one layer, two in three with a window of 16. In q8_0 a block of 32
    // takes 34 bytes, in q4_0 18, and one that is not full its 2 bytes too.
    const KvFormats apart = {{.bits = 8, .block = 32, .block_bits = 16},
                             {.bits = 4, .block = 32, .block_bits = 16}};
    Model *model = variant_model("mimo_v2_flash");
    fixture_equal("mimo_v2_flash", "bf16", kv_cache_bytes(model, &BF16, 100, 1),
                  100 * 2 * 40 + 3 * 16 * 2 * 2 * 40);
    fixture_equal("mimo_v2_flash", "q8_0:q4_0", kv_cache_bytes(model, &apart, 100, 1),
                  100 * (26 + 10) + 3 * 16 * (52 + 18));
}

static int make_folder(void **state)
{
    return scratch_begin(state) == 0 && mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    unlink(in_folder("model.safetensors"));
    unlink(in_folder("config.json"));
    rmdir(folder);
    return scratch_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_has_the_parameters_that_transformers_counts),
        cmocka_unit_test(published_configurations_have_the_parameters_that_transformers_counts),
        cmocka_unit_test(families_that_transformers_lacks_are_counted_by_hand),
        cmocka_unit_test(every_family_is_planned),
        cmocka_unit_test(every_file_has_the_tensors_of_its_family),
        cmocka_unit_test(names_and_shapes_alone_give_parameters_and_cache),
        cmocka_unit_test(what_files_do_not_say_is_taken_from_options),
        cmocka_unit_test(towers_are_counted_or_left_out),
        cmocka_unit_test(linear_attention_keeps_a_state_of_one_size),
        cmocka_unit_test(delta_attention_keeps_a_state_beside_latent_rows),
        cmocka_unit_test(step_3_5_alone_is_the_text_of_3_7),
        cmocka_unit_test(layers_that_read_earlier_keys_keep_none),
        cmocka_unit_test(compressed_rows_stand_beside_a_window),
        cmocka_unit_test(keys_may_be_longer_than_values),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
