#include "labs/driver/commands.h"
#include "labs/driver/course.h"
#include "datasets/root.h"
#include "labs/driver/nearest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The lab that is called so, or the only one whose name begins so; otherwise NULL and a sentence.
static const char *choose(const char *word, const char *const *names, int count)
{
    const char *chosen = NULL;
    int         starts = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], word) == 0) return names[i];
        if (strncmp(names[i], word, strlen(word)) != 0) continue;
        chosen = names[i];
        starts++;
    }
    if (starts == 1) return chosen;
    const char *near = nearest(word, names, count);
    if (starts > 1)
        fprintf(stderr, "lab: %d labs begin with '%s'; lab list names them\n", starts, word);
    else if (near != NULL)
        fprintf(stderr, "lab: there is no lab '%s'; did you mean '%s'?\n", word, near);
    else
        fprintf(stderr, "lab: there is no lab '%s'; lab list names them\n", word);
    return NULL;
}

int command_run(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "lab: which one? lab run LAB [options]; lab list names them\n");
        return 2;
    }
    Arena       *arena = arena_new("run", 64u << 20);
    const char **names;
    int          count = course_folders(arena, root_dir(), &names);
    for (int i = 0; i < count; i++) names[i] = strchr(names[i], '/') + 1;
    const char *name = choose(argv[1], names, count);
    if (name == NULL) return 2;

    // The lab takes this process over: its exit status, signals and terminal are its own.
    argv[1] = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, name);
    setenv("LAB_COMMAND", arena_print(arena, "./lab run %s", name), 1);    // for what it says to type
    execv(argv[1], argv + 1);
    fprintf(stderr, "lab: %s: %s\n", argv[1], strerror(errno));
    return 1;
}
