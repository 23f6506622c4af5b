/* main.c -- the ladder of kernels, run in the emulator: what each rung costs, and its share of a GPU's limit. */
#include "common/story.h"
#include "kernels/cuda/emulator/occupancy.h"
#include "labs/2_core/gpu_kernels/cost.h"
#include "labs/2_core/gpu_kernels/gpu.h"
#include "labs/2_core/gpu_kernels/rungs.h"
#include <math.h>
#include <string.h>

enum { RUNGS_MAX = 32 };

// What the picture shows of a rung: shares of the limit in percent.
typedef struct Shown {
    const char *name;
    float without_caches, with_caches;
} Shown;

typedef struct Ladder {
    Run *run;
    Arena *step;
    int size;
    bool lines;
    const char *gpu_id;
    const Gpu *gpu;
    Shown shown[RUNGS_MAX];
    int count;
} Ladder;

// The access of each source line, as a profiler has it.
static void show_lines(const Ladder *lab, const EmulatorReport *report)
{
    Table table = table_new(lab->step, "line|access|requests|lanes|transactions|ideal");
    for (size_t i = 0; i < report->lines; i++) {
        const LineCounts *l = &report->line[i];
        table_row(&table, "%d|%s %s, %u bytes|%.0f|%.1f|%.0f|%.0f", l->at.line,
                  l->space == SPACE_SHARED ? "shared" : "global", l->writes ? "write" : "read",
                  l->bytes, (double)l->requests, (double)l->lanes / (double)l->requests,
                  (double)l->transactions, (double)l->ideal);
    }
    run_table(lab->run, &table);
}

static double requests_of(const EmulatorReport *report)    // accesses of whole warps
{
    double sum = 0;
    for (size_t i = 0; i < report->lines; i++) sum += (double)report->line[i].requests;
    return sum;
}

static const char *occupancy_text(const Ladder *lab, const EmulatorReport *report)
{
    const KernelLaunch *launch = &report->launch[0];
    const uint32_t threads = launch->block[0] * launch->block[1] * launch->block[2];
    Occupancy o;
    if (!occupancy_of(&o, lab->gpu->capability, (int)threads, 0, launch->shared)) return "";
    return arena_print(lab->step, "%d of %d", o.warps, o.warps_max);
}

typedef struct Tables {
    Table launches, costs, times;
} Tables;

static bool run_rung(Ladder *lab, const Rung *rung, Tables *tables, Error *err)
{
    emulator_clear();
    const Work work = rung->run(lab->step, lab->size);
    const EmulatorReport *report = emulator_report();
    if (report->faults > 0) return error_set(err, "%s: %s", rung->name, report->fault[0].message);
    const GpuPeaks peaks = gpu_peaks(lab->gpu, rung->tensor_cores);
    const Roofline time = roofline_of(report, work.flops, peaks);
    const double limit =
        fmax(work.flops / peaks.flops_per_second, work.bytes / peaks.bytes_per_second);
    const Traffic shared = traffic_of_both(report, SPACE_SHARED);
    table_row(&tables->launches, "%s|%s|%zu|%s|%.3f", rung->name, work.size, shared_of(report),
              occupancy_text(lab, report), 1e6 * limit);
    table_row(&tables->costs, "%s|%.0f|%.0f|%.2f|%.0f|%.0f", rung->name, requests_of(report),
              (double)report->sectors, 32 * (double)report->sectors / work.bytes,
              shared.transactions, shared.transactions - shared.ideal);
    table_row(&tables->times, "%s|%.3f to %.3f|%.0f %%|%.0f %%|%s", rung->name, 1e6 * time.least,
              1e6 * time.most, 100 * limit / time.most, 100 * limit / time.least, time.limit);
    lab->shown[lab->count++] =
        (Shown){rung->name, (float)(100 * limit / time.most), (float)(100 * limit / time.least)};
    if (lab->lines) show_lines(lab, report);
    return true;
}

static bool run_part(Ladder *lab, const char *part, Error *err)
{
    Tables tables = {table_new(lab->step, "rung|size|shared memory [B]|warps|limit [us]"),
                     table_new(lab->step, "rung|accesses|sectors|x needed|wavefronts|conflicts"),
                     table_new(lab->step, "rung|estimate [us]|no cache|all cached|bound by")};
    for (int i = 0; i < rung_count; i++)
        if (strcmp(rungs[i].part, part) == 0 &&
            (run_interrupted(lab->run) || !run_rung(lab, &rungs[i], &tables, err)))
            return run_interrupted(lab->run);
    run_table(lab->run, &tables.launches);
    run_print(lab->run, "Counted by the emulator");
    run_table(lab->run, &tables.costs);
    run_print(lab->run, "Share of the limit of %s, estimated by roofline, not measured",
              lab->gpu->name);
    run_table(lab->run, &tables.times);
    return true;
}

static bool part_memory(void *context, Error *err)
{
    return run_part(context, "memory", err);
}

static bool part_rows(void *context, Error *err)
{
    return run_part(context, "rows", err);
}

static bool part_matmul(void *context, Error *err)
{
    return run_part(context, "matmul", err);
}

static bool part_attention(void *context, Error *err)
{
    return run_part(context, "attention", err);
}

static bool part_picture(void *context, Error *err)
{
    (void)err;
    static PlotTick ticks[RUNGS_MAX];
    static float x[RUNGS_MAX], least[RUNGS_MAX], most[RUNGS_MAX];
    const Ladder *lab = context;
    for (int i = 0; i < lab->count; i++) {
        ticks[i] = (PlotTick){i, lab->shown[i].name};
        x[i] = (float)i;
        least[i] = lab->shown[i].without_caches;
        most[i] = lab->shown[i].with_caches;
    }
    Plot plot = {.title =
                     arena_print(lab->step, "Estimated share of the limit of %s", lab->gpu->name),
                 .y_label = "share of the roofline [%]",
                 .ticks = ticks,
                 .tick_count = lab->count};
    const size_t count = (size_t)lab->count;
    plot_shape(&plot, PLOT_BARS, "without caches", x, least, count);
    plot_shape(&plot, PLOT_FRAMES, "with perfect caches", x, most, count);
    run_plot(lab->run, &plot, "ladder");
    run_print(lab->run,
              "The estimate is the slowest of arithmetic, global and shared memory. It leaves out "
              "what is between no cache and a perfect one, latency that too few warps cannot hide, "
              "divergence, index arithmetic, the last wave of blocks, and the launch itself (some "
              "microseconds, more than all of this at such sizes).");
    return true;
}

static const Part parts[] = {
    {"memory", "Coalescing, bank conflicts, reductions", part_memory,
     .notices = {{"transpose_naive", "how many times the needed sectors move, and why?"},
                 {"transpose_tiled, transpose_padded",
                  "equal in global memory; what does one more column of the tile change?"}}},
    {"rows", "Softmax and layer normalization", part_rows,
     .notices = {{"x needed", "each pass over a row reads it again, if no cache holds it"}}},
    {"matmul", "Matrix product, from naive to tensor cores", part_matmul,
     .notices = {{"sectors",
                  "a tile in shared memory: each element is read once for a whole block"},
                 {"wavefronts",
                  "registers: each number from shared memory serves four products, then eight"},
                 {"accesses", "vectors: as many bytes, with a third of the instructions"}}},
    {"attention", "Flash attention and paged attention", part_attention,
     .notices = {{"flash_attention", "the T x T scores appear nowhere in global memory"}}},
    {NULL, "The ladder", part_picture,
     .notices = {{"ladder", "the distance between bar and frame is what caches are for"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", 64u << 20), *step = arena_new("step", (size_t)1 << 30);
    Ladder lab = {.step = step, .size = 128, .gpu_id = "h200"};
    Options *options =
        options_new(keep, "gpu_kernels",
                    "Runs CUDA kernels in an emulator, counts their memory transactions, and "
                    "estimates their time on a GPU by roofline.");
    options_group(options, "This lab");
    options_int(options, "size", 'n', &lab.size, 32, 512,
                "sides of the matrices; other sizes follow from it");
    options_choice(options, "gpu", 'g', &lab.gpu_id, GPU_NAMES, "the GPU of the estimates");
    options_flag(options, "lines", 'l', &lab.lines, "the accesses of each line of the kernels");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/gpu_kernels/README.md"};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "size")) lab.size = 32;
    lab.gpu = gpu_find(lab.gpu_id);
    return story_run(&story, &lab);
}
