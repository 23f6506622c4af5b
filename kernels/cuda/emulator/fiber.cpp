// fiber.cpp -- the switch, for x86-64 (System V) and aarch64 (AAPCS64).
#include "kernels/cuda/emulator/fiber.h"
#include <cstdint>

extern "C" void emulator_switch(void **from, void *to);

#if defined(__APPLE__)
#define SYMBOL "_emulator_switch"
#else
#define SYMBOL "emulator_switch"
#endif

#if defined(__x86_64__)
asm(R"(
    .text
    .globl )" SYMBOL R"(
)" SYMBOL R"(:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
enum { SAVED = 8, RETURN_TO = 6 };    // words; the last one keeps the stack aligned as after a call
#elif defined(__aarch64__)
asm(R"(
    .text
    .balign 4
    .globl )" SYMBOL R"(
)" SYMBOL R"(:
    stp x29, x30, [sp, #-160]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp d14, d15, [sp, #144]
    ldp d12, d13, [sp, #128]
    ldp d10, d11, [sp, #112]
    ldp d8, d9, [sp, #96]
    ldp x27, x28, [sp, #80]
    ldp x25, x26, [sp, #64]
    ldp x23, x24, [sp, #48]
    ldp x21, x22, [sp, #32]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #160
    ret
)");
enum { SAVED = 20, RETURN_TO = 1 };
#else
#error "the emulator's fibers know x86-64 and aarch64; add this processor's switch here"
#endif

void fiber_prepare(Fiber *fiber, void *stack_end, void (*function)())
{
    uintptr_t *word = (uintptr_t *)((uintptr_t)stack_end & ~(uintptr_t)15) - SAVED;
    for (int i = 0; i < SAVED; i++) word[i] = 0;
    word[RETURN_TO] = (uintptr_t)function;
    fiber->stack_pointer = word;
}

void fiber_switch(Fiber *from, const Fiber *to)
{
    emulator_switch(&from->stack_pointer, to->stack_pointer);
}
