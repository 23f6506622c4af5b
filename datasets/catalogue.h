/* catalogue.h -- the data sets that labs can use: where they come from and how to know them.
 *
 *     Catalogue catalogue;
 *     if (!catalogue_load(keep, &catalogue, "datasets/catalogue.json", &err)) return false;
 *     const CatalogueSet *mnist = catalogue_find(&catalogue, "mnist");    // NULL: no such set
 *     CatalogueState state = catalogue_check(mnist, data_dir);            // by size; fast
 *     if (!catalogue_verify(mnist, data_dir, &err)) ...                   // by SHA-256
 *
 * A damaged catalogue is refused with the name of the field; what is loaded is safe to use as file
 * names and to show on a terminal. All of it lives in the arena.
 */
#pragma once
#include <limits.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct CatalogueFile {
    const char *name;      // on disk
    const char *remote;    // at the source; the same unless the catalogue says otherwise
    uint64_t bytes;
    const char *sha256;    // 64 lower-case hexadecimal digits
} CatalogueFile;

typedef struct CatalogueSet {
    const char *name, *title, *licence;
    const char *folder;    // of its files, below the data directory; "" for that itself
    int file_count, source_count, lab_count;
    CatalogueFile *files;
    const char **sources;    // addresses that end in '/', best first
    const char
        *package;         // of PyPI, which has the files in its wheel; NULL: the sources have them
    const char **labs;    // which labs read it
} CatalogueSet;

typedef struct Catalogue {
    int count;
    CatalogueSet *sets;
} Catalogue;

typedef enum CatalogueState {
    CATALOGUE_MISSING,
    CATALOGUE_DAMAGED,
    CATALOGUE_PRESENT
} CatalogueState;

bool catalogue_load(Arena *keep, Catalogue *catalogue, const char *path, Error *err);
bool catalogue_parse(Arena *keep, Catalogue *catalogue, const char *text, size_t size,
                     const char *name, Error *err);

const CatalogueSet *catalogue_find(const Catalogue *catalogue, const char *name);

uint64_t catalogue_bytes(const CatalogueSet *set);    // of all its files
bool catalogue_path(char path[PATH_MAX], const CatalogueSet *set, const CatalogueFile *file,
                    const char *data_dir, Error *err);

// By the files' sizes: missing when any is, damaged when any has another size.
CatalogueState catalogue_check(const CatalogueSet *set, const char *data_dir);
// Whether one file, or all of them, are there with the right size and SHA-256.
bool catalogue_verify_file(const char *path, const CatalogueFile *file, Error *err);
bool catalogue_verify(const CatalogueSet *set, const char *data_dir, Error *err);
