#include "common/picture.h"
#include "common/file.h"
#include "common/font.h"
#include <math.h>
#include <png.h>
#include <string.h>

typedef struct Colour {
    uint8_t red, green, blue;
} Colour;

static const Colour INK = {51, 51, 51}, NOT_A_NUMBER = {255, 0, 255};
enum { TEXT_SCALE = 2, MARGIN = 8 };

Picture *picture_new(Arena *arena, int width, int height)
{
    REQUIRE(width > 0 && height > 0, "a picture of %d x %d pixels; expected at least 1 x 1", width,
            height);
    size_t bytes = (size_t)width * (size_t)height * 3;
    Picture *picture = arena_alloc(arena, sizeof *picture);
    *picture = (Picture){.width = width, .height = height, .rgb = arena_alloc(arena, bytes)};
    memset(picture->rgb, 255, bytes);
    return picture;
}

static void fill_square(Picture *picture, int left, int top, int side, Colour colour)
{
    int right = left + side < picture->width ? left + side : picture->width;
    int below = top + side < picture->height ? top + side : picture->height;
    for (int y = top < 0 ? 0 : top; y < below; y++)
        for (int x = left < 0 ? 0 : left; x < right; x++) {
            uint8_t *pixel = picture->rgb + 3 * ((size_t)y * (size_t)picture->width + (size_t)x);
            pixel[0] = colour.red;
            pixel[1] = colour.green;
            pixel[2] = colour.blue;
        }
}

static uint8_t to_byte(float value)
{
    float clamped = fminf(fmaxf(value, 0.0f), 1.0f);
    return (uint8_t)(255.0f * clamped + 0.5f);
}

static Colour to_colour(const float *pixel, int channels)
{
    Colour colour = {to_byte(pixel[0]), to_byte(pixel[channels / 2]), to_byte(pixel[channels - 1])};
    for (int c = 0; c < channels; c++)
        if (isnan(pixel[c])) colour = NOT_A_NUMBER;
    return colour;
}

void picture_tile(Picture *picture, int left, int top, const float *pixels, int height, int width,
                  int channels, int scale)
{
    REQUIRE(channels == 1 || channels == 3, "%d channels; expected 1 or 3", channels);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, pixels += channels)
            fill_square(picture, left + x * scale, top + y * scale, scale,
                        to_colour(pixels, channels));
}

int picture_text_width(const char *text, int scale)
{
    return (int)strlen(text) * FONT_ADVANCE * scale;
}

void picture_text(Picture *picture, int left, int top, const char *text, int scale)
{
    for (; *text != '\0'; text++, left += FONT_ADVANCE * scale)
        for (int x = 0; x < FONT_WIDTH; x++)
            for (int y = 0; y < FONT_HEIGHT; y++)
                if (font_glyph(*text)[x] >> y & 1)
                    fill_square(picture, left + x * scale, top + y * scale, scale, INK);
}

Picture *picture_grid(Arena *arena, const PictureGrid *grid)
{
    int channels = grid->channels ? grid->channels : 1, scale = grid->scale ? grid->scale : 2;
    int gap = grid->gap ? grid->gap : 4, text_height = FONT_HEIGHT * TEXT_SCALE;
    int across = grid->width * scale + gap, down = grid->height * scale + gap;

    int labels = 0;    // the width of the widest
    for (int r = 0; r < grid->row_count; r++)
        if (grid->rows[r].label != NULL) {
            int width = picture_text_width(grid->rows[r].label, TEXT_SCALE) + MARGIN;
            labels = width > labels ? width : labels;
        }
    int tiles = grid->columns * across - gap;
    int caption = grid->caption ? picture_text_width(grid->caption, TEXT_SCALE) : 0;
    int width = labels + tiles > caption ? labels + tiles : caption;
    int height = grid->row_count * down - gap + (caption ? text_height + MARGIN : 0);

    Picture *picture = picture_new(arena, width + 2 * MARGIN, height + 2 * MARGIN);
    for (int r = 0; r < grid->row_count; r++) {
        const PictureRow *row = &grid->rows[r];
        int top = MARGIN + r * down;
        if (row->label != NULL)
            picture_text(picture, MARGIN, top + (down - gap - text_height) / 2, row->label,
                         TEXT_SCALE);
        for (int c = 0; c < grid->columns; c++)
            picture_tile(picture, MARGIN + labels + c * across, top,
                         row->tiles + (size_t)c * (size_t)(grid->height * grid->width * channels),
                         grid->height, grid->width, channels, scale);
    }
    if (caption)
        picture_text(picture, MARGIN, MARGIN + height - text_height, grid->caption, TEXT_SCALE);
    return picture;
}

bool picture_save(const Picture *picture, const char *path, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .format = PNG_FORMAT_RGB,
                       .width = (png_uint_32)picture->width,
                       .height = (png_uint_32)picture->height};
    // A failed write libpng calls "Write Error"; file_commit() knows what the system says.
    if (!png_image_write_to_stdio(&image, file.stream, 0, picture->rgb, 0, NULL) &&
        !ferror(file.stream)) {
        file_abandon(&file);
        return error_set(err, "%s: cannot be written: %s", path, image.message);
    }
    return file_commit(&file, err);
}
