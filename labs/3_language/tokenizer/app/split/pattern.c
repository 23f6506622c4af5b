#include "labs/3_language/tokenizer/app/split/pattern.h"
#include <string.h>
#include "labs/3_language/tokenizer/app/text/code_point.h"

#define GPT2_REST  "| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define CONTRACTED "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
#define LATER(digits)                                                                              \
    CONTRACTED "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits                                             \
               "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const Pattern patterns[] = {
    {"gpt2", "'s|'t|'re|'ve|'m|'ll|'d" GPT2_REST, .gpt2 = true},
    {"gpt2", "'(?:[sdmt]|ll|ve|re)" GPT2_REST, .gpt2 = true},
    {"llama3", LATER("\\p{N}{1,3}"), .digits = 3},
    {"qwen2", LATER("\\p{N}"), .digits = 1},
    {"qwen3.5",
     CONTRACTED "[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
                "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     .digits = 1, .marks = true},
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

const Pattern *pattern_find(const char *expression)
{
    for (int i = 0; i < PATTERNS; i++)
        if (strcmp(patterns[i].expression, expression) == 0) return &patterns[i];
    return NULL;
}

const Pattern *pattern_named(const char *name)
{
    for (int i = 0; i < PATTERNS; i++)
        if (strcmp(patterns[i].name, name) == 0) return &patterns[i];
    return NULL;
}

typedef struct Cursor {
    const uint8_t *text, *classes;
    size_t end;
} Cursor;

static inline unsigned classes_at(const Cursor *c, size_t at, size_t *bytes)
{
    return c->classes[code_point_at(c->text + at, c->end - at, bytes)];
}

// The end of the run from `at` on of characters that have one of the classes, or (without) have none of them.
static inline size_t run(const Cursor *c, size_t at, unsigned classes, bool with)
{
    size_t bytes;
    while (at < c->end && ((classes_at(c, at, &bytes) & classes) != 0) == with) at += bytes;
    return at;
}

static size_t digits(const Cursor *c, size_t at, int most)
{
    size_t bytes;
    for (int n = 0; n < most && at < c->end && classes_at(c, at, &bytes) & CODE_NUMBER; n++)
        at += bytes;
    return at;
}

// 's 't 're 've 'm 'll 'd after an apostrophe at `at`; 0 if there is none. Where case is ignored the
// long s (U+017F) is an s as well.
static size_t contraction(const Cursor *c, size_t at, bool ignore_case)
{
    size_t left = c->end - at;
    if (left < 2) return 0;
    const uint8_t *t = c->text + at;
    uint8_t bit = ignore_case ? 0x20 : 0, a = t[1] | bit, b = left > 2 ? t[2] | bit : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
    if (ignore_case && left > 2 && t[1] == 0xc5 && t[2] == 0xbf) return at + 3;
    return 0;
}

// \s+(?!\S)|\s+: all of the run at the text's end or if it is one character, else all but its last.
// With newlines, \s*[\r\n]+ comes before: up to the last newline of the run.
static size_t spaces(const Cursor *c, size_t at, bool newlines)
{
    size_t next = at, last = at, newline = 0, bytes;
    while (next < c->end && classes_at(c, next, &bytes) & CODE_SPACE) {
        last = next;
        next += bytes;
        if (c->text[last] == '\r' || c->text[last] == '\n') newline = next;
    }
    if (newlines && newline > 0) return newline;
    return next == c->end || last == at ? next : last;
}

size_t pattern_next(const Pattern *p, const uint8_t *text, size_t at, size_t end)
{
    Cursor cursor = {text, code_point_classes(), end}, *c = &cursor;
    const unsigned word = CODE_LETTER | (p->marks ? CODE_MARK : 0);
    const unsigned no_sign = CODE_SPACE | CODE_NUMBER | word;
    size_t bytes, next = 0;
    unsigned here = classes_at(c, at, &bytes);
    if (here & word) {
        // A mark may itself be the one character before a word, which changes nothing.
        return run(c, at + bytes, word, true);
    }
    if (text[at] == '\'' && (next = contraction(c, at, !p->gpt2)) > 0) return next;
    if (here & CODE_NUMBER)
        return p->gpt2 ? run(c, at, CODE_NUMBER, true) : digits(c, at, p->digits);

    size_t after = at + bytes, after_bytes;
    unsigned there = after < end ? classes_at(c, after, &after_bytes) : CODE_SPACE;
    bool space = text[at] == ' ', newline = text[at] == '\r' || text[at] == '\n';
    if (there & word && (space || (!p->gpt2 && !newline))) return run(c, after, word, true);
    if (p->gpt2 && space && there & CODE_NUMBER) return run(c, after, CODE_NUMBER, true);
    if (!(here & CODE_SPACE) || (space && !(there & no_sign))) {
        next = run(c, space ? after : at, no_sign, false);
        if (!p->gpt2)
            while (next < end && (text[next] == '\r' || text[next] == '\n')) next++;
        return next;
    }
    return spaces(c, at, !p->gpt2);
}
