/* shared_result.h -- a test process's result, in memory that it shares with the grader.
 *
 *     SharedResult *result = shared_result_new();        // the grader, before it forks
 *     shared_result_lock(result);                        // the child: no more access
 *     shared_result_end(result, VERDICT_PASS, 0, "");    // the child, once; does not return
 *     result->verdict                                    // the grader, when the child has ended
 *
 * A submission could close or write to a file descriptor. Memory that is mapped PROT_NONE stops it,
 * and only the process that the grader started can unlock it: a copy made by fork() cannot.
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
    bool quotes;           // append the last line of its standard error to the message
    char message[4096];    // one sentence, or near.h's report
    char detail[8192];     // the sanitizer's own report
} SharedResult;

SharedResult *shared_result_new(void);    // NULL when the system has no memory
void shared_result_free(SharedResult *result);

void shared_result_lock(SharedResult *result);
bool shared_result_unlock(SharedResult *result);    // false in a process that is not the owner

// Unlocks, stores the phase, locks.
void shared_result_set_phase(SharedResult *result, TestPhase phase);

// Stores the result and ends the process at once: no exit handler of the submission is run.
_Noreturn void shared_result_end(SharedResult *result, Verdict verdict, int line,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));
