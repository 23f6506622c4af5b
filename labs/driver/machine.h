/* machine.h -- the resources that this process may use: processor, cores, memory, disk.
 *
 *     Machine machine = machine_inspect("/home/me/labs");
 *     printf("%s, %d cores\n", machine.processor, machine.cores);
 */
#pragma once
#include <stddef.h>

typedef struct Machine {
    char processor[96];
    int online;      // cores that the machine has
    int cores;       // of those, the ones this process may run on
    double quota;    // cores' worth of time that its control group allows; 0: no limit
    size_t memory, memory_free;
    size_t disk_free;    // where the folder lies
} Machine;

Machine machine_inspect(const char *folder);
