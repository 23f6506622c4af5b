/* GGUF: what stands in a file is found, and every rule of the format is broken in turn. */
#include "common/gguf.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/gguf_bytes.h"

typedef Gguf *Parse(const void *bytes, size_t size, const char *name, Error *err);

// Parses bytes that end at a page which must not be read, and that stay for the test.
static Gguf *parse_guarded(Parse *parse, const void *bytes, size_t size, Error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size / page + 1) * page;
    char *start =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(start, MAP_FAILED);
    assert_int_equal(mprotect(start + room, page, PROT_NONE), 0);
    memcpy(start + room - size, bytes, size);
    Gguf *file = parse(start + room - size, size, "bytes", err);
    if (file == NULL) munmap(start, room + page);
    return file;
}

static Gguf *accepts(const GgufBytes *bytes)
{
    Error err = {""};
    Gguf *file = parse_guarded(gguf_parse, bytes->data, bytes->size, &err);
    if (file == NULL) fail_msg("was refused: %s", err.message);
    return file;
}

static void refuses(const GgufBytes *bytes, const char *sentence)
{
    Error err = {""};
    Gguf *file = parse_guarded(gguf_parse, bytes->data, bytes->size, &err);
    if (file != NULL) fail_msg("was taken, expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("got \"%s\"\n  expected \"%s\"", err.message, sentence);
}

static GgufBytes bytes;    // of the case that runs

static const uint64_t SHAPE_64_2[] = {64, 2};

static void blocks_are_those_of_ggml(void **state)
{
    (void)state;
    // gguf 0.19.0 (Python), GGML_QUANT_SIZES; but for Q8_1, a type of no file, which it gives 40 bytes:
    // ggml's own block_q8_1 has two halves and 32 bytes.
    static const struct {
        uint32_t number;
        const char *name;
        uint32_t block, bytes;
    } EXPECTED[] = {{0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
                    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
                    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},      {10, "Q2_K", 256, 84},
                    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
                    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
                    {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
                    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},  {22, "IQ2_S", 256, 82},
                    {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
                    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},
                    {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
                    {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},    {40, "NVFP4", 64, 36},
                    {41, "Q1_0", 128, 18}};
    enum { COUNT = sizeof EXPECTED / sizeof *EXPECTED };
    int found = 0;
    for (uint32_t type = 0; type < 1000; type++) found += dtype_from_gguf(type) != DTYPE_NONE;
    assert_int_equal(found, COUNT);
    for (int i = 0; i < COUNT; i++) {
        DType type = dtype_from_gguf(EXPECTED[i].number);
        assert_int_not_equal(type, DTYPE_NONE);
        assert_string_equal(dtype_info[type].name, EXPECTED[i].name);
        assert_int_equal(dtype_info[type].block, EXPECTED[i].block);
        assert_int_equal(dtype_info[type].bytes, EXPECTED[i].bytes);
    }
}

static void a_file_of_the_python_package_is_read(void **state)
{
    (void)state;
    // gguf 0.19.0: GGUFWriter("tiny.gguf", "llama"), add_block_count(1), add_custom_alignment(8),
    // add_token_list(["a", "", "Grüß"]), add_array("x.y", [True, False]), add_array("x.z", [1.5, -2.0]),
    // add_tensor("a.weight", arange(6, float16) as [2,3]), "b.weight": bytes 0 to 35 as Q4_0
    static const char FILE_BYTES[] =
        "GGUF\3\0\0\0\2\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0"
        "\x14\0\0\0\0\0\0\0general.architecture\x8\0\0\0\5\0\0\0\0\0\0\0llama"
        "\x11\0\0\0\0\0\0\0llama.block_count\4\0\0\0\1\0\0\0"
        "\x11\0\0\0\0\0\0\0general.alignment\4\0\0\0\x8\0\0\0"
        "\x15\0\0\0\0\0\0\0tokenizer.ggml.tokens\x9\0\0\0\x8\0\0\0\3\0\0\0\0\0\0\0"
        "\1\0\0\0\0\0\0\0a\0\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0Gr\xc3\xbc\xc3\x9f"
        "\3\0\0\0\0\0\0\0x.y\x9\0\0\0\7\0\0\0\2\0\0\0\0\0\0\0\1\0"
        "\3\0\0\0\0\0\0\0x.z\x9\0\0\0\6\0\0\0\2\0\0\0\0\0\0\0\0\0\xc0\x3f\0\0\0\xc0"
        "\x8\0\0\0\0\0\0\0a.weight\2\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"
        "\x8\0\0\0\0\0\0\0b."
        "weight\2\0\0\0\x20\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\x10\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\x3c\0\x40\0\x42\0\x44\0\x45\0\0\0\0"
        "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\x11\x12\x13\x14\x15\x16\x17"
        "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#\0\0\0\0";
    Error err = {""};
    Gguf *file = parse_guarded(gguf_parse, FILE_BYTES, sizeof FILE_BYTES - 1, &err);
    if (file == NULL) fail_msg("%s", err.message);
    assert_int_equal(sizeof FILE_BYTES - 1, 432);
    assert_int_equal(file->version, 3);
    assert_int_equal(file->alignment, 8);
    uint64_t layers;
    double real;
    bool truth;
    GgufText text;
    assert_true(gguf_integer(file, "llama.block_count", 0, &layers, &err) && layers == 1);
    assert_true(gguf_text(file, "general.architecture", &text, &err) && text.length == 5);
    assert_memory_equal(text.bytes, "llama", 5);
    assert_true(gguf_bool_at(gguf_value(file, "x.y"), 0, &truth) && truth);
    assert_true(gguf_bool_at(gguf_value(file, "x.y"), 1, &truth) && !truth);
    assert_true(gguf_real_at(gguf_value(file, "x.z"), 1, &real) && real == -2.0);
    const char *tokens[] = {"a", "", "Gr\xc3\xbc\xc3\x9f"};
    int count = 0;
    text = (GgufText){NULL, 0};
    while (gguf_next_text(gguf_value(file, "tokenizer.ggml.tokens"), &text)) {
        assert_int_equal(text.length, strlen(tokens[count]));
        assert_memory_equal(text.bytes, tokens[count++], text.length);
    }
    assert_int_equal(count, 3);

    const GgufTensor *a = gguf_tensor(file, "a.weight"), *b = gguf_tensor(file, "b.weight");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->type, DTYPE_F16);
    assert_int_equal(a->dims, 2);
    assert_true(a->shape[0] == 3 && a->shape[1] == 2 && a->shape[2] == 1 && a->shape[3] == 1);
    assert_true(a->count == 6 && a->bytes == 12);
    assert_int_equal(((const uint8_t *)a->data)[11], 0x45);    // 5.0
    assert_int_equal(b->type, DTYPE_Q4_0);
    assert_true(b->count == 64 && b->bytes == 36 && b->offset == 392);
    for (int i = 0; i < 36; i++) assert_int_equal(((const uint8_t *)b->data)[i], i);
    assert_null(gguf_tensor(file, "a.weigh"));
    assert_null(gguf_tensor(file, ""));
    assert_null(gguf_tensor(file, "c"));
    gguf_close(file);
}

// A metadata value of each type, and the number that stands there.
static void numbers_of_every_kind_are_read(void **state)
{
    (void)state;
    gguf_bytes_begin(&bytes, 2, 0, 13);
#define PUT(kind, type, number)                                                                    \
    gguf_bytes_put_value(&bytes, #kind, GGUF_##kind, &(type){number}, sizeof(type))
    PUT(UINT8, uint8_t, 255);
    PUT(INT8, int8_t, -128);
    PUT(UINT16, uint16_t, 65535);
    PUT(INT16, int16_t, -32768);
    PUT(UINT32, uint32_t, UINT32_MAX);
    PUT(INT32, int32_t, INT32_MIN);
    PUT(FLOAT32, float, 0.1f);
    PUT(BOOL, uint8_t, 1);
    PUT(UINT64, uint64_t, UINT64_MAX);
    PUT(INT64, int64_t, INT64_MIN);
    PUT(FLOAT64, double, 0.1);
#undef PUT
    gguf_bytes_put_string(&bytes, "STRING", "x");
    gguf_bytes_put_array(&bytes, "ARRAY", GGUF_INT16, 3, (int16_t[]){7, -1, 300}, 6);
    Gguf *file = accepts(&bytes);
    static const struct {
        const char *key;
        double real;       // 0: none
        uint64_t whole;    // 0: none
    } EXPECTED[] = {{"UINT8", 255, 255},
                    {"INT8", -128, 0},
                    {"UINT16", 65535, 65535},
                    {"INT16", -32768, 0},
                    {"UINT32", 4294967295, UINT32_MAX},
                    {"INT32", -0x1p31, 0},
                    {"FLOAT32", 0.1f, 0},
                    {"BOOL", 0, 0},
                    {"UINT64", 0x1p64, UINT64_MAX},
                    {"INT64", -0x1p63, 0},
                    {"FLOAT64", 0.1, 0},
                    {"STRING", 0, 0},
                    {"ARRAY", 7, 7}};
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        const GgufValue *value = gguf_value(file, EXPECTED[i].key);
        double real = 0;
        uint64_t whole = 0;
        assert_non_null(value);
        assert_int_equal(gguf_real_at(value, 0, &real), EXPECTED[i].real != 0);
        assert_int_equal(gguf_integer_at(value, 0, &whole), EXPECTED[i].whole != 0);
        if (real != EXPECTED[i].real || whole != EXPECTED[i].whole)
            fail_msg("%s is %.17g and %" PRIu64, value->key, real, whole);
    }
    const GgufValue *array = gguf_value(file, "ARRAY");
    uint64_t whole;
    double real;
    assert_true(array->array && array->count == 3 && array->kind == GGUF_INT16);
    assert_true(gguf_integer_at(array, 2, &whole) && whole == 300);
    assert_true(gguf_real_at(array, 1, &real) && real == -1);
    assert_false(gguf_integer_at(array, 1, &whole));    // negative
    assert_false(gguf_integer_at(array, 3, &whole));    // past its end
    assert_false(gguf_real_at(array, UINT64_MAX, &real));
    gguf_close(file);
}

static void a_missing_metadata_value_or_one_of_another_type_is_reported(void **state)
{
    (void)state;
    gguf_bytes_begin(&bytes, 3, 0, 3);
    gguf_bytes_put_string(&bytes, "s", "text");
    gguf_bytes_put_value(&bytes, "i", GGUF_INT32, &(int32_t){-1}, 4);
    gguf_bytes_put_array(&bytes, "t", GGUF_STRING, 0, NULL, 0);
    Gguf *file = accepts(&bytes);
    uint64_t whole;
    double real;
    GgufText text;
    Error err;
    assert_false(gguf_integer(file, "llama.block_count", 0, &whole, &err));
    assert_string_equal(err.message,
                        "bytes: 'llama.block_count' is missing, expected a whole number, "
                        "not negative");
    assert_false(gguf_integer(file, "i", 0, &whole, &err));
    assert_string_equal(err.message, "bytes: 'i' is not a whole number, not negative");
    assert_false(gguf_real(file, "s", 0, &real, &err));
    assert_string_equal(err.message, "bytes: 's' is not a number");
    assert_false(gguf_text(file, "t", &text, &err));    // an array
    assert_string_equal(err.message, "bytes: 't' is not a text");
    assert_false(gguf_text(file, "i", &text, &err));
    gguf_close(file);
}

// Two metadata values, two tensors of 64 x 2 numbers, and their data.
static size_t two_tensors(void)
{
    gguf_bytes_begin(&bytes, 3, 2, 2);
    gguf_bytes_put_string(&bytes, "general.architecture", "llama");
    gguf_bytes_put_array(&bytes, "tokens", GGUF_STRING, 2, "\1\0\0\0\0\0\0\0a\0\0\0\0\0\0\0\0", 17);
    gguf_bytes_put_tensor(&bytes, "a", GGML_Q8_0, 2, SHAPE_64_2, 0);
    gguf_bytes_put_tensor(&bytes, "b", GGML_F32, 2, SHAPE_64_2, 160);    // 136 and padding
    size_t header = bytes.size;
    gguf_bytes_pad(&bytes, 32, 160 + 512);
    return header;
}

static void a_file_cut_at_any_byte_is_refused_and_its_header_is_still_read(void **state)
{
    (void)state;
    size_t header = two_tensors(), whole = bytes.size;
    Error err;
    for (size_t size = 0; size < whole; size++) {
        if (parse_guarded(gguf_parse, bytes.data, size, &err) != NULL)
            fail_msg("%zu of %zu bytes were taken", size, whole);
        Gguf *file = parse_guarded(gguf_parse_header, bytes.data, size, &err);
        if ((file != NULL) != (size >= header))
            fail_msg("a header of %zu bytes, in %zu: %s", header, size, err.message);
        if (file == NULL) continue;
        const GgufTensor *b = gguf_tensor(file, "b");
        assert_true(b->bytes == 512 && b->data == NULL);
        gguf_close(file);
    }
    gguf_close(accepts(&bytes));
    gguf_bytes_pad(&bytes, 1, 100);    // bytes after the data are ignored
    gguf_close(accepts(&bytes));
}

static void what_is_no_gguf_file_of_a_known_version_is_named(void **state)
{
    (void)state;
    two_tensors();
    memcpy(bytes.data, "GGML", 4);
    refuses(&bytes, "bytes: is not a GGUF file");
    two_tensors();
    static const struct {
        uint32_t version;
        const char *sentence;
    } WRONG[] = {
        {0, "is GGUF version 0, expected 2 or 3"}, {1, "is GGUF version 1, expected 2 or 3"},
        {4, "is GGUF version 4, expected 2 or 3"}, {0x03000000, "is a big-endian GGUF file"},
        {0x02000000, "is a big-endian GGUF file"}, {UINT32_MAX, "is GGUF version 4294967295"}};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        memcpy(bytes.data + 4, &WRONG[i].version, 4);
        refuses(&bytes, WRONG[i].sentence);
    }
}

static void absurd_counts_are_refused_before_anything_is_made_for_them(void **state)
{
    (void)state;
    const uint64_t counts[] = {1000, (1 << 20) + 1, 1ull << 32, 1ull << 60, UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        gguf_bytes_begin(&bytes, 3, counts[i], 0);
        gguf_bytes_pad(&bytes, 1, 400);
        refuses(&bytes, "tensors in 400 bytes, expected at most 1048576, of 25 bytes or more");
        gguf_bytes_begin(&bytes, 3, 0, counts[i]);
        gguf_bytes_pad(&bytes, 1, 400);
        refuses(&bytes,
                "metadata values in 400 bytes, expected at most 65536, of 14 bytes or more");
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_array(&bytes, "a", GGUF_UINT8, counts[i], NULL, 0);
        gguf_bytes_pad(&bytes, 1, 400);
        refuses(&bytes, "ends within metadata value 1 of 1");
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_array(&bytes, "a", GGUF_STRING, counts[i], NULL, 0);
        gguf_bytes_pad(&bytes, 1, 400);
        refuses(&bytes, "ends within metadata value 1 of 1");
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_value(&bytes, "a", GGUF_STRING, &counts[i], 8);
        gguf_bytes_pad(&bytes, 1, 400);
        refuses(&bytes, "ends within metadata value 1 of 1");
    }
}

static void wrong_names_are_refused(void **state)
{
    (void)state;
    const uint64_t lengths[] = {0, 65536, 1ull << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_64(&bytes, lengths[i]);
        gguf_bytes_pad(&bytes, 1, 100000);
        refuses(&bytes, "the name of metadata value 1 has");
        gguf_bytes_begin(&bytes, 3, 1, 0);
        gguf_bytes_put_64(&bytes, lengths[i]);
        gguf_bytes_pad(&bytes, 1, 100000);
        refuses(&bytes, "the name of tensor 1 has");
    }
    const char *names[] = {"a\nb", "a\033[2J", "\xc3\xa9", "\x7f"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gguf_bytes_begin(&bytes, 3, 1, 0);
        gguf_bytes_put_tensor(&bytes, names[i], GGML_F32, 0, NULL, 0);
        gguf_bytes_pad(&bytes, 32, 4);
        refuses(&bytes, "the name of tensor 1 is not ASCII text");
    }
    gguf_bytes_begin(&bytes, 3, 2, 0);
    gguf_bytes_put_tensor(&bytes, "a", GGML_F32, 0, NULL, 0);
    gguf_bytes_put_tensor(&bytes, "a", GGML_F32, 0, NULL, 32);
    gguf_bytes_pad(&bytes, 32, 64);
    refuses(&bytes, "the tensor 'a' appears twice");
    gguf_bytes_begin(&bytes, 3, 0, 3);
    gguf_bytes_put_integer(&bytes, "a", 1);
    gguf_bytes_put_integer(&bytes, "b", 1);
    gguf_bytes_put_integer(&bytes, "a", 1);
    refuses(&bytes, "the key 'a' appears twice");
}

static void wrong_kinds_are_refused(void **state)
{
    (void)state;
    const uint32_t kinds[] = {13, 255, UINT32_MAX};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_value(&bytes, "a", (GgufKind)kinds[i], "12345678", 8);
        refuses(&bytes, "'a' is of the unknown kind");
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_array(&bytes, "a", (GgufKind)kinds[i], 1, "12345678", 8);
        refuses(&bytes, "'a' is of the unknown kind");
    }
    gguf_bytes_begin(&bytes, 3, 0, 1);
    gguf_bytes_put_array(&bytes, "a", GGUF_ARRAY, 1, "12345678", 8);
    refuses(&bytes, "'a' is an array of arrays");
    gguf_bytes_begin(&bytes, 3, 0, 1);
    gguf_bytes_put_value(&bytes, "a", GGUF_BOOL, "\2", 1);
    refuses(&bytes, "'a' has the truth value 2, expected 0 or 1");
    gguf_bytes_begin(&bytes, 3, 0, 1);
    gguf_bytes_put_array(&bytes, "a", GGUF_BOOL, 3, "\1\0\xff", 3);
    refuses(&bytes, "'a' has the truth value 255, expected 0 or 1");
}

static void refuses_tensor(uint32_t type, uint32_t dims, const uint64_t *shape, uint64_t offset,
                           const char *sentence)
{
    gguf_bytes_begin(&bytes, 3, 1, 0);
    gguf_bytes_put_tensor(&bytes, "a", type, dims, shape, offset);
    gguf_bytes_pad(&bytes, 32, 512);
    refuses(&bytes, sentence);
    Error err = {""};    // where the data is plays no part in it
    if (strstr(sentence, "of a file of") == NULL &&
        parse_guarded(gguf_parse_header, bytes.data, bytes.size, &err) != NULL)
        fail_msg("its header was taken, expected \"%s\"", sentence);
}

static void wrong_tensors_are_refused(void **state)
{
    (void)state;
    const uint64_t big = 1ull << 32;
    refuses_tensor(0, 5, (uint64_t[]){1, 1, 1, 1, 1}, 0,
                   "'a' has 5 dimensions, expected at most 4");
    memset(bytes.data + 33, 0xFF, 4);
    refuses(&bytes, "'a' has 4294967295 dimensions, expected at most 4");
    refuses_tensor(0, 2, (uint64_t[]){big, big}, 0, "'a' has over 2^64 numbers");
    refuses_tensor(0, 4, (uint64_t[]){65536, 65536, 65536, 65536}, 0, "'a' has over 2^64 numbers");
    refuses_tensor(0, 2, (uint64_t[]){big, big / 2}, 0, "'a' has over 2^64 bytes");
    refuses_tensor(GGML_F64, 1, (uint64_t[]){UINT64_MAX}, 0, "'a' has over 2^64 bytes");
    const uint32_t unknown[] = {4, 5, 31, 32, 33, 36, 38, 42, 63, 64, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        refuses_tensor(unknown[i], 2, SHAPE_64_2, 0, "which is not known");
    refuses_tensor(GGML_Q4_0, 2, (uint64_t[]){33, 2}, 0,
                   "'a' has rows of 33 numbers, expected a multiple of 32 for Q4_0");
    refuses_tensor(GGML_Q4_K, 2, SHAPE_64_2, 0,
                   "rows of 64 numbers, expected a multiple of 256 for Q4_K");
    refuses_tensor(GGML_Q8_0, 0, NULL, 0, "rows of 1 numbers, expected a multiple of 32");
    refuses_tensor(0, 2, SHAPE_64_2, 16,
                   "begins at byte 16 of the data, expected a multiple of 32");
    refuses_tensor(0, 2, SHAPE_64_2, 32, "'a' ends at byte 640 of a file of 608");
    refuses_tensor(0, 2, SHAPE_64_2, 1ull << 40, "of a file of 608");
    refuses_tensor(0, 2, SHAPE_64_2, UINT64_MAX - 31, "'a' ends past 2^64 bytes");
    refuses_tensor(0, 2, SHAPE_64_2, UINT64_MAX - 511, "'a' ends past 2^64 bytes");
}

static void tensors_that_share_bytes_are_refused(void **state)
{
    (void)state;
    const struct {
        uint64_t a, b;
        const char *sentence;    // NULL: it is right
    } PLACES[] = {{0, 512, NULL},
                  {512, 0, NULL},
                  {0, 544, NULL},
                  {1024, 0, NULL},
                  {0, 480, "'b' begins at byte 608, before 'a' ends at 640"},
                  {480, 0, "'a' begins at byte 608, before 'b' ends at 640"},
                  {0, 0, "begins at byte 128, before"}};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        gguf_bytes_begin(&bytes, 3, 2, 0);
        gguf_bytes_put_tensor(&bytes, "a", GGML_F32, 2, SHAPE_64_2, PLACES[i].a);
        gguf_bytes_put_tensor(&bytes, "b", GGML_F32, 2, SHAPE_64_2, PLACES[i].b);
        gguf_bytes_pad(&bytes, 32, 2048);
        if (PLACES[i].sentence != NULL) refuses(&bytes, PLACES[i].sentence);
        else gguf_close(accepts(&bytes));
    }
}

static void a_wrong_alignment_is_refused(void **state)
{
    (void)state;
    const uint32_t wrong[] = {0, 1, 4, 24, 33, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gguf_bytes_begin(&bytes, 3, 0, 1);
        gguf_bytes_put_integer(&bytes, "general.alignment", wrong[i]);
        refuses(&bytes, "expected a power of two from 8 on");
    }
    gguf_bytes_begin(&bytes, 3, 0, 1);
    gguf_bytes_put_string(&bytes, "general.alignment", "32");
    refuses(&bytes, "'general.alignment' is not a whole number");
    for (uint32_t right = 8; right <= 4096; right *= 2) {
        gguf_bytes_begin(&bytes, 3, 1, 1);
        gguf_bytes_put_integer(&bytes, "general.alignment", right);
        gguf_bytes_put_tensor(&bytes, "a", GGML_I8, 1, (uint64_t[]){3}, right);
        gguf_bytes_pad(&bytes, right, right + 3);
        Gguf *file = accepts(&bytes);
        assert_int_equal(gguf_tensor(file, "a")->offset % right, 0);
        gguf_close(file);
    }
}

static void tensors_of_no_numbers_and_of_one_are_taken(void **state)
{
    (void)state;
    gguf_bytes_begin(&bytes, 3, 3, 0);
    gguf_bytes_put_tensor(&bytes, "none", GGML_Q4_K, 2, (uint64_t[]){256, 0}, 0);
    gguf_bytes_put_tensor(&bytes, "one", GGML_F32, 0, NULL, 0);
    gguf_bytes_put_tensor(&bytes, "none too", GGML_F32, 4, (uint64_t[]){0, 1ull << 40, 1, 1}, 32);
    gguf_bytes_pad(&bytes, 32, 32);
    Gguf *file = accepts(&bytes);
    assert_true(gguf_tensor(file, "none")->bytes == 0 && gguf_tensor(file, "one")->bytes == 4);
    gguf_close(file);
}

static void a_file_on_disk_is_mapped(void **state)
{
    (void)state;
    char path[] = "/tmp/test_gguf_XXXXXX";
    int fd = mkstemp(path);
    two_tensors();
    assert_int_equal(write(fd, bytes.data, bytes.size), (ssize_t)bytes.size);
    close(fd);
    Error err = {""};
    Gguf *file = gguf_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    const GgufTensor *a = gguf_tensor(file, "a");
    assert_int_equal((uintptr_t)a->data % 32, 0);
    gguf_close(file);
    assert_int_equal(truncate(path, (off_t)bytes.size - 1), 0);
    assert_null(gguf_open(path, &err));
    file = gguf_open_header(path, &err);
    assert_non_null(file);
    assert_null(gguf_tensor(file, "a")->data);
    gguf_close(file);
    assert_int_equal(truncate(path, 0), 0);
    assert_null(gguf_open(path, &err));
    assert_non_null(strstr(err.message, ": is empty"));
    unlink(path);
    assert_null(gguf_open(path, &err));
    assert_non_null(strstr(err.message, ": cannot be read: No such file"));
    assert_null(gguf_open("/tmp", &err));
    gguf_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_those_of_ggml),
        cmocka_unit_test(a_file_of_the_python_package_is_read),
        cmocka_unit_test(numbers_of_every_kind_are_read),
        cmocka_unit_test(a_missing_metadata_value_or_one_of_another_type_is_reported),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused_and_its_header_is_still_read),
        cmocka_unit_test(what_is_no_gguf_file_of_a_known_version_is_named),
        cmocka_unit_test(absurd_counts_are_refused_before_anything_is_made_for_them),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(wrong_kinds_are_refused),
        cmocka_unit_test(wrong_tensors_are_refused),
        cmocka_unit_test(tensors_that_share_bytes_are_refused),
        cmocka_unit_test(a_wrong_alignment_is_refused),
        cmocka_unit_test(tensors_of_no_numbers_and_of_one_are_taken),
        cmocka_unit_test(a_file_on_disk_is_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
