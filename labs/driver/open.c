#include "labs/driver/commands.h"
#include "labs/driver/choose.h"
#include "labs/driver/launch.h"
#include "labs/driver/mine.h"
#include "common/console.h"
#include "common/options.h"
#include "datasets/root.h"
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static bool has_display(void)
{
#ifdef __APPLE__
    return true;
#else
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return (x != NULL && x[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
#endif
}

// Some openers end at once, others stay as long as the browser: after two seconds it has opened.
static bool ends_well(pid_t child)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int status = 0;
    for (int tick = 0; tick < 200; tick++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        nanosleep(&pause, NULL);
    }
    return true;
}

// In a session of its own, so that Ctrl-C here does not close the browser.
static bool show(const char *path)
{
#ifdef __APPLE__
    static char opener[] = "open";
#else
    static char opener[] = "xdg-open";
#endif
    if (!has_display()) return false;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    pid_t child;
    int failed = posix_spawnp(&child, opener, &actions, &attributes,
                              (char *[]){opener, (char *)path, NULL}, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 && ends_well(child);
}

int command_open(int argc, char **argv)
{
    static const char usage[] = "./lab open LAB [--mine]: its last run as a page in a browser";
    bool mine = mine_asked(&argc, argv);
    Arena *arena = arena_new("open", 64u << 20);
    Error err;
    Course course;
    Choice choice;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return console_help(usage), 0;
    if (argc != 2 || argv[1][0] == '-') {
        error_print("which one? %s", usage);
        return 2;
    }
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    if (!choose(&course, &(Progress){0}, argv[1], &choice)) return 2;
    const char *name = choice.lab->id;
    const char *path = arena_print(arena, "%s/%s/report.html", launch_results(arena, mine), name);
    const char *quoted = options_quoted(arena, path);
    char whole[PATH_MAX];
    if (realpath(path, whole) == NULL) {
        error_print("there is no report yet: %s run %s%s writes %s", console_lab(), name,
                    mine ? " --mine" : "", quoted);
        return 1;
    }
    if (show(whole)) printf("%s is in your browser.\n", quoted);
    else printf("There is no browser here; the page is %s\n", options_quoted(arena, whole));
    return 0;
}
