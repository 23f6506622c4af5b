/* host.h -- numbers for a function that works in the host's memory by contract, on any device.
 *
 *     Host         host = host_begin(tape->arena);
 *     const float *hx = host_in(&host, x->data, n);       // x's numbers
 *     float       *hy = host_out(&host, y->data, n);      // y's, once host_end() has put them there
 *     a_learners_function(hy, hx, n);
 *     host_end(&host);
 *
 * Where the device's memory is the host's these are the very pointers and nothing is copied; elsewhere
 * each is a copy. Between begin and end `kernels` works on the host's memory, so that the function may
 * call kernels too: what the device must do comes before. The pointers are good until host_end(), as is
 * all that was allocated in the arena since host_begin().
 */
#pragma once
#include "common/arena.h"

enum { HOST_MAX = 12 };    // arrays that go back to the device

typedef struct Host {
    Arena *arena;    // where copies live
    ArenaMark mark;
    int count;
    struct {
        float *to, *from;
        size_t bytes;
    } back[HOST_MAX];
} Host;

Host host_begin(Arena *arena);
const float *host_in(Host *host, const float *x, size_t n);    // NULL stays NULL, in all three
float *host_out(Host *host, float *x, size_t n);               // is wholly overwritten
float *host_inout(Host *host, float *x, size_t n);             // is read, too: "+="
void host_end(Host *host);
