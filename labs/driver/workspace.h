/* workspace.h -- what a learner's command works with: the course, the progress, and the console.
 *
 *     const char *word = workspace_word(&argc, argv);    // LAB[.EX] out of the arguments, or NULL
 *     Options *options = workspace_options(arena, argv, "lab hint [LAB[.EX]]", "The next hint.");
 *     if (!options_parse(options, argc, argv, &status)) return status;
 *     Workspace workspace;
 *     if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
 *     workspace_next(&workspace, "check", lab, exercise);    // next  ./lab check autoencoder.loss
 */
#pragma once
#include "labs/driver/choose.h"
#include "common/console.h"
#include "common/options.h"

typedef struct Workspace {
    Arena *arena;
    Course course;
    Progress progress;
    Console console;
} Workspace;

bool workspace_open(Workspace *workspace, Arena *arena, Error *err);

// The same for what grades: progress that cannot be read is empty, since a verdict does not need it.
bool workspace_open_to_grade(Workspace *workspace, Arena *arena, Error *err);

// The first argument that is not an option, removed from argv.
const char *workspace_word(int *argc, char **argv);

// As options_new(); the usage line of --help says `usage` and not only the command's name.
Options *workspace_options(Arena *arena, char **argv, const char *usage, const char *summary);

// How far a lab is.
typedef struct Standing {
    int done, wrong;    // exercises
    int points, of_points;
} Standing;

Standing workspace_standing(const Workspace *workspace, const Lab *lab);
const char *workspace_standing_text(const Workspace *workspace,
                                    const Lab *lab);    // "4 of 10 exercises done, ..."

// "autoencoder.loss", or "autoencoder" when exercise is -1.
const char *workspace_name(const Workspace *workspace, const Lab *lab, int exercise);
void workspace_next(const Workspace *workspace, const char *command, const Lab *lab, int exercise);
// What to type in this lab: start, check of what is not done, or run when all is.
void workspace_next_in(const Workspace *workspace, const Lab *lab);
