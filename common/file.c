#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_begin(NewFile *file, const char *path, Error *err)
{
    *file = (NewFile){.stream = NULL};
    if (strlen(path) + 32 > sizeof file->path)
        return error_set(err, "%.80s...: the path is too long", path);
    strcpy(file->path, path);
    // The process id keeps two runs that write the same file apart.
    snprintf(file->temporary, sizeof file->temporary, "%s.%ld.tmp", path, (long)getpid());
    file->stream = fopen(file->temporary, "wb");
    if (file->stream == NULL)
        return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
    return true;
}

bool file_commit(NewFile *file, Error *err)
{
    // The first failure counts. A stream remembers that a write failed, but not why.
    int why = fflush(file->stream) != 0 ? errno : ferror(file->stream) ? EIO : 0;
    if (fclose(file->stream) != 0 && why == 0) why = errno;
    if (why == 0 && rename(file->temporary, file->path) != 0) why = errno;
    if (why == 0) return true;
    unlink(file->temporary);
    return error_set(err, "%s: cannot be written: %s", file->path, strerror(why));
}

void file_abandon(NewFile *file)
{
    fclose(file->stream);
    unlink(file->temporary);
}

bool file_write(const char *path, const char *text, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs(text, file.stream);
    return file_commit(&file, err);
}

bool file_map(FileView *view, const char *path, Error *err)
{
    *view = (FileView){NULL, 0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);    // a pipe must not hold us up
    if (fd < 0 || fstat(fd, &status) != 0) {
        error_set(err, "%s: cannot be read: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    size_t size = (size_t)status.st_size;
    void *bytes = NULL;
    if (S_ISREG(status.st_mode) && size > 0)
        bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    int why = errno;
    close(fd);
    if (S_ISDIR(status.st_mode)) return error_set(err, "%s: is a folder, expected a file", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, "%s: is a pipe or a device, expected a file", path);
    if (bytes == MAP_FAILED) return error_set(err, "%s: cannot be read: %s", path, strerror(why));
    *view = (FileView){bytes, size};
    return true;
}

void file_unmap(FileView view)
{
    if (view.bytes != NULL) munmap(view.bytes, view.size);
}

bool file_make_folder(const char *path, Error *err)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) return error_set(err, "%.80s...: the path is too long", path);
    strcpy(part, path);
    for (char *end = part + 1; part[0] != '\0'; end++) {
        if (*end != '/' && *end != '\0') continue;
        char held = *end;
        *end = '\0';
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
