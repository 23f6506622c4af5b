/* Damaged and hostile files: each is refused by one sentence that names what is wrong. */
#include "common/json.h"
#include "labs/3_language/transformer/tests/opened.h"

// ---- files with one thing wrong ----

typedef struct Weights {
    Arena *arena;
    Param *items;
    int count;
} Weights;

static Weights weights_of(const char *fixture)
{
    Error err = {""};
    const char *path = arena_print(names, "%s/model.safetensors", fixture_path(fixture));
    Safetensors *file = safetensors_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    Weights w = {arena_new("weights", 1u << 24), NULL, file->count};
    w.items = arena_zeros(w.arena, ((size_t)file->count + 2) * sizeof *w.items);
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        Shape shape = {.dims = entry->dims};
        for (int d = 0; d < entry->dims; d++) shape.size[d] = (int)entry->shape[d];
        Tensor *x = tensor_of(w.arena, entry->type, shape);
        memcpy(x->data, entry->data, tensor_bytes(x));
        w.items[i] = (Param){.name = arena_print(w.arena, "%s", entry->name), .tensor = x};
    }
    safetensors_close(file);
    return w;
}

static Param *item(Weights *w, const char *name)
{
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->items[i].name, name) == 0) return &w->items[i];
    fail_msg("no '%s'", name);
    return NULL;
}

static void drop(Weights *w, const char *name)
{
    *item(w, name) = w->items[--w->count];
}

static Tensor *add(Weights *w, const char *name, Shape shape)
{
    Tensor *x = tensor_zeros(w->arena, shape);
    w->items[w->count++] = (Param){.name = name, .tensor = x};
    return x;
}

static const char *new_folder(void)
{
    static int count;
    const char *folder = scratch_path(arena_print(names, "folder%d", count++));
    assert_int_equal(mkdir(folder, 0777), 0);
    return folder;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    Error err = {""};
    assert_true(file_write(arena_print(names, "%s/%s", folder, name), text, &err));
}

// The fixture's config.json with some fields changed: {"field": value}, null takes it away.
static void write_config(const char *folder, const char *fixture, const char *changes)
{
    Error err = {""};
    cJSON *config = json_load(arena_print(names, "%s/config.json", fixture_path(fixture)), &err);
    cJSON *edits = cJSON_Parse(changes);
    if (edits == NULL) fail_msg("no JSON: %s", changes);
    const cJSON *edit;
    cJSON_ArrayForEach(edit, edits)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(config, edit->string);
        if (!cJSON_IsNull(edit))
            cJSON_AddItemToObject(config, edit->string, cJSON_Duplicate(edit, true));
    }
    char *text = cJSON_Print(config);
    write_file(folder, "config.json", text);
    cJSON_free(text);
    cJSON_Delete(config);
    cJSON_Delete(edits);
}

static void write_weights(const char *folder, const char *name, Weights *w)
{
    Error err = {""};
    if (!safetensors_write(arena_print(names, "%s/%s", folder, name), w->items, w->count,
                           &(SafetensorsPair){"format", "pt"}, 1, &err))
        fail_msg("%s", err.message);
}

static const char *folder_of(const char *fixture, Weights *w)
{
    const char *folder = new_folder();
    write_config(folder, fixture, "{}");
    write_weights(folder, "model.safetensors", w);
    arena_free(w->arena);
    return folder;
}

// ---- tensors ----

static void missing_tensors_are_named(void **state)
{
    (void)state;
    Weights w = weights_of("llama");
    drop(&w, "model.layers.1.mlp.up_proj.weight");
    assert_refused(folder_of("llama", &w),
                   "model.safetensors: lacks 'model.layers.1.mlp.up_proj.weight' [24,16]");
    w = weights_of("gpt2");
    drop(&w, "transformer.h.0.attn.c_attn.weight");
    assert_refused(folder_of("gpt2", &w), "lacks 'transformer.h.0.attn.c_attn.weight' [16,48]");
    w = weights_of("qwen3");
    drop(&w, "model.layers.0.self_attn.q_norm.weight");
    assert_refused(folder_of("qwen3", &w), "lacks 'model.layers.0.self_attn.q_norm.weight' [8]");
}

static void tensors_of_another_shape_are_named_with_both(void **state)
{
    (void)state;
    Weights w = weights_of("llama");
    Param *q = item(&w, "model.layers.0.self_attn.k_proj.weight");
    q->tensor = tensor_zeros(w.arena, SHAPE(16, 16));
    assert_refused(folder_of("llama", &w),
                   "'model.layers.0.self_attn.k_proj.weight' is [16,16], expected [8,16]");
    // Transposed: GPT-2's are, these are not.
    w = weights_of("llama");
    item(&w, "model.layers.0.mlp.up_proj.weight")->tensor = tensor_zeros(w.arena, SHAPE(16, 24));
    assert_refused(folder_of("llama", &w), "up_proj.weight' is [16,24], expected [24,16]");
    w = weights_of("llama");
    item(&w, "model.norm.weight")->tensor = tensor_zeros(w.arena, SHAPE(16, 1));
    assert_refused(folder_of("llama", &w), "'model.norm.weight' is [16,1], expected [16]");
}

static void tensors_that_are_left_over_are_named(void **state)
{
    (void)state;
    Weights w = weights_of("llama");
    add(&w, "model.layers.2.mlp.up_proj.weight", SHAPE(24, 16));
    assert_refused(
        folder_of("llama", &w),
        "holds 'model.layers.2.mlp.up_proj.weight', which a model of this configuration lacks");
    w = weights_of("llama");
    add(&w, "model.layers.0.self_attn.q_proj.bias", SHAPE(16));
    assert_refused(folder_of("llama", &w), "holds 'model.layers.0.self_attn.q_proj.bias'");
}

static void constants_of_old_files_are_left_out(void **state)
{
    (void)state;
    Weights w = weights_of("gpt2");
    add(&w, "transformer.h.0.attn.bias", SHAPE(1, 1, 32, 32));
    Opened *opened = open_path(folder_of("gpt2", &w));
    assert_logits(opened, "gpt2");
    close_opened(opened);
    w = weights_of("llama");
    add(&w, "model.layers.0.self_attn.rotary_emb.inv_freq", SHAPE(2));
    opened = open_path(folder_of("llama", &w));
    assert_logits(opened, "llama");
    close_opened(opened);
}

static void names_without_the_class_in_front_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"gpt2", "transformer."}, {"llama", "model."}};
    for (int c = 0; c < 2; c++) {
        Weights w = weights_of(cases[c][0]);
        const size_t length = strlen(cases[c][1]);
        for (int i = 0; i < w.count; i++)
            if (strncmp(w.items[i].name, cases[c][1], length) == 0) w.items[i].name += length;
        Opened *opened = open_path(folder_of(cases[c][0], &w));
        assert_logits(opened, cases[c][0]);
        close_opened(opened);
    }
}

static void integer_tensors_are_named(void **state)
{
    (void)state;
    Weights w = weights_of("llama");
    Param *norm = item(&w, "model.norm.weight");
    norm->tensor = tensor_from_ints(w.arena, SHAPE(16), (int32_t[16]){1});
    assert_refused(folder_of("llama", &w),
                   "'model.norm.weight' is of I32, which cannot be read as numbers");
}

// ---- the head ----

static void head_that_is_missing_though_untied_is_named(void **state)
{
    (void)state;
    Weights w = weights_of("llama");
    drop(&w, "lm_head.weight");
    assert_refused(folder_of("llama", &w),
                   "lacks 'lm_head.weight' [40,16], and the configuration says "
                   "that the head is not tied");
}

static void head_of_a_tied_model_must_be_the_embedding(void **state)
{
    (void)state;
    Weights w = weights_of("qwen2");
    Tensor *head = add(&w, "lm_head.weight", SHAPE(40, 16));
    tensor_copy(head, item(&w, "model.embed_tokens.weight")->tensor);
    Opened *opened = open_path(folder_of("qwen2", &w));
    assert_logits(opened, "qwen2");
    close_opened(opened);
    w = weights_of("qwen2");
    head = add(&w, "lm_head.weight", SHAPE(40, 16));
    tensor_copy(head, item(&w, "model.embed_tokens.weight")->tensor);
    tensor_floats(head)[639] += 1;
    assert_refused(folder_of("qwen2", &w), "'lm_head.weight' differs from the embedding, and the "
                                           "configuration says that they are tied");
    w = weights_of("qwen2");
    add(&w, "lm_head.weight", SHAPE(40, 15));
    assert_refused(folder_of("qwen2", &w), "'lm_head.weight' differs from the embedding");
}

// ---- shards ----

static void link_fixture(const char *folder, const char *fixture, const char *name)
{
    const char *path = arena_print(names, "%s/%s", fixture_path(fixture), name);
    assert_int_equal(symlink(path, arena_print(names, "%s/%s", folder, name)), 0);
}

static const char SHARD[] = "model-0000%d-of-00003.safetensors";

static const char *sharded(int without)
{
    const char *folder = new_folder();
    link_fixture(folder, "llama_sharded", "config.json");
    link_fixture(folder, "llama_sharded", "model.safetensors.index.json");
    for (int i = 1; i <= 3; i++)
        if (i != without) link_fixture(folder, "llama_sharded", arena_print(names, SHARD, i));
    return folder;
}

static void shards_that_are_absent_are_named_with_the_index(void **state)
{
    (void)state;
    Opened *opened = open_path(sharded(0));
    assert_logits(opened, "llama_sharded");
    close_opened(opened);
    const char *folder = sharded(2);
    assert_refused(folder, "model.safetensors.index.json: ");
    assert_refused(folder, "model-00002-of-00003.safetensors");
}

static void write_index(const char *folder, const char *text)
{
    const char *path = arena_print(names, "%s/model.safetensors.index.json", folder);
    assert_int_equal(unlink(path), 0);
    write_file(folder, "model.safetensors.index.json", text);
}

static void indices_that_are_wrong_are_refused(void **state)
{
    (void)state;
    const char *folder = sharded(0);
    write_index(folder,
                "{\"weight_map\": {\"model.norm.weight\": \"model-00001-of-00003.safetensors\"}}");
    assert_refused(folder,
                   "names 'model.norm.weight' in model-00001-of-00003.safetensors, which does not "
                   "hold it");
    folder = sharded(0);
    write_index(folder, "{\"weight_map\": {\"model.norm.weight\": \"../../etc/passwd\"}}");
    assert_refused(folder, "weight_map has '../../etc/passwd'");
    folder = sharded(0);
    write_index(folder, "{\"metadata\": {}}");
    assert_refused(folder, "has no object \"weight_map\"");
    folder = sharded(0);
    write_index(folder, "{\"weight_map\": {}}");
    assert_refused(folder, "weight_map names no files");
    folder = sharded(0);
    write_index(folder, "{\"weight_map\": ");
    assert_refused(folder, "is not JSON from here on");
    // All three are named by the file of one tensor alone, and the rest is in none.
    folder = sharded(0);
    write_index(folder,
                "{\"weight_map\": {\"model.norm.weight\": \"model-00003-of-00003.safetensors\"}}");
    assert_refused(folder, "lacks 'model.embed_tokens.weight'");
}

static void tensors_in_two_shards_are_named(void **state)
{
    (void)state;
    const char *folder = new_folder();
    write_config(folder, "llama", "{}");
    Weights w = weights_of("llama");
    write_weights(folder, "model-00001-of-00002.safetensors", &w);
    w.items[0] = *item(&w, "model.norm.weight");
    w.count = 1;
    write_weights(folder, "model-00002-of-00002.safetensors", &w);
    arena_free(w.arena);
    assert_refused(arena_print(names, "%s/model-00001-of-00002.safetensors", folder),
                   "model-00002-of-00002.safetensors: holds 'model.norm.weight', as ");
}

// ---- config.json ----

static void configurations_that_cannot_be_are_refused_by_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *fixture, *changes, *why;
    } cases[] = {
        {"llama", "{\"model_type\": \"gemma\"}",
         "config.json: \"model_type\" is \"gemma\", expected gpt2, llama, mistral, qwen2 or qwen3"},
        {"llama", "{\"model_type\": null}", "\"model_type\" is \"\""},
        {"llama", "{\"model_type\": 7}", "\"model_type\" is 7, expected a text"},
        {"llama", "{\"hidden_size\": null}",
         "\"hidden_size\" is missing, expected a whole number from 1"},
        {"llama", "{\"hidden_size\": 0}", "\"hidden_size\" is 0, expected a whole number from 1"},
        {"llama", "{\"hidden_size\": -16}", "\"hidden_size\" is -16"},
        {"llama", "{\"hidden_size\": 16.5}", "\"hidden_size\" is 16.5"},
        {"llama", "{\"hidden_size\": 1e300}", "\"hidden_size\" is 1e+300"},
        {"llama", "{\"hidden_size\": \"16\"}", "\"hidden_size\" is the text \"16\""},
        {"llama", "{\"hidden_size\": 1000000000}", "is [40,16], expected [40,1000000000]"},
        {"llama", "{\"hidden_size\": 1000000000, \"intermediate_size\": 100000000}",
         "expected at most 2^40"},
        {"llama", "{\"max_position_embeddings\": 1000000000}",
         "the context is 1000000000, expected 1 to 16777216"},
        {"llama", "{\"num_hidden_layers\": 1000000000}", "the number of layers is 1000000000"},
        {"llama", "{\"vocab_size\": 1073741824}",
         "the vocabulary is 1073741824, expected 1 to 1073741823"},
        {"llama", "{\"head_dim\": null, \"hidden_size\": 18}",
         "config.json: a width of 18 does not divide into 4 heads"},
        {"gpt2", "{\"n_head\": 3}", "config.json: a width of 16 does not divide into 3 heads"},
        {"llama", "{\"num_key_value_heads\": 3}",
         "4 heads cannot share 3 heads of keys and values"},
        {"llama", "{\"num_key_value_heads\": 8}",
         "4 heads cannot share 8 heads of keys and values"},
        {"llama", "{\"head_dim\": 5}", "a head has 5 numbers, expected an even number to rotate"},
        {"llama", "{\"head_dim\": 1000000000}", "4 heads of 1000000000 numbers"},
        {"llama", "{\"rms_norm_eps\": 2}", "\"rms_norm_eps\" is 2, expected a number from 0 to 1"},
        {"llama", "{\"hidden_act\": \"gelu\"}", "\"hidden_act\" is \"gelu\", expected silu"},
        {"gpt2", "{\"activation_function\": \"relu\"}",
         "\"activation_function\" is \"relu\", expected gelu_new or gelu"},
        {"gpt2", "{\"scale_attn_by_inverse_layer_idx\": true}",
         "\"scale_attn_by_inverse_layer_idx\" is true, which is not supported"},
        {"llama", "{\"tie_word_embeddings\": 1}",
         "\"tie_word_embeddings\" is 1, expected true or false"},
        {"llama", "{\"quantization_config\": {\"bits\": 4}}", "\"quantization_config\" says"},
        {"mistral", "{\"sliding_window\": 8}",
         "\"sliding_window\" is 8, less than the context of 32"},
        {"qwen2", "{\"use_sliding_window\": true, \"sliding_window\": 8, \"max_window_layers\": 1}",
         "\"sliding_window\" is 8"},
        {"qwen3", "{\"layer_types\": [\"full_attention\", \"sliding_attention\"]}",
         "\"layer_types\" has \"sliding_attention\""},
        {"llama", "{\"eos_token_id\": [1,2,3,4,5,6,7,8,9]}",
         "\"eos_token_id\" is not a list of at most 8"},
        {"llama", "{\"eos_token_id\": [\"a\"]}", "\"eos_token_id\" is not a list of at most 8"},
        {"llama", "{\"rope_parameters\": {\"rope_type\": \"longrope\"}}",
         "config.json: rope_parameters: \"rope_type\" is \"longrope\", expected default, linear"},
        {"llama", "{\"rope_scaling\": {\"type\": \"linear\"}}",
         "config.json: rope_scaling: \"factor\" is missing"},
        {"llama", "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}}", "\"factor\" is 0"},
        {"llama", "{\"rope_scaling\": 2}", "\"rope_scaling\" is 2, expected an object"},
        {"llama", "{\"rope_scaling\": []}", "\"rope_scaling\" is a list, expected an object"},
        {"llama", "{\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8}}",
         "\"low_freq_factor\" is 0"},
        {"llama", "{\"rope_parameters\": {\"rope_theta\": -1}}", "\"rope_theta\" is -1"},
        {"llama", "{\"rope_parameters\": {\"partial_rotary_factor\": 0.5}}",
         "\"partial_rotary_factor\" is not 1"},
        {"llama", "{\"rope_parameters\": [1]}",
         "\"rope_parameters\" is a list, expected an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = new_folder();
        link_fixture(folder, cases[i].fixture, "model.safetensors");
        write_config(folder, cases[i].fixture, cases[i].changes);
        assert_refused(folder, cases[i].why);
    }
}

static void folders_that_are_not_whole_are_refused(void **state)
{
    (void)state;
    const char *folder = new_folder();
    assert_refused(folder, "has neither a config.json nor safetensors files");
    link_fixture(folder, "llama", "config.json");
    assert_refused(folder, "has no safetensors files");
    folder = new_folder();
    link_fixture(folder, "llama", "model.safetensors");
    assert_refused(folder, "has no config.json beside it");
    write_file(folder, "config.json", "{\"model_type\": \"llama\"");
    assert_refused(folder, "config.json:1: is not JSON from here on");
    folder = new_folder();
    link_fixture(folder, "llama", "config.json");
    write_file(folder, "model.safetensors", "");
    assert_refused(folder, "model.safetensors: ");
    write_file(folder, "adapter_config.json", "{}");
    assert_refused(scratch_path("absent"), "absent: does not exist");
    write_file(folder, "notes.txt", "text");
    assert_refused(arena_print(names, "%s/notes.txt", folder), "is not a model that can be read");
}

static void adapters_are_refused(void **state)
{
    (void)state;
    const char *folder = new_folder();
    link_fixture(folder, "llama", "config.json");
    link_fixture(folder, "llama", "model.safetensors");
    write_file(folder, "adapter_config.json", "{}");
    assert_refused(folder, "adapter_config.json: is an adapter (LoRA), expected a whole model");
}

// ---- every byte of a file ----

static char *bytes_of(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(names, 1u << 16);
    *size = fread(bytes, 1, 1u << 16, file);
    fclose(file);
    return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

// What was opened in spite of its damage must be whole enough to be read.
static void open_anything(const char *path)
{
    Error err = {""};
    ModelFile *file = model_file_open(path, &err);
    if (file == NULL) {
        assert_int_not_equal(err.message[0], '\0');
        return;
    }
    if (file->config.rotary && file->config.context > 64) file->config.context = 64;
    Arena *keep = arena_new("keep", model_config_room(&file->config));
    Params *params = params_new(keep);
    params->frozen = true;
    model_file_read(file, params);
    arena_free(keep);
    model_file_close(file);
}

// Each byte of the first `count` is changed, and the file is cut after some of them.
static void damage(const char *path, const char *opened_as, size_t count)
{
    size_t size;
    char *bytes = bytes_of(path, &size);
    for (size_t i = 0; i < count && i < size; i++) {
        const char before = bytes[i];
        const char changed[] = {(char)(before ^ 1), (char)(before ^ 0x80), '9', 0};
        for (size_t c = 0; c < sizeof changed; c++) {
            bytes[i] = changed[c];
            write_bytes(path, bytes, size);
            open_anything(opened_as);
        }
        bytes[i] = before;
        if (i % 7 != 0) continue;
        write_bytes(path, bytes, i);
        assert_refused(opened_as, "");
    }
    write_bytes(path, bytes, size);
    open_anything(opened_as);
}

static void changed_and_cut_files_are_refused_or_read_within_their_bytes(void **state)
{
    (void)state;
    Error err = {""};
    Opened *opened = open_fixture("qwen2");
    const char *folder = scratch_path("damaged"), *gguf = scratch_path("damaged.gguf");
    assert_true(
        folder_write(folder, &opened->model.config, opened->params, (FolderOptions){0}, &err));
    assert_true(gguf_model_write(gguf, &opened->model.config, opened->params, NULL, &err));
    damage(arena_print(names, "%s/config.json", folder), folder, 900);
    damage(arena_print(names, "%s/model.safetensors", folder), folder, 300);
    damage(gguf, gguf, 1500);
    close_opened(opened);
}

// ---- GGUF ----

static void gguf_files_of_other_models_are_refused(void **state)
{
    (void)state;
    Error err = {""};
    Opened *opened = open_fixture("llama");
    const char *path = scratch_path("other.gguf");
    assert_true(gguf_model_write(path, &opened->model.config, opened->params, NULL, &err));
    close_opened(opened);
    size_t size;
    char *bytes = bytes_of(path, &size);
    static const struct {
        const char *from, *to, *why;    // of the same length
    } cases[] = {
        {"llama", "mamba", "its architecture is 'mamba', expected gpt2, llama, qwen2 or qwen3"},
        {"llama.block_count", "llama.block_coant", "'llama.block_count' is missing"},
        {"blk.1.ffn_up.weight", "blk.7.ffn_up.weight", "lacks 'blk.1.ffn_up.weight' [24,16]"},
        {"token_embd.weight", "token_ambd.weight", "lacks a 'token_embd.weight'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t length = strlen(cases[i].from);
        char *at = memmem(bytes, size, cases[i].from, length);
        assert_non_null(at);
        memcpy(at, cases[i].to, length);
        write_bytes(path, bytes, size);
        assert_refused(path, cases[i].why);
        memcpy(at, cases[i].from, length);
    }
}

// ---- llama2.c ----

static void llama2_c_files_that_do_not_fit_their_header_are_refused(void **state)
{
    (void)state;
    const char *path = scratch_path("small.bin");
    // width, ff, layers, heads, kv heads, vocabulary, context
    static const struct {
        int32_t header[7];
        size_t more;    // bytes behind it
        const char *why;
    } cases[] = {
        {{8, 8, 1, 2, 2, 4, 4}, 100, "has 128 bytes, expected 2108 by its header"},
        {{8, 8, 1, 3, 3, 4, 4}, 100, "a width of 8 does not divide into 3 heads"},
        {{8, 8, 1, 2, 0, 4, 4}, 100, "the number of key-value heads is 0"},
        {{8, 8, -1, 2, 2, 4, 4}, 100, "the number of layers is -1"},
        {{0, 8, 1, 2, 2, 4, 4}, 100, "begins with a width of 0 and 2 heads"},
        {{8, 8, 1, 2, 2, INT32_MIN, 4}, 100, "begins with a width of 8"},
        {{0x616b3432, 1, 1, 2, 2, 4, 4}, 100, "is a llama2.c file of a later version"},
        {{1 << 20, 1 << 20, 60000, 1, 1, 1 << 20, 4}, 100, "expected at most 2^40"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[200] = "";
        memcpy(bytes, cases[i].header, sizeof cases[i].header);
        write_bytes(path, bytes, sizeof cases[i].header + cases[i].more);
        assert_refused(path, cases[i].why);
    }
    write_bytes(path, "short", 5);
    assert_refused(path, "has 5 bytes, fewer than the header of a llama2.c file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_tensors_are_named),
        cmocka_unit_test(tensors_of_another_shape_are_named_with_both),
        cmocka_unit_test(tensors_that_are_left_over_are_named),
        cmocka_unit_test(constants_of_old_files_are_left_out),
        cmocka_unit_test(names_without_the_class_in_front_are_read),
        cmocka_unit_test(integer_tensors_are_named),
        cmocka_unit_test(head_that_is_missing_though_untied_is_named),
        cmocka_unit_test(head_of_a_tied_model_must_be_the_embedding),
        cmocka_unit_test(shards_that_are_absent_are_named_with_the_index),
        cmocka_unit_test(indices_that_are_wrong_are_refused),
        cmocka_unit_test(tensors_in_two_shards_are_named),
        cmocka_unit_test(configurations_that_cannot_be_are_refused_by_the_field),
        cmocka_unit_test(folders_that_are_not_whole_are_refused),
        cmocka_unit_test(adapters_are_refused),
        cmocka_unit_test(changed_and_cut_files_are_refused_or_read_within_their_bytes),
        cmocka_unit_test(gguf_files_of_other_models_are_refused),
        cmocka_unit_test(llama2_c_files_that_do_not_fit_their_header_are_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
