/* map.h -- MAP(F, a, b, c) is F(a), F(b), F(c): up to 12 arguments.
 *
 *     static void move_pointer(void *argument, const char *function);    // changes the pointer there
 *     kernels_ref.name ALL_MOVED arguments;                              // list.h's
 *
 * ALL_MOVED calls move_pointer for each pointer in a copy of each argument that is or begins with pointers.
 */
#pragma once
#include "kernels/kernels.h"

// clang-format off
#define MAP_1(F, a)       F(a)
#define MAP_2(F, a, ...)  F(a), MAP_1(F, __VA_ARGS__)
#define MAP_3(F, a, ...)  F(a), MAP_2(F, __VA_ARGS__)
#define MAP_4(F, a, ...)  F(a), MAP_3(F, __VA_ARGS__)
#define MAP_5(F, a, ...)  F(a), MAP_4(F, __VA_ARGS__)
#define MAP_6(F, a, ...)  F(a), MAP_5(F, __VA_ARGS__)
#define MAP_7(F, a, ...)  F(a), MAP_6(F, __VA_ARGS__)
#define MAP_8(F, a, ...)  F(a), MAP_7(F, __VA_ARGS__)
#define MAP_9(F, a, ...)  F(a), MAP_8(F, __VA_ARGS__)
#define MAP_10(F, a, ...) F(a), MAP_9(F, __VA_ARGS__)
#define MAP_11(F, a, ...) F(a), MAP_10(F, __VA_ARGS__)
#define MAP_12(F, a, ...) F(a), MAP_11(F, __VA_ARGS__)
#define MAP_PICK(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, name, ...) name
#define MAP(F, ...)                                                                                \
    MAP_PICK(__VA_ARGS__, MAP_12, MAP_11, MAP_10, MAP_9, MAP_8, MAP_7, MAP_6, MAP_5, MAP_4, MAP_3, \
             MAP_2, MAP_1, 0)(F, __VA_ARGS__)
// clang-format on

// How many pointers it begins with: a pointer is one, and structs may.
#define POINTERS(x)                                                                                \
    (__builtin_types_compatible_p(__typeof__(x), PagedKv) ? 2                                      \
     : __builtin_classify_type(x) == 5 || __builtin_types_compatible_p(__typeof__(x), Mat) ||      \
             __builtin_types_compatible_p(__typeof__(x), WeightRows)                               \
         ? 1                                                                                       \
         : 0)
#define MOVED(x)                                                                                   \
    ({                                                                                             \
        __typeof__(x) argument_ = (x);                                                             \
        for (int p_ = 0, pointers_ = POINTERS(x); p_ < pointers_; p_++)                            \
            move_pointer((void **)&argument_ + p_, __func__);                                      \
        argument_;                                                                                 \
    })
#define ALL_MOVED(...) (MAP(MOVED, __VA_ARGS__))
