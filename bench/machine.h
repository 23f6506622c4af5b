/* machine.h -- which machine a report is of: its devices in words, and the report's file name.
 *
 *     const char *gpu = machine_device(keep, "cuda:0");        // "NVIDIA H200, driver 570.86.15, CUDA 12.8"
 *     const char *file = machine_file(keep, "NVIDIA H200");    // "nvidia-h200.json"
 */
#pragma once
#include "common/arena.h"

const char *
machine_processor(Arena *keep);    // "AMD EPYC 9355 32-Core Processor"; "" where it is not known
const char *machine_device(Arena *keep, const char *device);    // of a name that device_use() knows

// The GPU with this device's name, without driver: "NVIDIA H200"; NULL where it is none.
const char *machine_gpu(Arena *keep, const char *device);

// In small letters, what is neither letter nor digit as one hyphen.
const char *machine_file(Arena *keep, const char *name);

// The version in the line of /proc/driver/nvidia/version that names the kernel module; "" where there is none.
const char *machine_driver_in(Arena *keep, const char *line);
