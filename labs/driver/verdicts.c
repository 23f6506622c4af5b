#include "labs/driver/verdicts.h"
#include "labs/driver/benches.h"
#include "labs/driver/choose.h"
#include "labs/driver/mine.h"
#include "labs/driver/plain.h"
#include <stdio.h>
#include <string.h>

enum { MOST_OUTPUT = 600, OUTPUT_LINES = 8, DETAIL_LINES = 60 };

typedef struct Look {    // what all of the functions below are given
    const Console *console;
    Arena *arena;
    const Lab *lab;
    const Grade *grade;
    VerdictsShown shown;
} Look;

int verdicts_first(const Lab *lab, const Grade *grade)
{
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].verdict != VERDICT_PASS) return e;
    return -1;
}

// ---- pieces ----

// "mine/autoencoder/autoencoder.c:18"
static const char *place(const Look *look, int line)
{
    if (look->grade->source == NULL) return arena_print(look->arena, "line %d", line);
    return arena_print(look->arena, "%s:%d", mine_shown(look->arena, look->grade->source->path),
                       line);
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
static void put_source_line(const Look *look, int line, int column)
{
    if (look->grade->source == NULL || line <= 0) return;
    const char *text = look->grade->source->text;
    for (int n = 1; n < line && *text != '\0'; n++) {
        text += strcspn(text, "\n");
        text += *text != '\0';
    }
    int bytes = (int)strcspn(text, "\r\n");
    if (bytes == 0) return;
    if (column > bytes + 1) column = 0;
    const char *front = arena_print(look->arena, "%5d | ", line);
    int width = (int)strlen(front);
    const char *shown =
        plain_text(look->arena, arena_print(look->arena, "%.*s", bytes, text), 4000);
    shown = fitted(look->arena, shown, look->console->columns - width, &column);
    printf("%s%s\n", front, shown);
    if (column <= 0) return;
    int before = 0;    // a letter of several bytes takes one column
    for (int i = 0; i < column - 1 && shown[i] != '\0'; i++) before += (shown[i] & 0xc0) != 0x80;
    printf("%*s| %*s%s^%s\n", width - 2, "", before, "", console_on(look->console, CONSOLE_BAD),
           console_off(look->console, CONSOLE_BAD));
}

// "averages over the batch" of "loss__averages_over_the_batch"
static const char *case_sentence(const Look *look, const char *name)
{
    const char *sentence = strstr(name, "__");
    char *text = arena_print(look->arena, "%s", sentence != NULL ? sentence + 2 : name);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_') *c = ' ';
    return text;
}

// "loss crashed", "loss is not written yet"
static const char *subject(const Look *look, int e, Verdict verdict)
{
    const char *is = verdict == VERDICT_WRONG || verdict == VERDICT_TODO ? " is"
                     : verdict == VERDICT_SKIPPED                        ? " was"
                                                                         : "";
    return arena_print(look->arena, "%s%s %s", look->lab->exercises[e].id, is,
                       verdict_words(verdict));
}

// ---- a line an exercise ----

static void put_exercise(const Look *look, int e, int width)
{
    static const ConsoleStyle styles[] = {CONSOLE_GOOD, CONSOLE_BAD, CONSOLE_DIM};
    const ExerciseGrade *exercise = &look->grade->exercises[e];
    Verdict verdict = exercise->verdict;
    bool blank = verdict == VERDICT_TODO || verdict == VERDICT_SKIPPED;
    ConsoleStyle style = styles[verdict == VERDICT_PASS ? 0 : blank ? 2 : 1];
    const char *text = exercise->count > 0 ? verdict_words(verdict) : "has no cases";
    const char *more = "";
    if (verdict == VERDICT_PASS)
        more = arena_print(look->arena, ", %d case%s", exercise->count,
                           exercise->count == 1 ? "" : "s");
    else if (verdict == VERDICT_COMPILE)
        more = arena_print(look->arena, ", line %d", exercise->cases[0].line);
    else if (exercise->passed > 0)
        more = arena_print(look->arena, ", %d of %d cases pass", exercise->passed, exercise->count);
    if (5 + width + (int)strlen(text) + (int)strlen(more) > look->console->columns) more = "";
    char mark = verdict == VERDICT_PASS ? '+' : blank ? '.' : 'x';
    printf("  %s%c%s %-*s %s%s%s%s\n", console_on(look->console, style), mark,
           console_off(look->console, style), width, look->lab->exercises[e].id,
           console_on(look->console, style), text, more, console_off(look->console, style));
}

static void put_exercises(const Look *look)
{
    int width = 0;
    for (int e = 0; e < look->lab->exercise_count; e++) {
        int length = (int)strlen(look->lab->exercises[e].id);
        if (look->grade->exercises[e].asked && length > width) width = length;
    }
    for (int e = 0; e < look->lab->exercise_count; e++)
        if (look->grade->exercises[e].asked) put_exercise(look, e, width);
}

// ---- one thing to look at ----

static void put_printed(const Look *look, const CaseGrade *one)
{
    if (one->output[0] == '\0') return;
    console_text(look->console, CONSOLE_DIM, 2, "It printed:");
    console_lines(look->console, CONSOLE_PLAIN, 4,
                  plain_text(look->arena, one->output, MOST_OUTPUT), OUTPUT_LINES);
}

static void put_detail(const Look *look, const CaseGrade *one)
{
    if (!look->shown.verbose || one->detail[0] == '\0') return;
    putchar('\n');
    console_lines(look->console, CONSOLE_DIM, 4, one->detail, DETAIL_LINES);
}

static void put_wrong(const Look *look, int e, const CaseGrade *one)
{
    console_text(look->console, CONSOLE_BOLD, 0,
                 arena_print(look->arena, "%s is wrong: it should pass \"%s\"",
                             look->lab->exercises[e].id, case_sentence(look, one->name)));
    console_lines(look->console, CONSOLE_PLAIN, 2, one->message, 40);
}

static void put_blank(const Look *look, int e)
{
    const char *function = look->lab->exercises[e].function;
    int line = look->grade->source != NULL ? look->grade->source->functions[e].first_line : 0;
    console_text(look->console, CONSOLE_BOLD, 0,
                 arena_print(look->arena, "%s is not written yet: %s%s%s",
                             look->lab->exercises[e].id, function, line > 0 ? ", at " : "",
                             line > 0 ? place(look, line) : ""));
    console_text(look->console, CONSOLE_PLAIN, 2,
                 arena_print(look->arena, "%s.h says what it promises.", look->lab->id));
}

// The grader's sentence, with its "line 18" as "mine/autoencoder/autoencoder.c:18", and with the place
// at its end where it names none.
static const char *with_place(const Look *look, const CaseGrade *one)
{
    if (one->line <= 0) return one->message;
    const char *said = arena_print(look->arena, "line %d", one->line);
    const char *at = strstr(one->message, said);
    if (at == NULL || (at[strlen(said)] >= '0' && at[strlen(said)] <= '9'))
        return arena_print(look->arena, "%s, at %s", one->message, place(look, one->line));
    return arena_print(look->arena, "%.*s%s%s", (int)(at - one->message), one->message,
                       place(look, one->line), at + strlen(said));
}

static void put_missing(const Look *look, int e)
{
    const char *function = look->lab->exercises[e].function;
    const char *file = look->grade->source != NULL
                           ? mine_shown(look->arena, look->grade->source->path)
                           : "the file";
    console_text(look->console, CONSOLE_BOLD, 0,
                 arena_print(look->arena, "%s: %s has no function called %s",
                             look->lab->exercises[e].id, file, function));
}

// How it ended, as one sentence with its place.
static void put_ended(const Look *look, int e, const CaseGrade *one, int column)
{
    console_text(
        look->console, CONSOLE_BOLD, 0,
        arena_print(look->arena, "%s: %s", subject(look, e, one->verdict), with_place(look, one)));
    put_source_line(look, one->line, column);
    if (one->verdict != VERDICT_COMPILE)
        console_text(
            look->console, CONSOLE_DIM, 2,
            arena_print(look->arena, "in the case \"%s\"", case_sentence(look, one->name)));
}

static void put_case(const Look *look, int e, const CaseGrade *one)
{
    putchar('\n');
    if (one->verdict == VERDICT_WRONG) put_wrong(look, e, one);
    else if (one->verdict == VERDICT_TODO) put_blank(look, e);
    else if (one->verdict == VERDICT_MISSING) put_missing(look, e);
    else put_ended(look, e, one, look->grade->exercises[e].column);
    put_printed(look, one);
    put_detail(look, one);
}

// Of an exercise that is not right: its first case that says why, or all of them.
static void put_cases(const Look *look, int e, bool all)
{
    const ExerciseGrade *exercise = &look->grade->exercises[e];
    if (exercise->count == 0) {
        putchar('\n');
        console_text(look->console, CONSOLE_PLAIN, 0,
                     arena_print(look->arena,
                                 "%s has no cases, and what nothing was asked of has not passed.",
                                 look->lab->exercises[e].id));
        return;
    }
    bool once = exercise->verdict == VERDICT_COMPILE || exercise->verdict == VERDICT_TODO ||
                exercise->verdict == VERDICT_MISSING;
    for (int c = 0; c < exercise->count; c++) {
        const CaseGrade *one = &exercise->cases[c];
        if (one->verdict == VERDICT_PASS) continue;
        if (one->verdict != exercise->verdict && !all) continue;
        if (one->verdict == VERDICT_SKIPPED && exercise->verdict != VERDICT_SKIPPED) continue;
        put_case(look, e, one);
        if (!all || once) return;
    }
}

static void put_problem(const Look *look)
{
    const Grade *grade = look->grade;
    console_text(look->console, CONSOLE_BOLD, 0,
                 arena_print(look->arena, "%s does not compile, so nothing was graded: %s",
                             grade->line > 0 ? place(look, grade->line)
                                             : mine_shown(look->arena, grade->source->path),
                             grade->problem));
    put_source_line(look, grade->line, 0);
    for (int e = 0; look->shown.verbose && e < look->lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].count > 0) {
            put_detail(look, &grade->exercises[e].cases[0]);
            break;
        }
}

// Right, and yet the compiler saw something.
static void put_warnings(const Look *look)
{
    for (int e = 0; e < look->lab->exercise_count; e++) {
        const ExerciseGrade *exercise = &look->grade->exercises[e];
        if (!exercise->asked || exercise->verdict != VERDICT_PASS || exercise->warning == NULL)
            continue;
        putchar('\n');
        console_text(look->console, CONSOLE_PLAIN, 0,
                     arena_print(look->arena, "%s passes, but the compiler warns of %s: %s",
                                 look->lab->exercises[e].id, place(look, exercise->warning->line),
                                 plain_text(look->arena, exercise->warning->message, 400)));
        put_source_line(look, exercise->warning->line, exercise->warning->column);
    }
}

static void put_praise(const Look *look)
{
    int asked = 0, only = -1, points = grade_points(look->lab, look->grade);
    for (int e = 0; e < look->lab->exercise_count; e++)
        if (look->grade->exercises[e].asked) only = e, asked++;
    putchar('\n');
    console_text(look->console, CONSOLE_GOOD, 0,
                 asked == 1 ? arena_print(look->arena, "%s passes: %d points.",
                                          look->lab->exercises[only].id, points)
                            : arena_print(look->arena,
                                          "All %d exercises of %s pass: %d points. Well done!",
                                          asked, look->lab->id, points));
}

void verdicts_show(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   VerdictsShown shown)
{
    Look look = {console, arena, lab, grade, shown};
    int first = verdicts_first(lab, grade);
    if (grade->problem == NULL) put_exercises(&look);
    if (grade->problem != NULL) put_problem(&look);
    else
        for (int e = first; e >= 0 && e < lab->exercise_count; e++) {
            if (grade->exercises[e].asked && grade->exercises[e].verdict != VERDICT_PASS)
                put_cases(&look, e, shown.all);
            if (!shown.all) break;
        }
    put_warnings(&look);
    if (grade_passes(lab, grade)) put_praise(&look);
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
                    gone ? "shows how it began" : "when stuck");
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
        next_of(console, arena, lab, first, grade->exercises[first].verdict);
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
                        "how we wrote it");
    }
}
