/* bench_rows.h -- a rung's costs as a line of JSON, from the process that ran it to the one that prints the table.
 *
 *     bench_rows_print(128, gpu_find("h200"), NULL);                    // in a process on a learner's kernels
 *     RungRow rows[BENCH_ROWS];
 *     int count = bench_rows_read(keep, argv, folder, rows, &err);     // negative: it could not be started
 *
 * A process of its own, since a program has one library of exercises, and so that a kernel that crashes costs its own
 * row and no more.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "labs/2_core/gpu_kernels/gpu.h"

enum { BENCH_ROWS = 32 };

typedef struct RungRow {
    const char *rung, *size;
    const char *fault;    // what the emulator found; NULL: nothing
    bool tensor_cores;
    double flops, bytes;           // that the result needs
    double sectors, wavefronts;    // counted
    double least, most;            // seconds by roofline, with perfect caches and with none
    double limit;                  // seconds that no kernel of this work is below
    double seconds;                // measured on a GPU; 0: none was there
} RungRow;

// Runs the rungs of this program's library; `only`: this one, or NULL.
int bench_rows_run(Arena *step, int size, const Gpu *gpu, const char *only, RungRow *rows);
void bench_rows_print(Arena *step, int size, const Gpu *gpu, const char *only);    // a line each

// Starts a program and reads its lines; `library_folder`: where it finds libexercises first, or NULL.
int bench_rows_read(Arena *keep, const char *const *argv, const char *library_folder, RungRow *rows,
                    Error *err);

const RungRow *bench_row_of(const RungRow *rows, int count, const char *rung);    // or NULL

bool bench_row_is_cublas(const RungRow *row);

// The last row before that does the same work, by a rung: matmul_tiled after matmul_naive. NULL: none does.
const RungRow *bench_row_before(const RungRow *rows, int index);
