/* terminal.h -- how large the terminal behind a file descriptor is.
 *
 *     TerminalSize size = terminal_size(STDERR_FILENO);    // 80 x 24 where it cannot be told
 */
#pragma once

typedef struct TerminalSize {
    int columns, rows;
} TerminalSize;

TerminalSize terminal_size(int fd);
