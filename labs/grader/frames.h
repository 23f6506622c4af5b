/* frames.h -- the call stack, as seen from the submission's own source file.
 *
 *     Frames frames;
 *     frames_find(&frames, "cnn.c", pc, true);
 *     frames.line       // 14, of the innermost call in cnn.c; 0 when there is none
 *     frames.callee     // "kernels.matmul" when it was called there and has not returned, else ""
 *
 * A header's function counts as called, whether the compiler has inlined it or not. Line numbers come
 * from the sanitizer's runtime; a program without it has none. Nothing is allocated, so this is safe
 * in a signal handler.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Frames {
    int line;
    bool inside;     // code of the submission was running, a header's included, not of a library
    bool outside;    // none of the submission's code was running or waiting
    int again;       // the line where that function called itself; 0 when it did not
    int repeats;     // how often the innermost function of the submission is on the stack
    char callee[64];
    char text[2048];    // one call a line, innermost first
} Frames;

// `pc` is where it happened, NULL for here; deeper calls (a signal handler's) are left out. `exact`:
// pc is the instruction itself, as a signal reports it, and not a return address.
void frames_find(Frames *frames, const char *source, const void *pc, bool exact);

void frames_submission(const char *path);    // sets the submission's library; call it first

// The line of the first of these calls that is in the source; 0 when only the library is known, -1
// when none is in the submission.
int frames_line(void *const *pcs, size_t count, const char *source);

// Whether a file, as debug information calls it, is the source: by the last part of its name.
bool frames_is_source(const char *file, const char *source);
