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

// Whether a byte is a later one of a UTF-8 character, which is one '?' as a whole.
static bool is_later_byte(char byte)
{
    return (byte & 0xc0) == 0x80;
}

int picture_text_width(const char *text, int scale)
{
    int letters = 0;
    for (; *text != '\0'; text++) letters += !is_later_byte(*text);
    return letters * FONT_ADVANCE * scale;
}

void picture_text(Picture *picture, int left, int top, const char *text, int scale)
{
    for (int start = left; *text != '\0'; text++, left += FONT_ADVANCE * scale) {
        if (is_later_byte(*text)) {
            left -= FONT_ADVANCE * scale;
            continue;
        }
        if (*text == '\n') {
            left = start - FONT_ADVANCE * scale;
            top += FONT_HEIGHT * scale;
            continue;
        }
        for (int x = 0; x < FONT_WIDTH; x++)
            for (int y = 0; y < FONT_HEIGHT; y++)
                if (font_glyph(*text)[x] >> y & 1)
                    fill_square(picture, left + x * scale, top + y * scale, scale, INK);
    }
}

static int text_lines(const char *text)
{
    int lines = 1;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

Picture *picture_grid(Arena *arena, const PictureGrid *grid)
{
    int channels = grid->channels ? grid->channels : 1, scale = grid->scale ? grid->scale : 2;
    int gap = grid->gap ? grid->gap : 4, text_height = FONT_HEIGHT * TEXT_SCALE;
    int across = grid->width * scale + gap, down = grid->height * scale + gap;

    int labels = 0, lines = 0;    // the width of the widest label, the lines of the longest caption
    for (int r = 0; r < grid->row_count; r++)
        if (grid->rows[r].label != NULL) {
            int width = picture_text_width(grid->rows[r].label, TEXT_SCALE) + MARGIN;
            labels = width > labels ? width : labels;
        }
    for (int i = 0; grid->captions != NULL && i < grid->row_count * grid->columns; i++) {
        int count = text_lines(grid->captions[i]);
        lines = count > lines ? count : lines;
    }
    down += lines * text_height;
    int tiles = grid->columns * across - gap;
    int caption = grid->caption ? picture_text_width(grid->caption, TEXT_SCALE) : 0;
    int width = labels + tiles > caption ? labels + tiles : caption;
    int height = grid->row_count * down - gap + (caption ? text_height + MARGIN : 0);

    Picture *picture = picture_new(arena, width + 2 * MARGIN, height + 2 * MARGIN);
    for (int r = 0; r < grid->row_count; r++) {
        const PictureRow *row = &grid->rows[r];
        int top = MARGIN + r * down;
        if (row->label != NULL)
            picture_text(picture, MARGIN, top + (grid->height * scale - text_height) / 2,
                         row->label, TEXT_SCALE);
        for (int c = 0; c < grid->columns; c++) {
            int left = MARGIN + labels + c * across;
            picture_tile(picture, left, top,
                         row->tiles + (size_t)c * (size_t)(grid->height * grid->width * channels),
                         grid->height, grid->width, channels, scale);
            if (grid->captions != NULL)
                picture_text(picture, left, top + grid->height * scale + 2,
                             grid->captions[r * grid->columns + c], TEXT_SCALE);
        }
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

// Of the pixels over a background; true when not all of them are equal.
static bool lay_over(uint8_t *rgb, const uint8_t *rgba, size_t count, int background)
{
    bool varies = false;
    for (size_t i = 0; i < 3 * count; i++) {
        int alpha = rgba[i / 3 * 4 + 3];
        rgb[i] =
            (uint8_t)((rgba[i / 3 * 4 + i % 3] * alpha + background * (255 - alpha) + 127) / 255);
        varies = varies || rgb[i] != rgb[i % 3];
    }
    return varies;
}

// Frees what libpng holds.
static bool read_png(png_image *image, Picture *picture, Arena *arena, const FileView *view)
{
    if (!png_image_begin_read_from_memory(image, view->bytes, view->size)) return false;
    size_t count = (size_t)image->width * image->height;
    if (count > PICTURE_MAX) {
        snprintf(image->message, sizeof image->message,
                 "%u x %u pixels; expected at most %d in all", image->width, image->height,
                 PICTURE_MAX);
        png_image_free(image);
        return false;
    }
    // 16 bits are taken for sRGB, as 8 bits are.
    if (image->format & PNG_FORMAT_FLAG_LINEAR) image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    image->format = PNG_FORMAT_RGBA;
    *picture = (Picture){.width = (int)image->width,
                         .height = (int)image->height,
                         .rgb = arena_alloc(arena, 3 * count)};
    ArenaMark mark = arena_mark(arena);
    uint8_t *rgba = arena_alloc(arena, 4 * count);
    bool read = png_image_finish_read(image, NULL, rgba, 0, NULL) != 0;
    if (read && !lay_over(picture->rgb, rgba, count, 255)) lay_over(picture->rgb, rgba, count, 0);
    arena_rewind(arena, mark);
    return read;
}

Picture *picture_load(Arena *arena, const char *path, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return NULL;
    Picture *picture = arena_alloc(arena, sizeof *picture);
    png_image image = {.version = PNG_IMAGE_VERSION};
    bool empty = view.size == 0, other = view.size < 8 || png_sig_cmp(view.bytes, 0, 8) != 0;
    bool read = !other && read_png(&image, picture, arena, &view);
    file_unmap(view);
    if (read) return picture;
    if (other) error_set(err, "%s: %s", path, empty ? "is empty, expected a PNG" : "is not a PNG");
    else error_set(err, "%s: cannot be read as a PNG: %s", path, image.message);
    return NULL;
}
