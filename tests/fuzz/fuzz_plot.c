/* Any text as title, series and tick of a plot: its script and its CSV hold it as data. */
#include "common/plot.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *read_whole(const char *path)
{
    static char text[1 << 18];
    FILE *file = fopen(path, "r");
    if (file == NULL) abort();
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

// Outside of strings stands only what we wrote, and a string ends on its line.
static void check_script(const char *path)
{
    for (const char *at = read_whole(path); *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' && *at != '\n') abort();
        if (strchr("`!@$|<", *at) != NULL) abort();
        if (*at != '\'') continue;
        size_t inside = strcspn(at + 1, "'\n");
        if (at[1 + inside] != '\'' || at[2 + inside] == '\'') abort();
        at += 1 + inside;
    }
}

static void check_csv(const char *path, int rows)
{
    int lines = 0;
    for (const char *at = read_whole(path); *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' && *at != '\n') abort();
        lines += *at == '\n';
    }
    if (lines != rows + 1) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char base[64], script[80], csv[80];
    if (base[0] == '\0') {
        snprintf(base, sizeof base, "/tmp/fuzz_plot_%d", (int)getpid());
        snprintf(script, sizeof script, "%s.gp", base);
        snprintf(csv, sizeof csv, "%s.csv", base);
        setenv("PATH", "/nowhere", 1);    // the script is written; nothing runs it
    }
    char *text = malloc(size + 1);
    if (text == NULL) abort();
    memcpy(text, data, size);
    text[size] = '\0';
    const float x[] = {1, 2};
    const PlotTick ticks[] = {{1, text}, {2, text}};
    Plot plot = {.title = text, .x_label = text, .y_label = text, .ticks = ticks, .tick_count = 2};
    Error err;
    plot_series(&plot, text, x, x, 2);
    if (plot_save(&plot, base, "svg", &err)) abort();
    check_script(script);
    check_csv(csv, 2);
    unlink(script);
    unlink(csv);
    free(text);
    return 0;
}
