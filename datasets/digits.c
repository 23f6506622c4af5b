#include "datasets/digits.h"
#include "common/rng.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

// A digit is written as a pen would: a curve through a few points (Catmull & Rom 1974), bent by a
// smooth random field, slanted, squeezed and turned, then inked with a round nib of soft edge.

typedef struct Point {
    float x, y, radius;
} Point;

enum { STYLES = 4, STYLE_POINTS = 16, STEPS = 8, PATH_POINTS = STYLE_POINTS * (STEPS + 1) };

typedef struct Path {
    int count;
    Point points[PATH_POINTS];
    bool lifted[PATH_POINTS];    // the pen was up on the way to this point
} Path;

// The ways to write each digit, in a box of 100x100 with y downwards. A point given twice in a row
// is a corner; LIFT takes the pen off the paper; the list ends at the first {0,0}.
#define LIFT                                                                                       \
    {                                                                                              \
        255, 255                                                                                   \
    }
// clang-format off
static const uint8_t styles[DIGIT_CLASSES][STYLES][STYLE_POINTS][2] = {
  {{{55,3},{25,12},{10,45},{18,80},{45,98},{75,85},{90,50},{78,15},{50,4},{35,10}},
   {{70,8},{40,5},{15,35},{15,70},{40,97},{72,80},{82,40},{65,8},{40,12}},
   {{40,10},{15,40},{20,80},{50,97},{82,70},{80,25},{55,5},{38,18},{55,25}},
   {{48,2},{20,20},{8,55},{22,90},{55,97},{84,72},{88,35},{70,8},{46,3}}},
  {{{50,1},{50,35},{50,70},{50,99}},
   {{52,1},{51,50},{48,99}},
   {{48,1},{50,30},{50,99}},
   {{30,22},{52,2},{52,2},{52,50},{50,99}}},
  {{{12,25},{30,5},{65,4},{80,25},{65,55},{30,82},{8,97},{8,97},{45,93},{90,96}},
   {{15,22},{38,3},{72,10},{74,38},{45,72},{18,93},{10,84},{25,76},{50,88},{75,97},{92,88}},
   {{10,30},{22,8},{55,2},{78,20},{70,50},{35,80},{12,95},{12,95},{40,88},{65,96},{95,90}},
   {{8,18},{35,4},{68,8},{76,32},{55,66},{25,90},{12,90},{30,80},{60,92},{98,86}}},
  {{{15,12},{45,2},{75,15},{70,38},{40,48},{40,48},{75,58},{82,80},{50,98},{12,88}},
   {{15,5},{80,5},{80,5},{42,42},{42,42},{75,52},{82,78},{52,98},{14,90}},
   {{20,15},{50,2},{74,20},{60,42},{38,47},{34,44},{50,46},{78,66},{70,92},{38,98},{12,85}},
   {{12,10},{48,3},{72,20},{60,40},{35,46},{35,46},{70,55},{76,82},{45,99},{15,96}}},
  {{{20,5},{15,30},{12,55},{12,55},{45,58},{88,52},LIFT,{72,5},{68,45},{62,99}},
   {{62,99},{65,50},{70,2},{70,2},{35,35},{8,65},{8,65},{50,66},{95,64}},
   {{15,8},{12,35},{25,55},{55,52},{80,40},LIFT,{82,5},{78,50},{70,99}},
   {{28,4},{16,32},{14,52},{38,58},{74,44},{84,4},{78,45},{70,99}}},
  {{{85,5},{30,5},{30,5},{24,42},{24,42},{55,38},{80,62},{68,90},{35,98},{10,86}},
   {{30,8},{24,45},{24,45},{55,40},{78,65},{60,93},{12,95},LIFT,{30,8},{60,6},{92,3}},
   {{80,8},{45,8},{25,22},{35,42},{65,55},{70,80},{45,97},{10,90}},
   {{35,10},{28,46},{28,46},{62,44},{74,70},{50,96},{8,90},LIFT,{34,10},{85,12}}},
  {{{70,2},{38,22},{15,60},{22,90},{52,98},{78,80},{68,58},{40,58},{18,78}},
   {{55,1},{30,35},{20,70},{32,96},{62,96},{76,74},{58,55},{30,66},{22,80}},
   {{80,8},{50,5},{18,40},{15,80},{45,98},{80,85},{82,58},{50,50},{20,68}},
   {{60,2},{25,40},{15,75},{35,98},{70,88},{76,68},{52,60},{24,80}}},
  {{{10,10},{50,8},{88,6},{88,6},{65,45},{45,98}},
   {{10,8},{88,5},{88,5},{60,50},{42,99},LIFT,{30,50},{82,46}},
   {{12,25},{14,8},{14,8},{50,12},{85,5},{85,5},{72,40},{55,70},{48,99}},
   {{8,14},{40,4},{78,8},{82,22},{62,55},{50,99}}},
  {{{75,15},{48,2},{22,18},{35,40},{65,58},{78,82},{48,98},{20,80},{38,55},{68,35},{75,15}},
   {{50,48},{25,28},{45,3},{75,22},{52,47},{22,75},{48,98},{80,76},{50,48}},
   {{80,10},{50,4},{28,22},{45,45},{70,65},{62,95},{30,95},{20,72},{45,50},{72,30},{84,8}},
   {{70,12},{45,4},{28,20},{44,42},{66,62},{68,88},{42,98},{26,78},{44,54},{70,30},{66,10}}},
  {{{78,20},{50,3},{20,20},{25,45},{55,48},{76,22},{76,22},{74,60},{68,99}},
   {{78,15},{48,4},{20,25},{32,48},{62,42},{80,12},{78,50},{65,88},{30,98}},
   {{75,30},{60,5},{28,12},{15,38},{40,52},{72,35},{78,8},{72,50},{60,99}},
   {{70,10},{40,8},{22,30},{38,46},{68,28},{74,6},{74,6},{66,50},{58,99}}},
};
// clang-format on

// Near N(0,1), within +-3: three uniforms need no logarithm, whose last bit differs by machine.
static float bell(Rng *rng)
{
    float sum = rng_uniform(rng) + rng_uniform(rng) + rng_uniform(rng);
    return 2.0f * sum - 3.0f;
}

static float between(Rng *rng, float low, float high)
{
    return low + (high - low) * rng_uniform(rng);
}

static float within(float x, float low, float high)
{
    return fminf(fmaxf(x, low), high);
}

// A smooth random field over the box: a cubic B-spline over 5x5 random values.
enum { GRID = 5 };
typedef struct Field {
    float value[GRID][GRID][3];    // shift in x and y, change of the nib
} Field;

static void field_draw(Field *field, Rng *rng, float shift, float nib)
{
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            field->value[i][j][0] = shift * bell(rng);
            field->value[i][j][1] = shift * bell(rng);
            field->value[i][j][2] = nib * bell(rng);
        }
}

// The cell of u in [0,1] and the four B-spline weights there.
static int spline_weights(float u, float w[4])
{
    u = within(u, 0.0f, 1.0f) * (GRID - 3);
    int i = u < GRID - 3 ? (int)u : GRID - 4;
    float t = u - (float)i, s = 1.0f - t;
    w[0] = s * s * s / 6.0f;
    w[1] = (3.0f * t * t * t - 6.0f * t * t + 4.0f) / 6.0f;
    w[2] = (3.0f * s * s * s - 6.0f * s * s + 4.0f) / 6.0f;
    w[3] = t * t * t / 6.0f;
    return i;
}

static void field_at(const Field *field, float x, float y, float out[3])
{
    float wx[4], wy[4];
    int column = spline_weights(x, wx), row = spline_weights(y, wy);
    out[0] = out[1] = out[2] = 0.0f;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 3; k++)
                out[k] += wy[i] * wx[j] * field->value[row + i][column + j][k];
}

// One coordinate of the Catmull-Rom curve between b and c.
static float curve(float a, float b, float c, float d, float t)
{
    return b +
           0.5f * t *
               (c - a + t * (2.0f * a - 5.0f * b + 4.0f * c - d + t * (3.0f * (b - c) + d - a)));
}

static void path_add(Path *path, float x, float y, bool lifted)
{
    path->lifted[path->count] = lifted;
    path->points[path->count++] = (Point){x, y, 1.0f};
}

// Traces a style as a chain of short lines in the unit box, each point a little beside its place.
static void path_trace(Path *path, const uint8_t style[STYLE_POINTS][2], Rng *rng)
{
    float x[STYLE_POINTS] = {0}, y[STYLE_POINTS] = {0};
    int n = 0;
    for (int i = 0; i < STYLE_POINTS && style[i][0] != 0; i++, n++) {
        int corner = i > 0 && memcmp(style[i], style[i - 1], 2) == 0;
        x[i] = corner ? x[i - 1] : 0.01f * (float)style[i][0] + 0.035f * bell(rng);
        y[i] = corner ? y[i - 1] : 0.01f * (float)style[i][1] + 0.035f * bell(rng);
    }
    path->count = 0;
    int start = 0;
    for (int end = 0; end <= n; end++) {
        if (end < n && style[end][0] != 255) continue;
        path_add(path, x[start], y[start], true);
        for (int i = start; i + 1 < end; i++) {
            if (memcmp(style[i], style[i + 1], 2) == 0) continue;
            int a = i > start ? i - 1 : i, d = i + 2 < end ? i + 2 : i + 1;
            for (int k = 1; k <= STEPS; k++) {
                float t = (float)k / STEPS;
                path_add(path, curve(x[a], x[i], x[i + 1], x[d], t),
                         curve(y[a], y[i], y[i + 1], y[d], t), false);
            }
        }
        start = end + 1;
    }
}

// Bends the path by a smooth field, then slants, squeezes and turns it: one writer's hand.
static void path_bend(Path *path, Rng *rng)
{
    Field field;
    field_draw(&field, rng, 0.16f, 0.35f);
    float width = between(rng, 0.6f, 1.2f), slant = 0.20f + 0.25f * bell(rng);
    float turn = 0.10f * bell(rng);
    for (int i = 0; i < path->count; i++) {
        Point *p = &path->points[i];
        float f[3];
        field_at(&field, p->x, p->y, f);
        float x = width * (p->x + f[0] - 0.5f), y = p->y + f[1] - 0.5f;
        p->x = x - (slant + turn) * y;
        p->y = y + turn * x;
        p->radius = fmaxf(1.0f + f[2], 0.6f);
    }
}

// Scales the path so that its ink fits a box of 20 pixels and moves its mass to the middle.
static void path_place(Path *path, Rng *rng)
{
    const float margin = 3.0f;    // of the pen's way to the image's border: a 7 has its mass far up
    float nib = between(rng, 0.8f, 1.65f);
    float left = 1e9f, right = -1e9f, top = 1e9f, bottom = -1e9f;
    for (int i = 0; i < path->count; i++) {
        const Point *p = &path->points[i];
        left = fminf(left, p->x), right = fmaxf(right, p->x);
        top = fminf(top, p->y), bottom = fmaxf(bottom, p->y);
    }
    float scale = (20.0f - 2.0f * nib) / fmaxf(fmaxf(right - left, bottom - top), 0.1f);
    float mass = 0.0f, mass_x = 0.0f, mass_y = 0.0f;
    for (int i = 1; i < path->count; i++) {
        const Point *p = &path->points[i - 1], *q = &path->points[i];
        if (path->lifted[i]) continue;
        float dx = q->x - p->x, dy = q->y - p->y, length = sqrtf(dx * dx + dy * dy);
        mass += length;
        mass_x += length * 0.5f * (p->x + q->x);
        mass_y += length * 0.5f * (p->y + q->y);
    }
    mass_x /= mass, mass_y /= mass;
    // MNIST moves by whole pixels, so that its centres scatter by half a pixel.
    float x = 0.5f * DIGIT_SIZE + between(rng, -0.5f, 0.5f);
    float y = 0.5f * DIGIT_SIZE + between(rng, -0.5f, 0.5f);
    float far = DIGIT_SIZE - margin;
    x = within(x, margin + scale * (mass_x - left), far + scale * (mass_x - right));
    y = within(y, margin + scale * (mass_y - top), far + scale * (mass_y - bottom));
    for (int i = 0; i < path->count; i++) {
        Point *p = &path->points[i];
        p->x = x + scale * (p->x - mass_x);
        p->y = y + scale * (p->y - mass_y);
        p->radius *= nib;
    }
}

// Distance from a pixel's centre to the line p-q, less the nib there: below 0 lies under the pen.
static float ink_distance(const Point *p, const Point *q, float x, float y)
{
    float dx = q->x - p->x, dy = q->y - p->y, square = dx * dx + dy * dy;
    float t = square > 0.0f ? ((x - p->x) * dx + (y - p->y) * dy) / square : 0.0f;
    t = within(t, 0.0f, 1.0f);
    float ex = x - p->x - t * dx, ey = y - p->y - t * dy;
    return sqrtf(ex * ex + ey * ey) - (p->radius + t * (q->radius - p->radius));
}

static int nearest_pixel(float x)
{
    return (int)within(x, 0.0f, DIGIT_SIZE - 1);
}

static const float edge = 1.15f;    // pixels from full ink to bare paper

static void path_ink(const Path *path, float ink[DIGIT_SIZE][DIGIT_SIZE])
{
    for (int i = 1; i < path->count; i++) {
        const Point *p = &path->points[i - 1], *q = &path->points[i];
        if (path->lifted[i]) continue;
        float reach = fmaxf(p->radius, q->radius) + 0.5f * edge;
        int left = nearest_pixel(fminf(p->x, q->x) - reach);
        int right = nearest_pixel(fmaxf(p->x, q->x) + reach);
        int top = nearest_pixel(fminf(p->y, q->y) - reach);
        int bottom = nearest_pixel(fmaxf(p->y, q->y) + reach);
        for (int y = top; y <= bottom; y++)
            for (int x = left; x <= right; x++) {
                float d = ink_distance(p, q, (float)x + 0.5f, (float)y + 0.5f);
                ink[y][x] = fmaxf(ink[y][x], 0.5f - d / edge);
            }
    }
}

int digits_draw(uint8_t pixels[DIGIT_PIXELS], uint64_t seed, uint64_t index)
{
    Rng rng = rng_stream(seed, index);
    int label = (int)rng_below(&rng, DIGIT_CLASSES), style = (int)rng_below(&rng, STYLES);
    Path path;
    path_trace(&path, styles[label][style], &rng);
    path_bend(&path, &rng);
    path_place(&path, &rng);

    float ink[DIGIT_SIZE][DIGIT_SIZE] = {{0}};
    path_ink(&path, ink);
    for (int i = 0; i < DIGIT_PIXELS; i++) {
        float value = ink[i / DIGIT_SIZE][i % DIGIT_SIZE];
        // Paper grain shows at the edge of the ink and hardly inside it; bare paper stays at 0.
        if (value > 0.0f && value < 1.0f) value += 0.16f * (rng_uniform(&rng) - 0.5f);
        else if (value >= 1.0f) value = 1.0f - 0.02f * rng_uniform(&rng);
        pixels[i] = (uint8_t)(255.0f * within(value, 0.0f, 1.0f) + 0.5f);
    }
    return label;
}

void digits_fill(uint8_t *pixels, uint8_t *labels, uint64_t seed, uint64_t first, size_t count)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        labels[i] = (uint8_t)digits_draw(pixels + i * DIGIT_PIXELS, seed, first + i);
}
