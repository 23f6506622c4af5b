/* device.h -- what owns numbers and the kernels that compute with them.
 *
 *     const char *why;
 *     if (!device_use("cpu", &why)) return fail(why);       // once, at start
 *     float *x = device->reserve(bytes);                    // addresses; memory comes by commit
 *     device->commit(x, 0, bytes);
 *     device->put(x, host, bytes);                          // the only ways across: put and get
 *     kernels.relu(x, x, n);
 *     device->get(host, x, bytes);
 *
 *     cpu    the host's memory, the fastest kernels of this processor
 *     ref    the host's memory, the plainest kernels
 *     onednn the host's memory, oneDNN's convolutions and products: a peer (onednn/onednn.h)
 *     far    ref's arithmetic on memory that the host cannot touch: for tests. What runs on it is ready
 *            for a GPU.
 *     cuda[:N] a GPU, and `emulated` its kernels on the CPU, on memory like far's (cuda/device.h)
 *
 * A device's table is complete: an entry that it lacks stops the program with the kernel's name and
 * the device's, and is never filled with a loop on the host.
 */
#pragma once
#include "kernels/kernels.h"

// Kernels recorded as they are called, to be launched again all at once and with the same arguments: a CUDA graph
// (CUDA C++ Programming Guide, CUDA Graphs). What is recorded runs at `end` at the latest. `end` returns NULL where
// something else than kernels was asked for in between: a put, a get, a copy, more memory. `replay` is false, and
// nothing runs, where memory that the kernels work in has moved since.
typedef struct DeviceRecorder {
    void (*begin)(void);
    void *(*end)(void);
    bool (*replay)(void *recording);
    void (*free)(void *recording);    // NULL is fine
} DeviceRecorder;

// Gives rank 0's bytes to all, and says whether all were good: the others go on to the end, too.
typedef bool DeviceShare(void *bytes, size_t count, bool good);

// Sums over processes that have a device each, where the numbers lie.
typedef struct DeviceSums {
    const char *(*join)(int rank, int count, DeviceShare *share);    // NULL, or what is wrong
    void (*begin)(float *values, size_t count);    // in place; after what was launched before
    int (*state)(void);    // of all that have begun: 1 done, 0 not yet, -1 a process is gone
} DeviceSums;

typedef struct Device {
    const char *name;                                      // "cpu", "ref", "far", ...
    const Kernels *kernels;                                // sparse: what is missing is refused
    bool on_host;                                          // the host may read and write numbers
    const Kernels *host_kernels;                           // for device_enter_host(); NULL: cpu's
    void *(*reserve)(size_t bytes);                        // addresses, at a page; NULL: no room
    void (*commit)(void *base, size_t from, size_t to);    // makes these bytes usable, all 0
    void (*release)(void *base, size_t bytes);             // NULL is fine
    void (*put)(void *to, const void *host, size_t bytes);
    void (*get)(void *host, const void *from, size_t bytes);    // waits for queued work
    void (*copy)(void *to, const void *from, size_t bytes);     // within the device; may overlap
    const DeviceRecorder *recorder;                             // NULL: it has none
    const DeviceSums *sums;                                     // likewise
    // Queues chains of multiply-adds in registers, to measure a peak: how many FLOPs. NULL: common/peak.h does.
    double (*multiply_adds)(int blocks, int rounds);
} Device;

// The device in use: `ref` until one is chosen.
extern const Device *device;

// Chooses the device and puts its table in use: "cpu", "ref", ...; NULL for the best there is.
// False (and *why set to a static sentence) when it is unknown or cannot run here; nothing changed.
// Numbers that were allocated before stay the former device's.
bool device_use(const char *name, const char **why);

// The same for a device of the caller's own: for tests. It is borrowed for as long as it is in use.
void device_put_in_use(const Device *chosen);

// The names that device_use knows; N is a number.
#define DEVICE_NAMES "cpu|cuda|cuda:N|emulated|far|onednn|ref"

// Between the two, `kernels` is a table for the host's memory: for a function that works there by
// contract, on copies (common/host.h). They nest.
void device_enter_host(void);
void device_leave_host(void);

// Whether `kernels` is such a table now.
bool device_is_host(void);

extern const Device device_far;

// Stops the program: where a kernel is missing, or a device was given what is not its own.
_Noreturn void device_refuse(const char *device_name, const char *kernel, const char *what);
