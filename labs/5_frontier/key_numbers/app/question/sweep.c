#include "labs/5_frontier/key_numbers/app/question/sweep.h"
#include <math.h>
#include <string.h>

static bool add(Arena *arena, Sweep *sweep, const char *text, size_t length, Error *err)
{
    if (sweep->count == SWEEP_MOST)
        return error_set(err, "--sweep: more than %d values of %s", SWEEP_MOST, sweep->field->name);
    sweep->values[sweep->count++] = arena_print(arena, "%.*s", (int)length, text);
    return true;
}

// From the one to the other by doubling; the end belongs to it.
static bool add_range(Arena *arena, Sweep *sweep, const char *from, const char *to, Error *err)
{
    const QuestionField *field = sweep->field;
    double low, high;
    if (field->kind == QUESTION_TEXT || field->kind == QUESTION_FLAG)
        return error_set(err, "--sweep: %s holds no number; name its values with commas",
                         field->name);
    if (!question_number(field, from, &low, err) || !question_number(field, to, &high, err))
        return false;
    if (!(low > 0 && low <= high))
        return error_set(err,
                         "--sweep: %s..%s: expected a number above 0 and one that is not below it",
                         from, to);
    for (int step = 0; ldexp(low, step) < high; step++) {
        const char *text = arena_print(arena, "%.15g", ldexp(low, step));
        if (!add(arena, sweep, text, strlen(text), err)) return false;
    }
    const char *last = arena_print(arena, "%.15g", high);
    return add(arena, sweep, last, strlen(last), err);
}

bool sweep_read(Arena *arena, const char *text, Sweep *sweep, Error *err)
{
    *sweep = (Sweep){0};
    const char *equals = strchr(text, '=');
    size_t length = strcspn(text, "=");
    sweep->field = question_field(arena_print(arena, "%.*s", (int)length, text));
    if (equals == NULL || sweep->field == NULL || equals[1] == '\0')
        return error_set(
            err,
            "--sweep: '%s': expected SETTING=FROM..TO or SETTING=A,B,C; --list settings names them",
            text);
    const char *dots = strstr(equals, "..");
    if (dots != NULL)
        return add_range(arena, sweep,
                         arena_print(arena, "%.*s", (int)(dots - equals - 1), equals + 1), dots + 2,
                         err);
    for (const char *at = equals + 1; *at != '\0';) {
        size_t bytes = strcspn(at, ",");
        if (!add(arena, sweep, at, bytes, err)) return false;
        at += bytes + (at[bytes] == ',');
    }
    return true;
}
