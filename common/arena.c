#include "common/arena.h"
#include "common/error.h"
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

// Under AddressSanitizer what was not handed out is poisoned, so that a use after arena_reset() or
// past a piece's end is reported as a heap error would be.
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { GAP = 64 };    // poisoned bytes between two pieces
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
enum { GAP = 0 };
#endif

enum { ALIGN = 64, PAGE = 4096 };

struct Arena {
    const char *name;
    char       *base;
    size_t      capacity, used, peak;
};

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

Arena *arena_new(const char *name, size_t capacity)
{
    // The struct sits in front of the memory it describes: one mapping, one unmapping.
    size_t header = round_up(sizeof(Arena), ALIGN), total = round_up(header + capacity, PAGE);
    REQUIRE(capacity <= SIZE_MAX / 2, "arena '%s': a capacity of %zu bytes is absurd", name, capacity);
    char *start = mmap(NULL, total, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(start != MAP_FAILED, "arena '%s': no room for %zu bytes: %s", name, total, strerror(errno));
#ifdef MADV_HUGEPAGE
    madvise(start, total, MADV_HUGEPAGE);    // fewer page faults and TLB misses where the system can
#endif

    Arena *arena    = (Arena *)start;
    arena->name     = name;
    arena->base     = start + header;
    arena->capacity = total - header;
    ASAN_POISON_MEMORY_REGION(arena->base, arena->capacity);
    return arena;
}

void arena_free(Arena *arena)
{
    if (arena == NULL) return;
    ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->capacity);
    munmap(arena, (size_t)(arena->base - (char *)arena) + arena->capacity);
}

void arena_reset(Arena *arena)
{
    ASAN_POISON_MEMORY_REGION(arena->base, arena->capacity);
    arena->used = 0;
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    size_t left = arena->capacity - arena->used;
    REQUIRE(bytes <= left && round_up(bytes, ALIGN) + GAP <= left,
            "arena '%s' is full: %zu bytes asked, %zu of %zu left", arena->name, bytes, left,
            arena->capacity);
    char *piece = arena->base + arena->used;
    arena->used += round_up(bytes, ALIGN) + GAP;
    if (arena->used > arena->peak) arena->peak = arena->used;
    ASAN_UNPOISON_MEMORY_REGION(piece, bytes);
    return piece;
}

void *arena_zeros(Arena *arena, size_t bytes)
{
    return memset(arena_alloc(arena, bytes), 0, bytes);
}

char *arena_print(Arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    REQUIRE(length >= 0, "the format \"%s\" cannot be printed", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}

size_t arena_peak(const Arena *arena)
{
    return arena->peak;
}
