#include "common/profile.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include "common/file.h"
#include "common/peak.h"
#include "kernels/trace.h"

static int slowest_first(const void *a, const void *b)
{
    const TraceRow *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static void write_line(FILE *stream, const TraceRow *row, double of_run, double of_peak)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "kernel", row->kernel);
    cJSON_AddNumberToObject(line, "calls", (double)row->calls);
    cJSON_AddNumberToObject(line, "seconds", row->seconds);
    cJSON_AddNumberToObject(line, "flops", row->flops);
    cJSON_AddNumberToObject(line, "bytes", row->bytes);
    cJSON_AddNumberToObject(line, "share_of_run", of_run);
    cJSON_AddNumberToObject(line, "share_of_peak", of_peak);
    char *text = cJSON_PrintUnformatted(line);
    fprintf(stream, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(line);
}

bool profile_report(const char *path, double seconds, int threads, Error *err)
{
    TraceRow rows[KERNEL_COUNT];
    NewFile file;
    double inside = 0;
    trace_rows(rows);
    trace_start(false, false);
    if (!file_begin(&file, path, err)) return false;
    Peak peak = peak_measure(threads);
    qsort(rows, KERNEL_COUNT, sizeof *rows, slowest_first);
    printf("\nProfile: %.3g GFLOP/s and %.3g GB/s are this machine's limits with %d thread%s\n",
           peak.gflops, peak.triad_gbs, threads, threads == 1 ? "" : "s");
    printf("  %-22s %9s %9s %7s %9s %7s %8s\n", "kernel", "calls", "seconds", "of run", "GFLOP/s",
           "GB/s", "of peak");
    for (int i = 0; i < KERNEL_COUNT && rows[i].calls > 0; i++) {
        const TraceRow *row = &rows[i];
        double gflops = 1e-9 * row->flops / row->seconds, gbs = 1e-9 * row->bytes / row->seconds;
        double of_peak = row->flops > 0 ? gflops / peak.gflops : gbs / peak.triad_gbs;
        printf("  %-22s %9ld %9.3f %5.0f %%", row->kernel, row->calls, row->seconds,
               100 * row->seconds / seconds);
        if (row->flops > 0) printf(" %9.1f %7s", gflops, "-");
        else printf(" %9s %7.1f", "-", gbs);
        printf(" %6.0f %%\n", 100 * of_peak);
        write_line(file.stream, row, row->seconds / seconds, of_peak);
        inside += row->seconds;
    }
    printf("  %-22s %9s %9.3f %5.0f %%\n", "outside of kernels", "", seconds - inside,
           100 * (1 - inside / seconds));
    puts("More than 100 % of the memory's GB/s: the numbers were in a cache.");
    if (!file_commit(&file, err)) return false;
    printf("Also in %s\n", path);
    return true;
}
