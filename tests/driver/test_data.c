/* `lab data`: what it prints, what it returns, and where it looks, in a project of its own. */
#include "labs/driver/commands.h"
#include "tests/datasets/loopback.h"
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

// One set of one file, "abc" (SHA-256 from FIPS 180-2, appendix B.1).
static const char CATALOGUE[] =
    "{\"datasets\": [{\"name\": \"letters\", \"title\": \"Three letters\", \"licence\": \"MIT\",\n"
    "  \"folder\": \"\", \"labs\": [\"tokenizer\"], \"sources\": [\"http://127.0.0.1:1/\"],\n"
    "  \"files\": [{\"name\": \"abc.txt\", \"bytes\": 3, \"sha256\":\n"
    "    \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}]}\n";

static char output[8192];    // all that the last command printed

static int lab(const char *words)    // "data list": the exit status
{
    char copy[128], *argv[8], *rest = copy;
    int argc = 0;
    FILE *caught = tmpfile();
    assert_non_null(caught);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word; argc < 7 && (word = strsep(&rest, " ")) != NULL;) argv[argc++] = word;
    argv[argc] = NULL;

    fflush(stdout);
    int held_out = dup(STDOUT_FILENO), held_err = dup(STDERR_FILENO);
    dup2(fileno(caught), STDOUT_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
    int status = command_data(argc, argv);
    fflush(stdout);
    dup2(held_out, STDOUT_FILENO);
    dup2(held_err, STDERR_FILENO);
    close(held_out);
    close(held_err);
    rewind(caught);
    output[fread(output, 1, sizeof output - 1, caught)] = '\0';
    fclose(caught);
    return status;
}

static void expect(const char *words, int status, const char *sentence)
{
    int got = lab(words);
    if (got != status || strstr(output, sentence) == NULL)
        fail_msg("%s: returned %d and got \"%s\"; expected %d and \"%s\"", words, got, output,
                 status, sentence);
}

static void write_file(const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", getenv("LAB_ROOT"), name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

// A project that holds nothing but a catalogue; its data goes to data/ in it.
static int enter(void **state)
{
    char *root = strdup("/tmp/test_data_XXXXXX"), folder[64];
    if (root == NULL || mkdtemp(root) == NULL) return -1;
    setenv("LAB_ROOT", root, 1);
    unsetenv("LAB_DATA");
    unsetenv("LAB_DATA_URL");
    setenv("no_proxy", "127.0.0.1", 1);
    snprintf(folder, sizeof folder, "%s/datasets", root);
    if (mkdir(folder, 0777) != 0) return -1;
    snprintf(folder, sizeof folder, "%s/data", root);
    if (mkdir(folder, 0777) != 0) return -1;
    write_file("datasets/catalogue.json", CATALOGUE);
    *state = root;
    return 0;
}

static int leave(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", (char *)*state);
    free(*state);
    return system(command);
}

static void data_list_shows_whether_a_set_is_here(void **state)
{
    (void)state;
    expect("data list", 0, "  letters            0.0 kB  missing  MIT            Three letters\n");
    write_file("data/abc.txt", "abcd");
    expect("data list", 0, "  damaged  ");
    write_file("data/abc.txt", "abc");
    expect("data list", 0, "  present  ");
}

static void data_list_of_our_own_catalogue_fits_80_columns(void **state)
{
    (void)state;
    unsetenv("LAB_ROOT");    // then the project that this was built from
    expect("data list", 0, "Handwritten digits");
    char *line = strstr(output, "  name"), *end;    // above it stands a path of any length
    assert_non_null(line);
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (end - line > 80)
            fail_msg("%d columns: %.*s", (int)(end - line), (int)(end - line), line);
}

static void data_list_writes_json_for_programs(void **state)
{
    (void)state;
    assert_int_equal(lab("data list --json"), 0);
    cJSON *list = cJSON_Parse(output), *set = cJSON_GetArrayItem(list, 0);
    assert_int_equal(cJSON_GetArraySize(list), 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(set, "name")), "letters");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(set, "state")), "missing");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(set, "bytes")) == 3.0);
    cJSON_Delete(list);
}

static void data_uses_the_folder_in_lab_data(void **state)
{
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%s/datasets", (char *)*state);
    write_file("datasets/abc.txt", "abc");
    expect("data list", 0, "missing");
    setenv("LAB_DATA", elsewhere, 1);
    expect("data list", 0, "present");
}

static void data_verify_distinguishes_valid_damaged_and_missing_files(void **state)
{
    (void)state;
    expect("data verify", 0, "letters: missing\n");
    expect("data verify letters", 1, "abc.txt: No such file or directory");
    write_file("data/abc.txt", "abd");
    expect("data verify", 1, "expected ba7816bf8f01cfea");
    write_file("data/abc.txt", "abc");
    expect("data verify", 0, "letters: verified\n");
    expect("data verify letters", 0, "letters: verified\n");
}

static void data_get_fetches_from_the_address_that_was_given(void **state)
{
    (void)state;
    Loopback *server = loopback_open((const uint8_t *)"abc", 3);
    assert_non_null(server);
    setenv("LAB_DATA_URL", server->address, 1);
    int status = lab("data get letters");
    loopback_close(server);
    if (status != 0) fail_msg("returned %d and got \"%s\"", status, output);
    expect("data verify letters", 0, "letters: verified\n");
}

static void data_get_says_why_it_failed(void **state)
{
    (void)state;
    expect("data get letters", 1, "http://127.0.0.1:1/abc.txt: ");
}

static void data_reports_an_unknown_set(void **state)
{
    (void)state;
    expect("data get numbers", 2, "no data set \"numbers\"");
    expect("data verify numbers", 2, "no data set \"numbers\"");
}

static void data_prints_its_usage_for_wrong_arguments(void **state)
{
    (void)state;
    expect("data", 2, "usage: ./lab data list");
    expect("data fetch letters", 2, "usage: ./lab data list");
    expect("data get", 2, "usage: ./lab data list");
    expect("data list --jsn", 2, "usage: ./lab data list");
    expect("data get --help", 0, "usage: ./lab data list");
}

static void data_names_the_damage_in_the_catalogue(void **state)
{
    (void)state;
    write_file("datasets/catalogue.json", "{\"datasets\": [{\"name\": 3}]}");
    expect("data list", 1, "datasets/catalogue.json: datasets[0].name: is 3, expected a file name");
    write_file("datasets/catalogue.json", "");
    expect("data list", 1, "datasets/catalogue.json: is not JSON in line 1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(data_list_shows_whether_a_set_is_here),
        CASE(data_list_of_our_own_catalogue_fits_80_columns),
        CASE(data_list_writes_json_for_programs),
        CASE(data_uses_the_folder_in_lab_data),
        CASE(data_verify_distinguishes_valid_damaged_and_missing_files),
        CASE(data_get_fetches_from_the_address_that_was_given),
        CASE(data_get_says_why_it_failed),
        CASE(data_reports_an_unknown_set),
        CASE(data_prints_its_usage_for_wrong_arguments),
        CASE(data_names_the_damage_in_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
