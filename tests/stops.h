/* stops.h -- shows that a call stops the program, and with which words.
 *
 *     stops_with("a is [2,3] and b is [4,5]", op_matmul(tape, a, b));
 *
 * The statement runs in a child process: it must end by a signal or with a status other than 0, and
 * must have written the text to stderr. The case goes on in the parent, where nothing has happened.
 * Do not start threads before it: a child has only the one that forked.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#define stops_with(text, ...)                                                                      \
    do {                                                                                           \
        Child child_;                                                                              \
        if (child_begin(&child_)) {                                                                \
            __VA_ARGS__;                                                                           \
            child_survived();                                                                      \
        }                                                                                          \
        child_assert_stopped(&child_, text, #__VA_ARGS__, __FILE__, __LINE__);                     \
    } while (0)

typedef struct Child {
    pid_t pid;
    int output;    // what it writes to stderr can be read here
} Child;

bool child_begin(Child *child);    // true in the child
_Noreturn void child_survived(void);
void child_assert_stopped(Child *child, const char *text, const char *statement, const char *file,
                          int line);
