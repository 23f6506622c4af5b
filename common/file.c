#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_begin(NewFile *file, const char *path, Error *err)
{
    // The process id keeps two runs that write the same file apart.
    int length = snprintf(file->temporary, sizeof file->temporary, "%s.%ld.tmp", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof file->temporary)
        return error_set(err, "%.80s...: the path is too long", path);
    strcpy(file->path, path);
    file->stream = fopen(file->temporary, "wb");
    if (file->stream == NULL)
        return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
    return true;
}

bool file_commit(NewFile *file, Error *err)
{
    // errno is kept from the first call that fails; a stream's earlier failure says nothing more.
    bool failed_before = ferror(file->stream);
    errno              = failed_before ? EIO : 0;
    bool written       = fflush(file->stream) == 0 && !failed_before;
    int  why           = errno;
    if (fclose(file->stream) != 0 && written) written = false, why = errno;
    if (written && rename(file->temporary, file->path) == 0) return true;
    if (written) why = errno;
    unlink(file->temporary);
    return error_set(err, "%s: cannot be written: %s", file->path, strerror(why));
}

void file_abandon(NewFile *file)
{
    fclose(file->stream);
    unlink(file->temporary);
}

bool file_make_folder(const char *path, Error *err)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) return error_set(err, "%.80s...: the path is too long", path);
    strcpy(part, path);
    for (char *end = part + 1; part[0] != '\0'; end++) {
        if (*end != '/' && *end != '\0') continue;
        char held = *end;
        *end      = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return error_set(err, "%s: the folder cannot be made: %s", part, strerror(errno));
        if (held == '\0') break;
        *end = held;
    }
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(err, "%s: the folder cannot be made: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode)) return error_set(err, "%s: is not a folder", path);
    return true;
}
