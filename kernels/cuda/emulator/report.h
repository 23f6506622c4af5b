/* report.h -- what the emulator saw in the launches since the last emulator_clear().
 *
 *     emulator_clear();
 *     cuda_softmax_rows(y, x, 5, 33);
 *     const EmulatorReport *report = emulator_report();
 *     if (report->faults > 0) emulator_print(stderr);
 *     for (size_t i = 0; i < report->lines; i++)        // per source line, as a profiler has it
 *         printf("%d: %llu of %llu\n", report->line[i].at.line, report->line[i].transactions, report->line[i].ideal);
 *
 * Barriers and warps are always watched; accesses are where the kernels were compiled for checking.
 * The report is the emulator's, until the next launch or emulator_clear().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum FaultKind {
    FAULT_OUT_OF_BOUNDS,    // ends the launch, as on a GPU
    FAULT_MISALIGNED,       // an address that is no multiple of the access's size; ends the launch
    FAULT_UNINITIALIZED,    // a read of memory that was never written
    FAULT_RACE,             // two threads, one of them writing, and nothing that orders them
    FAULT_DIVERGENT_BARRIER,    // threads of a block at different barriers, or returned
    FAULT_WARP_MASK,            // a warp operation whose mask is not what its lanes do
    FAULT_DEADLOCK,             // no thread can go on; ends the launch
    FAULT_STACK,                // more local memory than a thread has here; ends the launch
    FAULT_HOST_FUNCTION,        // a function that only the host may call; ends the launch
    FAULT_STOPPED,              // __trap(), or an assert() that does not hold; ends the launch
    FAULT_KINDS
} FaultKind;

typedef struct SourceLine {
    const char *file;    // as the compiler was given it; "" when not known
    int line;
} SourceLine;

typedef struct Fault {
    FaultKind kind;
    const char *kernel;
    SourceLine at, other;    // other: where the second thread was, if there is one
    uint32_t block[3], thread[3];
    size_t count;         // of faults of this kind at these two lines
    char message[400];    // a sentence, of the first of them
} Fault;

typedef enum Space { SPACE_GLOBAL, SPACE_SHARED } Space;

// The accesses of a source line. A transaction is a sector of 32 bytes of global memory, or a wavefront of
// shared memory, which gives one word of each of its 32 banks. The ideal is what the same bytes would take
// side by side.
typedef struct LineCounts {
    SourceLine at;
    Space space;
    bool writes, atomic;
    unsigned bytes;              // of one lane
    uint64_t requests, lanes;    // accesses of a warp; the active lanes of all of them
    uint64_t transactions, ideal;
} LineCounts;

// What a block does from one barrier to the next. It takes as long as the block's busiest thread.
typedef struct Interval {
    uint64_t accesses, most;    // by all threads of the block, and by the busiest
    uint32_t thread[3], block[3];
    SourceLine end;    // the barrier; line 0: the kernel's end
} Interval;

typedef struct KernelLaunch {
    const char *kernel;
    uint32_t grid[3], block[3];
    size_t shared;             // bytes of a block: the arrays that it used, and dynamic
    uint64_t accesses;         // to global and shared memory, by all threads
    uint64_t span;             // `most` of all intervals: accesses that follow one another
    Interval worst;            // the one in which the other threads wait for the most accesses
    uint64_t most_of_block;    // by the busiest block
    uint32_t busiest_block[3];
} KernelLaunch;

typedef struct EmulatorReport {
    const Fault *fault;
    size_t faults;
    const LineCounts *line;    // by file and line
    size_t lines;
    const KernelLaunch *launch;
    size_t launches;
    uint64_t steps, active;    // basic blocks that warps executed, and the lanes active in them
    uint64_t sectors,
        distinct;           // of global memory that were moved; the different ones of each launch
    uint64_t wavefronts;    // of shared memory
} EmulatorReport;

void emulator_clear(void);
const EmulatorReport *emulator_report(void);
void emulator_print(FILE *out);
const char *fault_name(FaultKind kind);

#ifdef __cplusplus
}
#endif
