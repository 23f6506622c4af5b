#include "labs/grader/verdict.h"
#include <string.h>

static const char *const names[] = {
#define X(name, word, words) [VERDICT_##name] = word,
    VERDICT_LIST(X)
#undef X
};

static const char *const words_of[] = {
#define X(name, word, words) [VERDICT_##name] = words,
    VERDICT_LIST(X)
#undef X
};

const char *verdict_name(Verdict verdict)
{
    return names[verdict];
}

const char *verdict_words(Verdict verdict)
{
    return words_of[verdict];
}

Verdict verdict_from_name(const char *name)
{
    Verdict verdict = 0;
    while (verdict < VERDICT_COUNT && strcmp(names[verdict], name) != 0) verdict++;
    return verdict;
}
