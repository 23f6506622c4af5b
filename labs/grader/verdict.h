/* verdict.h -- the possible results of a case, shared by the grader and `lab`.
 *
 *     verdict_name(VERDICT_TIMEOUT)      // "timeout", in JSON
 *     verdict_from_name("timeout")       // VERDICT_TIMEOUT; VERDICT_COUNT for an unknown name
 *     verdict_words(VERDICT_TIMEOUT)     // "timed out", for a reader
 *
 * Only `pass` is a pass. A case without a result has not passed.
 */
#pragma once
#include <stdbool.h>

// clang-format off
#define VERDICT_LIST(X)                                                                            \
    X(PASS,    "pass",    "passes")                                                                \
    X(WRONG,   "wrong",   "wrong")                 /* a comparison failed                       */ \
    X(TODO,    "todo",    "not written yet")       /* LAB_TODO was reached                      */ \
    X(COMPILE, "compile", "does not compile")                                                      \
    X(MISSING, "missing", "function is missing")   /* not in the file any more, or renamed      */ \
    X(CRASH,   "crash",   "crashed")               /* a signal, or a sanitizer stopped it       */ \
    X(TIMEOUT, "timeout", "timed out")                                                             \
    X(EXIT,    "exit",    "ended the program")     /* exit() before the case was over           */ \
    X(MEMORY,  "memory",  "used too much memory")                                                  \
    X(OUTPUT,  "output",  "printed too much")                                                      \
    X(LEAK,    "leak",    "leaks memory")          /* every comparison passed, and memory leaks */ \
    X(SKIPPED, "skipped", "not run")               /* an earlier case has decided, or took all the time */
// clang-format on

typedef enum Verdict {
#define X(name, word, words) VERDICT_##name,
    VERDICT_LIST(X)
#undef X
        VERDICT_COUNT
} Verdict;

const char *verdict_name(Verdict verdict);
const char *verdict_words(Verdict verdict);
Verdict verdict_from_name(const char *name);
// Whether the case ran to its end, and rejected what it saw.
static inline bool verdict_compared(Verdict verdict)
{
    return verdict == VERDICT_WRONG || verdict == VERDICT_LEAK;
}
