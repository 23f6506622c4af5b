#include "datasets/download.h"

// In place of download.c where libcurl was not found at build time.
bool download_set(const CatalogueSet *set, const DownloadOptions *options, Error *err)
{
    (void)options;
    return error_set(err,
                     "%s: cannot be fetched, because this was built without libcurl; install "
                     "libcurl4-openssl-dev and build again",
                     set->name);
}
