/* data.h -- `lab data`: which data sets there are, fetching them, and telling whole from damaged.
 *
 *     if (strcmp(argv[1], "data") == 0) return command_data(argc - 1, argv + 1);
 *
 * argv[0] is "data". The data lies in LAB_DATA, else in data/ of the project. Returns the program's
 * exit status: 0, 1 when something failed, 2 for a wrong command line, 130 after Ctrl-C.
 */
#pragma once

int command_data(int argc, char **argv);
