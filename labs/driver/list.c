#include "labs/driver/commands.h"
#include "labs/driver/desk.h"
#include "common/json.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

enum { ID_COLUMNS = 16 };

static const char *const state_words[] = {
    [EXERCISE_NOT_STARTED] = "not started", [EXERCISE_WRONG] = "wrong", [EXERCISE_DONE] = "done"};

static cJSON *exercise_json(const Desk *desk, const Lab *lab, const Exercise *exercise)
{
    const Progress *progress = &desk->progress;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "id", exercise->id);
    cJSON_AddStringToObject(item, "state",
                            state_words[progress_state(progress, lab->id, exercise->id)]);
    cJSON_AddNumberToObject(item, "points", exercise->points);
    cJSON_AddNumberToObject(item, "hints", progress_hints(progress, lab->id, exercise->id));
    cJSON_AddBoolToObject(item, "gave_up", progress_gave_up(progress, lab->id, exercise->id));
    return item;
}

static cJSON *lab_json(const Desk *desk, const Lab *lab)
{
    Standing standing = desk_standing(desk, lab);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "id", lab->id);
    cJSON_AddStringToObject(item, "stage", lab->stage);
    cJSON_AddStringToObject(item, "title", lab->title);
    cJSON_AddStringToObject(item, "about", lab->about);
    cJSON_AddNumberToObject(item, "minutes", lab->minutes);
    cJSON *ids = cJSON_AddArrayToObject(item, "exercises");
    for (int i = 0; i < lab->exercise_count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(lab->exercises[i].id));
    cJSON_AddBoolToObject(item, "started", mine_exists(desk->arena, lab));
    cJSON_AddNumberToObject(item, "points", standing.points);
    cJSON_AddNumberToObject(item, "of_points", standing.of_points);
    cJSON *progress = cJSON_AddArrayToObject(item, "progress");
    for (int i = 0; i < lab->exercise_count; i++)
        cJSON_AddItemToArray(progress, exercise_json(desk, lab, &lab->exercises[i]));
    return item;
}

static void print_json(const Desk *desk, const Lab *only)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < desk->course.lab_count; i++)
        if (only == NULL || only == &desk->course.labs[i])
            cJSON_AddItemToArray(array, lab_json(desk, &desk->course.labs[i]));
    json_print(array);
}

static void print_exercise(const Desk *desk, const Lab *lab, const Exercise *exercise)
{
    static const PageStyle styles[] = {[EXERCISE_NOT_STARTED] = PAGE_DIM,
                                       [EXERCISE_WRONG] = PAGE_BAD,
                                       [EXERCISE_DONE] = PAGE_GOOD};
    ExerciseState state = progress_state(&desk->progress, lab->id, exercise->id);
    int hints = progress_hints(&desk->progress, lab->id, exercise->id);
    bool seen = progress_gave_up(&desk->progress, lab->id, exercise->id);
    const char *more = seen ? "solution seen" : "";
    if (hints > 0)
        more = arena_print(desk->arena, "%s%s%d hint%s", more, seen ? ", " : "", hints,
                           hints == 1 ? "" : "s");
    int column = 4 + 11 + 2 + ID_COLUMNS + 1 + 3 + 2;
    printf("    %s%-11s%s  %-*s %3d", page_on(&desk->page, styles[state]), state_words[state],
           page_off(&desk->page, styles[state]), ID_COLUMNS, exercise->id, exercise->points);
    if (more[0] != '\0' && column + (int)strlen(more) > desk->page.columns)
        printf("\n%*s", 4 + 11, "");
    printf("%s%s\n", more[0] != '\0' ? "  " : "", more);
}

static void print_lab(const Desk *desk, const Lab *lab)
{
    page_item(&desk->page, 2, 16, lab->id, desk_standing_text(desk, lab));
    for (int i = 0; i < lab->exercise_count; i++) print_exercise(desk, lab, &lab->exercises[i]);
}

static void print_course(const Desk *desk)
{
    const Course *course = &desk->course;
    for (int i = 0; i < course->stage_count; i++) {
        bool titled = false;
        for (int j = 0; j < course->lab_count; j++) {
            if (strcmp(course->labs[j].stage, course->stages[i].id) != 0) continue;
            if (!titled)
                page_text(&desk->page, PAGE_BOLD, 0,
                          arena_print(desk->arena, "%d. %s", i + 1, course->stages[i].title));
            titled = true;
            print_lab(desk, &course->labs[j]);
        }
        if (titled) putchar('\n');
    }
}

int command_list(int argc, char **argv)
{
    Arena *arena = arena_new("list", 64u << 20);
    const char *word = desk_word(&argc, argv);
    bool json = false;
    int status;
    Error err;
    Desk desk;
    Choice choice = {0};
    Options *options = desk_options(arena, argv, "lab list [LAB]",
                                    "The labs and their exercises: not started, wrong or done, the "
                                    "points, the hints that were read.");
    options_flag(options, "json", 0, &json, "as JSON, for programs");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!desk_open(&desk, arena, &err)) return error_report(&err);
    if (word != NULL && !choose(&desk.course, &desk.progress, word, &choice)) return 2;
    const Lab *current = choose_current(&desk.course, &desk.progress);
    status = choice.lab == NULL && course_tell_damaged(&desk.course) > 0 ? 1 : 0;
    if (json) print_json(&desk, choice.lab);
    if (json) return status;
    if (choice.lab != NULL) print_lab(&desk, choice.lab), putchar('\n');
    else print_course(&desk);
    if (choice.lab != NULL) current = choice.lab;
    if (current == NULL && desk.course.lab_count > 0) current = &desk.course.labs[0];
    if (current != NULL) desk_next_in(&desk, current);
    arena_free(arena);
    return status;
}
