/* canvas.h -- a picture of the plane: a field as shades and contour lines, with paths and dots on it.
 *
 *     Canvas *canvas = canvas_new(arena, (Box){-2, 2, -1, 3});
 *     canvas_shade(canvas, objective, context, levels, count);    // darker below, a line at each level
 *     canvas_path(canvas, x, y, steps, 2, COLOUR_BLUE);
 *     canvas_note(canvas, COLOUR_BLUE, "gradient descent, 200 steps");
 *     canvas_show(run, canvas, "Rosenbrock function", "rosenbrock");
 *
 * What lies outside the box is cut off. Everything lives in the arena.
 */
#pragma once
#include "common/arena.h"
#include "common/run.h"
#include "labs/1_foundations/calculus/calculus.h"

typedef struct Box {
    double left, right, bottom, top;
} Box;

typedef struct Colour {
    float red, green, blue;
} Colour;

#define COLOUR_BLUE   ((Colour){0.00f, 0.45f, 0.70f})    // Okabe & Ito 2008, as in common/plot.c
#define COLOUR_RED    ((Colour){0.84f, 0.37f, 0.00f})
#define COLOUR_GREEN  ((Colour){0.00f, 0.62f, 0.45f})
#define COLOUR_PURPLE ((Colour){0.80f, 0.25f, 0.60f})
#define COLOUR_BLACK  ((Colour){0.10f, 0.10f, 0.10f})

typedef struct Canvas Canvas;

Canvas *canvas_new(Arena *arena, Box box);

// Levels rise. Bands go from dark (below the first) to white (above the last).
void canvas_shade(Canvas *canvas, Field *f, const void *context, const double *levels, int count);

// Two colours that meet where f = middle, fading to white there, and a line at it.
void canvas_sides(Canvas *canvas, Field *f, const void *context, double middle, double reach,
                  Colour below, Colour above);

// Width and radius in pixels.
void canvas_path(Canvas *canvas, const double *x, const double *y, int count, double width,
                 Colour colour);
void canvas_dot(Canvas *canvas, double x, double y, double radius, Colour colour);
void canvas_note(Canvas *canvas, Colour colour, const char *text);    // a line of the legend

// Saves out/NAME.png.
void canvas_show(const Run *run, const Canvas *canvas, const char *title, const char *name);
