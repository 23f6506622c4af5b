/* course.h -- the whole course: the stages of labs/roadmap.json and the labs found in their folders.
 *
 *     Course course;
 *     if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
 *     for (int i = 0; i < course.lab_count; i++) puts(course.labs[i].id);
 *
 * Labs are ordered by stage, then by their place in it. There is no list: a folder with a
 * lab.json is a lab. LAB_PATH names further folders with the layout of labs/, separated by
 * colons; their roadmap.json is optional and adds stages. A damaged lab does not block the
 * others: it is kept separately, with the message that says what is wrong.
 */
#pragma once
#include "labs/driver/labfile.h"

typedef struct Stage {
    const char *id;    // its folder in labs/
    const char *title;
    const char *about;
} Stage;

typedef struct DamagedLab {
    const char *id;    // its folder's name
    const char
        *message;    // "labs/1_foundations/som/lab.json: "title" is missing, expected a text"
} DamagedLab;

typedef struct Course {
    Stage *stages;
    int stage_count;
    Lab *labs;
    int lab_count;
    DamagedLab *damaged;
    int damaged_count;
} Course;

// False if a roadmap.json or a folder of LAB_PATH cannot be read.
bool course_load(Arena *arena, const char *root, Course *course, Error *err);

// Prints on standard error what is wrong with each damaged lab. Returns how many there are.
int course_report_damaged(const Course *course);
