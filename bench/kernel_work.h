/* kernel_work.h -- a call of every kernel at any size: its FLOPs, its operands, and the call itself.
 *
 *     const KernelWork *work = &kernel_works[0];
 *     Operand   operands[WORK_OPERANDS];
 *     const int count = work->operands(operands, n);
 *     printf("%s: %g FLOPs, %g bytes\n", work->kernel, work->flops(n), operands_moved(operands, count));
 *     WorkPlace *place = work_place_new(keep, device, operands, count, host, &err);
 *     work->call(device->kernels, place->at, n);
 *
 * kernel_list.h is the only place where a kernel's work is described.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "common/rng.h"
#include "kernels/device.h"
#include "kernels/trace.h"

// What n counts: elements; rows of 1024; the sides of a product n x n x n; images of 64 (32) channels of 28 x 28;
// tokens, of one sequence unless said otherwise; rows of a batch through one layer; slices of states (value_sweep.h).
typedef enum SizeKind {
    SIZE_ELEMENTS,
    SIZE_ROWS,
    SIZE_SQUARE,
    SIZE_IMAGES,
    SIZE_TOKENS,
    SIZE_BATCH,
    SIZE_SLICES,
    SIZE_KINDS
} SizeKind;

enum { WORK_SIZES = 5, WORK_OPERANDS = 10 };

typedef struct SizeInfo {
    const char *unit;         // "elements"
    int sizes[WORK_SIZES];    // from small to large: those that are swept
} SizeInfo;
extern const SizeInfo size_info[SIZE_KINDS];

typedef enum Use { USE_READ, USE_WRITE, USE_UPDATE } Use;    // an update reads and writes

typedef struct Operand {
    Use use;
    void (*fill)(void *data, size_t bytes, double limit, Rng *rng);
    double bytes;    // that it has
    double moved;    // that a call reads or writes of them
    double limit;    // for `fill`
} Operand;

typedef struct KernelWork {
    const char *kernel, *form;    // form: "" but where a kernel has several
    int entry;                    // KERNEL_add, ...
    SizeKind size;
    const char *formula;    // of the FLOPs, as it is in kernel_list.h
    double (*flops)(double n);
    int (*operands)(Operand operands[WORK_OPERANDS], double n);    // their number
    void (*call)(const Kernels *table, void *const *at, int n);
} KernelWork;

extern const KernelWork kernel_works[];
extern const int kernel_work_count;

double operands_moved(const Operand *operands, int count);    // bytes, read and written
double operands_read(const Operand *operands, int count);
double operands_written(const Operand *operands, int count);

// The operands' contents on the host, the same whenever it is asked.
void **operands_fill(Arena *keep, const Operand *operands, int count);

typedef struct WorkPlace {
    const Device *on;
    int count;
    const Operand *operands;
    void *at[WORK_OPERANDS];
} WorkPlace;

// On the device, with what `host` holds. The device is in use afterwards. To be closed.
bool work_place_open(WorkPlace *place, const Device *on, const Operand *operands, int count,
                     void *const *host, Error *err);
void work_place_close(WorkPlace *place);
void work_place_put(const WorkPlace *place, void *const *host);    // what a call reads
void work_place_get(const WorkPlace *place, void *const *host);    // what it has written
