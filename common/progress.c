#include "common/progress.h"
#include "common/terminal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_COLUMNS = 200, BAR = 20 };

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

Progress progress_begin(const char *label, const char *unit, long done, long total)
{
    double now = seconds_now();
    return (Progress){.label = label,
                      .unit = unit,
                      .first = done,
                      .total = total,
                      .began = now,
                      .drawn = now - 1.0,
                      .shown = isatty(STDERR_FILENO)};
}

// 28437 -> "28.4k"
static void rate_text(char text[16], double rate)
{
    const char *unit = rate >= 1e9 ? "G" : rate >= 1e6 ? "M" : rate >= 1e3 ? "k" : "";
    double size = rate >= 1e9 ? 1e9 : rate >= 1e6 ? 1e6 : rate >= 1e3 ? 1e3 : 1.0;
    snprintf(text, 16, "%.3g%s", rate / size, unit);
}

// 75 -> "1:15", 3675 -> "1:01:15"
static void time_text(char text[32], double seconds)
{
    long left = seconds < 1e7 ? (long)(seconds + 0.5) : 10000000;
    if (left < 3600) snprintf(text, 32, "%ld:%02ld", left / 60, left % 60);
    else snprintf(text, 32, "%ld:%02ld:%02ld", left / 3600, left / 60 % 60, left % 60);
}

// Replaces what is on the line: the new text, then blanks over what was longer.
static void draw(Progress *progress, const char *text, int length)
{
    int blanks = progress->columns > length ? progress->columns - length : 0;
    fprintf(stderr, "\r%.*s%*s", length, text, blanks, "");
    fflush(stderr);
    progress->columns = length;
}

// "training  61% [############--------] 28.4k images/s  0:12 left  "; the bar only where there is room.
static int heading(char *line, size_t size, const Progress *progress, long done, double spent,
                   int columns)
{
    static const char SLIDE[] = "####################--------------------";    // BAR of it show
    double share = progress->total > 0 ? (double)done / (double)progress->total : 1.0;
    double moved = (double)(done - progress->first), left = (double)(progress->total - done);
    int full = share < 1.0 ? (int)(share * BAR) : BAR;
    char rate[16], time[32], bar[BAR + 4] = "";
    rate_text(rate, spent > 0.0 ? moved / spent : 0.0);
    time_text(time, moved > 0.0 && left > 0.0 ? spent * left / moved : 0.0);
    if (columns >= 79) snprintf(bar, sizeof bar, "[%.*s] ", BAR, SLIDE + BAR - full);
    return snprintf(line, size, "%s %3.0f%% %s%s %s/s  %s left  ", progress->label, 100.0 * share,
                    bar, rate, progress->unit, time);
}

void progress_step(Progress *progress, long done, const char *format, ...)
{
    if (!progress->shown) return;
    double now = seconds_now();
    if (now - progress->drawn < 0.1 && done < progress->total) return;
    progress->drawn = now;

    char line[LINE_MAX_COLUMNS + 1];
    int columns = terminal_size(STDERR_FILENO).columns - 1;
    int used = heading(line, sizeof line, progress, done, now - progress->began, columns);
    if (used < LINE_MAX_COLUMNS) {
        va_list args;
        va_start(args, format);
        vsnprintf(line + used, sizeof line - (size_t)used, format, args);
        va_end(args);
    }
    int length = (int)strlen(line);
    draw(progress, line, length < columns ? length : columns);
}

void progress_clear(Progress *progress)
{
    if (!progress->shown || progress->columns == 0) return;
    draw(progress, "", 0);
    fputc('\r', stderr);
    progress->drawn = 0.0;
}

void progress_end(Progress *progress)
{
    if (progress->columns > 0) fputc('\n', stderr);
    progress->columns = 0;
}
