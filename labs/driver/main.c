/* lab -- one command for the learner, the kernel engineer and the planner. ./lab builds and runs it. */
#include "labs/driver/commands.h"
#include "common/nearest.h"
#include "common/console.h"
#include "common/error.h"
#include <stdio.h>
#include <string.h>

typedef struct Command {
    const char *name, *arguments, *about;
    int (*run)(int argc, char **argv);
} Command;

static const Command commands[] = {
#define X(name, arguments, about) {#name, arguments, about, command_##name},
    COMMAND_LIST(X)
#undef X
};
enum { COMMANDS = sizeof commands / sizeof *commands };

int command_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    Console console = console_begin();
    console_text(&console, CONSOLE_PLAIN, 0,
                 "./lab COMMAND: AI Roadmap Labs, from linear algebra to large models.");
    putchar('\n');
    for (int i = 0; i < COMMANDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s %s", commands[i].name, commands[i].arguments);
        console_item(&console, 2, 26, name, commands[i].about);
    }
    return 0;
}

// Both are done by the script ./lab, which can install packages and build.
static int only_in_front(const char *name)
{
    error_print("%s is a command of the script ./lab, not of this program", name);
    return 2;
}

int command_test(int argc, char **argv)
{
    (void)argc;
    return only_in_front(argv[0]);
}

int command_setup(int argc, char **argv)
{
    (void)argc;
    return only_in_front(argv[0]);
}

static int unknown(const char *word)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
    const char *near = nearest(word, names, COMMANDS);
    if (near != NULL) error_print("no command '%s'; did you mean '%s'?", word, near);
    else error_print("no command '%s'; ./lab help lists them", word);
    return 2;
}

int main(int argc, char **argv)
{
    console_check_output();
    if (argc < 2) return command_roadmap(argc, argv);
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) return puts("lab " LAB_VERSION) < 0;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, word) == 0) return commands[i].run(argc - 1, argv + 1);
    return unknown(word);
}
