#include "labs/driver/commands.h"
#include "labs/driver/course.h"
#include "datasets/root.h"
#include "common/options.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static void print_json(const Course *course)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < course->lab_count; i++) {
        const Lab *lab  = &course->labs[i];
        cJSON     *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", lab->id);
        cJSON_AddStringToObject(item, "stage", lab->stage);
        cJSON_AddStringToObject(item, "title", lab->title);
        cJSON_AddStringToObject(item, "about", lab->about);
        cJSON_AddNumberToObject(item, "minutes", lab->minutes);
        cJSON *exercises = cJSON_AddArrayToObject(item, "exercises");
        for (int j = 0; j < lab->exercise_count; j++)
            cJSON_AddItemToArray(exercises, cJSON_CreateString(lab->exercises[j].id));
        cJSON_AddItemToArray(array, item);
    }
    char *text = cJSON_Print(array);
    puts(text);
    free(text);
    cJSON_Delete(array);
}

int command_list(int argc, char **argv)
{
    Arena  *arena = arena_new("list", 64u << 20);
    bool    json  = false;
    int     status;
    Error   err;
    Course  course;
    Options *options = options_new(arena, "lab list", "The labs, one a line.");
    options_flag(options, "json", 0, &json, "as JSON, with the exercises");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);

    if (json) print_json(&course);
    for (int i = 0; !json && i < course.lab_count; i++)
        printf("%-16s %-15s %s\n", course.labs[i].id, course.labs[i].stage, course.labs[i].title);
    arena_free(arena);
    return 0;
}
