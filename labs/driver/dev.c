#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/gates.h"
#include "common/console.h"
#include "common/json.h"
#include "common/table.h"
#include "labs/driver/mine.h"
#include "labs/driver/template.h"
#include "datasets/root.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_SHOWN = 10 };

// ---- lab dev check ----

static void print_gate(const Console *console, Arena *arena, const Gate *gate)
{
    bool holds = gate->run && gate->count == 0;
    ConsoleStyle style = holds ? CONSOLE_GOOD : CONSOLE_BAD;
    const char *word = holds ? "ok" : gate->count > 0 ? "FAIL" : "--";
    printf("  %s%-4s%s", console_on(console, style), word, console_off(console, style));
    Console beside = *console;
    beside.columns -= 6;    // what stands before it
    console_item(&beside, 2, 10, gate->word,
                 gate->run ? gate->promise : "not looked at: the others have to hold first");
    for (int f = 0; f < gate->count && f < FAULTS_SHOWN; f++)
        console_text(console, CONSOLE_PLAIN, 10, gate->faults[f]);
    if (gate->count > FAULTS_SHOWN)
        console_text(console, CONSOLE_DIM, 10,
                     arena_print(arena, "and %d more", gate->count - FAULTS_SHOWN));
}

// One line for each mutant: name, and the first case that rejects it.
static void print_mutants(Arena *arena, const Lab *lab, const Gates *gates)
{
    for (int e = 0; e < lab->exercise_count; e++) {
        Table table = table_new(arena, "||");
        int cases = 0;
        for (int m = 0; m < gates->mutant_count; m++) {
            const Mutant *mutant = &gates->mutants[m];
            const Finding *found = gates->proofs[m].found;
            if (mutant->exercise != e) continue;
            cases = found->cases;
            table_row(&table, "%s|%s|%s%s", mutant_kinds[mutant->kind], mutant->name,
                      found->rejected ? found->first : "FAIL",
                      found->rejected && found->only_ended ? "  (crash or time only)" : "");
        }
        if (table.rows == 0) continue;
        printf("\n%s, %d cases\n", lab->exercises[e].id, cases);
        table_print(&table, 2, stdout);
    }
}

static void print_lab(const Console *console, Arena *arena, const Lab *lab, const Gates *gates)
{
    bool mutants = gates->gate[GATE_MUTANTS].run;
    const char *cases = gates->cases > 0 ? arena_print(arena, ", %d cases", gates->cases) : "";
    console_text(
        console, CONSOLE_BOLD, 0,
        arena_print(arena, "%s: %d exercise%s%s%s", lab->id, lab->exercise_count,
                    lab->exercise_count == 1 ? "" : "s", cases,
                    mutants ? arena_print(arena, ", %d mutants", gates->mutant_count) : ""));
    for (int g = 0; g < GATE_COUNT; g++) print_gate(console, arena, &gates->gate[g]);
    if (mutants) print_mutants(arena, lab, gates);
    printf("\n%s %s, %.1f s\n", lab->id, gates_hold(gates) ? "holds" : "is not ready",
           gates->seconds);
}

static cJSON *gates_json(const Lab *lab, const Gates *gates)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "lab", lab->id);
    cJSON_AddBoolToObject(item, "holds", gates_hold(gates));
    cJSON_AddNumberToObject(item, "cases", gates->cases);
    cJSON *list = cJSON_AddArrayToObject(item, "gates");
    for (int g = 0; g < GATE_COUNT; g++) {
        const Gate *gate = &gates->gate[g];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "gate", gate->word);
        cJSON_AddStringToObject(one, "status",
                                !gate->run && gate->count == 0 ? "not run"
                                : gate->count > 0              ? "fail"
                                                               : "ok");
        cJSON_AddItemToObject(one, "faults", cJSON_CreateStringArray(gate->faults, gate->count));
        cJSON_AddItemToArray(list, one);
    }
    list = cJSON_AddArrayToObject(item, "mutants");
    for (int m = 0; gates->gate[GATE_MUTANTS].run && m < gates->mutant_count; m++) {
        const Finding *found = gates->proofs[m].found;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "exercise", lab->exercises[gates->mutants[m].exercise].id);
        cJSON_AddStringToObject(one, "mutant", gates->mutants[m].name);
        cJSON_AddStringToObject(one, "kind", mutant_kinds[gates->mutants[m].kind]);
        cJSON_AddNumberToObject(one, "cases", found->cases);
        cJSON_AddBoolToObject(one, "rejected", found->rejected);
        cJSON_AddStringToObject(one, "first", found->first);
        cJSON_AddBoolToObject(one, "only_ended", found->only_ended);
        cJSON_AddItemToArray(list, one);
    }
    return item;
}

// "LAB_PATH=/home/ada/course ./lab dev check som": with LAB_PATH where the lab lies outside.
static void print_next(const Console *console, Arena *arena, const char *path, const char *name,
                       const char *why)
{
    bool outside = path != NULL && path[0] != '\0';
    console_command(console, "next",
                    arena_print(arena, "%s%s%s./lab dev check %s", outside ? "LAB_PATH=" : "",
                                outside ? options_quoted(arena, path) : "", outside ? " " : "",
                                name),
                    why);
}

static int check_labs(const Course *course, const Lab *only, bool json)
{
    Console console = console_begin();
    cJSON *array = json ? cJSON_CreateArray() : NULL;
    int status = 0;
    for (int i = 0; i < course->lab_count; i++) {
        const Lab *lab = &course->labs[i];
        if (only != NULL && lab != only) continue;
        Arena *arena = arena_new("gates", (size_t)1 << 30);
        Gates gates;
        Error err;
        if (!gates_check(arena, lab, &gates, &err)) return error_report(&err);
        if (!gates_hold(&gates)) status = 1;
        if (json) cJSON_AddItemToArray(array, gates_json(lab, &gates));
        else print_lab(&console, arena, lab, &gates);
        if (!json && only != NULL && !gates_hold(&gates)) {
            putchar('\n');
            print_next(&console, arena, getenv("LAB_PATH"), lab->id, "after your change");
        }
        fflush(stdout);
        arena_free(arena);
    }
    if (json) json_print(array);
    return status;
}

// What stands before all options, taken out of argv; NULL when an option or nothing does.
static const char *leading_word(int *argc, char **argv)
{
    return *argc > 1 && argv[1][0] != '-' ? workspace_word(argc, argv) : NULL;
}

static int dev_check(Arena *arena, int argc, char **argv)
{
    bool json = false;
    int status;
    Error err;
    Course course;
    Choice choice = {NULL, -1};
    const char *word = leading_word(&argc, argv);
    Options *options =
        workspace_options(arena, argv, "lab dev check [LAB]",
                          "Whether a lab is one: the gates, and what its cases reject.");
    options_flag(options, "json", 0, &json, "as JSON");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    if (word != NULL && !choose(&course, &(Progress){0}, word, &choice)) return 2;
    if (choice.exercise >= 0) {
        fprintf(stderr, "lab: a lab is checked as a whole: ./lab dev check %s\n", choice.lab->id);
        return 2;
    }
    status = check_labs(&course, choice.lab, json);
    return choice.lab == NULL && course_report_damaged(&course) > 0 ? 1 : status;
}

// ---- lab dev new ----

static int dev_new(Arena *arena, int argc, char **argv)
{
    const char *folder = NULL;
    int status;
    Error err;
    Course course;
    NewLab lab = {.stage = leading_word(&argc, argv)};
    lab.name = leading_word(&argc, argv);
    Options *options =
        workspace_options(arena, argv, "lab dev new STAGE NAME",
                          "Lays out a new lab, which passes all gates and waits to be replaced.");
    options_string(options, "in", 0, &folder, "FOLDER",
                   "a folder of labs of your own, for LAB_PATH");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (lab.name == NULL) {
        fprintf(stderr, "lab: which? ./lab dev new STAGE NAME [--in FOLDER]\n");
        return 2;
    }
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    lab.labs = folder;
    if (!template_allows(arena, &course, &lab, &err)) return error_report(&err), 2;
    if (!template_lay_out(arena, &course, &lab, &err)) return error_report(&err);
    Console console = console_begin();
    console_text(&console, CONSOLE_GOOD, 0,
                 arena_print(arena,
                             "%s is a lab that passes all gates: replace its contents with yours.",
                             mine_shown(arena, lab.folder)));
    putchar('\n');
    print_next(&console, arena, lab.outside ? lab.labs : NULL, lab.name, "after your change");
    return 0;
}

int command_dev(int argc, char **argv)
{
    static const char usage[] = "./lab dev new STAGE NAME [--in FOLDER], or ./lab dev check [LAB]";
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return console_help("For authors of labs:"), console_help(usage), 0;
    Arena *arena = arena_new("dev", 64u << 20);
    int status = 2;
    if (argc > 1 && strcmp(argv[1], "check") == 0) status = dev_check(arena, argc - 1, argv + 1);
    else if (argc > 1 && strcmp(argv[1], "new") == 0) status = dev_new(arena, argc - 1, argv + 1);
    else fprintf(stderr, "lab: for authors of labs: %s\n", usage);
    arena_free(arena);
    return status;
}
