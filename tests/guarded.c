#include "tests/guarded.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "common/error.h"

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + page_size() - 1) / page_size() * page_size();
}

// closed page | open pages, the block at their end | closed page
void *guarded_new(size_t bytes)
{
    size_t page = page_size(), open = whole_pages(bytes);
    char *all = mmap(NULL, open + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(all != MAP_FAILED, "the system has no room for %zu bytes", bytes);
    REQUIRE(open == 0 || mprotect(all + page, open, PROT_READ | PROT_WRITE) == 0,
            "the system does not open %zu bytes", open);
    char *block = all + page + open - bytes;
    memset(block, 0xff, bytes);
    return block;
}

void guarded_free(void *block, size_t bytes)
{
    if (block == NULL) return;
    char *end = (char *)block + bytes;    // the closed page's first byte
    munmap(end - whole_pages(bytes) - page_size(), whole_pages(bytes) + 2 * page_size());
}
