#include "bench/sweep.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/machine.h"

// About what the emulator computes in a second, so that it is not asked for what takes minutes.
static const double EMULATED_RATE = 1e7;

// ---- devices ----

bool sweep_add_device(Sweep *sweep, const char *name, int threads, Error *err)
{
    const char *why;
    REQUIRE(sweep->device_count < SWEEP_DEVICES, "more than %d devices", SWEEP_DEVICES);
    if (!device_use(name, &why)) return error_set(err, "--device %s: %s", name, why);
    SweepDevice *added = &sweep->devices[sweep->device_count++];
    *added = (SweepDevice){.device = device,
                           .name = arena_print(sweep->keep, "%s", device->name),
                           .what = machine_device(sweep->keep, device->name),
                           .emulated = strcmp(device->name, "emulated") == 0 ||
                                       strcmp(device->name, "far") == 0};
    return limits_measure(&added->limits, device, threads, added->emulated || sweep->sizes > 0,
                          err);
}

void sweep_report_devices(Sweep *sweep)
{
    cJSON *list = cJSON_AddArrayToObject(sweep->report->document, "devices");
    for (int d = 0; d < sweep->device_count; d++) {
        const SweepDevice *on = &sweep->devices[d];
        const Limits *limits = &on->limits;
        printf("%s: %s\n  multiply-adds %.5g GFLOP/s, memory %.4g GB/s (%s)", on->name, on->what,
               limits->gflops, limits->copy_gbs, limits->copied_by);
        if (limits->put_gbs > 0)
            printf(", from the host %.3g GB/s, back %.3g GB/s", limits->put_gbs, limits->get_gbs);
        putchar('\n');
        cJSON *json = cJSON_CreateObject();
        cJSON_AddItemToArray(list, json);
        cJSON_AddStringToObject(json, "name", on->name);
        cJSON_AddStringToObject(json, "what", on->what);
        cJSON_AddBoolToObject(json, "emulated", on->emulated);
        cJSON_AddNumberToObject(json, "gflops", limits->gflops);
        cJSON_AddNumberToObject(json, "copy_gbs", limits->copy_gbs);
        cJSON_AddStringToObject(json, "copied_by", limits->copied_by);
        cJSON_AddNumberToObject(json, "put_gbs", limits->put_gbs);
        cJSON_AddNumberToObject(json, "get_gbs", limits->get_gbs);
    }
}

// ---- the table ----

const char *subject_title(Arena *keep, const Subject *subject)
{
    return *subject->form != '\0' ? arena_print(keep, "%s %s", subject->name, subject->form)
                                  : subject->name;
}

double sweep_share(const Sweep *sweep, const SweepRow *row, int d)
{
    return limits_seconds(sweep->devices[d].limits, row->flops, row->bytes) / row->seconds[d];
}

static const char *seconds_text(Arena *keep, double seconds)
{
    const double scale = seconds < 1e-3 ? 1e6 : seconds < 1 ? 1e3 : 1;
    return arena_print(keep, "%.3f %s", scale * seconds,
                       seconds < 1e-3 ? "us"
                       : seconds < 1  ? "ms"
                                      : "s ");
}

static void print_rate(double rate)
{
    if (rate > 0) printf(" %9.4g", rate);
    else printf(" %9s", "-");
}

static void print_row(const Sweep *sweep, const SweepRow *row, const Timing *timings)
{
    for (int d = 0; d < sweep->device_count; d++) {
        if (d == 0) printf("%10d", row->n);
        else printf("%10s", "");
        const double seconds = row->seconds[d];
        printf("  %-9s %11s", sweep->devices[d].name, seconds_text(sweep->keep, seconds));
        print_rate(1e-9 * row->flops / seconds);
        print_rate(1e-9 * row->bytes / seconds);
        printf(" %6.0f%%  %-10s", 100 * sweep_share(sweep, row, d),
               limits_bound(sweep->devices[d].limits, row->flops, row->bytes));
        if (d > 0) printf(" %8.3g", row->faster[d]);
        if (row->faster_with_transfers[d] > 0) printf(" %8.3g", row->faster_with_transfers[d]);
        puts(bench_noisy(timings[d].seconds) ? " ~" : "");
    }
    fflush(stdout);
}

static void print_heading(const Sweep *sweep, const Subject *subject)
{
    printf("\n%s, %s FLOPs\n%10s  %-9s %11s %9s %9s %7s  %-10s",
           subject_title(sweep->keep, subject), subject->formula,
           subject->unit[0] == 'n' ? "n" : subject->unit, "device", "time", "GFLOP/s", "GB/s",
           "limit", "bound by");
    puts(sweep->device_count > 1 ? "   faster   with transfers" : "");
}

// ---- the report ----

static void report_row(const Sweep *sweep, const SweepRow *row, const Timing *timings, int count)
{
    cJSON *json = bench_report_row(sweep->report);
    cJSON_AddStringToObject(json, "kind", row->subject->kind);
    cJSON_AddStringToObject(json, "name", row->subject->name);
    cJSON_AddStringToObject(json, "form", row->subject->form);
    cJSON_AddStringToObject(json, "unit", row->subject->unit);
    cJSON_AddNumberToObject(json, "n", row->n);
    cJSON_AddNumberToObject(json, "flops", row->flops);
    cJSON_AddNumberToObject(json, "bytes", row->bytes);
    for (int t = 0; t < count; t++) bench_report_timing(json, &timings[t]);
    for (int d = 0; d < sweep->device_count; d++) {
        cJSON *on = cJSON_GetObjectItemCaseSensitive(json, sweep->devices[d].name);
        cJSON_AddNumberToObject(on, "gflops", 1e-9 * row->flops / row->seconds[d]);
        cJSON_AddNumberToObject(on, "gbs", 1e-9 * row->bytes / row->seconds[d]);
        cJSON_AddNumberToObject(on, "share_of_limit", sweep_share(sweep, row, d));
        cJSON_AddStringToObject(on, "bound_by",
                                limits_bound(sweep->devices[d].limits, row->flops, row->bytes));
        if (d > 0) cJSON_AddNumberToObject(on, "faster", row->faster[d]);
        if (row->faster_with_transfers[d] > 0)
            cJSON_AddNumberToObject(on, "faster_with_transfers", row->faster_with_transfers[d]);
    }
}

// ---- measured ----

// Whether a call would take too long on one of the devices, judged by the size before.
static bool takes_too_long(const Sweep *sweep, const Subject *subject, int n,
                           const SweepRow *before)
{
    const double flops = subject->flops(subject, n);
    for (int d = 0; d < sweep->device_count; d++) {
        const bool emulated = sweep->devices[d].emulated;
        double seconds = emulated ? fmax(flops, n) / EMULATED_RATE : 0;
        if (before != NULL) {
            const double work = before->flops > 0 ? flops / before->flops : (double)n / before->n;
            seconds = before->seconds[d] * work;
        }
        const bool brief = emulated && strcmp(subject->kind, "kernel") == 0;    // there are many
        if (seconds > (brief ? 0.2 : 1) * sweep->most_seconds) return true;
    }
    return false;
}

// Times it at one size; the row is complete where true is returned.
static bool time_size(Sweep *sweep, const Subject *subject, int n, SweepRow *row, Error *err)
{
    Arena *arena = arena_new("operands", (size_t)8 << 30);
    Prepared *prepared[SWEEP_DEVICES] = {NULL};
    Contender contenders[BENCH_MAX_CONTENDERS];
    int from[BENCH_MAX_CONTENDERS], count = 0;
    bool ok = true;
    for (int d = 0; d < sweep->device_count && ok; d++) {
        prepared[d] = subject->open(arena, subject, sweep->devices[d].device, n, err);
        if (prepared[d] == NULL) ok = false;
        else
            contenders[count++] =
                (Contender){sweep->devices[d].name, prepared[d]->run, prepared[d]};
    }
    for (int d = 0; d < sweep->device_count && ok; d++)
        if (prepared[d]->run_with_transfers != NULL) {
            from[count] = d;
            contenders[count++] =
                (Contender){arena_print(sweep->keep, "%s with transfers", sweep->devices[d].name),
                            prepared[d]->run_with_transfers, prepared[d]};
        }
    Timing timings[BENCH_MAX_CONTENDERS];
    ok = ok && bench_compare(contenders, count, sweep->plan, timings, err);
    if (ok) {
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): all were prepared
        *row = (SweepRow){subject, n, prepared[0]->flops, prepared[0]->bytes, {0}, {0}, {0}};
        for (int t = 0; t < count; t++) {
            const double faster = 1 / timings[t].ratio.median;
            if (t < sweep->device_count) {
                row->seconds[t] = timings[t].seconds.median;
                row->faster[t] = faster;
            } else row->faster_with_transfers[from[t]] = faster;
        }
        print_row(sweep, row, timings);
        report_row(sweep, row, timings, count);
    }
    for (int d = 0; d < sweep->device_count; d++)
        if (prepared[d] != NULL) prepared[d]->close(prepared[d]);
    arena_free(arena);
    return ok || error_wrap(err, "%s, %d", subject_title(sweep->keep, subject), n);
}

// When the next size will be done, judged by what the size before took in all: `began` is when that was begun. Operands
// are made and moved as well, so that a round counts twice.
static double is_done_at(const Sweep *sweep, const Subject *subject, int n, const SweepRow *before,
                         double began)
{
    const double now = bench_now(), work = (double)n / before->n;
    const double grown =
        fmax(work, before->flops > 0 ? subject->flops(subject, n) / before->flops : 0);
    double round = 0;
    for (int d = 0; d < sweep->device_count; d++) round += grown * before->seconds[d];
    return now + (now - began) + 2 * sweep->plan.rounds * round;
}

bool sweep_subject(Sweep *sweep, const Subject *subject, Error *err)
{
    const SweepRow *before = NULL;
    double began = 0;
    for (int i = 0; i < WORK_SIZES && subject->sizes[i] > 0; i++) {
        if (sweep->sizes > 0 && i == sweep->sizes) break;
        REQUIRE(sweep->count < SWEEP_ROWS, "more than %d rows", SWEEP_ROWS);
        if (takes_too_long(sweep, subject, subject->sizes[i], before)) {
            sweep->too_long++;
            continue;
        }
        if (sweep->until > 0 &&
            (before == NULL ? bench_now() > sweep->until
                            : is_done_at(sweep, subject, subject->sizes[i], before, began) >
                                  sweep->subject_until)) {
            sweep->out_of_time++;
            continue;
        }
        began = bench_now();
        if (before == NULL) print_heading(sweep, subject);
        SweepRow *row = &sweep->rows[sweep->count];
        if (!time_size(sweep, subject, subject->sizes[i], row, err)) return false;
        before = row;
        sweep->count++;
    }
    return true;
}
