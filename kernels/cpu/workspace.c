#include "kernels/cpu/workspace.h"
#include <stdio.h>
#include <stdlib.h>

static _Thread_local float *kept;
static _Thread_local size_t room;

float *workspace(size_t floats)
{
    enum { LINE = 16 };    // floats
    if (floats <= room) return kept;
    free(kept);
    room = (floats + LINE - 1) / LINE * LINE;
    kept = aligned_alloc(LINE * sizeof(float), room * sizeof(float));
    if (kept == NULL) {
        fprintf(stderr, "no memory for a workspace of %zu floats\n", room);
        abort();
    }
    return kept;
}
