#include "bench/report.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "common/file.h"
#include "kernels/device.h"

// The first line of a command's output without its line break; "" when there is none.
static char *first_line(Arena *keep, const char *command)
{
    char line[512] = "";
    FILE *pipe = popen(command, "r");
    if (pipe != NULL) {
        if (fgets(line, sizeof line, pipe) == NULL) line[0] = '\0';
        pclose(pipe);
    }
    line[strcspn(line, "\n")] = '\0';
    return arena_print(keep, "%s", line);
}

static char *processor(Arena *keep)
{
    char *linux_name = first_line(
        keep, "grep -m1 'model name' /proc/cpuinfo 2>/dev/null | sed 's/[^:]*: *//; s/  */ /g'");
    return *linux_name ? linux_name
                       : first_line(keep, "sysctl -n machdep.cpu.brand_string 2>/dev/null");
}

static char *commit(Arena *keep)
{
    return first_line(keep, "git -C '" LAB_SOURCE_DIR "' describe --always --dirty 2>/dev/null");
}

static const char *compiler(Arena *keep)
{
#ifdef __clang__
    return arena_print(keep, "%s", __VERSION__);
#else
    return arena_print(keep, "gcc %s", __VERSION__);
#endif
}

// Reads the time that all cores have worked and been idle since the system started, in ticks.
static bool read_ticks(double *working, double *idle)
{
    double user, nice, system, waiting, interrupts, more;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL) return false;
    int count = fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, idle,
                       &waiting, &interrupts, &more);
    fclose(file);
    if (count != 7) return false;
    *working = user + nice + system + interrupts + more;
    *idle += waiting;
    return true;
}

// The share of the machine that others use: its work while we sleep. 0 where that cannot be told.
static double busy_share(void)
{
    double working[2], idle[2];
    if (!read_ticks(&working[0], &idle[0])) return 0;
    bench_sleep(0.3);
    if (!read_ticks(&working[1], &idle[1])) return 0;
    double worked = working[1] - working[0], all = worked + idle[1] - idle[0];
    return all > 0 ? worked / all : 0;
}

static void report_busy(BenchReport *report, const char *when)
{
    double share = busy_share();
    cJSON_AddNumberToObject(report->document, when, share);
    if (share > 0.1)
        printf("THE MACHINE IS BUSY: others use %.0f%% of it; no figure here is to be quoted\n",
               100 * share);
}

BenchReport *bench_report_new(Arena *keep, const char *bench, const char *libraries)
{
    struct utsname system;
    uname(&system);
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    double gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1u << 30);
    char *cpu = processor(keep), *version = commit(keep);
    char *os = arena_print(keep, "%s %s", system.sysname, system.release);
    char *table = arena_print(keep, "%s/%s", device->name, kernels.variant);

    BenchReport *report = arena_alloc(keep, sizeof *report);
    cJSON *json = report->document = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "bench", bench);
    cJSON_AddStringToObject(json, "date", date);
    cJSON_AddStringToObject(json, "commit", version);
    cJSON *machine = cJSON_AddObjectToObject(json, "machine");
    cJSON_AddStringToObject(machine, "cpu", cpu);
    cJSON_AddNumberToObject(machine, "cores", omp_get_num_procs());
    cJSON_AddNumberToObject(machine, "memory_gib", gib);
    cJSON_AddStringToObject(machine, "kernel", os);
    cJSON_AddStringToObject(machine, "compiler", compiler(keep));
    cJSON_AddStringToObject(machine, "libraries", libraries);
    cJSON_AddStringToObject(machine, "table", table);
    report->peaks = cJSON_AddArrayToObject(json, "peaks");
    report->results = cJSON_AddArrayToObject(json, "results");

    printf("%s  %s  commit %s  kernels %s\n", bench, date, *version ? version : "unknown", table);
    printf("%s, %d cores, %.0f GiB; %s; %s\n", cpu, omp_get_num_procs(), gib, os, compiler(keep));
    printf("%s\n", libraries);
    report_busy(report, "busy_before");
    return report;
}

void bench_report_peak(BenchReport *report, Peak peak)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToArray(report->peaks, json);
    cJSON_AddNumberToObject(json, "threads", peak.threads);
    cJSON_AddStringToObject(json, "variant", peak.variant);
    cJSON_AddNumberToObject(json, "gflops", peak.gflops);
    cJSON_AddNumberToObject(json, "triad_gbs", peak.triad_gbs);
    cJSON_AddNumberToObject(json, "read_gbs", peak.read_gbs);
    printf("limits here, %d thread%s: %.0f GFLOP/s (%s), triad %.1f GB/s, read %.1f GB/s\n",
           peak.threads, peak.threads == 1 ? "" : "s", peak.gflops, peak.variant, peak.triad_gbs,
           peak.read_gbs);
    fflush(stdout);
}

void bench_report_peer(BenchReport *report, const Peer *peer)
{
    static const char *const keys[] = {"peer", "second_peer", "third_peer", "fourth_peer"};
    size_t k = 0;
    while (k + 1 < sizeof keys / sizeof *keys && cJSON_HasObjectItem(report->document, keys[k]))
        k++;
    cJSON_AddItemToObject(report->document, keys[k], cJSON_Duplicate(peer->hello, true));
    const cJSON *libraries = cJSON_GetObjectItem(peer->hello, "libraries");
    printf("%s: %s\n", peer->name, cJSON_IsString(libraries) ? libraries->valuestring : "");
}

cJSON *bench_report_row(BenchReport *report)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(report->results, row);
    return row;
}

void bench_report_timing(cJSON *row, const Timing *timing)
{
    cJSON *json = cJSON_AddObjectToObject(row, timing->name);
    cJSON_AddNumberToObject(json, "seconds", timing->seconds.median);
    cJSON_AddNumberToObject(json, "min", timing->seconds.min);
    cJSON_AddNumberToObject(json, "quartile1", timing->seconds.quartile1);
    cJSON_AddNumberToObject(json, "quartile3", timing->seconds.quartile3);
    cJSON_AddNumberToObject(json, "max", timing->seconds.max);
    cJSON_AddNumberToObject(json, "rounds", timing->seconds.count);
    cJSON_AddNumberToObject(json, "calls", (double)timing->calls);
    cJSON_AddNumberToObject(json, "slower_than_first", timing->ratio.median);
}

static bool write_document(const cJSON *document, const char *path, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    char *text = cJSON_Print(document);
    fprintf(file.stream, "%s\n", text);
    free(text);
    return file_commit(&file, err);
}

bool bench_report_end(BenchReport *report, const char *path, Error *err)
{
    report_busy(report, "busy_after");
    bool written = path == NULL || write_document(report->document, path, err);
    cJSON_Delete(report->document);
    return written;
}
