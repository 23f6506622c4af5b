#include "labs/5_frontier/key_numbers/app/plan/part.h"
#include <string.h>

const char *const part_titles[PART_COUNT] = {
#define X(name, word, prefixes, title) title,
    PART_LIST(X)
#undef X
};

// Whether a list of words with bars between them holds the first `length` characters of `word`.
static bool holds(const char *words, const char *word, size_t length)
{
    for (const char *at = words; at != NULL; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && strncmp(at, word, length) == 0) return true;
    return false;
}

static PlanPart find(const char *const lists[PART_COUNT], const char *word, size_t length)
{
    int part = 0;
    while (part < PART_COUNT && !holds(lists[part], word, length)) part++;
    return (PlanPart)part;
}

PlanPart part_of(const char *path)
{
    static const char *const prefixes[PART_COUNT] = {
#define X(name, word, prefixes, title) prefixes,
        PART_LIST(X)
#undef X
    };
    return find(prefixes, path, strcspn(path, ".["));
}

unsigned parts_named(const char *names, Error *err)
{
    static const char *const words[PART_COUNT] = {
#define X(name, word, prefixes, title) word,
        PART_LIST(X)
#undef X
    };
    unsigned named = 0;
    for (const char *at = names; *at != '\0';) {
        size_t length = strcspn(at, ",");
        PlanPart part = find(words, at, length);
        if (part == PART_COUNT) {
            error_set(err,
                      "--show: '%.*s' is none of parameters, inference, training, compute, fit",
                      (int)length, at);
            return 0;
        }
        named |= 1u << part;
        at += length + (at[length] == ',');
    }
    if (named == 0)
        error_set(err, "--show: expected parameters, inference, training, compute or fit");
    return named;
}
