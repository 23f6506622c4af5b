/* Progress: what a terminal of a given width shows, and silence where there is no terminal. */
#include "common/progress.h"
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

// What `use` writes to stderr when that is a terminal of so many columns; 0 columns: a plain file.
static const char *shown(int columns, void (*use)(void))
{
    static char text[1 << 14];
    int terminal = -1, reader;
    FILE *plain = NULL;
    if (columns > 0) {
        struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = 24};
        assert_int_equal(openpty(&reader, &terminal, NULL, NULL, &size), 0);
    } else {
        plain = tmpfile();
        assert_non_null(plain);
        reader = fileno(plain);
    }
    fflush(stderr);
    int held = dup(STDERR_FILENO);
    dup2(columns > 0 ? terminal : reader, STDERR_FILENO);
    use();
    fputc('$', stderr);    // a mark, so that reading needs no waiting
    fflush(stderr);
    dup2(held, STDERR_FILENO);
    close(held);

    if (plain) rewind(plain);
    size_t used = 0;
    while (used == 0 || text[used - 1] != '$') {
        ssize_t got = read(reader, text + used, sizeof text - 1 - used);
        assert_true(got > 0);
        used += (size_t)got;
    }
    text[used - 1] = '\0';
    if (plain) {
        fclose(plain);
    } else {
        close(terminal);
        close(reader);
    }
    return text;
}

// The widest line: from one carriage return or newline to the next.
static size_t widest(const char *text)
{
    size_t most = 0;
    for (size_t length; *text != '\0'; text += length + (text[length] != '\0')) {
        length = strcspn(text, "\r\n");
        if (length > most) most = length;
    }
    return most;
}

static void finish_a_loop(void)
{
    Progress progress = progress_begin("training", "images", 0, 1000);
    progress_step(&progress, 500, "loss %.4f", 0.25);
    progress_step(&progress, 1000, "loss %.4f", 0.125);
    progress_end(&progress);
}

static void step_very_often(void)
{
    Progress progress = progress_begin("training", "images", 0, 1000000);
    for (long done = 1; done < 1000; done++) progress_step(&progress, done, "loss %.4f", 0.5);
    progress_end(&progress);
}

static void print_between(void)
{
    Progress progress = progress_begin("training", "images", 0, 2);
    progress_step(&progress, 2, "loss");
    progress_clear(&progress);
    fputs("epoch 1 done\n", stderr);
    progress_end(&progress);
}

static void resume_half_way(void)
{
    Progress progress = progress_begin("training", "images", 500, 1000);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    progress_step(&progress, 501, "resumed");
    progress_end(&progress);
}

static void finish_nothing(void)
{
    Progress progress = progress_begin("training", "images", 0, 0);
    progress_step(&progress, 0, "nothing");
    progress_end(&progress);
}

static void a_wide_terminal_shows_everything(void **state)
{
    (void)state;
    const char *text = shown(120, finish_a_loop);
    const char *parts[] = {"\rtraining  50% [##########----------] ", " images/s  ",
                           " left  loss 0.2500", "\rtraining 100% [####################] ",
                           "0:00 left  loss 0.1250"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i]) == NULL) fail_msg("\"%s\" lacks \"%s\"", text, parts[i]);
}

static void every_width_is_kept_with_a_column_free(void **state)
{
    (void)state;
    for (int columns = 2; columns <= 120; columns++) {
        const char *text = shown(columns, finish_a_loop);
        if (widest(text) >= (size_t)columns) fail_msg("%d columns: \"%s\"", columns, text);
    }
    assert_non_null(strstr(shown(20, finish_a_loop), "\rtraining  50% "));
    assert_int_equal(widest(shown(20, finish_a_loop)), 19);
}

static void it_ends_with_one_newline_and_no_escape_codes(void **state)
{
    (void)state;
    const char *text = shown(80, finish_a_loop), *end = strchr(text, '\n');
    assert_non_null(end);
    assert_string_equal(end, "\n");
    assert_null(strchr(text, '\033'));
}

static void it_is_silent_where_there_is_no_terminal(void **state)
{
    (void)state;
    assert_string_equal(shown(0, finish_a_loop), "");
}

static void a_thousand_quick_steps_draw_once(void **state)
{
    (void)state;
    const char *text = shown(80, step_very_often);
    int drawn = 0;
    for (; *text != '\0'; text++) drawn += *text == '\r' && text[1] == 't';
    assert_in_range(drawn, 1, 20);    // 20: two seconds, far more than a thousand steps take
}

static void a_cleared_line_leaves_nothing_behind(void **state)
{
    (void)state;
    const char *text = shown(80, print_between), *output = strstr(text, "\repoch 1 done");
    assert_non_null(output);
    const char *drawn = strstr(text, "\rtraining"), *blanks = strchr(drawn + 1, '\r');
    assert_int_equal(strspn(blanks + 1, " "), blanks - drawn - 1);    // as many as were drawn
    assert_string_equal(strchr(output, '\n'), "\n");                  // and no second newline
}

static void a_resumed_loop_counts_its_own_speed_only(void **state)
{
    (void)state;
    // One image in 20 ms or more: 50 images/s at most. Counting the 500 would show some 25k.
    const char *text = strstr(shown(120, resume_half_way), "] ");
    double rate = 0.0;
    assert_non_null(text);
    assert_int_equal(sscanf(text, "] %lf images/s", &rate), 1);
    assert_true(rate > 0.0 && rate <= 50.0);
}

static void an_empty_loop_is_done(void **state)
{
    (void)state;
    assert_non_null(strstr(shown(80, finish_nothing), "\rtraining 100% "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_terminal_shows_everything),
        cmocka_unit_test(every_width_is_kept_with_a_column_free),
        cmocka_unit_test(it_ends_with_one_newline_and_no_escape_codes),
        cmocka_unit_test(it_is_silent_where_there_is_no_terminal),
        cmocka_unit_test(a_thousand_quick_steps_draw_once),
        cmocka_unit_test(a_cleared_line_leaves_nothing_behind),
        cmocka_unit_test(a_resumed_loop_counts_its_own_speed_only),
        cmocka_unit_test(an_empty_loop_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
