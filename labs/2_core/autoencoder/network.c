#include "labs/2_core/autoencoder/network.h"
#include "common/error.h"
#include "common/host.h"
#include "kernels/kernels.h"
#include "labs/2_core/autoencoder/autoencoder.h"

// ---- ops: your functions on the tape, in the host's memory (host.h) ----

static const float *in(Host *host, const Tensor *x)
{
    return host_in(host, tensor_floats(x), tensor_count(x));
}

static float *out(Host *host, const Tensor *x)
{
    return host_out(host, tensor_floats(x), tensor_count(x));
}

// A gradient of x's, to add to; NULL where none is wanted.
static float *grad(Host *host, float *dx, const Tensor *x)
{
    return host_inout(host, dx, tensor_count(x));
}

static const float *arrived(Host *host, const Tensor *y)
{
    return host_in(host, y->grad, tensor_count(y));
}

static void layer_backward(const TapeNode *node)
{
    Tensor *x = node->in[0], *w = node->in[1], *b = node->in[2], *y = node->out[0];
    float *dx = tape_grad_sum(node, x), *dw = tape_grad_sum(node, w), *db = tape_grad_sum(node, b);
    Host host = host_begin(node->tape->arena);
    ae_linear_backward(grad(&host, dx, x), grad(&host, dw, w), grad(&host, db, b),
                       arrived(&host, y), in(&host, x), in(&host, w), x->shape.size[0],
                       w->shape.size[1], w->shape.size[0]);
    host_end(&host);
}

static Tensor *layer(Tape *tape, const Linear *l, Tensor *x)
{
    Tensor *w = l->weight, *b = l->bias;
    int batch = x->shape.size[0], inputs = w->shape.size[1], outputs = w->shape.size[0];
    Tensor *y = tensor_new(tape->arena, SHAPE(batch, outputs));
    Host host = host_begin(tape->arena);
    ae_linear_forward(out(&host, y), in(&host, x), in(&host, w), in(&host, b), batch, inputs,
                      outputs);
    host_end(&host);
    return tape_record(tape, y, layer_backward, NULL, INPUTS(x, w, b));
}

static void tied_backward(const TapeNode *node)
{
    Tensor *h = node->in[0], *w = node->in[1], *b = node->in[2], *y = node->out[0];
    float *dh = tape_grad_sum(node, h), *dw = tape_grad_sum(node, w), *db = tape_grad_sum(node, b);
    Host host = host_begin(node->tape->arena);
    ae_tied_backward(grad(&host, dh, h), grad(&host, dw, w), grad(&host, db, b), arrived(&host, y),
                     in(&host, h), in(&host, w), h->shape.size[0], w->shape.size[1],
                     w->shape.size[0]);
    host_end(&host);
}

static Tensor *tied_layer(Tape *tape, Tensor *w, Tensor *bias, Tensor *h)
{
    int batch = h->shape.size[0], inputs = w->shape.size[1], outputs = w->shape.size[0];
    Tensor *y = tensor_new(tape->arena, SHAPE(batch, inputs));
    Host host = host_begin(tape->arena);
    ae_tied_forward(out(&host, y), in(&host, h), in(&host, w), in(&host, bias), batch, inputs,
                    outputs);
    host_end(&host);
    return tape_record(tape, y, tied_backward, NULL, INPUTS(h, w, bias));
}

static void relu_backward(const TapeNode *node)
{
    const Tensor *y = node->out[0];
    float *dx = tape_grad_sum(node, node->in[0]);
    Host host = host_begin(node->tape->arena);
    ae_relu_backward(grad(&host, dx, y), arrived(&host, y), in(&host, y), tensor_count(y));
    host_end(&host);
}

static Tensor *relu(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.relu(tensor_floats(y), tensor_floats(x), tensor_count(x));
    return tape_record(tape, y, relu_backward, NULL, INPUTS(x));
}

Tensor *corrupted(Arena *arena, const Tensor *x, float share, Rng *rng)
{
    Tensor *noisy = tensor_new(arena, x->shape);
    Host host = host_begin(arena);
    ae_corrupt(out(&host, noisy), in(&host, x), tensor_count(x), share, rng);
    host_end(&host);
    return noisy;
}

static void sample_backward(const TapeNode *node)
{
    Tensor *mean = node->in[0], *logvar = node->in[1];
    const Tensor *noise = node->saved;
    float *dmean = tape_grad_sum(node, mean), *dlogvar = tape_grad_sum(node, logvar);
    Host host = host_begin(node->tape->arena);
    ae_sample_backward(grad(&host, dmean, mean), grad(&host, dlogvar, logvar),
                       arrived(&host, node->out[0]), in(&host, logvar), in(&host, noise),
                       tensor_count(mean));
    host_end(&host);
}

Tensor *sample_code(Tape *tape, Tensor *mean, Tensor *logvar, Rng *rng)
{
    size_t n = tensor_count(mean);
    Tensor *z = tensor_new(tape->arena, mean->shape);
    float *drawn = arena_alloc(tape->arena, n * sizeof *drawn);
    rng_fill_normal(rng, drawn, n);
    Tensor *noise = tensor_from(tape->arena, mean->shape, drawn);
    Host host = host_begin(tape->arena);
    ae_sample(out(&host, z), in(&host, mean), in(&host, logvar), in(&host, noise), n);
    host_end(&host);
    return tape_record(tape, z, sample_backward, noise, INPUTS(mean, logvar));
}

// A loss computes its gradient together with its value; backward only passes it on, times what
// arrives from above.
typedef struct Gradients {
    Tensor *of[2];
} Gradients;

static void loss_backward(const TapeNode *node)
{
    const Gradients *saved = node->saved;
    for (int i = 0; i < 2 && saved->of[i] != NULL; i++) {
        Grad d = tape_grad(node, node->in[i]);
        if (d.at != NULL)
            kernels.axpby_scalar(d.at, saved->of[i]->data, node->out[0]->grad, d.beta,
                                 tensor_count(node->in[i]));
    }
}

Tensor *reconstruction_loss(Tape *tape, Tensor *logits, const Tensor *x)
{
    REQUIRE(shape_equal(logits->shape, x->shape),
            "logits are %s and the images %s; expected the same", TENSOR_TEXT(logits),
            TENSOR_TEXT(x));
    Gradients *saved = arena_zeros(tape->arena, sizeof *saved);
    saved->of[0] = tensor_new(tape->arena, x->shape);
    Host host = host_begin(tape->arena);
    float value = ae_loss(out(&host, saved->of[0]), in(&host, logits), in(&host, x),
                          x->shape.size[0], x->shape.size[1]);
    host_end(&host);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &value), loss_backward, saved,
                       INPUTS(logits));
}

Tensor *kl_loss(Tape *tape, Tensor *mean, Tensor *logvar)
{
    Gradients *saved = arena_zeros(tape->arena, sizeof *saved);
    for (int i = 0; i < 2; i++) saved->of[i] = tensor_new(tape->arena, mean->shape);
    Host host = host_begin(tape->arena);
    float value = ae_kl(out(&host, saved->of[0]), out(&host, saved->of[1]), in(&host, mean),
                        in(&host, logvar), mean->shape.size[0], mean->shape.size[1]);
    host_end(&host);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &value), loss_backward, saved,
                       INPUTS(mean, logvar));
}

// ---- stacks of layers ----

Autoencoder autoencoder_new(Params *params, const char *name, const AutoencoderConfig *config,
                            Rng *rng)
{
    REQUIRE(config->depth >= 1 && config->depth <= DEPTH_MAX, "%d layers; expected 1 to %d",
            config->depth, DEPTH_MAX);
    REQUIRE(!(config->tied && config->variational),
            "a variational encoder has two heads: which is tied?");
    Autoencoder net = {.config = *config};
    Arena *keep = params->arena;
    int top = config->depth - 1;
    for (int i = 0; i <= top; i++) {
        bool hidden = i < top || config->relu_code;
        Init *init = hidden ? init_he : init_glorot;
        net.encoder[i] = linear_new(params, arena_print(keep, "%s.encoder.%d", name, i),
                                    config->sizes[i], config->sizes[i + 1], init, rng);
    }
    if (config->variational)
        net.logvar = linear_new(params, arena_print(keep, "%s.logvar", name), config->sizes[top],
                                config->sizes[top + 1], init_glorot, rng);
    for (int i = 0; i <= top; i++) {
        int from = config->sizes[top + 1 - i], to = config->sizes[top - i];
        char *layer_name = arena_print(keep, "%s.decoder.%d", name, i);
        if (config->tied) {
            net.decoder[i].bias =
                params_add(params, arena_print(keep, "%s.bias", layer_name), SHAPE(to));
        } else {
            net.decoder[i] =
                linear_new(params, layer_name, from, to, i < top ? init_he : init_glorot, rng);
        }
    }
    return net;
}

// All layers but the last of an encoder.
static Tensor *encode_hidden(Tape *tape, const Autoencoder *net, Tensor *x)
{
    for (int i = 0; i < net->config.depth - 1; i++)
        x = relu(tape, layer(tape, &net->encoder[i], x));
    return x;
}

Tensor *autoencoder_encode(Tape *tape, const Autoencoder *net, Tensor *x)
{
    Tensor *h = encode_hidden(tape, net, x);
    Tensor *z = layer(tape, &net->encoder[net->config.depth - 1], h);
    return net->config.relu_code ? relu(tape, z) : z;
}

void vae_encode(Tape *tape, const Autoencoder *net, Tensor *x, Tensor **mean, Tensor **logvar)
{
    Tensor *h = encode_hidden(tape, net, x);
    *mean = layer(tape, &net->encoder[net->config.depth - 1], h);
    *logvar = layer(tape, &net->logvar, h);
}

Tensor *autoencoder_decode(Tape *tape, const Autoencoder *net, Tensor *code)
{
    int top = net->config.depth - 1;
    Tensor *h = code;
    for (int i = 0; i <= top; i++) {
        h = net->config.tied
                ? tied_layer(tape, net->encoder[top - i].weight, net->decoder[i].bias, h)
                : layer(tape, &net->decoder[i], h);
        if (i < top) h = relu(tape, h);
    }
    return h;
}
