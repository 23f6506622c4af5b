/* device.h -- CUDA as devices: a GPU, and the same kernels emulated on the CPU.
 *
 *     cuda, cuda:1    a GPU by its number. Memory is reserved as addresses and mapped as it is committed.
 *     emulated        the .cu files compiled by the C++ compiler, not checked (emulator/emulator.h), on memory
 *                     that the host cannot touch: what runs there is ready for a GPU
 *
 * The kernels of each are a library of their own beside the program, which is loaded when its device is asked for:
 * no other program starts slower, and one that was built with the CUDA Toolkit runs where there is no driver.
 */
#pragma once
#include "kernels/device.h"

// NULL, and a static sentence in *why: not built, no GPU of that number, a driver that is too old.
const Device *cuda_device(const char *name, const char **why);
