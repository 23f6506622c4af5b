#include "labs/2_core/gpu_kernels/bench_rows.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/text.h"
#include "labs/2_core/gpu_kernels/rungs.h"

// ---- run ----

static RungRow row_of(Arena *step, const Rung *rung, int size, const Gpu *gpu)
{
    emulator_clear();
    const Work work = rung->run(step, size);
    const EmulatorReport *report = emulator_report();
    const GpuPeaks peaks = gpu_peaks(gpu, rung->tensor_cores);
    const Roofline time = roofline_of(report, work.flops, peaks);
    return (RungRow){
        .rung = rung->name,
        .size = work.size,
        .fault = report->faults > 0 ? arena_print(step, "%s", report->fault[0].message) : NULL,
        .tensor_cores = rung->tensor_cores,
        .flops = work.flops,
        .bytes = work.bytes,
        .sectors = (double)report->sectors,
        .wavefronts = (double)report->wavefronts,
        .least = time.least,
        .most = time.most,
        .limit = fmax(work.flops / peaks.flops_per_second, work.bytes / peaks.bytes_per_second)};
}

static bool is_asked(const Rung *rung, const char *only)
{
    return only == NULL || strcmp(only, rung->name) == 0;
}

int bench_rows_run(Arena *step, int size, const Gpu *gpu, const char *only, RungRow *rows)
{
    int count = 0;
    for (int i = 0; i < rung_count; i++)
        if (is_asked(&rungs[i], only)) rows[count++] = row_of(step, &rungs[i], size, gpu);
    return count;
}

// ---- written ----

#define NUMBERS(X) X(flops) X(bytes) X(sectors) X(wavefronts) X(least) X(most) X(limit) X(seconds)

static void print_row(const RungRow *row)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "rung", row->rung);
    cJSON_AddStringToObject(json, "size", row->size);
    if (row->fault != NULL) cJSON_AddStringToObject(json, "fault", row->fault);
#define X(name) cJSON_AddNumberToObject(json, #name, row->name);
    NUMBERS(X)
#undef X
    char *text = cJSON_PrintUnformatted(json);
    puts(text);
    fflush(stdout);    // what comes next may crash
    cJSON_free(text);
    cJSON_Delete(json);
}

void bench_rows_print(Arena *step, int size, const Gpu *gpu, const char *only)
{
    for (int i = 0; i < rung_count; i++) {
        if (!is_asked(&rungs[i], only)) continue;
        const RungRow row = row_of(step, &rungs[i], size, gpu);
        print_row(&row);
    }
}

// ---- read ----

static const char *text_of(Arena *keep, const cJSON *json, const char *field)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, field);
    if (!cJSON_IsString(value)) return NULL;
    char *text = arena_print(keep, "%s", value->valuestring);
    text_clean(text);
    return text;
}

static double number_of(const cJSON *json, const char *field)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, field);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

// False for a line that is no row: a kernel may print.
static bool read_row(Arena *keep, const char *line, RungRow *row)
{
    cJSON *json = cJSON_Parse(line);
    *row = (RungRow){.rung = text_of(keep, json, "rung"), .size = text_of(keep, json, "size")};
    const bool whole = row->rung != NULL && row->size != NULL;
    if (whole) {
        row->fault = text_of(keep, json, "fault");
#define X(name) row->name = number_of(json, #name);
        NUMBERS(X)
#undef X
    }
    cJSON_Delete(json);
    return whole;
}

static _Noreturn void start(const char *const *argv, const char *library_folder, int to)
{
    const char *before = getenv("LD_LIBRARY_PATH");
    char path[8192];
    dup2(to, STDOUT_FILENO);
    close(to);
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (library_folder != NULL) {
        snprintf(path, sizeof path, "%s%s%s", library_folder, before != NULL ? ":" : "",
                 before != NULL ? before : "");
        setenv("LD_LIBRARY_PATH", path, 1);
    }
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

int bench_rows_read(Arena *keep, const char *const *argv, const char *library_folder, RungRow *rows,
                    Error *err)
{
    int ends[2], count = 0, status;
    if (pipe(ends) != 0) return error_set(err, "no pipe: %s", strerror(errno)), -1;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        start(argv, library_folder, ends[1]);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    char *line = NULL;
    size_t room = 0;
    while (child > 0 && from != NULL && count < BENCH_ROWS && getline(&line, &room, from) > 0)
        if (read_row(keep, line, &rows[count])) count++;
    free(line);
    if (from != NULL) fclose(from);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return error_set(err, "%s cannot be started: %s", argv[0], strerror(errno)), -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && count == 0)
        return error_set(err, "%s cannot be started", argv[0]), -1;
    return count;
}

// ---- beside one another ----

const RungRow *bench_row_of(const RungRow *rows, int count, const char *rung)
{
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].rung, rung) == 0) return &rows[i];
    return NULL;
}

bool bench_row_is_cublas(const RungRow *row)
{
    return strncmp(row->rung, "matmul_cublas", strlen("matmul_cublas")) == 0;
}

const RungRow *bench_row_before(const RungRow *rows, int index)
{
    const RungRow *row = &rows[index];
    const size_t kind = strcspn(row->rung, "_") + 1;    // "matmul_"
    if (bench_row_is_cublas(row)) return NULL;
    for (int i = index - 1; i >= 0; i--)
        if (strncmp(row->rung, rows[i].rung, kind) == 0 && row->flops == rows[i].flops &&
            !bench_row_is_cublas(&rows[i]))
            return &rows[i];
    return NULL;
}
