#include "labs/driver/template.h"
#include "labs/driver/process.h"
#include "common/nearest.h"
#include "common/file.h"
#include "datasets/root.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_NAME = 32, PLACES = 1000, PLACE_STEP = 10, FILE_MAX = 64 << 10 };

// Words of C up to C23, what the build calls its own without a target of that name, and libraries
// that are linked by their bare names.
static const char *const taken[] = {
    "alignas",
    "alignof",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "char",
    "const",
    "constexpr",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "false",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "nullptr",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "struct",
    "switch",
    "thread_local",
    "true",
    "typedef",
    "typeof",
    "typeof_unqual",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "main",
    "project_options",
    "all",
    "clean",
    "help",
    "test",
    "install",
    "driver",
    "grader",
    "template",
    "c",
    "m",
    "dl",
    "rt",
    "pthread",
    "gomp",
    "omp",
};

// A compiler's answer: what `#include <NAME.h>` finds would be hidden behind the lab's NAME.h.
static bool is_header(Arena *arena, const char *name)
{
    const char *const argv[] = {LAB_CC, "-xc", "-fsyntax-only", "-", NULL};
    const char *text = arena_print(
        arena, "#if __has_include(<%s.h>)\n#error taken\n#endif\ntypedef int empty;\n", name);
    Process process = {.argv = argv, .input = text, .seconds = 20, .output = 64 << 10};
    Ending ending;
    Error err;
    return process_run(arena, &process, &ending, &err) && ending.how == ENDED &&
           strstr(ending.err, "taken") != NULL;
}

// One of the targets that add_lab() makes for it is there: ninja's file has a line for each.
static bool is_target(const char *name)
{
    static const char *const prefixes[] = {"", "exercises_", "lab_", "story_", "check_", "bench_"};
    FILE *stream = fopen(LAB_BUILD_DIR "/build.ninja", "r");
    char *line = NULL, target[128];
    size_t room = 0;
    bool found = false;
    while (stream != NULL && !found && getline(&line, &room, stream) > 0)
        for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes && !found; p++) {
            int bytes = snprintf(target, sizeof target, "build %s%s: phony", prefixes[p], name);
            found = strncmp(line, target, (size_t)bytes) == 0;
        }
    free(line);
    if (stream != NULL) fclose(stream);
    return found;
}

static bool is_name(const char *name)
{
    if (!islower((unsigned char)*name) || strlen(name) > LONGEST_NAME) return false;
    for (; *name != '\0'; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static bool allows_name(Arena *arena, const Course *course, const char *name, Error *err)
{
    if (!is_name(name))
        return error_set(
            err,
            "a lab cannot be called '%s': expected small letters, digits and _, a letter first, "
            "at most %d of them",
            name, LONGEST_NAME);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], name) == 0)
            return error_set(
                err, "a lab cannot be called '%s': C or the build has that word already", name);
    for (int i = 0; i < course->lab_count; i++)
        if (strcmp(course->labs[i].id, name) == 0)
            return error_set(err, "there is a lab '%s' already, in %s", name,
                             course->labs[i].folder);
    if (is_target(name))
        return error_set(err, "a lab cannot be called '%s': the build has a target of that name",
                         name);
    if (is_header(arena, name))
        return error_set(err, "a lab cannot be called '%s': <%s.h> would be its header", name,
                         name);
    return true;
}

bool template_allows(Arena *arena, const Course *course, const NewLab *lab, Error *err)
{
    const char **stages = arena_alloc(arena, ((size_t)course->stage_count + 1) * sizeof *stages);
    bool known = false;
    for (int i = 0; i < course->stage_count; i++) {
        stages[i] = course->stages[i].id;
        known = known || strcmp(stages[i], lab->stage) == 0;
    }
    if (known) return allows_name(arena, course, lab->name, err);
    const char *near = nearest(lab->stage, stages, course->stage_count);
    if (near != NULL)
        return error_set(err, "there is no stage '%s'; did you mean '%s'?", lab->stage, near);
    const char *list = "";
    for (int i = 0; i < course->stage_count; i++)
        list = arena_print(arena, "%s%s%s", list, i == 0 ? "" : ", ", stages[i]);
    return error_set(err, "there is no stage '%s'; there are %s", lab->stage, list);
}

// ---- the files ----

typedef struct Word {
    const char *name, *value;    // "@NAME@", "som"
} Word;

static const char *filled(Arena *arena, const char *text, const Word *words, int count)
{
    for (int w = 0; w < count; w++)
        for (const char *at; (at = strstr(text, words[w].name)) != NULL;)
            text = arena_print(arena, "%.*s%s%s", (int)(at - text), text, words[w].value,
                               at + strlen(words[w].name));
    return text;
}

// Writes the file of the template into the folder, under its name without ".in".
static bool write_file(Arena *arena, const char *from, const char *file, const char *to,
                       const Word *words, int count, Error *err)
{
    const char *path = arena_print(arena, "%s/%s", from, file);
    FILE *stream = fopen(path, "r");
    char *text = arena_alloc(arena, FILE_MAX);
    if (stream == NULL) return error_set(err, "%s: %s", path, strerror(errno));
    text[fread(text, 1, FILE_MAX - 1, stream)] = '\0';
    fclose(stream);
    int bytes = (int)(strlen(file) - strlen(".in"));
    const char *name = filled(arena, arena_print(arena, "%.*s", bytes, file), words, count);
    return file_write(arena_print(arena, "%s/%s", to, name), filled(arena, text, words, count),
                      err);
}

static bool is_template(const char *name)
{
    size_t bytes = strlen(name);
    return bytes > 3 && strcmp(name + bytes - 3, ".in") == 0;
}

// All files of one folder of the template.
static bool write_files(Arena *arena, const char *from, const char *to, const Word *words,
                        int count, Error *err)
{
    if (!file_make_folder(to, err)) return false;
    DIR *stream = opendir(from);
    if (stream == NULL) return error_set(err, "%s: %s", from, strerror(errno));
    bool written = true;
    for (struct dirent *entry; written && (entry = readdir(stream)) != NULL;)
        if (is_template(entry->d_name))
            written = write_file(arena, from, entry->d_name, to, words, count, err);
    closedir(stream);
    return written;
}

static void remove_folder(Arena *arena, const char *folder)
{
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlink(arena_print(arena, "%s/%s", folder, entry->d_name));
    if (stream != NULL) closedir(stream);
    rmdir(folder);
}

// After the last lab of its stage.
static int next_place(const Course *course, const char *stage)
{
    int place = 0;
    for (int i = 0; i < course->lab_count; i++)
        if (strcmp(course->labs[i].stage, stage) == 0 && course->labs[i].place > place)
            place = course->labs[i].place;
    return place + PLACE_STEP <= PLACES ? place + PLACE_STEP : PLACES;
}

static const char *absolute(Arena *arena, const char *folder)
{
    char whole[PATH_MAX];
    return arena_print(arena, "%s", realpath(folder, whole) != NULL ? whole : folder);
}

bool template_lay_out(Arena *arena, const Course *course, NewLab *lab, Error *err)
{
    const char *labs = absolute(arena, arena_print(arena, "%s/labs", root_dir()));
    const char *from = arena_print(arena, "%s/driver/template", labs);
    if (lab->labs == NULL) lab->labs = labs;
    if (!file_make_folder(lab->labs, err)) return false;
    lab->labs = absolute(arena, lab->labs);
    lab->outside = strcmp(lab->labs, labs) != 0;
    lab->folder = arena_print(arena, "%s/%s/%s", lab->labs, lab->stage, lab->name);
    if (access(lab->folder, F_OK) == 0) return error_set(err, "%s already exists", lab->folder);

    Word words[] = {{"@NAME@", lab->name},
                    {"@STAGE@", lab->stage},
                    {"@PLACE@", arena_print(arena, "%d", next_place(course, lab->stage))}};
    int count = sizeof words / sizeof *words;
    // Beside labs/, since a folder in a stage is looked into.
    const char *half = arena_print(arena, "%s/.new-%s-%d", lab->labs, lab->name, (int)getpid());
    const char *mutants = arena_print(arena, "%s/mutants", half);
    bool written =
        write_files(arena, from, half, words, count, err) &&
        write_files(arena, arena_print(arena, "%s/mutants", from), mutants, words, count, err) &&
        file_make_folder(arena_print(arena, "%s/%s", lab->labs, lab->stage), err);
    if (written && rename(half, lab->folder) == 0) return true;
    if (written) error_set(err, "%s: %s", lab->folder, strerror(errno));
    remove_folder(arena, mutants);
    remove_folder(arena, half);
    return false;
}
