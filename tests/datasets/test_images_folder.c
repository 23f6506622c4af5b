/* Folders of PNGs by class: order, classes, what is for testing, and what is refused. */
#include "common/picture.h"
#include "datasets/frame.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static Arena *keep;
static char dir[64];

static int enter(void **state)
{
    (void)state;
    keep = arena_new("test", 256u << 20);
    strcpy(dir, "/tmp/test_folder_XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int leave(void **state)
{
    (void)state;
    int status = system(arena_print(keep, "rm -r %.23s", dir));    // a case may have gone deeper
    arena_free(keep);
    return status != 0;
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(arena_print(keep, "%s/%s", dir, name), 0777), 0);
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(arena_print(keep, "%s/%s", dir, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_gray(const char *name, int gray, int width, int height)
{
    Error err;
    Picture *picture = picture_new(keep, width, height);
    memset(picture->rgb, gray, (size_t)(3 * width * height));
    assert_true(picture_save(picture, arena_print(keep, "%s/%s", dir, name), &err));
}

// Classes 0 to 11, made in the reverse of their order, of `count` images with the gray 20 c + i.
static void write_classes(const char *below, int count)
{
    for (int c = 11; c >= 0; c--) {
        make_folder(arena_print(keep, "%s%d", below, c));
        for (int i = count - 1; i >= 0; i--)
            write_gray(arena_print(keep, "%s%d/%d.PNG", below, c, i), 20 * c + i, 30 + c, 28);
    }
}

static void refuses(const char *sentence)
{
    Images train, test;
    Error err = {""};
    if (images_read_folder(keep, &train, &test, dir, 1, &err))
        fail_msg("was read; expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL || strstr(err.message, dir) != err.message)
        fail_msg("got \"%s\", expected \"%s...%s\"", err.message, dir, sentence);
}

static void load(Images *train, Images *test, uint64_t seed)
{
    Error err = {""};
    if (!images_read_folder(keep, train, test, dir, seed, &err)) fail_msg("%s", err.message);
}

static void assert_labels_name_the_folders(const Images *images)
{
    for (int i = 0; i < images->count; i++)
        assert_int_equal(atoi(images->names[images->labels[i]]),
                         images->pixels[(size_t)i * FRAME_PIXELS] / 20);
}

static void each_folder_is_a_class_and_a_fifth_is_for_testing(void **state)
{
    (void)state;
    Images train, test;
    write_classes("", 10);
    make_folder("empty");
    write_text(".DS_Store", "x");
    write_text("3/.DS_Store", "x");
    write_text("4/Thumbs.db", "x");
    load(&train, &test, 1);
    assert_int_equal(train.classes, 12);
    assert_int_equal(train.count, 12 * 8);
    assert_int_equal(test.count, 12 * 2);
    assert_string_equal(train.names[2], "10");    // sorted as text
    assert_ptr_equal(train.names, test.names);
    assert_labels_name_the_folders(&train);
    assert_labels_name_the_folders(&test);
    assert_non_null(strstr(train.origin, "PNGs of 12 classes in /tmp/test_folder_"));
    assert_non_null(strstr(train.origin, "; no PNG in empty; 1 other file left out"));
    // No image is in both, and each is in one: their grays are all different.
    bool seen[256] = {false};
    for (int i = 0; i < train.count; i++) seen[train.pixels[(size_t)i * FRAME_PIXELS]] = true;
    for (int i = 0; i < test.count; i++) assert_false(seen[test.pixels[(size_t)i * FRAME_PIXELS]]);
    bool first[12] = {false};
    for (int i = 0; i < 48; i++) first[train.labels[i]] = true;
    for (int c = 0; c < 12; c++) assert_true(first[c]);    // mixed: a part of it has every class
}

static void the_seed_draws_what_is_for_testing(void **state)
{
    (void)state;
    Images train, test, again, same, other;
    write_classes("", 10);
    load(&train, &test, 1);
    load(&again, &same, 1);
    assert_int_equal(images_crc32(&train), images_crc32(&again));
    assert_int_equal(images_crc32(&test), images_crc32(&same));
    load(&again, &other, 2);
    assert_int_not_equal(images_crc32(&test), images_crc32(&other));
}

static void folders_train_and_test_divide_the_images_themselves(void **state)
{
    (void)state;
    Images train, test;
    make_folder("training");
    make_folder("testing");
    write_classes("training/", 3);
    make_folder("testing/7");
    write_gray("testing/7/a.png", 140, 9, 9);
    load(&train, &test, 1);
    assert_int_equal(train.count, 36);
    assert_int_equal(test.count, 1);
    assert_string_equal(test.names[test.labels[0]], "7");
    make_folder("testing/12");
    write_gray("testing/12/a.png", 240, 9, 9);
    refuses("testing/12: has images of a class that");
}

static void a_class_of_one_image_is_for_training(void **state)
{
    (void)state;
    Images train, test;
    make_folder("a");
    make_folder("b");
    write_gray("a/1.png", 1, 5, 5);
    write_gray("b/1.png", 2, 5, 5);
    refuses("has no image for testing");
    write_gray("b/2.png", 3, 5, 5);
    load(&train, &test, 1);
    assert_int_equal(train.count, 2);
    assert_int_equal(test.count, 1);
}

static void a_name_is_shown_without_what_a_terminal_obeys(void **state)
{
    (void)state;
    Images train, test;
    make_folder("\x1b[2Jcat");
    make_folder("猫");
    write_gray("\x1b[2Jcat/1.png", 1, 5, 5);
    write_gray("猫/1.png", 1, 5, 5);
    write_gray("猫/2.png", 2, 5, 5);
    load(&train, &test, 1);
    assert_string_equal(train.names[0], "?[2Jcat");
    assert_string_equal(train.names[1], "猫");
}

static void what_is_not_a_folder_of_classes_is_refused(void **state)
{
    (void)state;
    refuses("has 0 folders with PNGs; expected a folder for each of 2 to 256 classes");
    write_gray("loose.png", 9, 4, 4);
    refuses("has 0 folders with PNGs");
    make_folder("a");
    write_gray("a/1.png", 9, 4, 4);
    write_gray("a/2.png", 9, 4, 4);
    refuses("has 1 folder with PNGs");
    make_folder("b");
    write_text("b/broken.png", "not a picture");
    write_gray("b/2.png", 9, 4, 4);
    refuses("b/broken.png: is not a PNG");
    write_text("b/broken.png", "");
    refuses("b/broken.png: is empty, expected a PNG");
    char missing[80];
    snprintf(missing, sizeof missing, "%s/missing", dir);
    strcpy(dir, missing);
    refuses("cannot be read: No such file or directory");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_folder_is_a_class_and_a_fifth_is_for_testing),
        CASE(the_seed_draws_what_is_for_testing),
        CASE(folders_train_and_test_divide_the_images_themselves),
        CASE(a_class_of_one_image_is_for_training),
        CASE(a_name_is_shown_without_what_a_terminal_obeys),
        CASE(what_is_not_a_folder_of_classes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
