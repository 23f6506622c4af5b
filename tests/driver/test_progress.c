/* The file of a learner's progress: what it says, what is kept, and who may write it at once. */
#include "labs/driver/progress.h"
#include "labs/driver/mine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_progress.XXXXXX", path[64];
static Error err;

static int setup(void **state)
{
    *state = arena_new("test", 64u << 20);
    strcpy(folder, "/tmp/test_progress.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/progress", folder);
    return setenv("LAB_MINE", folder, 1);
}

static int teardown(void **state)
{
    unlink(path);
    rmdir(path);
    rmdir(folder);
    arena_free(*state);
    return 0;
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const char *read_text(Arena *arena)
{
    char *text = arena_zeros(arena, 1 << 16);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static Progress load(Arena *arena)
{
    Progress progress;
    if (!progress_load(arena, &progress, &err)) fail_msg("%s", err.message);
    return progress;
}

static void record(Arena *arena, Progress *progress, const char *event)
{
    if (!progress_record(arena, progress, "lab", "one", event, &err)) fail_msg("%s", err.message);
}

static void without_a_file_nothing_is_started(void **state)
{
    Progress progress = load(*state);
    assert_int_equal(progress.count, 0);
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_NOT_STARTED);
    setenv("LAB_MINE", "/dev/null/nowhere", 1);
    progress = load(*state);
    assert_int_equal(progress.count, 0);
}

static void recorded_events_are_read_again(void **state)
{
    Progress progress = load(*state);
    record(*state, &progress, "hint 1");
    record(*state, &progress, "wrong");
    record(*state, &progress, "gave up");
    record(*state, &progress, "done");
    record(*state, &progress, "hint 2");
    for (int again = 0; again < 2; again++, progress = load(*state)) {
        assert_int_equal(progress.count, 5);
        assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_DONE);
        assert_int_equal(progress_hints(&progress, "lab", "one"), 2);
        assert_true(progress_gave_up(&progress, "lab", "one"));
        assert_int_equal(progress_state(&progress, "lab", "two"), EXERCISE_NOT_STARTED);
        assert_false(progress_gave_up(&progress, "other", "one"));
    }
    record(*state, &progress, "reset");
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_NOT_STARTED);
}

static void known_events_are_not_written_again(void **state)
{
    Progress progress = load(*state);
    for (int i = 0; i < 3; i++) {
        record(*state, &progress, "wrong");
        record(*state, &progress, "hint 1");
        record(*state, &progress, "gave up");
    }
    assert_int_equal(progress.count, 3);
    record(*state, &progress, "done");
    record(*state, &progress, "done");
    record(*state, &progress, "wrong");
    assert_int_equal(progress.count, 5);
}

static void the_order_of_lines_does_not_matter_and_the_last_time_counts(void **state)
{
    write_text("2026-11-24T09:44:51Z lab.one done\n"
               "2026-11-24T09:41:12Z lab.one wrong\n"
               "2026-11-24T09:40:00Z lab.two done\n"
               "2026-11-24T09:44:51Z lab.one done\n"
               "2026-11-24T09:50:00Z lab.two wrong\n"
               "2026-11-24T09:10:00Z lab start\n");
    Progress progress = load(*state);
    assert_int_equal(progress.count, 6);
    assert_string_equal(progress.lines[0].event, "start");
    assert_string_equal(progress.lines[0].exercise, "");
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_DONE);
    assert_int_equal(progress_state(&progress, "lab", "two"), EXERCISE_WRONG);
}

static void damaged_lines_are_ignored_and_kept(void **state)
{
    const char *text = "<<<<<<< HEAD\n"
                       "2026-11-24T09:41:12Z lab.one wrong\r\n"
                       "=======\n"
                       "2026-11-24T09:44:51Z lab.one done\n"
                       ">>>>>>> other\n"
                       "\n"
                       "2026-11-24T09:45:00Z\n"
                       "2026-11-24T09:45:00Z lab.one\n"
                       "2026-11-24 09:45:00 lab.one wrong\n"
                       "2026-11-24T09:45:00Z lab.one hint 9\n"
                       "2026-11-24T09:45:00Z lab.one cheered\n"
                       "\xff\xfe half a li";
    write_text(text);
    Progress progress = load(*state);
    assert_int_equal(progress.count, 2);
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_DONE);
    record(*state, &progress, "hint 1");
    const char *after = read_text(*state);
    assert_memory_equal(after, text, strlen(text));
    assert_int_equal(after[strlen(text)], '\n');
    assert_int_equal(progress.count, 3);
}

static void a_clock_set_back_changes_no_state(void **state)
{
    write_text("2999-12-31T23:59:59Z lab.one wrong\n");
    Progress progress = load(*state);
    record(*state, &progress, "done");
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_DONE);
    assert_non_null(strstr(read_text(*state), "3000-01-01T00:00:00Z lab.one done\n"));
    record(*state, &progress, "wrong");
    progress = load(*state);
    assert_int_equal(progress_state(&progress, "lab", "one"), EXERCISE_WRONG);
    assert_true(progress_record(*state, &progress, "lab", "two", "done", &err));
    assert_null(strstr(read_text(*state), "3000-01-01T00:00:02Z"));    // others are not drawn along
}

static void many_writers_at_once_lose_nothing(void **state)
{
    enum { WRITERS = 24, LINES = 5 };
    write_text("a line without its end");
    for (int writer = 0; writer < WRITERS; writer++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child > 0) continue;
        Progress progress;
        bool recorded = true;
        for (int i = 0; i < LINES; i++) {
            const char *exercise = arena_print(*state, "w%d_%d", writer, i);
            recorded =
                recorded && progress_record(*state, &progress, "lab", exercise, "done", &err);
        }
        _exit(recorded ? 0 : 1);
    }
    for (int writer = 0; writer < WRITERS; writer++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    Progress progress = load(*state);
    assert_int_equal(progress.count, WRITERS * LINES);
    for (int writer = 0; writer < WRITERS; writer++)
        for (int i = 0; i < LINES; i++)
            assert_int_equal(
                progress_state(&progress, "lab", arena_print(*state, "w%d_%d", writer, i)),
                EXERCISE_DONE);
}

static void a_write_error_is_reported(void **state)
{
    Progress progress;
    assert_int_equal(mkdir(path, 0777), 0);
    assert_false(progress_load(*state, &progress, &err));
    assert_string_equal(err.message, arena_print(*state, "%s: is not a file", path));
    assert_false(progress_record(*state, &progress, "lab", "one", "done", &err));
    assert_string_equal(err.message,
                        arena_print(*state, "%s: cannot be written: Is a directory", path));
    if (geteuid() == 0) return;    // root may write anywhere
    rmdir(path);
    chmod(folder, 0555);
    assert_false(progress_record(*state, &progress, "lab", "one", "done", &err));
    assert_string_equal(err.message,
                        arena_print(*state, "%s: cannot be written: Permission denied", path));
    chmod(folder, 0777);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(without_a_file_nothing_is_started),
        CASE(recorded_events_are_read_again),
        CASE(known_events_are_not_written_again),
        CASE(the_order_of_lines_does_not_matter_and_the_last_time_counts),
        CASE(damaged_lines_are_ignored_and_kept),
        CASE(a_clock_set_back_changes_no_state),
        CASE(many_writers_at_once_lose_nothing),
        CASE(a_write_error_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
