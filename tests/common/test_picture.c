/* Pictures: the PNG that was written, decoded again, holds the colours that were meant. */
#include "common/picture.h"
#include "tests/skip.h"
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static Arena *arena;
static char folder[] = "/tmp/test_picture_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 24);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/picture.png", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    arena_free(arena);
    unlink(path);
    return rmdir(folder);    // fails when a temporary file was left behind
}

// Saves, decodes with libpng and checks that every byte came back.
static void assert_comes_back(const Picture *picture)
{
    Error err = {""};
    if (!picture_save(picture, path, &err)) fail_msg("%s", err.message);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, picture->width);
    assert_int_equal(image.height, picture->height);
    image.format = PNG_FORMAT_RGB;
    uint8_t *bytes = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(bytes);
    assert_true(png_image_finish_read(&image, NULL, bytes, 0, NULL));
    assert_memory_equal(bytes, picture->rgb, PNG_IMAGE_SIZE(image));
    free(bytes);
}

static void assert_pixel(const Picture *picture, int x, int y, int red, int green, int blue)
{
    const uint8_t *rgb = picture->rgb + 3 * (y * picture->width + x);
    if (rgb[0] != red || rgb[1] != green || rgb[2] != blue)
        fail_msg("pixel (%d,%d) is %d %d %d, expected %d %d %d", x, y, rgb[0], rgb[1], rgb[2], red,
                 green, blue);
}

static void grays_are_clamped_and_nan_is_magenta(void **state)
{
    (void)state;
    float values[] = {0.0f, 1.0f, 0.5f, -3.0f, 7.0f, NAN, INFINITY, -INFINITY};
    Picture *picture = picture_new(arena, 8, 1);
    picture_tile(picture, 0, 0, values, 1, 8, 1, 1);
    int expected[] = {0, 255, 128, 0, 255, -1, 255, 0};
    for (int i = 0; i < 8; i++)
        if (i == 5) assert_pixel(picture, i, 0, 255, 0, 255);
        else assert_pixel(picture, i, 0, expected[i], expected[i], expected[i]);
    assert_comes_back(picture);
}

static void rgb_pixels_keep_their_channels(void **state)
{
    (void)state;
    float values[] = {1.0f, 0.2f, 0.0f, 0.0f, NAN, 1.0f};
    Picture *picture = picture_new(arena, 4, 2);
    picture_tile(picture, 0, 0, values, 1, 2, 3, 2);
    assert_pixel(picture, 0, 0, 255, 51, 0);
    assert_pixel(picture, 1, 1, 255, 51, 0);
    assert_pixel(picture, 2, 0, 255, 0, 255);
    assert_comes_back(picture);
}

static void what_falls_outside_is_left_out(void **state)
{
    (void)state;
    float black[4] = {0};
    Picture *picture = picture_new(arena, 3, 3);
    picture_tile(picture, -3, -3, black, 2, 2, 1, 2);    // reaches (0,0) only
    picture_tile(picture, 2, 2, black, 2, 2, 1, 2);
    picture_text(picture, -2, -50, "outside", 1);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++) {
            int value = (x == 0 && y == 0) || (x == 2 && y == 2) ? 0 : 255;
            assert_pixel(picture, x, y, value, value, value);
        }
}

static void a_grid_puts_tiles_where_they_belong(void **state)
{
    (void)state;
    // Two rows of three 2x2 tiles; tile i holds the value i/10 throughout.
    float tiles[6][4];
    for (int i = 0; i < 24; i++) tiles[i / 4][i % 4] = (float)(i / 4) / 10.0f;
    PictureRow rows[] = {{NULL, tiles[0]}, {NULL, tiles[3]}};
    PictureGrid grid = {
        .rows = rows, .row_count = 2, .columns = 3, .height = 2, .width = 2, .scale = 3, .gap = 5};
    Picture *picture = picture_grid(arena, &grid);
    int margin = (picture->width - (3 * 6 + 2 * 5)) / 2;
    assert_int_equal(picture->height, 2 * 6 + 5 + 2 * margin);
    for (int i = 0; i < 6; i++) {
        int left = margin + i % 3 * 11, top = margin + i / 3 * 11,
            value = (int)(25.5f * (float)i + 0.5f);
        assert_pixel(picture, left, top, value, value, value);
        assert_pixel(picture, left + 5, top + 5, value, value, value);
        assert_pixel(picture, left - 1, top, 255, 255, 255);
        assert_pixel(picture, left + 6, top + 5, 255, 255, 255);
    }
    assert_comes_back(picture);
}

static void labels_and_caption_make_room_for_themselves(void **state)
{
    (void)state;
    float tile[4] = {0};
    PictureRow rows[] = {{"label", tile}};
    PictureGrid grid = {
        .rows = rows, .row_count = 1, .columns = 1, .height = 2, .width = 2, .scale = 10};
    Picture *labelled = picture_grid(arena, &grid);
    rows[0].label = NULL;
    Picture *bare = picture_grid(arena, &grid);
    grid.caption = "a caption that is wider than the tile";
    Picture *captioned = picture_grid(arena, &grid);
    assert_true(labelled->width > bare->width + picture_text_width("label", 1));
    assert_int_equal(labelled->height, bare->height);
    assert_true(captioned->width >= picture_text_width(grid.caption, 1));
    assert_true(captioned->height > bare->height);

    int ink = 0;    // dark gray below the tile
    int below = bare->height * captioned->width, all = captioned->height * captioned->width;
    for (int i = 3 * below; i < 3 * all; i++) ink += captioned->rgb[i] == 51;
    assert_in_range(ink, 100, 100000);
    assert_comes_back(captioned);
}

static void letters_differ_and_others_become_a_question_mark(void **state)
{
    (void)state;
    Picture *letters[128];
    for (int c = ' '; c < 127; c++) {
        letters[c] = picture_new(arena, 6, 8);
        picture_text(letters[c], 0, 0, (char[]){(char)c, '\0'}, 1);
        for (int earlier = ' '; earlier < c; earlier++)
            if (memcmp(letters[c]->rgb, letters[earlier]->rgb, 6 * 8 * 3) == 0)
                fail_msg("'%c' has the same picture as '%c'", c, earlier);
    }
    Picture *other = picture_new(arena, 6, 8);
    picture_text(other, 0, 0, "\xc3", 1);
    assert_memory_equal(other->rgb, letters['?']->rgb, 6 * 8 * 3);
    assert_int_equal(picture_text_width("\xe4\xb8\xad\xc3\xa9.", 1), picture_text_width("??.", 1));
    Picture *signs[] = {picture_new(arena, 24, 8), picture_new(arena, 24, 8)};
    picture_text(signs[0], 0, 0, "\xe4\xb8\xad\xc3\xa9.", 1);
    picture_text(signs[1], 0, 0, "??.", 1);
    assert_memory_equal(signs[0]->rgb, signs[1]->rgb, 24 * 8 * 3);
}

static void a_missing_folder_is_reported(void **state)
{
    (void)state;
    Error err = {""};
    Picture *picture = picture_new(arena, 1, 1);
    assert_false(picture_save(picture, "/no/such/folder/a.png", &err));
    assert_string_equal(err.message,
                        "/no/such/folder/a.png: cannot be written: No such file or directory");
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) SKIP("no /dev/full", "run it on Linux");
    for (int side = 1; side <= 1000; side += 999) {    // in stdio's buffer, and beyond
        Error err = {""};
        Picture *picture = picture_new(arena, side, side);
        for (int i = 0; i < 3 * side * side; i++)
            picture->rgb[i] = (uint8_t)((unsigned)i * (unsigned)i >> 7);
        assert_false(picture_save(picture, "/dev/full", &err));
        assert_string_equal(err.message, "/dev/full: cannot be written: No space left on device");
    }
}

static void captions_stand_below_their_tiles_in_lines(void **state)
{
    (void)state;
    const float black[2] = {0, 0};
    PictureRow row = {NULL, black};
    PictureGrid grid = {.rows = &row,
                        .row_count = 1,
                        .columns = 2,
                        .height = 1,
                        .width = 1,
                        .scale = 24,
                        .captions = (const char *[]){"I", "a\nI"}};
    const Picture *picture = picture_grid(arena, &grid);
    assert_int_equal(picture->height, 8 + 24 + 2 * 16 + 8);    // margins, a tile, two lines
    // The I's stem: dark gray in the first line of the first, in the second line of the second.
    assert_pixel(picture, 8 + 4, 8 + 24 + 6, 51, 51, 51);
    assert_pixel(picture, 8 + 4, 8 + 24 + 16 + 6, 255, 255, 255);
    assert_pixel(picture, 8 + 28 + 4, 8 + 24 + 16 + 6, 51, 51, 51);
}

// ---- reading ----

// Written by libpng's own calls, since picture_save() writes one kind only: 2x2, of the bytes given.
static void write_png(int color, int depth, bool interlaced, const uint8_t *rows, size_t row_bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, 2, 2, depth, color,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    const png_color palette[2] = {{10, 20, 30}, {200, 100, 0}};
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 2);
    png_write_info(png, info);
    uint8_t bytes[2][16];
    for (int y = 0; y < 2; y++) memcpy(bytes[y], rows + (size_t)y * row_bytes, row_bytes);
    png_write_image(png, (uint8_t *[]){bytes[0], bytes[1]});
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

static const Picture *loaded(void)
{
    Error err = {""};
    const Picture *picture = picture_load(arena, path, &err);
    if (picture == NULL) fail_msg("%s", err.message);
    assert_int_equal(picture->width, 2);
    assert_int_equal(picture->height, 2);
    return picture;
}

static void a_png_of_any_kind_is_read_as_8_bits_a_channel(void **state)
{
    (void)state;
    const uint8_t gray[] = {0, 51, 102, 255}, packed[] = {0x03, 0x6f};    // of 4 bits: 0 3 6 15
    const uint8_t wide[] = {0, 0, 51, 51, 102, 102, 255, 255}, indices[] = {0, 1, 1, 0};
    const uint8_t rgb[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        for (int kind = 0; kind < 3; kind++) {
            write_png(PNG_COLOR_TYPE_GRAY, (int[]){8, 4, 16}[kind], interlaced,
                      (const uint8_t *[]){gray, packed, wide}[kind], (size_t[]){2, 1, 4}[kind]);
            const Picture *picture = loaded();
            assert_pixel(picture, 0, 0, 0, 0, 0);
            assert_pixel(picture, 1, 0, 51, 51, 51);
            assert_pixel(picture, 0, 1, 102, 102, 102);
            assert_pixel(picture, 1, 1, 255, 255, 255);
        }
        write_png(PNG_COLOR_TYPE_PALETTE, 8, interlaced, indices, 2);
        assert_pixel(loaded(), 0, 0, 10, 20, 30);
        assert_pixel(loaded(), 1, 0, 200, 100, 0);
        write_png(PNG_COLOR_TYPE_RGB, 8, interlaced, rgb, 6);
        assert_pixel(loaded(), 1, 0, 4, 5, 6);
        assert_pixel(loaded(), 0, 1, 7, 8, 9);
    }
}

static void what_is_transparent_lies_on_white(void **state)
{
    (void)state;
    const uint8_t ink[] = {0, 0, 0, 0, 0, 0, 0, 255, 200, 0, 0, 51, 0, 0, 0, 0};
    write_png(PNG_COLOR_TYPE_RGBA, 8, false, ink, 8);
    assert_pixel(loaded(), 0, 0, 255, 255, 255);
    assert_pixel(loaded(), 1, 0, 0, 0, 0);
    assert_pixel(loaded(), 0, 1, 244, 204, 204);    // a fifth of the red
}

static void white_ink_on_nothing_lies_on_black(void **state)
{
    (void)state;
    const uint8_t ink[] = {255, 0, 255, 255, 255, 0, 255, 0};    // gray and alpha
    write_png(PNG_COLOR_TYPE_GRAY_ALPHA, 8, false, ink, 4);
    assert_pixel(loaded(), 0, 0, 0, 0, 0);
    assert_pixel(loaded(), 1, 0, 255, 255, 255);
}

static void refuses(const char *sentence)
{
    Error err = {""};
    if (picture_load(arena, path, &err) != NULL) fail_msg("was read; expected \"%s\"", sentence);
    if (strstr(err.message, path) != err.message || strstr(err.message, sentence) == NULL)
        fail_msg("got \"%s\", expected \"%s: %s\"", err.message, path, sentence);
}

static void what_is_not_a_whole_png_is_refused(void **state)
{
    (void)state;
    const uint8_t gray[] = {0, 51, 102, 255};
    unlink(path);
    refuses("cannot be read: No such file");
    write_png(PNG_COLOR_TYPE_GRAY, 8, false, gray, 2);
    FILE *file = fopen(path, "rb");
    uint8_t bytes[256];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 0; cut < size - 12; cut += 3) {    // without the end mark it is whole
        file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, cut, file), cut);
        fclose(file);
        refuses(cut == 0  ? "is empty, expected a PNG"
                : cut < 8 ? "is not a PNG"
                          : "cannot be read as a PNG: ");
    }
    file = fopen(path, "wb");
    bytes[16] = 0x7f;    // a width of 2 billion
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    refuses("cannot be read as a PNG");
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    refuses("is a folder");
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grays_are_clamped_and_nan_is_magenta),
        cmocka_unit_test(rgb_pixels_keep_their_channels),
        cmocka_unit_test(what_falls_outside_is_left_out),
        cmocka_unit_test(a_grid_puts_tiles_where_they_belong),
        cmocka_unit_test(labels_and_caption_make_room_for_themselves),
        cmocka_unit_test(letters_differ_and_others_become_a_question_mark),
        cmocka_unit_test(a_missing_folder_is_reported),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(captions_stand_below_their_tiles_in_lines),
        cmocka_unit_test(a_png_of_any_kind_is_read_as_8_bits_a_channel),
        cmocka_unit_test(what_is_transparent_lies_on_white),
        cmocka_unit_test(white_ink_on_nothing_lies_on_black),
        cmocka_unit_test(what_is_not_a_whole_png_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
