/* mirror.h -- a device's kernels as a table for the host's memory, so that one check serves all.
 *
 *     const Kernels far = mirror_of(&device_far);
 *     far.relu(y, x, n);    // the arrays go to the device, its relu runs there, they come back
 *
 * The arrays are those of numbers.h. One device at a time. A copy ends where the committed memory does:
 * a kernel that goes on ends the test.
 */
#pragma once
#include "kernels/device.h"

Kernels mirror_of(const Device *far_away);
