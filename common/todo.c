#include "common/todo.h"
#include <stdio.h>
#include <stdlib.h>
#include <stddef.h>

void (*todo_hook)(const char *exercise) = NULL;

_Noreturn void todo_reached(const char *exercise, const char *file, int line)
{
    if (todo_hook != NULL) todo_hook(exercise);
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s is not written yet\n", file, line, exercise);
    const char *check = getenv("LAB_CHECK");
    if (check != NULL) fprintf(stderr, "next  %s.%s\n", check, exercise);
    exit(EXIT_FAILURE);
}
