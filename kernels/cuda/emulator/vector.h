/* vector.h -- CUDA's short vectors (float4, int2, ...) and dim3.
 *
 * A vector of 2 or 4 numbers is copied as one word, so that the checker sees one access of 16 bytes where a
 * GPU makes one, not four of 4.
 */
#pragma once
#include <cstdint>

namespace emulator
{
template <int BYTES> struct WordOf;
template <> struct WordOf<2> {
    typedef uint16_t __attribute__((may_alias)) Word;
};
template <> struct WordOf<4> {
    typedef uint32_t __attribute__((may_alias)) Word;
};
template <> struct WordOf<8> {
    typedef uint32_t __attribute__((vector_size(8), may_alias)) Word;
};
template <> struct WordOf<16> {
    typedef uint32_t __attribute__((vector_size(16), may_alias)) Word;
};

template <int BYTES> inline void copy_word(void *to, const void *from)
{
    typedef typename WordOf<BYTES>::Word Word;
    *static_cast<Word *>(to) = *static_cast<const Word *>(from);
}
}    // namespace emulator

#define EMULATOR_COPIED_AS_A_WORD(NAME)                                                            \
    NAME(const NAME &from)                                                                         \
    {                                                                                              \
        *this = from;                                                                              \
    }                                                                                              \
    NAME &operator=(const NAME &from)                                                              \
    {                                                                                              \
        emulator::copy_word<sizeof(NAME)>(this, &from);                                            \
        return *this;                                                                              \
    }

#define EMULATOR_VECTORS(T, N)                                                                     \
    struct alignas(2 * sizeof(T)) N##2                                                             \
    {                                                                                              \
        T x, y;                                                                                    \
        EMULATOR_COPIED_AS_A_WORD(N##2)                                                            \
        constexpr N##2(T x_ = 0, T y_ = 0) : x(x_), y(y_)                                          \
        {                                                                                          \
        }                                                                                          \
    };                                                                                             \
    struct N##3                                                                                    \
    {                                                                                              \
        T x, y, z;                                                                                 \
    };                                                                                             \
    struct alignas(4 * sizeof(T) > 16 ? 16 : 4 * sizeof(T)) N##4                                   \
    {                                                                                              \
        T x, y, z, w;                                                                              \
        EMULATOR_COPIED_AS_A_WORD(N##4)                                                            \
        constexpr N##4(T x_ = 0, T y_ = 0, T z_ = 0, T w_ = 0) : x(x_), y(y_), z(z_), w(w_)        \
        {                                                                                          \
        }                                                                                          \
    };                                                                                             \
    static inline N##2 make_##N##2(T x, T y)                                                       \
    {                                                                                              \
        return N##2(x, y);                                                                         \
    }                                                                                              \
    static inline N##3 make_##N##3(T x, T y, T z)                                                  \
    {                                                                                              \
        return N##3 {x, y, z};                                                                     \
    }                                                                                              \
    static inline N##4 make_##N##4(T x, T y, T z, T w)                                             \
    {                                                                                              \
        return N##4(x, y, z, w);                                                                   \
    }

typedef unsigned int uint;
EMULATOR_VECTORS(float, float)
EMULATOR_VECTORS(int, int)
EMULATOR_VECTORS(unsigned, uint)
EMULATOR_VECTORS(short, short)
EMULATOR_VECTORS(unsigned short, ushort)
EMULATOR_VECTORS(signed char, char)
EMULATOR_VECTORS(unsigned char, uchar)

#define EMULATOR_PAIRS(T, N)                                                                       \
    struct alignas(16) N##2                                                                        \
    {                                                                                              \
        T x, y;                                                                                    \
        EMULATOR_COPIED_AS_A_WORD(N##2)                                                            \
        constexpr N##2(T x_ = 0, T y_ = 0) : x(x_), y(y_)                                          \
        {                                                                                          \
        }                                                                                          \
    };                                                                                             \
    static inline N##2 make_##N##2(T x, T y)                                                       \
    {                                                                                              \
        return N##2(x, y);                                                                         \
    }
EMULATOR_PAIRS(double, double)
EMULATOR_PAIRS(long long, longlong)
EMULATOR_PAIRS(unsigned long long, ulonglong)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z)
    {
    }
};
