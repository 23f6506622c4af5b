/* mine.h -- where a learner's work lies: mine/, or the folder that LAB_MINE names.
 *
 *     mine/autoencoder/autoencoder.c      what the learner writes
 *     mine/autoencoder/backup/            what `lab reset` put aside, with the time in the name
 *     mine/progress                       progress.h
 *
 *     Source mine;
 *     if (!mine_read(arena, lab, &mine, &err)) return error_report(&err);
 *     // there is no mine/autoencoder/autoencoder.c yet: ./lab start autoencoder writes it
 */
#pragma once
#include "labs/driver/source.h"

const char *mine_dir(void);                             // absolute
const char *mine_path(Arena *arena, const Lab *lab);    // .../autoencoder/autoencoder.c
const char *mine_shown(Arena *arena,
                       const char *path);    // for messages: from the root where it can
bool mine_exists(Arena *arena, const Lab *lab);
bool mine_read(Arena *arena, const Lab *lab, Source *mine, Error *err);

// Takes every `--mine` before a `--` out of a command's arguments; whether there was one.
bool mine_asked(int *argc, char **argv);
