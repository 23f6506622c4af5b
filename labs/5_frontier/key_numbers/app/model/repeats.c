#include "labs/5_frontier/key_numbers/app/model/repeats.h"
#include <string.h>

// An expert has two or three matrices, and some formats of each.
enum { REMEMBERED = 8, NAME_MOST = 256, VALUE_MOST = 512 };

static const char word[] = "experts.";

typedef struct Span {
    const char *at;
    size_t length;
} Span;

// "head experts." N "tail" and, of a member, what stands behind its colon.
typedef struct Entry {
    Span head, tail, value;
    const char *begin, *end;    // with its quotes, to behind its comma
    Span before, behind;    // all from the last entry's end to the number, and from there to `end`
} Entry;

static bool same(Span a, Span b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static const char *past_space(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') at++;
    return at;
}

// The quote that opens the text in which `at` stands, where that begins a member or an element. What lies
// before `from` has been moved; there the text begins, or an entry ended with its comma.
static const char *opening(const char *from, bool is_first, const char *at)
{
    const char *quote = at;
    while (quote > from && at - quote < NAME_MOST && *quote != '"' && *quote != '\n') quote--;
    if (*quote != '"') return NULL;
    const char *before = quote;
    while (before > from && strchr(" \n\r\t", before[-1]) != NULL) before--;
    if (before == from) return is_first ? NULL : quote;
    return before[-1] == ',' || before[-1] == '{' || before[-1] == '[' ? quote : NULL;
}

// An object without others, a list or texts that hold a brace or a backslash: its end, behind the brace.
static const char *past_object(const char *at)
{
    if (*at != '{') return NULL;
    size_t length = strcspn(at + 1, "{}[]\\");
    if (length > VALUE_MOST || at[1 + length] != '}') return NULL;
    return at + length + 2;
}

// False where it is no such entry, or the last of its list, whose comma stands before it.
static bool read_entry(Entry *entry, const char *from, bool is_first, const char *at)
{
    const char *number = at + strlen(word), *tail = number + strspn(number, "0123456789");
    const char *close = tail + strcspn(tail, "\"\\\n");
    entry->begin = opening(from, is_first, at);
    if (entry->begin == NULL || tail == number || *close != '"') return false;
    entry->head = (Span){entry->begin, (size_t)(number - entry->begin)};
    entry->tail = (Span){tail, (size_t)(close - tail)};
    entry->value = (Span){close, 0};
    const char *next = past_space(close + 1);
    if (*next == ':') {
        const char *value = past_space(next + 1), *end = past_object(value);
        if (end == NULL) return false;
        entry->value = (Span){value, (size_t)(end - value)};
        next = past_space(end);
    }
    entry->end = next + 1;
    entry->before = (Span){from, (size_t)(number - from)};
    entry->behind = (Span){tail, (size_t)(entry->end - tail)};
    return *next == ',';
}

// Behind an entry whose text is that of a known one but for the number; else NULL. Most are.
static const char *past_known(const Entry *known, const char *from, const char *end)
{
    for (int i = 0; i < REMEMBERED && known[i].begin != NULL; i++) {
        Span before = known[i].before, behind = known[i].behind;
        if ((size_t)(end - from) < before.length + behind.length ||
            memcmp(from, before.at, before.length) != 0)
            continue;
        const char *tail = from + before.length;
        while (*tail >= '0' && *tail <= '9') tail++;
        if (tail > from + before.length && (size_t)(end - tail) >= behind.length &&
            memcmp(tail, behind.at, behind.length) == 0)
            return tail + behind.length;
    }
    return NULL;
}

static bool is_known(const Entry *known, const Entry *entry)
{
    for (int i = 0; i < REMEMBERED; i++)
        if (known[i].begin != NULL && same(known[i].head, entry->head) &&
            same(known[i].tail, entry->tail) && same(known[i].value, entry->value))
            return true;
    return false;
}

static char *copy(char *to, const char *from, const char *end)
{
    memmove(to, from, (size_t)(end - from));
    return to + (end - from);
}

// What is remembered points into text that has been written, never over what is still to be read.
static Entry moved(const Entry *entry, ptrdiff_t by)
{
    Entry one = *entry;
    one.begin -= by, one.head.at -= by, one.tail.at -= by, one.value.at -= by;
    one.before.at -= by, one.behind.at -= by;
    return one;
}

static char *copy_line_ends(char *to, const char *from, const char *end)
{
    while ((from = memchr(from, '\n', (size_t)(end - from))) != NULL) *to++ = '\n', from++;
    return to;
}

size_t repeats_drop(char *text, size_t bytes)
{
    Entry known[REMEMBERED];
    memset(known, 0, sizeof known);
    const char *from = text, *at = text, *end = text + bytes, *past;
    char *to = text;
    int next = 0;
    while ((at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
        Entry entry;
        if (!read_entry(&entry, from, from == text, at)) {
            at += strlen(word);
            continue;
        }
        if (!is_known(known, &entry)) {
            to = copy(to, from, entry.end);
            known[next++ % REMEMBERED] = moved(&entry, entry.end - to);
        } else {
            to = copy(to, from, entry.begin);
            to = copy_line_ends(to, entry.begin, entry.end);
        }
        from = entry.end;
        while ((past = past_known(known, from, end)) != NULL) {
            to = copy_line_ends(to, from, past);
            from = past;
        }
        at = from;
    }
    to = copy(to, from, end);
    *to = '\0';
    return (size_t)(to - text);
}
