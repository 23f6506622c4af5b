/* shared_result.h -- what a test process tells the grader: a page of memory that both see.
 *
 *     SharedResult *result = shared_result_new();            // the grader, before it forks
 *     shared_result_lock(result);                     // the child: now nobody can write or close it
 *     shared_result_end(result, VERDICT_PASS, 0, "");     // the child, once; does not return
 *     result->verdict                         // the grader, when the child has ended
 *
 * A file descriptor could be closed, scribbled over or written to by a submission. A closed page stops
 * it, and only the process that the grader started may open it: a copy made by fork() may not.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "labs/grader/verdict.h"

typedef enum TestPhase {
    PHASE_LOADING,    // the submission's constructors may run
    PHASE_RUNNING,    // the case
    PHASE_LEAKS,      // the case has passed; is memory lost?
    PHASE_OVER,
} TestPhase;

typedef struct SharedResult {
    pid_t owner;
    TestPhase phase;
    Verdict verdict;       // VERDICT_COUNT until one is known
    int line;              // in the submission's file; 0 when not known
    bool quotes;           // the last line on its standard error says why
    char message[4096];    // one sentence, or near.h's report
    char detail[8192];     // the sanitizer's own words
} SharedResult;

SharedResult *shared_result_new(void);    // NULL when the system has no memory
void shared_result_free(SharedResult *result);

void shared_result_lock(SharedResult *result);
bool shared_result_unlock(SharedResult *result);    // false in a process that is not the owner

// Opens, notes the phase, shuts.
void shared_result_set_phase(SharedResult *result, TestPhase phase);

// Notes how it ended and ends the process at once: no exit handler of the submission is run.
_Noreturn void shared_result_end(SharedResult *result, Verdict verdict, int line,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));
