#include "labs/driver/beside.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TAB = 4, MOST_LINES = 1000, GUTTER = 5 };

typedef struct Lines {
    const char **at;
    int          count, widest;
} Lines;

// Tabs as spaces, without what ends a line.
static const char *plain(Arena *arena, const char *line, size_t bytes)
{
    char  *text = arena_alloc(arena, bytes * TAB + 1);
    size_t used = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (line[i] != '\t') text[used++] = line[i];
        else do text[used++] = ' '; while (used % TAB != 0);
    }
    while (used > 0 && strchr(" \r", text[used - 1]) != NULL) used--;
    text[used] = '\0';
    return text;
}

static Lines split(Arena *arena, const char *text)
{
    Lines lines = {.at = arena_alloc(arena, MOST_LINES * sizeof *lines.at)};
    while (*text != '\0' && lines.count < MOST_LINES) {
        size_t bytes = strcspn(text, "\n");
        const char *line = plain(arena, text, bytes);
        if ((int)strlen(line) > lines.widest) lines.widest = (int)strlen(line);
        lines.at[lines.count++] = line;
        text += bytes + (text[bytes] == '\n');
    }
    return lines;
}

// longest[i][j]: the most lines that both have in order, from lines i and j on.
static int *common_lines(Arena *arena, const Lines *left, const Lines *right)
{
    int  n = right->count + 1;
    int *longest = arena_zeros(arena, (size_t)(left->count + 1) * (size_t)n * sizeof *longest);
    for (int i = left->count - 1; i >= 0; i--)
        for (int j = right->count - 1; j >= 0; j--) {
            int down = longest[(i + 1) * n + j], along = longest[i * n + j + 1];
            longest[i * n + j] = strcmp(left->at[i], right->at[j]) == 0 ? longest[(i + 1) * n + j + 1] + 1
                                 : down > along                          ? down
                                                                         : along;
        }
    return longest;
}

// Where the next line that both have stands, in both; their ends when there is none.
static void next_common(const int *longest, const Lines *left, const Lines *right, int *i, int *j)
{
    int n = right->count + 1;
    while (*i < left->count && *j < right->count && strcmp(left->at[*i], right->at[*j]) != 0)
        if (longest[(*i + 1) * n + *j] >= longest[*i * n + *j + 1]) ++*i;
        else ++*j;
    if (*i < left->count && *j < right->count) return;
    *i = left->count;
    *j = right->count;
}

static void print_row(const Page *page, int width, const char *left, char mark, const char *right)
{
    PageStyle style = mark == ' ' ? PAGE_PLAIN : PAGE_BOLD;
    if (right[0] == '\0' && mark == ' ')
        printf("%s\n", left);
    else
        printf("%-*s  %s%c%s%s%s\n", width, left, page_on(page, style), mark, page_off(page, style),
               right[0] != '\0' ? "  " : "", right);
}

static void print_beside(Arena *arena, const Page *page, const Lines *left, const Lines *right)
{
    const int *longest = common_lines(arena, left, right);
    for (int i = 0, j = 0; i < left->count || j < right->count;) {
        int i_end = i, j_end = j;
        next_common(longest, left, right, &i_end, &j_end);
        for (; i < i_end && j < j_end; i++, j++)
            print_row(page, left->widest, left->at[i], '|', right->at[j]);
        for (; i < i_end; i++) print_row(page, left->widest, left->at[i], '<', "");
        for (; j < j_end; j++) print_row(page, left->widest, "", '>', right->at[j]);
        if (i < left->count) print_row(page, left->widest, left->at[i], ' ', right->at[j]);
        i += i < left->count, j += j < right->count;
    }
}

static void print_lines(const Lines *lines)
{
    for (int i = 0; i < lines->count; i++) puts(lines->at[i]);
}

void beside_print(Arena *arena, const Page *page, int columns, const char *left_title, const char *left,
                  const char *right_title, const char *right)
{
    Lines of_left = split(arena, left), of_right = split(arena, right);
    if ((int)strlen(left_title) > of_left.widest) of_left.widest = (int)strlen(left_title);
    if (of_left.widest + GUTTER + of_right.widest <= columns) {
        printf("%s%-*s%*s%s%s\n", page_on(page, PAGE_BOLD), of_left.widest, left_title, GUTTER, "",
               right_title, page_off(page, PAGE_BOLD));
        print_beside(arena, page, &of_left, &of_right);
        return;
    }
    page_text(page, PAGE_BOLD, 0, left_title);
    print_lines(&of_left);
    putchar('\n');
    page_text(page, PAGE_BOLD, 0, right_title);
    print_lines(&of_right);
}
