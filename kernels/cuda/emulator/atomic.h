/* atomic.h -- atomic operations. Fibers switch only where they wait, so that a plain read and write is one
 * step; the checker learns that it was atomic.
 */
#pragma once

namespace emulator
{
void atomic_access(const volatile void *address, size_t bytes, const void *site);

template <class T, class F> EMULATOR_UNCHECKED T atomic(T *address, F change)
{
#ifdef EMULATOR_CHECKED
    atomic_access(address, sizeof *address, __builtin_return_address(0));
#endif
    const T old = *address;
    *address = change(old);
    return old;
}

template <class T> struct Same {    // lets the second argument convert to the first one's type
    typedef T Type;
};
}    // namespace emulator

#define EMULATOR_ATOMIC(NAME, EXPRESSION)                                                          \
    template <class T> __forceinline__ T NAME(T *address, typename emulator::Same<T>::Type value)  \
    {                                                                                              \
        return emulator::atomic(address, [value](T old) -> T { return EXPRESSION; });              \
    }                                                                                              \
    template <class T>                                                                             \
    __forceinline__ T NAME##_block(T *address, typename emulator::Same<T>::Type value)             \
    {                                                                                              \
        return NAME(address, value);                                                               \
    }

EMULATOR_ATOMIC(atomicAdd, old + value)
EMULATOR_ATOMIC(atomicSub, old - value)
EMULATOR_ATOMIC(atomicExch, ((void)old, value))
EMULATOR_ATOMIC(atomicMin, value < old ? value : old)
EMULATOR_ATOMIC(atomicMax, old < value ? value : old)
EMULATOR_ATOMIC(atomicAnd, old &value)
EMULATOR_ATOMIC(atomicOr, old | value)
EMULATOR_ATOMIC(atomicXor, old ^ value)
EMULATOR_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
EMULATOR_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef EMULATOR_ATOMIC

template <class T>
__forceinline__ T atomicCAS(T *address, typename emulator::Same<T>::Type expected,
                            typename emulator::Same<T>::Type value)
{
    return emulator::atomic(address, [=](T old) -> T { return old == expected ? value : old; });
}
