/* Folders that libraries of quantization wrote (make_quantized.py): bytes predicted from their config.json alone,
 * and what is read from their files' headers. The files here are headers with a hole for the numbers.
 */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

static char root[] = "/tmp/test_kn_quantized_XXXXXX";

static int make_root(void **state)
{
    if (mkdtemp(root) == NULL) return -1;
    return scratch_begin(state);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static int remove_root(void **state)
{
    nftw(root, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    return scratch_end(state);
}

// ---- a folder ----

static FILE *begin_file(const char *folder, const char *name)
{
    FILE *file = fopen(arena_print(arena, "%s/%s", folder, name), "wb");
    assert_non_null(file);
    return file;
}

static void write_json(const char *folder, const char *name, const cJSON *tree)
{
    char *text = cJSON_PrintUnformatted(tree);
    FILE *file = begin_file(folder, name);
    fputs(text, file);
    fclose(file);
    cJSON_free(text);
}

// Layers of the same name that come before: some differ in their bytes.
static int layers_before(const cJSON *tensor)
{
    const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring;
    int count = 0;
    // cJSON's first of a list has the last as its previous.
    for (const cJSON *t = tensor->prev; t->next != NULL; t = t->prev)
        if (strcmp(cJSON_GetArrayItem(t, 0)->valuestring, name) == 0)
            count += cJSON_GetArrayItem(t, 4)->valueint;
    return count;
}

// [name, type, shape, bytes, count], where '#' stands for as many layers.
static void add_tensor(cJSON *header, const cJSON *tensor, uint64_t *at)
{
    const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring, *mark = strchr(name, '#');
    uint64_t bytes = (uint64_t)cJSON_GetArrayItem(tensor, 3)->valuedouble;
    int count = cJSON_GetArrayItem(tensor, 4)->valueint, first = layers_before(tensor);
    for (int l = first; l < first + count; l++) {
        cJSON *one = cJSON_CreateObject(), *offsets = cJSON_CreateArray();
        cJSON_AddItemToObject(one, "dtype", cJSON_Duplicate(cJSON_GetArrayItem(tensor, 1), true));
        cJSON_AddItemToObject(one, "shape", cJSON_Duplicate(cJSON_GetArrayItem(tensor, 2), true));
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*at));
        *at += bytes;
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*at));
        cJSON_AddItemToObject(one, "data_offsets", offsets);
        int head = mark != NULL ? (int)(mark - name) : (int)strlen(name);
        cJSON_AddItemToObject(
            header, mark != NULL ? arena_print(arena, "%.*s%d%s", head, name, l, mark + 1) : name,
            one);
    }
}

// Its bytes of tensors.
static uint64_t write_tensors(const char *folder, const cJSON *tensors)
{
    uint64_t at = 0;
    const cJSON *tensor;
    cJSON *header = cJSON_CreateObject();
    cJSON_ArrayForEach(tensor, tensors)
    {
        add_tensor(header, tensor, &at);
    }
    char *text = cJSON_PrintUnformatted(header);
    uint64_t length = strlen(text);
    FILE *file = begin_file(folder, "model.safetensors");
    for (int i = 0; i < 8; i++) fputc((int)(length >> 8 * i & 255), file);
    fputs(text, file);
    fflush(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)(8 + length + at)), 0);
    fclose(file);
    cJSON_free(text);
    cJSON_Delete(header);
    return at;
}

static const char *write_folder(const cJSON *folder)
{
    static int count;
    const char *at = arena_print(arena, "%s/%d", root, count++);
    const cJSON *beside;
    assert_int_equal(mkdir(at, 0777), 0);
    write_json(at, "config.json", fixture_get(folder, "config"));
    cJSON_ArrayForEach(beside, cJSON_GetObjectItemCaseSensitive(folder, "beside"))
    {
        write_json(at, beside->string, beside);
    }
    return at;
}

// ---- what it holds ----

// Some bytes for each matrix that are no weights: tables of values, scales of activations, and settings, which
// are integers or text.
static bool is_beside(const cJSON *tensor)
{
    static const char *const words[] = {"quant_map", "quant_state", "input_scale", "output_scale"};
    const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring,
               *type = cJSON_GetArrayItem(tensor, 1)->valuestring;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i]) != NULL) return true;
    return strpbrk(type, "UI") == type && cJSON_GetArrayItem(tensor, 3)->valuedouble < 32;
}

static void expect_bytes(const cJSON *folder, const Model *model)
{
    Error err = {""};
    WeightBytes bytes;
    if (!format_weights(arena, model, NULL, &bytes, &err))
        fail_msg("%s: %s", folder->string, err.message);
    uint64_t held = 0, double_quantized = 0;
    const cJSON *tensor;
    cJSON_ArrayForEach(tensor, fixture_get(folder, "tensors"))
    {
        const char *name = cJSON_GetArrayItem(tensor, 0)->valuestring;
        uint64_t count = (uint64_t)cJSON_GetArrayItem(tensor, 4)->valuedouble;
        if (strstr(name, "nested_quant_map") != NULL) double_quantized += count;
        if (!is_beside(tensor))
            held += count * (uint64_t)cJSON_GetArrayItem(tensor, 3)->valuedouble;
    }
    // The number that the scales are counted from is a tensor in memory, and text in the file.
    fixture_equal(folder->string, "bytes of the folder", bytes.bytes, held + 4 * double_quantized);
}

// From config.json, without any file of weights; then with the headers, which have to say the same.
static void expect_folder(const cJSON *folder)
{
    Error err = {""};
    const char *at = write_folder(folder);
    Model *alone = model_open(arena, arena_print(arena, "%s/config.json", at), &err);
    if (alone == NULL) fail_msg("%s: %s", folder->string, err.message);
    expect_bytes(folder, alone);
    uint64_t stored = write_tensors(at, fixture_get(folder, "tensors"));
    Model *read = model_open(arena, at, &err);
    WeightBytes bytes;
    if (read == NULL || !format_weights(arena, read, NULL, &bytes, &err))
        fail_msg("%s: %s", folder->string, err.message);
    fixture_equal(folder->string, "parameters by the headers", model_params(read),
                  model_params(alone));
    fixture_equal(folder->string, "bytes by the headers", bytes.bytes, stored);
}

static void folders_hold_what_is_predicted_and_read(void **state)
{
    (void)state;
    cJSON *fixture = fixture_load("quantized.json");
    const cJSON *folder;
    int count = 0;
    cJSON_ArrayForEach(folder, fixture_get(fixture, "folders"))
    {
        expect_folder(folder);
        count++;
    }
    assert_true(count >= 40);
    cJSON_Delete(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_hold_what_is_predicted_and_read),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
