/* train_autoencoder.c -- training steps a second of 784-256-64-256-784: networks/autoencoder.c. */
#include "bench/networks/networks.h"

int main(int argc, char **argv)
{
    const TrainingBench bench = network_autoencoder(arena_new("forms", 1u << 20));
    return training_bench(&bench, argc, argv);
}
