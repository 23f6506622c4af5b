// peak.cu -- chains of fused multiply-adds that stay in registers: what a GPU's float units do at most.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { PEAK_THREADS = 256, CHAINS = 8, STEPS = 8 };

// Each chain tends to 0.25 / (1 - factor), and its sum is never `never`: nothing is stored, which no compiler knows.
static __global__ void __launch_bounds__(PEAK_THREADS)
    multiply_add_chains(float *out, int rounds, float factor, float never)
{
    float x[CHAINS];
    UNROLL
    for (int c = 0; c < CHAINS; c++) x[c] = 0.01f * (float)threadIdx.x + (float)c;
    for (int r = 0; r < rounds; r++) {
        UNROLL
        for (int s = 0; s < STEPS; s++) {
            UNROLL
            for (int c = 0; c < CHAINS; c++) x[c] = fmaf(x[c], factor, 0.25f);
        }
    }
    float sum = 0;
    UNROLL
    for (int c = 0; c < CHAINS; c++) sum += x[c];
    if (sum == never) *out = sum;
}

double cuda_multiply_adds(int blocks, int rounds)
{
    float *const out = static_cast<float *>(cuda_workspace(sizeof(float)));
    LAUNCH(multiply_add_chains, (unsigned)blocks, PEAK_THREADS, 0, 0)(out, rounds, 0.5f, -1.0f);
    return 2.0 * CHAINS * STEPS * PEAK_THREADS * (double)blocks * rounds;
}
