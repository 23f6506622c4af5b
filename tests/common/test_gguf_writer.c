/* What is written as GGUF is read back by gguf.h; nothing is seen of a file that is not finished. */
#include "common/gguf_writer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/gguf.h"
#include "tests/skip.h"
#include "tests/stops.h"

static char folder[] = "/tmp/test_gguf_writer_XXXXXX", path[64];

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/model.gguf", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static GgufWriter *begin(void)
{
    Error err = {""};
    GgufWriter *out = gguf_writer_open(path, &err);
    if (out == NULL) fail_msg("%s", err.message);
    return out;
}

static Gguf *finished(GgufWriter *out)
{
    Error err = {""};
    if (!gguf_writer_commit(out, &err)) fail_msg("%s", err.message);
    Gguf *file = gguf_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    return file;
}

static void settings_are_read_back(void **state)
{
    (void)state;
    GgufWriter *out = begin();
    gguf_writer_text(out, "general.architecture", "llama");
    gguf_writer_integer(out, "llama.block_count", 4000000000u);
    gguf_writer_real(out, "llama.rope.freq_base", 0.1f);
    gguf_writer_bool(out, "yes", true);
    gguf_writer_texts(out, "texts", (const char *[]){"a\0b", "", "xyz"}, (size_t[]){3, 0, 2}, 3);
    gguf_writer_integers(out, "integers", (int32_t[]){-1, 7}, 2);
    gguf_writer_reals(out, "reals", (float[]){1.5f, -2}, 2);
    gguf_writer_texts(out, "none", NULL, NULL, 0);
    Gguf *file = finished(out);
    Error err = {""};
    GgufText text = {NULL, 0};
    uint64_t integer = 0;
    double real = 0;
    bool truth = false;
    assert_int_equal(file->version, 3);
    assert_int_equal(file->value_count, 8);
    assert_true(gguf_text(file, "general.architecture", &text, &err));
    assert_int_equal(text.length, 5);
    assert_memory_equal(text.bytes, "llama", 5);
    assert_true(gguf_integer(file, "llama.block_count", 0, &integer, &err));
    assert_int_equal(integer, 4000000000u);
    assert_true(gguf_real(file, "llama.rope.freq_base", 0, &real, &err));
    assert_true((float)real == 0.1f);
    assert_true(gguf_bool_at(gguf_value(file, "yes"), 0, &truth) && truth);
    static const GgufText want[] = {{"a\0b", 3}, {"", 0}, {"xy", 2}};
    text = (GgufText){NULL, 0};
    for (int i = 0; i < 3; i++) {
        assert_true(gguf_next_text(gguf_value(file, "texts"), &text));
        assert_int_equal(text.length, want[i].length);
        assert_memory_equal(text.bytes, want[i].bytes, want[i].length);
    }
    assert_false(gguf_integer_at(gguf_value(file, "integers"), 0, &integer));    // negative
    assert_true(gguf_integer_at(gguf_value(file, "integers"), 1, &integer));
    assert_int_equal(integer, 7);
    assert_true(gguf_real_at(gguf_value(file, "reals"), 1, &real) && real == -2);
    assert_int_equal(gguf_value(file, "none")->count, 0);
    gguf_close(file);
}

static void tensors_are_read_back_aligned(void **state)
{
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6}, y[1] = {7};
    const uint8_t q[34] = {1, 2, 3};    // one block of Q8_0
    GgufWriter *out = begin();
    gguf_writer_tensor(out, "x", DTYPE_F32, 2, (uint64_t[]){3, 2});
    gguf_writer_tensor(out, "y", DTYPE_F32, 1, (uint64_t[]){1});
    gguf_writer_tensor(out, "q", DTYPE_Q8_0, 1, (uint64_t[]){32});
    gguf_writer_integer(out, "after.tensors", 1);    // in any order before the data
    gguf_writer_data(out, x, sizeof x);
    gguf_writer_data(out, y, sizeof y);
    gguf_writer_data(out, q, sizeof q);
    Gguf *file = finished(out);
    assert_int_equal(file->tensor_count, 3);
    const GgufTensor *tensor = gguf_tensor(file, "x");
    assert_int_equal(tensor->shape[0], 3);
    assert_int_equal(tensor->shape[1], 2);
    assert_memory_equal(tensor->data, x, sizeof x);
    assert_memory_equal(gguf_tensor(file, "y")->data, y, sizeof y);
    assert_memory_equal(gguf_tensor(file, "q")->data, q, sizeof q);
    assert_int_equal(gguf_tensor(file, "q")->type, DTYPE_Q8_0);
    for (int i = 0; i < 3; i++) assert_int_equal((uintptr_t)file->tensors[i].data % 32, 0);
    gguf_close(file);
}

static void files_that_are_not_finished_are_not_seen(void **state)
{
    (void)state;
    unlink(path);
    GgufWriter *out = begin();
    gguf_writer_tensor(out, "x", DTYPE_F32, 1, (uint64_t[]){2});
    gguf_writer_data(out, (float[]){1, 2}, 8);
    assert_int_not_equal(access(path, F_OK), 0);
    gguf_writer_abandon(out);
    assert_int_not_equal(access(path, F_OK), 0);
    gguf_writer_abandon(NULL);
    Error err = {""};
    assert_null(gguf_writer_open("/no/such/folder/model.gguf", &err));
    assert_non_null(strstr(err.message, "/no/such/folder/model.gguf"));
}

static void wrong_orders_stop_the_program(void **state)
{
    (void)state;
    GgufWriter *out = begin();
    gguf_writer_tensor(out, "x", DTYPE_F32, 1, (uint64_t[]){2});
    stops_with("has 0 bytes of data, expected 32 for its tensors", gguf_writer_commit(out, NULL));
    stops_with("a GGUF file has no F8_E4M3",
               gguf_writer_tensor(out, "y", DTYPE_F8_E4M3, 1, (uint64_t[]){2}));
    gguf_writer_data(out, (float[]){1, 2}, 8);
    stops_with("'late' comes after the data", gguf_writer_integer(out, "late", 1));
    stops_with("'late' comes after the data",
               gguf_writer_tensor(out, "late", DTYPE_F32, 1, (uint64_t[]){2}));
    gguf_writer_abandon(out);
}

static void values_of_another_file_are_copied(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "", "xyz"};
    GgufWriter *out = begin();
    gguf_writer_text(out, "text", "llama");
    gguf_writer_bool(out, "yes", true);
    gguf_writer_real(out, "real", -2.5f);
    gguf_writer_texts(out, "texts", texts, (size_t[]){1, 0, 3}, 3);
    gguf_writer_integers(out, "integers", (int32_t[]){-1, 7}, 2);
    gguf_writer_texts(out, "none", NULL, NULL, 0);
    Gguf *first = finished(out);
    out = begin();
    for (int i = 0; i < first->value_count; i++) gguf_writer_copy(out, &first->values[i]);
    Gguf *second = finished(out);
    assert_int_equal(second->value_count, first->value_count);
    assert_int_equal(second->view.size, first->view.size);
    assert_memory_equal(second->view.bytes, first->view.bytes, first->view.size);
    gguf_close(first);
    gguf_close(second);
}

static void parts_are_one_tensor(void **state)
{
    (void)state;
    const float x[5] = {1, 2, 3, 4, 5}, y[3] = {6, 7, 8};
    GgufWriter *out = begin();
    gguf_writer_tensor(out, "x", DTYPE_F32, 1, (uint64_t[]){5});
    gguf_writer_tensor(out, "y", DTYPE_F32, 1, (uint64_t[]){3});
    const uint64_t bytes = gguf_writer_bytes(out);
    gguf_writer_part(out, x, 4);
    gguf_writer_part(out, x + 1, 16);
    gguf_writer_end_data(out);
    gguf_writer_data(out, y, sizeof y);
    assert_int_equal(gguf_writer_bytes(out), bytes);
    assert_false(gguf_writer_failed(out));
    Gguf *file = finished(out);
    assert_int_equal(file->view.size, bytes);
    assert_memory_equal(gguf_tensor(file, "x")->data, x, sizeof x);
    assert_memory_equal(gguf_tensor(file, "y")->data, y, sizeof y);
    gguf_close(file);
}

// A write that failed may leave tensors out: the sentence is what counts.
static void a_full_disk_is_reported_at_the_end(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) SKIP("no /dev/full", "on Linux");
    Error err = {""};
    GgufWriter *out = gguf_writer_open("/dev/full", &err);
    assert_non_null(out);
    float *numbers = calloc(1 << 20, sizeof *numbers);
    gguf_writer_tensor(out, "x", DTYPE_F32, 1, (uint64_t[]){1 << 20});
    gguf_writer_tensor(out, "y", DTYPE_F32, 1, (uint64_t[]){1 << 20});
    gguf_writer_data(out, numbers, sizeof *numbers << 20);
    free(numbers);
    assert_true(gguf_writer_failed(out));
    assert_false(gguf_writer_commit(out, &err));
    assert_non_null(strstr(err.message, "No space left on device"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read_back),
        cmocka_unit_test(tensors_are_read_back_aligned),
        cmocka_unit_test(files_that_are_not_finished_are_not_seen),
        cmocka_unit_test(wrong_orders_stop_the_program),
        cmocka_unit_test(values_of_another_file_are_copied),
        cmocka_unit_test(parts_are_one_tensor),
        cmocka_unit_test(a_full_disk_is_reported_at_the_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
