/* guard.h -- what becomes of a learner's function that crashes, hangs or answers wrongly inside of the engine.
 *
 *     GUARDED("append", slot = kv_append(&pool, &table, &copy));
 *     if (slot != right) guard_wrong("append", "token %d: slot %d, expected %d", ...);    // does not return
 *     // Your append is wrong: token 17: slot 140, expected 133
 *     // next  ./lab check paged_kv.append
 */
#pragma once

// Crashes name the function from here on. Once in a process; after run_begin(), whose handler comes next.
void guard_install(void);

enum { GUARD_SECONDS = 4 };                // of CPU time, for one call
void guard_enter(const char *exercise);    // so long until
void guard_leave(void);

_Noreturn void guard_wrong(const char *exercise, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define GUARDED(exercise, call) (guard_enter(exercise), (call), guard_leave())
