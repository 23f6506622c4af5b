/* skip.h -- a case that cannot be tried here says why, and which command makes it run.
 *
 *     if (!has_gnuplot()) SKIP("no gnuplot", "./lab setup");
 *
 * ./lab test counts these lines and repeats them at its end.
 */
#pragma once

#define SKIP(why, how)                                                                             \
    do {                                                                                           \
        print_message("skipped: %s: %s\n", why, how);                                              \
        skip(); /* NOLINT: the one place */                                                        \
    } while (0)
