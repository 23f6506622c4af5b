#include "labs/5_frontier/key_numbers/app/model/mixer.h"
#include <string.h>

typedef struct Parts {
    ConfigFields *s;
    Decoder *d;
    const char *prefix;
} Parts;

static void add(const Parts *p, Role role, const char *name, uint64_t rows, uint64_t cols)
{
    decoder_part(p->d, LAYER_STATE, COMPONENT_LINEAR, role,
                 build_name(p->s->model, "%s.%s", p->prefix, name), rows, cols);
}

void mixer_delta_net(ConfigFields *s, Decoder *d, bool joined)
{
    const Parts p = {s, d, "linear_attn"};
    uint64_t h = d->block.width, kernel = config_size(s, "linear_conv_kernel_dim", 4);
    uint64_t k_dim = config_size(s, "linear_key_head_dim", 128),
             v_dim = config_size(s, "linear_value_head_dim", 128);
    uint64_t keys = config_size(s, "linear_num_key_heads", 16) * k_dim;
    uint64_t heads = config_size(s, "linear_num_value_heads", 32), values = heads * v_dim;
    uint64_t channels = 2 * keys + values;
    d->mixer = "linear attention";
    d->conv = channels * (kernel - 1);
    d->state = heads * k_dim * v_dim;
    if (joined) {
        add(&p, ROLE_UP, "in_proj_qkvz.weight", channels + values, h);
        add(&p, ROLE_OTHER, "in_proj_ba.weight", 2 * heads, h);
    } else {
        add(&p, ROLE_UP, "in_proj_qkv.weight", channels, h);
        add(&p, ROLE_UP, "in_proj_z.weight", values, h);
        add(&p, ROLE_OTHER, "in_proj_b.weight", heads, h);
        add(&p, ROLE_OTHER, "in_proj_a.weight", heads, h);
    }
    add(&p, ROLE_OTHER, "conv1d.weight", channels, kernel);
    add(&p, ROLE_OTHER, "dt_bias", 1, heads);
    add(&p, ROLE_OTHER, "A_log", 1, heads);
    add(&p, ROLE_NORM, "norm.weight", 1, v_dim);
    add(&p, ROLE_DOWN, "out_proj.weight", h, values);
}

// What both have: projections around a convolution.
static void add_projections(const Parts *p, const Mamba *m, uint64_t in, uint64_t channels)
{
    uint64_t h = p->d->block.width;
    add(p, ROLE_UP, "in_proj.weight", in, h);
    if (m->bias) add(p, ROLE_BIAS, "in_proj.bias", 1, in);
    add(p, ROLE_OTHER, "conv1d.weight", channels, m->kernel);
    if (m->conv_bias) add(p, ROLE_BIAS, "conv1d.bias", 1, channels);
    add(p, ROLE_DOWN, "out_proj.weight", h, m->inner);
    if (m->bias) add(p, ROLE_BIAS, "out_proj.bias", 1, h);
}

void mixer_mamba(ConfigFields *s, Decoder *d, const Mamba *m)
{
    const Parts p = {s, d, m->prefix};
    d->mixer = "Mamba";
    d->conv = m->inner * (m->kernel - 1);
    d->state = m->inner * m->state;
    add_projections(&p, m, 2 * m->inner, m->inner);
    add(&p, ROLE_OTHER, "x_proj.weight", m->rank + 2 * m->state, m->inner);
    add(&p, ROLE_OTHER, "dt_proj.weight", m->inner, m->rank);
    add(&p, ROLE_BIAS, "dt_proj.bias", 1, m->inner);
    add(&p, ROLE_OTHER, "A_log", m->inner, m->state);
    add(&p, ROLE_OTHER, "D", 1, m->inner);
    if (!m->norm) return;
    add(&p, ROLE_NORM, "dt_layernorm.weight", 1, m->rank);
    add(&p, ROLE_NORM, "b_layernorm.weight", 1, m->state);
    add(&p, ROLE_NORM, "c_layernorm.weight", 1, m->state);
}

void mixer_mamba2(ConfigFields *s, Decoder *d, const Mamba *m)
{
    const Parts p = {s, d, m->prefix};
    uint64_t channels = m->inner + 2 * m->groups * m->state;
    d->mixer = "Mamba 2";
    d->conv = channels * (m->kernel - 1);
    d->state = m->inner * m->state;
    add_projections(&p, m, m->inner + channels + m->heads, channels);
    add(&p, ROLE_OTHER, "dt_bias", 1, m->heads);
    add(&p, ROLE_OTHER, "A_log", 1, m->heads);
    add(&p, ROLE_OTHER, "D", 1, m->heads);
    if (m->norm) add(&p, ROLE_NORM, "norm.weight", 1, m->inner);
}

Mamba mixer_read_mamba2(ConfigFields *s, uint64_t width, uint64_t heads, uint64_t state)
{
    Mamba m = {.prefix = "mamba", .norm = true};
    m.heads = config_size(s, "mamba_n_heads", heads);
    const cJSON *dim = cJSON_GetObjectItemCaseSensitive(s->object, "mamba_d_head");
    bool given = dim != NULL && !cJSON_IsNull(dim) && !cJSON_IsString(dim);    // else "auto"
    uint64_t wide = config_size(s, "mamba_expand", 2) * width;
    m.inner = given ? m.heads * config_size(s, "mamba_d_head", 1) : wide;
    m.groups = config_size(s, "mamba_n_groups", 1);
    m.state = config_size(s, "mamba_d_state", state);
    m.kernel = config_size(s, "mamba_d_conv", 4);
    m.bias = config_flag(s, "mamba_proj_bias", false);
    m.conv_bias = config_flag(s, "mamba_conv_bias", true);
    return m;
}
