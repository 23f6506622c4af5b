#include "labs/driver/proof.h"
#include "common/file.h"
#include "datasets/root.h"
#include "labs/driver/mine.h"
#include "labs/driver/process.h"
#include "labs/driver/variants.h"
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPILE_SECONDS = 60, PROGRAM_SECONDS = 120, WORKERS_MAX = 64, OUTPUT_MAX = 1 << 20 };

// The variants of one kind, which one worker builds.
typedef struct Common {
    const char *text, *folder;
    atomic_int *state;    // UNBUILT, then one of the others
} Common;

enum { UNBUILT, BUILDING, BUILT, FAULTY };

typedef struct Task {
    Arena *arena;    // of this proof alone
    const Lab *lab;
    const Proof *proof;
    const char *folder;
    Common *common;
    Finding *found;
} Task;

__attribute__((format(printf, 2, 3))) static void fault(Task *task, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(task->found->fault, sizeof task->found->fault, format, arguments);
    va_end(arguments);
}

static const char *first_line(Arena *arena, const char *text)
{
    return arena_print(arena, "%.*s", (int)strcspn(text, "\n"), text);
}

// ---- compiling ----

static bool build_text(Arena *arena, const Lab *lab, const char *text, SubmissionKind kind,
                       const char *folder, Submission *submission, Error *err)
{
    Source source;
    source_parse(arena, lab, arena_print(arena, "%s/%s.%s", folder, lab->id, lab_suffix(lab)), text,
                 &source);
    return submission_build(arena, lab, &source, kind, folder, submission, err);
}

static bool is_whole(const Lab *lab, const Submission *submission)
{
    for (int e = 0; e < lab->exercise_count; e++)
        if (submission->broken[e] != NULL) return false;
    return submission->library != NULL;
}

// The library of the proof's own text; NULL after a fault.
static const char *build(Task *task, SubmissionKind kind)
{
    const Lab *lab = task->lab;
    Submission submission;
    Error err;
    if (!build_text(task->arena, lab, task->proof->text, kind, task->folder, &submission, &err))
        return fault(task, "%s", err.message), NULL;
    for (int e = 0; e < lab->exercise_count; e++)
        if (submission.broken[e] != NULL)
            return fault(task, "does not compile: %s", submission.broken[e]->message), NULL;
    if (submission.stray != NULL)
        return fault(task, "does not compile: %s", submission.stray->message), NULL;
    return submission.library;
}

// The folder of the library that holds all variants of the kind; NULL where they do not compile, and
// each has to by itself. Whoever comes first builds it, and the others wait.
static const char *common_folder(Task *task, SubmissionKind kind)
{
    Common *common = &task->common[kind];
    int state = UNBUILT;
    if (atomic_compare_exchange_strong(common->state, &state, BUILDING)) {
        Submission submission;
        Error err;
        bool built = build_text(task->arena, task->lab, common->text, kind, common->folder,
                                &submission, &err) &&
                     is_whole(task->lab, &submission);
        atomic_store(common->state, built ? BUILT : FAULTY);
    }
    for (int tries = 0;
         (state = atomic_load(common->state)) == BUILDING && tries < 100 * COMPILE_SECONDS; tries++)
        usleep(10000);
    return state == BUILT ? common->folder : NULL;
}

// Which of them the next program is to take: a mutant or 0, the exercises from..to-1 blank.
static void choose_variant(Task *task, int mutant, int from, int to)
{
    char *blank = arena_zeros(task->arena, (size_t)task->lab->exercise_count + 1);
    for (int e = 0; e < task->lab->exercise_count; e++) blank[e] = e >= from && e < to ? '1' : '0';
    setenv(VARIANTS_MUTANT, arena_print(task->arena, "%d", mutant), 1);
    setenv(VARIANTS_BLANK, blank, 1);
}

static void prove_warnings(Task *task)
{
    Arena *arena = task->arena;
    const bool cuda = task->lab->cuda;
    const char *sources = "-I" LAB_SOURCE_DIR;    // LAB_ROOT may be another
    const char *root = arena_print(arena, "-I%s", root_dir());
    const char *beside = arena_print(arena, "-I%s", task->lab->folder);
    // clang-format off
    const char *const argv[] = {task->proof->compiler, cuda ? "-std=gnu++17" : "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall",
        "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function", beside, root, sources,
        "-x", cuda ? "c++" : "c", "-c", "-o", "/dev/null", "-", NULL};
    // clang-format on
    const char *const set[] = {"LC_ALL=C", NULL};
    Process compiler = {.argv = argv,
                        .set = set,
                        .input = task->proof->text,
                        .seconds = COMPILE_SECONDS,
                        .output = OUTPUT_MAX};
    Ending ending;
    Error err;
    if (!process_run(arena, &compiler, &ending, &err)) {
        fault(task, "%s", err.message);
    } else if (ending.how != ENDED || ending.status != 0) {
        const char *at = strstr(ending.err, "error:");
        const char *line = first_line(arena, at != NULL ? at : ending.err);
        const char *option = strstr(line, " [-W");
        fault(task, "%s says: %.*s", task->proof->compiler,
              option != NULL ? (int)(option - line) : (int)strlen(line), line);
    }
}

// ---- grading ----

static bool grade(Task *task, bool plain, const char *folder, const bool *asked, Grade *result)
{
    Error err;
    const char *library =
        folder != NULL ? arena_print(task->arena, "%s/libexercises_%s.so", folder, task->lab->id)
                       : build(task, plain ? SUBMISSION_FAST : SUBMISSION_SANITIZED);
    if (library == NULL) return false;
    // Of a mutant it matters that it is rejected.
    const bool first = task->proof->kind == PROOF_MUTANT;
    if (!grade_library(task->arena, task->lab, library, plain, first, asked, result, &err))
        return fault(task, "%s", err.message), false;
    return true;
}

// The first case that does not end as it should: 1..solved pass, the others are not written yet.
static void expect_solved(Task *task, const Grade *result, int solved)
{
    for (int e = 0; e < task->lab->exercise_count; e++)
        for (int c = 0; c < result->exercises[e].count; c++) {
            const CaseGrade *one = &result->exercises[e].cases[c];
            Verdict wanted = e < solved ? VERDICT_PASS : VERDICT_TODO;
            if (one->verdict == wanted) continue;
            const char *message = first_line(task->arena, one->message);
            if (e < solved)
                fault(task, "%s ends as '%s', expected '%s'%s%s", one->name,
                      verdict_words(one->verdict), verdict_words(wanted),
                      *message != '\0' ? ": " : "", message);
            else
                fault(task,
                      "%s ends as '%s' although %s is blank: it has to call %s, and no exercise "
                      "after it",
                      one->name, verdict_words(one->verdict), task->lab->exercises[e].id,
                      task->lab->exercises[e].function);
            return;
        }
}

static void prove_progress(Task *task)
{
    Grade result;
    // What a learner begins with and what one ends with are compiled as they are.
    int solved = task->proof->exercise, all = task->lab->exercise_count;
    const char *folder =
        solved > 0 && solved < all ? common_folder(task, SUBMISSION_SANITIZED) : NULL;
    choose_variant(task, 0, solved, all);
    if (grade(task, false, folder, NULL, &result)) expect_solved(task, &result, solved);
}

static void prove_plain(Task *task)
{
    Grade result;
    if (grade(task, true, NULL, NULL, &result))
        expect_solved(task, &result, task->lab->exercise_count);
}

static void prove_mutant(Task *task)
{
    int exercise = task->proof->exercise;
    bool *asked = arena_zeros(task->arena, (size_t)task->lab->exercise_count * sizeof *asked);
    Grade result;
    asked[exercise] = true;
    int variant = task->proof->variant;
    choose_variant(task, variant, 0, 0);
    const char *folder = variant > 0 ? common_folder(task, SUBMISSION_SANITIZED) : NULL;
    if (!grade(task, false, folder, asked, &result)) return;
    const ExerciseGrade *graded = &result.exercises[exercise];
    Finding *found = task->found;
    found->cases = graded->count;
    found->only_ended = true;
    for (int c = 0; c < graded->count; c++) {
        const CaseGrade *one = &graded->cases[c];
        if (one->verdict == VERDICT_PASS || one->verdict == VERDICT_SKIPPED) continue;
        if (one->verdict == VERDICT_TODO) {
            fault(task, "is LAB_TODO: expected a wrong solution");
            return;
        }
        if (verdict_compared(one->verdict)) found->only_ended = false;
        if (found->rejected) continue;
        found->rejected = true;
        const char *promise = strstr(one->name, "__");
        snprintf(found->first, sizeof found->first, "%s",
                 promise != NULL ? promise + 2 : one->name);
    }
    if (!found->rejected)
        fault(task, "survives all %d cases of %s: write the case that tells it from the reference",
              graded->count, task->lab->exercises[exercise].id);
}

// ---- the lab's program ----

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void prove_program(Task *task)
{
    Arena *arena = task->arena;
    const Lab *lab = task->lab;
    int blank = task->proof->exercise;
    const Exercise *exercise = &lab->exercises[blank];
    const char *folder = common_folder(task, SUBMISSION_FAST);
    if (folder == NULL && build(task, SUBMISSION_FAST) == NULL) return;
    choose_variant(task, 0, blank, blank + 1);
    const char *out = arena_print(arena, "%s/out", task->folder);
    const char *program = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, lab->id);
    const char *argv[] = {program,
                          "--smoke",
                          "--plot",
                          "none",
                          "--out",
                          out,
                          *exercise->run != '\0' ? exercise->run : NULL,
                          NULL};
    // One thread: the proofs are as many at a time as there are processors.
    const char *const set[] = {
        arena_print(arena, "LD_LIBRARY_PATH=%s", folder != NULL ? folder : task->folder),
        arena_print(arena, "LAB_CHECK=lab check %s", lab->id),    // as --mine runs it
        "OMP_NUM_THREADS=1", NULL};
    Process run = {.argv = argv, .set = set, .seconds = PROGRAM_SECONDS, .output = OUTPUT_MAX};
    Ending ending;
    Error err;
    bool run_at_all = process_run(arena, &run, &ending, &err);
    nftw(out, remove_entry, 16, FTW_DEPTH | FTW_PHYS);    // checkpoints are large
    if (!run_at_all) {
        fault(task, "%s", err.message);
        return;
    }
    if (strstr(ending.err, arena_print(arena, ": %s is not written yet", exercise->id)) != NULL)
        return;
    if (ending.how == ENDED && ending.status == 0)
        fault(task,
              "%s --smoke %s never calls %s: call it, or say in lab.json with which option it is "
              "(\"run\")",
              lab->id, exercise->run, exercise->function);
    else
        fault(task, "%s --smoke does not end with '%s is not written yet' but says: %s", lab->id,
              exercise->id, first_line(arena, ending.err));
}

// ---- all of them ----

static void prove(const Lab *lab, const char *folder, const Proof *proof, Common *common,
                  Finding *found)
{
    static void (*const kinds[])(Task *) = {[PROOF_WARNINGS] = prove_warnings,
                                            [PROOF_PROGRESS] = prove_progress,
                                            [PROOF_PLAIN] = prove_plain,
                                            [PROOF_MUTANT] = prove_mutant,
                                            [PROOF_PROGRAM] = prove_program};
    Arena *arena = arena_new("proof", (size_t)1 << 30);
    Task task = {arena, lab, proof, NULL, common, found};
    task.folder = arena_print(arena, "%s/%s", folder, proof->name);
    kinds[proof->kind](&task);
    arena_free(arena);
    found->done = true;
}

typedef struct Board {             // shared by the workers
    atomic_int next, common[2];    // one of each SubmissionKind
    Finding found[];
} Board;

static _Noreturn void work(const Lab *lab, const char *folder, const Proof *proofs, int count,
                           Common *common, Board *board)
{
    for (int i; (i = atomic_fetch_add(&board->next, 1)) < count;)
        prove(lab, folder, &proofs[i], common, &board->found[i]);
    _exit(0);
}

bool proofs_run(Arena *arena, const Lab *lab, const Variants *variants, Proof *proofs, int count,
                Error *err)
{
    size_t bytes = sizeof(Board) + (size_t)count * sizeof(Finding);
    Board *board = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return error_set(err, "no memory for %d proofs: %s", count, strerror(errno));
    // Another LAB_MINE has its own, so that two that are checked at once do not meet.
    bool usual = strcmp(mine_dir(), arena_print(arena, "%s/mine", root_dir())) == 0;
    const char *folder = usual ? arena_print(arena, "%s/dev/%s", LAB_BUILD_DIR, lab->id)
                               : arena_print(arena, "%s/.build/dev/%s", mine_dir(), lab->id);
    Common common[] = {
        [SUBMISSION_SANITIZED] = {variants->all, arena_print(arena, "%s/variants", folder),
                                  &board->common[SUBMISSION_SANITIZED]},
        [SUBMISSION_FAST] = {variants->blanks, arena_print(arena, "%s/variants_fast", folder),
                             &board->common[SUBMISSION_FAST]}};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int workers = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (int)processors;
    pid_t pids[WORKERS_MAX];
    fflush(NULL);
    for (int w = 0; w < workers; w++)
        if ((pids[w] = fork()) == 0) work(lab, folder, proofs, count, common, board);
    for (int w = 0; w < workers; w++)
        if (pids[w] > 0) waitpid(pids[w], NULL, 0);
    for (int i = 0; i < count; i++) {
        Finding *found = arena_alloc(arena, sizeof *found);
        *found = board->found[i];
        proofs[i].found = found;
        if (!found->done)
            snprintf(found->fault, sizeof found->fault,
                     "lab dev check itself was ended while it looked at this");
    }
    munmap(board, bytes);
    return true;
}
