#include "labs/1_foundations/calculus/canvas.h"
#include <math.h>
#include <stdio.h>
#include "common/picture.h"

enum { WIDTH = 720, HEIGHT = 540, NOTES_MAX = 8, LINE = 22, MARGIN = 12 };

struct Canvas {
    Arena *arena;
    Box box;
    int notes;
    const char *note[NOTES_MAX];
    Colour note_colour[NOTES_MAX];
    float rgb[HEIGHT][WIDTH][3];
};

Canvas *canvas_new(Arena *arena, Box box)
{
    Canvas *canvas = arena_alloc(arena, sizeof *canvas);
    canvas->arena = arena;
    canvas->box = box;
    canvas->notes = 0;
    for (int r = 0; r < HEIGHT; r++)
        for (int c = 0; c < WIDTH; c++)
            for (int k = 0; k < 3; k++) canvas->rgb[r][c][k] = 1;
    return canvas;
}

static double column_of(const Canvas *canvas, double x)
{
    return (x - canvas->box.left) / (canvas->box.right - canvas->box.left) * WIDTH;
}

static double row_of(const Canvas *canvas, double y)
{
    return (canvas->box.top - y) / (canvas->box.top - canvas->box.bottom) * HEIGHT;
}

// share = 1 hides what was there.
static void blend(Canvas *canvas, int row, int column, Colour colour, double share)
{
    float *pixel = canvas->rgb[row][column], part = (float)fmin(fmax(share, 0), 1);
    pixel[0] += part * (colour.red - pixel[0]);
    pixel[1] += part * (colour.green - pixel[1]);
    pixel[2] += part * (colour.blue - pixel[2]);
}

// The field at the corners of all pixels.
static double *sample(const Canvas *canvas, Field *f, const void *context)
{
    double *value = arena_alloc(canvas->arena, sizeof *value * (HEIGHT + 1) * (WIDTH + 1));
    const Box *box = &canvas->box;
    for (int r = 0; r <= HEIGHT; r++)
        for (int c = 0; c <= WIDTH; c++) {
            double at[2] = {box->left + (box->right - box->left) * c / WIDTH,
                            box->top - (box->top - box->bottom) * r / HEIGHT};
            value[r * (WIDTH + 1) + c] = f(at, 2, context);
        }
    return value;
}

// A pixel is on a contour line when its corners lie on different sides of the level.
static bool crosses(const double *corner, double level)
{
    int above = (corner[0] > level) + (corner[1] > level) + (corner[WIDTH + 1] > level) +
                (corner[WIDTH + 2] > level);
    return above > 0 && above < 4;
}

void canvas_shade(Canvas *canvas, Field *f, const void *context, const double *levels, int count)
{
    const Colour low = {0.66f, 0.76f, 0.86f}, line = {0.45f, 0.55f, 0.65f};
    double *value = sample(canvas, f, context);
    for (int r = 0; r < HEIGHT; r++)
        for (int c = 0; c < WIDTH; c++) {
            const double *corner = value + r * (WIDTH + 1) + c;
            int band = 0;
            bool edge = false;
            for (int l = 0; l < count; l++) {
                band += corner[0] > levels[l];
                edge = edge || crosses(corner, levels[l]);
            }
            blend(canvas, r, c, low, 1 - (double)band / count);
            if (edge) blend(canvas, r, c, line, 0.7);
        }
}

void canvas_sides(Canvas *canvas, Field *f, const void *context, double middle, double reach,
                  Colour below, Colour above)
{
    double *value = sample(canvas, f, context);
    for (int r = 0; r < HEIGHT; r++)
        for (int c = 0; c < WIDTH; c++) {
            const double *corner = value + r * (WIDTH + 1) + c;
            double side = (corner[0] - middle) / reach;
            blend(canvas, r, c, side < 0 ? below : above, 0.10 + 0.35 * fmin(fabs(side), 1));
            if (crosses(corner, middle)) blend(canvas, r, c, COLOUR_BLACK, 1);
        }
}

// All that is nearer than `half` pixels to the segment from (ax,ay) to (bx,by), with a soft edge.
static void stroke(Canvas *canvas, double ax, double ay, double bx, double by, double half,
                   Colour colour)
{
    double left = fmin(ax, bx) - half - 1, right = fmax(ax, bx) + half + 1;
    double high = fmin(ay, by) - half - 1, low = fmax(ay, by) + half + 1;
    if (!(left < WIDTH && right > 0 && high < HEIGHT && low > 0)) return;    // NaN too
    double ux = bx - ax, uy = by - ay, length2 = ux * ux + uy * uy;
    for (int r = (int)fmax(high, 0); r < fmin(low, HEIGHT); r++)
        for (int c = (int)fmax(left, 0); c < fmin(right, WIDTH); c++) {
            double x = c + 0.5 - ax, y = r + 0.5 - ay;
            double along = length2 > 0 ? fmin(fmax((x * ux + y * uy) / length2, 0), 1) : 0;
            double away = hypot(x - along * ux, y - along * uy);
            if (away < half + 0.5) blend(canvas, r, c, colour, half + 0.5 - away);
        }
}

void canvas_dot(Canvas *canvas, double x, double y, double radius, Colour colour)
{
    double c = column_of(canvas, x), r = row_of(canvas, y);
    stroke(canvas, c, r, c, r, radius, colour);
}

void canvas_path(Canvas *canvas, const double *x, const double *y, int count, double width,
                 Colour colour)
{
    for (int i = 1; i < count; i++)
        stroke(canvas, column_of(canvas, x[i - 1]), row_of(canvas, y[i - 1]),
               column_of(canvas, x[i]), row_of(canvas, y[i]), width / 2, colour);
}

void canvas_note(Canvas *canvas, Colour colour, const char *text)
{
    REQUIRE(canvas->notes < NOTES_MAX, "no room for '%s' after %d notes", text, canvas->notes);
    canvas->note_colour[canvas->notes] = colour;
    canvas->note[canvas->notes++] = arena_print(canvas->arena, "%s", text);
}

// The plane in the middle, the title above, and the ends of both axes and the notes below.
static Picture *frame(const Canvas *canvas, const char *title)
{
    Arena *arena = canvas->arena;
    const Box *box = &canvas->box;
    int below = MARGIN + 2 * LINE + HEIGHT;
    Picture *picture =
        picture_new(arena, WIDTH + 2 * MARGIN, below + LINE * (canvas->notes + 1) + MARGIN);
    picture_text(picture, MARGIN, MARGIN, title, 2);
    picture_tile(picture, MARGIN, MARGIN + LINE + LINE / 2, canvas->rgb[0][0], HEIGHT, WIDTH, 3, 1);
    picture_text(picture, MARGIN, below,
                 arena_print(arena, "x: %g to %g     y: %g to %g", box->left, box->right,
                             box->bottom, box->top),
                 2);
    for (int i = 0; i < canvas->notes; i++) {
        int top = below + LINE * (i + 1);
        const Colour *colour = &canvas->note_colour[i];
        float ink[] = {colour->red, colour->green, colour->blue};
        for (int k = 0; k < 3; k++) picture_tile(picture, MARGIN + 8 * k, top + 4, ink, 1, 1, 3, 8);
        picture_text(picture, MARGIN + 34, top, canvas->note[i], 2);
    }
    return picture;
}

void canvas_show(const Run *run, const Canvas *canvas, const char *title, const char *name)
{
    run_picture(run, frame(canvas, title), title, name);
}
