#include "tests/kernels/mirror.h"
#include <string.h>
#include <unistd.h>
#include "common/error.h"
#include "kernels/map.h"
#include "tests/kernels/numbers.h"

typedef struct Copy {
    Block of;
    char *base, *start;    // on the device: what was reserved, and where the copy begins
    size_t reserved;
} Copy;

enum { COPIES_MAX = 12 };
static const Device *mirrored;
static Copy copies[COPIES_MAX];
static int copied;

static Copy copy_of(Block block)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), open = (block.bytes + page - 1) / page * page;
    char *base = mirrored->reserve(open + page);    // one more, which stays closed
    REQUIRE(base != NULL, "device %s has no room for %zu bytes", mirrored->name, open + page);
    mirrored->commit(base, 0, open);
    mirrored->put(base + open - block.bytes, block.start, block.bytes);
    return (Copy){block, base, base + open - block.bytes, open + page};
}

// An array that is given twice, in place, is one copy.
static void move_pointer(void *argument, const char *function)
{
    char *address;
    memcpy(&address, argument, sizeof address);
    if (address == NULL) return;
    Block block = block_of(address);
    int i = 0;
    while (i < copied && copies[i].of.start != block.start) i++;
    REQUIRE(i < COPIES_MAX, "%s: more than %d arrays", function, COPIES_MAX);
    if (i == copied) copies[copied++] = copy_of(block);
    address = copies[i].start + (address - block.start);
    memcpy(argument, &address, sizeof address);
}

static void bring_back(void)
{
    while (copied > 0) {
        const Copy copy = copies[--copied];
        mirrored->get(copy.of.start, copy.start, copy.of.bytes);
        mirrored->release(copy.base, copy.reserved);
    }
}

#define X(name, prototype, arguments, work)                                                        \
    static void mirror_##name prototype                                                            \
    {                                                                                              \
        mirrored->kernels->name ALL_MOVED arguments;                                               \
        bring_back();                                                                              \
    }
KERNEL_LIST(X)
#undef X

Kernels mirror_of(const Device *far_away)
{
    mirrored = far_away;
    return (Kernels){.variant = far_away->name,
#define X(name, prototype, arguments, work) .name = mirror_##name,
                     KERNEL_LIST(X)
#undef X
    };
}
