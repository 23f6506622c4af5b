/* train_rnn.c -- training steps a second of a recurrent character model: networks/rnn.c. */
#include "bench/networks/networks.h"

int main(int argc, char **argv)
{
    const TrainingBench bench = network_rnn(arena_new("forms", 1u << 20));
    return training_bench(&bench, argc, argv);
}
