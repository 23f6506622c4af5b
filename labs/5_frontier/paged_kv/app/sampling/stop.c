#include "labs/5_frontier/paged_kv/app/sampling/stop.h"
#include <stdlib.h>
#include <string.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"

// One string, and how much of its beginning the text ends with: Knuth, Morris & Pratt 1977.
typedef struct Watched {
    char *string;
    size_t bytes;
    size_t *
        border;    // [bytes + 1]: of the first i bytes, the longest end that is a beginning, below i
    size_t matched;
} Watched;

struct Stop {
    int count, found;
    bool include;
    Watched *watched;
    Bytes text;      // handed out by the latest call, then held back
    size_t given;    // of these
};

// False: no memory.
static bool watch(Watched *w, const char *string)
{
    *w = (Watched){.string = strdup(string), .bytes = strlen(string)};
    REQUIRE(w->bytes > 0, "an empty stop string");
    w->border = calloc(w->bytes + 1, sizeof *w->border);
    if (w->string == NULL || w->border == NULL) return false;
    for (size_t i = 1, k = 0; i < w->bytes; i++) {
        while (k > 0 && string[i] != string[k]) k = w->border[k];
        if (string[i] == string[k]) k++;
        w->border[i + 1] = k;
    }
    return true;
}

Stop *stop_new(const char *const *strings, int count, bool include, size_t chunk)
{
    Stop *s = calloc(1, sizeof *s + (size_t)count * sizeof *s->watched);
    if (s == NULL) return NULL;
    *s = (Stop){.count = count, .found = -1, .include = include, .watched = (Watched *)(s + 1)};
    bool good = true;
    size_t longest = 0;
    for (int i = 0; i < count && good; i++) {
        good = watch(&s->watched[i], strings[i]);
        if (s->watched[i].bytes > longest) longest = s->watched[i].bytes;
    }
    s->text = (Bytes){.data = malloc(longest + chunk + 1), .room = longest + chunk + 1};
    if (good && s->text.data != NULL) return s;
    stop_close(s);
    return NULL;
}

void stop_close(Stop *s)
{
    if (s == NULL) return;
    for (int i = 0; i < s->count; i++) {
        free(s->watched[i].string);
        free(s->watched[i].border);
    }
    free(s->text.data);
    free(s);
}

// Whether the byte completes the string.
static bool follow(Watched *w, char byte)
{
    size_t k = w->matched;
    while (k > 0 && (k == w->bytes || w->string[k] != byte)) k = w->border[k];
    if (w->string[k] == byte) k++;
    w->matched = k;
    return k == w->bytes;
}

static void follow_all(Stop *s, char byte)
{
    for (int k = 0; k < s->count; k++)
        if (follow(&s->watched[k], byte) &&
            (s->found < 0 || s->watched[k].bytes > s->watched[s->found].bytes))
            s->found = k;
}

// In place of what was handed out comes the text, up to a stop string.
static void take(Stop *s, const char *text, size_t bytes)
{
    s->text.count -= s->given;
    if (s->text.count > 0) memmove(s->text.data, s->text.data + s->given, s->text.count);
    for (size_t i = 0; i < bytes && s->found < 0; i++) {
        bytes_add(&s->text, text + i, 1);
        follow_all(s, text[i]);
        if (s->found >= 0 && !s->include) s->text.count -= s->watched[s->found].bytes;
    }
}

static const char *hand_out(Stop *s, size_t held, size_t *shown)
{
    *shown = s->given = s->text.count - held;
    return (const char *)s->text.data;
}

const char *stop_step(Stop *s, const char *text, size_t bytes, size_t *shown)
{
    size_t held = 0;
    take(s, text, bytes);
    for (int k = 0; k < s->count && s->found < 0; k++)
        if (s->watched[k].matched > held) held = s->watched[k].matched;
    return hand_out(s, held, shown);
}

const char *stop_end(Stop *s, const char *text, size_t bytes, size_t *shown)
{
    take(s, text, bytes);
    return hand_out(s, 0, shown);
}

int stop_found(const Stop *s)
{
    return s->found;
}
