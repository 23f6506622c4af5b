/* compare.c -- two reports of `lab bench --device` side by side: two machines, or two commits.
 *
 * Devices of the same name are compared; one that only one report has, with the other's first device.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "bench/device_report.h"
#include "common/options.h"
#include "common/table.h"

typedef struct Pair {
    const DeviceReport *a, *b;
    int device_a, device_b;
} Pair;

static const char *title_of(Arena *keep, const ReportedRow *row)
{
    return *row->form != '\0' ? arena_print(keep, "%s %s", row->name, row->form) : row->name;
}

static bool is_same(const ReportedRow *a, const ReportedRow *b)
{
    return a->n == b->n && strcmp(a->name, b->name) == 0 && strcmp(a->form, b->form) == 0 &&
           strcmp(a->kind, b->kind) == 0;
}

static const ReportedRow *row_like(const DeviceReport *report, const ReportedRow *row)
{
    for (int i = 0; i < report->count; i++)
        if (is_same(&report->rows[i], row)) return &report->rows[i];
    return NULL;
}

static int device_named(const DeviceReport *report, const char *name)
{
    for (int d = 0; d < report->device_count; d++)
        if (strcmp(report->devices[d].name, name) == 0) return d;
    return -1;
}

static void print_report(const char *letter, const DeviceReport *report)
{
    printf("%s  %s\n   %.10s, commit %s, %s\n", letter, report->path, report->date,
           *report->commit != '\0' ? report->commit : "unknown", report->processor);
    for (int d = 0; d < report->device_count; d++) {
        const ReportedDevice *on = &report->devices[d];
        printf("   %s: %s; %.5g GFLOP/s, %.4g GB/s measured%s\n", on->name, on->what, on->gflops,
               on->copy_gbs,
               on->emulated && strstr(on->what, "mean nothing") == NULL
                   ? "; EMULATED: its times mean nothing"
                   : "");
    }
}

static void print_pair(Arena *keep, Pair pair)
{
    const ReportedDevice *on_a = &pair.a->devices[pair.device_a],
                         *on_b = &pair.b->devices[pair.device_b];
    Table table = table_new(keep, "what|unit|n|A [us]|B [us]|B is faster");
    double logs = 0;
    int count = 0;
    for (int i = 0; i < pair.a->count; i++) {
        const ReportedRow *a = &pair.a->rows[i], *b = row_like(pair.b, a);
        if (b == NULL) continue;
        const double ratio = a->seconds[pair.device_a] / b->seconds[pair.device_b];
        table_row(&table, "%s|%s|%d|%.3f|%.3f|%.3g", title_of(keep, a), a->unit, a->n,
                  1e6 * a->seconds[pair.device_a], 1e6 * b->seconds[pair.device_b], ratio);
        logs += log(ratio);
        count++;
    }
    printf("\nA: %s on %.10s    B: %s on %.10s%s\n", on_a->name, pair.a->date, on_b->name,
           pair.b->date,
           on_a->emulated || on_b->emulated ? "    one is emulated: the ratios mean nothing" : "");
    if (count == 0) {
        puts("  nothing was timed in both");
        return;
    }
    table_print(&table, 2, stdout);
    printf("  B is %.3g times as fast, the geometric mean of %d rows\n", exp(logs / count), count);
}

// What one report has and the other has not, as "matmul 4096, add 16777216".
static void print_only(Arena *keep, const char *letter, const DeviceReport *report,
                       const DeviceReport *other)
{
    int count = 0;
    for (int i = 0; i < report->count; i++) {
        const ReportedRow *row = &report->rows[i];
        if (row_like(other, row) != NULL) continue;
        printf("%s%s %d", count++ == 0 ? arena_print(keep, "\nonly in %s: ", letter) : ", ",
               title_of(keep, row), row->n);
    }
    if (count > 0) putchar('\n');
}

static void print_pairs(Arena *keep, const DeviceReport *a, const DeviceReport *b)
{
    for (int d = 0; d < a->device_count; d++) {
        const int same = device_named(b, a->devices[d].name);
        print_pair(keep, (Pair){a, b, d, same >= 0 ? same : 0});
    }
    for (int d = 0; d < b->device_count; d++)
        if (device_named(a, b->devices[d].name) < 0) print_pair(keep, (Pair){a, b, 0, d});
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

int main(int argc, char **argv)
{
    Error err;
    int status, count;
    const char **paths;
    Arena *keep = arena_new("keep", 256u << 20);
    Options *options =
        options_new(keep, "compare", "Two reports of ./lab bench --device side by side.");
    bool compare = false;    // so that `lab bench` can hand its own words on
    options_flag(options, "compare", 'c', &compare, "what this program does, with or without it");
    options_rest(options, &paths, &count, "A.json B.json");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (count != 2) {
        error_print("%d reports were named, expected two: ./lab bench --compare A.json B.json",
                    count);
        return 2;
    }
    if (same_file(paths[0], paths[1])) {
        error_print("%s and %s are the same file, expected two reports", paths[0], paths[1]);
        return 2;
    }
    DeviceReport reports[2];
    for (int i = 0; i < 2; i++)
        if (!device_report_load(keep, paths[i], &reports[i], &err)) return error_report(&err);
    print_report("A", &reports[0]);
    print_report("B", &reports[1]);
    print_pairs(keep, &reports[0], &reports[1]);
    print_only(keep, "A", &reports[0], &reports[1]);
    print_only(keep, "B", &reports[1], &reports[0]);
    return 0;
}
