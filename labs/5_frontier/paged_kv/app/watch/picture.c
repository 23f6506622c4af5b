/* picture.c -- who holds which block: letters, a picture, and live in the terminal. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "common/console.h"
#include "common/terminal.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/watch/recorder.h"

enum { CELL = 16, COLOURS = 7, SHARED = COLOURS, IDLE };

// Of texts, which take turns; of shared blocks; of those that are cached and free. In a picture, and in the
// palette of 256 that terminals have.
static const uint8_t colours[COLOURS + 2][3] = {{31, 119, 180},  {255, 127, 14},  {44, 160, 44},
                                                {214, 39, 40},   {148, 103, 189}, {140, 86, 75},
                                                {227, 119, 194}, {40, 40, 40},    {200, 200, 200}};
static const int palette[COLOURS + 2] = {31, 208, 34, 160, 97, 94, 175, 236, 250};

static int holders(const Cell *cell, int *last)
{
    int count = 0;
    for (int i = 0; i < RECORDED_TEXTS; i++)
        if (cell->owners >> i & 1) count++, *last = i;
    return count;
}

static int colour_of(const Cell *cell)    // -1: free
{
    int last = 0;
    const int count = holders(cell, &last);
    return count > 1 ? SHARED : count == 1 ? last % COLOURS : cell->cached ? IDLE : -1;
}

static char letter_of(const Cell *cell)
{
    int last = 0;
    const int count = holders(cell, &last);
    if (count == 0) return cell->cached ? '-' : '.';
    return (char)(count == 1 ? recorder_letter(last) : count < 10 ? '0' + count : '+');
}

const char *recorder_map(const Recorder *r, const Frame *frame)
{
    char *text = arena_zeros(r->arena, (size_t)r->blocks + 1);
    for (int b = 0; b < r->blocks; b++) text[b] = letter_of(&frame->cells[b]);
    return text;
}

static void fill(Picture *picture, int left, int top, const uint8_t *colour)
{
    for (int y = 0; y < CELL - 1; y++)
        for (int x = 0; x < CELL - 1; x++)
            memcpy(picture->rgb + 3 * ((top + y) * picture->width + left + x), colour, 3);
}

Picture *recorder_picture(const Recorder *r, Arena *arena)
{
    Picture *picture = picture_new(arena, r->blocks * CELL, r->count * CELL);
    int row = 0;
    for (const Frame *frame = r->first; frame != NULL; frame = frame->next, row++)
        for (int b = 0; b < r->blocks; b++) {
            const int colour = colour_of(&frame->cells[b]);
            if (colour >= 0) fill(picture, b * CELL, row * CELL, colours[colour]);
        }
    return picture;
}

// ---- live ----

static int columns(void)
{
    return terminal_size(STDOUT_FILENO).columns;
}

// A line each for the step, its events and the texts; and so many of blocks.
static int lines_needed(const Recorder *r, int texts)
{
    const int in_line = (columns() - 2) / 3;
    return 2 + (r->blocks + in_line - 1) / in_line + texts;
}

bool recorder_can_show(const Recorder *r, int texts)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 && columns() >= 20 &&
           lines_needed(r, texts) < terminal_size(STDOUT_FILENO).rows;
}

// So much of a text as the line has room for; of one that is too long, its end.
static void print_end(const char *text, int room)
{
    size_t left = strlen(text), bytes;
    for (; text_columns(text, left) > room; text += bytes, left -= bytes)
        if ((bytes = text_utf8_length(text, left)) == 0) bytes = 1;
    for (; left > 0; text += bytes, left -= bytes) {
        if ((bytes = text_utf8_length(text, left)) == 0) bytes = 1;
        if (*text == '\n') putchar('/');
        else text_print(text, bytes, stdout);
    }
    putchar('\n');
}

static void print_cell(const Cell *cell, bool colour)
{
    const int which = colour_of(cell);
    if (colour && which >= 0)
        printf("\033[38;5;%d;48;5;%dm %c \033[0m", which == IDLE ? 16 : 231, palette[which],
               letter_of(cell));
    else printf(" %c ", letter_of(cell));
}

void recorder_show(const Recorder *r, int *lines)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    const bool colour = console_begin().colour;
    const int in_line = (columns() - 2) / 3;
    if (*lines > 0) printf("\033[%dA\033[J", *lines);    // up, and clear what is below
    *lines = lines_needed(r, r->text_count);
    printf("  Step %d\n", r->count);
    for (int b = 0; b < r->blocks; b++) {
        if (b % in_line == 0) printf("  ");
        print_cell(&r->last->cells[b], colour);
        if (b % in_line == in_line - 1 || b == r->blocks - 1) putchar('\n');
    }
    for (int i = 0; i < r->text_count; i++) {
        printf("  %c  ", recorder_letter(i));
        print_end(arena_print(r->arena, "%s%s", r->texts[i].prompt, r->texts[i].answer),
                  columns() - 7);
    }
    printf("  ");
    print_end(r->last->events, columns() - 4);
    fflush(stdout);
    nanosleep(&pause, NULL);
}
