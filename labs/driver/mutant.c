#include "labs/driver/mutant.h"
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/error.h"

enum { HUNKS_MAX = 32, BYTES_MAX = 256 << 10, MUTANTS_MAX = 4096 };

static const char ending[] = ".mutants", not_applicable[] = "# not applicable:";

const char *const mutant_kinds[KIND_COUNT] = {
#define X(name, meaning) #name,
    KIND_LIST(X)
#undef X
};

typedef struct Hunk {
    int line;    // where it begins in the file
    char *old, *new;
} Hunk;

typedef struct Edits {
    Hunk hunks[HUNKS_MAX];
    int count;
} Edits;

// The file that is being read, and the mutants of all files so far.
typedef struct Reader {
    Arena *arena;
    const Source *reference;
    const char *path, *id, *begin, *end;    // of the exercise, and its region in the reference
    int exercise, line;
    Mutant *mutants;
    int count;
    unsigned *absent;
} Reader;

static Mutant *add_mutant(Reader *reader, Mutant mutant)
{
    REQUIRE(reader->count < MUTANTS_MAX, "%s: more than %d mutants", reader->path, MUTANTS_MAX);
    mutant.exercise = reader->exercise;
    return memcpy(&reader->mutants[reader->count++], &mutant, sizeof mutant);
}

// The sentence begins with where it is.
__attribute__((format(printf, 3, 4))) static bool fault(Reader *reader, int line,
                                                        const char *format, ...)
{
    Mutant *last = &reader->mutants[reader->count - 1];
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    last->fault = line > 0 ? arena_print(reader->arena, "%s:%d: %s", reader->path, line, text)
                           : arena_print(reader->arena, "%s: %s", reader->path, text);
    return false;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static char *add_line(Arena *arena, const char *text, const char *line)
{
    return text == NULL ? arena_print(arena, "%s", line) : arena_print(arena, "%s\n%s", text, line);
}

// ---- the kinds ----

// The one that the first bytes of the word name, or -1.
static int kind_of(const char *word, size_t bytes)
{
    for (int k = 0; k < KIND_COUNT; k++)
        if (strlen(mutant_kinds[k]) == bytes && strncmp(mutant_kinds[k], word, bytes) == 0)
            return k;
    return -1;
}

static bool unknown_kind(Reader *reader, const char *word, size_t bytes)
{
    char known[256] = "";
    for (int k = 0; k < KIND_COUNT; k++) {
        if (k > 0) strcat(known, ", ");
        strcat(known, mutant_kinds[k]);
    }
    return fault(reader, reader->line, "there is no kind '%.*s': expected one of %s", (int)bytes,
                 word, known);
}

// "# not applicable: aliasing, size"; a fault is a mutant without a name.
static void read_absent(Reader *reader, const char *line)
{
    for (const char *word = line + sizeof not_applicable - 1; *(word += strspn(word, " ,")) != 0;) {
        size_t bytes = strcspn(word, " ,");
        int kind = kind_of(word, bytes);
        if (kind < 0) {
            add_mutant(reader, (Mutant){.where = reader->path, .name = "", .why = ""});
            unknown_kind(reader, word, bytes);
            return;
        }
        reader->absent[reader->exercise] |= 1u << kind;
        word += bytes;
    }
}

// ---- the edits ----

// "- text" and "+ text"; what is after the sign and one blank.
static bool read_edit(Reader *reader, const char *line, char last, Edits *edits)
{
    const char *text = line + 1 + (line[1] == ' ');
    if (line[0] == '-' && last != '-') {
        if (edits->count == HUNKS_MAX)
            return fault(reader, reader->line, "has more than %d hunks", HUNKS_MAX);
        edits->hunks[edits->count++] =
            (Hunk){.line = reader->line, .old = add_line(reader->arena, NULL, skip_blanks(text))};
        return true;
    }
    if (edits->count == 0)
        return fault(reader, reader->line, "'+' without a '-' before it: what does it replace?");
    Hunk *hunk = &edits->hunks[edits->count - 1];
    if (line[0] == '-') hunk->old = add_line(reader->arena, hunk->old, skip_blanks(text));
    else hunk->new = add_line(reader->arena, hunk->new, text);
    return true;
}

static const char *apply(Reader *reader, const Edits *edits, const char *region)
{
    for (int h = 0; h < edits->count; h++) {
        const Hunk *hunk = &edits->hunks[h];
        const char *new = hunk->new == NULL ? "" : hunk->new;
        const char *at = *hunk->old == '\0' ? NULL : strstr(region, hunk->old);
        if (at == NULL || strstr(at + 1, hunk->old) != NULL) {
            fault(reader, hunk->line, "%s in the exercise %s: %.*s",
                  at == NULL ? "does not stand" : "stands more than once", reader->id,
                  (int)strcspn(hunk->old, "\n"), hunk->old);
            return NULL;
        }
        if (strcmp(hunk->old, new) == 0) {
            fault(reader, hunk->line, "changes nothing: old and new are the same");
            return NULL;
        }
        region = arena_print(reader->arena, "%.*s%s%s", (int)(at - region), region, new,
                             at + strlen(hunk->old));
    }
    return region;
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

// ---- the file ----

static char *read_file(Reader *reader)
{
    FILE *stream = fopen(reader->path, "r");
    if (stream == NULL) return fault(reader, 0, "%s", strerror(errno)), NULL;
    char *text = arena_alloc(reader->arena, BYTES_MAX);
    size_t bytes = fread(text, 1, BYTES_MAX - 1, stream);
    bool more = getc(stream) != EOF;
    fclose(stream);
    text[bytes] = '\0';
    if (more) return fault(reader, 0, "is larger than %d bytes", BYTES_MAX - 1), NULL;
    if (strlen(text) != bytes) return fault(reader, 0, "holds a zero byte"), NULL;
    return text;
}

// "name [kind]: A sentence." begins a mutant.
static bool read_name(Reader *reader, const char *line)
{
    size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
    const char *where = arena_print(reader->arena, "%s:%d", reader->path, reader->line);
    const char *name = arena_print(reader->arena, "%.*s", (int)length, line), *why = "";
    const char *kind = line + length + strspn(line + length, " ") + 1;
    size_t bytes = kind[-1] == '[' ? strcspn(kind, "]") : 0;
    if (bytes > 0 && strncmp(kind + bytes, "]:", 2) == 0)
        why = arena_print(reader->arena, "%s", skip_blanks(kind + bytes + 2));
    for (int m = 0; m < reader->count; m++) {
        const Mutant *other = &reader->mutants[m];
        if (other->exercise == reader->exercise && strcmp(other->name, name) == 0) {
            add_mutant(reader, (Mutant){.where = where, .name = name, .why = why});
            return fault(reader, reader->line, "%s stands at %s too", name, other->where);
        }
    }
    Mutant *mutant = add_mutant(reader, (Mutant){.where = where, .name = name, .why = why});
    if (length == 0 || strlen(why) < 3)
        return fault(reader, reader->line,
                     "expected '-', '+', or 'NAME [KIND]: ' and a sentence that says what is wrong "
                     "with it");
    int found = kind_of(kind, bytes);
    if (found < 0) return unknown_kind(reader, kind, bytes);
    mutant->kind = (MutantKind)found;
    return true;
}

static void end_mutant(Reader *reader, const Edits *edits, const char *region)
{
    Mutant *mutant = &reader->mutants[reader->count - 1];
    if (mutant->fault != NULL) return;
    if (edits->count == 0) {
        fault(reader, reader->line, "%s changes nothing: no line begins with '-'", mutant->name);
        return;
    }
    const char *text = reader->reference->text, *edited = apply(reader, edits, region);
    mutant->region = edited;
    if (edited != NULL)
        mutant->text = arena_print(reader->arena, "%.*s%s%s", (int)(reader->begin - text), text,
                                   edited, reader->end);
}

static void read_mutants(Reader *reader, char *text)
{
    const char *region = flush_left(reader->arena, reader->begin, reader->end);
    int first = reader->count;
    Edits edits = {.count = 0};
    char last = ' ', *next;
    reader->line = 1;
    for (char *line = text; *line != '\0'; line = next, reader->line++) {
        next = line + strcspn(line, "\n");
        if (*next == '\n') *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        bool ok = true;
        if (line[0] == '-' || line[0] == '+') {
            if (reader->count == first) ok = read_name(reader, line);
            else if (reader->mutants[reader->count - 1].fault == NULL)
                ok = read_edit(reader, line, last, &edits);
        } else if (reader->line == 1 &&
                   strncmp(line, not_applicable, sizeof not_applicable - 1) == 0) {
            read_absent(reader, line);
            first = reader->count;
        } else if (*skip_blanks(line) != '\0' && line[0] != '#') {
            if (reader->count > first) end_mutant(reader, &edits, region);
            edits.count = 0;
            ok = read_name(reader, line);
        }
        last = ok ? line[0] : ' ';
    }
    if (reader->count > first) end_mutant(reader, &edits, region);
}

static void read_exercise(Reader *reader, const Lab *lab, const char *path, int exercise)
{
    reader->path = path;
    reader->exercise = exercise;
    reader->id = lab->exercises[exercise].id;
    reader->begin = find_mark(reader->reference->text, "solution", reader->id, false);
    reader->end = find_mark(reader->reference->text, "end", reader->id, true);
    Mutant whole = {.where = path, .name = "", .why = ""};
    int count = reader->count;
    add_mutant(reader, whole);    // the fault of a file that can't be read at all
    if (reader->begin == NULL || reader->end == NULL || reader->end < reader->begin) {
        fault(reader, 0, "%s has no marks of %s", reader->reference->path, reader->id);
        return;
    }
    char *text = read_file(reader);
    if (text == NULL) return;
    reader->count = count;
    read_mutants(reader, text);
}

static int exercise_of(const Lab *lab, const char *file)
{
    for (int e = 0; e < lab->exercise_count; e++) {
        size_t length = strlen(lab->exercises[e].id);
        if (strncmp(file, lab->exercises[e].id, length) == 0 && strcmp(file + length, ending) == 0)
            return e;
    }
    return -1;
}

int mutants_read(Arena *arena, const Lab *lab, const Source *reference, Mutant **mutants,
                 unsigned *absent)
{
    const char *folder = arena_print(arena, "%s/mutants", lab->folder);
    Reader reader = {.arena = arena,
                     .reference = reference,
                     .mutants = arena_alloc(arena, MUTANTS_MAX * sizeof(Mutant)),
                     .absent = absent};
    *mutants = reader.mutants;
    memset(absent, 0, (size_t)lab->exercise_count * sizeof *absent);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *file = entries[i]->d_name, *path = arena_print(arena, "%s/%s", folder, file);
        if (file[0] != '.' && exercise_of(lab, file) < 0) {
            reader.path = path;
            reader.exercise = -1;
            add_mutant(&reader, (Mutant){.where = path, .name = "", .why = ""});
            fault(&reader, 0, "expected EXERCISE%s; there is no such exercise in lab.json", ending);
        }
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    for (int e = 0; e < lab->exercise_count; e++) {
        const char *path = arena_print(arena, "%s/%s%s", folder, lab->exercises[e].id, ending);
        if (access(path, F_OK) == 0) read_exercise(&reader, lab, path, e);
    }
    return reader.count;
}
