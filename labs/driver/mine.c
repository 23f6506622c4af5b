#include "labs/driver/mine.h"
#include "common/file.h"
#include "datasets/root.h"
#include "common/text.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *mine_dir(void)
{
    static char dir[PATH_MAX];
    const char *given = getenv("LAB_MINE");
    bool named = given != NULL && given[0] != '\0';
    const char *base = named ? given : root_dir(), *rest = named ? "" : "/mine";
    char here[PATH_MAX] = "";
    if (base[0] != '/' && getcwd(here, sizeof here) == NULL) here[0] = '\0';
    int length =
        snprintf(dir, sizeof dir, "%s%s%s%s", here, here[0] != '\0' ? "/" : "", base, rest);
    REQUIRE(length < (int)sizeof dir, "%.80s...: the path is too long", base);
    while (length > 1 && dir[length - 1] == '/') dir[--length] = '\0';
    return dir;
}

const char *mine_path(Arena *arena, const Lab *lab)
{
    return arena_print(arena, "%s/%s/%s.%s", mine_dir(), lab->id, lab->id, lab_suffix(lab));
}

char *mine_shown(Arena *arena, const char *path)
{
    char *shown = arena_print(arena, "%s", file_shown(arena, path));
    text_clean(shown);
    return shown;
}

bool mine_exists(Arena *arena, const Lab *lab)
{
    struct stat status;
    return stat(mine_path(arena, lab), &status) == 0 && S_ISREG(status.st_mode);
}

bool mine_read(Arena *arena, const Lab *lab, Source *mine, Error *err)
{
    const char *path = mine_path(arena, lab);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return error_set(err, "%s does not exist yet: ./lab start %s creates it",
                         mine_shown(arena, path), lab->id);
    return source_read(arena, lab, path, mine, err);
}

bool mine_asked(int *argc, char **argv)
{
    int kept = 0, i = 0;
    bool mine = false;
    for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--mine") == 0) mine = true;
        else argv[kept++] = argv[i];
    }
    for (; i < *argc; i++) argv[kept++] = argv[i];
    argv[kept] = NULL;
    *argc = kept;
    return mine;
}
