#include "labs/2_core/autoencoder/network.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include "labs/2_core/autoencoder/autoencoder.h"

// --- ops: your functions on the tape ------------------------------------------------------------

static void layer_backward(const TapeNode *node)
{
    Tensor *x = node->in[0], *w = node->in[1], *b = node->in[2];
    ae_linear_backward(x->grad, w->grad, b->grad, node->out->grad, x->data, w->data,
                       x->shape.size[0], w->shape.size[1], w->shape.size[0]);
}

static Tensor *layer(Tape *tape, const Linear *l, Tensor *x)
{
    int     batch = x->shape.size[0], in = l->weight->shape.size[1], out = l->weight->shape.size[0];
    Tensor *y = tensor_new(tape->arena, SHAPE(batch, out));
    ae_linear_forward(y->data, x->data, l->weight->data, l->bias->data, batch, in, out);
    return tape_record(tape, y, layer_backward, NULL, INPUTS(x, l->weight, l->bias));
}

static void tied_backward(const TapeNode *node)
{
    Tensor *h = node->in[0], *w = node->in[1], *b = node->in[2];
    ae_tied_backward(h->grad, w->grad, b->grad, node->out->grad, h->data, w->data, h->shape.size[0],
                     w->shape.size[1], w->shape.size[0]);
}

static Tensor *tied_layer(Tape *tape, Tensor *w, Tensor *bias, Tensor *h)
{
    int     batch = h->shape.size[0], in = w->shape.size[1], out = w->shape.size[0];
    Tensor *y = tensor_new(tape->arena, SHAPE(batch, in));
    ae_tied_forward(y->data, h->data, w->data, bias->data, batch, in, out);
    return tape_record(tape, y, tied_backward, NULL, INPUTS(h, w, bias));
}

static void relu_backward(const TapeNode *node)
{
    const Tensor *y = node->out;
    ae_relu_backward(node->in[0]->grad, y->grad, y->data, tensor_count(y));
}

static Tensor *relu(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.relu(y->data, x->data, tensor_count(x));
    return tape_record(tape, y, relu_backward, NULL, INPUTS(x));
}

static void sample_backward(const TapeNode *node)
{
    Tensor       *mean = node->in[0], *logvar = node->in[1];
    const Tensor *noise = node->saved;
    ae_sample_backward(mean->grad, logvar->grad, node->out->grad, logvar->data, noise->data,
                       tensor_count(mean));
}

Tensor *sample_code(Tape *tape, Tensor *mean, Tensor *logvar, Rng *rng)
{
    Tensor *z = tensor_new(tape->arena, mean->shape), *noise = tensor_new(tape->arena, mean->shape);
    rng_fill_normal(rng, noise->data, tensor_count(noise));
    ae_sample(z->data, mean->data, logvar->data, noise->data, tensor_count(mean));
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
    for (int i = 0; i < 2 && node->in[i] != NULL; i++)
        kernels.axpy(node->in[i]->grad, saved->of[i]->data, node->out->grad[0],
                     tensor_count(node->in[i]));
}

Tensor *reconstruction_loss(Tape *tape, Tensor *logits, const Tensor *x)
{
    REQUIRE(shape_equal(logits->shape, x->shape),
            "logits are %s and the images %s; expected the same", TENSOR_TEXT(logits),
            TENSOR_TEXT(x));
    Gradients *saved = arena_alloc(tape->arena, sizeof *saved);
    saved->of[0]     = tensor_new(tape->arena, x->shape);
    float value =
        ae_loss(saved->of[0]->data, logits->data, x->data, x->shape.size[0], x->shape.size[1]);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &value), loss_backward, saved,
                       INPUTS(logits));
}

Tensor *kl_loss(Tape *tape, Tensor *mean, Tensor *logvar)
{
    Gradients *saved = arena_alloc(tape->arena, sizeof *saved);
    for (int i = 0; i < 2; i++) saved->of[i] = tensor_new(tape->arena, mean->shape);
    float value = ae_kl(saved->of[0]->data, saved->of[1]->data, mean->data, logvar->data,
                        mean->shape.size[0], mean->shape.size[1]);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &value), loss_backward, saved,
                       INPUTS(mean, logvar));
}

// --- stacks of layers ---------------------------------------------------------------------------

Autoencoder autoencoder_new(Params *params, const char *name, const AutoencoderConfig *config,
                            Rng *rng)
{
    REQUIRE(config->depth >= 1 && config->depth <= DEPTH_MAX, "%d layers; expected 1 to %d",
            config->depth, DEPTH_MAX);
    REQUIRE(!(config->tied && config->variational),
            "a variational encoder has two heads: which is tied?");
    Autoencoder net  = {.config = *config};
    Arena      *keep = params->arena;
    int         top  = config->depth - 1;
    for (int i = 0; i <= top; i++) {
        bool  hidden   = i < top || config->relu_code;
        Init *init     = hidden ? init_he : init_glorot;
        net.encoder[i] = linear_new(params, arena_print(keep, "%s.encoder.%d", name, i),
                                    config->sizes[i], config->sizes[i + 1], init, rng);
    }
    if (config->variational)
        net.logvar = linear_new(params, arena_print(keep, "%s.logvar", name), config->sizes[top],
                                config->sizes[top + 1], init_glorot, rng);
    for (int i = 0; i <= top; i++) {
        int   in = config->sizes[top + 1 - i], out = config->sizes[top - i];
        char *layer_name = arena_print(keep, "%s.decoder.%d", name, i);
        if (config->tied) {
            net.decoder[i].bias =
                params_add(params, arena_print(keep, "%s.bias", layer_name), SHAPE(out));
        } else {
            net.decoder[i] =
                linear_new(params, layer_name, in, out, i < top ? init_he : init_glorot, rng);
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
    *mean     = layer(tape, &net->encoder[net->config.depth - 1], h);
    *logvar   = layer(tape, &net->logvar, h);
}

Tensor *autoencoder_decode(Tape *tape, const Autoencoder *net, Tensor *code)
{
    int     top = net->config.depth - 1;
    Tensor *h   = code;
    for (int i = 0; i <= top; i++) {
        h = net->config.tied
                ? tied_layer(tape, net->encoder[top - i].weight, net->decoder[i].bias, h)
                : layer(tape, &net->decoder[i], h);
        if (i < top) h = relu(tape, h);
    }
    return h;
}
