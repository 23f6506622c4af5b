#include "common/console.h"
#include "common/terminal.h"
#include "common/text.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NARROWEST = 40, WIDEST = 100, LEAST_TEXT = 32, HANG = 4, LABEL = 6, WHY_COLUMN = 52 };

Console console_begin(void)
{
    const char *columns = getenv("COLUMNS"), *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO);
    int width = columns != NULL ? atoi(columns) : 0;
    if (width <= 0) width = terminal_size(STDOUT_FILENO).columns;
    if (width < NARROWEST) width = NARROWEST;
    if (width > WIDEST) width = WIDEST;
    const char *refused = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE");
    terminal = terminal || (forced != NULL && strcmp(forced, "0") != 0);
    return (Console){.columns = width,
                     .colour = terminal && (refused == NULL || refused[0] == '\0') &&
                               term != NULL && strcmp(term, "dumb") != 0};
}

const char *console_on(const Console *console, ConsoleStyle style)
{
    static const char *const codes[] = {[CONSOLE_PLAIN] = "",
                                        [CONSOLE_BOLD] = "\033[1m",
                                        [CONSOLE_DIM] = "\033[2m",
                                        [CONSOLE_GOOD] = "\033[32m",
                                        [CONSOLE_BAD] = "\033[31m"};
    return console->colour ? codes[style] : "";
}

const char *console_off(const Console *console, ConsoleStyle style)
{
    return console->colour && style != CONSOLE_PLAIN ? "\033[0m" : "";
}

char *console_keep(char *text)
{
    for (char *c = text; (c = strchr(c, ' ')) != NULL;) *c = CONSOLE_SPACE;
    return text;
}

static void put(const char *text, size_t bytes)
{
    static const char kept[] = {CONSOLE_SPACE, '\0'};
    for (size_t length; bytes > 0; text += length, bytes -= length) {
        length = strcspn(text, kept);
        if (length > bytes) length = bytes;
        text_print(text, length, stdout);
        if (length < bytes) putchar(' '), length++;
    }
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

// The words up to `end`, of which the first line begins at `column` and the others at `indent`.
static void wrap(const Console *console, int column, int indent, const char *text, const char *end)
{
    bool first = true;
    for (const char *word = text + strspn(text, " "); word < end; word += strspn(word, " ")) {
        size_t bytes = strcspn(word, " ");
        if (bytes > (size_t)(end - word)) bytes = (size_t)(end - word);
        int width = text_columns(word, bytes);
        if (!first && column + 1 + width > console->columns) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        put(word, bytes);
        column += width;
        word += bytes;
        first = false;
    }
}

void console_text(const Console *console, ConsoleStyle style, int indent, const char *text)
{
    printf("%*s%s", indent, "", console_on(console, style));
    wrap(console, indent, indent, text, text + strlen(text));
    printf("%s\n", console_off(console, style));
}

void console_lines(const Console *console, ConsoleStyle style, int indent, const char *text,
                   int most)
{
    for (int shown = 0; *text != '\0'; shown++) {
        int bytes = (int)strcspn(text, "\n"), inner = (int)strspn(text, " ");
        if (shown == most) {
            console_text(console, CONSOLE_DIM, indent, "...");
            return;
        }
        printf("%*s%s", indent, "", console_on(console, style));
        if (indent + text_columns(text, (size_t)bytes) <= console->columns)
            put(text, (size_t)bytes);
        else {
            printf("%*s", inner, "");
            wrap(console, indent + inner, indent + inner + HANG, text, text + bytes);
        }
        printf("%s\n", console_off(console, style));
        text += bytes + (text[bytes] != '\0');
    }
}

void console_help(const char *text)
{
    const Console console = console_begin();
    console_lines(&console, CONSOLE_PLAIN, 0, text, INT_MAX);
}

void console_command(const Console *console, const char *label, const char *command,
                     const char *why)
{
    const char *lab = "";
    if (strncmp(command, "./lab ", 6) == 0) lab = console_lab(), command += 5;
    int length = (int)(strlen(lab) + strlen(command)), at = LABEL + length + 2;
    if (at < WHY_COLUMN) at = WHY_COLUMN;
    bool beside = at + text_columns(why, strlen(why)) <= console->columns;
    printf("%s%-*s%s", console_on(console, CONSOLE_BOLD), LABEL, label,
           console_off(console, CONSOLE_BOLD));
    put_text(lab);
    put_text(command);
    if (why[0] != '\0' && beside) printf("%*s", at - LABEL - length, ""), put_text(why);
    putchar('\n');
    if (why[0] != '\0' && !beside) console_text(console, CONSOLE_DIM, LABEL + 2, why);
}

int console_column(const Console *console, int indent, int width)
{
    int column = indent + width;
    return console->columns - column < LEAST_TEXT ? indent + 2 : column;
}

void console_item(const Console *console, int indent, int width, const char *name, const char *text)
{
    int used = text_columns(name, strlen(name)), column = console_column(console, indent, width);
    printf("%*s%s", indent, "", console_on(console, CONSOLE_BOLD));
    put_text(name);
    printf("%s", console_off(console, CONSOLE_BOLD));
    if (indent + used + 1 > column) printf("\n%*s", column, "");
    else printf("%*s", column - indent - used, "");
    wrap(console, column, column, text, text + strlen(text));
    putchar('\n');
}

const char *console_lab(void)
{
    const char *self = getenv("LAB_SELF");
    return self != NULL && self[0] != '\0' ? self : "./lab";
}

static void check_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    fputs("standard output could not be written\n", stderr);
    _exit(EXIT_FAILURE);
}

void console_check_output(void)
{
    atexit(check_output);
}
