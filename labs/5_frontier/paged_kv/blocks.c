/* blocks.c -- pictures of who holds which block: letters, a PNG, and live in the terminal. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "common/console.h"
#include "common/terminal.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/burst.h"

enum { CELL = 16, SHARED = TEXTS, IDLE };

// Of the texts A to G, of shared blocks, and of those that are cached and free: for the PNG, and in the
// palette of 256 that terminals have.
static const uint8_t colours[TEXTS + 2][3] = {{31, 119, 180},  {255, 127, 14},  {44, 160, 44},
                                              {214, 39, 40},   {148, 103, 189}, {140, 86, 75},
                                              {227, 119, 194}, {40, 40, 40},    {200, 200, 200}};
static const int palette[TEXTS + 2] = {31, 208, 34, 160, 97, 94, 175, 236, 250};

static int colour_of(char letter)    // -1: free
{
    return letter >= 'A' ? letter - 'A' : letter >= '0' ? SHARED : letter == '-' ? IDLE : -1;
}

static char letter_of(const Cell *cell)
{
    int count = 0, last = 0;
    for (int i = 0; i < TEXTS; i++)
        if (cell->owners >> i & 1) count++, last = i;
    if (count == 0) return cell->cached ? '-' : '.';
    return (char)(count > 1 ? '0' + count : 'A' + last);
}

const char *burst_map(const Burst *burst, Arena *arena, int frame)
{
    char *text = arena_zeros(arena, (size_t)burst->options.blocks + 1);
    for (int b = 0; b < burst->options.blocks; b++)
        text[b] = letter_of(&burst->frames[frame].cells[b]);
    return text;
}

void burst_picture(const Lab *lab, const Burst *burst)
{
    Picture *picture = picture_new(lab->step, burst->options.blocks * CELL, burst->count * CELL);
    for (int i = 0; i < burst->count; i++)
        for (int b = 0; b < burst->options.blocks; b++) {
            const int colour = colour_of(letter_of(&burst->frames[i].cells[b]));
            for (int y = 0; y < CELL - 1 && colour >= 0; y++)
                for (int x = 0; x < CELL - 1; x++)
                    memcpy(picture->rgb + 3 * ((i * CELL + y) * picture->width + b * CELL + x),
                           colours[colour], 3);
        }
    run_picture(lab->run, picture, "Blocks by step: colour = holder, black = shared, gray = cached",
                "blocks");
}

// ---- live ----

// A line each for the step, its events and the texts; and so many of blocks.
static int lines_needed(const Lab *lab, int columns)
{
    const int in_line = (columns - 2) / 3;
    return 2 + (lab->blocks + in_line - 1) / in_line + TEXTS;
}

bool burst_can_show(const Lab *lab)
{
    const char *term = getenv("TERM");
    const TerminalSize size = terminal_size(STDOUT_FILENO);
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 &&
           size.columns >= 20 && lines_needed(lab, size.columns) < size.rows;
}

// So much of a text as the line has room for; of one that is too long, its end.
static void print_end(const char *text, int room)
{
    size_t length = strlen(text), from = 0;
    while (text_columns(text + from, length - from) > room) {
        const size_t bytes = text_utf8_length(text + from, length - from);
        from += bytes > 0 ? bytes : 1;
    }
    for (size_t i = from; i < length;
         i += text_utf8_length(text + i, length - i) + !text_utf8_length(text + i, length - i))
        if (text[i] == '\n') putchar('/');
        else text_print(text + i, text_utf8_length(text + i, length - i), stdout);
    putchar('\n');
}

void burst_show(const Lab *lab, const Burst *burst, int *lines)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    const Console console = console_begin();
    const int columns = terminal_size(STDOUT_FILENO).columns, in_line = (columns - 2) / 3;
    const Frame *frame = &burst->frames[burst->count - 1];
    if (*lines > 0) printf("\033[%dA\033[J", *lines);    // up, and clear what is below
    *lines = lines_needed(lab, columns);
    printf("  Step %d\n", burst->count);
    for (int b = 0; b < burst->options.blocks; b++) {
        const char letter = letter_of(&frame->cells[b]);
        const int colour = colour_of(letter);
        if (b % in_line == 0) printf("  ");
        if (console.colour && colour >= 0)
            printf("\033[38;5;%d;48;5;%dm %c \033[0m", colour == IDLE ? 16 : 231, palette[colour],
                   letter);
        else printf(" %c ", letter);
        if (b % in_line == in_line - 1 || b == burst->options.blocks - 1) putchar('\n');
    }
    for (int i = 0; i < TEXTS; i++) {
        printf("  %c  ", 'A' + i);
        print_end(arena_print(lab->step, "%s%s", burst->own[i], burst->texts[i]), columns - 7);
    }
    printf("  ");
    print_end(frame->events, columns - 4);
    fflush(stdout);
    nanosleep(&pause, NULL);
}
