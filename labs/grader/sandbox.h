/* sandbox.h -- restricts the process that runs a submission: resource limits and a seccomp filter.
 *
 *     sandbox_enter(5);    // five seconds of CPU time, MEMORY_LIMIT_MB more than it has now
 *
 * From then on the process cannot write a file, dump core, or exceed its memory, stack and CPU time.
 * On Linux it cannot start a process, open a file for writing or a socket, map executable memory,
 * signal another process, or replace the crash handler: install that first.
 *
 * This stops accidents from doing harm, and keeps a submission from passing by accident. It is not a
 * security boundary: the submission shares its process with the cases, and hostile code can read the
 * expected values from that memory or write a passing result itself. That takes more work than the
 * exercise, and copying the reference is easier. To grade untrusted people, use a separate machine
 * and compare the values outside of the process.
 */
#pragma once

enum { MEMORY_LIMIT_MB = 2048, STACK_LIMIT_MB = 8 };

void sandbox_enter(double seconds);
void sandbox_raise_memory_limit(void);    // so that an out-of-memory report can be written

// What the system call behind a SIGSYS did, by its si_errno: "started another process".
const char *sandbox_violation(int why);
