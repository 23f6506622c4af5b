#include "labs/driver/changes.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The clock is the test's own: nothing here waits.
static char folder[64], path[96], other[96];
static Changes changes;
static double now;
static long stamp;

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    // Two saves within one tick of the system's clock would look alike.
    stamp++;
    struct timespec times[2] = {{1000000 + stamp, 0}, {1000000 + stamp, 0}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static ChangesNews after(double seconds)
{
    now += seconds;
    return changes_poll(&changes, now);
}

static int enter(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_changes_XXXXXX");
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/submission.c", folder);
    snprintf(other, sizeof other, "%s/submission.c~", folder);
    put(path, "first");
    changes = changes_new(path);
    now = 100;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

// Past what was there at first.
static void settle(void)
{
    assert_int_equal(after(0), CHANGES_NONE);
    assert_int_equal(after(CHANGES_STILL), CHANGES_SAVED);
    assert_int_equal(after(1), CHANGES_NONE);
}

static void an_existing_file_is_reported_once(void **state)
{
    (void)state;
    settle();
    assert_int_equal(after(100), CHANGES_NONE);
}

static void a_save_is_reported_once_the_file_is_stable(void **state)
{
    (void)state;
    settle();
    put(path, "");
    assert_int_equal(after(0.02), CHANGES_NONE);
    put(path, "sec");
    assert_int_equal(after(0.02), CHANGES_NONE);
    put(path, "second");
    assert_int_equal(after(0.02), CHANGES_NONE);
    assert_int_equal(after(0.02), CHANGES_NONE);
    assert_int_equal(after(0.02), CHANGES_SAVED);
    assert_int_equal(after(0.02), CHANGES_NONE);
}

static void a_file_renamed_over_it_is_a_save(void **state)
{
    (void)state;
    settle();
    put(other, "other");
    assert_int_equal(after(0.02), CHANGES_NONE);
    assert_int_equal(rename(other, path), 0);
    after(0.02);
    assert_int_equal(after(CHANGES_STILL), CHANGES_SAVED);
}

static void a_change_that_is_undone_is_reported_again(void **state)
{
    (void)state;
    settle();
    put(path, "second");
    assert_int_equal(after(0.02), CHANGES_NONE);
    put(path, "first");
    assert_int_equal(after(0.02), CHANGES_NONE);
    assert_int_equal(after(CHANGES_STILL), CHANGES_SAVED);
    put(path, "fir$t");    // of the same size
    after(0.02);
    assert_int_equal(after(1), CHANGES_SAVED);
}

static void a_file_is_reported_missing_only_after_a_while(void **state)
{
    (void)state;
    settle();
    unlink(path);
    after(0.02);
    put(path, "second");
    after(0.02);
    assert_int_equal(after(CHANGES_STILL), CHANGES_SAVED);
    unlink(path);
    after(0.02);
    assert_int_equal(after(CHANGES_GONE_AFTER), CHANGES_GONE);
    assert_int_equal(after(1), CHANGES_NONE);
}

static void a_file_restored_unchanged_is_reported(void **state)
{
    (void)state;
    settle();
    unlink(path);
    after(0.02);
    assert_int_equal(after(CHANGES_GONE_AFTER), CHANGES_GONE);
    put(path, "first");
    after(0.02);
    assert_int_equal(after(CHANGES_STILL), CHANGES_SAVED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_existing_file_is_reported_once),
        CASE(a_save_is_reported_once_the_file_is_stable),
        CASE(a_file_renamed_over_it_is_a_save),
        CASE(a_change_that_is_undone_is_reported_again),
        CASE(a_file_is_reported_missing_only_after_a_while),
        CASE(a_file_restored_unchanged_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
