/* gpu_spec.h -- GPUs as data: memory, bandwidth and peaks, each row with its source.
 *
 *     GpuSpec spec;
 *     if (!gpu_spec_find(arena, "h100-sxm", &spec, &err)) ...    // the table, any case, or its name
 *     gpu_spec_find(arena, "4090", &spec, &err);                 // a part that only one of them has
 *     gpu_spec_find(arena, "mine.json", &spec, &err);            // one object like those of the table
 *     gpu_spec_find(arena, "here", &spec, &err);                 // the first NVIDIA GPU of this machine
 *
 * Peaks are dense (vendors' data sheets often quote twice that, for 2:4 sparsity) in FLOP/s or OP/s; 0 is
 * unknown, or not there. Bandwidth is in bytes/s. The table is facts/gpus.json.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "common/error.h"
#include "common/gpu.h"

typedef struct GpuSpec {
    const char *id, *name, *vendor;
    const char **also;    // other names of it, the driver's among them
    int also_count;
    double vendor_gb;        // the vendor's "80 GB"
    double memory;           // bytes that programs see; where no source says so, vendor_gb x 1e9
    bool memory_measured;    // memory is what a machine reported, not the data sheet's
    bool shared;             // memory is the host's too: one of them to a machine
    double bandwidth;
    double fp32, tf32, bf16, fp8, fp4,
        int8;    // bf16: of the 16-bit type it has (fp16 on old ones)
    bool has_bf16;
    double watts;
    double link;           // bytes/s to its neighbours, in one direction; 0 unknown
    const char *source;    // of the numbers
    const char *note;      // a conflict between sources, or NULL
    // Of a row of the table: the whole of it, which need not be read again. Else NULL.
    const struct GpuSpec *table;
    int table_count;
} GpuSpec;

bool gpu_spec_find(Arena *arena, const char *what, GpuSpec *spec, Error *err);
bool gpu_spec_in_table(Arena *arena, const char *what, GpuSpec *spec,
                       Error *err);                                    // nothing but the table
int gpu_spec_list(Arena *arena, const GpuSpec **specs, Error *err);    // -1 upon failure
// A GPU that a driver describes: the table's row where it knows the name and as much memory, else an
// estimate from its clocks.
bool gpu_spec_of_device(Arena *arena, const Gpu *gpu, GpuSpec *spec, Error *err);
// The peak of products whose weights have this many bits: fp8 where weights and activations are (8)
// and the GPU has it, fp32 (32), bf16 else (16, and 4-bit weights that are unpacked first).
double gpu_spec_peak(const GpuSpec *spec, int bits);
