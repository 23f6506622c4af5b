/* console.h -- text on stdout that fits its reader: wrapped to the terminal, coloured only on one.
 *
 *     Console console = console_begin();
 *     console_text(&console, CONSOLE_BOLD, 2, "Foundations");             // two columns in, bold
 *     console_text(&console, CONSOLE_DIM, 4, "a long sentence ...");      // wrapped at words, all lines 4 in
 *     console_item(&console, 4, 14, "autoencoder", "Compresses ...");    // name, then text in a column
 *
 * The width is the terminal's, or COLUMNS, or 80; never under 40, never over 100. Colours appear
 * on a terminal that is not "dumb" and without NO_COLOR (no-color.org); with CLICOLOR_FORCE also in a
 * pipe, as `less -R` wants them. What a text holds that a terminal would obey is shown as '?' (text.h).
 */
#pragma once
#include <stdbool.h>

typedef enum ConsoleStyle {
    CONSOLE_PLAIN,
    CONSOLE_BOLD,
    CONSOLE_DIM,
    CONSOLE_GOOD,
    CONSOLE_BAD
} ConsoleStyle;

typedef struct Console {
    int columns;
    bool colour;
} Console;

// A space that no line is broken at, as in a path: console_keep() makes all of a text's spaces such.
enum { CONSOLE_SPACE = '\x1f' };
char *console_keep(char *text);

Console console_begin(void);
void console_text(const Console *console, ConsoleStyle style, int indent, const char *text);
// At most so many lines that are laid out already, code or a report: as they are where they fit; a
// longer one is broken at a space, and what follows stands further in.
void console_lines(const Console *console, ConsoleStyle style, int indent, const char *text,
                   int most);
// All of a command's help.
void console_help(const char *text);
// "next  ./lab check autoencoder.loss        after your change": to be typed, so it is never broken.
// The labels are "next", and "or" for what may be typed instead; `why` may be "".
void console_command(const Console *console, const char *label, const char *command,
                     const char *why);
// `name` in bold, the text beside it in its column; under it where the name is too long.
void console_item(const Console *console, int indent, int width, const char *name,
                  const char *text);
// Where the text of such an item begins: indent + width, or indent + 2 on a narrow console.
int console_column(const Console *console, int indent, int width);

// "./lab", or what the script ./lab says in LAB_SELF where the user stands in another folder.
const char *console_lab(void);

// From here on, a program whose standard output could not be written (a full disk) says so at its end and
// exits with 1.
void console_check_output(void);

// Escape codes to print before and after; "" without colour.
const char *console_on(const Console *console, ConsoleStyle style);
const char *console_off(const Console *console, ConsoleStyle style);
