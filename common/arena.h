/* arena.h -- memory with one lifetime: allocated piece by piece, released all at once.
 *
 *     Arena *keep = arena_new("keep", 256u << 20);    // parameters: as long as the program
 *     Arena *step = arena_new("step", 64u << 20);     // activations: one training step
 *     float *x = arena_alloc(step, 1000 * sizeof *x);
 *     arena_reset(step);                              // x is gone; its pages are kept for the next
 *     arena_free(step);
 *
 * An arena has two sides: structs and strings in the host's memory (arena_alloc), and numbers where
 * the device keeps them (arena_numbers). The capacity is address space, for each side: memory is used
 * only where it is touched, so it may be generous. Pieces are 64-byte aligned (a cache line, an
 * AVX-512 register) and NOT zeroed after a reset. Asking for more than is left stops the program with
 * the arena's name and both sizes.
 */
#pragma once
#include <stddef.h>

typedef struct Arena Arena;

// The name is borrowed and shows in messages. Stops the program when the system has no room.
Arena *arena_new(const char *name, size_t capacity);
void arena_free(Arena *arena);     // NULL is fine
void arena_reset(Arena *arena);    // everything allocated so far is gone

void *arena_alloc(Arena *arena, size_t bytes);              // uninitialised
void *arena_zeros(Arena *arena, size_t bytes);              // all bytes 0
char *arena_print(Arena *arena, const char *format, ...)    // a formatted string
    __attribute__((format(printf, 2, 3)));

// Memory of the device that was in use when the arena was first asked for some: for kernels, put and
// get (kernels/device.h). Uninitialised. The arena must be freed before that device is closed.
void *arena_numbers(Arena *arena, size_t bytes);

// Calls release(what) when the arena is freed, reset or taken back past here; the latest first.
void arena_on_release(Arena *arena, void (*release)(void *what), void *what);

size_t arena_capacity(const Arena *arena);    // of each side
size_t arena_used(const Arena *arena);    // bytes handed out since the last reset, with alignment
size_t arena_peak(const Arena *arena);    // the most of the one side, and of the other, in sum

// The numbers alone.
size_t arena_numbers_used(const Arena *arena);
size_t arena_numbers_peak(const Arena *arena);

// A place in the arena, to which it can be taken back: what was allocated since is gone.
typedef struct ArenaMark {
    size_t host, numbers;
    struct Deferred *deferred;
} ArenaMark;
ArenaMark arena_mark(const Arena *arena);
void arena_rewind(Arena *arena, ArenaMark mark);
