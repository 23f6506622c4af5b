/* changes.h -- detects that a file was saved, whatever the editor's way of saving.
 *
 *     Changes changes = changes_new("mine/autoencoder/autoencoder.c");
 *     for (;; wait_a_moment()) {
 *         if (changes_poll(&changes, process_clock()) == CHANGES_SAVED) check();    // also at first
 *     }
 *
 * Editors write in place, truncate and write in two steps, or rename a new file over the old one. A
 * save is reported once the file has not changed for CHANGES_STILL seconds, so that a half-written file
 * is not. A save of unchanged text is reported too: a reader may have read the text in between.
 *
 * It polls stat(), which every system has and which works with every editor; fifty times a second that
 * takes 0.1 % of a core. inotify would have to follow the folder through renames, and does not see
 * what another machine writes.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#define CHANGES_STILL      0.03
#define CHANGES_GONE_AFTER 0.5    // some editors remove a file before they write it again

typedef enum ChangesNews { CHANGES_NONE, CHANGES_SAVED, CHANGES_GONE } ChangesNews;

typedef struct Changes {
    const char *path;
    bool there, reported;    // as last seen; whether that state was reported
    dev_t device;
    ino_t inode;
    off_t size;
    double written;    // its modification time
    double since;      // when this state was first seen
} Changes;

Changes changes_new(const char *path);

// `now` in seconds, of a monotonic clock.
ChangesNews changes_poll(Changes *changes, double now);
