#include "common/range.h"

enum { CHUNK = 2 << 20 };    // committed at a time: a huge page

static size_t whole_chunks(size_t bytes)
{
    return (bytes + CHUNK - 1) / CHUNK * CHUNK;
}

bool range_reserve(Range *range, size_t capacity)
{
    size_t bytes = whole_chunks(capacity);
    char *base = device->reserve(bytes);
    if (base != NULL) *range = (Range){device, base, bytes, 0};
    return base != NULL;
}

void range_commit(Range *range, size_t bytes)
{
    size_t end = whole_chunks(bytes);
    if (end <= range->committed) return;
    range->device->commit(range->base, range->committed, end);
    range->committed = end;
}

void range_release(Range *range)
{
    if (range->device != NULL) range->device->release(range->base, range->capacity);
    *range = (Range){0};
}
