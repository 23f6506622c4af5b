#include "labs/driver/page.h"
#include "common/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NARROWEST = 40, WIDEST = 100, LEAST_TEXT = 32 };

Page page_begin(void)
{
    const char *columns  = getenv("COLUMNS"), *term = getenv("TERM");
    bool        terminal = isatty(STDOUT_FILENO);
    int         width    = columns != NULL ? atoi(columns) : 0;
    if (width <= 0) width = terminal_size(STDOUT_FILENO).columns;
    if (width < NARROWEST) width = NARROWEST;
    if (width > WIDEST) width = WIDEST;
    const char *refused = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE");
    terminal = terminal || (forced != NULL && strcmp(forced, "0") != 0);
    return (Page){.columns = width,
                  .colour  = terminal && (refused == NULL || refused[0] == '\0') && term != NULL &&
                            strcmp(term, "dumb") != 0};
}

const char *page_on(const Page *page, PageStyle style)
{
    static const char *const codes[] = {[PAGE_PLAIN] = "",
                                        [PAGE_BOLD]  = "\033[1m",
                                        [PAGE_DIM]   = "\033[2m",
                                        [PAGE_GOOD]  = "\033[32m",
                                        [PAGE_BAD]   = "\033[31m"};
    return page->colour ? codes[style] : "";
}

const char *page_off(const Page *page, PageStyle style)
{
    return page->colour && style != PAGE_PLAIN ? "\033[0m" : "";
}

// Columns that a word takes: UTF-8 continuation bytes take none.
static int columns_of(const char *word, size_t bytes)
{
    int columns = 0;
    for (size_t i = 0; i < bytes; i++) columns += ((unsigned char)word[i] & 0xc0) != 0x80;
    return columns;
}

// The words of the text, of which the first line begins at `column` and the others at `indent`.
static void wrap(const Page *page, int column, int indent, const char *text)
{
    bool first = true;
    for (const char *word = text + strspn(text, " "); *word != '\0'; word += strspn(word, " ")) {
        size_t bytes = strcspn(word, " ");
        int    width = columns_of(word, bytes);
        if (!first && column + 1 + width > page->columns) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        fwrite(word, 1, bytes, stdout);
        column += width;
        word += bytes;
        first = false;
    }
}

void page_text(const Page *page, PageStyle style, int indent, const char *text)
{
    printf("%*s%s", indent, "", page_on(page, style));
    wrap(page, indent, indent, text);
    printf("%s\n", page_off(page, style));
}

int page_column(const Page *page, int indent, int width)
{
    int column = indent + width;
    return page->columns - column < LEAST_TEXT ? indent + 2 : column;
}

void page_item(const Page *page, int indent, int width, const char *name, const char *text)
{
    int used = columns_of(name, strlen(name)), column = page_column(page, indent, width);
    printf("%*s%s%s%s", indent, "", page_on(page, PAGE_BOLD), name, page_off(page, PAGE_BOLD));
    if (indent + used + 1 > column)
        printf("\n%*s", column, "");
    else
        printf("%*s", column - indent - used, "");
    wrap(page, column, column, text);
    putchar('\n');
}
