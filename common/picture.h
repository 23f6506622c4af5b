/* picture.h -- pictures of float images: tiles in labelled rows, written as PNG; and PNGs read.
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
    int height, width;              // of one tile
    int channels;                   // 1 for gray, 3 for RGB; 0 means 1
    int scale;                      // the side of a tile's pixel in the picture; 0 means 2
    int gap;                        // between tiles; 0 means 4
    const char *caption;            // below; NULL for none
    const char *const *captions;    // [row_count,columns]: below each tile, in lines; NULL for none
} PictureGrid;

Picture *picture_new(Arena *arena, int width, int height);    // white
Picture *picture_grid(Arena *arena, const PictureGrid *grid);

// What falls outside the picture is left out.
void picture_tile(Picture *picture, int left, int top, const float *pixels, int height, int width,
                  int channels, int scale);
// Dark gray, in lines where the text has them; a character that is not ASCII is one question mark.
void picture_text(Picture *picture, int left, int top, const char *text, int scale);
int picture_text_width(const char *text, int scale);

bool picture_save(const Picture *picture, const char *path,
                  Error *err);    // PNG, whole or not at all

// A PNG of any kind (gray, color or palette, of 1 to 16 bits, interlaced or not), as 8 bits a channel.
// What is transparent lies on white; on black where nothing would be seen on white. NULL and a message
// for what is not a whole PNG, or has more than PICTURE_MAX pixels.
enum { PICTURE_MAX = 1 << 26 };
Picture *picture_load(Arena *arena, const char *path, Error *err);
