/* launch.h -- starts a lab's program, on the reference or on the learner's functions.
 *
 *     if (mine && !launch_on_mine(arena, lab, stdout)) return 1;
 *     return launch(arena, lab->id, "./lab run autoencoder", argv);    // returns only on failure
 */
#pragma once
#include <stdio.h>
#include "labs/driver/labfile.h"

// Builds the learner's library and puts it before the reference for the program that is to start. Prints
// the file's name on `notes`, and on stdout which exercises are not written yet. False, with a message
// on stderr, if the lab cannot run on it. Where the lab `fills`, the reference's functions take the place of
// what is not written yet, LAB_WRITTEN names the others, and all is printed on `notes`.
bool launch_on_mine(Arena *arena, const Lab *lab, FILE *notes);

// The folder of the runs' results, as it can be typed: what LAB_OUT says, else out/ in the checkout; of
// runs on the learner's functions, mine/ in it.
const char *launch_results(Arena *arena, bool mine);

// Replaces this process by build/labs/PROGRAM (exec). argv[0] is replaced too; `command` is the name
// that the program prints in commands to type.
int launch(Arena *arena, const char *program, const char *command, char **argv);

// The same for a program around the engine of the lab paged_kv ("chat"), with --mine among its options.
int launch_engine(const char *program, int argc, char **argv);
