#include "labs/driver/packages.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKAGES_MAX = 128 };

static const char *const kind_names[PACKAGE_KINDS] = {"build", "optional", "dev", "peer"};

const char *packages_kind_name(PackageKind kind)
{
    return kind_names[kind];
}

const char *packages_setup(PackageKind kind)
{
    static const char *const commands[PACKAGE_KINDS] = {"./lab setup", "./lab setup",
                                                        "./lab setup --dev", "./lab setup --peers"};
    return commands[kind];
}

static bool read_line(Arena *arena, const char *line, Package *package)
{
    char kind[16], name[64], about[160];
    if (sscanf(line, "%15s %63s %159[^\n]", kind, name, about) != 3) return false;
    for (int i = 0; i < PACKAGE_KINDS; i++) {
        if (strcmp(kind, kind_names[i]) != 0) continue;
        *package = (Package){.kind = (PackageKind)i,
                             .name = arena_print(arena, "%s", name),
                             .about = arena_print(arena, "%s", about)};
        return true;
    }
    return false;
}

bool packages_load(Arena *arena, const char *root, Packages *packages, Error *err)
{
    const char *path = arena_print(arena, "%s/.packages", root);
    FILE *file = fopen(path, "r");
    if (file == NULL) return error_set(err, "%s: %s", path, strerror(errno));
    *packages = (Packages){.items = arena_zeros(arena, PACKAGES_MAX * sizeof(Package))};
    char line[256];
    bool good = true;
    int number = 0;
    while (good && fgets(line, sizeof line, file) != NULL) {
        number++;
        if (line[0] == '#' || line[0] == '\n') continue;
        good = packages->count < PACKAGES_MAX &&
               read_line(arena, line, &packages->items[packages->count++]);
    }
    fclose(file);
    return good || error_set(err,
                             "%s:%d: expected a kind (build, optional, dev, peer), a package "
                             "and what it is for",
                             path, number);
}

static void mark(Packages *packages, const char *name)
{
    for (int i = 0; i < packages->count; i++)
        if (strcmp(packages->items[i].name, name) == 0) packages->items[i].there = true;
}

bool packages_query(Packages *packages)
{
    FILE *pipe =
        popen("dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\\n' 2>&-", "r");
    if (pipe == NULL) return false;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, pipe) > 0) {
        char *rest, *word = strtok_r(line, " ,\n", &rest);
        if (word == NULL || strcmp(word, "installed") != 0) continue;
        while ((word = strtok_r(NULL, " ,\n", &rest)) != NULL) mark(packages, word);
    }
    free(line);
    return pclose(pipe) == 0;
}
