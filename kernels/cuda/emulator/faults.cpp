// faults.cpp -- the list of faults, and the report in words.
#include <algorithm>
#include <cstdarg>
#include <map>
#include <tuple>
#include <vector>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
static std::vector<Fault> list;
static std::map<std::tuple<FaultKind, const void *, const void *>, size_t> known;    // index in list

void fault(FaultKind kind, const Thread *thread, const void *site, const void *other_site,
           const char *format, ...)
{
    // Either thread of a race may come first.
    const auto key = std::make_tuple(kind, std::min(site, other_site), std::max(site, other_site));
    const auto found = known.find(key);
    if (found != known.end()) {
        list[found->second].count++;
        return;
    }
    known[key] = list.size();

    Fault f = {};
    f.kind = kind;
    f.kernel = block.kernel;
    f.at = source_line(site);
    f.other = other_site ? source_line(other_site) : SourceLine{"", 0};
    const uint3 b = block.index, t = thread->index;
    f.block[0] = b.x, f.block[1] = b.y, f.block[2] = b.z;
    f.thread[0] = t.x, f.thread[1] = t.y, f.thread[2] = t.z;
    f.count = 1;
    int used = snprintf(f.message, sizeof f.message, "%s:%d: %s: thread (%u,%u,%u) of block (%u,%u,%u) ",
                        f.at.file, f.at.line, fault_name(kind), t.x, t.y, t.z, b.x, b.y, b.z);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f.message + used, sizeof f.message - (size_t)used, format, arguments);
    va_end(arguments);
    list.push_back(f);
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
    case FAULT_KINDS: break;
    }
    return "unknown fault";
}

void emulator_clear(void)
{
    list.clear();
    known.clear();
    counts_clear();
}

const EmulatorReport *emulator_report(void)
{
    static EmulatorReport report;
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
    fprintf(out, "%-36s %-12s %10s %7s %10s %10s\n", "line", "access", "warps", "lanes", "transfers", "ideal");
    for (size_t i = 0; i < report->lines; i++) {
        const LineCounts *l = &report->line[i];
        char where[256], what[64];
        snprintf(where, sizeof where, "%s:%d", l->at.file, l->at.line);
        snprintf(what, sizeof what, "%s %s%u", l->space == SPACE_SHARED ? "shared" : "global",
                 l->atomic ? "atomic" : l->writes ? "st" : "ld", l->bytes);
        fprintf(out, "%-36s %-12s %10llu %7.1f %10llu %10llu\n", where, what, (unsigned long long)l->warps,
                (double)l->lanes / (double)l->warps, (unsigned long long)l->transfers,
                (unsigned long long)l->ideal);
    }
    fprintf(out, "%.1f of 32 lanes active in a step; %llu bytes of global memory moved, %llu of them different\n",
            report->steps ? (double)report->active / (double)report->steps : 0,
            (unsigned long long)report->sectors * 32, (unsigned long long)report->distinct * 32);
}
