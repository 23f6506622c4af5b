/* gpu_times.c -- the ladder's rungs and cuBLAS on a GPU: a line of JSON each, for bench.c. nvcc builds the kernels. */
#include <stdio.h>
#include <string.h>
#include "labs/2_core/gpu_kernels/gpu_times.h"
#include "labs/2_core/gpu_kernels/rungs.h"

enum { REPEATS = 20, SIDE = 4096, VECTOR = 1 << 17 };

static void print_row(const char *rung, const char *size, double flops, double bytes,
                      double seconds)
{
    printf("{\"rung\": \"%s\", \"size\": \"%s\", \"flops\": %.17g, \"bytes\": %.17g, "
           "\"seconds\": %.9g}\n",
           rung, size, flops, bytes, seconds);
    fflush(stdout);
}

// Vectors have 128 numbers for each of a matrix' sides: more of them, so that memory is busy for a while.
static int size_of(const Rung *rung)
{
    const bool vector =
        strcmp(rung->name, "vector_add") == 0 || strncmp(rung->name, "reduce", 6) == 0;
    return vector ? VECTOR : SIDE;
}

// Of side x side matrices; `each`: bytes of an element of a, b and c together. Nothing without a time.
static void print_product(const char *rung, const char *type, int side, int each, double seconds)
{
    const double n = side;
    char size[64];
    snprintf(size, sizeof size, "[%d,%d,%d] %s", side, side, side, type);
    if (seconds > 0) print_row(rung, size, 2 * n * n * n, each * n * n, seconds);
}

int main(void)
{
    Arena *step = arena_new("step", (size_t)4 << 30);
    if (!gpu_times_begin(REPEATS)) return 1;
    for (int i = 0; i < rung_count; i++) {
        const Work work = rungs[i].run(step, size_of(&rungs[i]));
        print_row(rungs[i].name, work.size, work.flops, work.bytes, launch_seconds());
        arena_reset(step);
    }
    print_product("matmul_cublas", "float32", SIDE, 12,
                  gpu_times_cublas(SIDE, PRODUCT_FLOAT, REPEATS));
    print_product("matmul_cublas_half", "float16", SIDE, 8,
                  gpu_times_cublas(SIDE, PRODUCT_HALF, REPEATS));
    for (int side = SIDE; side <= 2 * SIDE; side *= 2) {
        print_product("matmul_wgmma", "bfloat16", side, 8, gpu_times_wgmma(side, REPEATS));
        print_product("matmul_cublas_bf16", "bfloat16", side, 8,
                      gpu_times_cublas(side, PRODUCT_BFLOAT16, REPEATS));
    }
    return 0;
}
