/* frame.h -- how the images of a data set sit in their 28x28 pixels, and pictures put there likewise.
 *
 *     Frame frame = frame_measure(&train);                       // MNIST: background 0, box 20
 *     Picture *picture = picture_load(step, "photo.png", &err);
 *     const char *done = frame_picture(step, pixels, picture, frame);
 *     // "inverted: dark ink on a light background; cropped to its ink, scaled to 20 pixels, centered by
 *     // its mass"
 *
 * MNIST's digits are white on black, scaled so that the longer side of their ink has 20 pixels, and
 * moved so that the center of their mass is that of the image (LeCun et al. 1998). A network that was
 * trained on them has seen nothing else.
 */
#pragma once
#include "common/picture.h"
#include "datasets/images.h"

enum { FRAME_SIDE = 28, FRAME_PIXELS = FRAME_SIDE * FRAME_SIDE };

typedef struct Frame {
    float background;    // its gray, 0 black to 1 white
    int box;    // the longer side of the ink, in pixels; 0: there is no even background, as in photographs
} Frame;

Frame frame_measure(const Images *images);

// The whole of a gray image, its longer side scaled to 28 pixels by the mean over areas, in the middle
// of the gray of its border. One of 28x28 stays as it is.
void frame_scale(uint8_t pixels[FRAME_PIXELS], const uint8_t *gray, int height, int width);

uint8_t *frame_gray(Arena *arena, const Picture *picture);    // [height,width]

// A picture as the images of the frame: inverted where its background is on the other side, its ink
// scaled to the box. Returns what was done, as a phrase; NULL when the frame has a background and the
// picture is of one gray, or nearly.
const char *frame_picture(Arena *arena, uint8_t pixels[FRAME_PIXELS], const Picture *picture,
                          Frame frame);
