#include "labs/driver/labfile.h"
#include "common/json.h"
#include <string.h>
#include <unistd.h>

static bool read_whole_number(const cJSON *object, const char *where, const char *field, int least,
                              int most, int *number, Error *err)
{
    double value;
    if (!json_number(object, where, field, least, most, &value, err)) return false;
    *number = (int)value;
    return *number == value ||
           error_set(err, "%s: \"%s\" is %g, expected a whole number", where, field, value);
}

static bool read_exercise(Arena *arena, const cJSON *node, const char *where, Exercise *exercise,
                          Error *err)
{
    const char **hints;
    int count;
    if (!cJSON_IsObject(node)) return error_set(err, "%s: is not an object", where);
    if (!json_text(arena, node, where, "id", &exercise->id, err) ||
        !json_text(arena, node, where, "function", &exercise->function, err) ||
        !read_whole_number(node, where, "points", 1, 1000, &exercise->points, err) ||
        !json_number(node, where, "seconds", 0.1, 600, &exercise->seconds, err) ||
        !json_texts(arena, node, where, "hints", &hints, &count, err))
        return false;
    exercise->run = "";
    if (cJSON_HasObjectItem(node, "run") &&
        !json_text(arena, node, where, "run", &exercise->run, err))
        return false;
    if (count != LAB_HINTS)
        return error_set(err,
                         "%s: \"hints\" has %d, expected %d: the idea, the formula, almost code",
                         where, count, LAB_HINTS);
    memcpy(exercise->hints, hints, sizeof exercise->hints);
    return true;
}

static bool read_exercises(Arena *arena, const cJSON *tree, const char *path, Lab *lab, Error *err)
{
    const cJSON *array = json_array(tree, path, "exercises", err), *node;
    if (array == NULL) return false;
    lab->exercises = arena_zeros(arena, (size_t)cJSON_GetArraySize(array) * sizeof(Exercise));
    lab->exercise_count = 0;
    cJSON_ArrayForEach(node, array)
    {
        int count = lab->exercise_count;
        const char *where = arena_print(arena, "%s: exercises[%d]", path, count);
        if (!read_exercise(arena, node, where, &lab->exercises[count], err)) return false;
        for (int i = 0; i < count; i++)
            if (strcmp(lab->exercises[i].id, lab->exercises[count].id) == 0)
                return error_set(err, "%s: \"id\" is \"%s\", as in exercises[%d]", where,
                                 lab->exercises[i].id, i);
        lab->exercise_count++;
    }
    return lab->exercise_count > 0 || error_set(err, "%s: \"exercises\" is empty", path);
}

// The folder's name is what a learner types and cmake builds: lab.json has to say the same.
static bool agrees(const char *path, const char *field, const char *output, const char *folder,
                   size_t length, Error *err)
{
    if (strlen(output) == length && memcmp(output, folder, length) == 0) return true;
    return error_set(err, "%s: \"%s\" is \"%s\", expected \"%.*s\", the folder's name", path, field,
                     output, (int)length, folder);
}

static bool read_fields(Arena *arena, const cJSON *tree, const char *path, const char *folder,
                        Lab *lab, Error *err)
{
    const char *slash = strchr(folder, '/');
    REQUIRE(slash != NULL, "folder is %s; expected STAGE/NAME", folder);
    return json_text(arena, tree, path, "id", &lab->id, err) &&
           agrees(path, "id", lab->id, slash + 1, strlen(slash + 1), err) &&
           json_text(arena, tree, path, "stage", &lab->stage, err) &&
           agrees(path, "stage", lab->stage, folder, (size_t)(slash - folder), err) &&
           json_text(arena, tree, path, "title", &lab->title, err) &&
           json_text(arena, tree, path, "about", &lab->about, err) &&
           read_whole_number(tree, path, "place", 1, 1000, &lab->place, err) &&
           read_whole_number(tree, path, "minutes", 1, 10000, &lab->minutes, err) &&
           json_texts(arena, tree, path, "needs", &lab->needs, &lab->need_count, err) &&
           json_texts(arena, tree, path, "data", &lab->data, &lab->data_count, err) &&
           json_texts(arena, tree, path, "reading", &lab->reading, &lab->reading_count, err) &&
           read_exercises(arena, tree, path, lab, err);
}

bool lab_read(Arena *arena, const char *root, const char *folder, Lab *lab, Error *err)
{
    const char *whole = folder[0] == '/' ? folder : arena_print(arena, "%s/labs/%s", root, folder);
    const char *path = arena_print(arena, "%s/lab.json", whole), *names = strrchr(whole, '/');
    while (names > whole && names[-1] != '/') names--;
    *lab = (Lab){.folder = whole};
    cJSON *tree = json_load(path, err);
    if (tree == NULL) return false;
    bool read = read_fields(arena, tree, path, names, lab, err);
    if (read) lab->cuda = access(arena_print(arena, "%s/%s.cu", whole, lab->id), F_OK) == 0;
    lab->fills = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "fills"));
    cJSON_Delete(tree);
    return read;
}
