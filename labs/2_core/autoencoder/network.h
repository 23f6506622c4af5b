/* network.h -- the lab's networks: stacks of layers that run on the functions of autoencoder.h.
 *
 *     AutoencoderConfig config = {.sizes = {784, 256, 30}, .depth = 2};
 *     Autoencoder net = autoencoder_new(params, "autoencoder", &config, &rng);    // 784-256-30-256-784
 *     Tensor *z    = autoencoder_encode(tape, &net, x);                     // [B,784] -> [B,30]
 *     Tensor *loss = reconstruction_loss(tape, autoencoder_decode(tape, &net, z), x);
 *
 * Each function here is an op: it calls what you wrote, and puts it on the tape with the backward
 * that you wrote. Hidden layers are ReLU, the code is linear unless asked otherwise, and a decoder
 * returns logits: the sigmoid that makes pixels of them is inside the loss.
 */
#pragma once
#include "common/layers.h"

enum { DEPTH_MAX = 6 };

typedef struct AutoencoderConfig {
    int sizes[DEPTH_MAX + 1];    // from the pixels to the code
    int depth;                   // layers from the pixels to the code, and as many back
    bool tied;                   // the decoder uses the encoder's weights, transposed
    bool relu_code;      // the code is a hidden layer like the others: features, not a bottleneck
    bool variational;    // the encoder gives a mean and a log-variance for each latent dimension
} AutoencoderConfig;

typedef struct Autoencoder {
    AutoencoderConfig config;
    Linear encoder[DEPTH_MAX];    // encoder[depth-1] makes the code, or its mean
    Linear logvar;                // variational: the second head
    Linear decoder[DEPTH_MAX];    // decoder[0] reads the code; tied: only its bias exists
} Autoencoder;

Autoencoder autoencoder_new(Params *params, const char *name, const AutoencoderConfig *config,
                            Rng *rng);

Tensor *autoencoder_encode(Tape *tape, const Autoencoder *net, Tensor *x);    // [B,P] -> [B,Z]
Tensor *autoencoder_decode(Tape *tape, const Autoencoder *net,
                           Tensor *code);    // [B,Z] -> logits [B,P]

// The two heads of a variational encoder: mean and log-variance, both [B,Z].
void vae_encode(Tape *tape, const Autoencoder *net, Tensor *x, Tensor **mean, Tensor **logvar);

Tensor *corrupted(Arena *arena, const Tensor *x, float share,
                  Rng *rng);    // masking noise: ae_corrupt
Tensor *sample_code(Tape *tape, Tensor *mean, Tensor *logvar,
                    Rng *rng);    // [B,Z]: mean + exp(logvar/2) noise
Tensor *reconstruction_loss(Tape *tape, Tensor *logits, const Tensor *x);    // []: ae_loss
Tensor *kl_loss(Tape *tape, Tensor *mean, Tensor *logvar);                   // []: ae_kl
