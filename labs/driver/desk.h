/* desk.h -- what lies before a learner's command: the course, the progress, and the page to write on.
 *
 *     const char *word = desk_word(&argc, argv);             // LAB[.EX] out of the arguments, or NULL
 *     Options *options = desk_options(arena, argv, "lab hint [LAB[.EX]]", "One hint more.");
 *     if (!options_parse(options, argc, argv, &status)) return status;
 *     Desk desk;
 *     if (!desk_open(&desk, arena, &err)) return error_report(&err);
 *     desk_next(&desk, "check", lab, exercise);              // next  ./lab check autoencoder.loss
 */
#pragma once
#include "labs/driver/choose.h"
#include "common/page.h"
#include "common/options.h"

typedef struct Desk {
    Arena *arena;
    Course course;
    Progress progress;
    Page page;
} Desk;

bool desk_open(Desk *desk, Arena *arena, Error *err);

// The first argument that is no option, taken out of argv.
const char *desk_word(int *argc, char **argv);

// As options_new(); the usage line of --help says `usage` and not only the command's name.
Options *desk_options(Arena *arena, char **argv, const char *usage, const char *summary);

// How far a lab is.
typedef struct Standing {
    int done, wrong;    // exercises
    int points, of_points;
} Standing;

Standing desk_standing(const Desk *desk, const Lab *lab);
const char *desk_standing_text(const Desk *desk,
                               const Lab *lab);    // "4 of 10 exercises done, ..."

// "autoencoder.loss", or "autoencoder" when exercise is -1.
const char *desk_name(const Desk *desk, const Lab *lab, int exercise);
void desk_next(const Desk *desk, const char *command, const Lab *lab, int exercise);
// What to type in this lab: start, check of what is not done, or run when all is.
void desk_next_in(const Desk *desk, const Lab *lab);
