#include "labs/driver/submission.h"
#include "labs/driver/compile.h"
#include "labs/driver/mine.h"
#include "labs/driver/process.h"
#include "datasets/root.h"
#include "common/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Seconds that a compiler may take: a whole file takes a tenth of one.
static const double WHOLE = 20, PART = 5;

typedef struct Build {
    Arena *arena;
    const Lab *lab;
    const Source *source;    // as the learner wrote it
    SubmissionKind kind;
    const char *folder, *work;    // work: emptied before and after
    const char *library, *key, *log;
    double begun;
    bool thorough;    // only code generation shows what is wrong
    Submission *submission;
} Build;

const char *submission_folder(Arena *arena, const Lab *lab, SubmissionKind kind)
{
    const char *name = kind == SUBMISSION_FAST ? "fast" : "checked";
    const char *usual = arena_print(arena, "%s/mine", root_dir());
    // Another LAB_MINE has its own, so that two that are checked at once do not meet; one that may not
    // be written has it here, by its path.
    if (strcmp(mine_dir(), usual) != 0 && access(mine_dir(), W_OK) == 0)
        return arena_print(arena, "%s/.build/%s/%s", mine_dir(), lab->id, name);
    if (strcmp(mine_dir(), usual) != 0)
        return arena_print(arena, "%s/submissions%s/%s/%s", LAB_BUILD_DIR, mine_dir(), lab->id,
                           name);
    return arena_print(arena, "%s/mine/%s/%s", LAB_BUILD_DIR, lab->id, name);
}

// ---- existing builds ----

static bool write_text(const char *path, const char *text, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs(text, file.stream);
    return file_commit(&file, err);
}

// NULL when there is no such file or it holds more than a text that we have written.
static char *read_text(Arena *arena, const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file != NULL && fstat(fileno(file), &status) == 0 && status.st_size < 4 << 20) {
        text = arena_alloc(arena, (size_t)status.st_size + 1);
        text[fread(text, 1, (size_t)status.st_size, file)] = '\0';
    }
    if (file != NULL) fclose(file);
    return text;
}

// All that the library depends on. The reference is built anew when a header changes.
static const char *key_of(const Build *build)
{
    struct stat reference = {0};
    stat(arena_print(build->arena, "%s/labs/libexercises_%s.so", LAB_BUILD_DIR, build->lab->id),
         &reference);
    return arena_print(build->arena, "%s%lld %s\n%s",
                       compile_options(build->arena, build->source->path, build->kind),
                       (long long)reference.st_mtime, build->source->path, build->source->text);
}

static bool is_there(const Build *build, const char *key)
{
    const char *last = read_text(build->arena, build->key);
    return last != NULL && strcmp(last, key) == 0 && access(build->library, R_OK) == 0;
}

// ---- compiling ----

// LAB_COMPILE_SECONDS, for slow machines and for tests, instead of WHOLE; PART in proportion.
static double time_factor(void)
{
    const char *text = getenv("LAB_COMPILE_SECONDS");
    double seconds = text != NULL ? strtod(text, NULL) : WHOLE;
    return seconds >= 1 && seconds <= 3600 ? seconds / WHOLE : 1;
}

static bool run_compiler(const Build *build, const char *text, const char *library, double seconds,
                         Compiled *compiled, Error *err)
{
    Compile job = {.path = build->source->path,
                   .text = text,
                   .kind = build->kind,
                   .folder = build->work,
                   .beside = build->lab->folder,
                   .library = library,
                   .seconds = seconds * time_factor(),
                   .spent = process_clock() - build->begun};
    return compile(build->arena, &job, compiled, err);
}

// Whether a text without some exercises is C.
static bool try_part(const Build *build, const char *text, Compiled *compiled, Error *err)
{
    return run_compiler(build, text, build->thorough ? "part.so" : NULL, PART, compiled, err);
}

static Complaint *complaint_new(Arena *arena, Complaint complaint)
{
    Complaint *copy = arena_alloc(arena, sizeof *copy);
    *copy = complaint;
    return copy;
}

// The source without the exercises, all but one (-1: without all). Line numbers stay.
static void drop_all_but(const Build *build, int kept, Source *rest)
{
    *rest = *build->source;
    for (int e = 0; e < build->lab->exercise_count; e++)
        if (e != kept)
            source_parse(build->arena, build->lab, rest->path, source_drop(build->arena, rest, e),
                         rest);
}

// The text as far as the exercise's last line, so that a bracket that is left open is missed there.
static const char *up_to(Arena *arena, const Source *source, int exercise)
{
    const char *end = source->text;
    for (int line = 0; line < source->functions[exercise].last_line && *end != '\0'; line++)
        end += strcspn(end, "\n") + (end[strcspn(end, "\n")] != '\0');
    return arena_print(arena, "%.*s", (int)(end - source->text), source->text);
}

// Compiled by itself an exercise shows whether the fault is its own: one that lacks a brace makes the
// compiler stumble much further down.
static bool find_broken(const Build *build, Error *err)
{
    for (int e = 0; e < build->lab->exercise_count; e++) {
        Source alone;
        Compiled compiled;
        if (build->source->functions[e].first_line == 0) continue;
        drop_all_but(build, e, &alone);
        if (alone.functions[e].first_line == 0) continue;
        if (!try_part(build, up_to(build->arena, &alone, e), &compiled, err)) return false;
        if (compiled.good) continue;
        const Function *function = &build->source->functions[e];
        if (compiled.first.line < function->first_line || compiled.first.line > function->last_line)
            compiled.first.line = function->first_line, compiled.first.column = 0;
        // gcc's words for what the cut has made of an open brace; clang says "expected '}'".
        if (strstr(compiled.first.message, "at end of input") != NULL)
            compiled.first.message =
                arena_print(build->arena, "%s: is a '}' missing?", compiled.first.message);
        build->submission->broken[e] = complaint_new(build->arena, compiled.first);
    }
    return true;
}

// The source with its broken exercises left out: said to be missing when called, or gone altogether
// where the fault is in the function's own head.
static bool leave_out(const Build *build, Source *rest, Error *err)
{
    *rest = *build->source;
    for (int e = 0; e < build->lab->exercise_count; e++) {
        Source alone;
        Compiled compiled;
        if (build->submission->broken[e] == NULL) continue;
        drop_all_but(build, e, &alone);
        source_parse(build->arena, build->lab, rest->path,
                     source_blank(build->arena, build->lab, &alone, e), &alone);
        if (!run_compiler(build, alone.text, NULL, PART, &compiled, err)) return false;
        const char *text = compiled.good ? source_blank(build->arena, build->lab, rest, e)
                                         : source_drop(build->arena, rest, e);
        source_parse(build->arena, build->lab, rest->path, text, rest);
    }
    return true;
}

// Mostly it is the exercise of the line that the compiler names, and of no other: then all is good
// without it.
static bool leave_out_named(const Build *build, const Compiled *failure, Compiled *compiled,
                            Error *err)
{
    int e = source_exercise_at(build->lab, build->source, failure->first.line);
    compiled->good = false;
    if (e < 0 || failure->bounded) return true;
    const char *rest = source_blank(build->arena, build->lab, build->source, e);
    if (!run_compiler(build, rest, "submission.so", WHOLE, compiled, err)) return false;
    if (compiled->good) build->submission->broken[e] = complaint_new(build->arena, failure->first);
    return true;
}

// After a first failure: whose fault it is, and a library of the others. submission->stray is set when
// there is none.
static bool build_rest(Build *build, Compiled failure, Compiled *compiled, Error *err)
{
    Source rest;
    int count = build->lab->exercise_count;
    build->thorough = failure.bounded || failure.first.line == 0;
    if (!leave_out_named(build, &failure, compiled, err)) return false;
    if (compiled->good) return true;
    drop_all_but(build, -1, &rest);
    if (!try_part(build, rest.text, compiled, err)) return false;
    if (!compiled->good) {
        build->submission->stray = complaint_new(build->arena, compiled->first);
        return true;
    }
    if (!find_broken(build, err)) return false;
    for (int tries = 0; tries <= count; tries++) {
        bool any = false;
        for (int e = 0; e < count; e++) any = any || build->submission->broken[e] != NULL;
        if (any) {
            if (!leave_out(build, &rest, err) ||
                !run_compiler(build, rest.text, "submission.so", WHOLE, compiled, err))
                return false;
            if (compiled->good) return true;
            failure = *compiled;
        }
        // Good alone and bad together, or so many lines apart that only the number tells.
        int e = source_exercise_at(build->lab, build->source, failure.first.line);
        if (e < 0 || build->submission->broken[e] != NULL) break;
        build->submission->broken[e] = complaint_new(build->arena, failure.first);
    }
    build->submission->stray = complaint_new(build->arena, failure.first);
    return true;
}

// An unset variable explains more than one that is not used.
static void note_warnings(const Build *build, const Compiled *compiled)
{
    for (int w = 0; w < compiled->warning_count; w++) {
        const Complaint *warning = &compiled->warnings[w];
        int e = source_exercise_at(build->lab, build->source, warning->line);
        if (e < 0) continue;
        Complaint **noted = &build->submission->warned[e];
        if (*noted == NULL || (strstr(warning->message, "uninitialized") != NULL &&
                               strstr((*noted)->message, "uninitialized") == NULL))
            *noted = complaint_new(build->arena, *warning);
    }
}

static void empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

static bool build_new(Build *build, const char *key, Error *err)
{
    Compiled compiled;
    const char *made = arena_print(build->arena, "%s/submission.so", build->work);
    unlink(build->key);
    if (!run_compiler(build, build->source->text, "submission.so", WHOLE, &compiled, err))
        return false;
    bool whole = compiled.good;
    if (!whole && !build_rest(build, compiled, &compiled, err)) return false;
    if (build->submission->stray != NULL) return true;
    note_warnings(build, &compiled);
    if (rename(made, build->library) != 0)
        return error_set(err, "%s: cannot be written: %s", build->library, strerror(errno));
    build->submission->library = build->library;
    // Only a file without a fault is remembered: its warnings are all that there is to say of it.
    return !whole ||
           (write_text(build->log, compiled.output, err) && write_text(build->key, key, err));
}

static bool build_or_find(Build *build, Error *err)
{
    const char *key = key_of(build);
    if (!is_there(build, key)) return build_new(build, key, err);
    Compiled compiled;
    const char *output = read_text(build->arena, build->log);
    compile_read(build->arena, build->source->path, output != NULL ? output : "", &compiled);
    note_warnings(build, &compiled);
    build->submission->library = build->library;
    return true;
}

bool submission_build(Arena *arena, const Lab *lab, const Source *source, SubmissionKind kind,
                      const char *folder, Submission *submission, Error *err)
{
    size_t count = (size_t)lab->exercise_count;
    *submission = (Submission){.broken = arena_zeros(arena, count * sizeof(Complaint *)),
                               .warned = arena_zeros(arena, count * sizeof(Complaint *))};
    Build build = {.arena = arena,
                   .begun = process_clock(),
                   .lab = lab,
                   .source = source,
                   .kind = kind,
                   .folder = folder,
                   .work = arena_print(arena, "%s/work", folder),
                   .library = arena_print(arena, "%s/libexercises_%s.so", folder, lab->id),
                   .key = arena_print(arena, "%s/key", folder),
                   .log = arena_print(arena, "%s/log", folder),
                   .submission = submission};
    if (!file_make_folder(build.work, err)) return false;
    // Two builds of one lab take turns.
    int lock = open(arena_print(arena, "%s/lock", folder), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        error_set(err, "%s: cannot be locked: %s", folder, strerror(errno));
        if (lock >= 0) close(lock);
        return false;
    }
    empty_folder(build.work);
    bool built = build_or_find(&build, err);
    empty_folder(build.work);
    close(lock);
    return built;
}
