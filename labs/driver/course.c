#include "labs/driver/course.h"
#include "labs/driver/json.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>

int course_folders(Arena *arena, const char *root, const char ***folders)
{
    // glob() would take a '[' or '*' in the checkout's own path as a pattern.
    char *quoted = arena_alloc(arena, 2 * strlen(root) + 1), *end = quoted;
    for (const char *c = root; *c != '\0'; c++) {
        if (strchr("*?[\\", *c) != NULL) *end++ = '\\';
        *end++ = *c;
    }
    *end = '\0';

    glob_t found;
    int    count = 0;
    *folders     = NULL;
    if (glob(arena_print(arena, "%s/labs/*/*/lab.json", quoted), 0, NULL, &found) == 0) {
        size_t before = strlen(root) + strlen("/labs/"), after = strlen("/lab.json");
        *folders = arena_alloc(arena, found.gl_pathc * sizeof **folders);
        for (; count < (int)found.gl_pathc; count++) {
            const char *path  = found.gl_pathv[count];
            int         bytes = (int)(strlen(path) - before - after);
            (*folders)[count] = arena_print(arena, "%.*s", bytes, path + before);
        }
    }
    globfree(&found);
    return count;
}

static bool read_stages(Arena *arena, const char *path, Course *course, Error *err)
{
    cJSON       *tree  = json_load(path, err), *node;
    const cJSON *array = tree != NULL ? json_array(tree, path, "stages", err) : NULL;
    bool         read  = array != NULL;
    course->stages     = arena_zeros(arena, (size_t)cJSON_GetArraySize(array) * sizeof(Stage));
    cJSON_ArrayForEach(node, array)
    {
        const char *where = arena_print(arena, "%s: stages[%d]", path, course->stage_count);
        Stage      *stage = &course->stages[course->stage_count++];

        read = read && json_text(arena, node, where, "id", &stage->id, err) &&
               json_text(arena, node, where, "title", &stage->title, err) &&
               json_text(arena, node, where, "about", &stage->about, err);
    }
    cJSON_Delete(tree);
    return read;
}

static bool has_stage(const Course *course, const char *id)
{
    for (int i = 0; i < course->stage_count; i++)
        if (strcmp(course->stages[i].id, id) == 0) return true;
    return false;
}

// The stages' names begin with their number, so that their order is the names' order.
static int by_place(const void *left, const void *right)
{
    const Lab *a = left, *b = right;
    int        stages = strcmp(a->stage, b->stage);
    return stages != 0 ? stages : a->place != b->place ? a->place - b->place : strcmp(a->id, b->id);
}

bool course_load(Arena *arena, const char *root, Course *course, Error *err)
{
    *course            = (Course){0};
    const char  *path = arena_print(arena, "%s/labs/roadmap.json", root);
    const char **folders;
    if (!read_stages(arena, path, course, err)) return false;
    int count    = course_folders(arena, root, &folders);
    course->labs = arena_zeros(arena, (size_t)count * sizeof(Lab));
    for (int i = 0; i < count; i++) {
        Lab *lab = &course->labs[course->lab_count++];
        if (!lab_read(arena, root, folders[i], lab, err)) return false;
        if (!has_stage(course, lab->stage))
            return error_set(err, "%s: has no stage \"%s\", but labs/%s is there", path, lab->stage,
                             folders[i]);
    }
    qsort(course->labs, (size_t)count, sizeof *course->labs, by_place);
    return true;
}
