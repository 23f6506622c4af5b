/* course.h -- the whole road: the stages of labs/roadmap.json and the labs found in their folders.
 *
 *     Course course;
 *     if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
 *     for (int i = 0; i < course.lab_count; i++) puts(course.labs[i].id);
 *
 * Labs are ordered by stage, then by their place in it. Nothing lists them: a folder with a
 * lab.json is a lab. LAB_PATH names further folders that are laid out as labs/ is, separated by
 * colons; their roadmap.json is optional and adds stages.
 */
#pragma once
#include "labs/driver/labfile.h"

typedef struct Stage {
    const char *id;    // its folder in labs/
    const char *title;
    const char *about;
} Stage;

typedef struct Course {
    Stage *stages;
    int    stage_count;
    Lab   *labs;
    int    lab_count;
} Course;

bool course_load(Arena *arena, const char *root, Course *course, Error *err);

// Only the folders' last two names, "2_core/autoencoder" and so on, in the order of their names; no file is read,
// so that a damaged lab.json keeps nobody from another lab. Returns their number.
int course_folders(Arena *arena, const char *root, const char ***folders);
