/* device.h -- functions that a kernel may call, and that have a meaning of their own on the CPU: clocks, traps,
 * assert(), malloc(). printf() is the host's.
 *
 * A clock counts nanoseconds of the CPU; __nanosleep() returns at once, since other threads of the block run only
 * where this one waits. Memory that a kernel allocates lives until a kernel frees it, as on a GPU.
 */
#pragma once
#include <cassert>
#include <ctime>    // clock()

long long clock64();

static inline void __nanosleep(unsigned)
{
}

[[noreturn]] void __trap();

namespace emulator
{
[[noreturn]] void assertion_fails(const char *expression, const char *file, int line);
}

#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#define assert(expression)                                                                         \
    ((expression) ? (void)0 : emulator::assertion_fails(#expression, __FILE__, __LINE__))
#endif
// What assert() becomes where <assert.h> is included below this file: its declarations have been made above.
#ifdef __GLIBC__
#define __assert(expression, file, line) emulator::assertion_fails(expression, file, line)
#define __assert_fail(expression, file, line, function)                                            \
    emulator::assertion_fails(expression, file, (int)(line))
#endif
#define __assertfail(expression, file, line, function, size)                                       \
    emulator::assertion_fails(expression, file, line)

// The host's, where the host's code calls them.
void *emulator_malloc(size_t bytes);
void emulator_free(void *address);
namespace std
{
using ::emulator_free;
using ::emulator_malloc;
}    // namespace std
#define malloc(bytes) emulator_malloc(bytes)
#define free(address) emulator_free(address)
