/* Generated digits: the same bits always, and the statistics of handwriting. */
#include "datasets/digits.h"
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { COUNT = 4000, TRAIN = 2000, SEED = 42 };

typedef struct Digits {
    uint8_t pixels[COUNT][DIGIT_PIXELS];
    uint8_t labels[COUNT];
} Digits;

static int fill(void **state)
{
    Digits *digits = malloc(sizeof *digits);
    if (digits == NULL) return -1;
    digits_fill(digits->pixels[0], digits->labels, SEED, 0, COUNT);
    *state = digits;
    return 0;
}

static int release(void **state)
{
    free(*state);
    return 0;
}

// FNV-1a, 64 bits.
static uint64_t hash(uint64_t h, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

// Golden values from this generator's first release: a change here changes every learner's run.
static void digits_are_the_same_bits_on_every_machine(void **state)
{
    const Digits *digits = *state;
    uint64_t h = hash(0xcbf29ce484222325u, digits->pixels[0], (size_t)COUNT * DIGIT_PIXELS);
    assert_int_equal(digits->labels[0], 8);
    assert_int_equal(hash(h, digits->labels, COUNT), 0x5007f5ac2d7d1f58u);
}

static void digits_do_not_depend_on_the_order_they_are_drawn_in(void **state)
{
    const Digits *digits = *state;
    for (int i = 99; i >= 0; i -= 3) {
        uint8_t pixels[DIGIT_PIXELS];
        assert_int_equal(digits_draw(pixels, SEED, (uint64_t)i), digits->labels[i]);
        assert_memory_equal(pixels, digits->pixels[i], DIGIT_PIXELS);
    }
}

static void digits_do_not_depend_on_the_number_of_threads(void **state)
{
    const Digits *digits = *state;
    int threads = omp_get_max_threads();
    for (int n = 1; n <= 5; n += 2) {
        static uint8_t pixels[COUNT / 2][DIGIT_PIXELS], labels[COUNT / 2];
        memset(pixels, 1, sizeof pixels);
        omp_set_num_threads(n);
        digits_fill(pixels[0], labels, SEED, COUNT / 2, COUNT / 2);
        assert_memory_equal(pixels, digits->pixels[COUNT / 2], sizeof pixels);
        assert_memory_equal(labels, digits->labels + COUNT / 2, sizeof labels);
    }
    omp_set_num_threads(threads);
}

static void digits_of_another_seed_are_other_digits(void **state)
{
    const Digits *digits = *state;
    int same = 0;
    for (int i = 0; i < 100; i++) {
        uint8_t pixels[DIGIT_PIXELS];
        digits_draw(pixels, SEED + 1, (uint64_t)i);
        same += memcmp(pixels, digits->pixels[i], DIGIT_PIXELS) == 0;
    }
    assert_int_equal(same, 0);
}

static void digits_hold_every_class_about_equally(void **state)
{
    const Digits *digits = *state;
    int of[DIGIT_CLASSES] = {0};
    for (int i = 0; i < COUNT; i++) {
        assert_true(digits->labels[i] < DIGIT_CLASSES);
        of[digits->labels[i]]++;
    }
    // 400 expected; five standard deviations of a fair draw are 95.
    for (int c = 0; c < DIGIT_CLASSES; c++) assert_in_range(of[c], 305, 495);
}

static void digits_keep_off_the_border_and_use_the_whole_range(void **state)
{
    const Digits *digits = *state;
    int at_border = 0;
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *p = digits->pixels[i];
        int brightest = 0, border = 0;
        for (int k = 0; k < DIGIT_PIXELS; k++) brightest = p[k] > brightest ? p[k] : brightest;
        for (int k = 0; k < DIGIT_SIZE; k++)
            border |= p[k] | p[k * DIGIT_SIZE] | p[k * DIGIT_SIZE + DIGIT_SIZE - 1] |
                      p[DIGIT_PIXELS - 1 - k];
        assert_true(brightest > 180);
        at_border += border != 0;
    }
    // A box of 20 pixels, centred by mass, reaches the border only when the mass is far off.
    assert_in_range(at_border, 0, COUNT / 50);
}

// MNIST's mean pixel is 0.1307 (LeCun's files, divided by 255).
static void digits_have_as_much_ink_as_mnist(void **state)
{
    const Digits *digits = *state;
    double sum = 0.0;
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < DIGIT_PIXELS; k++) sum += digits->pixels[i][k];
    double mean = sum / COUNT / DIGIT_PIXELS / 255.0;
    if (!(mean > 0.12 && mean < 0.14)) fail_msg("mean pixel is %.4f, expected 0.13", mean);
}

// Neither trivial nor hopeless for the simplest classifier there is; on MNIST it is wrong in 18 %.
static void digits_are_as_hard_as_mnist_for_the_nearest_class_mean(void **state)
{
    const Digits *digits = *state;
    static double mean[DIGIT_CLASSES][DIGIT_PIXELS];
    int of[DIGIT_CLASSES] = {0}, wrong = 0;
    for (int i = 0; i < TRAIN; i++) {
        of[digits->labels[i]]++;
        for (int k = 0; k < DIGIT_PIXELS; k++) mean[digits->labels[i]][k] += digits->pixels[i][k];
    }
    for (int c = 0; c < DIGIT_CLASSES; c++)
        for (int k = 0; k < DIGIT_PIXELS; k++) mean[c][k] /= of[c];
    for (int i = TRAIN; i < COUNT; i++) {
        double least = 1e300;
        int best = 0;
        for (int c = 0; c < DIGIT_CLASSES; c++) {
            double distance = 0.0;
            for (int k = 0; k < DIGIT_PIXELS; k++) {
                double d = digits->pixels[i][k] - mean[c][k];
                distance += d * d;
            }
            if (distance < least) least = distance, best = c;
        }
        wrong += best != digits->labels[i];
    }
    double share = (double)wrong / (COUNT - TRAIN);
    if (!(share > 0.05 && share < 0.30))
        fail_msg("%.1f %% are wrong, expected 5 to 30", 100.0 * share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_same_bits_on_every_machine),
        cmocka_unit_test(digits_do_not_depend_on_the_order_they_are_drawn_in),
        cmocka_unit_test(digits_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(digits_of_another_seed_are_other_digits),
        cmocka_unit_test(digits_hold_every_class_about_equally),
        cmocka_unit_test(digits_keep_off_the_border_and_use_the_whole_range),
        cmocka_unit_test(digits_have_as_much_ink_as_mnist),
        cmocka_unit_test(digits_are_as_hard_as_mnist_for_the_nearest_class_mean),
    };
    return cmocka_run_group_tests(tests, fill, release);
}
