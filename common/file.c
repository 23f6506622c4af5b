#include "common/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STALE_SECONDS = 60 };

// Removes what a killed process left of `path`: PATH.PID.tmp of a process that is gone. One that was
// written a moment ago may be another machine's, whose processes are not seen here.
static void sweep(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    DIR *stream = opendir(folder);
    if (stream == NULL) return;
    size_t length = strlen(name);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        long pid;
        int end = 0;
        struct stat status;
        const char *tail = entry->d_name + length;
        if (strncmp(entry->d_name, name, length) != 0 ||
            sscanf(tail, ".%8ld.tmp%n", &pid, &end) != 1 || end == 0 || tail[end] != '\0')
            continue;
        if (pid > 1 && kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
            fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && time(NULL) - status.st_mtime >= STALE_SECONDS)
            unlinkat(dirfd(stream), entry->d_name, 0);
    }
    closedir(stream);
}

bool file_begin(NewFile *file, const char *path, Error *err)
{
    *file = (NewFile){.stream = NULL};
    if (strlen(path) + 32 > sizeof file->path)
        return error_set(err, "%.80s...: the path is too long", path);
    char target[PATH_MAX];
    struct stat status;
    strcpy(file->path, path);
    // Through a link, so that the link stays; and into a device, which must not be replaced by a file.
    if (realpath(path, target) != NULL && strlen(target) + 32 <= sizeof file->path)
        strcpy(file->path, target);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        file->stream = fopen(path, "wb");
    } else {
        sweep(file->path);
        // The process id keeps two runs that write the same file apart.
        int length = snprintf(file->temporary, sizeof file->temporary, "%s.%ld.tmp", file->path,
                              (long)getpid());
        if (length < 0 || (size_t)length >= sizeof file->temporary)
            return error_set(err, "%.80s...: the path is too long", path);
        file->stream = fopen(file->temporary, "wb");
    }
    if (file->stream == NULL)
        return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
    return true;
}

// A stream remembers that a write failed, but not why: the file's next byte meets the same.
static int write_errno(int fd)
{
    const char byte = 0;
    return write(fd, &byte, 1) < 0 ? errno : EIO;
}

bool file_commit(NewFile *file, Error *err)
{
    // The first failure counts.
    int why = 0;
    if (fflush(file->stream) != 0) why = errno;
    else if (ferror(file->stream)) why = write_errno(fileno(file->stream));
    if (fclose(file->stream) != 0 && why == 0) why = errno;
    bool direct = file->temporary[0] == '\0';
    if (why == 0 && !direct && rename(file->temporary, file->path) != 0) why = errno;
    if (why == 0) return true;
    if (!direct) unlink(file->temporary);
    return error_set(err, "%s: cannot be written: %s", file->path, strerror(why));
}

void file_abandon(NewFile *file)
{
    fclose(file->stream);
    if (file->temporary[0] != '\0') unlink(file->temporary);
}

bool file_write(const char *path, const char *text, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs(text, file.stream);
    return file_commit(&file, err);
}

// What a folder, a pipe or a device is called; NULL: it is a file.
static const char *other_kind(const struct stat *status)
{
    if (S_ISREG(status->st_mode)) return NULL;
    return S_ISDIR(status->st_mode) ? "is a folder" : "is a pipe or a device";
}

// A pipe must not hold us up.
static int open_at_once(const char *path, struct stat *status)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, status) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

FILE *file_open(const char *path, Error *err)
{
    struct stat status;
    FILE *stream = NULL;
    int fd = open_at_once(path, &status);
    const char *other = fd < 0 ? NULL : other_kind(&status);
    if (other != NULL) error_set(err, "%s: %s, expected a file", path, other);
    else if (fd < 0 || (stream = fdopen(fd, "rb")) == NULL)
        error_set(err, "%s: %s", path, strerror(errno));
    if (stream == NULL && fd >= 0) close(fd);
    return stream;
}

bool file_map(FileView *view, const char *path, Error *err)
{
    *view = (FileView){NULL, 0};
    struct stat status;
    int fd = open_at_once(path, &status);
    if (fd < 0) return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
    size_t size = (size_t)status.st_size;
    void *bytes = NULL;
    const char *other = other_kind(&status);
    if (other == NULL && size > 0) bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    int why = errno;
    close(fd);
    if (other != NULL) return error_set(err, "%s: %s, expected a file", path, other);
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

const char *file_shown(Arena *arena, const char *path)
{
    char here[PATH_MAX];
    size_t length = getcwd(here, sizeof here) != NULL ? strlen(here) : 0;
    bool inside = length > 1 && strncmp(path, here, length) == 0 && path[length] == '/';
    return arena_print(arena, "%s", inside ? path + length + 1 : path);
}
