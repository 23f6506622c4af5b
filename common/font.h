/* font.h -- the 5x7 letters of character displays, for labels in pictures.
 *
 *     const uint8_t *glyph = font_glyph('A');            // five columns, left to right
 *     bool set = glyph[x] >> y & 1;                      // x 0..4, y 0 at the top; row 7 hangs below
 */
#pragma once
#include <stdint.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 8, FONT_ADVANCE = 6 };

const uint8_t *font_glyph(char letter);    // '?' for what is not printable ASCII
