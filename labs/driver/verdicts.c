#include "labs/driver/verdicts.h"
#include "labs/driver/benches.h"
#include "labs/driver/choose.h"
#include "labs/driver/mine.h"
#include "labs/driver/plain.h"
#include <stdio.h>
#include <string.h>

enum { MOST_OUTPUT = 600, OUTPUT_LINES = 8, DETAIL_LINES = 60 };

typedef struct Report {    // the arguments of all functions below
    const Console *console;
    Arena *arena;
    const Lab *lab;
    const Grade *grade;
    VerdictsShown shown;
} Report;

int verdicts_first(const Lab *lab, const Grade *grade)
{
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].verdict != VERDICT_PASS) return e;
    return -1;
}

// ---- pieces ----

// "mine/autoencoder/autoencoder.c", which is not broken at a space.
static const char *file(const Report *report)
{
    return console_keep(mine_shown(report->arena, report->grade->source->path));
}

// "mine/autoencoder/autoencoder.c:18"
static const char *place(const Report *report, int line)
{
    if (report->grade->source == NULL) return arena_print(report->arena, "line %d", line);
    return arena_print(report->arena, "%s:%d", file(report), line);
}

// As much of a line as there is room for: without its indent, and around the column. `column` is that
// of the line, counted in bytes from 1, and becomes that of what is returned.
static const char *fitted(Arena *arena, const char *line, int room, int *column)
{
    int length = (int)strlen(line), from = (int)strspn(line, " ");
    if (length <= room) return line;
    const char *before = "";
    if (*column - from > room - 4) {
        before = "... ";
        from = *column - room / 2 > length - room + 4 ? length - room + 4 : *column - room / 2;
        while ((line[from] & 0xc0) == 0x80) from--;
    }
    int front = (int)strlen(before), kept = length - from;
    *column += *column > 0 ? front - from : 0;
    if (front + kept <= room) return arena_print(arena, "%s%s", before, line + from);
    kept = room - front - 4;
    while ((line[from + kept] & 0xc0) == 0x80) kept--;
    return arena_print(arena, "%s%.*s ...", before, kept, line + from);
}

// The line itself, and a mark under the column where there is one.
static void put_source_line(const Report *report, int line, int column)
{
    if (report->grade->source == NULL || line <= 0) return;
    const char *text = report->grade->source->text;
    for (int n = 1; n < line && *text != '\0'; n++) {
        text += strcspn(text, "\n");
        text += *text != '\0';
    }
    int bytes = (int)strcspn(text, "\r\n");
    if (bytes == 0) return;
    if (column > bytes + 1) column = 0;
    const char *front = arena_print(report->arena, "%5d | ", line);
    int width = (int)strlen(front);
    const char *shown =
        plain_text(report->arena, arena_print(report->arena, "%.*s", bytes, text), 4000);
    shown = fitted(report->arena, shown, report->console->columns - width, &column);
    printf("%s%s\n", front, shown);
    if (column <= 0) return;
    int before = 0;    // a letter of several bytes takes one column
    for (int i = 0; i < column - 1 && shown[i] != '\0'; i++) before += (shown[i] & 0xc0) != 0x80;
    printf("%*s| %*s%s^%s\n", width - 2, "", before, "", console_on(report->console, CONSOLE_BAD),
           console_off(report->console, CONSOLE_BAD));
}

// "averages over the batch" of "loss__averages_over_the_batch"
static const char *case_sentence(const Report *report, const char *name)
{
    const char *sentence = strstr(name, "__");
    char *text = arena_print(report->arena, "%s", sentence != NULL ? sentence + 2 : name);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_') *c = ' ';
    return text;
}

// "crashed", "is not written yet"
static const char *predicate(const Report *report, Verdict verdict)
{
    const char *is = verdict == VERDICT_WRONG || verdict == VERDICT_TODO ? "is "
                     : verdict == VERDICT_SKIPPED                        ? "was "
                                                                         : "";
    if (verdict == VERDICT_MISSING) return "is not in the file";
    return arena_print(report->arena, "%s%s", is, verdict_words(verdict));
}

static int lowest(const Report *report, int e)
{
    return grade_lowest(report->arena, report->lab, report->grade, e);
}

// "calls pr_moments, which is not written yet": what comes first where one exercise calls another.
static const char *calls(const Report *report, int e, int called)
{
    Verdict verdict = report->grade->exercises[called].verdict;
    if (verdict == VERDICT_PASS || verdict == VERDICT_SKIPPED)    // it was not graded
        verdict = report->grade->exercises[e].verdict;
    return arena_print(report->arena, "calls %s, which %s", report->lab->exercises[called].function,
                       predicate(report, verdict));
}

// ---- a line for each exercise ----

static void put_exercise(const Report *report, int e, int width)
{
    static const ConsoleStyle styles[] = {CONSOLE_GOOD, CONSOLE_BAD, CONSOLE_DIM};
    const ExerciseGrade *exercise = &report->grade->exercises[e];
    Verdict verdict = exercise->verdict;
    bool blank = verdict == VERDICT_TODO || verdict == VERDICT_SKIPPED;
    ConsoleStyle style = styles[verdict == VERDICT_PASS ? 0 : blank ? 2 : 1];
    const char *text = exercise->count > 0 ? verdict_words(verdict) : "has no cases";
    const char *more = "";
    int called = verdict == VERDICT_TODO || verdict == VERDICT_MISSING ? lowest(report, e) : e;
    if (called != e) text = calls(report, e, called);
    else if (verdict == VERDICT_PASS)
        more = arena_print(report->arena, ", %d case%s", exercise->count,
                           exercise->count == 1 ? "" : "s");
    else if (verdict == VERDICT_COMPILE)
        more = arena_print(report->arena, ", line %d", exercise->cases[0].line);
    else if (exercise->passed > 0)
        more =
            arena_print(report->arena, ", %d of %d cases pass", exercise->passed, exercise->count);
    if (5 + width + (int)strlen(text) + (int)strlen(more) > report->console->columns) more = "";
    char mark = verdict == VERDICT_PASS ? '+' : blank ? '.' : 'x';
    printf("  %s%c%s %-*s %s%s%s%s\n", console_on(report->console, style), mark,
           console_off(report->console, style), width, report->lab->exercises[e].id,
           console_on(report->console, style), text, more, console_off(report->console, style));
}

static void put_exercises(const Report *report)
{
    int width = 0;
    for (int e = 0; e < report->lab->exercise_count; e++) {
        int length = (int)strlen(report->lab->exercises[e].id);
        if (report->grade->exercises[e].asked && length > width) width = length;
    }
    for (int e = 0; e < report->lab->exercise_count; e++)
        if (report->grade->exercises[e].asked) put_exercise(report, e, width);
}

// ---- the first failing case ----

static void put_printed(const Report *report, const CaseGrade *one)
{
    if (one->output[0] == '\0') return;
    console_text(report->console, CONSOLE_DIM, 2, "It printed:");
    console_lines(report->console, CONSOLE_PLAIN, 4,
                  plain_text(report->arena, one->output, MOST_OUTPUT), OUTPUT_LINES);
}

static void put_detail(const Report *report, const CaseGrade *one)
{
    if (!report->shown.verbose || one->detail[0] == '\0') return;
    putchar('\n');
    console_lines(report->console, CONSOLE_DIM, 4, one->detail, DETAIL_LINES);
}

static void put_wrong(const Report *report, int e, const CaseGrade *one)
{
    console_text(report->console, CONSOLE_BOLD, 0,
                 arena_print(report->arena, "%s is wrong: it should pass \"%s\"",
                             report->lab->exercises[e].id, case_sentence(report, one->name)));
    console_lines(report->console, CONSOLE_PLAIN, 2, one->message, 40);
}

static void put_blank(const Report *report, int e)
{
    const char *function = report->lab->exercises[e].function;
    int line = report->grade->source != NULL ? report->grade->source->functions[e].first_line : 0;
    console_text(report->console, CONSOLE_BOLD, 0,
                 arena_print(report->arena, "%s is not written yet: %s%s%s",
                             report->lab->exercises[e].id, function, line > 0 ? ", at " : "",
                             line > 0 ? place(report, line) : ""));
    console_text(report->console, CONSOLE_PLAIN, 2,
                 arena_print(report->arena, "Its contract is in %s.h.", report->lab->id));
}

// The grader's sentence, with its "line 18" as "mine/autoencoder/autoencoder.c:18", and with the place
// at its end where it names none.
static const char *with_place(const Report *report, const CaseGrade *one)
{
    if (one->line <= 0) return one->message;
    const char *place_words = arena_print(report->arena, "line %d", one->line);
    const char *at = strstr(one->message, place_words);
    if (at == NULL || (at[strlen(place_words)] >= '0' && at[strlen(place_words)] <= '9'))
        return arena_print(report->arena, "%s, at %s", one->message, place(report, one->line));
    return arena_print(report->arena, "%.*s%s%s", (int)(at - one->message), one->message,
                       place(report, one->line), at + strlen(place_words));
}

static void put_missing(const Report *report, int e)
{
    const char *function = report->lab->exercises[e].function;
    const char *in = report->grade->source != NULL ? file(report) : "the file";
    console_text(report->console, CONSOLE_BOLD, 0,
                 arena_print(report->arena, "%s: %s has no function called %s",
                             report->lab->exercises[e].id, in, function));
}

// How it ended, as one sentence with its place.
static void put_ended(const Report *report, int e, const CaseGrade *one, int column)
{
    console_text(report->console, CONSOLE_BOLD, 0,
                 arena_print(report->arena, "%s %s: %s", report->lab->exercises[e].id,
                             predicate(report, one->verdict), with_place(report, one)));
    put_source_line(report, one->line, column);
    if (one->verdict != VERDICT_COMPILE)
        console_text(
            report->console, CONSOLE_DIM, 2,
            arena_print(report->arena, "in the case \"%s\"", case_sentence(report, one->name)));
}

static void put_case(const Report *report, int e, const CaseGrade *one)
{
    putchar('\n');
    if (one->verdict == VERDICT_WRONG) put_wrong(report, e, one);
    else if (one->verdict == VERDICT_TODO) put_blank(report, e);
    else if (one->verdict == VERDICT_MISSING) put_missing(report, e);
    else put_ended(report, e, one, report->grade->exercises[e].column);
    put_printed(report, one);
    put_detail(report, one);
}

// Of an exercise that is not right: its first case that says why, or all of them.
static void put_cases(const Report *report, int e, bool all)
{
    const ExerciseGrade *exercise = &report->grade->exercises[e];
    if (exercise->count == 0) {
        putchar('\n');
        console_text(report->console, CONSOLE_PLAIN, 0,
                     arena_print(report->arena, "%s has no cases, so it cannot pass.",
                                 report->lab->exercises[e].id));
        return;
    }
    bool once = exercise->verdict == VERDICT_COMPILE || exercise->verdict == VERDICT_TODO ||
                exercise->verdict == VERDICT_MISSING;
    for (int c = 0; c < exercise->count; c++) {
        const CaseGrade *one = &exercise->cases[c];
        if (one->verdict == VERDICT_PASS) continue;
        if (one->verdict != exercise->verdict && !all) continue;
        if (one->verdict == VERDICT_SKIPPED && exercise->verdict != VERDICT_SKIPPED) continue;
        put_case(report, e, one);
        if (!all || once) return;
    }
}

// Before that, the exercise that comes first where this one calls another that is not right either.
static void put_failure(const Report *report, int e, bool all)
{
    Verdict verdict = report->grade->exercises[e].verdict;
    int called = lowest(report, e);
    Verdict below = report->grade->exercises[called].verdict;
    if (called != e) {
        putchar('\n');
        console_text(report->console, CONSOLE_BOLD, 0,
                     arena_print(report->arena, "%s %s.", report->lab->exercises[e].id,
                                 calls(report, e, called)));
    }
    bool unwritten = verdict == VERDICT_TODO || verdict == VERDICT_MISSING;
    if (called == e || (all && !unwritten)) put_cases(report, e, all);
    else if (!all && below != VERDICT_PASS && below != VERDICT_SKIPPED)
        put_cases(report, called, all);
}

static void put_problem(const Report *report)
{
    const Grade *grade = report->grade;
    console_text(report->console, CONSOLE_BOLD, 0,
                 arena_print(report->arena, "%s does not compile, so nothing was graded: %s",
                             grade->line > 0 ? place(report, grade->line) : file(report),
                             grade->problem));
    put_source_line(report, grade->line, 0);
    for (int e = 0; report->shown.verbose && e < report->lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].count > 0) {
            put_detail(report, &grade->exercises[e].cases[0]);
            break;
        }
}

// Exercises that pass although the compiler warns.
static void put_warnings(const Report *report)
{
    for (int e = 0; e < report->lab->exercise_count; e++) {
        const ExerciseGrade *exercise = &report->grade->exercises[e];
        if (!exercise->asked || exercise->verdict != VERDICT_PASS || exercise->warning == NULL)
            continue;
        putchar('\n');
        console_text(report->console, CONSOLE_PLAIN, 0,
                     arena_print(report->arena, "%s passes, but the compiler warns of %s: %s",
                                 report->lab->exercises[e].id,
                                 place(report, exercise->warning->line),
                                 plain_text(report->arena, exercise->warning->message, 400)));
        put_source_line(report, exercise->warning->line, exercise->warning->column);
    }
}

static void put_praise(const Report *report)
{
    int asked = 0, only = -1, points = grade_points(report->lab, report->grade);
    for (int e = 0; e < report->lab->exercise_count; e++)
        if (report->grade->exercises[e].asked) only = e, asked++;
    putchar('\n');
    console_text(report->console, CONSOLE_GOOD, 0,
                 asked == 1 ? arena_print(report->arena, "%s passes: %d points.",
                                          report->lab->exercises[only].id, points)
                            : arena_print(report->arena,
                                          "All %d exercises of %s pass: %d points. Well done!",
                                          asked, report->lab->id, points));
}

void verdicts_show(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   VerdictsShown shown)
{
    Report report = {console, arena, lab, grade, shown};
    int first = verdicts_first(lab, grade);
    if (grade->problem == NULL) put_exercises(&report);
    if (grade->problem != NULL) put_problem(&report);
    else
        for (int e = first; e >= 0 && e < lab->exercise_count; e++) {
            if (grade->exercises[e].asked && grade->exercises[e].verdict != VERDICT_PASS)
                put_failure(&report, e, shown.all);
            if (!shown.all) break;
        }
    put_warnings(&report);
    if (grade_passes(lab, grade)) put_praise(&report);
}

// ---- what to type next ----

// The commands for an exercise that is not right.
static void next_of(const Console *console, Arena *arena, const Lab *lab, int e, Verdict verdict)
{
    bool gone = verdict == VERDICT_MISSING;
    const char *name = arena_print(arena, "%s.%s", lab->id, lab->exercises[e].id);
    console_command(console, "next", arena_print(arena, "./lab check %s", name),
                    "after your change");
    console_command(console, "or", arena_print(arena, "./lab %s %s", gone ? "reset" : "hint", name),
                    gone ? "shows its skeleton" : "when stuck");
}

void verdicts_next(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   const Progress *progress)
{
    int first = verdicts_first(lab, grade), undone = choose_next(lab, progress);
    putchar('\n');
    if (grade->problem != NULL) {
        console_command(console, "next", arena_print(arena, "./lab check %s", lab->id),
                        "after your change");
    } else if (first >= 0) {
        int lowest = grade_lowest(arena, lab, grade, first);
        next_of(console, arena, lab, lowest, grade->exercises[lowest].verdict);
    } else if (undone >= 0) {
        console_command(console, "next",
                        arena_print(arena, "./lab check %s.%s", lab->id, lab->exercises[undone].id),
                        "the next one");
    } else {
        console_command(console, "next", arena_print(arena, "./lab run %s --mine", lab->id),
                        "the lab, on your code");
        if (benches_have(lab->id))
            console_command(console, "or", arena_print(arena, "./lab bench %s --mine", lab->id),
                            "how fast it is");
        console_command(console, "or",
                        arena_print(arena, "./lab solution %s.%s", lab->id, lab->exercises[0].id),
                        "the reference");
    }
}
