// random.cu -- random numbers by position, four from a block of Philox: the same bits as ref's.
#include "kernels/cuda/each.cuh"
#include "kernels/philox.h"

void cuda_random_uniform(float *y, Draw draw, size_t n)
{
    for_each((n + 3) / 4, [=] __device__(size_t block) {
        const PhiloxBlock drawn = philox(draw, block);
        for (int i = 0; i < 4; i++)
            if (4 * block + i < n) y[4 * block + i] = philox_uniform(drawn.word[i]);
    });
}

void cuda_random_normal(float *y, Draw draw, size_t n)
{
    for_each((n + 3) / 4, [=] __device__(size_t block) {
        const PhiloxBlock drawn = philox(draw, block);
        for (int i = 0; i < 4; i += 2) {
            const PhiloxPair pair = philox_normal(drawn.word[i], drawn.word[i + 1]);
            if (4 * block + i < n) y[4 * block + i] = pair.first;
            if (4 * block + i + 1 < n) y[4 * block + i + 1] = pair.second;
        }
    });
}

void cuda_dropout(float *y, const float *x, float p, Draw draw, float beta, size_t n)
{
    const float scale = 1 / (1 - p);
    for_each((n + 3) / 4, [=] __device__(size_t block) {
        const PhiloxBlock drawn = philox(draw, block);
        for (int k = 0; k < 4 && 4 * block + k < n; k++) {
            const size_t i = 4 * block + k;
            const float value = philox_dropout(drawn.word[k], x[i], p, scale);
            y[i] = beta == 0 ? value : philox_blend(beta, y[i], value);
        }
    });
}
