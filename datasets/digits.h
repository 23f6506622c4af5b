/* digits.h -- images of digits that look handwritten, drawn whenever they are needed.
 *
 *     uint8_t pixels[DIGIT_PIXELS];                        // 0 is paper, 255 is ink
 *     int label = digits_draw(pixels, seed, 7);            // image 7 of this seed: "a 4"
 *     digits_fill(many, labels, seed, 0, 10000);           // images 0..9999, by all threads
 *
 * The images have MNIST's form: 28x28, white on black, the digit in a box of 20x20 and centred by
 * its mass. Image i depends on (seed, i) and nothing else: not on the order, the threads, or the
 * machine, because the drawing uses only operations that IEEE 754 rounds in one way.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DIGIT_SIZE = 28, DIGIT_PIXELS = DIGIT_SIZE * DIGIT_SIZE, DIGIT_CLASSES = 10 };

// Draws one image and returns its label, 0..9.
int digits_draw(uint8_t pixels[DIGIT_PIXELS], uint64_t seed, uint64_t index);

// Images first .. first+count-1 to pixels [count,784] and labels [count].
void digits_fill(uint8_t *pixels, uint8_t *labels, uint64_t seed, uint64_t first, size_t count);
