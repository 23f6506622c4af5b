#include "datasets/frame.h"
#include <stdlib.h>
#include <string.h>

// Bytes away from the background: what may still be the background's, and what is surely ink.
enum { EVEN = 30, INK = 50, MEASURED = 2000 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

// The value that half of what was counted lies at or below.
static int median(const long *counts, int values)
{
    long total = 0, below = 0;
    for (int i = 0; i < values; i++) total += counts[i];
    for (int i = 0; i < values; i++)
        if ((below += counts[i]) * 2 >= total) return i;
    return 0;
}

static void count_border(long counts[256], const uint8_t *gray, int height, int width)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x += y == 0 || y == height - 1 ? 1 : most(width - 1, 1))
            counts[gray[(size_t)y * (size_t)width + (size_t)x]]++;
}

static int border_gray(const uint8_t *gray, int height, int width)
{
    long counts[256] = {0};
    count_border(counts, gray, height, width);
    return median(counts, 256);
}

// ---- areas ----

typedef struct Area {
    int left, top, width, height;
} Area;

// Where a gray image differs from its background by more than `away`; of no width where it does not.
static Area ink_area(const uint8_t *gray, int height, int width, int background, int away)
{
    int left = width, right = -1, top = height, bottom = -1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (abs(gray[(size_t)y * (size_t)width + (size_t)x] - background) > away) {
                left = least(left, x), right = most(right, x);
                top = least(top, y), bottom = most(bottom, y);
            }
    if (right < 0) return (Area){0};
    return (Area){left, top, right - left + 1, bottom - top + 1};
}

// One pixel of an area that is scaled to height x width: the mean of what it covers. In integers, where
// a pixel of the area is `width` units wide: the same on every machine.
static uint8_t area_mean(const uint8_t *gray, int row, Area a, int height, int width, int y, int x)
{
    int64_t sum = 0, top = (int64_t)y * a.height, bottom = top + a.height;
    int64_t left = (int64_t)x * a.width, right = left + a.width;
    for (int64_t i = top / height; i * height < bottom; i++)
        for (int64_t j = left / width; j * width < right; j++) {
            int64_t down = (bottom < (i + 1) * height ? bottom : (i + 1) * height) -
                           (top > i * height ? top : i * height);
            int64_t across = (right < (j + 1) * width ? right : (j + 1) * width) -
                             (left > j * width ? left : j * width);
            sum += down * across * gray[(a.top + i) * row + a.left + j];
        }
    int64_t whole = (int64_t)most(1, a.height) * most(1, a.width);
    return (uint8_t)((sum + whole / 2) / whole);
}

// The size of an area whose longer side becomes `side`.
static void scaled_size(Area a, int side, int *height, int *width)
{
    int64_t longer = most(1, most(a.height, a.width));
    *height = most(1, (int)((2 * (int64_t)side * a.height + longer) / (2 * longer)));
    *width = most(1, (int)((2 * (int64_t)side * a.width + longer) / (2 * longer)));
}

void frame_scale(uint8_t pixels[FRAME_PIXELS], const uint8_t *gray, int height, int width)
{
    Area whole = {0, 0, width, height};
    int h, w;
    scaled_size(whole, FRAME_SIDE, &h, &w);
    memset(pixels, border_gray(gray, height, width), FRAME_PIXELS);
    int top = (FRAME_SIDE - h) / 2, left = (FRAME_SIDE - w) / 2;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            pixels[(top + y) * FRAME_SIDE + left + x] = area_mean(gray, width, whole, h, w, y, x);
}

uint8_t *frame_gray(Arena *arena, const Picture *picture)
{
    size_t count = (size_t)picture->width * (size_t)picture->height;
    uint8_t *gray = arena_alloc(arena, count);
    const uint8_t *rgb = picture->rgb;
    // Rec. ITU-R BT.601.
    for (size_t i = 0; i < count; i++, rgb += 3)
        gray[i] = (uint8_t)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
    return gray;
}

// ---- the frame ----

Frame frame_measure(const Images *images)
{
    int count = least(images->count, MEASURED), height = images->height, width = images->width;
    size_t size = (size_t)height * (size_t)width;
    long border[256] = {0}, sides[256] = {0}, total = 0, even = 0;
    for (int i = 0; i < count; i++)
        count_border(border, images->pixels + (size_t)i * size, height, width);
    int background = median(border, 256);
    for (int i = 0; i < 256; i++) {
        total += border[i];
        if (abs(i - background) <= EVEN) even += border[i];
    }
    for (int i = 0; i < count; i++) {
        Area ink = ink_area(images->pixels + (size_t)i * size, height, width, background, INK);
        sides[most(ink.height, ink.width)]++;
    }
    // Where clothes touch the border, three quarters of it are still background.
    return (Frame){.background = (float)background / 255.0f,
                   .box = even * 5 >= total * 3 ? median(sides, 256) : 0};
}

// Moves the ink, height x width, so that its center of mass is the image's, and all of it stays inside.
static void place_ink(uint8_t *pixels, const uint8_t *ink, int height, int width, float background)
{
    double mass = 0, down = 0, across = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double value = ink[y * width + x];
            mass += value;
            down += value * (y + 0.5);
            across += value * (x + 0.5);
        }
    if (mass == 0) mass = 1, down = height / 2.0, across = width / 2.0;    // specks, scaled away
    int top = (int)(FRAME_SIDE / 2.0 - down / mass + 0.5);
    int left = (int)(FRAME_SIDE / 2.0 - across / mass + 0.5);
    top = most(0, least(top, FRAME_SIDE - height));
    left = most(0, least(left, FRAME_SIDE - width));
    float stroke = background < 0.5f ? 1.0f : 0.0f;
    for (int i = 0; i < FRAME_PIXELS; i++) {
        int y = i / FRAME_SIDE - top, x = i % FRAME_SIDE - left;
        bool inside = y >= 0 && y < height && x >= 0 && x < width;
        float share = inside ? (float)ink[y * width + x] / 255.0f : 0.0f;
        pixels[i] = (uint8_t)(255.0f * (background + share * (stroke - background)) + 0.5f);
    }
}

const char *frame_picture(Arena *arena, uint8_t pixels[FRAME_PIXELS], const Picture *picture,
                          Frame frame)
{
    int width = picture->width, height = picture->height;
    uint8_t *gray = frame_gray(arena, picture);
    bool fits = width == FRAME_SIDE && height == FRAME_SIDE;
    int background = border_gray(gray, height, width), low = 255, high = 0;
    size_t count = (size_t)width * (size_t)height;
    for (size_t i = 0; i < count; i++) low = least(low, gray[i]), high = most(high, gray[i]);
    bool dark_ink = background - low > high - background, dark_wanted = frame.background >= 0.5f;
    int contrast = dark_ink ? background - low : high - background;
    if (frame.box > 0 && contrast <= EVEN) return NULL;
    if (frame.box == 0 || (fits && dark_ink == dark_wanted)) {
        frame_scale(pixels, gray, height, width);
        return fits ? "as it is" : "scaled to 28x28 pixels as a whole";
    }
    for (size_t i = 0; i < count; i++) {
        int away = dark_ink ? background - gray[i] : gray[i] - background;
        gray[i] = (uint8_t)(away * 8 < contrast ? 0 : 255 * away / contrast);    // noise, or ink
    }
    Area area = ink_area(gray, height, width, 0, INK);
    uint8_t ink[FRAME_PIXELS] = {0};
    int h, w, brightest = 1;
    scaled_size(area, frame.box, &h, &w);
    for (int i = 0; i < h * w; i++) {
        ink[i] = area_mean(gray, width, area, h, w, i / w, i % w);
        brightest = most(brightest, ink[i]);
    }
    for (int i = 0; i < h * w; i++) ink[i] = (uint8_t)(255 * ink[i] / brightest);
    place_ink(pixels, ink, h, w, frame.background);
    const char *inverted = dark_ink == dark_wanted ? ""
                           : dark_ink ? "inverted, since its ink is darker than its background; "
                                      : "inverted, since its ink is lighter than its background; ";
    return arena_print(arena, "%sits ink scaled to %d pixels and centered by its mass", inverted,
                       frame.box);
}
