/* slate.h -- what a trial's process tells the grader: a page of memory that both see.
 *
 *     Slate *slate = slate_new();            // the grader, before it forks
 *     slate_shut(slate);                     // the child: now nobody can write or close it
 *     slate_end(slate, VERDICT_PASS, 0, "");     // the child, once; does not return
 *     slate->verdict                         // the grader, when the child has ended
 *
 * A file descriptor could be closed, scribbled over or written to by an answer. A closed page stops
 * it, and only the process that the grader started may open it: a copy made by fork() may not.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "labs/grader/verdict.h"

typedef enum SlatePhase {
    PHASE_LOADING,    // the answer's constructors may run
    PHASE_RUNNING,    // the case
    PHASE_LEAKS,      // the case has passed; is memory lost?
    PHASE_OVER,
} SlatePhase;

typedef struct Slate {
    pid_t owner;
    SlatePhase phase;
    Verdict verdict;       // VERDICT_COUNT until one is known
    int line;              // in the answer's file; 0 when not known
    bool quotes;           // the last line on its standard error says why
    char message[4096];    // one sentence, or near.h's report
    char detail[8192];     // the sanitizer's own words
} Slate;

Slate *slate_new(void);    // NULL when the system has no memory
void slate_free(Slate *slate);

void slate_shut(Slate *slate);
bool slate_open(Slate *slate);    // false in a process that is not the owner

// Opens, notes the phase, shuts.
void slate_phase(Slate *slate, SlatePhase phase);

// Notes how it ended and ends the process at once: no exit handler of the answer is run.
_Noreturn void slate_end(Slate *slate, Verdict verdict, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
