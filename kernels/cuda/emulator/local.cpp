/* local.cpp -- a thread's own variables: arrays with an index beyond their end, and stacks that are too small.
 *
 * Local arrays lie on the fiber's stack. The compiler calls the first function of "what the compiler calls" for an
 * index that the array's type does not have (-fsanitize=bounds). A pointer into local memory is held against
 * the part of the stack that is in use. Guard pages end a stack on both sides.
 */
#include <csignal>
#include <ucontext.h>
#include <unistd.h>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
// ---- pointers

// What lies below the frames of the kernel is no variable's, nor is what lies above them.
void local_check(uintptr_t address, unsigned bytes, const char *does, const void *site)
{
    const uintptr_t deepest = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    const uintptr_t top = reinterpret_cast<uintptr_t>(self->fiber->top);
    if (address >= deepest && address + bytes <= top) return;
    fault(FAULT_OUT_OF_BOUNDS, self, site, nullptr,
          "%s %u bytes of its local memory, where no variable lies", does, bytes);
    stop_launch(cudaErrorIllegalAddress);
}

std::string local_name(uintptr_t address)
{
    const Fiber *fiber = fiber_at(address);
    if (!fiber) return "";
    return fiber == self->fiber ? "which lies beyond the thread's local memory"
                                : "which is local memory of another thread";
}

// ---- a stack that is too small

static struct sigaction before;
static char *handler_stack;
static const void *overflow_site;

// Where the kernel's code was: the checker, which it called, may have needed the last of the stack.
static const void *site_of_overflow()
{
    const char *file = source_line(overflow_site).file;
    return last_site && (!file[0] || strstr(file, "cuda/emulator/")) ? last_site : overflow_site;
}

// Runs on the launcher's side of things: on a stack of its own, as an ordinary function.
[[noreturn]] static void report_overflow()
{
    fault(FAULT_STACK, self, site_of_overflow(), nullptr,
          "needs more local memory than the %d KB that a thread has here: a recursion without end, "
          "or a large local array?",
          STACK_BYTES >> 10);
    stop_launch(cudaErrorLaunchFailure);
}

enum { REPORT_STACK = 256 << 10 };

// The handler returns into report_overflow(): what it does may not be done in a handler.
static void on_segv(int, siginfo_t *info, void *context)
{
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    if (!self || fiber_at(address) != self->fiber) {
        sigaction(SIGSEGV, &before, nullptr);    // the access is made again, and fails there
        return;
    }
    static char stack[REPORT_STACK] __attribute__((aligned(16)));
    mcontext_t &machine = static_cast<ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__) && defined(__linux__)
    overflow_site = reinterpret_cast<const void *>(machine.gregs[REG_RIP] + 1);
    machine.gregs[REG_RSP] = reinterpret_cast<greg_t>(stack + sizeof stack - 8);
    machine.gregs[REG_RIP] = reinterpret_cast<greg_t>(report_overflow);
#elif defined(__aarch64__) && defined(__linux__)
    overflow_site = reinterpret_cast<const void *>(machine.pc + 1);
    machine.sp = reinterpret_cast<uintptr_t>(stack + sizeof stack);
    machine.pc = reinterpret_cast<uintptr_t>(report_overflow);
#else
    (void)machine, (void)stack, (void)report_overflow;
    sigaction(SIGSEGV, &before, nullptr);
#endif
}

void local_launch()
{
    stack_t present;
    sigaltstack(nullptr, &present);
    if (present.ss_flags & SS_DISABLE) {
        enum { BYTES = 64 << 10 };
        if (!handler_stack) handler_stack = static_cast<char *>(malloc(BYTES));
        if (!handler_stack) return;
        present = {};
        present.ss_sp = handler_stack;
        present.ss_size = BYTES;
        sigaltstack(&present, nullptr);
    }
    struct sigaction action = {};
    action.sa_sigaction = on_segv;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &before);
}

void local_launch_ends()
{
    sigaction(SIGSEGV, &before, nullptr);
}
}    // namespace emulator

// ---- what the compiler calls

using namespace emulator;

// As gcc and clang lay them out for -fsanitize=bounds.
struct TypeOfUbsan {
    uint16_t kind, info;    // kind 0: an integer of 2^(info / 2) bits, signed if info is odd
    char name[1];           // 'float [4]'
};

struct IndexOfUbsan {
    const char *file;
    uint32_t line, column;
    const TypeOfUbsan *array, *index;
};

extern "C" void __ubsan_handle_out_of_bounds(const IndexOfUbsan *data, uintptr_t value)
{
    if (!self) return;    // the host's code
    const unsigned unused = 64 - (1u << data->index->info / 2 % 8);
    const bool is_signed = data->index->info & 1;
    const long long index = unused >= 64 ? (long long)value
                            : is_signed  ? (long long)((uint64_t)value << unused) >> unused
                                         : (long long)((uint64_t)value << unused >> unused);
    fault(FAULT_OUT_OF_BOUNDS, self, __builtin_return_address(0), nullptr,
          "uses index %lld of an array of type %s", index, data->array->name);
    stop_launch(cudaErrorIllegalAddress);
}

extern "C" void __ubsan_handle_out_of_bounds_abort(const IndexOfUbsan *data, uintptr_t value)
{
    __ubsan_handle_out_of_bounds(data, value);
}
