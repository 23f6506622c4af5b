#include "bench/device_report.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/json.h"
#include "common/options.h"
#include "common/text.h"

const char *const device_reports_kept = LAB_SOURCE_DIR "/bench/results";

// A text that may be empty.
static bool read_text(Arena *keep, const cJSON *object, const char *where, const char *field,
                      const char **text, Error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, field);
    if (!cJSON_IsString(value))
        return error_set(err, "%s: \"%s\" is %s, expected a text", where, field,
                         value == NULL ? "missing" : "of another type");
    char *clean = arena_print(keep, "%s", value->valuestring);
    text_clean(clean);
    *text = clean;
    return true;
}

static bool read_device(Arena *keep, const cJSON *json, const char *where, ReportedDevice *on,
                        Error *err)
{
    on->emulated = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "emulated"));
    return read_text(keep, json, where, "name", &on->name, err) &&
           read_text(keep, json, where, "what", &on->what, err) &&
           json_number(json, where, "gflops", 0, 1e12, &on->gflops, err) &&
           json_number(json, where, "copy_gbs", 0, 1e12, &on->copy_gbs, err);
}

static bool read_row(Arena *keep, const cJSON *json, const char *where, const DeviceReport *report,
                     ReportedRow *row, Error *err)
{
    double n;
    if (!read_text(keep, json, where, "kind", &row->kind, err) ||
        !read_text(keep, json, where, "name", &row->name, err) ||
        !read_text(keep, json, where, "form", &row->form, err) ||
        !read_text(keep, json, where, "unit", &row->unit, err) ||
        !json_number(json, where, "n", 1, 2147483647, &n, err) ||
        !json_number(json, where, "flops", 0, 1e18, &row->flops, err) ||
        !json_number(json, where, "bytes", 0, 1e18, &row->bytes, err))
        return false;
    row->n = (int)n;
    for (int d = 0; d < report->device_count; d++) {
        const char *name = report->devices[d].name;
        const cJSON *on = cJSON_GetObjectItemCaseSensitive(json, name);
        if (!cJSON_IsObject(on)) return error_set(err, "%s: has no time on %s", where, name);
        if (!json_number(on, where, "seconds", 1e-12, 1e9, &row->seconds[d], err)) return false;
    }
    return true;
}

static bool read_list(Arena *keep, const cJSON *tree, DeviceReport *report, Error *err)
{
    const char *path = report->path;
    const cJSON *one, *devices = json_array(tree, path, "devices", err), *rows;
    if (devices == NULL || (rows = json_array(tree, path, "results", err)) == NULL) return false;
    if (cJSON_GetArraySize(devices) < 1 || cJSON_GetArraySize(devices) > REPORT_DEVICES)
        return error_set(err, "%s: has %d devices, expected 1 to %d", path,
                         cJSON_GetArraySize(devices), REPORT_DEVICES);
    cJSON_ArrayForEach(one, devices)
    {
        ReportedDevice *on = &report->devices[report->device_count];
        const char *where = arena_print(keep, "%s: device %d", path, ++report->device_count);
        if (!read_device(keep, one, where, on, err)) return false;
    }
    report->rows = arena_zeros(keep, (size_t)cJSON_GetArraySize(rows) * sizeof *report->rows + 1);
    cJSON_ArrayForEach(one, rows)
    {
        const char *where = arena_print(keep, "%s: result %d", path, report->count + 1);
        if (!read_row(keep, one, where, report, &report->rows[report->count++], err)) return false;
    }
    return true;
}

static bool read_report(Arena *keep, const cJSON *tree, DeviceReport *report, Error *err)
{
    const char *path = report->path, *bench = "";
    double format;
    if (!read_text(keep, tree, path, "bench", &bench, err)) return false;
    if (strcmp(bench, "device") != 0)
        return error_set(err,
                         "%s: is a report of '%.40s', expected one of 'device' (./lab bench "
                         "--device cpu --json FILE)",
                         path, bench);
    if (!json_number(tree, path, "format", 1, 1e6, &format, err)) return false;
    if (format != REPORT_FORMAT)
        return error_set(err, "%s: has format %.0f, and this program reads format %d", path, format,
                         REPORT_FORMAT);
    const cJSON *machine = cJSON_GetObjectItemCaseSensitive(tree, "machine");
    return read_text(keep, tree, path, "date", &report->date, err) &&
           read_text(keep, tree, path, "commit", &report->commit, err) &&
           read_text(keep, machine, arena_print(keep, "%s: machine", path), "cpu",
                     &report->processor, err) &&
           read_list(keep, tree, report, err);
}

bool device_report_load(Arena *keep, const char *path, DeviceReport *report, Error *err)
{
    *report = (DeviceReport){.path = path};
    cJSON *tree = json_load(path, err);
    const bool ok = tree != NULL && read_report(keep, tree, report, err);
    cJSON_Delete(tree);
    return ok;
}

bool device_report_has_gpu(const DeviceReport *report)
{
    for (int d = 0; d < report->device_count; d++)
        if (strncmp(report->devices[d].name, "cuda", 4) == 0) return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void device_report_offer(Arena *keep, const char *folder, const char *with)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int count = 0, offered = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && count < MOST && (entry = readdir(dir)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (end != NULL && strcmp(end, ".json") == 0)
            names[count++] = arena_print(keep, "%s/%s", folder, entry->d_name);
    }
    if (dir != NULL) closedir(dir);
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++) {
        DeviceReport report;
        if (!device_report_load(keep, names[i], &report, NULL) || !device_report_has_gpu(&report))
            continue;
        if (offered++ == 0) puts("\nNo GPU was timed here. Kept reports of one:");
        const ReportedDevice *last = &report.devices[report.device_count - 1];
        printf("  %s, %.10s\nnext  ./lab bench --compare %s %s\n", last->what, report.date,
               options_quoted(keep, file_shown(keep, names[i])),
               with != NULL ? options_quoted(keep, file_shown(keep, with)) : "FILE");
    }
    if (offered == 0)
        printf("\nNo GPU was timed here, and %s holds no report of one to compare with.\n",
               file_shown(keep, folder));
}
