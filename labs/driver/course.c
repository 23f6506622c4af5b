#include "labs/driver/course.h"
#include "common/json.h"
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Appends the lab folders below `lab_root`, absolute, to the `count` found so far.
static int add_folders(Arena *arena, const char *lab_root, const char ***folders, int count)
{
    // glob() would take a '[' or '*' in the checkout's own path as a pattern.
    char *quoted = arena_alloc(arena, 2 * strlen(lab_root) + 1), *end = quoted;
    for (const char *c = lab_root; *c != '\0'; c++) {
        if (strchr("*?[\\", *c) != NULL) *end++ = '\\';
        *end++ = *c;
    }
    *end = '\0';

    glob_t found;
    if (glob(arena_print(arena, "%s/*/*/lab.json", quoted), 0, NULL, &found) == 0) {
        const char **all = arena_alloc(arena, ((size_t)count + found.gl_pathc) * sizeof *all);
        if (count > 0) memcpy(all, *folders, (size_t)count * sizeof *all);
        *folders = all;
        for (size_t i = 0; i < found.gl_pathc; i++) {
            int bytes = (int)(strlen(found.gl_pathv[i]) - strlen("/lab.json"));
            all[count++] = arena_print(arena, "%.*s", bytes, found.gl_pathv[i]);
        }
    }
    globfree(&found);
    return count;
}

// labs/ and the folders of LAB_PATH, absolute; NULL ends them.
static const char **find_lab_roots(Arena *arena, const char *root)
{
    const char *given = getenv("LAB_PATH"), *path = given != NULL ? given : "", *here = "";
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof cwd) != NULL) here = cwd;
    const char **lab_roots = arena_zeros(arena, (strlen(path) + 3) * sizeof *lab_roots);
    int count = 0;
    lab_roots[count++] = arena_print(arena, "%s/labs", root);
    for (size_t bytes; *path != '\0'; path += bytes + (path[bytes] == ':')) {
        bytes = strcspn(path, ":");
        if (bytes == 0) continue;
        bool whole = path[0] == '/';
        lab_roots[count++] =
            arena_print(arena, "%s%s%.*s", whole ? "" : here, whole ? "" : "/", (int)bytes, path);
    }
    return lab_roots;
}

static int find_folders(Arena *arena, const char *const *lab_roots, const char ***folders)
{
    int count = 0;
    *folders = NULL;
    for (; *lab_roots != NULL; lab_roots++) count = add_folders(arena, *lab_roots, folders, count);
    return count;
}

static Stage *find_stage(const Course *course, const char *id)
{
    for (int i = 0; i < course->stage_count; i++)
        if (strcmp(course->stages[i].id, id) == 0) return &course->stages[i];
    return NULL;
}

// The stages of another folder's roadmap.json follow; a stage that already exists is not added again.
static bool read_stages(Arena *arena, const char *path, Course *course, Error *err)
{
    cJSON *tree = json_load(path, err), *node;
    const cJSON *array = tree != NULL ? json_array(tree, path, "stages", err) : NULL;
    bool read = array != NULL;
    size_t count = (size_t)course->stage_count;
    Stage *all = arena_zeros(arena, (count + (size_t)cJSON_GetArraySize(array)) * sizeof *all);
    if (count > 0) memcpy(all, course->stages, count * sizeof *all);
    course->stages = all;
    int number = 0;
    cJSON_ArrayForEach(node, array)
    {
        const char *where = arena_print(arena, "%s: stages[%d]", path, number++);
        Stage stage = {0};

        read = read && json_text(arena, node, where, "id", &stage.id, err) &&
               json_text(arena, node, where, "title", &stage.title, err) &&
               json_text(arena, node, where, "about", &stage.about, err);
        if (read && find_stage(course, stage.id) == NULL) all[course->stage_count++] = stage;
    }
    cJSON_Delete(tree);
    return read;
}

static bool read_all_stages(Arena *arena, const char *const *lab_roots, Course *course, Error *err)
{
    if (!read_stages(arena, arena_print(arena, "%s/roadmap.json", lab_roots[0]), course, err))
        return false;
    while (*++lab_roots != NULL) {
        if (access(*lab_roots, R_OK | X_OK) != 0)
            return error_set(err, "LAB_PATH: %s: %s", *lab_roots, strerror(errno));
        const char *path = arena_print(arena, "%s/roadmap.json", *lab_roots);
        if (access(path, F_OK) == 0 && !read_stages(arena, path, course, err)) return false;
    }
    return true;
}

// The stages' names begin with their number, so that their order is the names' order.
static int by_place(const void *left, const void *right)
{
    const Lab *a = left, *b = right;
    int stages = strcmp(a->stage, b->stage);
    return stages != 0 ? stages : a->place != b->place ? a->place - b->place : strcmp(a->id, b->id);
}

static int by_id(const void *left, const void *right)
{
    return strcmp(((const Stage *)left)->id, ((const Stage *)right)->id);
}

// Whether a lab's stage exists and its name, which is all that a learner types, is unique.
static bool belongs(const Course *course, const char *root, const Lab *lab, Error *err)
{
    if (find_stage(course, lab->stage) == NULL)
        return error_set(err, "%s/roadmap.json: has no stage \"%s\", but %s exists", root,
                         lab->stage, lab->folder);
    for (int i = 0; i < course->lab_count; i++)
        if (strcmp(course->labs[i].id, lab->id) == 0)
            return error_set(err, "two labs are called %s: %s and %s", lab->id,
                             course->labs[i].folder, lab->folder);
    return true;
}

bool course_load(Arena *arena, const char *root, Course *course, Error *err)
{
    const char **lab_roots = find_lab_roots(arena, root), **folders;
    *course = (Course){0};
    if (!read_all_stages(arena, lab_roots, course, err)) return false;
    qsort(course->stages, (size_t)course->stage_count, sizeof *course->stages, by_id);
    int count = find_folders(arena, lab_roots, &folders);
    course->labs = arena_zeros(arena, (size_t)count * sizeof(Lab));
    course->damaged = arena_zeros(arena, (size_t)count * sizeof(DamagedLab));
    for (int i = 0; i < count; i++) {
        Lab *lab = &course->labs[course->lab_count];
        Error wrong;
        if (lab_read(arena, root, folders[i], lab, &wrong) &&
            belongs(course, lab_roots[0], lab, &wrong))
            course->lab_count++;
        else
            course->damaged[course->damaged_count++] =
                (DamagedLab){strrchr(folders[i], '/') + 1, arena_print(arena, "%s", wrong.message)};
    }
    qsort(course->labs, (size_t)course->lab_count, sizeof *course->labs, by_place);
    return true;
}

int course_report_damaged(const Course *course)
{
    for (int i = 0; i < course->damaged_count; i++) error_print("%s", course->damaged[i].message);
    return course->damaged_count;
}
