/* train_lenet.c -- training steps a second of LeNet's form: networks/lenet.c. */
#include "bench/networks/networks.h"

int main(int argc, char **argv)
{
    const TrainingBench bench = network_lenet(arena_new("forms", 1u << 20));
    return training_bench(&bench, argc, argv);
}
