#include "labs/driver/side_by_side.h"
#include "common/text.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TAB = 4, MOST_LINES = 1000, GUTTER = 5, WIDE = 110 };

typedef struct Lines {
    const char **at;
    int count, widest;
} Lines;

// Tabs as spaces, without what ends a line.
static const char *plain(Arena *arena, const char *line, size_t bytes)
{
    char *text = arena_alloc(arena, bytes * TAB + 1);
    size_t used = 0;
    for (size_t i = 0; i < bytes; i++) {
        size_t to = line[i] == '\t' ? used / TAB * TAB + TAB : used + 1;
        while (used < to) text[used++] = line[i] == '\t' ? ' ' : line[i];
    }
    while (used > 0 && strchr(" \r", text[used - 1]) != NULL) used--;
    text[used] = '\0';
    text_clean(text);
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
    int n = right->count + 1;
    int *longest = arena_zeros(arena, (size_t)(left->count + 1) * (size_t)n * sizeof *longest);
    for (int i = left->count - 1; i >= 0; i--)
        for (int j = right->count - 1; j >= 0; j--) {
            int down = longest[(i + 1) * n + j], along = longest[i * n + j + 1];
            longest[i * n + j] = strcmp(left->at[i], right->at[j]) == 0
                                     ? longest[(i + 1) * n + j + 1] + 1
                                 : down > along ? down
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

// How much of the rest of a line fits: up to its last space, or cut where there is none.
static int fitting(const char *rest, int width)
{
    int bytes = (int)strlen(rest);
    if (bytes <= width) return bytes;
    for (bytes = width; bytes > 0 && rest[bytes] != ' ';) bytes--;
    return (int)strspn(rest, " ") < bytes ? bytes : width;
}

// The next row of a line that is too long for one; what follows the first is indented further.
static const char *next_piece(Arena *arena, const char **rest, int indent, int width, bool first)
{
    if ((*rest)[0] == '\0') return "";
    int before = first ? 0 : indent;
    int bytes = fitting(*rest, width - before);
    const char *piece = arena_print(arena, "%*s%.*s", before, "", bytes, *rest);
    *rest += bytes;
    if ((*rest)[0] != '\0') *rest += strspn(*rest, " ");
    return piece;
}

// Four spaces more than the line has, as long as there is room for them.
static int indent_of(const char *line, int width)
{
    int indent = (int)strspn(line, " ") + TAB;
    return indent < width / 2 ? indent : 0;
}

static void print_row(Arena *arena, const Console *console, const int widths[2], const char *left,
                      char mark, const char *right)
{
    ConsoleStyle style = mark == ' ' ? CONSOLE_PLAIN : CONSOLE_BOLD;
    int indents[] = {indent_of(left, widths[0]), indent_of(right, widths[1])};
    bool first = true;
    do {
        const char *one = next_piece(arena, &left, indents[0], widths[0], first);
        const char *two = next_piece(arena, &right, indents[1], widths[1], first);
        if (two[0] == '\0' && mark == ' ') printf("%s\n", one);
        else
            printf("%-*s  %s%c%s%s%s\n", widths[0], one, console_on(console, style), mark,
                   console_off(console, style), two[0] != '\0' ? "  " : "", two);
        first = false;
    } while (left[0] != '\0' || right[0] != '\0');
}

static void print_beside(Arena *arena, const Console *console, const int widths[2],
                         const Lines *left, const Lines *right)
{
    const int *longest = common_lines(arena, left, right);
    for (int i = 0, j = 0; i < left->count || j < right->count;) {
        int i_end = i, j_end = j;
        next_common(longest, left, right, &i_end, &j_end);
        for (; i < i_end && j < j_end; i++, j++)
            print_row(arena, console, widths, left->at[i], '|', right->at[j]);
        for (; i < i_end; i++) print_row(arena, console, widths, left->at[i], '<', "");
        for (; j < j_end; j++) print_row(arena, console, widths, "", '>', right->at[j]);
        if (i < left->count) print_row(arena, console, widths, left->at[i], ' ', right->at[j]);
        i += i < left->count, j += j < right->count;
    }
}

static void print_lines(const Lines *lines)
{
    for (int i = 0; i < lines->count; i++) puts(lines->at[i]);
}

// Room for each: what it needs, and where both need more than half, a half.
static void share(int columns, const Lines *left, const Lines *right, int widths[2])
{
    int half = columns / 2;
    widths[0] = left->widest < half || right->widest < half ? left->widest : half;
    if (widths[0] > columns - right->widest && right->widest < half)
        widths[0] = columns - right->widest;
    widths[1] = columns - widths[0];
}

void side_by_side_print(Arena *arena, const Console *console, int columns, const char *left_title,
                        const char *left, const char *right_title, const char *right)
{
    Lines of_left = split(arena, left), of_right = split(arena, right);
    int widths[2];
    if ((int)strlen(left_title) > of_left.widest) of_left.widest = (int)strlen(left_title);
    if (of_left.widest + GUTTER + of_right.widest <= columns || columns >= WIDE) {
        share(columns - GUTTER, &of_left, &of_right, widths);
        printf("%s%-*s%*s%s%s\n", console_on(console, CONSOLE_BOLD), widths[0], left_title, GUTTER,
               "", right_title, console_off(console, CONSOLE_BOLD));
        print_beside(arena, console, widths, &of_left, &of_right);
        return;
    }
    console_text(console, CONSOLE_BOLD, 0, left_title);
    print_lines(&of_left);
    putchar('\n');
    console_text(console, CONSOLE_BOLD, 0, right_title);
    print_lines(&of_right);
}
