#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "common/json.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

enum { ID_COLUMNS = 16 };

static const char *const state_words[] = {
    [EXERCISE_NOT_STARTED] = "not started", [EXERCISE_WRONG] = "wrong", [EXERCISE_DONE] = "done"};

static cJSON *exercise_json(const Workspace *workspace, const Lab *lab, const Exercise *exercise)
{
    const Progress *progress = &workspace->progress;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "id", exercise->id);
    cJSON_AddStringToObject(item, "state",
                            state_words[progress_state(progress, lab->id, exercise->id)]);
    cJSON_AddNumberToObject(item, "points", exercise->points);
    cJSON_AddNumberToObject(item, "hints", progress_hints(progress, lab->id, exercise->id));
    cJSON_AddBoolToObject(item, "gave_up", progress_gave_up(progress, lab->id, exercise->id));
    return item;
}

static cJSON *lab_json(const Workspace *workspace, const Lab *lab)
{
    Standing standing = workspace_standing(workspace, lab);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "id", lab->id);
    cJSON_AddStringToObject(item, "stage", lab->stage);
    cJSON_AddStringToObject(item, "title", lab->title);
    cJSON_AddStringToObject(item, "about", lab->about);
    cJSON_AddNumberToObject(item, "minutes", lab->minutes);
    cJSON *ids = cJSON_AddArrayToObject(item, "exercises");
    for (int i = 0; i < lab->exercise_count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(lab->exercises[i].id));
    cJSON_AddBoolToObject(item, "started", mine_exists(workspace->arena, lab));
    cJSON_AddNumberToObject(item, "points", standing.points);
    cJSON_AddNumberToObject(item, "of_points", standing.of_points);
    cJSON *progress = cJSON_AddArrayToObject(item, "progress");
    for (int i = 0; i < lab->exercise_count; i++)
        cJSON_AddItemToArray(progress, exercise_json(workspace, lab, &lab->exercises[i]));
    return item;
}

static void print_json(const Workspace *workspace, const Lab *only)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < workspace->course.lab_count; i++)
        if (only == NULL || only == &workspace->course.labs[i])
            cJSON_AddItemToArray(array, lab_json(workspace, &workspace->course.labs[i]));
    json_print(array);
}

static void print_exercise(const Workspace *workspace, const Lab *lab, const Exercise *exercise)
{
    static const ConsoleStyle styles[] = {[EXERCISE_NOT_STARTED] = CONSOLE_DIM,
                                          [EXERCISE_WRONG] = CONSOLE_BAD,
                                          [EXERCISE_DONE] = CONSOLE_GOOD};
    ExerciseState state = progress_state(&workspace->progress, lab->id, exercise->id);
    int hints = progress_hints(&workspace->progress, lab->id, exercise->id);
    bool seen = progress_gave_up(&workspace->progress, lab->id, exercise->id);
    const char *more = seen ? "solution seen" : "";
    if (hints > 0)
        more = arena_print(workspace->arena, "%s%s%d hint%s", more, seen ? ", " : "", hints,
                           hints == 1 ? "" : "s");
    int column = 4 + 11 + 2 + ID_COLUMNS + 3 + 2;
    printf("    %s%-11s%s  %-*s%3d", console_on(&workspace->console, styles[state]),
           state_words[state], console_off(&workspace->console, styles[state]), ID_COLUMNS,
           exercise->id, exercise->points);
    if (more[0] != '\0' && column + (int)strlen(more) > workspace->console.columns)
        printf("\n%*s", 4 + 11, "");
    printf("%s%s\n", more[0] != '\0' ? "  " : "", more);
}

static void print_lab(const Workspace *workspace, const Lab *lab)
{
    console_item(&workspace->console, 2, 16, lab->id, workspace_standing_text(workspace, lab));
    for (int i = 0; i < lab->exercise_count; i++)
        print_exercise(workspace, lab, &lab->exercises[i]);
}

static void print_course(const Workspace *workspace)
{
    const Course *course = &workspace->course;
    for (int i = 0; i < course->stage_count; i++) {
        bool titled = false;
        for (int j = 0; j < course->lab_count; j++) {
            if (strcmp(course->labs[j].stage, course->stages[i].id) != 0) continue;
            if (!titled)
                console_text(
                    &workspace->console, CONSOLE_BOLD, 0,
                    arena_print(workspace->arena, "%d. %s", i + 1, course->stages[i].title));
            titled = true;
            print_lab(workspace, &course->labs[j]);
        }
        if (titled) putchar('\n');
    }
}

int command_list(int argc, char **argv)
{
    Arena *arena = arena_new("list", 64u << 20);
    const char *word = workspace_word(&argc, argv);
    bool json = false;
    int status;
    Error err;
    Workspace workspace;
    Choice choice = {0};
    Options *options =
        workspace_options(arena, argv, "lab list [LAB]",
                          "The labs and their exercises: not started, wrong or done, "
                          "points, and hints read.");
    options_flag(options, "json", 0, &json, "as JSON, for programs");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
    if (word != NULL && !choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    const Lab *current = choose_current(&workspace.course, &workspace.progress);
    status = choice.lab == NULL && course_report_damaged(&workspace.course) > 0 ? 1 : 0;
    if (json) print_json(&workspace, choice.lab);
    if (json) return status;
    if (choice.lab != NULL) print_lab(&workspace, choice.lab), putchar('\n');
    else print_course(&workspace);
    if (choice.lab != NULL) current = choice.lab;
    if (current == NULL && workspace.course.lab_count > 0) current = &workspace.course.labs[0];
    if (current != NULL) workspace_next_in(&workspace, current);
    arena_free(arena);
    return status;
}
