#include "labs/3_language/tokenizer/app/split/split.h"
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

bool splitter_add(Splitter *splitter, SplitStep step)
{
    if (splitter->count == SPLIT_MAX_STEPS) {
        regex_close(step.regex);
        free(step.literal);
        return false;
    }
    splitter->steps[splitter->count++] = step;
    splitter->in_byte_alphabet |= step.kind == SPLIT_BYTE_ALPHABET;
    return true;
}

void splitter_close(Splitter *splitter)
{
    for (int i = 0; i < splitter->count; i++) {
        regex_close(splitter->steps[i].regex);
        free(splitter->steps[i].literal);
    }
    *splitter = (Splitter){0};
}

// ---- the matches of a step ----

// Spans that cover the text, one after the other.
typedef struct Span {
    size_t start, end;
    bool match;
} Span;

typedef struct Spans {
    Span *items;
    size_t count, room;
} Spans;

static void spans_add(Spans *spans, size_t start, size_t end, bool match)
{
    if (spans->count == spans->room) {
        spans->room = spans->room ? 2 * spans->room : 64;
        spans->items = realloc(spans->items, spans->room * sizeof *spans->items);
        REQUIRE(spans->items != NULL, "no memory for %zu pieces", spans->room);
    }
    spans->items[spans->count++] = (Span){start, end, match};
}

static bool find_regex(Spans *spans, const Regex *regex, const uint8_t *text, size_t bytes,
                       Error *err)
{
    size_t done = 0, at = 0, first, last;
    while (at <= bytes) {
        RegexResult result = regex_find(regex, text, at, bytes, &first, &last, err);
        if (result == REGEX_FAILED) return false;
        if (result == REGEX_NONE) break;
        if (first > done) spans_add(spans, done, first, false);
        spans_add(spans, first, last, true);
        done = at = last;
        if (first == last &&
            at < bytes) {    // an empty match cuts, and the next is looked for behind
            size_t step;
            code_point_at(text + at, bytes - at, &step);
            at += step;
        } else if (first == last) break;
    }
    if (done < bytes) spans_add(spans, done, bytes, false);
    return true;
}

static void find_literal(Spans *spans, const char *literal, const uint8_t *text, size_t bytes)
{
    size_t length = strlen(literal), done = 0;
    const uint8_t *found;
    while (length > 0 && (found = memmem(text + done, bytes - done, literal, length)) != NULL) {
        size_t first = (size_t)(found - text);
        if (first > done) spans_add(spans, done, first, false);
        spans_add(spans, first, first + length, true);
        done = first + length;
    }
    if (done < bytes) spans_add(spans, done, bytes, false);
}

static void find_class(Spans *spans, unsigned wanted, const uint8_t *text, size_t bytes)
{
    const uint8_t *classes = code_point_classes();
    size_t done = 0, length;
    for (size_t at = 0; at < bytes; at += length) {
        if (!(classes[code_point_at(text + at, bytes - at, &length)] & wanted)) continue;
        if (at > done) spans_add(spans, done, at, false);
        spans_add(spans, at, at + length, true);
        done = at + length;
    }
    if (done < bytes) spans_add(spans, done, bytes, false);
}

// ---- what becomes of a match ----

static bool joins(const Span *before, const Span *after, SplitBehavior behavior)
{
    switch (behavior) {
    case SPLIT_MERGED_PREVIOUS: return after->match && !before->match;
    case SPLIT_MERGED_NEXT: return before->match && !after->match;
    case SPLIT_CONTIGUOUS: return before->match == after->match;
    default: return false;
    }
}

typedef struct Walk {
    const Splitter *splitter;
    OnPiece *on_piece;
    void *context;
} Walk;

static bool walk(const Walk *w, int step, const uint8_t *text, size_t bytes, bool first,
                 Error *err);

static bool walk_spans(const Walk *w, int step, const uint8_t *text, const Spans *spans, bool first,
                       Error *err)
{
    const SplitStep *how = &w->splitter->steps[step];
    for (size_t i = 0; i < spans->count; i++) spans->items[i].match ^= how->invert;
    for (size_t i = 0, next; i < spans->count; i = next) {
        const Span *span = &spans->items[i];
        for (next = i + 1; next < spans->count; next++)
            if (!joins(&spans->items[next - 1], &spans->items[next], how->behavior)) break;
        size_t end = spans->items[next - 1].end;
        if (end == span->start || (how->behavior == SPLIT_REMOVED && span->match)) continue;
        if (!walk(w, step + 1, text + span->start, end - span->start, first && span->start == 0,
                  err))
            return false;
    }
    return true;
}

static bool walk_runs(const Walk *w, int step, const uint8_t *text, size_t bytes, bool first,
                      Error *err)
{
    const char *mark = w->splitter->steps[step].literal;
    size_t length = strlen(mark), start = 0, at = 0;
    const uint8_t *found;
    while ((found = memmem(text + at, bytes - at, mark, length)) != NULL) {
        size_t place = (size_t)(found - text);
        bool begins = place > at && place > start;
        if (begins && !walk(w, step + 1, text + start, place - start, first && start == 0, err))
            return false;
        if (begins) start = place;
        at = place + length;
    }
    return walk(w, step + 1, text + start, bytes - start, first && start == 0, err);
}

// ---- steps that change the text ----

static bool walk_metaspace(const Walk *w, int step, const uint8_t *text, size_t bytes, bool first,
                           Error *err)
{
    const SplitStep *how = &w->splitter->steps[step];
    const char *mark = how->literal;
    size_t length = strlen(mark), used = 0;
    uint8_t *out = malloc((bytes + 1) * length);
    REQUIRE(out != NULL, "no memory for a text of %zu bytes", bytes);
    bool marked = text[0] == ' ' || (bytes >= length && memcmp(text, mark, length) == 0);
    if (!marked && (how->prefix == SPLIT_ALWAYS || (how->prefix == SPLIT_FIRST && first))) {
        // NOLINTNEXTLINE(bugprone-not-null-terminated-result): the text has a length
        memcpy(out, mark, length);
        used = length;
    }
    for (size_t i = 0; i < bytes; i++) {
        // NOLINTNEXTLINE(bugprone-not-null-terminated-result)
        if (text[i] == ' ') memcpy(out + used, mark, length);
        else out[used] = text[i];
        used += text[i] == ' ' ? length : 1;
    }
    bool good = true;
    for (size_t at = 0, next; good && at < used; at = next) {
        const uint8_t *found = how->whole || used - at <= length
                                   ? NULL
                                   : memmem(out + at + 1, used - at - 1, mark, length);
        next = found != NULL ? (size_t)(found - out) : used;
        good = walk(w, step + 1, out + at, next - at, first && at == 0, err);
    }
    free(out);
    return good;
}

static bool walk_prefix_space(const Walk *w, int step, const uint8_t *text, size_t bytes,
                              bool first, Error *err)
{
    if (text[0] == ' ') return walk(w, step + 1, text, bytes, first, err);
    uint8_t *out = malloc(bytes + 1);
    REQUIRE(out != NULL, "no memory for a text of %zu bytes", bytes);
    out[0] = ' ';
    memcpy(out + 1, text, bytes);
    bool good = walk(w, step + 1, out, bytes + 1, first, err);
    free(out);
    return good;
}

static bool walk_byte_alphabet(const Walk *w, int step, const uint8_t *text, size_t bytes,
                               bool first, Error *err)
{
    Bytes written = {0};
    byte_alphabet_write(&written, (const char *)text, bytes);
    bool good = walk(w, step + 1, written.data, written.count, first, err);
    free(written.data);
    return good;
}

static bool end_walk(const Walk *w, const uint8_t *piece, size_t bytes, Error *err)
{
    if (!w->splitter->in_byte_alphabet) return w->on_piece(w->context, piece, bytes, err);
    Bytes read = {0};
    REQUIRE(byte_alphabet_read(&read, (const char *)piece, bytes),
            "a piece is not in the byte alphabet");
    bool good = w->on_piece(w->context, read.data, read.count, err);
    free(read.data);
    return good;
}

// Recursion as deep as there are steps.
static bool walk(const Walk *w, int step, const uint8_t *text, size_t bytes, bool first, Error *err)
{
    if (step == w->splitter->count) return end_walk(w, text, bytes, err);
    const SplitStep *how = &w->splitter->steps[step];
    if (how->kind == SPLIT_METASPACE) return walk_metaspace(w, step, text, bytes, first, err);
    if (how->kind == SPLIT_RUNS) return walk_runs(w, step, text, bytes, first, err);
    if (how->kind == SPLIT_PREFIX_SPACE) return walk_prefix_space(w, step, text, bytes, first, err);
    if (how->kind == SPLIT_BYTE_ALPHABET)
        return walk_byte_alphabet(w, step, text, bytes, first, err);
    if (how->kind == SPLIT_PATTERN) {
        for (size_t at = 0, next; at < bytes; at = next) {
            next = pattern_next(how->pattern, text, at, bytes);
            if (!walk(w, step + 1, text + at, next - at, first && at == 0, err)) return false;
        }
        return true;
    }
    Spans spans = {0};
    bool good = true;
    if (how->kind == SPLIT_REGEX) good = find_regex(&spans, how->regex, text, bytes, err);
    else if (how->kind == SPLIT_LITERAL) find_literal(&spans, how->literal, text, bytes);
    else find_class(&spans, how->classes, text, bytes);
    good = good && walk_spans(w, step, text, &spans, first, err);
    free(spans.items);
    return good;
}

bool splitter_run(const Splitter *splitter, const uint8_t *text, size_t bytes, bool first,
                  OnPiece *on_piece, void *context, Error *err)
{
    return bytes == 0 || walk(&(Walk){splitter, on_piece, context}, 0, text, bytes, first, err);
}
