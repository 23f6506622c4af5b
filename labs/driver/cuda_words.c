#include "labs/driver/cuda_words.h"
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct Word {
    const char *word, *instead;
} Word;

#define SHUFFLE                                                                                    \
    "CUDA 9 replaced warp operations without a mask: write __shfl_xor_sync(mask, x, lanes), "      \
    "__ballot_sync(mask, condition) and so on, with the lanes that take part as the mask"
#define COPY "the emulator has no asynchronous copies: assign the elements, then __syncthreads()"
#define GRID                                                                                       \
    "the blocks of a grid cannot wait for one another here: end the kernel, and launch another"

static const Word words[] = {
    {"<<<",
     "a launch by <<<grid, block>>> needs nvcc: launch.cu starts the kernels of a lab, and "
     "one of your own starts by LAUNCH(kernel, grid, block, shared_bytes, stream)(arguments)"},
    {"extern __shared__",
     "extern __shared__ needs nvcc's linker: write __shared__ float tile[SIZE] "
     "with a constant SIZE, or DYNAMIC_SHARED(float, tile)"},
    {"asm", "the emulator runs no inline PTX (asm): use CUDA's functions, as __syncwarp(), "
            "__shfl_xor_sync(), atomicAdd() and nvcuda::wmma"},
    {"__shfl", SHUFFLE},
    {"__shfl_xor", SHUFFLE},
    {"__shfl_up", SHUFFLE},
    {"__shfl_down", SHUFFLE},
    {"__ballot", SHUFFLE},
    {"__any", SHUFFLE},
    {"__all", SHUFFLE},
    {"__pipeline_memcpy_async", COPY},
    {"memcpy_async", COPY},
    {"this_grid", GRID},
    {"grid_group", GRID},
};

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool has_word(const char *line, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = line; (at = strstr(at, word)) != NULL; at++)
        if (!is_of_name(word[0]) ||
            ((at == line || !is_of_name(at[-1])) && !is_of_name(at[length])))
            return true;
    return false;
}

const char *cuda_instead(const char *line)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(line, words[i].word)) return words[i].instead;
    return NULL;
}
