#include "common/arena.h"
#include "common/error.h"
#include "common/range.h"
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

enum { ALIGN = 64, PAGE = 4096, POISONED = 1 << 20 };

// One side of an arena: a bump pointer through reserved addresses.
typedef struct Side {
    char *base;
    size_t capacity, used, peak;
    size_t poisoned;    // bytes from base on, of which those past `used` are poisoned
} Side;

// What is to be called when the memory in front of it goes.
typedef struct Deferred {
    void (*release)(void *what);
    void *what;
    struct Deferred *before;
} Deferred;

struct Arena {
    const char *name;
    Side host, numbers;
    Range range;    // that the numbers are in; reserved when they are first asked for
    Deferred *deferred;
};

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

// Only what the host can address is poisoned.
static bool poisonable(const Arena *arena, const Side *side)
{
    return side == &arena->host || (arena->range.device != NULL && arena->range.device->on_host);
}

// Poisons a megabyte past what is used, not the whole capacity: that would fill its shadow, which is an
// eighth of it.
static void poison_after(const Arena *arena, Side *side)
{
    size_t left = side->capacity - side->used,
           end = side->used + (left < POISONED ? left : POISONED);
    if (end <= side->poisoned || !poisonable(arena, side)) return;
    ASAN_POISON_MEMORY_REGION(side->base + side->poisoned, end - side->poisoned);
    side->poisoned = end;
}

static void rewind_side(const Arena *arena, Side *side, size_t used)
{
    if (poisonable(arena, side)) ASAN_POISON_MEMORY_REGION(side->base + used, side->used - used);
    side->used = used;
}

static void *take(Arena *arena, Side *side, size_t bytes)
{
    size_t left = side->capacity - side->used;
    REQUIRE(bytes <= left && round_up(bytes, ALIGN) + GAP <= left,
            "arena '%s' is full: %zu bytes asked, %zu of %zu left", arena->name, bytes, left,
            side->capacity);
    char *piece = side->base + side->used;
    side->used += round_up(bytes, ALIGN) + GAP;
    if (side->used > side->peak) side->peak = side->used;
    poison_after(arena, side);
    if (poisonable(arena, side)) ASAN_UNPOISON_MEMORY_REGION(piece, bytes);
    return piece;
}

Arena *arena_new(const char *name, size_t capacity)
{
    // The struct sits in front of the memory it describes: one mapping, one unmapping.
    size_t header = round_up(sizeof(Arena), ALIGN), total = round_up(header + capacity, PAGE);
    REQUIRE(capacity <= SIZE_MAX / 2, "arena '%s': a capacity of %zu bytes is absurd", name,
            capacity);
    char *start = mmap(NULL, total, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(start != MAP_FAILED, "arena '%s': no room for %zu bytes: %s", name, total,
            strerror(errno));

    Arena *arena = (Arena *)start;
    *arena = (Arena){.name = name, .host = {.base = start + header, .capacity = total - header}};
    poison_after(arena, &arena->host);
    return arena;
}

static void release_until(Arena *arena, Deferred *end)
{
    for (Deferred *last = arena->deferred; last != end; last = last->before)
        last->release(last->what);
    arena->deferred = end;
}

void arena_free(Arena *arena)
{
    if (arena == NULL) return;
    release_until(arena, NULL);
    Side *host = &arena->host, *numbers = &arena->numbers;
    if (poisonable(arena, numbers)) ASAN_UNPOISON_MEMORY_REGION(numbers->base, numbers->poisoned);
    range_release(&arena->range);
    ASAN_UNPOISON_MEMORY_REGION(host->base, host->poisoned);
    munmap(arena, (size_t)(host->base - (char *)arena) + host->capacity);
}

void arena_on_release(Arena *arena, void (*release)(void *what), void *what)
{
    Deferred *deferred = arena_alloc(arena, sizeof *deferred);
    *deferred = (Deferred){release, what, arena->deferred};
    arena->deferred = deferred;
}

void arena_reset(Arena *arena)
{
    arena_rewind(arena, (ArenaMark){0});
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){arena->host.used, arena->numbers.used, arena->deferred};
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    REQUIRE(mark.host <= arena->host.used && mark.numbers <= arena->numbers.used,
            "arena '%s' was rewound past the mark already", arena->name);
    release_until(arena, mark.deferred);
    rewind_side(arena, &arena->host, mark.host);
    if (arena->range.device != NULL) rewind_side(arena, &arena->numbers, mark.numbers);
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    return take(arena, &arena->host, bytes);
}

void *arena_numbers(Arena *arena, size_t bytes)
{
    Side *numbers = &arena->numbers;
    Range *range = &arena->range;
    if (range->device == NULL) {
        REQUIRE(range_reserve(range, arena->host.capacity),
                "arena '%s': no room for %zu bytes on device %s", arena->name, arena->host.capacity,
                device->name);
        *numbers = (Side){.base = range->base, .capacity = range->capacity};
        poison_after(arena, numbers);
    }
    REQUIRE(range->device == device, "arena '%s' has its numbers on device %s; %s is in use",
            arena->name, range->device->name, device->name);
    void *piece = take(arena, numbers, bytes);
    range_commit(range, numbers->used);
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

size_t arena_capacity(const Arena *arena)
{
    return arena->host.capacity;
}

size_t arena_used(const Arena *arena)
{
    return arena->host.used + arena->numbers.used;
}

size_t arena_peak(const Arena *arena)
{
    return arena->host.peak + arena->numbers.peak;
}

size_t arena_numbers_used(const Arena *arena)
{
    return arena->numbers.used;
}

size_t arena_numbers_peak(const Arena *arena)
{
    return arena->numbers.peak;
}
