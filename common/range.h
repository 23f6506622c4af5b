/* range.h -- addresses reserved on a device, which memory is committed to as it is used.
 *
 *     Range range;
 *     if (!range_reserve(&range, capacity)) return false;    // on the device in use
 *     range_commit(&range, bytes);                           // [0, bytes) is usable, all 0 at first
 *     range_release(&range);
 *
 * What lies in it never moves. The caller owns the struct; one that is all 0 reserves nothing yet.
 */
#pragma once
#include "kernels/device.h"

typedef struct Range {
    const Device *device;    // NULL: nothing is reserved
    char *base;
    size_t capacity, committed;    // bytes, whole chunks
} Range;

bool range_reserve(Range *range, size_t capacity);    // false: the device has no room
void range_commit(Range *range, size_t bytes);        // up to the capacity
void range_release(Range *range);
