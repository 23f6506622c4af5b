/* page.h -- text on stdout that fits its reader: wrapped to the terminal, coloured only on one.
 *
 *     Page page = page_begin();
 *     page_text(&page, PAGE_BOLD, 2, "Foundations");             // two columns in, bold
 *     page_text(&page, PAGE_DIM, 4, "a long sentence ...");      // wrapped at words, all lines 4 in
 *     page_item(&page, 4, 14, "autoencoder", "Squeezes ...");    // name, then text in a column
 *
 * The width is the terminal's, or COLUMNS, or 80; never under 40, never over 100. Colours appear
 * on a terminal that is not "dumb" and without NO_COLOR (no-color.org); with CLICOLOR_FORCE also in a
 * pipe, as `less -R` wants them.
 */
#pragma once
#include <stdbool.h>

typedef enum PageStyle { PAGE_PLAIN, PAGE_BOLD, PAGE_DIM, PAGE_GOOD, PAGE_BAD } PageStyle;

typedef struct Page {
    int columns;
    bool colour;
} Page;

Page page_begin(void);
void page_text(const Page *page, PageStyle style, int indent, const char *text);
// At most so many lines that are laid out already, code or a report: as they are where they fit; a
// longer one is broken at a space, and what follows stands further in.
void page_lines(const Page *page, PageStyle style, int indent, const char *text, int most);
// "next  ./lab check autoencoder.loss        after your change": to be typed, so it is never broken.
// The labels are "next", and "or" for what may be typed instead; `why` may be "".
void page_command(const Page *page, const char *label, const char *command, const char *why);
// `name` in bold, the text beside it in its column; under it where the name is too long.
void page_item(const Page *page, int indent, int width, const char *name, const char *text);
// Where the text of such an item begins: indent + width, or indent + 2 on a narrow page.
int page_column(const Page *page, int indent, int width);

// Escape codes to print before and after; "" without colour.
const char *page_on(const Page *page, PageStyle style);
const char *page_off(const Page *page, PageStyle style);
