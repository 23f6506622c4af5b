/* Exercises 1 and 2: UTF-8 and the byte map. check.c says how cases are made. */
#include <stdio.h>
#include "labs/3_language/tokenizer/check.h"
#include "tests/guarded.h"

// ---- 1: utf8_decode ----

// All characters of a text, in the form "U+0041:1 U+FFFD:2": code points and bytes.
static void check_decoded(const char *text, size_t bytes, const char *want)
{
    char got[512] = "", *copy = text_copy(text, bytes), *before = text_copy(text, bytes);
    for (size_t at = 0, used = 99; at < bytes; at += used) {
        uint32_t code = bpe_utf8_decode(copy + at, bytes - at, &used);
        assert_that(used > 0 && used <= bytes - at, "*used is %zu with %zu bytes left", used,
                    bytes - at);
        size_t end = strlen(got);
        snprintf(got + end, sizeof got - end, "%sU+%04X:%zu", at > 0 ? " " : "", (unsigned)code,
                 used);
    }
    assert_that(strcmp(got, want) == 0, "got  %s\nwant %s", got, want);
    assert_that(memcmp(copy, before, bytes) == 0, "the text was changed");
}
#define DECODED(literal, want) check_decoded(literal, sizeof(literal) - 1, want)

CASE(utf8_decode__of_one_to_four_bytes)
{
    DECODED("A", "U+0041:1");
    DECODED("\u00e9", "U+00E9:2");
    DECODED("\u4e2d", "U+4E2D:3");
    DECODED("\U0001f642", "U+1F642:4");
    DECODED("M\u0430\u4e8c\U00010302", "U+004D:1 U+0430:2 U+4E8C:3 U+10302:4");    // table 3-4
}

CASE(utf8_decode__of_each_code_point_gives_it_back)
{
    char *end = text_copy("1234", 4) + 4;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, used = 99;
        static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = 0; i < n; i++)
            end[-1 - (ptrdiff_t)i] =
                (char)(i + 1 < n ? 0x80 | (code >> 6 * i & 0x3f) : lead[n] | code >> 6 * i);
        uint32_t got = bpe_utf8_decode(end - n, n, &used);
        assert_that(got == code && used == n, "U+%04X of %zu bytes: got U+%04X of %zu",
                    (unsigned)code, n, (unsigned)got, used);
    }
}

CASE(utf8_decode__of_longer_forms_as_table_3_8)
{
    DECODED("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41",
            "U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+0041:1");
}

CASE(utf8_decode__of_surrogates_as_table_3_9)
{
    DECODED("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41",
            "U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+0041:1");
}

CASE(utf8_decode__of_other_bytes_as_table_3_10)
{
    DECODED("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42",
            "U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+FFFD:1 U+0041:1 U+FFFD:1 U+FFFD:1 U+0042:1");
}

CASE(utf8_decode__of_truncated_characters_as_table_3_11)
{
    DECODED("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "U+FFFD:2 U+FFFD:1 U+FFFD:3 U+FFFD:2 U+0041:1");
    for (unsigned last = 0; last < 256; last++) {    // the byte behind three of four
        const char text[] = {'\xf1', '\x80', '\x80', (char)last};
        size_t used = 99, want = last / 64 == 2 ? 4 : 3;
        uint32_t code = bpe_utf8_decode(text_copy(text, 4), 4, &used);
        assert_that(code == (want == 4 ? 0x40000 + last % 64 : 0xfffd) && used == want,
                    "F1 80 80 %02X: got U+%04X of %zu", last, (unsigned)code, used);
    }
}

CASE(utf8_decode__of_a_text_that_ends_too_soon)
{
    DECODED("\xe6\xad", "U+FFFD:2");
    DECODED("\xc3", "U+FFFD:1");
    DECODED("\xf0\x9f\x99", "U+FFFD:3");
    size_t used = 99;    // what stands behind the text is not its own
    uint32_t code = bpe_utf8_decode(TEXT("\xe4\xb8\xad"), 2, &used);
    assert_that(code == 0xfffd && used == 2, "got U+%04X of %zu", (unsigned)code, used);
}

CASE(utf8_decode__of_zero_bytes_and_of_the_replacement_character_itself)
{
    DECODED("a\0b", "U+0061:1 U+0000:1 U+0062:1");
    DECODED("\xef\xbf\xbd", "U+FFFD:3");
    DECODED("\xef\xbb\xbf", "U+FEFF:3");
}

CASE(utf8_decode__of_every_pair_of_bytes_follows_table_3_7)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            const char text[] = {(char)a, (char)b};
            char *end = text_copy(text, 2);
            size_t used = 99, want = 1;
            uint32_t code = bpe_utf8_decode(end, 2, &used), right = a < 0x80 ? a : 0xfffd;
            bool begins = (a == 0xe0 && b >= 0xa0 && b <= 0xbf) || (a == 0xed && b / 32 == 4) ||
                          (a > 0xe0 && a < 0xf0 && a != 0xed && b / 64 == 2) ||
                          (a == 0xf0 && b >= 0x90 && b <= 0xbf) ||
                          (a > 0xf0 && a < 0xf4 && b / 64 == 2) || (a == 0xf4 && b / 16 == 8);
            if (begins) want = 2;
            if (a >= 0xc2 && a <= 0xdf && b / 64 == 2) want = 2, right = a % 32 * 64 + b % 64;
            assert_that(code == right && used == want,
                        "bytes %02X %02X: got U+%04X of %zu, expected U+%04X of %zu", a, b,
                        (unsigned)code, used, (unsigned)right, want);
            guarded_free(end, 2);
        }
}

CASE(utf8_decode__keeps_nothing_from_the_text_before)
{
    char *text = TEXT("\xe4\xb8\xad");
    size_t used;
    bpe_utf8_decode(text, 3, &used);
    text[2] = 'x';
    uint32_t code = bpe_utf8_decode(text, 3, &used);
    assert_that(code == 0xfffd && used == 2, "second call: got U+%04X of %zu", (unsigned)code,
                used);
}

// ---- 2: byte_map ----

static const uint32_t *mapped(void)
{
    static uint32_t *code;
    if (code == NULL) code = (uint32_t *)ints_filled(256, -1);
    bpe_byte_map(code);
    return code;
}

CASE(byte_map__matches_characters_of_gpt2s_vocabulary)
{
    // "\u0120the" is " the", "\u010a" a new line, "\u00e4\u00bd\u0142" the bytes E4 BD A0.
    static const struct {
        int byte;
        unsigned code;
    } known[] = {{' ', 0x120},  {'\n', 0x10a}, {'\t', 0x109}, {'\r', 0x10d}, {0, 0x100},
                 {0x7f, 0x121}, {0xa0, 0x142}, {0xad, 0x143}, {0x80, 0x122}, {'A', 'A'},
                 {0xe4, 0xe4},  {0xbd, 0xbd},  {0xff, 0xff}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        unsigned got = (unsigned)mapped()[known[i].byte];
        assert_that(got == known[i].code, "byte %02X: got U+%04X, expected U+%04X",
                    (unsigned)known[i].byte, got, known[i].code);
    }
}

CASE(byte_map__leaves_188_bytes_alone)
{
    const uint32_t *code = mapped();
    int same = 0;
    for (int b = 0; b < 256; b++) {
        bool seen = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        assert_that((code[b] == (uint32_t)b) == seen, "byte %02X: got U+%04X", (unsigned)b,
                    (unsigned)code[b]);
        same += code[b] == (uint32_t)b;
    }
    assert_integer("bytes that are their own code points", same, 188);
}

CASE(byte_map__gives_the_other_68_ascending_code_points)
{
    const uint32_t *code = mapped();
    uint32_t next = 256;
    for (int b = 0; b < 256; b++)
        if (code[b] != (uint32_t)b) {
            assert_that(code[b] == next, "byte %02X: got U+%04X, expected U+%04X", (unsigned)b,
                        (unsigned)code[b], (unsigned)next);
            next++;
        }
    assert_integer("code points from 256 on", next - 256, 68);
}

CASE(byte_map__is_the_same_when_asked_again)
{
    mapped();
    assert_that(mapped()[' '] == 0x120, "second call: the space is U+%04X, expected U+0120",
                (unsigned)mapped()[' ']);
}

const struct CMUnitTest text_cases[] = {
    cmocka_unit_test(utf8_decode__of_one_to_four_bytes),
    cmocka_unit_test(utf8_decode__of_each_code_point_gives_it_back),
    cmocka_unit_test(utf8_decode__of_longer_forms_as_table_3_8),
    cmocka_unit_test(utf8_decode__of_surrogates_as_table_3_9),
    cmocka_unit_test(utf8_decode__of_other_bytes_as_table_3_10),
    cmocka_unit_test(utf8_decode__of_truncated_characters_as_table_3_11),
    cmocka_unit_test(utf8_decode__of_a_text_that_ends_too_soon),
    cmocka_unit_test(utf8_decode__of_zero_bytes_and_of_the_replacement_character_itself),
    cmocka_unit_test(utf8_decode__of_every_pair_of_bytes_follows_table_3_7),
    cmocka_unit_test(utf8_decode__keeps_nothing_from_the_text_before),
    cmocka_unit_test(byte_map__matches_characters_of_gpt2s_vocabulary),
    cmocka_unit_test(byte_map__leaves_188_bytes_alone),
    cmocka_unit_test(byte_map__gives_the_other_68_ascending_code_points),
    cmocka_unit_test(byte_map__is_the_same_when_asked_again),
    {0},
};
