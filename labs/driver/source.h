/* source.h -- a lab's NAME.c as a list of exercises: the reference with its marks, or a learner's copy.
 *
 *     Source reference, mine;
 *     if (!source_read_reference(arena, lab, &reference, &err)) return error_report(&err);
 *     const char *skeleton = source_skeleton(arena, lab, &reference, 0);     // all blank
 *     const char *half     = source_skeleton(arena, lab, &reference, 3);     // 1..3 solved
 *     if (!source_read(arena, lab, path, &mine, &err)) ...                   // marks are not needed
 *     printf("loss is at line %d\n", mine.functions[3].first_line);
 *
 * In the reference an exercise's body stands between `// solution ID` and `// end ID`, inside the
 * function that lab.json names. A learner's copy needs no marks: a function is found by its name, and
 * a missing brace does not affect the functions below (ccode.h). Everything is allocated in the arena;
 * lines are counted from 1.
 */
#pragma once
#include "labs/driver/ccode.h"
#include "labs/driver/labfile.h"

typedef struct Function {         // of one exercise; all 0 and NULL when the file does not have it
    int first_line, last_line;    // from its return type to its closing brace
    const char *text;             // these lines, with the last newline
    CodeSpan span;                // where they are in the text, and in its code
} Function;

typedef struct Source {
    const char *path;
    const char *text;
    const char *code;       // what code_only() leaves of it
    Function *functions;    // as many as the lab has exercises, in their order
} Source;

// The reference, with its marks checked: each exercise has exactly one region, inside its function,
// in lab.json's order; none is nested, open or unknown. A message gives the line.
bool source_read_reference(Arena *arena, const Lab *lab, Source *reference, Error *err);

bool source_check_marks(const Lab *lab, const Source *reference, Error *err);

// A learner's copy, or any other submission. A byte order mark is left out. A missing function is not an error; a zero byte, a folder,
// or more than a quarter of a megabyte is.
bool source_read(Arena *arena, const Lab *lab, const char *path, Source *source, Error *err);

// The same for text in memory; `path` and `text` are borrowed.
void source_parse(Arena *arena, const Lab *lab, const char *path, const char *text, Source *source);

// The reference without marks, and with LAB_TODO(ID) in the place of the bodies of all exercises but
// the first `solved`. The include of common/todo.h follows the first include when one is needed.
const char *source_skeleton(Arena *arena, const Lab *lab, const Source *reference, int solved);

// The same with a choice for each exercise.
const char *source_solved(Arena *arena, const Lab *lab, const Source *reference,
                          const bool *solved);

// A copy of the source in which the exercise's function is `function`, the text of a whole one; NULL
// when the source has no such function. Ends of lines are those of the source.
const char *source_replace(Arena *arena, const Source *source, int exercise, const char *function);

// The same with a body that does what LAB_TODO(ID) does, and with as many lines as before, so that the
// compiler's line numbers stay true: what cannot be compiled is left out, and the rest is graded.
// The head stays as it is; source_drop() leaves only empty lines, for a head that is wrong itself.
const char *source_blank(Arena *arena, const Lab *lab, const Source *source, int exercise);
const char *source_drop(Arena *arena, const Source *source, int exercise);

// Whether the code of the one exercise names the function of the other, itself or in a function of the
// file that is no exercise.
bool source_calls(const Lab *lab, const Source *source, int caller, int callee);

// The exercise whose function holds the line; -1 for a line outside of all.
int source_exercise_at(const Lab *lab, const Source *source, int line);

// The lines that lie between an exercise's marks in the reference, without indent, blank lines and
// lines that hold no letter or digit; NULL ends them. They must not be shown before the exercise is solved.
const char **source_secrets(Arena *arena, const Lab *lab, const Source *reference, int exercise);

// What NAME.h says of an exercise's function: the comment right above its prototype, and the prototype.
// NULL when it has none.
const char *source_promise(Arena *arena, const Lab *lab, int exercise);
