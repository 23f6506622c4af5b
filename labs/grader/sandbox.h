/* sandbox.h -- what a process that runs a submission may not do, from sandbox_enter() on.
 *
 *     sandbox_enter(5);    // five seconds of processor time; MEMORY_LIMIT more than it has now
 *
 * It can write no file, leave no core, and take no more memory, stack or time than it is given. On
 * Linux it can start no process, open no file for writing and no socket, make nothing executable,
 * and reach no other process.
 *
 * It keeps accidents from doing harm, and a submission from passing by one. It is no prison: the submission
 * shares its process with the cases, and code that means to can find in that memory what it should
 * compute, where a case keeps its calls, or the result, and write a pass by itself; it can load
 * another library, or spend the time of others. That takes more than the exercise does, and
 * whoever wants it could as well copy the reference. Nothing here is for grading strangers: that
 * needs a machine of its own, and values that are compared outside of the process.
 */
#pragma once

enum { MEMORY_LIMIT_MB = 2048, STACK_LIMIT_MB = 8 };

void sandbox_enter(double seconds);
void sandbox_raise_memory_limit(void);    // a little more memory, to say that there was none

// What SIGSYS stopped, by its si_errno, in words: "started another process".
const char *sandbox_violation(int why);
