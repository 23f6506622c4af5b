#include "labs/driver/changes.h"
#include <sys/stat.h>
#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

Changes changes_new(const char *path)
{
    return (Changes){.path = path, .since = -1};
}

// Whether the file has changed since the last call.
static bool differs(Changes *changes)
{
    struct stat entry = {0};
    Changes seen = *changes;
    seen.there = stat(changes->path, &entry) == 0;
    seen.device = entry.st_dev;
    seen.inode = entry.st_ino;
    seen.size = entry.st_size;
    seen.written = (double)entry.st_mtim.tv_sec + 1e-9 * (double)entry.st_mtim.tv_nsec;
    bool same = changes->since >= 0 && seen.there == changes->there &&
                seen.device == changes->device && seen.inode == changes->inode &&
                seen.size == changes->size && seen.written >= changes->written &&
                seen.written <= changes->written;
    *changes = seen;
    return !same;
}

ChangesNews changes_poll(Changes *changes, double now)
{
    if (differs(changes)) {
        changes->since = now;
        changes->reported = false;
    }
    double still = now - changes->since;
    if (changes->reported || still < (changes->there ? CHANGES_STILL : CHANGES_GONE_AFTER))
        return CHANGES_NONE;
    changes->reported = true;
    return changes->there ? CHANGES_SAVED : CHANGES_GONE;
}
