/* file.h -- files that appear whole or not at all, and the folders they go into.
 *
 *     NewFile file;
 *     if (!file_begin(&file, "out/model.safetensors", err)) return false;
 *     fwrite(bytes, 1, size, file.stream);
 *     return file_commit(&file, err);    // false: an earlier file of that name is untouched
 *
 * What is written goes to a temporary file in the same folder, and file_commit() renames it: a
 * reader sees the old file or the new one, never a half. What a killed process left is swept when
 * the same file is written again. Write errors on the way are remembered by
 * the stream and reported by file_commit(). The caller owns the struct; after a true file_begin()
 * it ends in file_commit() or file_abandon(). A link stays a link, to the new file; a device or a pipe
 * is written as it is.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct NewFile {
    FILE *stream;
    char path[PATH_MAX];
    char temporary[PATH_MAX];    // "" where the path itself is written
} NewFile;

bool file_begin(NewFile *file, const char *path, Error *err);
bool file_commit(NewFile *file, Error *err);    // flush, close, rename; removes it upon failure
void file_abandon(NewFile *file);               // removes the temporary file

bool file_write(const char *path, const char *text, Error *err);    // all three, for a text

// A file to be read; the caller closes it. A folder, a pipe or a device is refused, here and below: it has
// no bytes, or no end, or keeps its reader waiting.
FILE *file_open(const char *path, Error *err);

// A whole file, mapped to be read.
// An empty file has a NULL mapping.
typedef struct FileView {
    void *bytes;
    size_t size;
} FileView;

bool file_map(FileView *view, const char *path, Error *err);
void file_unmap(FileView view);

// An absolute path as it can be typed where the user stands: relative if it lies in the current
// folder, else unchanged.
const char *file_shown(Arena *arena, const char *path);

// Makes the folder and those above it; one that exists is fine.
bool file_make_folder(const char *path, Error *err);
