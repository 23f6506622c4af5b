/* fence.h -- what a process that runs an answer may not do, from fence_close() on.
 *
 *     fence_close(5);    // five seconds of processor time; MEMORY_LIMIT more than it has now
 *
 * It can write no file, leave no core, and take no more memory, stack or time than it is given. On
 * Linux it can start no process, open no file for writing and no socket, and signal nobody else. It
 * keeps mistakes from doing harm; it is no prison for an attacker.
 */
#pragma once

enum { MEMORY_LIMIT_MB = 2048, STACK_LIMIT_MB = 8 };

void fence_close(double seconds);
void fence_widen(void);    // a little more memory, to say that there was none

// What SIGSYS stopped, in words: "started another process".
const char *fence_refused(int call);
