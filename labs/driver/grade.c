#include "labs/driver/grade.h"
#include "labs/driver/plain.h"
#include "labs/driver/process.h"
#include "labs/driver/source.h"
#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TEXT = 16 << 10, OUTPUT_LIMIT = 64 << 20, OPTIONS = 8 };
static const Verdict NO_VERDICT = VERDICT_COUNT;

// A case may take four times its processor time by the clock, and the machine may be busy.
static const double CLOCK_FACTOR = 4, PATIENCE = 30;

typedef struct Grading {
    Arena *arena;
    const Lab *lab;
    const char *grader,
        *cases;    // the program, and the lab's check_NAME.so. The emulator checks by itself
    const char *library, *path;    // the submission, and the source it was made of
    const bool *asked;             // NULL: all
    bool first;                    // a wrong result is enough: the cases behind it are skipped
    Grade *grade;
} Grading;

static Grading grading_new(Arena *arena, const Lab *lab, bool plain, const char *path,
                           const bool *asked, Grade *grade)
{
    *grade = (Grade){.exercises =
                         arena_zeros(arena, (size_t)lab->exercise_count * sizeof(ExerciseGrade))};
    for (int e = 0; e < lab->exercise_count; e++)
        grade->exercises[e].asked = asked == NULL || asked[e];
    return (Grading){.arena = arena,
                     .lab = lab,
                     .path = path,
                     .asked = asked,
                     .grade = grade,
                     .grader = plain || lab->cuda ? LAB_BUILD_DIR "/grader_plain"
                                                  : LAB_BUILD_DIR "/grader",
                     .cases = arena_print(arena, "%s/labs/check_%s.so", LAB_BUILD_DIR, lab->id)};
}

// ---- the cases ----

// "loss__averages_over_the_batch" belongs to loss; -1: to no exercise.
static int exercise_of(const Lab *lab, const char *name, size_t length)
{
    for (int e = 0; e < lab->exercise_count; e++) {
        const char *id = lab->exercises[e].id;
        size_t bytes = strlen(id);
        if (length > bytes + 2 && strncmp(name, id, bytes) == 0 &&
            strncmp(name + bytes, "__", 2) == 0)
            return e;
    }
    return -1;
}

// All that the lab has, in the order of check.c, without a verdict.
static bool list_cases(const Grading *grading, Error *err)
{
    static const char plain[] = LAB_BUILD_DIR "/grader_plain";
    const char *argv[] = {plain, "--cases", grading->cases, "--list", NULL};
    Process process = {.argv = argv, .seconds = PATIENCE, .output = OUTPUT_LIMIT};
    Ending ending;
    if (!process_run(grading->arena, &process, &ending, err)) return false;
    if (ending.how != ENDED || ending.status != 0)
        return error_set(err, "the cases of %s cannot be read: %s", grading->lab->id, ending.err);
    size_t most = 1;
    for (const char *at = ending.out; *at != '\0'; at++) most += *at == '\n';
    for (const char *line = ending.out, *end; *line != '\0'; line = end + (*end != '\0')) {
        end = line + strcspn(line, "\n");
        int e = exercise_of(grading->lab, line, (size_t)(end - line));
        if (e < 0) continue;
        ExerciseGrade *exercise = &grading->grade->exercises[e];
        if (exercise->cases == NULL)
            exercise->cases = arena_zeros(grading->arena, most * sizeof *exercise->cases);
        exercise->cases[exercise->count++] =
            (CaseGrade){.name = arena_print(grading->arena, "%.*s", (int)(end - line), line),
                        .verdict = NO_VERDICT,
                        .message = "",
                        .detail = "",
                        .output = ""};
    }
    return true;
}

static void set_all(ExerciseGrade *exercise, Verdict verdict, const char *message,
                    const char *detail, int line)
{
    exercise->verdict = verdict;
    for (int c = 0; c < exercise->count; c++) {
        CaseGrade *one = &exercise->cases[c];
        one->verdict = verdict;
        one->message = message;
        one->detail = detail;
        one->line = line;
    }
}

// ---- the grader's output ----

static const char *text_of(Arena *arena, const cJSON *line, const char *field)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(line, field);
    return cJSON_IsString(node) ? plain_text(arena, node->valuestring, LONGEST_TEXT) : "";
}

static double number_of(const cJSON *line, const char *field)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(line, field);
    return cJSON_IsNumber(node) && node->valuedouble >= 0 && node->valuedouble < 1e6
               ? node->valuedouble
               : 0;
}

static CaseGrade *find_case(const Grading *grading, const char *name)
{
    int e = exercise_of(grading->lab, name, strlen(name));
    if (e < 0) return NULL;
    ExerciseGrade *exercise = &grading->grade->exercises[e];
    for (int c = 0; c < exercise->count; c++)
        if (strcmp(exercise->cases[c].name, name) == 0) return &exercise->cases[c];
    return NULL;
}

// Ignores a line that is not a verdict on one of the cases, and a pass for a case that already has
// another verdict: an additional line must not improve a result.
static void read_line(const Grading *grading, const cJSON *line)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(line, "case");
    const cJSON *word = cJSON_GetObjectItemCaseSensitive(line, "verdict");
    if (!cJSON_IsString(name) || !cJSON_IsString(word)) return;
    CaseGrade *one = find_case(grading, name->valuestring);
    Verdict verdict = verdict_from_name(word->valuestring);
    if (one == NULL || verdict == VERDICT_COUNT) return;
    if (one->verdict != NO_VERDICT && verdict == VERDICT_PASS) return;
    one->verdict = verdict;
    one->message = text_of(grading->arena, line, "message");    // near.h's report ends in a newline
    size_t length = strlen(one->message);
    if (length > 0 && one->message[length - 1] == '\n')
        one->message = arena_print(grading->arena, "%.*s", (int)length - 1, one->message);
    one->detail = text_of(grading->arena, line, "detail");
    one->output = text_of(grading->arena, line, "output");
    one->line = (int)number_of(line, "line");
    one->seconds = number_of(line, "seconds");
}

static void read_lines(const Grading *grading, const char *output)
{
    for (const char *end; *output != '\0'; output = end + (*end != '\0')) {
        end = output + strcspn(output, "\n");
        cJSON *line = cJSON_ParseWithLength(output, (size_t)(end - output));
        if (line != NULL) read_line(grading, line);
        cJSON_Delete(line);
    }
}

// ---- running it ----

static void forget(ExerciseGrade *exercise)
{
    for (int c = 0; c < exercise->count; c++)
        exercise->cases[c] = (CaseGrade){.name = exercise->cases[c].name,
                                         .verdict = NO_VERDICT,
                                         .message = "",
                                         .detail = "",
                                         .output = ""};
}

// Runs the exercises first..last that have no verdict yet. *whole: the grader ended normally.
static bool run_grader(const Grading *grading, int first, int last, bool *whole, Ending *ending,
                       Error *err)
{
    const char **argv = arena_alloc(
        grading->arena, (size_t)(grading->lab->exercise_count + OPTIONS) * sizeof *argv);
    int count = 0;
    double longest = 0;
    argv[count++] = grading->grader;
    argv[count++] = "--cases";
    argv[count++] = grading->cases;
    argv[count++] = "--submission";
    argv[count++] = grading->library;
    argv[count++] = "--source";
    argv[count++] = grading->path;
    if (grading->first) argv[count++] = "--first";
    int options = count;
    for (int e = first; e <= last; e++) {
        const ExerciseGrade *exercise = &grading->grade->exercises[e];
        double seconds = grading->lab->exercises[e].seconds;
        if (!exercise->asked || exercise->count == 0 || exercise->cases[0].verdict != NO_VERDICT)
            continue;
        argv[count++] =
            arena_print(grading->arena, "%s__*:%g", grading->lab->exercises[e].id, seconds);
        if (seconds > longest) longest = seconds;
    }
    argv[count] = NULL;
    *whole = true;
    if (count == options) return true;

    const char *set[] = {"OMP_NUM_THREADS=1", NULL};
    Process process = {.argv = argv,
                       .set = set,
                       .output = OUTPUT_LIMIT,
                       .silence = CLOCK_FACTOR * longest + PATIENCE};
    if (!process_run(grading->arena, &process, ending, err)) return false;
    if (ending->how == ENDED && ending->status == 2)
        return error_set(err, "%.*s", (int)strcspn(ending->err, "\n"), ending->err);
    read_lines(grading, ending->out);
    *whole = ending->how == ENDED && ending->status == 0;
    return true;
}

// The grader ended too early. This exercise ran alone, so it is the cause, and any pass may have been
// printed by the submission.
static void blame(const Grading *grading, ExerciseGrade *exercise, const Ending *ending)
{
    const char *how = ending->how == ENDED_SIGNAL    ? strsignal(ending->signal)
                      : ending->how == ENDED_TIMEOUT ? "it printed nothing for too long"
                      : ending->how == ENDED_OUTPUT
                          ? "it printed too much"
                          : arena_print(grading->arena, "exit status %d", ending->status);
    const char *message = arena_print(grading->arena,
                                      "the grader ended while it ran this (%s): "
                                      "does it send signals, or write where it should not?",
                                      how);
    for (int c = 0; c < exercise->count; c++) {
        CaseGrade *one = &exercise->cases[c];
        if (one->verdict != NO_VERDICT && one->verdict != VERDICT_PASS) continue;
        one->verdict = VERDICT_CRASH;
        one->message = message;
        one->detail = plain_text(grading->arena, ending->err, LONGEST_TEXT);
    }
}

static bool run_cases(const Grading *grading, Error *err)
{
    bool whole;
    Ending ending;
    int last = grading->lab->exercise_count - 1;
    bool *fresh = arena_zeros(grading->arena, (size_t)(last + 1) * sizeof *fresh);
    for (int e = 0; e <= last; e++) {
        const ExerciseGrade *exercise = &grading->grade->exercises[e];
        fresh[e] =
            exercise->asked && exercise->count > 0 && exercise->cases[0].verdict == NO_VERDICT;
    }
    if (!run_grader(grading, 0, last, &whole, &ending, err)) return false;
    if (whole) return true;
    for (int e = 0; e <= last; e++) {
        ExerciseGrade *exercise = &grading->grade->exercises[e];
        if (!fresh[e]) continue;
        forget(exercise);
        if (!run_grader(grading, e, e, &whole, &ending, err)) return false;
        if (!whole) blame(grading, exercise, &ending);
    }
    return true;
}

// ---- the verdicts ----

// The verdict of the first case that does not pass; a skipped case counts only if there is no other.
static void settle(ExerciseGrade *exercise)
{
    Verdict verdict = exercise->count > 0 ? VERDICT_PASS : VERDICT_SKIPPED;
    for (int c = exercise->count - 1; c >= 0; c--) {
        CaseGrade *one = &exercise->cases[c];
        if (one->verdict == NO_VERDICT) {
            one->verdict = VERDICT_SKIPPED;
            one->message = "the grader reported no verdict";
        }
        exercise->passed += one->verdict == VERDICT_PASS;
        if (one->verdict == VERDICT_PASS) continue;
        if (one->verdict != VERDICT_SKIPPED || verdict == VERDICT_PASS) verdict = one->verdict;
    }
    exercise->verdict = verdict;
}

static void settle_all(const Grading *grading)
{
    for (int e = 0; e < grading->lab->exercise_count; e++) {
        ExerciseGrade *exercise = &grading->grade->exercises[e];
        if (exercise->asked) settle(exercise);
        else set_all(exercise, VERDICT_SKIPPED, "", "", 0);
    }
}

bool grade_library(Arena *arena, const Lab *lab, const char *library, bool plain, bool first,
                   const bool *asked, Grade *grade, Error *err)
{
    double begun = process_clock();
    char *path = arena_print(arena, "%s/%s.%s", lab->folder, lab->id, lab_suffix(lab));
    Grading grading = grading_new(arena, lab, plain, path, asked, grade);
    grading.library = library;
    grading.first = first;
    if (!list_cases(&grading, err) || !run_cases(&grading, err)) return false;
    settle_all(&grading);
    grade->seconds = process_clock() - begun;
    return true;
}

// Stores compile errors and warnings, before any case is run.
static void judge_text(const Grading *grading, const Submission *submission)
{
    Grade *grade = grading->grade;
    if (submission->stray != NULL) {
        grade->problem = plain_text(grading->arena, submission->stray->message, LONGEST_TEXT);
        grade->line = submission->stray->line;
    }
    for (int e = 0; e < grading->lab->exercise_count; e++) {
        ExerciseGrade *exercise = &grade->exercises[e];
        const Complaint *complaint =
            submission->stray != NULL ? submission->stray : submission->broken[e];
        exercise->warning = submission->warned[e];
        exercise->column = complaint != NULL ? complaint->column : 0;
        if (complaint != NULL && exercise->asked)
            set_all(exercise, VERDICT_COMPILE,
                    plain_text(grading->arena, complaint->message, LONGEST_TEXT),
                    plain_text(grading->arena, complaint->rest, LONGEST_TEXT), complaint->line);
    }
}

// Adds what the source text explains: that the function is missing, or which variable is uninitialized.
static void explain(const Grading *grading, int e)
{
    ExerciseGrade *exercise = &grading->grade->exercises[e];
    const Complaint *warning = exercise->warning;
    bool unset = warning != NULL && strstr(warning->message, "uninitialized") != NULL;
    for (int c = 0; c < exercise->count; c++) {
        CaseGrade *one = &exercise->cases[c];
        if (one->verdict == VERDICT_MISSING &&
            grading->grade->source->functions[e].first_line == 0) {
            one->message = arena_print(grading->arena, "the file has no function %s",
                                       grading->lab->exercises[e].function);
            one->output = "";    // printed by the loader
        } else if (one->verdict == VERDICT_WRONG && unset) {
            // First, since the comparison below it shows meaningless numbers.
            one->message = arena_print(
                grading->arena, "look at line %d first: %s (compiler warning)\n%s", warning->line,
                plain_text(grading->arena, warning->message, LONGEST_TEXT), one->message);
        }
    }
}

bool grade_submission(Arena *arena, const Lab *lab, const Source *source, const bool *asked,
                      Grade *grade, Error *err)
{
    double begun = process_clock();
    Submission submission;
    Grading grading = grading_new(arena, lab, false, source->path, asked, grade);
    grade->source = source;
    if (!list_cases(&grading, err) ||
        !submission_build(arena, lab, source, SUBMISSION_SANITIZED,
                          submission_folder(arena, lab, SUBMISSION_SANITIZED), &submission, err))
        return false;
    judge_text(&grading, &submission);
    grading.library = submission.library;
    if (submission.library != NULL && !run_cases(&grading, err)) return false;
    for (int e = 0; e < lab->exercise_count; e++)
        if (submission.library != NULL && grade->exercises[e].asked) explain(&grading, e);
    settle_all(&grading);
    grade->seconds = process_clock() - begun;
    return true;
}

void grade_unreadable(Arena *arena, const Lab *lab, const bool *asked, const char *problem,
                      Grade *grade)
{
    *grade = (Grade){.problem = plain_text(arena, problem, LONGEST_TEXT)};
    grade->exercises = arena_zeros(arena, (size_t)lab->exercise_count * sizeof(ExerciseGrade));
    for (int e = 0; e < lab->exercise_count; e++) {
        CaseGrade *one = arena_alloc(arena, sizeof *one);
        *one = (CaseGrade){lab->exercises[e].id, VERDICT_MISSING, grade->problem, "", "", 0, 0};
        grade->exercises[e] = (ExerciseGrade){.asked = asked == NULL || asked[e],
                                              .verdict = VERDICT_MISSING,
                                              .cases = one,
                                              .count = 1};
    }
}

// The exercise that a message begins with: by its id where LAB_TODO was reached, by its function where
// the loader has missed that.
static int named_exercise(const Lab *lab, const char *message)
{
    size_t length = strcspn(message, " ");
    for (int e = 0; e < lab->exercise_count; e++) {
        const char *names[] = {lab->exercises[e].id, lab->exercises[e].function};
        for (int n = 0; n < 2; n++)
            if (strlen(names[n]) == length && strncmp(message, names[n], length) == 0) return e;
    }
    return -1;
}

static int lower(Arena *arena, const Lab *lab, const Grade *grade, int exercise, bool *seen)
{
    const ExerciseGrade *one = &grade->exercises[exercise];
    seen[exercise] = true;
    if (one->verdict == VERDICT_COMPILE || one->verdict == VERDICT_SKIPPED || one->count == 0)
        return exercise;
    const CaseGrade *first = one->cases;
    while (first->verdict != one->verdict) first++;
    if (one->verdict == VERDICT_TODO || one->verdict == VERDICT_MISSING) {
        int named = named_exercise(lab, first->message);
        return named >= 0 ? named : exercise;
    }
    for (int e = 0; e < lab->exercise_count; e++) {
        Verdict verdict = grade->exercises[e].verdict;
        if (!seen[e] && verdict != VERDICT_PASS && verdict != VERDICT_SKIPPED &&
            source_calls(lab, grade->source, exercise, e))
            return lower(arena, lab, grade, e, seen);
    }
    return exercise;
}

int grade_lowest(Arena *arena, const Lab *lab, const Grade *grade, int exercise)
{
    if (grade->source == NULL) return exercise;
    return lower(arena, lab, grade, exercise,
                 arena_zeros(arena, (size_t)lab->exercise_count * sizeof(bool)));
}

bool grade_passes(const Lab *lab, const Grade *grade)
{
    int asked = 0, passed = 0;
    for (int e = 0; e < lab->exercise_count; e++) {
        asked += grade->exercises[e].asked;
        passed += grade->exercises[e].asked && grade->exercises[e].verdict == VERDICT_PASS;
    }
    return asked > 0 && passed == asked;
}

int grade_points(const Lab *lab, const Grade *grade)
{
    int points = 0;
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].verdict == VERDICT_PASS)
            points += lab->exercises[e].points;
    return points;
}
