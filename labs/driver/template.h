/* template.h -- a new lab's folder, laid out from labs/driver/template/: a small lab that passes its gates.
 *
 *     NewLab lab = {.stage = "2_core", .name = "som"};
 *     if (!template_allows(arena, &course, &lab, &err)) return error_report(&err);
 *     if (!template_lay_out(arena, &course, &lab, &err)) return error_report(&err);
 *     puts(lab.folder);    // labs/2_core/som
 *
 * An author replaces it file by file. The folder appears whole, by renaming, or not at all.
 */
#pragma once
#include "labs/driver/course.h"

typedef struct NewLab {
    const char *stage, *name;
    const char *labs;    // a folder that is laid out as labs/ is; NULL: labs/ itself. Made absolute
    const char *folder;    // labs/STAGE/NAME: where it lies in the end
    bool outside;          // of labs/
} NewLab;

// Whether there is such a stage and no such lab yet, and the name can be a program's and a file's.
bool template_allows(Arena *arena, const Course *course, const NewLab *lab, Error *err);

bool template_lay_out(Arena *arena, const Course *course, NewLab *lab, Error *err);
