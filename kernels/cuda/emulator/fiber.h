/* fiber.h -- a function with a stack of its own, left and entered again.
 *
 *     Fiber main, fiber;
 *     fiber_prepare(&fiber, stack_end, function);    // function never returns
 *     fiber_switch(&main, &fiber);                   // until a switch to main
 *
 * One switch is some ten instructions: the registers that a call must keep go to the old stack and come
 * from the new one. (swapcontext does the same, and two system calls for the signal mask.)
 */
#pragma once

struct Fiber {
    void *stack_pointer;    // while it does not run
    char *stack;            // where it begins; of the one that made it
    void *top;              // above the frames of what it runs; of that one, too
};

void fiber_prepare(Fiber *fiber, void *stack_end, void (*function)());
void fiber_switch(Fiber *from, const Fiber *to);
