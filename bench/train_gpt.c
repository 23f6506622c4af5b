/* train_gpt.c -- training steps a second of a GPT in three sizes: networks/gpt.c. */
#include "bench/networks/networks.h"

int main(int argc, char **argv)
{
    const TrainingBench bench = network_gpt(arena_new("forms", 1u << 20));
    return training_bench(&bench, argc, argv);
}
