#include "labs/driver/source.h"
#include "labs/driver/ccode.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A lab's file has a few hundred lines; anything near this size is some other file.
enum { MAX_BYTES = 256 << 10, WIDEST = 100, MOST_HELPERS = 100 };

// U+FEFF, which editors of other systems begin a file with.
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

// Text that is put together piece by piece, at most `room` bytes.
typedef struct Writer {
    char *text;
    size_t used, room;
} Writer;

static Writer writer_new(Arena *arena, size_t room)
{
    Writer writer = {.text = arena_alloc(arena, room + 1), .room = room};
    writer.text[0] = '\0';
    return writer;
}

static void put(Writer *writer, const char *text, size_t bytes)
{
    REQUIRE(bytes <= writer->room - writer->used, "%zu bytes do not fit into %zu", bytes,
            writer->room);
    memcpy(writer->text + writer->used, text, bytes);
    writer->used += bytes;
    writer->text[writer->used] = '\0';
}

static void put_text(Writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static char *copy(Arena *arena, const char *text, size_t bytes)
{
    return arena_print(arena, "%.*s", (int)bytes, text);
}

static int count_lines(const char *text, size_t bytes)
{
    int lines = 0;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    return lines;
}

static size_t line_length(const char *line)    // with its newline
{
    size_t bytes = strcspn(line, "\n");
    return bytes + (line[bytes] == '\n');
}

// The offset at which a line begins; lines are counted from 1.
static size_t line_offset(const char *text, int line)
{
    size_t offset = 0;
    while (--line > 0) offset += line_length(text + offset);
    return offset;
}

static char *read_text(Arena *arena, const char *path, Error *err)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);    // does not block on a pipe
    if (fd < 0) return error_set(err, "%s: %s", path, strerror(errno)), NULL;
    char *text = NULL;
    ssize_t bytes = 0, got = 1;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(err, "%s: is not a file", path);
    } else if (status.st_size > MAX_BYTES) {
        error_set(err, "%s: has %lld bytes, expected at most %d", path, (long long)status.st_size,
                  MAX_BYTES);
    } else {
        text = arena_alloc(arena, MAX_BYTES + 1);
        while (got > 0 && bytes < MAX_BYTES)
            if ((got = read(fd, text + bytes, (size_t)(MAX_BYTES - bytes))) > 0) bytes += got;
        if (got < 0) error_set(err, "%s: %s", path, strerror(errno));
    }
    close(fd);
    if (text == NULL || got < 0) return NULL;
    text[bytes] = '\0';
    if (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)
        return error_set(err, "%s: is UTF-16: save it as UTF-8", path), NULL;
    size_t readable = strlen(text);
    if (readable == (size_t)bytes) return strncmp(text, BYTE_ORDER_MARK, 3) == 0 ? text + 3 : text;
    error_set(err, "%s:%d: contains a zero byte, so it is not C source", path,
              count_lines(text, readable) + 1);
    return NULL;
}

void source_parse(Arena *arena, const Lab *lab, const char *path, const char *text, Source *source)
{
    const char *code = code_only(arena, text);
    *source = (Source){.path = path, .text = text, .code = code};
    source->functions = arena_zeros(arena, (size_t)lab->exercise_count * sizeof(Function));
    for (int i = 0; i < lab->exercise_count; i++) {
        CodeSpan span = code_definition(code, lab->exercises[i].function);
        if (span.end == 0) continue;
        while (span.start > 0 && text[span.start - 1] != '\n') span.start--;
        Function *function = &source->functions[i];
        bool ended = text[span.end - 1] == '\n';
        function->first_line = count_lines(text, span.start) + 1;
        function->last_line = count_lines(text, span.end) + !ended;
        function->span = span;
        function->text = arena_print(arena, "%.*s%s", (int)(span.end - span.start),
                                     text + span.start, ended ? "" : "\n");
    }
}

bool source_read(Arena *arena, const Lab *lab, const char *path, Source *source, Error *err)
{
    const char *text = read_text(arena, path, err);
    if (text == NULL) return false;
    source_parse(arena, lab, path, text, source);
    return true;
}

// `    // solution loss` and `    // end loss`: lines of their own, of exactly these words.
typedef enum MarkKind { MARK_NONE, MARK_SOLUTION, MARK_END } MarkKind;

typedef struct Mark {
    MarkKind kind;
    int exercise;    // -1: of none that the lab has
    char id[64];
} Mark;

static Mark mark_at(const Lab *lab, const char *line)
{
    char word[16], rest[2];
    Mark mark = {.exercise = -1};
    char whole[160];
    snprintf(whole, sizeof whole, "%.*s", (int)strcspn(line, "\r\n"), line);
    if (sscanf(whole, " // %15s %63s %1s", word, mark.id, rest) != 2) return mark;
    mark.kind = strcmp(word, "solution") == 0 ? MARK_SOLUTION
                : strcmp(word, "end") == 0    ? MARK_END
                                              : MARK_NONE;
    for (int i = 0; i < lab->exercise_count; i++)
        if (strcmp(lab->exercises[i].id, mark.id) == 0) mark.exercise = i;
    return mark;
}

// One mark, after `next` whole regions; `open` is the line of the region it may end.
static bool check_mark(const Lab *lab, const Source *reference, const Mark *mark, int line,
                       int *open, int *next, Error *err)
{
    const char *path = reference->path, *id = mark->id;
    const char *expected = *next < lab->exercise_count ? lab->exercises[*next].id : NULL;
    if (mark->exercise < 0)
        return error_set(err, "%s:%d: marks '%s', which is not an exercise in lab.json", path, line,
                         id);
    if (mark->kind == MARK_SOLUTION && *open > 0)
        return error_set(err,
                         "%s:%d: 'solution %s' begins before 'solution %s' of line %d has ended",
                         path, line, id, expected, *open);
    if (mark->kind == MARK_END && *open == 0)
        return error_set(err, "%s:%d: 'end %s' without 'solution %s'", path, line, id, id);
    if (mark->exercise < *next)
        return error_set(err, "%s:%d: '%s' is marked a second time", path, line, id);
    if (mark->exercise > *next)
        return error_set(err, "%s:%d: marks '%s', expected '%s', as lab.json goes on", path, line,
                         id, expected);
    const Function *function = &reference->functions[*next];
    if (function->first_line == 0)
        return error_set(err, "%s:%d: marks '%s', but the file has no function %s", path, line, id,
                         lab->exercises[*next].function);
    if (line <= function->first_line || line >= function->last_line)
        return error_set(err, "%s:%d: marks '%s' outside of %s, which is at lines %d to %d", path,
                         line, id, lab->exercises[*next].function, function->first_line,
                         function->last_line);
    *open = mark->kind == MARK_SOLUTION ? line : 0;
    *next += mark->kind == MARK_END;
    return true;
}

bool source_read_reference(Arena *arena, const Lab *lab, Source *reference, Error *err)
{
    const char *path = arena_print(arena, "%s/%s.%s", lab->folder, lab->id, lab_suffix(lab));
    return source_read(arena, lab, path, reference, err) && source_check_marks(lab, reference, err);
}

bool source_check_marks(const Lab *lab, const Source *reference, Error *err)
{
    const char *path = reference->path;
    int open = 0, next = 0, number = 1;
    for (const char *line = reference->text; *line != '\0'; line += line_length(line), number++) {
        Mark mark = mark_at(lab, line);
        if (mark.kind != MARK_NONE && !check_mark(lab, reference, &mark, number, &open, &next, err))
            return false;
    }
    if (next == lab->exercise_count) return true;
    const char *id = lab->exercises[next].id;
    if (open > 0)
        return error_set(err, "%s:%d: 'solution %s' is not followed by '// end %s'", path, open, id,
                         id);
    return error_set(err, "%s: has no line '// solution %s'", path, id);
}

// `    LAB_TODO(loss);    // your code here; see NAME.h`, with the comment if it fits.
static void put_todo(Writer *out, const Lab *lab, const Exercise *exercise, const char *mark)
{
    char line[2 * WIDEST];
    int indent = (int)(strchr(mark, '/') - mark);
    int full = snprintf(line, sizeof line, "%.*sLAB_TODO(%s);    // your code here; see %s.h",
                        indent, mark, exercise->id, lab->id);
    if (full > WIDEST)
        snprintf(line, sizeof line, "%.*sLAB_TODO(%s);    // your code here", indent, mark,
                 exercise->id);
    put_text(out, line);
    put_text(out, "\n");
}

const char *source_solved(Arena *arena, const Lab *lab, const Source *reference, const bool *solved)
{
    static const char include[] = "#include \"common/todo.h\"\n";
    bool wanted = false, hidden = false;
    size_t room =
        strlen(reference->text) + sizeof include + (size_t)lab->exercise_count * 2 * WIDEST;
    Writer out = writer_new(arena, room);
    for (int i = 0; i < lab->exercise_count; i++) wanted = wanted || !solved[i];
    wanted = wanted && strstr(reference->text, "#include \"common/todo.h\"") == NULL;
    for (const char *line = reference->text; *line != '\0'; line += line_length(line)) {
        Mark mark = mark_at(lab, line);
        bool kept = mark.kind == MARK_NONE || mark.exercise < 0;
        if (kept && !hidden) put(&out, line, line_length(line));
        if (!kept && mark.kind == MARK_SOLUTION && !solved[mark.exercise])
            put_todo(&out, lab, &lab->exercises[mark.exercise], line);
        if (!kept) hidden = mark.kind == MARK_SOLUTION && !solved[mark.exercise];
        if (wanted && strncmp(line, "#include", 8) == 0) {
            put_text(&out, include);
            wanted = false;
        }
    }
    return out.text;
}

const char *source_skeleton(Arena *arena, const Lab *lab, const Source *reference, int solved)
{
    bool *which = arena_zeros(arena, (size_t)lab->exercise_count * sizeof *which);
    for (int i = 0; i < solved && i < lab->exercise_count; i++) which[i] = true;
    return source_solved(arena, lab, reference, which);
}

const char *source_replace(Arena *arena, const Source *source, int exercise, const char *function)
{
    const Function *old = &source->functions[exercise];
    if (old->first_line == 0) return NULL;
    size_t begin = line_offset(source->text, old->first_line);
    size_t end = line_offset(source->text, old->last_line + 1);
    bool returns = strstr(old->text, "\r\n") != NULL;    // an editor of another system
    Writer out = writer_new(arena, strlen(source->text) + 2 * strlen(function) + 2);
    put(&out, source->text, begin);
    for (const char *line = function; *line != '\0'; line += line_length(line)) {
        put(&out, line, strcspn(line, "\r\n"));
        put_text(&out, returns ? "\r\n" : "\n");
    }
    put_text(&out, source->text + end);
    return out.text;
}

const char *source_blank(Arena *arena, const Lab *lab, const Source *source, int exercise)
{
    const Function *old = &source->functions[exercise];
    if (old->first_line == 0) return source->text;
    const char *id = lab->exercises[exercise].id;
    const char *code = code_only(arena, old->text);
    CodeSpan span = code_definition(code, lab->exercises[exercise].function);
    if (span.end == 0) return source_drop(arena, source, exercise);
    // Whole by itself, should the include be gone.
    const char *body = arena_print(arena,
                                   "{ %svoid todo_reached(const char *, const char *, int)%s; "
                                   "todo_reached(\"%s\", __FILE__, __LINE__); }",
                                   lab->cuda ? "" : "_Noreturn ",
                                   lab->cuda ? " __asm__(\"todo_reached\")" : "", id);
    size_t bytes = strlen(old->text);
    int lines = count_lines(old->text + span.open, bytes - span.open);
    Writer out = writer_new(arena, bytes + strlen(body));
    put(&out, old->text, span.open);
    put_text(&out, body);
    while (lines-- > 0) put_text(&out, "\n");
    return source_replace(arena, source, exercise, out.text);
}

const char *source_drop(Arena *arena, const Source *source, int exercise)
{
    const Function *old = &source->functions[exercise];
    if (old->first_line == 0) return source->text;
    int lines = old->last_line - old->first_line + 1;
    Writer empty = writer_new(arena, (size_t)lines);
    while (lines-- > 0) put_text(&empty, "\n");
    return source_replace(arena, source, exercise, empty.text);
}

// The file's functions that are no exercises, and whether they were seen.
typedef struct Helpers {
    CodeName name[MOST_HELPERS];
    CodeSpan span[MOST_HELPERS];
    bool seen[MOST_HELPERS];
    int count;
} Helpers;

static void find_helpers(const Lab *lab, const Source *source, Helpers *helpers)
{
    CodeName name;
    CodeSpan span = {0};
    while (helpers->count < MOST_HELPERS && code_next(source->code, span.end, &name, &span)) {
        bool exercise = false;
        for (int e = 0; e < lab->exercise_count; e++)
            exercise = exercise || (strlen(lab->exercises[e].function) == name.bytes &&
                                    memcmp(lab->exercises[e].function, name.text, name.bytes) == 0);
        if (exercise) continue;
        helpers->name[helpers->count] = name;
        helpers->span[helpers->count++] = span;
    }
}

// Whether the span names the function, or a helper that does.
static bool reaches(const char *code, CodeSpan span, CodeName function, Helpers *helpers)
{
    if (code_names(code, span, function)) return true;
    for (int h = 0; h < helpers->count; h++) {
        if (helpers->seen[h] || !code_names(code, span, helpers->name[h])) continue;
        helpers->seen[h] = true;
        if (reaches(code, helpers->span[h], function, helpers)) return true;
    }
    return false;
}

bool source_calls(const Lab *lab, const Source *source, int caller, int callee)
{
    const char *function = lab->exercises[callee].function;
    Helpers helpers = {.count = 0};
    if (caller == callee || source->functions[caller].text == NULL) return false;
    find_helpers(lab, source, &helpers);
    return reaches(source->code, source->functions[caller].span,
                   (CodeName){function, strlen(function)}, &helpers);
}

int source_exercise_at(const Lab *lab, const Source *source, int line)
{
    for (int i = 0; i < lab->exercise_count; i++)
        if (line >= source->functions[i].first_line && line <= source->functions[i].last_line &&
            source->functions[i].first_line > 0)
            return i;
    return -1;
}

const char **source_secrets(Arena *arena, const Lab *lab, const Source *reference, int exercise)
{
    size_t lines = (size_t)count_lines(reference->text, strlen(reference->text)) + 2;
    const char **secret = arena_zeros(arena, lines * sizeof *secret);
    bool inside = false;
    int count = 0;
    for (const char *line = reference->text; *line != '\0'; line += line_length(line)) {
        Mark mark = mark_at(lab, line);
        if (mark.exercise == exercise && mark.kind != MARK_NONE)
            inside = mark.kind == MARK_SOLUTION;
        if (!inside || mark.kind != MARK_NONE) continue;
        size_t begin = strspn(line, " \t"), end = strcspn(line, "\r\n");
        bool says = false;
        for (size_t i = begin; i < end; i++) says = says || isalnum((unsigned char)line[i]);
        while (end > begin && (line[end - 1] == ' ' || line[end - 1] == '\t')) end--;
        if (says) secret[count++] = copy(arena, line + begin, end - begin);
    }
    return secret;
}

// Where the comment right above the line at `start` begins; `start` when there is none.
static size_t comment_above(const char *text, size_t start)
{
    bool block = false;
    for (size_t line = start; line > 0;) {
        size_t end = line - 1;
        for (line = end; line > 0 && text[line - 1] != '\n';) line--;
        size_t first = line + strspn(text + line, " \t");
        while (end > first && strchr(" \t\r", text[end - 1]) != NULL) end--;
        if (end - first < 2 && block) continue;
        if (end - first < 2) break;
        block = block || memcmp(text + end - 2, "*/", 2) == 0;
        if (!block && memcmp(text + first, "//", 2) != 0) break;
        if (!block || memcmp(text + first, "/*", 2) == 0) start = line;
        if (block && start == line) break;
    }
    return start;
}

const char *source_promise(Arena *arena, const Lab *lab, int exercise)
{
    const char *text = read_text(arena, arena_print(arena, "%s/%s.h", lab->folder, lab->id), NULL);
    if (text == NULL) return NULL;
    CodeSpan span = code_declaration(code_only(arena, text), lab->exercises[exercise].function);
    if (span.end == 0) return NULL;
    span.start = comment_above(text, span.start);
    return copy(arena, text + span.start, span.end - span.start);
}
