/* picture.h -- pictures of float images: tiles in labelled rows, written as PNG.
 *
 *     PictureRow rows[] = {{"original", images}, {"PCA", pca}, {"autoencoder", decoded}};
 *     PictureGrid grid = {.rows = rows, .row_count = 3, .columns = 10,      // each row [10,28,28]
 *                         .height = 28, .width = 28, .caption = "30 numbers per digit"};
 *     Picture *picture = picture_grid(step, &grid);
 *     if (!picture_save(picture, "out/autoencoder/digits.png", &err)) return error_report(&err);
 *
 * Values are clamped to [0,1], 0 black and 1 white; a NaN pixel is magenta. A picture lives in its
 * arena; what it is made of is borrowed for the call. Text is ASCII.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Picture {
    int width, height;
    uint8_t *rgb;    // [height,width,3]
} Picture;

typedef struct PictureRow {
    const char *label;     // to the left of the row; NULL for none
    const float *tiles;    // [columns,height,width,channels]
} PictureRow;

typedef struct PictureGrid {
    const PictureRow *rows;
    int row_count, columns;
    int height, width;      // of one tile
    int channels;           // 1 for gray, 3 for RGB; 0 means 1
    int scale;              // the side of a tile's pixel in the picture; 0 means 2
    int gap;                // between tiles; 0 means 4
    const char *caption;    // below; NULL for none
} PictureGrid;

Picture *picture_new(Arena *arena, int width, int height);    // white
Picture *picture_grid(Arena *arena, const PictureGrid *grid);

// What falls outside the picture is left out.
void picture_tile(Picture *picture, int left, int top, const float *pixels, int height, int width,
                  int channels, int scale);
void picture_text(Picture *picture, int left, int top, const char *text, int scale);    // dark gray
int picture_text_width(const char *text, int scale);

bool picture_save(const Picture *picture, const char *path,
                  Error *err);    // PNG, whole or not at all
