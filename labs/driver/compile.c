#include "labs/driver/compile.h"
#include "labs/driver/cuda_words.h"
#include "labs/driver/process.h"
#include "datasets/root.h"
#include "common/text.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTIONS = 64,
    MEMORY = 1 << 30,
    LARGEST_FILE = 64 << 20,
    LONGEST = 400,
    OUTPUT_LIMIT = 256 << 10
};

// From CMake: the project's compiler and flags, and those in which gcc and clang differ.
static const char *const checked_options[] = {LAB_CC_CHECKED, NULL};
static const char *const fast_options[] = {LAB_CC_FAST, NULL};
static const char *const cuda_options[] = {LAB_CUDA_CHECKED, NULL};

static int add_all(const char **argv, int count, const char *const *options)
{
    while (*options != NULL) {
        REQUIRE(count < OPTIONS - 16, "more than %d options", OPTIONS - 16);
        argv[count++] = *options++;
    }
    return count;
}

static bool is_cuda(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot, ".cu") == 0;
}

static int base_options(const char **argv, const char *path, SubmissionKind kind)
{
    argv[0] = is_cuda(path) ? LAB_CXX : LAB_CC;
    int count = 1;
    if (is_cuda(path)) return add_all(argv, count, cuda_options);
    return add_all(argv, count, kind == SUBMISSION_FAST ? fast_options : checked_options);
}

const char *compile_options(Arena *arena, const char *path, SubmissionKind kind)
{
    const char *argv[OPTIONS], *text = "";
    int count = base_options(argv, path, kind);
    for (int i = 0; i < count; i++) text = arena_print(arena, "%s%s\n", text, argv[i]);
    return text;
}

// ---- what it says ----

// "PATH:12:5: error: ...": the number behind PATH, and *rest behind its columns; 0 for another file.
static int line_of(const char *output, const char *path, int *column, const char **rest)
{
    size_t length = strlen(path);
    *column = 0;
    *rest = output;
    if (strncmp(output, path, length) != 0 || output[length] != ':') return 0;
    char *end;
    long line = strtol(output + length + 1, &end, 10);
    if (line <= 0 || line > INT_MAX || *end != ':') return 0;
    char *after = end;
    long found = strtol(end + 1, &after, 10);
    if (after > end + 1 && *after == ':') {
        *column = (int)found;
        end = after;
    }
    *rest = end + 1;
    return (int)line;
}

// Behind "error: " and so on when the line, cut off at its end, is one; NULL otherwise.
static const char *after_word(const char *line, const char *const *words)
{
    for (; *words != NULL; words++) {
        const char *at = strstr(line, *words);
        if (at != NULL) return at + strlen(*words);
    }
    return NULL;
}

// Without "[-Wuninitialized]" at its end, cut where it is too long for a sentence.
static const char *message_of(Arena *arena, const char *text)
{
    size_t length = strlen(text);
    const char *option = strstr(text, " [-W");
    if (option != NULL) length = (size_t)(option - text);
    char *message = arena_print(arena, "%.*s%s", (int)(length < LONGEST ? length : LONGEST), text,
                                length < LONGEST ? "" : " ...");
    text_clean(message);
    return message;
}

// The path as the compiler is to print it, on one line.
static const char *printable(Arena *arena, const char *path)
{
    char *clean = arena_print(arena, "%s", path);
    text_clean(clean);
    return clean;
}

void compile_read(Arena *arena, const char *path, const char *output, Compiled *compiled)
{
    path = printable(arena, path);
    static const char *const errors[] = {" error: ", " Error: ", NULL}, *const warnings[] = {
                                                                            " warning: ", NULL};
    size_t lines = 1;
    for (const char *at = output; *at != '\0'; at++) lines += *at == '\n';
    compiled->output = output;
    compiled->first = (Complaint){.rest = output};
    compiled->warnings = arena_zeros(arena, lines * sizeof *compiled->warnings);
    compiled->warning_count = 0;

    char *copy = arena_print(arena, "%s", output), *rest = copy;
    int included = 0;    // the line of this file that led to the header that is spoken of next
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *from = strstr(line, "from "), *tail, *text;
        int column, number;
        if (from != NULL && (strncmp(line, "In file included ", 17) == 0 || line[0] == ' ')) {
            if ((number = line_of(from + 5, path, &column, &tail)) == 0 && strlen(from) > 5) {
                // The chain's lines end in a comma or a colon, the inner ones without columns.
                char *with = arena_print(arena, "%s:", from + 5);
                with[strcspn(with, ",")] = ':';
                number = line_of(with, path, &column, &tail);
            }
            if (number > 0) included = number;
            continue;
        }
        number = line_of(line, path, &column, &tail);
        if ((text = after_word(line, errors)) != NULL) {
            if (compiled->first.message == NULL)
                compiled->first = (Complaint){.line = number > 0 ? number : included,
                                              .column = column,
                                              .message = message_of(arena, text),
                                              .rest = output};
        } else if (number > 0 && (text = after_word(line, warnings)) != NULL) {
            compiled->warnings[compiled->warning_count++] =
                (Complaint){.line = number,
                            .column = column,
                            .message = message_of(arena, text),
                            .rest = output};
        }
        if (text != NULL) included = 0;    // that was what the chain led to
    }
}

// ---- CUDA without nvcc ----

static const char *line_at(Arena *arena, const char *text, int number)
{
    for (; number > 1 && text != NULL; number--)
        if ((text = strchr(text, '\n')) != NULL) text++;
    return text == NULL || number < 1 ? ""
                                      : arena_print(arena, "%.*s", (int)strcspn(text, "\n"), text);
}

// The complaint says what to write in place of what only nvcc takes.
static void say_what_instead(Arena *arena, const Compile *job, Complaint *complaint)
{
    const char *instead = cuda_instead(line_at(arena, job->text, complaint->line));
    if (instead == NULL) instead = cuda_instead(complaint->message);
    if (instead == NULL && strstr(complaint->rest, " Error: ") != NULL)    // the assembler's
        instead = cuda_instead("asm");
    if (instead != NULL) complaint->message = instead;
}

// It compiles, and cannot be loaded.
static bool refuse_extern_shared(Arena *arena, const Compile *job, Compiled *compiled)
{
    const char *at = job->text;
    for (int number = 1; at != NULL; number++) {
        const char *line = line_at(arena, at, 1);
        const char *word = strstr(line, "extern __shared__"), *comment = strstr(line, "//");
        if (word != NULL && (comment == NULL || word < comment)) {
            compiled->first = (Complaint){
                .line = number, .message = cuda_instead(word), .rest = compiled->output};
            return true;
        }
        if ((at = strchr(at, '\n')) != NULL) at++;
    }
    return false;
}

// ---- how it ended ----

static const char *too_much(Arena *arena, const Compile *job, const Ending *ending)
{
    if (ending->how == ENDED_TIMEOUT)
        return arena_print(arena, "the compiler was still at it after %.0f s",
                           job->seconds + job->spent);
    if (ending->how == ENDED_OUTPUT) return "the compiler complained without end";
    if (strstr(ending->err, "out of memory") != NULL ||
        strstr(ending->err, "memory exhausted") != NULL)
        return arena_print(arena, "the compiler needed more than %d GB of memory", MEMORY >> 30);
    if (strstr(ending->err, "File too large") != NULL ||
        strstr(ending->err, "File size limit") != NULL)
        return arena_print(arena, "compiled it is larger than %d MB", LARGEST_FILE >> 20);
    if (strstr(ending->err, "CPU time limit") != NULL ||
        strstr(ending->err, "Killed signal") != NULL)
        return "the compiler took too much and was stopped";
    return NULL;
}

static const char *first_words(Arena *arena, const char *output)
{
    output += strspn(output, "\n");
    return output[0] == '\0'
               ? "the compiler failed without output"
               : message_of(arena, arena_print(arena, "%.*s", (int)strcspn(output, "\n"), output));
}

// What keeps the compiler itself from working, as a line of a program's own and not of a file's:
// "gcc: fatal error: cannot execute 'as'", "/usr/bin/ld: cannot find libasan.so"; NULL when it works.
static const char *broken_compiler(Arena *arena, const char *output)
{
    static const char *const words[] = {"cannot execute",
                                        "error trying to exec",
                                        "unable to execute",
                                        "Executable \"",
                                        "cannot find",
                                        "posix_spawn failed",
                                        "installation problem",
                                        "No space left on device",
                                        "Read-only file system",
                                        "cannot create temporary",
                                        NULL};
    for (const char *line = output; *line != '\0'; line += *line != '\0') {
        const char *end = line + strcspn(line, "\n"), *colon = strchr(line, ':');
        char *text = arena_print(arena, "%.*s", (int)(end - line), line);
        if (colon != NULL && colon < end && colon[1] == ' ' && after_word(text, words) != NULL)
            return text_clean(text), text;
        line = end;
    }
    return NULL;
}

// ---- what it has read ----

// The next of the paths in a rule for make: "-: a.c b\\ c.h \\\n d.h". NULL: no more.
static char *next_path(char **rule)
{
    char *at = *rule, *path, *end;
    while (*at == ' ' || *at == '\n' || (*at == '\\' && at[1] == '\n')) at++;
    for (path = end = at; *at != '\0' && *at != ' ' && *at != '\n'; *end++ = *at++)
        if (*at == '\\' && at[1] == ' ') at++;
    *rule = at + (*at != '\0');
    *end = '\0';
    return end > path ? path : NULL;
}

// The line that includes it; 0 where the text does not say so by name.
static int line_of_include(Arena *arena, const char *text, const char *name)
{
    char *rest = arena_print(arena, "%s", text), *line;
    for (int number = 1; (line = strsep(&rest, "\n")) != NULL; number++)
        if (strstr(line, "include") != NULL && strstr(line, name) != NULL) return number;
    return 0;
}

// Of a lab its headers may be included. NAME.c would pass without being solved.
static bool includes_source(Arena *arena, const Compile *job, const char *path,
                            Complaint *complaint)
{
    char lab[PATH_MAX], real[PATH_MAX];
    if (job->beside == NULL || realpath(job->beside, lab) == NULL || realpath(path, real) == NULL)
        return false;
    size_t length = strlen(lab);
    const char *dot = strrchr(real, '.'), *name = strrchr(real, '/') + 1;
    if (strncmp(real, lab, length) != 0 || real[length] != '/') return false;
    if (dot != NULL && strcmp(dot, ".h") == 0) return false;
    complaint->line = line_of_include(arena, job->text, name);
    complaint->message = message_of(
        arena,
        arena_print(arena, "it includes %s, and of a lab only headers may be included", name));
    return true;
}

static bool refuse_includes(Arena *arena, const Compile *job, Compiled *compiled)
{
    FILE *file = fopen(arena_print(arena, "%s/depends", job->folder), "r");
    char *rule = NULL;
    size_t size = 0;
    bool refused = false;
    if (file == NULL) return false;
    if (getdelim(&rule, &size, '\0', file) > 0)
        for (char *rest = rule, *path; !refused && (path = next_path(&rest)) != NULL;)
            refused = includes_source(arena, job, path, &compiled->first);
    free(rule);
    fclose(file);
    return refused;
}

// ---- asking it ----

// The text under its own name, which may hold what a C string must not.
static const char *named(Arena *arena, const char *path, const char *text)
{
    char *quoted = arena_alloc(arena, 2 * strlen(path) + 1), *end = quoted;
    for (const char *c = printable(arena, path); *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') *end++ = '\\';
        *end++ = *c;
    }
    *end = '\0';
    return arena_print(arena, "#line 1 \"%s\"\n%s", quoted, text);
}

static void write_command(const char **argv, Arena *arena, const Compile *job)
{
    const char *slash = strrchr(job->path, '/');
    int count = base_options(argv, job->path, job->kind);
    argv[count++] = arena_print(arena, "-iquote%.*s", slash != NULL ? (int)(slash - job->path) : 1,
                                slash != NULL ? job->path : ".");
    if (job->beside != NULL) argv[count++] = arena_print(arena, "-iquote%s", job->beside);
    argv[count++] = arena_print(arena, "-I%s", root_dir());
    argv[count++] = "-I" LAB_SOURCE_DIR;
    argv[count++] = is_cuda(job->path) ? "-xc++" : "-xc";
    argv[count++] = "-";
    if (job->library == NULL) {
        argv[count++] = "-fsyntax-only";
    } else {
        argv[count++] = "-shared";
        argv[count++] = "-o";
        argv[count++] = job->library;
        // Without it libm's names carry no version, and the loader takes the oldest: a slower expf.
        if (!is_cuda(job->path)) argv[count++] = "-lm";
        else count = add_all(argv, count, (const char *const[]){LAB_CUDA_LIBRARIES, NULL});
    }
    argv[count++] = "-MMD";
    argv[count++] = "-MFdepends";
    argv[count] = NULL;
}

bool compile(Arena *arena, const Compile *job, Compiled *compiled, Error *err)
{
    const char *argv[OPTIONS];
    write_command(argv, arena, job);
    const char *set[] = {"LC_ALL=C", arena_print(arena, "TMPDIR=%s", job->folder), NULL};
    Process process = {.argv = argv,
                       .set = set,
                       .folder = job->folder,
                       .seconds = job->seconds,
                       .memory = MEMORY,
                       .file = LARGEST_FILE,
                       .output = OUTPUT_LIMIT,
                       .input = named(arena, job->path, job->text)};
    Ending ending;
    if (!process_run(arena, &process, &ending, err)) return false;

    *compiled = (Compiled){.good = ending.how == ENDED && ending.status == 0};
    const char *limit = compiled->good ? NULL : too_much(arena, job, &ending);
    const char *broken =
        compiled->good || limit != NULL ? NULL : broken_compiler(arena, ending.err);
    if (broken != NULL)
        return error_set(err, "the compiler fails, whatever the file holds: %s", broken);
    compile_read(arena, job->path, ending.err, compiled);
    if (compiled->good && (refuse_includes(arena, job, compiled) ||
                           (is_cuda(job->path) && refuse_extern_shared(arena, job, compiled)))) {
        compiled->good = false;
    } else if (limit != NULL) {
        compiled->bounded = true;
        compiled->first =
            (Complaint){.line = compiled->first.line, .message = limit, .rest = ending.err};
    } else if (!compiled->good && compiled->first.message == NULL) {
        compiled->first.message = first_words(arena, ending.err);
    } else if (!compiled->good && is_cuda(job->path)) {
        say_what_instead(arena, job, &compiled->first);
    }
    return true;
}
