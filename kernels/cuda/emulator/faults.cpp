// faults.cpp -- the list of faults, and the report in words.
#include <cstdarg>
#include <vector>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
struct Sites {
    const void *one, *other;
};

static std::vector<Fault> list;
static std::vector<Sites> sites;    // of each

static bool same_place(const void *a, const void *b)
{
    return a == b || (a && b && same_line(a, b));
}

// Either thread of a race may come first.
static bool same(Sites a, Sites b)
{
    return (same_place(a.one, b.one) && same_place(a.other, b.other)) ||
           (same_place(a.one, b.other) && same_place(a.other, b.one));
}

bool fault_again(FaultKind kind, const void *site, const void *other)
{
    for (size_t i = 0; i < list.size(); i++)
        if (list[i].kind == kind && same(sites[i], {site, other})) {
            list[i].count++;
            return true;
        }
    return false;
}

// Whether a race has this line: who reads too soon, may read what is not written yet.
static bool is_of_a_race(const void *site)
{
    for (size_t i = 0; i < list.size(); i++)
        if (list[i].kind == FAULT_RACE &&
            (same_place(sites[i].one, site) || same_place(sites[i].other, site)))
            return true;
    return false;
}

static void drop_what_races_explain()
{
    for (size_t i = list.size(); i-- > 0;)
        if (list[i].kind == FAULT_UNINITIALIZED && is_of_a_race(sites[i].one)) {
            list.erase(list.begin() + (long)i);
            sites.erase(sites.begin() + (long)i);
        }
}

void fault(FaultKind kind, const Thread *thread, const void *site, const void *other,
           const char *format, ...)
{
    if (fault_again(kind, site, other)) return;

    Fault f = {};
    f.kind = kind;
    f.kernel = function_name(block.kernel);
    f.at = source_line(site);
    f.other = other ? source_line(other) : SourceLine{"", 0};
    const uint3 b = block.index, t = thread->index;
    memcpy(f.block, &b, sizeof f.block);
    memcpy(f.thread, &t, sizeof f.thread);
    f.count = 1;
    const int used =
        snprintf(f.message, sizeof f.message, "%s:%d: %s: thread (%u,%u,%u) of block (%u,%u,%u) ",
                 f.at.file, f.at.line, fault_name(kind), t.x, t.y, t.z, b.x, b.y, b.z);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f.message + used, sizeof f.message - (size_t)used, format, arguments);
    va_end(arguments);
    list.push_back(f);
    sites.push_back({site, other});
}

void counts_report(EmulatorReport *report);
}    // namespace emulator

using namespace emulator;

const char *fault_name(FaultKind kind)
{
    switch (kind) {
    case FAULT_OUT_OF_BOUNDS: return "out of bounds";
    case FAULT_MISALIGNED: return "misaligned address";
    case FAULT_UNINITIALIZED: return "uninitialised read";
    case FAULT_RACE: return "race";
    case FAULT_DIVERGENT_BARRIER: return "divergent barrier";
    case FAULT_WARP_MASK: return "warp mask";
    case FAULT_DEADLOCK: return "deadlock";
    case FAULT_STACK: return "stack overflow";
    case FAULT_HOST_FUNCTION: return "host function";
    case FAULT_STOPPED: return "stopped";
    case FAULT_KINDS: break;
    }
    return "unknown fault";
}

void emulator_clear(void)
{
    list.clear();
    sites.clear();
    counts_clear();
}

const EmulatorReport *emulator_report(void)
{
    static EmulatorReport report;
    drop_what_races_explain();
    counts_report(&report);
    report.fault = list.data();
    report.faults = list.size();
    return &report;
}

void emulator_print(FILE *out)
{
    const EmulatorReport *report = emulator_report();
    for (size_t i = 0; i < report->faults; i++) {
        const Fault *f = &report->fault[i];
        fprintf(out, "%s", f->message);
        if (f->count > 1) fprintf(out, " (and %zu more like it)", f->count - 1);
        fputc('\n', out);
    }
    if (report->lines == 0) return;
    fprintf(out, "%-36s %-12s %10s %7s %12s %10s\n", "line", "access", "requests", "lanes",
            "transactions", "ideal");
    for (size_t i = 0; i < report->lines; i++) {
        const LineCounts *l = &report->line[i];
        char where[256], what[64];
        snprintf(where, sizeof where, "%s:%d", l->at.file, l->at.line);
        snprintf(what, sizeof what, "%s %s%u", l->space == SPACE_SHARED ? "shared" : "global",
                 l->atomic   ? "atomic"
                 : l->writes ? "st"
                             : "ld",
                 l->bytes);
        fprintf(out, "%-36s %-12s %10llu %7.1f %12llu %10llu\n", where, what,
                (unsigned long long)l->requests, (double)l->lanes / (double)l->requests,
                (unsigned long long)l->transactions, (unsigned long long)l->ideal);
    }
    fprintf(out,
            "%.1f of 32 lanes active in a step; %llu bytes of global memory moved, %llu of them "
            "different\n",
            report->steps ? (double)report->active / (double)report->steps : 0,
            (unsigned long long)report->sectors * 32, (unsigned long long)report->distinct * 32);
}
