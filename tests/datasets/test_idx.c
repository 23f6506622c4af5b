/* The IDX reader: what it reads, and that every kind of damage is refused and named. */
#include "datasets/idx.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

// A file of shape [2,3,4] whose elements are 100..123.
enum { HEADER = 16, ELEMENTS = 24, WHOLE = HEADER + ELEMENTS };

typedef struct Bytes {
    uint8_t at[4096];
    size_t size;
} Bytes;

static Bytes good_file(void)
{
    Bytes file = {.at = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, .size = WHOLE};
    for (int i = 0; i < ELEMENTS; i++) file.at[HEADER + i] = (uint8_t)(100 + i);
    return file;
}

static Bytes packed(Bytes plain)
{
    Bytes out = {.size = 0};
    z_stream z = {.next_in = plain.at,
                  .avail_in = (uInt)plain.size,
                  .next_out = out.at,
                  .avail_out = sizeof out.at};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.size = z.total_out;
    deflateEnd(&z);
    return out;
}

// Opens and reads from and to blocks of exactly the right size, so that a sanitizer sees a byte too
// far on either side.
static bool reads(const Bytes *file, Error *err)
{
    uint8_t *exact = malloc(file->size > 0 ? file->size : 1), *out = NULL;
    assert_non_null(exact);
    memcpy(exact, file->at, file->size);
    Idx idx;
    bool done = idx_open_memory(&idx, exact, file->size, "test.idx", err);
    if (done) {
        out = malloc(idx.bytes);
        assert_non_null(out);
        done = idx_read(&idx, out, err);
    }
    idx_close(&idx);
    free(out);
    free(exact);
    return done;
}

static void refuses(Bytes file, const char *sentence)
{
    Error err = {""};
    if (reads(&file, &err)) fail_msg("was accepted; expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL || strstr(err.message, "test.idx: ") != err.message)
        fail_msg("got \"%s\", expected \"test.idx: ...%s\"", err.message, sentence);
}

static Bytes with(Bytes file, size_t at, uint8_t value)
{
    file.at[at] = value;
    return file;
}

static Bytes cut(Bytes file, size_t size)
{
    file.size = size;
    return file;
}

static void check_good(Bytes file)
{
    Idx idx;
    Error err;
    assert_true(idx_open_memory(&idx, file.at, file.size, "test.idx", &err));
    assert_int_equal(idx.dims, 3);
    const uint32_t size[4] = {2, 3, 4, 1};
    assert_memory_equal(idx.size, size, sizeof size);
    assert_int_equal(idx.bytes, ELEMENTS);
    uint8_t out[ELEMENTS];
    assert_true(idx_read(&idx, out, &err));
    assert_memory_equal(out, good_file().at + HEADER, ELEMENTS);
    idx_close(&idx);
    idx_close(&idx);
}

static void idx_reads_a_plain_file(void **state)
{
    (void)state;
    check_good(good_file());
}

static void idx_reads_a_packed_file(void **state)
{
    (void)state;
    check_good(packed(good_file()));
}

static void idx_detects_a_gzip_file_by_its_content_not_its_name(void **state)
{
    (void)state;
    char path[] = "/tmp/test_idx_XXXXXX";
    int file = mkstemp(path);
    Bytes bytes = packed(good_file());
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes.at, bytes.size), (ssize_t)bytes.size);
    close(file);
    Idx idx;
    Error err;
    uint8_t out[ELEMENTS];
    assert_true(idx_open(&idx, path, &err));
    assert_true(idx_read(&idx, out, &err));
    assert_memory_equal(out, good_file().at + HEADER, ELEMENTS);
    idx_close(&idx);
    unlink(path);
}

static void idx_refuses_a_file_cut_anywhere(void **state)
{
    (void)state;
    for (size_t size = 0; size < WHOLE; size++) refuses(cut(good_file(), size), "expected");
    refuses(cut(good_file(), 3), "has 3 bytes, expected at least 4");
    refuses(cut(good_file(), 9), "has 9 bytes, expected at least 12");
    refuses(cut(good_file(), WHOLE - 1), "has 23 bytes after its header, expected 24");
}

static void idx_refuses_trailing_bytes(void **state)
{
    (void)state;
    refuses(cut(good_file(), WHOLE + 1), "has 25 bytes after its header, expected 24");
}

static void idx_refuses_each_wrong_byte_of_the_magic(void **state)
{
    (void)state;
    refuses(with(good_file(), 0, 1), "starts with 0x0100, expected 0x0000");
    refuses(with(good_file(), 1, 1), "starts with 0x0001, expected 0x0000");
    refuses(with(good_file(), 2, 0x0d), "element type is 0x0d, expected 0x08");
    refuses(with(good_file(), 3, 0), "has 0 dimensions, expected 1 to 4");
    refuses(with(good_file(), 3, 5), "has 5 dimensions, expected 1 to 4");
}

static void idx_refuses_each_wrong_size(void **state)
{
    (void)state;
    for (size_t at = 4; at < HEADER; at++)
        refuses(with(good_file(), at, 0x70), "after its header, expected");
    refuses(with(good_file(), 7, 0), "size 1 of 3 is 0, expected at least 1");
    refuses(with(good_file(), 11, 0), "size 2 of 3 is 0, expected at least 1");
    refuses(with(good_file(), 15, 0), "size 3 of 3 is 0, expected at least 1");
}

static void idx_refuses_sizes_whose_product_overflows(void **state)
{
    (void)state;
    Bytes file = good_file();
    memset(file.at + 4, 0xff, 12);
    refuses(file, "the product of its sizes does not fit");
    // 2^32 times 2^32 would wrap round to 0, and then to the right size.
    file = good_file();
    memcpy(file.at + 4, (uint8_t[12]){0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4}, 12);
    refuses(file, "the product of its sizes does not fit");
}

static void idx_refuses_a_packed_file_cut_anywhere(void **state)
{
    (void)state;
    Bytes file = packed(good_file());
    for (size_t size = 2; size < file.size; size++) refuses(cut(file, size), "cut off");
}

static void idx_refuses_a_packed_file_with_any_bit_of_its_data_or_checksum_wrong(void **state)
{
    (void)state;
    const size_t gzip_header = 10;    // its time stamp and its system may be anything
    Bytes file = packed(good_file());
    for (size_t bit = 8 * gzip_header; bit < 8 * file.size; bit++) {
        if (bit / 8 == file.size - 9) continue;    // ends in bits that mean nothing
        Bytes damaged = file;
        damaged.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        Error err;
        if (reads(&damaged, &err))
            fail_msg("bit %zu of %zu flipped was accepted", bit, 8 * file.size);
    }
    refuses(with(file, file.size - 8, (uint8_t)~file.at[file.size - 8]),
            "damaged (incorrect data check)");
    refuses(with(file, file.size - 4, (uint8_t)~file.at[file.size - 4]),
            "damaged (incorrect length check)");
}

static void idx_refuses_a_packed_file_of_another_length_than_its_header_says(void **state)
{
    (void)state;
    refuses(packed(cut(good_file(), WHOLE - 1)), "unpacks to 1 bytes too few");
    refuses(packed(cut(good_file(), WHOLE + 1)), "unpacks to more than the 24 bytes of its header");
    refuses(packed(cut(good_file(), 0)), "unpacks to 4 bytes too few");
}

static void idx_refuses_bytes_after_the_packed_data(void **state)
{
    (void)state;
    Bytes file = packed(good_file());
    refuses(cut(file, file.size + 7), "7 bytes follow the end of the gzip data, expected 0");
}

static void idx_refuses_a_packed_header_that_promises_more_than_deflate_can_hold(void **state)
{
    (void)state;
    refuses(packed(with(good_file(), 4, 0x70)), "which cannot unpack to");
}

static void idx_reports_a_path_that_is_missing_or_not_a_file(void **state)
{
    (void)state;
    Idx idx;
    Error err;
    assert_false(idx_open(&idx, "/nowhere/train.idx", &err));
    assert_string_equal(err.message,
                        "/nowhere/train.idx: cannot be read: No such file or directory");
    assert_false(idx_open(&idx, "/tmp", &err));
    assert_string_equal(err.message, "/tmp: is a folder, expected a file");
    idx_close(&idx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_reads_a_plain_file),
        cmocka_unit_test(idx_reads_a_packed_file),
        cmocka_unit_test(idx_detects_a_gzip_file_by_its_content_not_its_name),
        cmocka_unit_test(idx_refuses_a_file_cut_anywhere),
        cmocka_unit_test(idx_refuses_trailing_bytes),
        cmocka_unit_test(idx_refuses_each_wrong_byte_of_the_magic),
        cmocka_unit_test(idx_refuses_each_wrong_size),
        cmocka_unit_test(idx_refuses_sizes_whose_product_overflows),
        cmocka_unit_test(idx_refuses_a_packed_file_cut_anywhere),
        cmocka_unit_test(idx_refuses_a_packed_file_with_any_bit_of_its_data_or_checksum_wrong),
        cmocka_unit_test(idx_refuses_a_packed_file_of_another_length_than_its_header_says),
        cmocka_unit_test(idx_refuses_bytes_after_the_packed_data),
        cmocka_unit_test(idx_refuses_a_packed_header_that_promises_more_than_deflate_can_hold),
        cmocka_unit_test(idx_reports_a_path_that_is_missing_or_not_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
