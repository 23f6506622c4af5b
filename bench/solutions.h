/* solutions.h -- the functions that a lab's benchmark times: the reference's, and a learner's own.
 *
 *     Solutions solutions = {.lab = "probability", .test_seconds = 30};
 *     solutions_options(options, &solutions);                          // --only, --mine, --left-out
 *     for (...) solutions_add(&solutions, "normal", "pr_normal");
 *     if (!solutions_open(keep, &solutions, try, &work, &err)) return error_report(&err);
 *     if (solutions_asked(&solutions, i)) time(solutions.all[i].reference, solutions.all[i].own);
 *
 * A learner's function is tried once before, in a process of its own and at the size that is timed:
 * what is wrong, crashes or does not end there costs its own line and no more.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "common/options.h"

enum { SOLUTIONS_MAX = 64 };

typedef void Solution(void);    // of an exercise, whatever its type
#define AS(function, solution) ((__typeof__(function) *)(solution))

typedef struct Solved {
    const char *exercise, *function;    // function: NULL where there is nothing to solve
    Solution *reference, *own;          // own: NULL where it is not timed,
    const char *why_not;                // and why; NULL: none was given
} Solved;

typedef struct Solutions {
    const char *lab;
    int test_seconds;
    Solved all[SOLUTIONS_MAX];
    int count;
    const char *only;        // an exercise; NULL: all of them
    const char *mine;        // a library; NULL: none was given
    const char *left_out;    // "kl=wrong,loss=not written yet"
} Solutions;

// Calls a function as it will be timed; false when what it computes is wrong.
typedef bool SolutionTest(const void *context, int index, Solution *own);

void solutions_options(Options *options, Solutions *solutions);
void solutions_add(Solutions *solutions, const char *exercise, const char *function);

// Loads both libraries and tries the learner's functions. Must come before this process has threads:
// a copy of it would have none, and wait for them.
bool solutions_open(Arena *keep, Solutions *solutions, SolutionTest *test, const void *context,
                    Error *err);
bool solutions_asked(const Solutions *solutions, int index);
