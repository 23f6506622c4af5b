/* half.h -- __half and __nv_bfloat16 with their pairs: cuda_fp16.h and cuda_bf16.h. Arithmetic is done in
 * float and rounded once, to nearest even.
 */
#pragma once

namespace emulator
{
// A sign, an exponent of EXPONENT bits and MANTISSA bits more (IEEE 754 with 5 and 10, bfloat16 with 8 and 7).
template <int EXPONENT, int MANTISSA> struct Small {
    uint16_t bits;

    // Not trivial, but constant: gcc would guard a __shared__ array of a type with trivial and other constructors.
    constexpr Small() : bits(0)
    {
    }
    Small(float value) : bits(narrow(value))
    {
    }
    Small(double value) : bits(narrow((float)value))
    {
    }
    Small(int value) : bits(narrow((float)value))
    {
    }
    operator float() const
    {
        return widen(bits);
    }
    static Small from_bits(uint16_t bits)
    {
        Small x;
        x.bits = bits;
        return x;
    }

    Small &operator+=(Small b)
    {
        return *this = Small((float)*this + (float)b);
    }
    Small &operator-=(Small b)
    {
        return *this = Small((float)*this - (float)b);
    }
    Small &operator*=(Small b)
    {
        return *this = Small((float)*this * (float)b);
    }
    Small &operator/=(Small b)
    {
        return *this = Small((float)*this / (float)b);
    }

  private:
    enum { BIAS = (1 << (EXPONENT - 1)) - 1, LOST = 23 - MANTISSA };
    enum { INFINITE = ((1 << EXPONENT) - 1) << MANTISSA };

    static float float_of(uint32_t bits)
    {
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }

    static float widen(uint16_t bits)
    {
        const uint32_t magnitude = bits & 0x7fffu, sign = (uint32_t)(bits >> 15) << 31;
        if (magnitude >= INFINITE) return float_of(sign | 0x7f800000u | magnitude << LOST);
        // 2^(127 - bias): exact, and right for subnormal numbers too
        const float value = float_of(magnitude << LOST) * float_of((uint32_t)(254 - BIAS) << 23);
        return sign ? -value : value;
    }

    static uint16_t narrow(float value)
    {
        uint32_t x;
        memcpy(&x, &value, sizeof x);
        const uint16_t sign = (uint16_t)(x >> 16 & 0x8000u);
        x &= 0x7fffffffu;
        if (x > 0x7f800000u) return 0x7fff;    // NaN, the one that a GPU makes
        const int exponent = (int)(x >> 23), least = 128 - BIAS;
        uint32_t mantissa = exponent ? (x & 0x7fffffu) | 0x800000u : (x & 0x7fffffu);
        // Numbers below the least normal one lose a bit for each power of two.
        int lost = LOST + (exponent < least ? least - (exponent ? exponent : 1) : 0);
        if (lost > 25) lost = 25;    // less than half of the least number
        uint32_t kept = exponent > least ? (uint32_t)(exponent - least) << MANTISSA : 0;
        kept += (mantissa + (1u << (lost - 1)) - 1 + (mantissa >> lost & 1)) >> lost;
        return (uint16_t)(sign | (kept > INFINITE ? (uint32_t)INFINITE : kept));
    }
};

#define EMULATOR_OPERATOR(OP)                                                                      \
    template <int E, int M> Small<E, M> operator OP(Small<E, M> a, Small<E, M> b)                  \
    {                                                                                              \
        return Small<E, M>((float)a OP(float) b);                                                  \
    }
EMULATOR_OPERATOR(+)
EMULATOR_OPERATOR(-)
EMULATOR_OPERATOR(*)
EMULATOR_OPERATOR(/)
#undef EMULATOR_OPERATOR

template <class T> struct alignas(4) Pair {
    T x, y;
    EMULATOR_COPIED_AS_A_WORD(Pair)
    constexpr Pair() : x(), y()
    {
    }
    Pair(T x_, T y_) : x(x_), y(y_)
    {
    }
};
}    // namespace emulator

typedef emulator::Small<5, 10> __half, half;
typedef emulator::Small<8, 7> __nv_bfloat16, nv_bfloat16;
typedef emulator::Pair<__half> __half2, half2;
typedef emulator::Pair<__nv_bfloat16> __nv_bfloat162, nv_bfloat162;

#define EMULATOR_CONVERSIONS(T, NAME)                                                              \
    static inline float __##NAME##2float(T a)                                                      \
    {                                                                                              \
        return a;                                                                                  \
    }                                                                                              \
    static inline T __float2##NAME(float a)                                                        \
    {                                                                                              \
        return a;                                                                                  \
    }                                                                                              \
    static inline T __float2##NAME##_rn(float a)                                                   \
    {                                                                                              \
        return a;                                                                                  \
    }                                                                                              \
    static inline emulator::Pair<T> __floats2##NAME##2_rn(float x, float y)                        \
    {                                                                                              \
        return {x, y};                                                                             \
    }                                                                                              \
    static inline emulator::Pair<T> __float2##NAME##2_rn(float x)                                  \
    {                                                                                              \
        return {x, x};                                                                             \
    }                                                                                              \
    static inline emulator::Pair<T> __##NAME##2##NAME##2(T x)                                      \
    {                                                                                              \
        return {x, x};                                                                             \
    }
EMULATOR_CONVERSIONS(__half, half)
EMULATOR_CONVERSIONS(__nv_bfloat16, bfloat16)
#undef EMULATOR_CONVERSIONS

static inline __half __ushort_as_half(unsigned short bits)
{
    return __half::from_bits(bits);
}
static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits)
{
    return __nv_bfloat16::from_bits(bits);
}
static inline unsigned short __half_as_ushort(__half a)
{
    return a.bits;
}
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 a)
{
    return a.bits;
}

static inline float2 __half22float2(__half2 a)
{
    return {a.x, a.y};
}
static inline float2 __bfloat1622float2(__nv_bfloat162 a)
{
    return {a.x, a.y};
}
static inline __half2 __float22half2_rn(float2 a)
{
    return {a.x, a.y};
}
static inline __nv_bfloat162 __float22bfloat162_rn(float2 a)
{
    return {a.x, a.y};
}

template <class T> T __low2half(emulator::Pair<T> a)
{
    return a.x;
}
template <class T> T __high2half(emulator::Pair<T> a)
{
    return a.y;
}
template <class T> float __low2float(emulator::Pair<T> a)
{
    return a.x;
}
template <class T> float __high2float(emulator::Pair<T> a)
{
    return a.y;
}
template <class T> emulator::Pair<T> __halves2half2(T x, T y)
{
    return {x, y};
}

#define EMULATOR_ARITHMETIC(NAME, OP)                                                              \
    template <int E, int M>                                                                        \
    emulator::Small<E, M> NAME(emulator::Small<E, M> a, emulator::Small<E, M> b)                   \
    {                                                                                              \
        return a OP b;                                                                             \
    }                                                                                              \
    template <class T> emulator::Pair<T> NAME##2(emulator::Pair<T> a, emulator::Pair<T> b)         \
    {                                                                                              \
        return {a.x OP b.x, a.y OP b.y};                                                           \
    }
EMULATOR_ARITHMETIC(__hadd, +)
EMULATOR_ARITHMETIC(__hsub, -)
EMULATOR_ARITHMETIC(__hmul, *)
#undef EMULATOR_ARITHMETIC

template <int E, int M>
emulator::Small<E, M> __hfma(emulator::Small<E, M> a, emulator::Small<E, M> b,
                             emulator::Small<E, M> c)
{
    return fmaf(a, b, c);
}
template <class T>
emulator::Pair<T> __hfma2(emulator::Pair<T> a, emulator::Pair<T> b, emulator::Pair<T> c)
{
    return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
template <int E, int M>
emulator::Small<E, M> __hmax(emulator::Small<E, M> a, emulator::Small<E, M> b)
{
    return fmaxf(a, b);
}
template <int E, int M>
emulator::Small<E, M> __hmin(emulator::Small<E, M> a, emulator::Small<E, M> b)
{
    return fminf(a, b);
}
