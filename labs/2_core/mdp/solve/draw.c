#include "labs/2_core/mdp/solve/draw.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "common/text.h"

enum { TEXT = 16, INDENT = 2, WIDEST_VALUE = 7 };

typedef struct Range {
    double low, high;
} Range;

static bool is_wall(const World *world, int cell)
{
    return world->cells[cell] < 0;
}

static const char *wall_text(const World *world, int cell)
{
    return world->map == NULL ? "" : world->map[cell] == 'C' ? "C" : "#";
}

// Of the values on the map. Terminal states count: theirs is 0.
static Range range_of(const World *world, const double *values)
{
    Range range = {INFINITY, -INFINITY};
    for (int c = 0; c < world->rows * world->columns; c++)
        if (!is_wall(world, c)) {
            range.low = fmin(range.low, values[world->cells[c]]);
            range.high = fmax(range.high, values[world->cells[c]]);
        }
    return range;
}

// Where a value stands between the lowest (0) and the highest (1).
static double share(Range range, double value)
{
    return range.high > range.low ? (value - range.low) / (range.high - range.low) : 0.5;
}

static void value_text(char *text, double value, int decimals)
{
    snprintf(text, TEXT, "%.*f", decimals, value);
    bool zero = strspn(text, "-0.") == strlen(text);
    if (zero && text[0] == '-') memmove(text, text + 1, strlen(text));    // never "-0.0"
}

// The best actions' arrows one after another; of a terminal state its letter on the map.
static void arrows_text(char *text, const World *world, int cell, const double *policy)
{
    int s = world->cells[cell], at = 0;
    text[0] = '\0';
    if (world->mdp.terminal[s]) {
        char letter = world->map != NULL ? world->map[cell] : '*';
        snprintf(text, TEXT, "%c", letter);
        return;
    }
    for (int a = 0; a < world->mdp.actions; a++)
        if (policy[(size_t)s * (size_t)world->mdp.actions + (size_t)a] > 0)
            at += snprintf(text + at, (size_t)(TEXT - at), "%.*s", TEXT - 1 - at, world->arrows[a]);
    size_t whole = 0;    // a name may be cut within a character
    for (size_t length; text[whole] != '\0'; whole += length)
        if ((length = text_utf8_length(text + whole, strlen(text + whole))) == 0) break;
    text[whole] = '\0';
}

// ---- terminal ----

// Of the 256 colours that terminals share: from orange over white to blue.
static const int RAMP[] = {209, 215, 216, 223, 230, 231, 195, 153, 117, 75};
enum { RAMP_COUNT = sizeof RAMP / sizeof *RAMP, WALL = 240 };

static void print_cell(const Console *console, const char *text, int width, int colour)
{
    int pad = width - text_columns(text, strlen(text));
    if (pad < 0) pad = 0;
    if (console->colour) printf("\033[48;5;%d;38;5;16m%*s%s\033[0m", colour, pad, "", text);
    else printf("%*s%s", pad, "", text);
}

typedef struct Layout {
    int width;       // of a cell, with the blank that sets it apart
    int decimals;    // of the values; negative: too wide, arrows only
} Layout;

static int widest_value(const World *world, const double *values, int decimals)
{
    char text[TEXT];
    int widest = 0;
    for (int c = 0; c < world->rows * world->columns; c++) {
        if (is_wall(world, c)) continue;
        value_text(text, values[world->cells[c]], decimals);
        widest = (int)strlen(text) > widest ? (int)strlen(text) : widest;
    }
    return widest;
}

// As many decimals as fit, at most 2.
static Layout layout(const World *world, const double *values, const double *policy, int columns)
{
    char text[TEXT];
    int arrows = 0;
    for (int c = 0; policy != NULL && c < world->rows * world->columns; c++) {
        if (is_wall(world, c)) continue;
        arrows_text(text, world, c, policy);
        int width = text_columns(text, strlen(text));
        arrows = width > arrows ? width : arrows;
    }
    for (int decimals = 2; decimals >= 0; decimals--) {
        int widest = widest_value(world, values, decimals);
        int width = 1 + (widest > arrows ? widest : arrows);
        bool fits = width * world->columns <= columns && widest <= WIDEST_VALUE;
        if (fits || (decimals == 0 && policy == NULL)) return (Layout){width, decimals};
    }
    return (Layout){arrows + 1, -1};
}

int draw_map(const Console *console, const World *world, const double *values, const double *policy)
{
    Range range = range_of(world, values);
    int room = console->columns - INDENT, lines = 0;
    Layout shape = layout(world, values, policy, room);
    int block = room / shape.width > 0 ? room / shape.width : 1;
    for (int from = 0; from < world->columns; from += block) {
        int to = from + block < world->columns ? from + block : world->columns;
        if (block < world->columns)
            lines++, printf("%*scolumns %d to %d\n", INDENT, "", from, to - 1);
        for (int line = 0; line < 2 * world->rows; line++) {
            bool arrows = line % 2 == 1;
            if (arrows ? policy == NULL : shape.decimals < 0) continue;
            printf("%*s", INDENT, "");
            for (int column = from; column < to; column++) {
                int cell = line / 2 * world->columns + column;
                char text[TEXT] = "";
                if (is_wall(world, cell)) {
                    print_cell(console, wall_text(world, cell), shape.width, WALL);
                    continue;
                }
                double value = values[world->cells[cell]];
                if (arrows) arrows_text(text, world, cell, policy);
                else value_text(text, value, shape.decimals);
                int colour = (int)(share(range, value) * RAMP_COUNT);
                print_cell(console, text, shape.width,
                           RAMP[colour < RAMP_COUNT ? colour : RAMP_COUNT - 1]);
            }
            putchar('\n');
            lines++;
        }
    }
    return lines;
}

// ---- picture ----

enum { FONT = 2, LETTER = 8 * FONT, EDGE = 10, LARGE = 72, SMALL = 44, MANY_COLUMNS = 12 };

static void heat(float colour[3], double at)
{
    static const float RAMPS[3][3] = {{0.99f, 0.68f, 0.42f}, {1, 1, 1}, {0.42f, 0.70f, 0.92f}};
    float t = 2 * (float)at;
    int low = t < 1 ? 0 : 1;
    for (int c = 0; c < 3; c++)
        colour[c] = RAMPS[low][c] + (t - (float)low) * (RAMPS[low + 1][c] - RAMPS[low][c]);
}

// Whether an arrow is drawn, and where it points; others are written.
static bool direction(const char *arrow, int *right, int *down)
{
    static const char letters[] = "^v<>\\/LJ";
    static const int to[][2] = {{0, -1},  {0, 1},  {-1, 0}, {1, 0},
                                {-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
    const char *found = strlen(arrow) == 1 ? strchr(letters, arrow[0]) : NULL;
    if (found == NULL) return false;
    *right = to[found - letters][0];
    *down = to[found - letters][1];
    return true;
}

static double to_segment(double x, double y, double x0, double y0, double x1, double y1)
{
    double dx = x1 - x0, dy = y1 - y0;
    double t = fmin(1, fmax(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
    return hypot(x - x0 - t * dx, y - y0 - t * dy);
}

// Darkens the pixels of a tile that an arrow from its lower middle covers. pixels: [side,side,3].
static void draw_arrow(float *pixels, int side, int right, int down)
{
    double length = hypot(right, down), dx = right / length, dy = down / length;
    double x0 = side / 2.0, y0 = 0.64 * side, size = 0.22 * side;
    double x1 = x0 + size * dx, y1 = y0 + size * dy, head = 0.4 * size;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            double away = to_segment(x, y, x0 + 3 * dx, y0 + 3 * dy, x1, y1);
            for (int wing = -1; wing <= 1; wing += 2)    // the head
                away = fmin(away, to_segment(x, y, x1, y1, x1 - head * (dx - wing * 0.7 * dy),
                                             y1 - head * (dy + wing * 0.7 * dx)));
            float ink = (float)fmin(1, fmax(0, 1.8 - away));
            for (int c = 0; c < 3; c++) {
                float *p = &pixels[3 * (y * side + x) + c];
                *p += ink * (0.15f - *p);
            }
        }
}

static void text_centered(Picture *picture, int left, int top, int side, const char *text)
{
    int scale = picture_text_width(text, FONT) <= side - 2 ? FONT : 1;
    picture_text(picture, left + (side - picture_text_width(text, scale)) / 2, top, text, scale);
}

Picture *draw_picture(Arena *arena, const World *world, const double *values, const double *policy,
                      const char *caption)
{
    Range range = range_of(world, values);
    int side = world->columns > MANY_COLUMNS ? SMALL : LARGE;
    int across = world->columns * side, text = picture_text_width(caption, FONT),
        decimals = side == SMALL ? 0 : 2;
    while (decimals > 0 && widest_value(world, values, decimals) > 5) decimals--;
    Picture *picture = picture_new(arena, 2 * EDGE + (text > across ? text : across),
                                   3 * EDGE + world->rows * side + LETTER);
    float *tile = arena_alloc(arena, sizeof *tile * (size_t)(side * side) * 3);
    for (int cell = 0; cell < world->rows * world->columns; cell++) {
        int left = EDGE + cell % world->columns * side, top = EDGE + cell / world->columns * side;
        int s = world->cells[cell], right, down;
        float colour[3] = {0.6f, 0.6f, 0.6f};
        if (s >= 0) heat(colour, share(range, values[s]));
        for (int i = 0; i < side * side; i++)    // a thin line apart
            for (int c = 0; c < 3; c++)
                tile[3 * i + c] = i < side || i % side == 0 ? 0.8f : colour[c];
        const double *row =
            policy != NULL && s >= 0 ? policy + (size_t)s * (size_t)world->mdp.actions : NULL;
        bool written = false;
        for (int a = 0; row != NULL && !world->mdp.terminal[s] && a < world->mdp.actions; a++) {
            if (!(row[a] > 0)) continue;
            if (direction(world->arrows[a], &right, &down)) draw_arrow(tile, side, right, down);
            else written = true;
        }
        picture_tile(picture, left, top, tile, side, side, 3, 1);
        if (s < 0) {
            text_centered(picture, left, top + (side - LETTER) / 2, side, wall_text(world, cell));
            continue;
        }
        char letters[TEXT];
        value_text(letters, values[s], decimals);
        text_centered(picture, left, top + 4, side, letters);
        if (row == NULL || (!written && !world->mdp.terminal[s])) continue;
        arrows_text(letters, world, cell, policy);
        text_centered(picture, left, top + side / 2 + (side == LARGE), side, letters);
    }
    picture_text(picture, EDGE, 2 * EDGE + world->rows * side, caption, FONT);
    return picture;
}
