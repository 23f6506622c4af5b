/* The files of one checkpoint: which are taken, what they hold, and what does not belong together. */
#include "common/shards.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static Arena *arena;
static char root[] = "/tmp/test_shards_XXXXXX", folder[64];

static int make_root(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 24);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    arena_free(arena);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin_folder(void)
{
    static int cases;
    snprintf(folder, sizeof folder, "%s/%d", root, cases++);
    assert_int_equal(mkdir(folder, 0777), 0);
}

static const char *in_folder(const char *name)
{
    return arena_print(arena, "%s/%s", folder, name);
}

// One tensor of three numbers, of which the first is `value`.
static void put(const char *file, const char *tensor, float value)
{
    Error err = {""};
    Tensor *x = tensor_from(arena, SHAPE(3), (float[]){value, 0, 0});
    if (!safetensors_write(in_folder(file), &(Param){.name = tensor, .tensor = x}, 1, NULL, 0,
                           &err))
        fail_msg("%s", err.message);
}

static void put_text(const char *file, const char *text)
{
    Error err = {""};
    assert_true(file_write(in_folder(file), text, &err));
}

static float value_of(const Shards *shards, const char *tensor)
{
    const ShardTensor *found = shards_find(shards, tensor);
    float value;
    if (found == NULL) fail_msg("no '%s'", tensor);
    memcpy(&value, found->entry->data, sizeof value);
    return value;
}

static void refuses(const char *path, const char *sentence)
{
    Shards shards;
    Error err = {""};
    if (shards_open(&shards, arena, path, &err)) fail_msg("opened, expected: %s", sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("got \"%s\"\n  expected \"%s\"", err.message, sentence);
    shards_close(&shards);
}

static void an_index_is_taken_before_other_files_with_its_tensors_mapped(void **state)
{
    (void)state;
    begin_folder();
    put("one.safetensors", "a", 1);
    put("two.safetensors", "b", 2);
    put("model.safetensors", "a", 7);
    put_text("model.safetensors.index.json",
             "{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}");
    Shards shards;
    Error err = {""};
    if (!shards_open(&shards, arena, folder, &err)) fail_msg("%s", err.message);
    assert_int_equal(shards.file_count, 2);
    assert_int_equal(shards.count, 2);
    assert_true(value_of(&shards, "a") == 1 && value_of(&shards, "b") == 2);
    assert_null(shards_find(&shards, "c"));
    shards_close(&shards);
    // Headers alone.
    assert_true(shards_open_headers(&shards, arena, folder, &err));
    assert_null(shards_find(&shards, "a")->entry->data);
    shards_close(&shards);
}

static void parts_are_found_by_the_name_of_any(void **state)
{
    (void)state;
    begin_folder();
    put("m-00001-of-00002.safetensors", "a", 1);
    put("m-00002-of-00002.safetensors", "b", 2);
    Shards shards;
    Error err = {""};
    assert_true(shards_open(&shards, arena, in_folder("m-00002-of-00002.safetensors"), &err));
    assert_true(value_of(&shards, "a") == 1 && value_of(&shards, "b") == 2);
    shards_close(&shards);
}

static void a_file_alone_has_its_config_beside_it(void **state)
{
    (void)state;
    begin_folder();
    put("model.safetensors", "a", 1);
    Shards shards;
    Error err = {""};
    assert_true(shards_open(&shards, arena, in_folder("model.safetensors"), &err));
    assert_null(shards.config);
    shards_close(&shards);
    put_text("config.json", "{}");
    assert_true(shards_open(&shards, arena, folder, &err));
    assert_string_equal(shards.config, in_folder("config.json"));
    assert_null(shards.index);
    shards_close(&shards);
}

static void what_does_not_belong_together_is_refused(void **state)
{
    (void)state;
    begin_folder();
    put("one.safetensors", "a", 1);
    put("two.safetensors", "a", 2);
    refuses(folder, "two.safetensors: holds 'a', as ");
    put_text("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"three.safetensors\"}}");
    refuses(folder, "three.safetensors");
    put_text("model.safetensors.index.json", "{\"weight_map\": {\"b\": \"one.safetensors\"}}");
    refuses(folder, "names 'b' in one.safetensors, which does not hold it");
    put_text("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"../one.safetensors\"}}");
    refuses(folder, "weight_map has '../one.safetensors' for 'a'");
    put_text("model.safetensors.index.json", "{\"weight_map\": {\"a\": 7}}");
    refuses(folder, "weight_map has '' for 'a'");
    put_text("model.safetensors.index.json", "{}");
    refuses(folder, "has no object \"weight_map\"");
    refuses("/no/such/folder", "/no/such/folder: cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_is_taken_before_other_files_with_its_tensors_mapped),
        cmocka_unit_test(parts_are_found_by_the_name_of_any),
        cmocka_unit_test(a_file_alone_has_its_config_beside_it),
        cmocka_unit_test(what_does_not_belong_together_is_refused),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
