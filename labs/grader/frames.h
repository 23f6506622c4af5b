/* frames.h -- where a program stands: the calls that led here, seen from the submission's own file.
 *
 *     Frames frames;
 *     frames_find(&frames, "cnn.c", pc, true);
 *     frames.line       // 14, of the innermost call in cnn.c; 0 when there is none
 *     frames.callee     // "kernels.matmul" when it was called there and has not returned, else ""
 *
 * A function of a header is something that is called, whether the compiler has inlined it or not.
 * Lines come from the sanitizer's runtime; in a program without it there are none. Nothing is
 * allocated, so that it can be asked in a signal handler.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Frames {
    int line;
    bool inside;     // code of the submission was running, a header's included, not of a library
    bool outside;    // none of the submission's code was running or waiting
    int again;       // the line where that function was called by itself; 0 when it was not
    int repeats;     // how often the innermost function of the submission stands in the row
    char callee[64];
    char text[2048];    // one call a line, innermost first
} Frames;

// `pc` is where it happened; calls further in (a signal handler's) are left out. NULL: here. `exact`:
// it is the very instruction, as a signal knows it, and not where a call returns to.
void frames_find(Frames *frames, const char *source, const void *pc, bool exact);

void frames_submission(
    const char *path);    // the submission's library, told before anything is asked

// The line of the first of these calls that is in the source; 0 when only the library is known, -1
// when none is in the submission.
int frames_line(void *const *pcs, size_t count, const char *source);

// Whether a file, as debug information calls it, is the source: by the last part of its name.
bool frames_is_source(const char *file, const char *source);
