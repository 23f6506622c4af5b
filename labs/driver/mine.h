/* mine.h -- the folder of a learner's work: mine/, or the one that LAB_MINE names.
 *
 *     mine/autoencoder/autoencoder.c      what the learner writes
 *     mine/autoencoder/backup/            saved by `lab reset`, with the time in the name
 *     mine/progress                       progress.h
 *
 *     Source mine;
 *     if (!mine_read(arena, lab, &mine, &err)) return error_report(&err);
 *     // mine/autoencoder/autoencoder.c does not exist yet: ./lab start autoencoder creates it
 */
#pragma once
#include "labs/driver/source.h"

const char *mine_dir(void);                             // absolute
const char *mine_path(Arena *arena, const Lab *lab);    // .../autoencoder/autoencoder.c
// For messages: relative to the root if inside, without what a terminal would obey.
char *mine_shown(Arena *arena, const char *path);
bool mine_exists(Arena *arena, const Lab *lab);
bool mine_read(Arena *arena, const Lab *lab, Source *mine, Error *err);

// Removes every `--mine` before a `--` from the arguments; returns whether there was one.
bool mine_asked(int *argc, char **argv);
