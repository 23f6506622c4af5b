/* network.h -- the lab's two networks for gray images of 28x28 pixels.
 *
 *     Network net = network_new(params, NETWORK_LENET, 10, &kernel_layers, &rng);
 *     Tensor *logits = network_logits(tape, &net, x, &rng, NULL);    // [B,784] -> [B,10]
 *
 * LeNet's modern form: convolution 5x5 to 20 channels, pool, ReLU, convolution 5x5 to 50 channels, pool,
 * ReLU, 500 units, ReLU, a logit for each class (LeCun et al. 1998, with ReLU and max pooling).
 *
 * The residual network: convolution 3x3, then stages of residual blocks (He et al. 2016), each stage with
 * twice the channels and half the sides of the one before, the mean of each channel, the logits.
 *
 * A layer's work is done by the kernel table or by the functions that you write: by_hand.h.
 */
#pragma once
#include "common/conv.h"
#include "common/norm.h"
#include "common/pool.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, STAGES = 2, BLOCKS = 2 };

// Who computes. The parameters are the same.
typedef struct Layers {
    Tensor *(*conv)(Tape *tape, const Conv2d *layer, Tensor *x);
    Tensor *(*max_pool)(Tape *tape, Tensor *x, PoolConfig config);
    Tensor *(*mean)(Tape *tape, Tensor *x);    // [B,C,H,W] -> [B,C]
    Tensor *(*batch_norm)(Tape *tape, const BatchNorm *norm, Tensor *x);
    Tensor *(*dropout)(Tape *tape, Tensor *x, float p, Rng *rng);
    Tensor *(*residual)(Tape *tape, Tensor *f, Tensor *x);    // max(f + x, 0)
    Tensor *(*cross_entropy)(Tape *tape, Tensor *logits, Tensor *labels);
} Layers;
extern const Layers kernel_layers;

typedef enum NetworkKind { NETWORK_LENET, NETWORK_RESNET } NetworkKind;
#define NETWORKS "lenet|resnet"    // for options_choice()
const char *network_name(NetworkKind kind);
bool network_kind(NetworkKind *kind, const char *name);    // false where there is none of this name

// max(norm(conv(max(norm(conv(x)), 0))) + x, 0); where the sides are halved, x goes through a 1x1
// convolution.
typedef struct Residual {
    Conv2d conv1, conv2, shortcut;
    BatchNorm norm1, norm2, shortcut_norm;
    bool halves;
} Residual;

typedef struct Network {
    NetworkKind kind;
    const Layers *layers;
    float
        dropout;    // before the last layers, the probability that a value is set to 0; 0 for none
    Conv2d conv1, conv2;      // LeNet; the residual network has conv1 only
    Linear hidden, scores;    // the residual network has scores only
    BatchNorm norm1;
    Residual blocks[STAGES * BLOCKS];
} Network;

Network network_new(Params *params, NetworkKind kind, int classes, const Layers *layers, Rng *rng);

// x [B,784] in [0,1] -> [B,classes]. rng: for dropout in training. maps: NULL, or two places for the
// output of the first convolution and of the last, each [B,C,H,W], after their ReLU.
Tensor *network_logits(Tape *tape, const Network *net, Tensor *x, Rng *rng, Tensor *maps[2]);

// The softmax of the logits, without training, [B,classes].
Tensor *network_probabilities(Tape *tape, const Network *net, Tensor *x);
