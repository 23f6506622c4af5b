/* html.h -- text and files, made fit to stand in HTML.
 *
 *     fprintf(page, "<a href=\"%s\">%s</a>", html_url(arena, path), html_escaped(arena, path));
 *
 * Results live in the arena.
 */
#pragma once
#include "common/arena.h"

// For an element or an attribute in double quotes. Control characters, which are not HTML, become U+FFFD.
const char *html_escaped(Arena *arena, const char *text);

// A path, with all bytes but letters, digits and "/-_." as %XX.
const char *html_url(Arena *arena, const char *path);

// "data:image/png;base64,..." of a PNG or SVG; NULL for another file, a missing one, or more than
// `most` bytes.
const char *html_data_url(Arena *arena, const char *path, size_t most);
