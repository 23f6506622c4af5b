#include "labs/driver/changes.h"
#include <stdio.h>
#include <sys/stat.h>
#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

Changes changes_new(const char *path)
{
    return (Changes){.path = path, .since = -1};
}

// FNV-1a; 0 when it cannot be read.
static uint64_t hash_text(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325;
    FILE    *file = fopen(path, "rb");
    if (file == NULL) return 0;
    for (int byte; (byte = getc(file)) != EOF;) hash = (hash ^ (uint64_t)byte) * 0x100000001b3;
    bool read = !ferror(file);
    fclose(file);
    return read ? hash : 0;
}

// Whether it looks other than at the last look.
static bool differs(Changes *changes)
{
    struct stat entry = {0};
    Changes     seen  = *changes;
    seen.there        = stat(changes->path, &entry) == 0;
    seen.device       = entry.st_dev;
    seen.inode        = entry.st_ino;
    seen.size         = entry.st_size;
    seen.written      = (double)entry.st_mtim.tv_sec + 1e-9 * (double)entry.st_mtim.tv_nsec;
    bool same         = changes->since >= 0 && seen.there == changes->there &&
                seen.device == changes->device && seen.inode == changes->inode &&
                seen.size == changes->size && seen.written >= changes->written &&
                seen.written <= changes->written;
    *changes = seen;
    return !same;
}

ChangesNews changes_look(Changes *changes, double now)
{
    if (differs(changes)) {
        changes->since = now;
        changes->told  = false;
    }
    double still = now - changes->since;
    if (changes->told || still < (changes->there ? CHANGES_STILL : CHANGES_GONE_AFTER))
        return CHANGES_NONE;
    changes->told = true;
    if (!changes->there) {
        changes->lost = true;
        return CHANGES_GONE;
    }
    uint64_t text = hash_text(changes->path);
    if (text == 0 || (text == changes->text && !changes->lost)) return CHANGES_NONE;
    changes->text = text;
    changes->lost = false;
    return CHANGES_SAVED;
}
