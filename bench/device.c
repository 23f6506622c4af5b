/* device.c -- every kernel, and the training and inference loops, on one device or on several (--device cpu,cuda):
 * GFLOP/s, GB/s, the share of what the device can do at most, and how many times as fast as the first device it is,
 * without and with the transfers from and to the host.
 *
 * The times of one call are those of many that are queued at once, with one wait at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/command.h"
#include "bench/device_report.h"
#include "bench/machine.h"
#include "bench/sweep_pictures.h"
#include "common/file.h"
#include "common/nearest.h"
#include "common/plot.h"

enum { SUBJECTS_MAX = 128 };

typedef struct Asked {
    const char *devices, *only, *out, *plot;
    int limit;
} Asked;

// ---- what is timed ----

static int subjects_all(Arena *keep, Subject *subjects)
{
    int count = 0;
    REQUIRE(kernel_work_count + LOOPS_MAX <= SUBJECTS_MAX, "more than %d subjects", SUBJECTS_MAX);
    for (int i = 0; i < kernel_work_count; i++)
        subjects[count++] = kernel_subject(&kernel_works[i]);
    return count + loop_subjects(keep, subjects + count);
}

static bool is_named(const Subject *subject, const char *word)
{
    return strcmp(subject->name, word) == 0 || strcmp(subject->kind, word) == 0;
}

// Keeps the subjects that the list names, in their order. False, with a message, for a word that names nothing.
static bool subjects_choose(Arena *keep, Subject *subjects, int *count, const char *only,
                            Error *err)
{
    bool chosen[SUBJECTS_MAX] = {false};
    const char *names[SUBJECTS_MAX];
    for (int i = 0; i < *count; i++) names[i] = subjects[i].name;
    for (char *rest = arena_print(keep, "%s", only), *word; (word = strsep(&rest, ",")) != NULL;) {
        bool found = false;
        for (int i = 0; i < *count; i++)
            if (is_named(&subjects[i], word)) found = chosen[i] = true;
        if (found) continue;
        const char *near = nearest(word, names, *count);
        error_set(err, "--only: '%s' is neither a kernel nor a loop", word);
        if (near != NULL)
            error_set(err, "--only: '%s' is neither a kernel nor a loop; did you mean '%s'?", word,
                      near);
        return false;
    }
    int kept = 0;
    for (int i = 0; i < *count; i++)
        if (chosen[i]) subjects[kept++] = subjects[i];
    *count = kept;
    return true;
}

// ---- on what ----

// CUDA's devices share their kernels' memory: one of them at a time.
static bool devices_add(Sweep *sweep, const char *names, int threads, Error *err)
{
    const char *all[SWEEP_DEVICES], *why;
    int gpus = 0, count = 0;
    for (char *rest = arena_print(sweep->keep, "%s", names), *name;
         (name = strsep(&rest, ",")) != NULL;) {
        gpus += strncmp(name, "cuda", 4) == 0;
        if (gpus > 1) return error_set(err, "--device %s: expected one GPU at most", names);
        if (count == SWEEP_DEVICES)
            return error_set(err, "--device %s: expected %d devices at most", names, SWEEP_DEVICES);
        for (int d = 0; d < count; d++)
            if (strcmp(all[d], name) == 0)
                return error_set(err, "--device %s: '%s' is there twice", names, name);
        if (!device_use(name, &why)) return error_set(err, "--device %s: %s", name, why);
        all[count++] = name;
    }
    for (int d = 0; d < count; d++)    // takes seconds: after all was checked
        if (!sweep_add_device(sweep, all[d], threads, err)) return false;
    return true;
}

static bool has_gpu(const Sweep *sweep)
{
    for (int d = 0; d < sweep->device_count; d++)
        if (strncmp(sweep->devices[d].name, "cuda", 4) == 0) return true;
    return false;
}

static bool is_emulated(const Sweep *sweep)
{
    for (int d = 0; d < sweep->device_count; d++)
        if (sweep->devices[d].emulated) return true;
    return false;
}

// Into a folder goes a report that has the machine's name: the GPU's where one was timed.
static const char *json_path(const Sweep *sweep, const Command *command)
{
    Arena *keep = sweep->keep;
    if (command->json_folder == NULL) return command->json;
    const char *name = machine_processor(keep);
    for (int d = 0; d < sweep->device_count; d++) {
        const char *gpu = machine_gpu(keep, sweep->devices[d].name);
        if (gpu != NULL) name = gpu;
    }
    return arena_print(keep, "%s/%s", command->json_folder, machine_file(keep, name));
}

static void print_left_out(const Sweep *sweep)
{
    if (sweep->too_long > 0)
        printf("\n%d sizes left out: a call would take longer than %.3g s\n", sweep->too_long,
               sweep->most_seconds);
    if (sweep->out_of_time > 0)
        printf("\n%d sizes left out: the time limit was reached (--limit)\n", sweep->out_of_time);
    cJSON *json = sweep->report->document;
    cJSON_AddNumberToObject(json, "left_out_too_long", sweep->too_long);
    cJSON_AddNumberToObject(json, "left_out_of_time", sweep->out_of_time);
}

static bool run(Sweep *sweep, const Command *command, const Asked *asked, Error *err)
{
    static Subject subjects[SUBJECTS_MAX];
    static const char note[] = "\nEMULATED: CUDA kernels that run on the CPU. Times, shares and "
                               "ratios of that device mean nothing.";
    int count = subjects_all(sweep->keep, subjects);
    if (asked->only != NULL && !subjects_choose(sweep->keep, subjects, &count, asked->only, err))
        return false;
    const int threads = command->threads[command->thread_counts - 1];
    bench_threads(threads);
    if (!devices_add(sweep, asked->devices, threads, err)) return false;
    device_put_in_use(sweep->devices[0].device);
    sweep->report = bench_report_new(sweep->keep, "device", "none");
    cJSON_AddNumberToObject(sweep->report->document, "format", REPORT_FORMAT);
    cJSON_AddNumberToObject(sweep->report->document, "threads", threads);
    sweep_report_devices(sweep);
    puts("\nA time is the median of interleaved rounds (~ noisy); \"limit\" is the share of what "
         "the device's measured "
         "limits\nallow, above 100% where operands were in a cache; \"faster\" is how many times "
         "as fast as the first "
         "device.");
    if (is_emulated(sweep)) puts(note);
    for (int i = 0; i < count; i++) {
        const double now = bench_now(), left = sweep->until - now;
        sweep->subject_until = now + left / (count - i);    // and what one leaves is the others'
        if (!sweep_subject(sweep, &subjects[i], err)) return false;
    }
    print_left_out(sweep);
    sweep_show(sweep, asked->out, asked->plot,
               arena_print(sweep->keep, "./lab bench --device %s", asked->devices));
    if (is_emulated(sweep)) puts(note);
    const char *json = json_path(sweep, command);
    if (!bench_report_end(sweep->report, json, err)) return false;
    if (json != NULL) printf("Report: %s\n", file_shown(sweep->keep, json));
    if (!has_gpu(sweep)) device_report_offer(sweep->keep, device_reports_kept, json);
    return true;
}

static const char *results_folder(Arena *keep)
{
    const char *results = getenv("LAB_OUT");
    return arena_print(keep, "%s/bench", results != NULL && *results != '\0' ? results : "out");
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    const char *why;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", (size_t)1 << 30);
    Asked asked = {.devices = device_use("cuda", &why) ? "cpu,cuda" : "cpu",
                   .out = results_folder(keep),
                   .plot = "svg"};
    Options *options = command_options(keep, &command, "device",
                                       "Every kernel, training and inference, on each device.");
    options_choices(options, "device", 'd', &asked.devices, DEVICE_NAMES,
                    "the first is what others are held against");
    options_string(options, "only", 'o', &asked.only, "LIST",
                   "kernels and loops by name, or kernel, training, inference");
    options_int(options, "limit", 'l', &asked.limit, 0, 86400,
                "seconds after which no size is begun; a kernel or loop gets an equal part of what "
                "is left; 0: none");
    options_choice(options, "plot", 0, &asked.plot, PLOT_FORMATS, "how pictures are drawn");
    options_string(options, "out", 0, &asked.out, "DIR", "the folder of pictures and page");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Sweep *sweep = arena_zeros(keep, sizeof *sweep);
    *sweep = (Sweep){.keep = keep,
                     .plan = command.quick ? BENCH_QUICK : BENCH_SWEEP,
                     .most_seconds = 0.5,
                     .sizes = command.quick ? 2 : 0,
                     .until = asked.limit > 0 ? bench_now() + asked.limit : 0};
    return run(sweep, &command, &asked, &err) ? 0 : error_report(&err);
}
