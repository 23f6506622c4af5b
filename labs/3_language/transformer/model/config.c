#include "labs/3_language/transformer/model/config.h"
#include <math.h>
#include <stddef.h>

static const double PARAMS_MOST = 1099511627776.0;    // 2^40

enum { SIZE_MOST = (1 << 30) - 1, LAYERS_LIMIT = 1 << 16, CONTEXT_MOST = 1 << 24 };

static ModelConfig with_sizes(ModelSize size, int ff)
{
    bool divides = size.heads > 0 && size.width % size.heads == 0;
    return (ModelConfig){.vocabulary = size.vocabulary,
                         .context = size.context,
                         .width = size.width,
                         .layers = size.layers,
                         .heads = size.heads,
                         .kv_heads = size.kv_heads > 0 ? size.kv_heads : size.heads,
                         .head = size.head > 0 ? size.head
                                 : divides     ? size.width / size.heads
                                               : 0,
                         .ff = size.ff > 0 ? size.ff : ff,
                         .eps = 1e-5f,
                         .tied = true,
                         .bos = -1};
}

ModelConfig model_config_gpt2(ModelSize size)
{
    ModelConfig config = with_sizes(size, 4 * size.width);
    config.qkv_bias = config.out_bias = config.mlp_bias = true;
    return config;
}

ModelConfig model_config_llama(ModelSize size)
{
    ModelConfig config = with_sizes(size, (size.width * 8 / 3 + 31) / 32 * 32);
    config.norm = NORM_RMS;
    config.rotary = true;
    config.rope.theta = 10000.0f;
    config.mlp = MLP_SWIGLU;
    return config;
}

int model_config_qkv(const ModelConfig *c)
{
    return (c->heads + 2 * c->kv_heads) * c->head;
}

int model_config_up(const ModelConfig *c)
{
    return c->mlp == MLP_SWIGLU ? 2 * c->ff : c->ff;
}

// ---- parameters ----

int model_config_parameters(const ModelConfig *c, Parameter list[PARAMETER_KINDS])
{
    const int d = c->width, qkv = model_config_qkv(c), up = model_config_up(c);
    const int shift = c->norm == NORM_LAYER ? d : 0, head_norm = c->qk_norm ? c->head : 0;
    const Parameter all[PARAMETER_KINDS] = {
        // Those without rows are not there.
        {"embedding.weight", false, c->vocabulary, d},
        {"positions.weight", false, c->rotary ? 0 : c->context, d},
        {"attention_norm.weight", true, d, 0},
        {"attention_norm.bias", true, shift, 0},
        {"qkv.weight", true, qkv, d},
        {"qkv.bias", true, c->qkv_bias ? qkv : 0, 0},
        {"q_norm.weight", true, head_norm, 0},
        {"k_norm.weight", true, head_norm, 0},
        {"out.weight", true, d, c->heads * c->head},
        {"out.bias", true, c->out_bias ? d : 0, 0},
        {"mlp_norm.weight", true, d, 0},
        {"mlp_norm.bias", true, shift, 0},
        {"up.weight", true, up, d},
        {"up.bias", true, c->mlp_bias ? up : 0, 0},
        {"down.weight", true, d, c->ff},
        {"down.bias", true, c->mlp_bias ? d : 0, 0},
        {"norm.weight", false, d, 0},
        {"norm.bias", false, shift, 0},
        {"head.weight", false, c->tied ? 0 : c->vocabulary, d},
    };
    int count = 0;
    for (int i = 0; i < PARAMETER_KINDS; i++)
        if (all[i].rows > 0) list[count++] = all[i];
    return count;
}

static double params(const ModelConfig *config)
{
    Parameter list[PARAMETER_KINDS];
    double sum = 0;
    const int kinds = model_config_parameters(config, list);
    for (int i = 0; i < kinds; i++)
        sum += (double)list[i].rows * (list[i].cols > 0 ? list[i].cols : 1) *
               (list[i].in_block ? config->layers : 1);
    return sum;
}

uint64_t model_config_params(const ModelConfig *config)
{
    return (uint64_t)params(config);    // exact: below 2^53
}

size_t model_config_room(const ModelConfig *config)
{
    enum { NAMES = 1 << 20, BLOCK = 1 << 14 };    // beside the numbers: in all, and of a block
    const size_t tables = config->rotary ? (size_t)config->context * (size_t)config->head : 0;
    return sizeof(float) * ((size_t)model_config_params(config) + tables) + NAMES +
           BLOCK * (size_t)config->layers;
}

// ---- what cannot be ----

static bool check_sizes(const ModelConfig *c, const char *where, Error *err)
{
    const struct {
        const char *name;
        int value, most;
    } sizes[] = {
        {"vocabulary", c->vocabulary, SIZE_MOST},
        {"context", c->context, CONTEXT_MOST},
        {"width", c->width, SIZE_MOST},
        {"number of layers", c->layers, LAYERS_LIMIT},
        {"number of heads", c->heads, SIZE_MOST},
        {"number of key-value heads", c->kv_heads, SIZE_MOST},
        {"number of hidden units", c->ff, SIZE_MOST},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return error_set(err, "%s: the %s is %d, expected 1 to %d", where, sizes[i].name,
                             sizes[i].value, sizes[i].most);
    return true;
}

bool model_config_check(const ModelConfig *c, const char *where, Error *err)
{
    if (!check_sizes(c, where, err)) return false;
    if (c->head == 0)
        return error_set(err, "%s: a width of %d does not divide into %d heads", where, c->width,
                         c->heads);
    if (c->head < 0 || ((double)c->heads + 2.0 * c->kv_heads) * c->head > SIZE_MOST)
        return error_set(err, "%s: %d heads of %d numbers are not the size of a model", where,
                         c->heads, c->head);
    if (c->heads % c->kv_heads != 0)
        return error_set(err, "%s: %d heads cannot share %d heads of keys and values", where,
                         c->heads, c->kv_heads);
    if (c->rotary && c->head % 2 != 0)
        return error_set(err, "%s: a head has %d numbers, expected an even number to rotate", where,
                         c->head);
    if (!(c->eps >= 0 && c->eps < 1))
        return error_set(err, "%s: the norms' eps is %g, expected 0 to 1", where, (double)c->eps);
    if (params(c) > PARAMS_MOST)
        return error_set(err, "%s: comes to %.2g parameters, expected at most 2^40", where,
                         params(c));
    return true;
}
