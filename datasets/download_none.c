#include "datasets/download.h"
#include "datasets/package.h"

// In place of download.c where libcurl was not found at build time.
bool download_set(const CatalogueSet *set, const DownloadOptions *options, Error *err)
{
    if (set->package != NULL && options->base == NULL) return package_fetch(set, options, err);
    return error_set(err,
                     "%s: cannot be fetched, because this was built without libcurl; install "
                     "libcurl4-openssl-dev and build again",
                     set->name);
}
