#include "common/terminal.h"
#include <sys/ioctl.h>

TerminalSize terminal_size(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return (TerminalSize){.columns = 80, .rows = 24};
    return (TerminalSize){.columns = size.ws_col, .rows = size.ws_row};
}
