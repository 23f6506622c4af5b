/* memory.h -- memory that the host cannot touch, for devices that compute on the host.
 *
 *     float *x = far_reserve(bytes);
 *     far_commit(x, 0, bytes);
 *     kernels_ref.relu(far_moved(x, 0, "relu"), far_moved(x, 0, "relu"), n);    // far_moved() finds the numbers
 *
 * A reservation is two halves of one mapping. The program gets addresses of the first, which is closed to all;
 * the numbers lie as far into the second, where put, get and the kernels find them. The second opens page by
 * page, as it is committed. So a host that reads a number, a kernel that is given the host's memory and one that
 * leaves what is committed are caught at once and on any machine. The functions are a Device's (device.h).
 */
#pragma once
#include <stddef.h>

void *far_reserve(size_t bytes);
void far_commit(void *base, size_t from, size_t to);
void far_release(void *base, size_t bytes);
void far_put(void *to, const void *host, size_t bytes);
void far_get(void *host, const void *from, size_t bytes);
void far_copy(void *to, const void *from, size_t bytes);

// Where the numbers of such an address lie; NULL stays NULL. Stops the program, with `who` in the message, where
// it is none or these bytes from there on are not committed.
void *far_moved(const void *address, size_t bytes, const char *who);
