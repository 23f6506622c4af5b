/* networks.h -- the networks whose training is timed, by the benches train_* and, on several devices, by `device`.
 *
 *     Arena *forms = arena_new("forms", 1u << 20);
 *     const TrainingBench lenet = network_lenet(forms);
 *     return training_bench(&lenet, argc, argv);
 *
 * A form's `batch` may be changed: images, or tokens in whole windows of its context.
 */
#pragma once
#include "bench/training.h"

TrainingBench network_autoencoder(Arena *keep);
TrainingBench network_lenet(Arena *keep);
TrainingBench network_rnn(Arena *keep);    // forms: lstm, lstm2, gru; windows of 64
TrainingBench network_gpt(Arena *keep);    // forms: small, characters, gpt2; windows of 64, 256, 64
