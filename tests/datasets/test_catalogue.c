/* The catalogue: ours is right, a damaged one is refused by the field's name, files are verified. */
#include "datasets/catalogue.h"
#include "datasets/checksum.h"
#include "datasets/root.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

// SHA-256 of "abc" (FIPS 180-2, appendix B.1).
#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char GOOD[] =
    "{\"datasets\": [{\"name\": \"abc\", \"title\": \"Three letters\", \"licence\": \"MIT\",\n"
    "  \"folder\": \"letters\", \"labs\": [\"tokenizer\"], \"sources\": "
    "[\"https://example.org/a/\"],\n"
    "  \"files\": [{\"name\": \"abc.txt\", \"remote\": \"input.txt\", \"bytes\": 3,\n"
    "    \"sha256\": \"" SHA256_OF_ABC "\"}]}]}\n";

static int enter(void **state)
{
    *state = arena_new("test", 64u << 20);
    return 0;
}

static int leave(void **state)
{
    arena_free(*state);
    return 0;
}

// The good text with one piece of it replaced.
static void refuses(Arena *keep, const char *piece, const char *instead, const char *sentence)
{
    char text[2048];
    Catalogue catalogue;
    Error err = {""};
    const char *at = strstr(GOOD, piece);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, instead, at + strlen(piece));
    if (catalogue_parse(keep, &catalogue, text, strlen(text), "c.json", &err))
        fail_msg("%s was accepted; expected \"%s\"", instead, sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("%s: got \"%s\", expected \"%s\"", instead, err.message, sentence);
}

static void catalogue_reads_every_field(void **state)
{
    Catalogue catalogue;
    Error err;
    assert_true(catalogue_parse(*state, &catalogue, GOOD, sizeof GOOD - 1, "c.json", &err));
    assert_int_equal(catalogue.count, 1);
    assert_null(catalogue_find(&catalogue, "ab"));
    const CatalogueSet *set = catalogue_find(&catalogue, "abc");
    assert_non_null(set);
    assert_string_equal(set->title, "Three letters");
    assert_string_equal(set->licence, "MIT");
    assert_string_equal(set->folder, "letters");
    assert_int_equal(set->lab_count, 1);
    assert_string_equal(set->labs[0], "tokenizer");
    assert_int_equal(set->source_count, 1);
    assert_string_equal(set->sources[0], "https://example.org/a/");
    assert_int_equal(set->file_count, 1);
    assert_string_equal(set->files[0].name, "abc.txt");
    assert_string_equal(set->files[0].remote, "input.txt");
    assert_string_equal(set->files[0].sha256, SHA256_OF_ABC);
    assert_int_equal(catalogue_bytes(set), 3);
}

static void our_own_catalogue_is_read_and_knows_mnist(void **state)
{
    char path[PATH_MAX];
    Catalogue catalogue;
    Error err = {""};
    snprintf(path, sizeof path, "%s/datasets/catalogue.json", root_dir());
    if (!catalogue_load(*state, &catalogue, path, &err)) fail_msg("%s", err.message);
    const CatalogueSet *mnist = catalogue_find(&catalogue, "mnist");
    assert_non_null(mnist);
    assert_int_equal(mnist->file_count, 4);
    assert_int_equal(catalogue_bytes(mnist), 9912422 + 28881 + 1648877 + 4542);
    // As published, with the names in their gzip headers; Debian's package has packed them anew.
    const CatalogueSet *clothes = catalogue_find(&catalogue, "fashion-mnist");
    assert_non_null(clothes);
    assert_int_equal(clothes->file_count, 4);
    assert_int_equal(catalogue_bytes(clothes), 26421880 + 29515 + 4422102 + 5148);
}

static void catalogue_refuses_text_that_is_not_json(void **state)
{
    Catalogue catalogue;
    Error err;
    refuses(*state, "\"MIT\",", "\"MIT\"", "c.json: is not JSON in line 2");
    refuses(*state, "]}]}\n", "]}]}\nmore", "c.json: is not JSON in line 5");
    for (size_t size = 0; size < sizeof GOOD - 2; size++)
        assert_false(catalogue_parse(*state, &catalogue, GOOD, size, "c.json", &err));
    assert_false(
        catalogue_parse(*state, &catalogue, GOOD, sizeof GOOD, "c.json", &err));    // the \0
}

static void catalogue_refuses_each_wrong_field_by_name(void **state)
{
    const char *set = "c.json: datasets[0].", *file = "c.json: datasets[0].files[0].";
    const struct {
        const char *piece, *instead, *where, *sentence;
    } wrong[] = {
        {"\"datasets\": [", "\"data\": [", "c.json", ": has an unknown field \"data\""},
        {"\"name\": \"abc\"", "\"name\": 7", set, "name: is 7, expected a file name"},
        {"\"name\": \"abc\"", "\"name\": \"a/b\"", set, "name: is \"a/b\", expected a file name"},
        {"\"name\": \"abc\"", "\"name\": \"..\"", set, "name: is \"..\", expected a file name"},
        {"\"name\": \"abc\"", "\"name\": \"\"", set, "name: is empty or unprintable text"},
        {"\"name\": \"abc\"", "\"name\": \"-x\"", set, "name: is \"-x\", expected a file name"},
        {"\"name\": \"abc\", ", "", set, "name: is missing, expected a file name"},
        {"\"title\": \"Three letters\"", "\"title\": \"\\u001b[2J\"", set,
         "title: is empty or unprintable"},
        {"\"title\": \"Three letters\", ", "", set, "title: is missing, expected a line of text"},
        {"\"licence\": \"MIT\"", "\"licence\": null", set,
         "licence: is null, expected a line of text"},
        {"\"licence\": \"MIT\"", "\"license\": \"MIT\"", "datasets[0]",
         ": has an unknown field \"license\""},
        {"\"licence\": \"MIT\"", "\"licence\": \"MIT\", \"name\": \"abc\"", set,
         "name: is given twice"},
        {"\"folder\": \"letters\"", "\"folder\": \"../up\"", set,
         "folder: is \"../up\", expected a folder"},
        {"\"folder\": \"letters\", ", "", set, "folder: is missing, expected a folder"},
        {"[\"tokenizer\"]", "[3]", set, "labs: is 3, expected a file name"},
        {"[\"tokenizer\"]", "true", set, "labs: is true or false, expected a list"},
        {"[\"https://example.org/a/\"]", "[]", set,
         "sources: is a list of 0, expected a list of at least 1"},
        {"https://example.org/a/", "ftp://example.org/a/", set,
         "sources: is \"ftp://example.org/a/\""},
        {"https://example.org/a/", "https://example.org/a", set,
         "sources: is \"https://example.org/a\""},
        {"\"sources\": [\"https://example.org/a/\"]", "\"package\": \"--index-url=x==1\"", set,
         "package: is \"--index-url=x==1\", expected a package of PyPI and its version"},
        {"\"sources\": [\"https://example.org/a/\"]", "\"package\": \"letters\"", set,
         "package: is \"letters\", expected a package"},
        {"\"sources\": [\"https://example.org/a/\"]", "\"package\": \"../a==1\"", set,
         "package: is \"../a==1\""},
        {"\"sources\": [\"https://example.org/a/\"],\n", "", set,
         "sources: is missing, expected a list"},
        {"\"files\": [{", "\"files\": {\"a\": [{", "c.json", ": is not JSON"},
        {"\"name\": \"abc.txt\"", "\"name\": \"/etc/passwd\"", file, "name: is \"/etc/passwd\""},
        {"\"remote\": \"input.txt\"", "\"remote\": \"a b\"", file, "remote: is \"a b\""},
        {"\"bytes\": 3", "\"bytes\": -3", file,
         "bytes: is -3, expected a whole number from 1 to 2^40"},
        {"\"bytes\": 3", "\"bytes\": 0", file, "bytes: is 0, expected"},
        {"\"bytes\": 3", "\"bytes\": 3.5", file, "bytes: is 3.5, expected"},
        {"\"bytes\": 3", "\"bytes\": 1e300", file, "bytes: is 1.0000000000000001e+300, expected"},
        {"\"bytes\": 3", "\"bytes\": \"3\"", file, "bytes: is \"3\", expected"},
        {"\"bytes\": 3,", "", file, "bytes: is missing, expected"},
        {"\"sha256\": \"ba78", "\"sha256\": \"BA78", file, "sha256: is \"BA7816"},
        {"\"sha256\": \"ba78", "\"sha256\": \"ba7", file,
         "expected 64 lower-case hexadecimal digits"},
        {"\"sha256\": \"ba78", "\"sha256\": \"ba780", file,
         "expected 64 lower-case hexadecimal digits"},
        {"[{\"name\": \"abc.txt\"", "[7, {\"name\": \"abc.txt\"", "datasets[0].files[0]",
         ": expected an object"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "%s%s", wrong[i].where, wrong[i].sentence);
        const char *tail = strstr(wrong[i].sentence, "expected 64") ? wrong[i].sentence : sentence;
        refuses(*state, wrong[i].piece, wrong[i].instead, tail);
    }
}

static void a_package_takes_the_place_of_sources(void **state)
{
    char text[4096];
    Catalogue catalogue;
    Error err;
    const char *sources = strstr(GOOD, "\"sources\""), *rest = strstr(sources, "\n");
    snprintf(text, sizeof text, "%.*s\"package\": \"letters==1.0\",%s", (int)(sources - GOOD), GOOD,
             rest);
    if (!catalogue_parse(*state, &catalogue, text, strlen(text), "c.json", &err))
        fail_msg("%s", err.message);
    assert_string_equal(catalogue.sets[0].package, "letters==1.0");
    assert_int_equal(catalogue.sets[0].source_count, 0);
}

static void catalogue_refuses_two_sets_of_one_name(void **state)
{
    char text[4096];
    Catalogue catalogue;
    Error err;
    const char *set = strchr(GOOD, '[') + 1;
    int length = (int)(strrchr(GOOD, ']') - set);
    snprintf(text, sizeof text, "{\"datasets\": [%.*s, %.*s]}", length, set, length, set);
    assert_false(catalogue_parse(*state, &catalogue, text, strlen(text), "c.json", &err));
    assert_string_equal(err.message,
                        "c.json: datasets[1].name: \"abc\" is also the name of datasets[0]");
}

static void a_file_is_known_by_size_and_sum(void **state)
{
    char dir[] = "/tmp/test_catalogue_XXXXXX", folder[64], path[PATH_MAX];
    Catalogue catalogue;
    Error err;
    assert_true(catalogue_parse(*state, &catalogue, GOOD, sizeof GOOD - 1, "c.json", &err));
    const CatalogueSet *set = &catalogue.sets[0];
    assert_non_null(mkdtemp(dir));
    snprintf(folder, sizeof folder, "%s/letters", dir);
    mkdir(folder, 0777);
    assert_true(catalogue_path(path, set, &set->files[0], dir, &err));

    const struct {
        const char *content;
        CatalogueState state;
        const char *sentence;
    } cases[] = {
        {NULL, CATALOGUE_MISSING, "No such file"},
        {"ab", CATALOGUE_DAMAGED, "has 2 bytes, expected 3"},
        {"abd", CATALOGUE_PRESENT, "expected " SHA256_OF_ABC},
        {"abc", CATALOGUE_PRESENT, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *file = cases[i].content != NULL ? fopen(path, "wb") : NULL;
        if (file != NULL) {
            fputs(cases[i].content, file);
            fclose(file);
        }
        assert_int_equal(catalogue_check(set, dir), cases[i].state);
        bool right = catalogue_verify(set, dir, &err);
        assert_int_equal(right, cases[i].sentence == NULL);
        if (!right && strstr(err.message, cases[i].sentence) == NULL)
            fail_msg("got \"%s\", expected \"%s\"", err.message, cases[i].sentence);
    }
    unlink(path);
    rmdir(folder);
    rmdir(dir);
}

static void checksum_refuses_what_cannot_be_read(void **state)
{
    (void)state;
    char sha256[CHECKSUM_SIZE];
    Error err;
    assert_false(checksum_file(sha256, "/nowhere/abc", &err));
    assert_string_equal(err.message, "/nowhere/abc: No such file or directory");
    assert_false(checksum_file(sha256, "/tmp", &err));
    assert_string_equal(err.message, "/tmp: is a folder, expected a file");
}

static void a_catalogue_larger_than_a_megabyte_is_refused(void **state)
{
    Catalogue catalogue;
    Error err;
    FILE *file = fopen("large.json", "wb");
    assert_int_equal(ftruncate(fileno(file), (1 << 20) + 1), 0);
    fclose(file);
    assert_false(catalogue_load(*state, &catalogue, "large.json", &err));
    unlink("large.json");
    assert_non_null(
        strstr(err.message, "large.json: cannot be read, or has more than 1048576 bytes"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(catalogue_reads_every_field),
        CASE(our_own_catalogue_is_read_and_knows_mnist),
        CASE(catalogue_refuses_text_that_is_not_json),
        CASE(catalogue_refuses_each_wrong_field_by_name),
        CASE(a_package_takes_the_place_of_sources),
        CASE(catalogue_refuses_two_sets_of_one_name),
        CASE(a_file_is_known_by_size_and_sum),
        CASE(checksum_refuses_what_cannot_be_read),
        CASE(a_catalogue_larger_than_a_megabyte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
