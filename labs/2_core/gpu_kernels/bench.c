/* bench.c -- each rung of the ladder beside the rung before and, with --mine, beside yours: on a GPU by its clock,
 * with cuBLAS; without one by what the emulator counted and the roofline of --gpu, an estimate.
 *
 *     ./lab bench gpu_kernels [--mine] [--gpu a100]
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bench/command.h"
#include "bench/report.h"
#include "bench/solutions.h"
#include "common/table.h"
#include "labs/2_core/gpu_kernels/bench_rows.h"

typedef struct Bench {
    Arena *keep;
    int size;
    const char *gpu_id;
    const Gpu *gpu;
    bool rows;    // print them as JSON, for the process that asks
    Solutions solutions;
    RungRow reference[BENCH_ROWS], mine[BENCH_ROWS], measured[BENCH_ROWS];
    int count, mine_count, measured_count;
} Bench;

// Why a rung is not yours: "wrong", from "matmul_tiled=wrong,...".
static const char *why_left_out(Bench *b, const char *rung)
{
    const char *list = b->solutions.left_out;
    const size_t length = strlen(rung);
    for (const char *at = list != NULL ? list : ""; *at != '\0';) {
        const char *end = strchr(at, ','), *next = end != NULL ? end + 1 : at + strlen(at);
        if (strncmp(at, rung, length) == 0 && at[length] == '=')
            return arena_print(b->keep, "%.*s", (int)(next - at - (end != NULL)) - (int)length - 1,
                               at + length + 1);
        at = next;
    }
    return NULL;
}

// This program once more, on the learner's library.
static bool run_mine(Bench *b, Error *err)
{
    char self[4096] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return error_set(err, "this program does not find itself");
    char *folder = arena_print(b->keep, "%s", b->solutions.mine), *slash = strrchr(folder, '/');
    if (slash == NULL) return error_set(err, "--mine=%s: expected a path", folder);
    *slash = '\0';
    const char *only =
        b->solutions.only != NULL ? arena_print(b->keep, "--only=%s", b->solutions.only) : NULL;
    const char *argv[] = {self,
                          "--rows",
                          arena_print(b->keep, "--size=%d", b->size),
                          arena_print(b->keep, "--gpu=%s", b->gpu_id),
                          only,
                          NULL};
    b->mine_count = bench_rows_read(b->keep, argv, folder, b->mine, err);
    return b->mine_count >= 0;
}

// The program that nvcc built, beside this one; no rows where there is none, or no GPU.
static void run_on_gpu(Bench *b)
{
    char path[4096] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 16) < 0) return;
    const char *argv[] = {arena_print(b->keep, "%s_cuda", path), NULL};
    if (access(argv[0], X_OK) == 0)
        b->measured_count = bench_rows_read(b->keep, argv, NULL, b->measured, NULL);
    if (b->measured_count < 0) b->measured_count = 0;
}

static const char *ratio_text(Bench *b, double ratio)
{
    return ratio > 0 ? arena_print(b->keep, "%.2f", ratio) : "";
}

static void show_counts(Bench *b)
{
    Table table =
        table_new(b->keep, "rung|size|sectors|wavefronts|estimate [us]|of the limit|rung before");
    for (int i = 0; i < b->count; i++) {
        const RungRow *row = &b->reference[i], *before = bench_row_before(b->reference, i);
        table_row(&table, "%s|%s|%.0f|%.0f|%.3f to %.3f|%.0f to %.0f %%|%s", row->rung, row->size,
                  row->sectors, row->wavefronts, 1e6 * row->least, 1e6 * row->most,
                  100 * row->limit / row->most, 100 * row->limit / row->least,
                  ratio_text(b, before != NULL ? before->most / row->most : 0));
    }
    printf("\nThe reference: counted by the emulator, and ESTIMATED by the roofline of %s, not "
           "measured\n",
           b->gpu->name);
    table_print(&table, 2, stdout);
    puts("  The estimate is from perfect caches to none; \"rung before\" is how many times as fast "
         "by it, without caches.");
}

static void show_mine(Bench *b)
{
    Table table =
        table_new(b->keep, "rung|sectors|wavefronts|estimate [us]|reference|rung before|");
    for (int i = 0; i < b->count; i++) {
        const RungRow *theirs = &b->reference[i];
        const RungRow *row = bench_row_of(b->mine, b->mine_count, theirs->rung);
        const char *why = why_left_out(b, theirs->rung);
        if (why == NULL && row == NULL) why = "crashed, or a rung before it did";
        if (why == NULL && row->fault != NULL) why = row->fault;
        if (why != NULL) {
            table_row(&table, "%s||||||%s", theirs->rung, why);
            continue;
        }
        const RungRow *before = bench_row_before(b->mine, (int)(row - b->mine));
        const bool counts = before != NULL && why_left_out(b, before->rung) == NULL;
        table_row(&table, "%s|%.0f|%.0f|%.3f to %.3f|%s|%s|", theirs->rung, row->sectors,
                  row->wavefronts, 1e6 * row->least, 1e6 * row->most,
                  ratio_text(b, theirs->most / row->most),
                  ratio_text(b, counts ? before->most / row->most : 0));
    }
    printf(
        "\nYours, ESTIMATED in the same way: \"reference\" above 1 means that yours is faster\n");
    table_print(&table, 2, stdout);
}

// cuBLAS' row of the same product, in the same type; NULL: none.
static const RungRow *cublas_of(const Bench *b, const RungRow *row)
{
    if (strncmp(row->rung, "matmul_", 7) != 0 || bench_row_is_cublas(row)) return NULL;
    const char *name = strcmp(row->rung, "matmul_tensor") == 0  ? "matmul_cublas_half"
                       : strcmp(row->rung, "matmul_wgmma") == 0 ? "matmul_cublas_bf16"
                                                                : "matmul_cublas";
    for (int i = 0; i < b->measured_count; i++)
        if (strcmp(b->measured[i].rung, name) == 0 && b->measured[i].flops == row->flops)
            return &b->measured[i];
    return NULL;
}

static void show_measured(Bench *b)
{
    Table table = table_new(b->keep, "rung|size|time [us]|GFLOP/s|GB/s|rung before|cuBLAS");
    for (int i = 0; i < b->measured_count; i++) {
        const RungRow *row = &b->measured[i], *before = bench_row_before(b->measured, i),
                      *cublas = cublas_of(b, row);
        table_row(&table, "%s|%s|%.2f|%.4g|%.4g|%s|%s", row->rung, row->size, 1e6 * row->seconds,
                  1e-9 * row->flops / row->seconds, 1e-9 * row->bytes / row->seconds,
                  ratio_text(b, before != NULL ? before->seconds / row->seconds : 0),
                  ratio_text(b, cublas != NULL ? cublas->seconds / row->seconds : 0));
    }
    puts("\nThe reference, measured on this machine's GPU; \"cuBLAS\" above 1: faster than cuBLAS "
         "in the same type");
    table_print(&table, 2, stdout);
}

static void report_rows(BenchReport *report, const char *kind, const RungRow *rows, int count)
{
    for (int i = 0; i < count; i++) {
        const RungRow *row = &rows[i], *before = bench_row_before(rows, i);
        cJSON *json = bench_report_row(report);
        cJSON_AddStringToObject(json, "of", kind);    // "reference, estimated", ...
        cJSON_AddStringToObject(json, "rung", row->rung);
        cJSON_AddStringToObject(json, "size", row->size);
        if (row->fault != NULL) cJSON_AddStringToObject(json, "fault", row->fault);
        cJSON_AddNumberToObject(json, "flops", row->flops);
        cJSON_AddNumberToObject(json, "bytes", row->bytes);
        if (row->seconds > 0) {
            cJSON_AddNumberToObject(json, "seconds", row->seconds);
            if (before != NULL)
                cJSON_AddNumberToObject(json, "faster_than_before", before->seconds / row->seconds);
            continue;
        }
        cJSON_AddNumberToObject(json, "sectors", row->sectors);
        cJSON_AddNumberToObject(json, "wavefronts", row->wavefronts);
        cJSON_AddNumberToObject(json, "estimate_least", row->least);
        cJSON_AddNumberToObject(json, "estimate_most", row->most);
        cJSON_AddNumberToObject(json, "limit", row->limit);
        if (before != NULL)
            cJSON_AddNumberToObject(json, "faster_than_before", before->most / row->most);
    }
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", (size_t)1 << 30);
    Bench *b = arena_zeros(keep, sizeof *b);
    *b = (Bench){.keep = keep, .size = 128, .gpu_id = "h200"};
    Options *options = command_options(keep, &command, "gpu_kernels",
                                       "Each rung of the ladder beside the one before, and yours.");
    solutions_options(options, &b->solutions);
    options_int(options, "size", 'n', &b->size, 32, 4096, "sides of the matrices");
    options_choice(options, "gpu", 'g', &b->gpu_id, GPU_NAMES, "the GPU of the estimates");
    options_flag(options, "rows", 0, &b->rows, "the counts as lines of JSON, and nothing else");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    if (command.quick && !options_given(options, "size")) b->size = 32;
    b->gpu = gpu_find(b->gpu_id);
    if (b->rows) return bench_rows_print(keep, b->size, b->gpu, b->solutions.only), 0;

    BenchReport *report = bench_report_new(keep, "gpu_kernels", "none");
    b->count = bench_rows_run(keep, b->size, b->gpu, b->solutions.only, b->reference);
    show_counts(b);
    report_rows(report, "reference, estimated", b->reference, b->count);
    if (b->solutions.mine != NULL) {
        if (!run_mine(b, &err)) return error_report(&err);
        show_mine(b);
        report_rows(report, "mine, estimated", b->mine, b->mine_count);
    }
    if (b->solutions.only == NULL) run_on_gpu(b);
    if (b->measured_count > 0) {
        show_measured(b);
        report_rows(report, "reference, measured", b->measured, b->measured_count);
    } else
        puts("\nNo times and no cuBLAS: these need an NVIDIA GPU and a build with the CUDA Toolkit "
             "(target gpu_kernels_cuda).");
    if (bench_row_of(b->measured, b->measured_count, "matmul_wgmma") == NULL)
        puts("matmul_wgmma, the rung above matmul_tensor (kernels/cuda/wgmma.cu): needs sm_90a, a "
             "GPU of compute capability 9.0.");
    return bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
