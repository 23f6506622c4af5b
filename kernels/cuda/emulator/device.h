/* device.h -- functions that a kernel may call, and that have a meaning of their own on the CPU: clocks, traps,
 * assert(), malloc().
 *
 * A clock counts nanoseconds of the CPU; __nanosleep() returns at once, since other threads of the block run only
 * where this one waits. Memory that a kernel allocates lives until a kernel frees it, as on a GPU.
 */
#pragma once

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
