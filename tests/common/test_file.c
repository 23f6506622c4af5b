/* Files that appear whole or not at all. */
#include "common/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/skip.h"

static char folder[] = "/tmp/test_file_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/data", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);    // fails when a temporary file was left behind
}

static const char *content(void)
{
    static char text[64];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_file(const char *text)
{
    NewFile file;
    Error err = {""};
    assert_true(file_begin(&file, path, &err));
    fputs(text, file.stream);
    if (!file_commit(&file, &err)) fail_msg("%s", err.message);
}

static void the_old_file_is_seen_until_the_new_one_is_whole(void **state)
{
    (void)state;
    NewFile file;
    write_file("old");
    assert_true(file_begin(&file, path, NULL));
    fputs("new", file.stream);
    fflush(file.stream);
    assert_string_equal(content(), "old");
    assert_true(file_commit(&file, NULL));
    assert_string_equal(content(), "new");
}

static void an_abandoned_file_leaves_the_old_one(void **state)
{
    (void)state;
    NewFile file;
    write_file("old");
    assert_true(file_begin(&file, path, NULL));
    fputs("half", file.stream);
    file_abandon(&file);
    assert_string_equal(content(), "old");
}

static void a_failed_write_leaves_the_old_file_and_says_why(void **state)
{
    (void)state;
    NewFile file;
    Error err = {""};
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL) SKIP("no /dev/full", "run it on Linux");
    write_file("old");
    assert_true(file_begin(&file, path, &err));
    fclose(file.stream);
    file.stream = full;
    fputs("more than the disk holds", file.stream);
    assert_false(file_commit(&file, &err));
    assert_non_null(strstr(err.message, "/data: cannot be written: No space left on device"));
    assert_string_equal(content(), "old");
}

// A large write fails inside fwrite(), long before the commit.
static void a_full_disk_is_named_after_a_large_write(void **state)
{
    (void)state;
    static const char block[1 << 16];
    NewFile file;
    Error err = {""};
    struct rlimit before, small = {1 << 20, 1 << 20};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    write_file("old");
    assert_true(file_begin(&file, path, &err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 32; i++) fwrite(block, 1, sizeof block, file.stream);
    assert_true(ferror(file.stream));
    bool committed = file_commit(&file, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(committed);
    assert_non_null(strstr(err.message, "/data: cannot be written: File too large"));
    assert_string_equal(content(), "old");
}

static void leave(const char *name, int age)
{
    FILE *stream = fopen(name, "w");
    assert_non_null(stream);
    fclose(stream);
    struct timespec times[2] = {{time(NULL) - age, 0}, {time(NULL) - age, 0}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void what_a_killed_process_left_is_swept(void **state)
{
    (void)state;
    pid_t gone = fork();
    if (gone == 0) _exit(0);
    waitpid(gone, NULL, 0);
    char names[5][96];
    snprintf(names[0], sizeof names[0], "%s.%d.tmp", path, (int)gone);         // swept
    snprintf(names[1], sizeof names[1], "%s.%d.tmp", path, (int)getppid());    // still written
    snprintf(names[2], sizeof names[2], "%s.%d.tmp.old", path, (int)gone);     // a user's
    snprintf(names[3], sizeof names[3], "%s2.%d.tmp", path, (int)gone);        // another file's
    snprintf(names[4], sizeof names[4], "%s.%d.tmp", path, (int)gone);         // too young
    for (int i = 0; i < 4; i++) leave(names[i], 3600);
    write_file("text");
    assert_int_not_equal(access(names[0], F_OK), 0);
    for (int i = 1; i < 4; i++) assert_int_equal(unlink(names[i]), 0);
    leave(names[4], 0);
    write_file("text");
    assert_int_equal(unlink(names[4]), 0);
}

static void permissions_follow_the_umask(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(027);
    write_file("text");
    umask(before);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void folders_are_made_with_those_above(void **state)
{
    (void)state;
    char deep[128];
    Error err = {""};
    snprintf(deep, sizeof deep, "%s/a/b//c/", folder);
    if (!file_make_folder(deep, &err)) fail_msg("%s", err.message);
    assert_true(file_make_folder(deep, &err));    // again
    assert_true(file_make_folder("/", &err));
    assert_true(file_make_folder(".", &err));
    for (int up = 0; up < 3; up++) {
        assert_int_equal(rmdir(deep), 0);
        snprintf(deep, sizeof deep, "%s/%s", folder, up == 0 ? "a/b" : "a");
    }
}

static void a_file_in_the_way_of_a_folder_is_named(void **state)
{
    (void)state;
    char below[128];
    Error err = {""};
    write_file("text");
    snprintf(below, sizeof below, "%s/below", path);
    assert_false(file_make_folder(below, &err));
    assert_non_null(strstr(err.message, "/data/below: the folder cannot be made: Not a directory"));
    assert_false(file_make_folder(path, &err));
    assert_non_null(strstr(err.message, "/data: is not a folder"));
    assert_false(file_make_folder("", &err));
}

static void a_link_leads_to_the_new_file(void **state)
{
    (void)state;
    char link[80];
    struct stat status;
    NewFile file;
    snprintf(link, sizeof link, "%s/link", folder);
    write_file("old");
    assert_int_equal(symlink("data", link), 0);
    assert_true(file_write(link, "new", NULL));
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_string_equal(content(), "new");
    assert_true(file_begin(&file, link, NULL));
    fputs("half", file.stream);
    file_abandon(&file);
    assert_string_equal(content(), "new");
    assert_int_equal(unlink(link), 0);
}

static void a_pipe_is_written_and_stays(void **state)
{
    (void)state;
    char pipe[80], got[8] = "";
    struct stat status;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    int reader = open(pipe, O_RDONLY | O_NONBLOCK);
    assert_true(file_write(pipe, "text", NULL));
    assert_int_equal(read(reader, got, sizeof got), 4);
    assert_string_equal(got, "text");
    close(reader);
    assert_int_equal(stat(pipe, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(unlink(pipe), 0);
}

static void only_a_file_is_opened_and_mapped(void **state)
{
    (void)state;
    const char *pipe = "a pipe", *others[][2] = {{pipe, "is a pipe or a device"},
                                                 {"/dev/zero", "is a pipe or a device"},
                                                 {"/tmp", "is a folder"}};
    char expected[80];
    Error err = {""};
    FileView view;
    assert_int_equal(mkfifo(pipe, 0600), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(expected, sizeof expected, "%s: %s, expected a file", others[i][0], others[i][1]);
        assert_null(file_open(others[i][0], &err));
        assert_string_equal(err.message, expected);
        assert_false(file_map(&view, others[i][0], &err));
        assert_string_equal(err.message, expected);
    }
    assert_int_equal(unlink(pipe), 0);
    assert_null(file_open("/nowhere/abc", &err));
    assert_string_equal(err.message, "/nowhere/abc: No such file or directory");
    assert_true(file_write("a file", "text", &err));
    FILE *stream = file_open("a file", &err);
    assert_int_equal(fgetc(stream), 't');
    fclose(stream);
    assert_int_equal(unlink("a file"), 0);
}

static void a_path_too_long_is_refused(void **state)
{
    (void)state;
    static char name[2 * PATH_MAX];
    NewFile file;
    Error err = {""};
    memset(name, 'a', sizeof name - 1);
    assert_false(file_begin(&file, name, &err));
    assert_non_null(strstr(err.message, "the path is too long"));
    assert_false(file_make_folder(name, &err));
    assert_non_null(strstr(err.message, "the path is too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_file_is_seen_until_the_new_one_is_whole),
        cmocka_unit_test(an_abandoned_file_leaves_the_old_one),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_says_why),
        cmocka_unit_test(a_full_disk_is_named_after_a_large_write),
        cmocka_unit_test(what_a_killed_process_left_is_swept),
        cmocka_unit_test(permissions_follow_the_umask),
        cmocka_unit_test(folders_are_made_with_those_above),
        cmocka_unit_test(a_file_in_the_way_of_a_folder_is_named),
        cmocka_unit_test(a_link_leads_to_the_new_file),
        cmocka_unit_test(a_pipe_is_written_and_stays),
        cmocka_unit_test(only_a_file_is_opened_and_mapped),
        cmocka_unit_test(a_path_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
