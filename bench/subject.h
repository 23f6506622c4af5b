/* subject.h -- what is timed on several devices: a kernel, a training step, a part of inference; at any size.
 *
 *     Subject subject = kernel_subject(&kernel_works[0]);
 *     Prepared *on_cpu = subject.open(arena, &subject, device, 1024, &err);
 *     Contender contender = {"cpu", on_cpu->run, on_cpu};
 *     ...
 *     on_cpu->close(on_cpu);
 *
 * A run puts its device in use, queues its calls and waits once, at the end.
 */
#pragma once
#include "bench/harness.h"
#include "bench/kernel_work.h"

// A subject of one size on one device. The first members of what `run` is given.
typedef struct Prepared {
    const Device *on;
    double flops, bytes;    // of a call; bytes 0: not counted
    Run *run;
    Run *run_with_transfers;    // what it reads comes from the host first, what it writes goes back
    void (*close)(struct Prepared *prepared);
} Prepared;

typedef struct Subject {
    const char *kind;    // "kernel", "training", "inference"
    const char *name, *form;
    const char *unit;         // what its sizes count
    const char *formula;      // of its FLOPs, from its size n
    int sizes[WORK_SIZES];    // from small to large; 0 where there are fewer
    const void *what;
    double (*flops)(const struct Subject *subject, int n);    // of a call
    // NULL with a message. Borrows the arena until it is closed.
    Prepared *(*open)(Arena *arena, const struct Subject *subject, const Device *on, int n,
                      Error *err);
} Subject;

Subject kernel_subject(const KernelWork *work);

enum { LOOPS_MAX = 16 };

// Training and inference loops of networks/ and of the lab transformer; their number.
int loop_subjects(Arena *keep, Subject subjects[LOOPS_MAX]);
