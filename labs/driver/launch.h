/* launch.h -- starts a lab's program, on the reference or on what the learner wrote.
 *
 *     if (mine && !launch_on_mine(arena, lab, stdout)) return 1;
 *     return launch(arena, lab->id, "./lab run autoencoder", argv);    // comes back only when it failed
 */
#pragma once
#include <stdio.h>
#include "labs/driver/labfile.h"

// Makes the learner's library and puts it before the reference for the program that is to start. One
// line on `says` names the file, and on stdout another one what is not written yet. False, and said
// on stderr, when the lab cannot run on it.
bool launch_on_mine(Arena *arena, const Lab *lab, FILE *says);

// build/labs/PROGRAM takes this process over: its exit status, signals and terminal are its own.
// argv[0] is replaced; `command` is what the program calls itself when it says what to type.
int launch(Arena *arena, const char *program, const char *command, char **argv);
