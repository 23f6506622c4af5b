#include "tests/guarded.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "common/error.h"

enum { GUARDS_MAX = 4096 };
static Guard guards[GUARDS_MAX];    // a crash handler takes no argument

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + page_size() - 1) / page_size() * page_size();
}

// guard page | open pages, the block at their end | guard page
void *guarded_new(size_t count, size_t each)
{
    size_t page = page_size(), bytes = count * each, open = whole_pages(bytes);
    char *all = mmap(NULL, open + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(all != MAP_FAILED, "the system has no room for %zu bytes", bytes);
    REQUIRE(open == 0 || mprotect(all + page, open, PROT_READ | PROT_WRITE) == 0,
            "the system does not open %zu bytes", open);
    char *block = all + page + open - bytes;
    memset(block, 0xff, bytes);
    for (size_t k = 0; k < GUARDS_MAX; k++)
        if (guards[k].block == NULL) {
            guards[k] = (Guard){block, bytes, each};
            break;
        }
    return block;
}

void guarded_free(void *block, size_t bytes)
{
    if (block == NULL) return;
    for (size_t k = 0; k < GUARDS_MAX; k++)
        if (guards[k].block == block) guards[k] = (Guard){0};
    char *end = (char *)block + bytes;    // the guard page's first byte
    munmap(end - whole_pages(bytes) - page_size(), whole_pages(bytes) + 2 * page_size());
}

bool guarded_find(const void *address, Guard *guard)
{
    uintptr_t at = (uintptr_t)address;
    for (size_t k = 0; k < GUARDS_MAX; k++) {
        uintptr_t end = (uintptr_t)guards[k].block + guards[k].bytes, page = page_size();
        uintptr_t open = end - whole_pages(guards[k].bytes);
        bool after = at >= end && at < end + page, before = at < open && at >= open - page;
        if (guards[k].block == NULL || !(after || before)) continue;
        *guard = guards[k];
        return true;
    }
    return false;
}
