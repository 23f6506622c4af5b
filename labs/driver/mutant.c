#include "labs/driver/mutant.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HUNKS_MAX = 32, BYTES_MAX = 64 << 10 };

static const char ending[] = ".mutant";

static bool ends_so(const char *name)
{
    size_t length = strlen(name), tail = sizeof ending - 1;
    return length > tail && name[0] != '.' && strcmp(name + length - tail, ending) == 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

int mutant_paths(Arena *arena, const Lab *lab, const char ***paths)
{
    const char *folder = arena_print(arena, "%s/mutants", lab->folder);
    int count = 0, room = 0;
    *paths = NULL;
    DIR *stream = opendir(folder);
    if (stream == NULL) return 0;
    while (readdir(stream) != NULL) room++;
    rewinddir(stream);
    *paths = arena_alloc(arena, (size_t)room * sizeof **paths);
    for (struct dirent *entry; count < room && (entry = readdir(stream)) != NULL;)
        if (ends_so(entry->d_name))
            (*paths)[count++] = arena_print(arena, "%s/%s", folder, entry->d_name);
    closedir(stream);
    qsort(*paths, (size_t)count, sizeof **paths, by_name);
    return count;
}

// ---- the file ----

typedef struct Hunk {
    int line;    // where it begins in the file
    char *old, *new;
} Hunk;

typedef struct Edits {
    Hunk hunks[HUNKS_MAX];
    int count;
} Edits;

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static char *add_line(Arena *arena, const char *text, const char *line)
{
    return text == NULL ? arena_print(arena, "%s", line) : arena_print(arena, "%s\n%s", text, line);
}

// "- text" and "+ text"; what is after the sign and one blank.
static bool read_edit(Arena *arena, const char *path, int number, const char *line, char last,
                      Edits *edits, Error *err)
{
    const char *text = line + 1 + (line[1] == ' ');
    if (line[0] == '-' && last != '-') {
        if (edits->count == HUNKS_MAX)
            return error_set(err, "%s:%d: has more than %d hunks", path, number, HUNKS_MAX);
        const char *old = skip_blanks(text);
        edits->hunks[edits->count++] = (Hunk){.line = number, .old = arena_print(arena, "%s", old)};
        return true;
    }
    if (edits->count == 0)
        return error_set(err, "%s:%d: '+' without a '-' before it: what does it replace?", path,
                         number);
    Hunk *hunk = &edits->hunks[edits->count - 1];
    if (line[0] == '-') hunk->old = add_line(arena, hunk->old, skip_blanks(text));
    else hunk->new = add_line(arena, hunk->new, text);
    return true;
}

static bool read_head(Arena *arena, const Lab *lab, const char *path, int number, const char *line,
                      Mutant *mutant, Error *err)
{
    if (number == 2) {
        if (strncmp(line, "why ", 4) != 0 || strlen(skip_blanks(line + 4)) < 3)
            return error_set(
                err, "%s:2: expected 'why' and a sentence that says what is wrong with it", path);
        mutant->why = arena_print(arena, "%s", skip_blanks(line + 4));
        return true;
    }
    if (strncmp(line, "exercise ", 9) != 0)
        return error_set(err, "%s:1: expected 'exercise ID'", path);
    const char *id = skip_blanks(line + 9);
    for (int e = 0; e < lab->exercise_count; e++)
        if (strcmp(lab->exercises[e].id, id) == 0) return mutant->exercise = e, true;
    return error_set(err, "%s:1: there is no exercise '%s' in lab.json", path, id);
}

static char *read_file(Arena *arena, const char *path, Error *err)
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL) return error_set(err, "%s: %s", path, strerror(errno)), NULL;
    char *text = arena_alloc(arena, BYTES_MAX);
    size_t bytes = fread(text, 1, BYTES_MAX - 1, stream);
    bool more = getc(stream) != EOF;
    fclose(stream);
    text[bytes] = '\0';
    if (more) return error_set(err, "%s: is larger than %d bytes", path, BYTES_MAX - 1), NULL;
    if (strlen(text) != bytes) return error_set(err, "%s: holds a zero byte", path), NULL;
    return text;
}

static bool read_edits(Arena *arena, const Lab *lab, const char *path, Mutant *mutant, Edits *edits,
                       Error *err)
{
    char *text = read_file(arena, path, err), last = ' ', *next;
    int number = 1;
    edits->count = 0;
    if (text == NULL) return false;
    for (char *line = text; *line != '\0'; line = next, number++) {
        next = line + strcspn(line, "\n");
        if (*next == '\n') *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        if (number <= 2) {
            if (!read_head(arena, lab, path, number, line, mutant, err)) return false;
        } else if (line[0] == '-' || line[0] == '+') {
            if (!read_edit(arena, path, number, line, last, edits, err)) return false;
        } else if (*skip_blanks(line) != '\0') {
            return error_set(err, "%s:%d: expected '-' or '+' at the start of the line", path,
                             number);
        }
        last = line[0];
    }
    if (number <= 2)
        return error_set(err, "%s:%d: expected 'exercise ID', then 'why ...'", path, number);
    return edits->count > 0 || error_set(err, "%s: changes nothing: no line begins with '-'", path);
}

// ---- the reference ----

// The line after `// WORD ID`, or the mark's own line when `itself`; NULL when it is not there.
static const char *find_mark(const char *text, const char *word, const char *id, bool itself)
{
    for (const char *line = text, *next; *line != '\0'; line = next) {
        char mark[8], first[16], second[64], rest[2], whole[160];
        size_t bytes = strcspn(line, "\n");
        next = line + bytes + (line[bytes] == '\n');
        if (bytes >= sizeof whole) continue;
        memcpy(whole, line, bytes);
        whole[bytes] = '\0';
        if (sscanf(whole, " %7s %15s %63s %1s", mark, first, second, rest) == 3 &&
            strcmp(mark, "//") == 0 && strcmp(first, word) == 0 && strcmp(second, id) == 0)
            return itself ? line : next;
    }
    return NULL;
}

// The lines from `begin` to `end`, without the blanks that they begin with.
static char *flush_left(Arena *arena, const char *begin, const char *end)
{
    char *text = arena_alloc(arena, (size_t)(end - begin) + 1), *out = text;
    while (begin < end) {
        const char *next = memchr(begin, '\n', (size_t)(end - begin));
        next = next == NULL ? end : next + 1;
        begin = skip_blanks(begin);
        if (begin < next) {
            memcpy(out, begin, (size_t)(next - begin));
            out += next - begin;
        }
        begin = next;
    }
    *out = '\0';
    return text;
}

static const char *apply(Arena *arena, const char *path, const char *id, const Edits *edits,
                         const char *region, Error *err)
{
    for (int h = 0; h < edits->count; h++) {
        const Hunk *hunk = &edits->hunks[h];
        const char *new = hunk->new == NULL ? "" : hunk->new;
        const char *at = *hunk->old == '\0' ? NULL : strstr(region, hunk->old);
        if (at == NULL || strstr(at + 1, hunk->old) != NULL) {
            error_set(err, "%s:%d: %s in the exercise %s: %.*s", path, hunk->line,
                      at == NULL ? "does not stand" : "stands more than once", id,
                      (int)strcspn(hunk->old, "\n"), hunk->old);
            return NULL;
        }
        if (strcmp(hunk->old, new) == 0) {
            error_set(err, "%s:%d: changes nothing: old and new are the same", path, hunk->line);
            return NULL;
        }
        region =
            arena_print(arena, "%.*s%s%s", (int)(at - region), region, new, at + strlen(hunk->old));
    }
    return region;
}

bool mutant_read(Arena *arena, const Lab *lab, const Source *reference, const char *path,
                 Mutant *mutant, Error *err)
{
    Edits edits;
    *mutant = (Mutant){.path = path};
    if (!read_edits(arena, lab, path, mutant, &edits, err)) return false;
    const char *id = lab->exercises[mutant->exercise].id;
    const char *begin = find_mark(reference->text, "solution", id, false);
    const char *end = find_mark(reference->text, "end", id, true);
    if (begin == NULL || end == NULL || end < begin)
        return error_set(err, "%s: %s has no marks of %s", path, reference->path, id);
    const char *region = apply(arena, path, id, &edits, flush_left(arena, begin, end), err);
    if (region == NULL) return false;
    mutant->text = arena_print(arena, "%.*s%s%s", (int)(begin - reference->text), reference->text,
                               region, end);
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    if (strncmp(name, id, strlen(id)) == 0 && name[strlen(id)] == '_') name += strlen(id) + 1;
    mutant->name = arena_print(arena, "%.*s", (int)(strlen(name) - (sizeof ending - 1)), name);
    return true;
}
