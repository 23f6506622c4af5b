/* labfile.h -- reads and checks a lab's description, labs/STAGE/NAME/lab.json.
 *
 *     Lab lab;
 *     if (!lab_read(arena, root, "2_core/autoencoder", &lab, &err)) return error_report(&err);
 *     printf("%s: %d exercises\n", lab.title, lab.exercise_count);
 *
 * Everything is allocated in the arena. A message names the file, the field and the value found.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

enum { LAB_HINTS = 3 };    // idea, formula, almost code

typedef struct Exercise {
    const char *id;
    const char *function;    // in NAME.c, what the learner writes
    int points;
    double seconds;    // the time that its check may take
    const char *hints[LAB_HINTS];
    const char
        *run;    // the option that leads the lab's program to it, "--tied"; "": none is needed
} Exercise;

typedef struct Lab {
    const char *id;        // the folder's name, and the program's in build/labs/
    const char *folder;    // absolute; in labs/, or in a folder of LAB_PATH
    bool cuda;             // the exercises are in NAME.cu: CUDA kernels, which the emulator runs
    const char *stage;     // the folder above
    const char *title;
    const char *about;     // one sentence
    int place;             // in its stage; labs are shown in this order
    int minutes;           // that a learner takes
    const char **needs;    // ids of labs of earlier stages that come first
    int need_count;
    const char **data;    // real data sets that it can use instead of generated ones
    int data_count;
    const char **reading;    // where to read on
    int reading_count;
    bool fills;             // with --mine, what is not written yet is the reference's
    Exercise *exercises;    // in the order they are solved
    int exercise_count;
} Lab;

// "cu" or "c": of NAME.cu or NAME.c, the reference and what the learner writes.
static inline const char *lab_suffix(const Lab *lab)
{
    return lab->cuda ? "cu" : "c";
}

// `folder` is STAGE/NAME in labs/, or absolute: then `root` does not matter.
bool lab_read(Arena *arena, const char *root, const char *folder, Lab *lab, Error *err);
