#include "labs/driver/changes.h"
#include "labs/driver/check.h"
#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/job.h"
#include "labs/driver/keys.h"
#include "labs/driver/mine.h"
#include "labs/driver/process.h"
#include "labs/driver/verdicts.h"
#include "common/terminal.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The report is redrawn in place, on the normal screen: before the first time, the previous contents are
 * scrolled up into the scrollback, and the last verdict stays on the screen at the end. Without escape
 * codes, each verdict is printed below the last.
 */
enum { LEAST_REPORT = 2, WIDE = 64, KEEP = 64 << 20, TEXTS = 4 << 20 };
static const double MOMENT = 0.02;    // seconds between two polls of the file

typedef struct Watch {
    const Lab *lab;
    int focus;    // the exercise that is shown in full; -1: all are done
    Console console;
    TerminalSize size;
    bool screen;    // redrawn in place
    Keys keys;
    Changes changes;
    Job check;
    double begun;      // when the check was asked for: the save, or a key
    double seconds;    // from there to the verdict on the screen; negative: none yet
    Arena *reports, *asides, *scratch;
    const char *report;    // the verdict; in `reports`
    const char *aside;     // below it, a hint or the list; in `asides`, or ""
    char asked;            // the key that brought it
} Watch;

// ---- in the check's process ----

// "autoencoder  ++x.......  2 of 10 pass"; what was not graded yet is as it was.
static void print_marks(const Watch *watch, Arena *arena, const Grade *grade,
                        const Progress *progress)
{
    static const char marks[] = {'+', 'x', '.'};
    static const ConsoleStyle styles[] = {CONSOLE_GOOD, CONSOLE_BAD, CONSOLE_DIM};
    const Lab *lab = watch->lab;
    const char *row = "";
    int passed = 0;
    for (int e = 0; e < lab->exercise_count; e++) {
        Verdict verdict = grade->exercises[e].verdict;
        ExerciseState state = progress_state(progress, lab->id, lab->exercises[e].id);
        bool known = grade->exercises[e].asked && grade->problem == NULL;
        bool blank = known ? verdict == VERDICT_TODO || verdict == VERDICT_SKIPPED
                           : state == EXERCISE_NOT_STARTED;
        bool right = known ? verdict == VERDICT_PASS : state == EXERCISE_DONE;
        int kind = right ? 0 : blank ? 2 : 1;
        passed += right;
        row = arena_print(arena, "%s%s%c%s", row, console_on(&watch->console, styles[kind]),
                          marks[kind], console_off(&watch->console, styles[kind]));
    }
    printf("%s%s%s  %s  %d of %d pass\n\n", console_on(&watch->console, CONSOLE_BOLD), lab->id,
           console_off(&watch->console, CONSOLE_BOLD), row, passed, lab->exercise_count);
}

// All of the lab in a row of marks, one exercise in full, and what to do when that is right.
static void print_report(const Watch *watch, Arena *arena, int focus, const Grade *grade,
                         const Progress *progress)
{
    const Lab *lab = watch->lab;
    Grade one = *grade;
    size_t size = (size_t)lab->exercise_count * sizeof *one.exercises;
    int next = choose_next(lab, progress);
    print_marks(watch, arena, grade, progress);
    if (focus >= 0) {
        one.exercises = memcpy(arena_alloc(arena, size), grade->exercises, size);
        for (int e = 0; e < lab->exercise_count; e++) one.exercises[e].asked = e == focus;
    }
    verdicts_show(&watch->console, arena, lab, &one, (VerdictsShown){0});
    if (grade->unrecorded != NULL)
        console_text(&watch->console, CONSOLE_DIM, 0,
                     arena_print(arena, "Not recorded: %s.", grade->unrecorded));
    if (!grade_passes(lab, &one)) return;
    if (focus >= 0 && next >= 0 && watch->keys.terminal)
        console_text(&watch->console, CONSOLE_PLAIN, 0,
                     arena_print(arena, "Press n for the next: %s.", lab->exercises[next].id));
    else if (focus >= 0 && next < 0)
        console_text(
            &watch->console, CONSOLE_GOOD, 0,
            arena_print(arena, "All %d exercises of %s are done.", lab->exercise_count, lab->id));
    if (next < 0 || !watch->keys.terminal)
        verdicts_next(&watch->console, arena, lab, grade, progress);
}

// The focus first, so that its verdict is shown before an endless loop elsewhere times out.
static int check(void *subject)
{
    const Watch *watch = subject;
    const Lab *lab = watch->lab;
    Arena *arena = arena_new("check", 256u << 20);
    bool *asked = arena_zeros(arena, (size_t)lab->exercise_count * sizeof *asked);
    int focus = watch->focus;
    Progress progress;
    Grade first, grade;
    Error err;
    keys_forget(&watch->keys);
    if (!progress_load(arena, &progress, NULL)) progress = (Progress){0};
    if (focus >= 0) {
        asked[focus] = true;
        if (!check_once(arena, lab, asked, &progress, &first, &err)) return error_report(&err);
        print_report(watch, arena, focus, &first, &progress);
        fputs("\f", stdout);
        fflush(stdout);
    }
    for (int e = 0; e < lab->exercise_count; e++) asked[e] = e != focus;
    if (!check_once(arena, lab, asked, &progress, &grade, &err)) return error_report(&err);
    if (focus >= 0) grade.exercises[focus] = first.exercises[focus];
    print_report(watch, arena, focus >= 0 ? focus : verdicts_first(lab, &grade), &grade, &progress);
    fputs("\f", stdout);
    return 0;
}

// `lab hint` of the focus, and `lab list`, as they are.
static int run_command(const Watch *watch, int (*command)(int, char **), const char *name,
                       int exercise)
{
    char word[256], *argv[] = {(char *)name, word, NULL};
    keys_forget(&watch->keys);
    snprintf(word, sizeof word, "%s%s%s", watch->lab->id, exercise >= 0 ? "." : "",
             exercise >= 0 ? watch->lab->exercises[exercise].id : "");
    char columns[16];
    snprintf(columns, sizeof columns, "%d", watch->console.columns);
    setenv("COLUMNS", columns, 1);
    if (watch->console.colour) setenv("CLICOLOR_FORCE", "1", 1);
    return command(2, argv);
}

static int hint(void *subject)
{
    const Watch *watch = subject;
    return run_command(watch, command_hint, "hint", watch->focus);
}

static int list(void *subject)
{
    return run_command(subject, command_list, "list", -1);
}

// ---- the screen ----

// Prints the text's first rows of so many columns, or only counts them when `out` is NULL.
static int put_rows(FILE *out, const char *text, int columns, int most)
{
    int rows = 0;
    while (*text != '\0' && rows < most) {
        int width = 0;
        if (out != NULL) fputs("\033[K", out);
        for (; *text != '\0' && *text != '\n'; text++) {
            size_t code = *text == '\033' ? strcspn(text, "m") : 0;    // colours take no column
            if (code == 0 && (*text & 0xc0) != 0x80 && width++ == columns) break;
            if (out != NULL) fwrite(text, 1, code + 1, out);
            text += code;
        }
        if (out != NULL) fputs("\033[0m\n", out);
        text += *text == '\n';
        rows++;
    }
    return rows;
}

// What does not fit is left out at the end, where a report's least important lines are.
static void put_fitted(const char *text, int columns, int most)
{
    if (put_rows(NULL, text, columns, INT_MAX) <= most) {
        put_rows(stdout, text, columns, most);
        return;
    }
    put_rows(stdout, text, columns, most - 1);
    if (most > 0) put_rows(stdout, "...", columns, 1);
}

static void draw(Watch *watch)
{
    if (!watch->screen) return;
    static const char wide[] = "h hint  l list  n next exercise  r run again  q quit";
    static const char narrow[] = "h hint l list n next r run q quit";
    int columns = watch->size.columns, room = watch->size.rows - 2;
    int beside = put_rows(NULL, watch->aside, columns, INT_MAX) + (watch->aside[0] != '\0');
    int report = room - beside < LEAST_REPORT ? LEAST_REPORT : room - beside;
    int rows = put_rows(NULL, watch->report, columns, INT_MAX);
    if (report > rows) report = rows;
    fputs("\033[H\033[?7l", stdout);
    put_fitted(watch->report, columns, report);
    if (watch->aside[0] != '\0') {
        fputs("\033[K\n", stdout);
        put_fitted(watch->aside, columns, room - report - 1);
    }
    char state[32] = "...";
    if (watch->seconds >= 0) snprintf(state, sizeof state, "%.2f s", watch->seconds);
    else if (columns >= WIDE) snprintf(state, sizeof state, "checking");
    printf("\033[K\n\033[J%s%s %s%s\033[0m\033[?7h", console_on(&watch->console, CONSOLE_DIM),
           state, columns >= WIDE ? " " : "", columns >= WIDE ? wide : narrow);
    fflush(stdout);
}

// Below what was printed last, where nothing is drawn over.
static void print_below(const Watch *watch, const char *text, bool timed)
{
    if (watch->screen) return;
    fputs(text, stdout);
    if (timed) printf("%.2f s\n\n", watch->seconds);
    fflush(stdout);
}

// Lines of before move up, so that they are in the scrollback.
static void open_screen(Watch *watch)
{
    watch->console = console_begin();
    watch->size = terminal_size(STDOUT_FILENO);
    watch->screen = isatty(STDOUT_FILENO) && watch->console.colour;
    for (int row = 0; watch->screen && row < watch->size.rows; row++) putchar('\n');
}

// ---- what happens ----

static void show_message(Watch *watch, const char *sentence)
{
    arena_reset(watch->reports);
    watch->report = arena_print(watch->reports, "%s\n", sentence);
    watch->seconds = 0;
    print_below(watch, watch->report, false);
}

static void drop_aside(Watch *watch)
{
    watch->aside = "";
    watch->asked = 0;
}

static void start_check(Watch *watch)
{
    Error err;
    watch->begun = process_clock();
    watch->seconds = -1;
    if (watch->asked == 'l') drop_aside(watch);    // it would be out of date
    if (!job_start(&watch->check, check, watch, &err)) show_message(watch, err.message);
    draw(watch);
}

// Reads the output of the check: first the verdict of the focus, then all of them.
static void follow_check(Watch *watch)
{
    if (watch->check.process == 0) return;
    bool runs = job_runs(&watch->check);
    arena_reset(watch->scratch);
    const char *words = job_output(watch->scratch, &watch->check);
    if (runs && (words[0] == '\0' || !watch->screen || watch->seconds >= 0)) return;
    if (watch->seconds < 0) watch->seconds = process_clock() - watch->begun;
    if (words[0] == '\0') words = "The check ended without output; r runs it again.\n";
    arena_reset(watch->reports);
    watch->report = arena_print(watch->reports, "%s", words);
    if (!runs) print_below(watch, watch->report, true);
    draw(watch);
}

// Shows a command's output below the report. The command is fast, so keys wait for it.
static void show_aside(Watch *watch, int (*work)(void *), char key)
{
    Job job = {0};
    Error err;
    arena_reset(watch->asides);
    watch->asked = key;
    if (job_start(&job, work, watch, &err)) {
        while (job_runs(&job)) usleep(1000);
        char *words = job_output(watch->asides, &job), *last = NULL;
        for (char *at = words; (at = strstr(at, "\n\n")) != NULL; at++) last = at;
        if (last != NULL) last[1] = '\0';    // behind it stands what to type; here there are keys
        watch->aside = words;
        fclose(job.output);
    } else {
        watch->aside = arena_print(watch->asides, "%s\n", err.message);
    }
    print_below(watch, watch->aside, false);
    draw(watch);
}

// The first exercise from `from` on, and round, that is not done.
static int not_done(const Lab *lab, int from)
{
    Arena *arena = arena_new("progress", KEEP);
    Progress progress;
    int found = -1;
    if (progress_load(arena, &progress, NULL))
        for (int k = 0; k < lab->exercise_count && found < 0; k++) {
            int e = (from + k) % lab->exercise_count;
            if (progress_state(&progress, lab->id, lab->exercises[e].id) != EXERCISE_DONE)
                found = e;
        }
    arena_free(arena);
    return found;
}

static void follow_key(Watch *watch, int key)
{
    if (key == 'h') show_aside(watch, hint, 'h');
    if (key == 'l') show_aside(watch, list, 'l');
    if (key == 'r') start_check(watch);
    if (key == 'n') {
        watch->focus = not_done(watch->lab, watch->focus + 1);
        drop_aside(watch);
        start_check(watch);
    }
    if (key == KEYS_DRAW) {
        int columns = watch->console.columns;
        watch->console = console_begin();
        watch->size = terminal_size(STDOUT_FILENO);
        draw(watch);
        if (watch->screen && watch->console.columns != columns)
            start_check(watch);    // to wrap the text anew
    }
}

static void follow_file(Watch *watch, Arena *arena)
{
    ChangesNews news = changes_poll(&watch->changes, process_clock());
    if (news == CHANGES_SAVED) {
        if (watch->focus < 0) watch->focus = not_done(watch->lab, 0);
        start_check(watch);
    }
    if (news == CHANGES_GONE) {
        job_end(&watch->check);
        show_message(watch, arena_print(arena, "%s does not exist.\nWaiting for it.",
                                        mine_shown(arena, watch->changes.path)));
        draw(watch);
    }
}

// Until q, a signal, or the end of the input and of what it has asked for.
static void watch_file(Watch *watch, Arena *arena)
{
    for (;;) {
        int key = keys_wait(&watch->keys, MOMENT);
        if (key == 'q' || key == KEYS_END) break;
        follow_key(watch, key);
        follow_file(watch, arena);
        follow_check(watch);
        if (watch->keys.over && watch->changes.reported && watch->check.process == 0) break;
    }
    job_end(&watch->check);
    if (watch->check.output != NULL) fclose(watch->check.output);
}

int command_watch(int argc, char **argv)
{
    Arena *arena = arena_new("watch", KEEP);
    const char *word = workspace_word(&argc, argv);
    int status;
    Error err;
    Workspace workspace;
    Choice choice;
    Source mine;
    Options *options =
        workspace_options(arena, argv, "lab watch [LAB[.EXERCISE]]",
                          "Checks your copy now and each time you save it. Keys: h hint, "
                          "l list, n next exercise, r run again, q quit.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open_to_grade(&workspace, arena, &err)) return error_report(&err);
    if (!choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    if (!mine_read(arena, choice.lab, &mine, &err)) return error_report(&err);

    Watch watch = {.lab = choice.lab,
                   .focus = choice.exercise,
                   .changes = changes_new(mine_path(arena, choice.lab)),
                   .reports = arena_new("reports", TEXTS),
                   .asides = arena_new("asides", TEXTS),
                   .scratch = arena_new("scratch", TEXTS),
                   .aside = ""};
    watch.report = arena_print(arena, "%s\n", choice.lab->id);
    if (watch.focus < 0) watch.focus = choose_next(choice.lab, &workspace.progress);
    keys_open(&watch.keys);
    open_screen(&watch);
    draw(&watch);
    watch_file(&watch, arena);
    keys_close(&watch.keys);
    if (watch.screen) putchar('\n');
    arena_free(watch.reports);
    arena_free(watch.asides);
    arena_free(watch.scratch);
    arena_free(arena);
    return watch.keys.signal > 0 ? 128 + watch.keys.signal : 0;
}
