/* Downloads: from a server on this machine that is slow, breaks off, lies, or redirects. */
#include "datasets/checksum.h"
#include "datasets/download.h"
#include "tests/datasets/loopback.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { SIZE = 40000, QUARTER = SIZE / 4 };

// curl/curl.h: CURLE_UNSUPPORTED_PROTOCOL and so on. Each version words them in its own way.
#define UNSUPPORTED_PROTOCOL "(libcurl error 1)"
#define CANNOT_CONNECT       "(libcurl error 7)"
#define TOO_SLOW             "(libcurl error 28)"
#define TOO_MANY_REDIRECTS   "(libcurl error 47)"
#define EMPTY_REPLY          "(libcurl error 52)"

typedef struct Place {
    uint8_t content[SIZE];
    char sha256[CHECKSUM_SIZE];
    char dir[64], path[128], part[136];
    Loopback *server;
    CatalogueFile file;
    CatalogueSet set;
    const char *sources[2];
    char missing[96];    // a source where nothing is
    DownloadOptions options;
    Error err;
} Place;

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static int enter(void **state)
{
    Place *p = calloc(1, sizeof *p);
    if (p == NULL) return -1;
    setenv("no_proxy", "127.0.0.1", 1);
    for (int i = 0; i < SIZE; i++) p->content[i] = (uint8_t)(i * 31 + i / 251);
    strcpy(p->dir, "/tmp/test_download_XXXXXX");
    if (mkdtemp(p->dir) == NULL) return -1;
    snprintf(p->path, sizeof p->path, "%s/set/abc.bin", p->dir);
    snprintf(p->part, sizeof p->part, "%s.part", p->path);
    char folder[96];
    snprintf(folder, sizeof folder, "%s/set", p->dir);
    if (mkdir(folder, 0777) != 0) return -1;
    write_file(p->part, p->content, SIZE);
    if (!checksum_file(p->sha256, p->part, NULL) || unlink(p->part) != 0) return -1;

    p->server = loopback_open(p->content, SIZE);
    if (p->server == NULL) return -1;
    snprintf(p->missing, sizeof p->missing, "%smissing/", p->server->address);
    p->file =
        (CatalogueFile){.name = "abc.bin", .remote = "abc.bin", .bytes = SIZE, .sha256 = p->sha256};
    p->sources[0] = p->server->address;
    p->set = (CatalogueSet){.name = "abc",
                            .folder = "set",
                            .file_count = 1,
                            .files = &p->file,
                            .source_count = 1,
                            .sources = p->sources};
    p->options = (DownloadOptions){.data_dir = p->dir, .patience = 5};
    *state = p;
    return 0;
}

static int leave(void **state)
{
    Place *p = *state;
    char command[128];
    loopback_close(p->server);
    snprintf(command, sizeof command, "rm -r %s", p->dir);
    int status = system(command);
    free(p);
    return status;
}

static long size_of(const char *path)    // -1: not there
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static void fetches(Place *p)
{
    if (!download_set(&p->set, &p->options, &p->err)) fail_msg("%s", p->err.message);
    uint8_t got[SIZE + 1];
    FILE *file = fopen(p->path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, sizeof got, file), SIZE);
    fclose(file);
    assert_memory_equal(got, p->content, SIZE);
    assert_int_equal(size_of(p->part), -1);
}

// Fails with that sentence, and leaves `kept` bytes to go on from; -1 for none.
static void fails(Place *p, const char *sentence, long kept)
{
    if (download_set(&p->set, &p->options, &p->err))
        fail_msg("succeeded; expected \"%s\"", sentence);
    if (strstr(p->err.message, sentence) == NULL)
        fail_msg("got \"%s\", expected \"%s\"", p->err.message, sentence);
    assert_int_equal(size_of(p->path), -1);
    assert_int_equal(size_of(p->part), kept);
}

static void download_fetches_the_file(void **state)
{
    Place *p = *state;
    fetches(p);
    assert_int_equal(p->server->requests, 1);
    assert_int_equal(p->server->range, -1);
}

static void download_keeps_a_valid_file(void **state)
{
    Place *p = *state;
    write_file(p->path, p->content, SIZE);
    fetches(p);
    assert_int_equal(p->server->requests, 0);
}

static void download_replaces_a_damaged_file(void **state)
{
    Place *p = *state;
    write_file(p->path, "garbage", 7);
    fetches(p);
}

static void download_makes_the_folders_it_needs(void **state)
{
    Place *p = *state;
    char deeper[96];
    snprintf(deeper, sizeof deeper, "%s/a/b", p->dir);
    snprintf(p->path, sizeof p->path, "%s/set/abc.bin", deeper);
    p->options.data_dir = deeper;
    fetches(p);
}

static void download_waits_for_a_slow_server(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_SLOW;
    fetches(p);
}

static void download_goes_on_by_itself_when_a_server_cuts_off(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_CUTS_OFF;
    fetches(p);
    assert_int_equal(p->server->requests, 4);
    assert_int_equal(p->server->range, 3 * QUARTER);
}

static void download_resumes_in_a_later_call(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_CUTS_OFF_ONCE;
    fails(p, EMPTY_REPLY, QUARTER);
    p->server->manner = LOOPBACK_WELL;
    fetches(p);
    assert_int_equal(p->server->range, QUARTER);
}

static void download_starts_over_when_ranges_are_ignored(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_IGNORES_RANGES;
    write_file(p->part, p->content, QUARTER);
    fetches(p);
}

static void download_starts_over_when_ranges_are_refused(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_REFUSES_RANGES;
    write_file(p->part, p->content, QUARTER);
    fetches(p);
}

static void download_takes_a_part_that_is_whole_already(void **state)
{
    Place *p = *state;
    write_file(p->part, p->content, SIZE);
    fetches(p);
    assert_int_equal(p->server->requests, 0);
}

static void download_starts_over_when_the_part_is_too_large(void **state)
{
    Place *p = *state;
    uint8_t more[SIZE + 1] = {0};
    write_file(p->part, more, sizeof more);
    fetches(p);
    assert_int_equal(p->server->requests, 1);
    assert_int_equal(p->server->range, -1);
}

static void download_deletes_what_has_another_checksum(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_GARBAGE;
    fails(p, "is not the file expected and was deleted", -1);
    char expected[96];
    snprintf(expected, sizeof expected, "expected %s", p->sha256);
    assert_non_null(strstr(p->err.message, "abc.bin.part: has SHA-256 "));
    assert_non_null(strstr(p->err.message, expected));
}

static void download_recovers_from_a_part_of_another_file(void **state)
{
    Place *p = *state;
    write_file(p->part, "something else", 14);
    fails(p, "is not the file expected and was deleted", -1);
    fetches(p);
}

static void download_cuts_off_a_server_that_announces_too_much(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_TOO_MUCH;
    fails(p, "sends more than the 40000 bytes expected", -1);
}

static void download_cuts_off_a_server_that_never_ends(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_ENDLESS;
    fails(p, "sends more than the 40000 bytes expected", -1);
}

static void download_refuses_a_file_that_is_too_short(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_TOO_LITTLE;
    fails(p, "sent 20000 bytes, expected 40000", SIZE / 2);
    assert_int_equal(p->server->requests, 1);    // asking again would bring the same
}

static void download_names_the_status_of_an_error(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_500;
    fails(p, "/abc.bin: the server answers 500, expected 200 (OK)", -1);
    p->sources[0] = p->missing;
    fails(p, "/missing/abc.bin: the server answers 404, expected 200 (OK)", -1);
}

static void an_error_page_is_never_added_to_a_part(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_500;
    write_file(p->part, p->content, QUARTER);
    fails(p, "the server answers 500", QUARTER);
}

static void download_reports_a_server_that_closes_at_once_or_is_unreachable(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_CLOSES;
    fails(p, EMPTY_REPLY, -1);
    p->sources[0] = "http://127.0.0.1:1/";
    fails(p, "http://127.0.0.1:1/abc.bin: ", -1);
    fails(p, CANNOT_CONNECT, -1);
}

static void download_gives_up_on_a_server_that_stalls_and_keeps_the_part(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_STALLS;
    p->options.patience = 1;
    fails(p, TOO_SLOW, LOOPBACK_FEW);
}

static void download_follows_a_redirect(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_REDIRECTS;
    fetches(p);
    assert_int_equal(p->server->requests, 2);
}

static void download_refuses_a_loop_of_redirects(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_REDIRECT_LOOP;
    fails(p, TOO_MANY_REDIRECTS, -1);
}

static void download_refuses_a_redirect_off_the_web(void **state)
{
    Place *p = *state;
    p->server->manner = LOOPBACK_REDIRECTS_TO_FTP;
    fails(p, UNSUPPORTED_PROTOCOL, -1);
}

static void download_tries_the_next_source(void **state)
{
    Place *p = *state;
    p->sources[0] = p->missing;
    p->sources[1] = p->server->address;
    p->set.source_count = 2;
    fetches(p);
    assert_int_equal(p->server->requests, 2);
}

static void a_base_address_replaces_the_sources(void **state)
{
    Place *p = *state;
    p->sources[0] = "http://127.0.0.1:1/";
    p->options.base = p->server->address;
    fetches(p);
}

static void download_stops_when_cancelled_and_resumes(void **state)
{
    Place *p = *state;
    static volatile sig_atomic_t stop = 0;
    p->server->manner = LOOPBACK_STALLS;
    p->server->raise = &stop;
    p->options.stop = &stop;
    fails(p, "abc.bin.part: interrupted; its first 100 of 40000 bytes are kept", LOOPBACK_FEW);
    assert_int_equal(p->server->requests, 1);
    stop = 0;
    p->server->manner = LOOPBACK_WELL;
    fetches(p);
    assert_int_equal(p->server->range, LOOPBACK_FEW);
}

static void two_downloads_do_not_write_one_part(void **state)
{
    Place *p = *state;
    int other = open(p->part, O_RDWR | O_CREAT, 0666);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX), 0);
    fails(p, "abc.bin.part: another download is writing it", 0);
    close(other);
    fetches(p);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(download_fetches_the_file),
        CASE(download_keeps_a_valid_file),
        CASE(download_replaces_a_damaged_file),
        CASE(download_makes_the_folders_it_needs),
        CASE(download_waits_for_a_slow_server),
        CASE(download_goes_on_by_itself_when_a_server_cuts_off),
        CASE(download_resumes_in_a_later_call),
        CASE(download_starts_over_when_ranges_are_ignored),
        CASE(download_starts_over_when_ranges_are_refused),
        CASE(download_takes_a_part_that_is_whole_already),
        CASE(download_starts_over_when_the_part_is_too_large),
        CASE(download_deletes_what_has_another_checksum),
        CASE(download_recovers_from_a_part_of_another_file),
        CASE(download_cuts_off_a_server_that_announces_too_much),
        CASE(download_cuts_off_a_server_that_never_ends),
        CASE(download_refuses_a_file_that_is_too_short),
        CASE(download_names_the_status_of_an_error),
        CASE(an_error_page_is_never_added_to_a_part),
        CASE(download_reports_a_server_that_closes_at_once_or_is_unreachable),
        CASE(download_gives_up_on_a_server_that_stalls_and_keeps_the_part),
        CASE(download_follows_a_redirect),
        CASE(download_refuses_a_loop_of_redirects),
        CASE(download_refuses_a_redirect_off_the_web),
        CASE(download_tries_the_next_source),
        CASE(a_base_address_replaces_the_sources),
        CASE(download_stops_when_cancelled_and_resumes),
        CASE(two_downloads_do_not_write_one_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
