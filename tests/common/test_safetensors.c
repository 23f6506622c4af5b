/* Safetensors: what is written comes back, and every rule of the format is broken in turn. */
#include "common/safetensors.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static Arena *arena;
static char folder[] = "/tmp/test_safetensors_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 24);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    arena_free(arena);
    unlink(path);
    return rmdir(folder);    // fails when a temporary file was left behind
}

// Parses bytes that end at a page which must not be read.
static Safetensors *parse_guarded(const void *bytes, size_t size, Error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size / page + 1) * page;
    char *start =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(start, MAP_FAILED);
    assert_int_equal(mprotect(start + room, page, PROT_NONE), 0);
    memcpy(start + room - size, bytes, size);
    Safetensors *file = safetensors_parse(start + room - size, size, "bytes", err);
    munmap(start, room + page);    // the tests that follow look at names and numbers only
    return file;
}

// A file of this header and so many zeros of data; *size is set.
static char *file_of(const char *header, size_t data, size_t *size)
{
    uint64_t length = strlen(header);
    *size = 8 + length + data;
    char *bytes = calloc(1, *size);
    assert_non_null(bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    return bytes;
}

static void refuses(const char *header, size_t data, const char *sentence)
{
    size_t size;
    char *bytes = file_of(header, data, &size);
    Error err = {""};
    Safetensors *file = parse_guarded(bytes, size, &err);
    free(bytes);
    if (file != NULL) fail_msg("was taken: %.300s", header);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("%.300s\n  got \"%s\"\n  expected \"%s\"", header, err.message, sentence);
}

static Safetensors *accepts(const char *header, size_t data)
{
    size_t size;
    char *bytes = file_of(header, data, &size);
    Error err = {""};
    Safetensors *file = parse_guarded(bytes, size, &err);
    free(bytes);
    if (file == NULL) fail_msg("%.300s\n  was refused: %s", header, err.message);
    return file;
}

static Params *some_params(void)
{
    Params *params = params_new(arena);
    params_add(params, "encoder.0.weight", SHAPE(3, 5));
    params_add(params, "encoder.0.bias", SHAPE(3));
    params_add(params, "scale", SCALAR);
    params_add(params, "empty", SHAPE(0, 4));
    return params;
}

static void parameters_come_back_bit_for_bit(void **state)
{
    (void)state;
    Params *saved = some_params(), *loaded = some_params();
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < saved->count; i++)
        rng_fill_normal(&rng, saved->items[i].tensor->data, tensor_count(saved->items[i].tensor));
    float odd[] = {NAN, -0.0f, INFINITY, 1e-45f, -3.4e38f};
    memcpy(saved->items[0].tensor->data, odd, sizeof odd);
    Error err = {""};
    if (!safetensors_save(path, saved, &err) || !safetensors_load(path, loaded, &err))
        fail_msg("%s", err.message);
    for (int i = 0; i < saved->count; i++)
        assert_memory_equal(saved->items[i].tensor->data, loaded->items[i].tensor->data,
                            tensor_count(saved->items[i].tensor) * sizeof(float));
}

static void the_bytes_are_those_of_the_python_package(void **state)
{
    (void)state;
    // safetensors 0.8.0: safetensors.numpy.save({"a": numpy.array([1, 2], "float32")})
    const char expected[] = "\x38\0\0\0\0\0\0\0"
                            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  "
                            "\0\0\x80\x3f\0\0\0\x40";
    Params *params = params_new(arena);
    tensor_write(params_add(params, "a", SHAPE(2)), (float[]){1.0f, 2.0f});
    assert_true(safetensors_save(path, params, NULL));
    char bytes[256];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof expected - 1);
    fclose(file);
    assert_memory_equal(bytes, expected, sizeof expected - 1);
}

static void metadata_comes_back(void **state)
{
    (void)state;
    SafetensorsPair pairs[] = {{"format", "pt"},
                               {"a \"quoted\"\nkey", "Gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \\"},
                               {"", ""}};
    Params *params = some_params();
    Error err = {""};
    assert_true(safetensors_write(path, params->items, params->count, pairs, 3, &err));
    Safetensors *file = safetensors_open(path, &err);
    if (file == NULL) fail_msg("%s", err.message);
    for (int i = 0; i < 3; i++)
        assert_string_equal(safetensors_value(file, pairs[i].key), pairs[i].value);
    assert_null(safetensors_value(file, "no such key"));
    assert_int_equal(file->pair_count, 3);
    assert_int_equal(file->count, 4);
    safetensors_close(file);
}

static void other_float_types_are_converted(void **state)
{
    (void)state;
    static const char HEADER[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[7],\"data_offsets\":[0,14]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[14,20]},"
        "\"d\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[20,36]},"
        "\"e\":{\"dtype\":\"F8_E5M2\",\"shape\":[2],\"data_offsets\":[36,38]},"
        "\"f\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[38,40]}} ";
    // A header of odd length leaves all of them unaligned.
    assert_int_equal(strlen(HEADER) % 2, 1);
    uint16_t halves[] = {0x3C00, 0xC000, 0x0001, 0x83FF, 0x7BFF, 0xFC00, 0x7E01};
    uint16_t brains[] = {0x3F80, 0xC049, 0x0001};
    double doubles[] = {0.1, -1e300};
    size_t size;
    char *bytes = file_of(HEADER, 40, &size), *data = bytes + size - 40;
    memcpy(data, halves, 14);
    memcpy(data + 14, brains, 6);
    memcpy(data + 20, doubles, 16);
    memcpy(data + 36, "\x7b\xbc\x7e\xb8", 4);
    Params *params = params_new(arena);
    float *h = params_add(params, "h", SHAPE(7))->data;
    float *b = params_add(params, "b", SHAPE(3))->data;
    float *d = params_add(params, "d", SHAPE(2))->data;
    float *e = params_add(params, "e", SHAPE(2))->data;
    float *f = params_add(params, "f", SHAPE(2))->data;
    Error err = {""};
    Safetensors *file = safetensors_parse(bytes, size, "bytes", &err);
    if (file == NULL || !safetensors_read(file, params->items, 5, &err))
        fail_msg("%s", err.message);
    float expected[] = {1.0f, -2.0f, 0x1p-24f, -0x3FFp-24f, 65504.0f, -INFINITY};
    for (int i = 0; i < 6; i++)
        if (h[i] != expected[i])
            fail_msg("half %d is %a, expected %a", i, (double)h[i], (double)expected[i]);
    assert_true(isnan(h[6]));
    assert_true(b[0] == 1.0f && b[1] == -3.140625f && b[2] == 0x1p-133f);
    assert_true(d[0] == 0.1f && d[1] == -INFINITY);
    assert_true(e[0] == 57344.0f && e[1] == -1.0f && f[0] == 448.0f && f[1] == -1.0f);
    safetensors_close(file);
    free(bytes);
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    Params *params = some_params();
    SafetensorsPair pair = {"step", "7"};
    assert_true(safetensors_write(path, params->items, params->count, &pair, 1, NULL));
    char bytes[1024];
    FILE *stream = fopen(path, "rb");
    size_t whole = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    assert_in_range(whole, 300, sizeof bytes - 1);
    Error err = {""};
    for (size_t size = 0; size < whole; size++) {
        if (parse_guarded(bytes, size, &err) != NULL)
            fail_msg("%zu of %zu bytes were taken", size, whole);
        // The same with the header's length cut to what is left of it.
        uint64_t length = size < 8 ? 0 : size - 8;
        char held[8];
        memcpy(held, bytes, 8);
        memcpy(bytes, &length, 8);
        if (length < whole - 8 - 76 && parse_guarded(bytes, size, &err) != NULL)
            fail_msg("a header of %zu bytes was taken", (size_t)length);
        memcpy(bytes, held, 8);
    }
    bytes[whole] = 0;    // one byte too many
    assert_null(parse_guarded(bytes, whole + 1, &err));
    assert_non_null(strstr(err.message, "the tensors end at byte 76 of the data, which has 77"));
    Safetensors *file = parse_guarded(bytes, whole, &err);
    assert_non_null(file);
    safetensors_close(file);
}

static void a_header_length_beyond_the_file_or_the_limit_is_refused(void **state)
{
    (void)state;
    uint64_t lengths[] = {3, 8, 100000001, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
        memcpy(bytes, &lengths[i], 8);
        Error err = {""};
        assert_null(parse_guarded(bytes, sizeof bytes, &err));
        assert_non_null(strstr(err.message, "bytes in a file of 10"));
    }
}

#define T(name, type, shape, offsets)                                                              \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void what_the_format_allows_is_taken(void **state)
{
    (void)state;
    safetensors_close(accepts("{}", 0));
    safetensors_close(accepts("{}   \n", 0));
    safetensors_close(accepts("{\"__metadata__\":{}}", 0));
    safetensors_close(accepts("{" T("a", "F32", "[]", "[0,4]") "}", 4));
    safetensors_close(accepts("{" T("a", "I64", "[2,0,3]", "[0,0]") "}", 0));
    safetensors_close(accepts("{" T("a", "U8", "[1,1,1,1,1,1,1,2]", "[0,2]") "}", 2));
    safetensors_close(
        accepts("{" T("\xe5\xad\x97 \\\"x\\\" \\u00e9", "BOOL", "[1]", "[0,1]") "}", 1));
    // Offsets need not be in the order of the names; the entries come in the order of the data.
    const char *shuffled = "{" T("b", "F32", "[1]", "[4,8]") "," T(
        "a", "F32", "[1]", "[0,4]") "," T("e", "F32", "[0]", "[4,4]") "}";
    Safetensors *file = accepts(shuffled, 8);
    assert_int_equal(file->count, 3);
    assert_string_equal(file->entries[0].name, "a");
    assert_string_equal(file->entries[1].name, "e");
    assert_string_equal(file->entries[2].name, "b");
    assert_int_equal(safetensors_find(file, "b")->begin, 4);
    assert_null(safetensors_find(file, "c"));
    safetensors_close(file);
}

static void a_header_is_read_where_the_data_is_missing(void **state)
{
    (void)state;
    // The 13 GB of a shard, of which the first kilobyte was fetched.
    size_t size;
    char *bytes = file_of("{" T("a", "BF16", "[32000,4096]", "[0,262144000]") "," T(
                              "b", "F32", "[3209000000]", "[262144000,13098144000]") "}",
                          100, &size);
    Error err = {""};
    Safetensors *file = safetensors_parse_header(bytes, size, "bytes", &err);
    if (file == NULL) fail_msg("%s", err.message);
    const SafetensorsEntry *b = safetensors_find(file, "b");
    assert_true(b->count == 3209000000 && b->end - b->begin == 12836000000 && b->data == NULL);
    assert_string_equal(dtype_name(file->entries[0].type), "BF16");
    safetensors_close(file);
    assert_null(safetensors_parse(bytes, size, "bytes", &err));
    assert_non_null(strstr(err.message, "within the 100 bytes of data"));
    for (size_t cut = 0; cut < size - 100; cut++)
        assert_null(safetensors_parse_header(bytes, cut, "bytes", &err));
    free(bytes);
    // What is wrong in the header itself is refused all the same.
    bytes =
        file_of("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[5,9]") "}", 0, &size);
    assert_null(safetensors_parse_header(bytes, size, "bytes", &err));
    assert_non_null(strstr(err.message, "'b' begins at byte 5 of the data, expected 4"));
    free(bytes);
}

static void numbers_of_less_than_a_byte_are_counted_by_bits(void **state)
{
    (void)state;
    Safetensors *file = accepts(
        "{" T("a", "F4", "[3,2]", "[0,3]") "," T("b", "F6_E2M3", "[4]", "[3,6]") "," T(
            "c", "F6_E3M2", "[2,4]",
            "[6,12]") "," T("d", "F8_E8M0", "[1]",
                            "[12,13]") "," T("e", "F8_E4M3FNUZ", "[1]",
                                             "[13,14]") "," T("f", "F8_E5M2FNUZ", "[1]",
                                                              "[14,15]") "," T("g", "C64", "[1]",
                                                                               "[15,23]") "}",
        23);
    assert_int_equal(file->entries[0].count, 6);
    assert_int_equal(file->entries[6].count, 1);
    safetensors_close(file);
    refuses("{" T("a", "F4", "[3]", "[0,1]") "}", 1,
            "'a' has 3 numbers of 4 bits, which do not end at");
    refuses("{" T("a", "F4", "[3]", "[0,2]") "}", 2, "'a' has 3 numbers of 4 bits");
    refuses("{" T("a", "F6_E2M3", "[2]", "[0,2]") "}", 2, "'a' has 2 numbers of 6 bits");
    refuses("{" T("a", "F4", "[4]", "[0,4]") "}", 4, "'a' has 4 bytes, expected 2");
}

static void a_header_that_is_not_an_object_is_refused(void **state)
{
    (void)state;
    refuses("", 0, "does not begin with '{'");
    refuses(" {}", 0, "does not begin with '{'");
    refuses("[]", 0, "does not begin with '{'");
    refuses("\xef\xbb\xbf{}", 0, "does not begin with '{'");
    refuses("{", 0, "not a JSON object");
    refuses("{}{}", 0, "not a JSON object");
    refuses("{\"a\" 1}", 0, "not a JSON object");
    refuses("{" T("a", "U8", "[1,]", "[0,1]") "}", 1, "not a JSON object");
    refuses("{'a':1}", 0, "byte 1 of the header is no digit");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"\x80",
                         "\xc0\x80",
                         "\xc3",
                         "\xc3(",
                         "\xe0\x80\x80",
                         "\xed\xa0\x80",
                         "\xe2\x82",
                         "\xe2\x28\xa1",
                         "\xf0\x80\x80\x80",
                         "\xf4\x90\x80\x80",
                         "\xf5\x80\x80\x80",
                         "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char header[200];
        snprintf(header, sizeof header, "{" T("x%s", "U8", "[1]", "[0,1]") "}", bad[i]);
        refuses(header, 1, "byte 3 of the header is not UTF-8");
    }
    refuses("{\"\xe2\x82", 0, "byte 2 of the header is not UTF-8");    // cut in a character
    refuses("{\"a\nb\":1}", 0, "byte 3 of the header is a control character");
    refuses("{\"a\\u0000b\":1}", 0, "byte 3 of the header hides a zero");
}

static void a_wrong_dtype_is_refused(void **state)
{
    (void)state;
    refuses("{" T("a", "F31", "[1]", "[0,4]") "}", 4, "'a' has the unknown dtype 'F31'");
    refuses("{" T("a", "f32", "[1]", "[0,4]") "}", 4, "unknown dtype 'f32'");
    refuses("{" T("a", "", "[1]", "[0,4]") "}", 4, "unknown dtype ''");
    refuses("{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
            "'a' is not an object of");
}

static void a_wrong_shape_is_refused(void **state)
{
    (void)state;
    refuses("{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "is no digit, bracket or separator");
    refuses("{" T("a", "F32", "[1.0]", "[0,4]") "}", 4, "is no digit, bracket or separator");
    refuses("{" T("a", "F32", "[1e300]", "[0,4]") "}", 4, "is no digit, bracket or separator");
    refuses("{" T("a", "F32", "[01]", "[0,4]") "}", 4, "is a leading zero");
    refuses("{" T("a", "F32", "[null]", "[0,4]") "}", 4, "is no digit, bracket or separator");
    refuses("{" T("a", "F32", "[\"1\"]", "[0,4]") "}", 4, "the shape of 'a'");
    refuses("{" T("a", "F32", "[[1]]", "[0,4]") "}", 4, "opens a fourth level");
    refuses("{" T("a", "F32", "{}", "[0,4]") "}", 4, "'a' is not an object of");
    refuses("{" T("a", "F32", "1", "[0,4]") "}", 4, "'a' is not an object of");
    refuses("{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "begins a ninth dimension");
    refuses("{" T("a", "F32", "[2]", "[0,4]") "}", 4, "'a' has 4 bytes, expected 8 for its shape");
    refuses("{" T("a", "F32", "[0]", "[0,4]") "}", 4, "'a' has 4 bytes, expected 0");
    refuses("{" T("a", "F64", "[1]", "[0,4]") "}", 4, "'a' has 4 bytes, expected 8");
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    // 2^53 is no longer told from 2^53 + 1; 2^62 * 4 and 2^32 * 2^32 are 0 in 64 bits.
    refuses("{" T("a", "F32", "[9007199254740992]", "[0,4]") "}", 4, "the shape of 'a'");
    refuses("{" T("a", "F32", "[4611686018427387904]", "[0,0]") "}", 0, "the shape of 'a'");
    refuses("{" T("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "the shape of 'a'");
    refuses("{" T("a", "F64", "[4503599627370496,4096]", "[0,0]") "}", 0, "the shape of 'a'");
    refuses("{" T("a", "F32", "[99999999999999999999999999]", "[0,4]") "}", 4, "the shape of 'a'");
    refuses("{" T("a", "U8", "[1]", "[18446744073709551615,0]") "}", 1, "the data_offsets of 'a'");
    char digits[500], header[600];
    memset(digits, '9', sizeof digits);
    snprintf(header, sizeof header, "{" T("a", "F32", "[%.400s]", "[0,4]") "}", digits);
    refuses(header, 4, "bytes");
}

static void wrong_offsets_are_refused(void **state)
{
    (void)state;
    refuses("{" T("a", "F32", "[1]", "[0]") "}", 4, "the data_offsets of 'a'");
    refuses("{" T("a", "F32", "[1]", "[]") "}", 4, "the data_offsets of 'a'");
    refuses("{" T("a", "F32", "[1]", "[0,4,8]") "}", 8, "the data_offsets of 'a'");
    refuses("{" T("a", "F32", "[1]", "[4,0]") "}", 4, "the data_offsets of 'a'");
    refuses("{" T("a", "F32", "[1]", "[0,\"4\"]") "}", 4, "the data_offsets of 'a'");
    refuses("{" T("a", "F32", "[1]", "[0,5]") "}", 4, "within the 4 bytes of data");
    refuses("{" T("a", "F32", "[1]", "4") "}", 4, "'a' is not an object of");
}

static void holes_and_overlaps_are_refused(void **state)
{
    (void)state;
    refuses("{" T("a", "F32", "[1]", "[1,5]") "}", 5,
            "'a' begins at byte 1 of the data, expected 0");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[5,9]") "}", 9,
            "'b' begins at byte 5 of the data, expected 4");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[3,7]") "}", 7,
            "'b' begins at byte 3 of the data, expected 4");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4,
            "'b' begins at byte 0 of the data, expected 4");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("e", "F32", "[0]", "[2,2]") "}", 4,
            "'e' begins at byte 2 of the data, expected 4");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "}", 5, "end at byte 4 of the data, which has 5");
    refuses("{}", 1, "end at byte 0 of the data, which has 1");
}

static void keys_that_stand_twice_are_refused(void **state)
{
    (void)state;
    refuses("{" T("a", "U8", "[1]", "[0,1]") "," T("b", "U8", "[1]",
                                                   "[1,2]") "," T("a", "U8", "[1]", "[2,3]") "}",
            3, "the key 'a' appears twice");
    refuses("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "'__metadata__' appears twice");
    refuses("{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, "the key 'k' appears twice");
    refuses("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "'a' is not an object of");
    refuses("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1]}}", 1,
            "'a' is not an object of");
}

static void an_entry_that_lacks_or_adds_a_key_is_refused(void **state)
{
    (void)state;
    refuses("{\"a\":{}}", 0, "'a' is not an object of");
    refuses("{\"a\":[]}", 0, "'a' is not an object of");
    refuses("{\"a\":1}", 0, "'a' is not an object of");
    refuses("{\"a\":\"x\"}", 0, "'a' is not an object of");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "'a' is not an object of");
    refuses("{\"a\":{\"Dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "'a' is not an object of");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
            "'a' is not an object of");
}

static void metadata_of_anything_but_strings_is_refused(void **state)
{
    (void)state;
    refuses("{\"__metadata__\":[]}", 0, "__metadata__ is not an object");
    refuses("{\"__metadata__\":\"x\"}", 0, "__metadata__ is not an object");
    refuses("{\"__metadata__\":{\"step\":7}}", 0, "the value of 'step' in __metadata__");
    refuses("{\"__metadata__\":{\"step\":[\"7\"]}}", 0, "the value of 'step' in __metadata__");
}

static void a_hundred_thousand_levels_are_refused(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    char *header = malloc(6 * LEVELS + 1), *end = header;
    assert_non_null(header);
    for (int i = 0; i < LEVELS; i++) end += sprintf(end, "{\"a\":");
    refuses(header, 0, "byte 15 of the header opens a fourth level");
    memset(header + 5, '[', LEVELS);
    refuses(header, 0, "opens a fourth level");
    free(header);
}

static void a_model_that_does_not_fit_is_named_and_left_alone(void **state)
{
    (void)state;
    Params *saved = params_new(arena);
    params_add(saved, "w", SHAPE(2, 3));
    params_add(saved, "b", SHAPE(3));
    assert_true(safetensors_save(path, saved, NULL));
    const struct {
        Shape w, b;
        const char *b_name, *sentence;
    } cases[] = {{SHAPE(2, 3), SHAPE(3), "c", "lacks 'c' [3]"},
                 {SHAPE(2, 3), SHAPE(4), "b", "'b' is [3], expected [4]"},
                 {SHAPE(3, 2), SHAPE(3), "b", "'w' is [2,3], expected [3,2]"},
                 {SHAPE(2, 3, 1), SHAPE(3), "b", "'w' is [2,3], expected [2,3,1]"},
                 {SHAPE(2, 3), SHAPE(3), NULL, "holds 'b' [3], which is not asked for"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Params *params = params_new(arena);
        Tensor *w = params_add(params, "w", cases[i].w);
        tensor_floats(w)[0] = 7.0f;
        if (cases[i].b_name) params_add(params, cases[i].b_name, cases[i].b);
        Error err = {""};
        assert_false(safetensors_load(path, params, &err));
        if (strstr(err.message, cases[i].sentence) == NULL)
            fail_msg("got \"%s\", expected \"%s\"", err.message, cases[i].sentence);
        assert_true(tensor_floats(w)[0] == 7.0f);
    }
}

static void integers_are_not_taken_for_weights(void **state)
{
    (void)state;
    Params *params = params_new(arena);
    Error err = {""};
    Safetensors *file = accepts("{" T("a", "I32", "[1]", "[0,4]") "}", 4);
    params_add(params, "a", SHAPE(1));
    assert_false(safetensors_read(file, params->items, 1, &err));
    assert_non_null(strstr(err.message, "'a' does not hold floating-point numbers"));
    safetensors_close(file);
}

static void files_that_cannot_be_read_or_written_are_named(void **state)
{
    (void)state;
    Params *params = some_params();
    Error err = {""};
    assert_null(safetensors_open("/no/such/file", &err));
    assert_string_equal(err.message, "/no/such/file: cannot be read: No such file or directory");
    assert_null(safetensors_open("/dev/null", &err));
    assert_string_equal(err.message, "/dev/null: is a pipe or a device, expected a file");
    assert_false(safetensors_save("/no/such/folder/model", params, &err));
    assert_string_equal(err.message,
                        "/no/such/folder/model: cannot be written: No such file or directory");
    // A folder in the way: the rename fails and the temporary file goes (remove_folder checks it).
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(safetensors_save(path, params, &err));
    assert_non_null(strstr(err.message, "cannot be written: Is a directory"));
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_come_back_bit_for_bit),
        cmocka_unit_test(the_bytes_are_those_of_the_python_package),
        cmocka_unit_test(metadata_comes_back),
        cmocka_unit_test(other_float_types_are_converted),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_header_length_beyond_the_file_or_the_limit_is_refused),
        cmocka_unit_test(what_the_format_allows_is_taken),
        cmocka_unit_test(a_header_is_read_where_the_data_is_missing),
        cmocka_unit_test(numbers_of_less_than_a_byte_are_counted_by_bits),
        cmocka_unit_test(a_header_that_is_not_an_object_is_refused),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(a_wrong_dtype_is_refused),
        cmocka_unit_test(a_wrong_shape_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(wrong_offsets_are_refused),
        cmocka_unit_test(holes_and_overlaps_are_refused),
        cmocka_unit_test(keys_that_stand_twice_are_refused),
        cmocka_unit_test(an_entry_that_lacks_or_adds_a_key_is_refused),
        cmocka_unit_test(metadata_of_anything_but_strings_is_refused),
        cmocka_unit_test(a_hundred_thousand_levels_are_refused),
        cmocka_unit_test(a_model_that_does_not_fit_is_named_and_left_alone),
        cmocka_unit_test(integers_are_not_taken_for_weights),
        cmocka_unit_test(files_that_cannot_be_read_or_written_are_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
