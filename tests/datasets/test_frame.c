/* Frames: how a data set's images sit in their pixels, and pictures brought there. */
#include "datasets/frame.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)1 << 28);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static Images digits(void)
{
    Images images;
    images_generate(arena, &images, 42, 0, 500);
    return images;
}

// A picture with each pixel of a 28x28 image as a square, `from` and `to` in place of black and white.
static Picture *enlarged(const uint8_t *pixels, int times, int left, int top, int width, int height,
                         int from, int to)
{
    Picture *picture = picture_new(arena, width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int i = y >= top ? (y - top) / times : -1, j = x >= left ? (x - left) / times : -1;
            bool inside = i >= 0 && i < FRAME_SIDE && j >= 0 && j < FRAME_SIDE;
            int value = inside ? pixels[i * FRAME_SIDE + j] : 0;
            memset(picture->rgb + 3 * (y * width + x), from + (to - from) * value / 255, 3);
        }
    return picture;
}

static void close_to(const uint8_t *got, const uint8_t *want, int most)
{
    long apart = 0;
    for (int i = 0; i < FRAME_PIXELS; i++) apart += labs((long)got[i] - want[i]);
    if (apart > most * FRAME_PIXELS)
        fail_msg("%.1f apart in the mean, expected at most %d", (double)apart / FRAME_PIXELS, most);
}

static void digits_lie_on_black_in_a_box_of_about_20(void **state)
{
    (void)state;
    Images images = digits();
    Frame frame = frame_measure(&images);
    assert_true(frame.background == 0);
    assert_in_range(frame.box, 19, 21);
    for (size_t i = 0; i < (size_t)images.count * FRAME_PIXELS; i++)
        images.pixels[i] = (uint8_t)(255 - images.pixels[i]);
    assert_true(frame_measure(&images).background == 1);
    assert_in_range(frame_measure(&images).box, 19, 21);
}

static void photographs_have_no_even_background(void **state)
{
    (void)state;
    Images images = digits();
    Rng rng = rng_from_seed(1);
    for (size_t i = 0; i < (size_t)images.count * FRAME_PIXELS; i++)
        images.pixels[i] = (uint8_t)rng_below(&rng, 256);
    assert_int_equal(frame_measure(&images).box, 0);
}

static void scaling_takes_the_mean_over_areas(void **state)
{
    (void)state;
    uint8_t pixels[FRAME_PIXELS], wide[56 * 2], same[FRAME_PIXELS];
    for (int x = 0; x < 56; x++) wide[x] = (uint8_t)(4 * x), wide[56 + x] = (uint8_t)(4 * x + 2);
    frame_scale(pixels, wide, 2, 56);    // one row of 28, in the middle of the border's gray
    for (int x = 0; x < 28; x++) assert_int_equal(pixels[13 * 28 + x], 8 * x + 3);
    assert_int_equal(pixels[12 * 28], pixels[14 * 28 + 27]);
    for (int i = 0; i < FRAME_PIXELS; i++) same[i] = (uint8_t)(i * 7);
    frame_scale(pixels, same, 28, 28);
    assert_memory_equal(pixels, same, FRAME_PIXELS);
    frame_scale(pixels, (const uint8_t[]){77}, 1, 1);
    for (int i = 0; i < FRAME_PIXELS; i++) assert_int_equal(pixels[i], 77);
}

static void gray_weighs_the_colors_as_the_eye_does(void **state)
{
    (void)state;
    Picture *picture = picture_new(arena, 4, 1);
    memcpy(picture->rgb, (const uint8_t[]){255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9}, 12);
    const uint8_t *gray = frame_gray(arena, picture);
    assert_int_equal(gray[0], 76);
    assert_int_equal(gray[1], 150);
    assert_int_equal(gray[2], 29);
    assert_int_equal(gray[3], 9);
}

static void a_picture_of_the_frame_stays_as_it_is(void **state)
{
    (void)state;
    Images images = digits();
    uint8_t pixels[FRAME_PIXELS];
    const Picture *picture = enlarged(images.pixels, 1, 0, 0, 28, 28, 0, 255);
    assert_string_equal(frame_picture(arena, pixels, picture, frame_measure(&images)), "as it is");
    assert_memory_equal(pixels, images.pixels, FRAME_PIXELS);
}

// Where the mass is, and the longer side of the ink.
static void measure(const uint8_t *pixels, double *x, double *y, int *box)
{
    double mass = 0;
    int left = 28, right = 0, top = 28, bottom = 0;
    *x = *y = 0;
    for (int i = 0; i < FRAME_PIXELS; i++) {
        int row = i / 28, column = i % 28;
        mass += pixels[i];
        *x += pixels[i] * (column + 0.5);
        *y += pixels[i] * (row + 0.5);
        if (pixels[i] == 0) continue;
        left = column < left ? column : left, right = column > right ? column : right;
        top = row < top ? row : top, bottom = row > bottom ? row : bottom;
    }
    *x /= mass, *y /= mass;
    *box = (right - left > bottom - top ? right - left : bottom - top) + 1;
}

static void a_digit_of_any_size_and_color_is_brought_to_the_frame(void **state)
{
    (void)state;
    Images images = digits();
    Frame frame = {.background = 0, .box = 20};
    for (int i = 0; i < 20; i++) {
        const uint8_t *digit = images.pixels + (size_t)i * FRAME_PIXELS;
        uint8_t pixels[FRAME_PIXELS], same[FRAME_PIXELS];
        const Picture *picture = enlarged(digit, 10, 0, 0, 280, 280, 0, 255);
        const char *done = frame_picture(arena, pixels, picture, frame);
        assert_string_equal(done, "its ink scaled to 20 pixels and centered by its mass");
        double x, y;
        int box;
        measure(pixels, &x, &y, &box);
        assert_int_equal(box, 20);
        if (!(fabs(x - 14) <= 0.51 && fabs(y - 14) <= 0.51)) {
            // Unless that would push it out of the image.
            int touching = 0;
            for (int k = 0; k < 28; k++)
                touching += pixels[k] + pixels[27 * 28 + k] + pixels[28 * k] + pixels[28 * k + 27];
            if (touching == 0) fail_msg("the mass is at %g,%g", x, y);
        }
        // On a large page, in a corner, in gray ink on gray paper.
        picture = enlarged(digit, 7, 30, 90, 400, 300, 210, 40);
        done = frame_picture(arena, same, picture, frame);
        assert_non_null(strstr(done, "inverted, since its ink is darker than its background; its"));
        close_to(same, pixels, 3);
    }
}

static void a_light_page_is_what_a_model_of_light_pages_wants(void **state)
{
    (void)state;
    Images images = digits();
    uint8_t pixels[FRAME_PIXELS], inverted[FRAME_PIXELS];
    const Picture *picture = enlarged(images.pixels, 10, 0, 0, 280, 280, 255, 0);
    frame_picture(arena, inverted, picture, (Frame){.background = 0, .box = 20});
    const char *done = frame_picture(arena, pixels, picture, (Frame){.background = 1, .box = 20});
    assert_null(strstr(done, "inverted"));
    for (int i = 0; i < FRAME_PIXELS; i++) assert_int_equal(pixels[i], 255 - inverted[i]);
}

static void a_flat_picture_has_nothing_in_it(void **state)
{
    (void)state;
    uint8_t pixels[FRAME_PIXELS];
    const Picture *picture = picture_new(arena, 40, 30);
    assert_null(frame_picture(arena, pixels, picture, (Frame){.box = 20}));
    // Where images are taken as a whole, it may be what a class looks like.
    assert_non_null(frame_picture(arena, pixels, picture, (Frame){.box = 0}));
    assert_int_equal(pixels[0], 255);
}

static void a_line_of_one_pixel_fills_the_box(void **state)
{
    (void)state;
    uint8_t pixels[FRAME_PIXELS];
    Picture *picture = picture_new(arena, 1000, 500);
    for (int y = 100; y < 400; y++) memset(picture->rgb + 3 * (y * 1000 + 300), 0, 3);
    assert_non_null(frame_picture(arena, pixels, picture, (Frame){.box = 20}));
    int count = 0;
    for (int i = 0; i < FRAME_PIXELS; i++) count += pixels[i] > 0;
    assert_int_equal(count, 20);
    assert_int_equal(pixels[14 * 28 + 14], 255);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(digits_lie_on_black_in_a_box_of_about_20),
        CASE(photographs_have_no_even_background),
        CASE(scaling_takes_the_mean_over_areas),
        CASE(gray_weighs_the_colors_as_the_eye_does),
        CASE(a_picture_of_the_frame_stays_as_it_is),
        CASE(a_digit_of_any_size_and_color_is_brought_to_the_frame),
        CASE(a_light_page_is_what_a_model_of_light_pages_wants),
        CASE(a_flat_picture_has_nothing_in_it),
        CASE(a_line_of_one_pixel_fills_the_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
