/* family_nemotron.c -- NVIDIA's own: a Mamba layer, attention or an MLP each by itself (Nemotron-H), a
 * plain decoder (Nemotron-4), and Llama models cut down layer by layer (Nemotron-NAS). */
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/mixer.h"

// "M-M*E": Mamba, MLP, attention, experts; or the same in words.
static char sort_of(const char *pattern, const cJSON *list, uint64_t layer)
{
    if (pattern != NULL) return pattern[layer];
    const char *word = cJSON_GetStringValue(cJSON_GetArrayItem(list, (int)layer));
    if (word == NULL) return '?';
    return strstr(word, "mamba") != NULL       ? 'M'
           : strstr(word, "attention") != NULL ? '*'
           : strcmp(word, "moe") == 0          ? 'E'
           : strcmp(word, "mlp") == 0          ? '-'
                                               : '?';
}

static void read_layers(ConfigFields *s, Decoder *d)
{
    const char *pattern = config_text(s, "hybrid_override_pattern", NULL);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "layers_block_type");
    if (list == NULL) list = cJSON_GetObjectItemCaseSensitive(s->object, "layer_types");
    bool *mixes = decoder_flags(s, d->layers), *bare = decoder_flags(s, d->layers);
    bool *idle = decoder_flags(s, d->layers), *routed = decoder_flags(s, d->layers);
    if (pattern != NULL && strlen(pattern) != d->layers)
        config_fail(s, "\"hybrid_override_pattern\" has %zu letters, and there are %d layers",
                    strlen(pattern), (int)d->layers);
    for (uint64_t i = 0; i < d->layers && !s->failed; i++) {
        char sort = sort_of(pattern, list, i);
        if (strchr("M*E-", sort) == NULL)
            config_fail(s, "layer %d is '%c', expected M, *, E or -", (int)i, sort);
        mixes[i] = sort == 'M', bare[i] = sort == 'E' || sort == '-';
        routed[i] = sort == 'E', idle[i] = !bare[i];
    }
    d->mixes = mixes, d->bare = bare, d->idle = idle, d->routed = routed;
}

static void read_experts(ConfigFields *s, Decoder *d)
{
    KnBlock *b = &d->block;
    b->experts = config_size(s, "n_routed_experts", 8);
    b->active_experts = config_size(s, "num_experts_per_tok", 2);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 7688);
    b->shared_ffn = config_count(s, "n_shared_experts", 1) *
                    config_size(s, "moe_shared_expert_intermediate_size", 7688);
    b->router_bias = true;
    uint64_t latent = config_count(s, "moe_latent_size", 0);
    if (latent == 0) return;
    // Experts see a projection of the token.
    d->expert_width = latent;
    decoder_part(d, LAYER_ROUTED, COMPONENT_EXPERTS, ROLE_UP, "mixer.fc1_latent_proj.weight",
                 latent, b->width);
    decoder_part(d, LAYER_ROUTED, COMPONENT_EXPERTS, ROLE_DOWN, "mixer.fc2_latent_proj.weight",
                 b->width, latent);
}

// NemotronHForCausalLM, models/nemotron_h/modeling_nemotron_h.py: Nemotron-H, Nano 2 and Nemotron 3.
void family_nemotron_h(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 131072,
                                     .heads = 32,
                                     .kv_heads = 8,
                                     .head_dim = config_count(s, "attention_head_dim", 128),
                                     .ffn = 21504,
                                     .positions = 4096});
    d.names = (Names){
        .embed = "embeddings",
        .final_norm = "norm_f",
        .head = "lm_head",
        .q = "mixer.q_proj",
        .k = "mixer.k_proj",
        .v = "mixer.v_proj",
        .o = "mixer.o_proj",
        .norms = {"norm"},
        .router = "mixer.gate",
        .router_bias = "mixer.gate.e_score_correction_bias",
        .mlp = {.up = "mixer.up_proj", .down = "mixer.down_proj"},
        .expert = {.up = "mixer.experts.up_proj", .down = "mixer.experts.down_proj"},
        .shared = {.up = "mixer.shared_experts.up_proj", .down = "mixer.shared_experts.down_proj"}};
    d.block.gated = false;
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.mlp_bias = config_flag(s, "mlp_bias", false);
    Mamba m = {.prefix = "mixer", .norm = true, .bias = config_flag(s, "use_bias", false)};
    m.heads = config_size(s, "mamba_num_heads", 128);
    m.inner = m.heads * config_size(s, "mamba_head_dim", 64);
    m.groups = config_size(s, "n_groups", 8);
    m.state = config_size(s, "ssm_state_size", 128);
    m.kernel = config_size(s, "conv_kernel", 4);
    m.conv_bias = config_flag(s, "use_conv_bias", true);
    read_layers(s, &d);
    bool routes = false;
    for (uint64_t i = 0; i < d.layers && !s->failed; i++) routes |= d.routed[i];
    if (routes) read_experts(s, &d);
    mixer_mamba2(s, &d, &m);
    s->model->odd_modules = true;
    decoder_lay(s, &d);
}

// NemotronForCausalLM, models/nemotron/modeling_nemotron.py: LayerNorms, and an MLP of squared ReLU.
void family_nemotron(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head, (Usual){.vocab = 256000, .heads = 48, .ffn = 24576, .positions = 4096});
    d.block.gated = false;
    d.names.mlp.gate = NULL;
    d.norm_bias = true;
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.mlp_bias = config_flag(s, "mlp_bias", false);
    decoder_lay(s, &d);
}

// DeciLMForCausalLM, remote code of nvidia/Llama-3_3-Nemotron-Super-49B-v1: ffn_mult is of 2/3 of 4 h.
void family_nemotron_nas(ConfigFields *s, Head head)
{
    Decoder d =
        decoder_read(s, head, (Usual){.vocab = 128256, .heads = 64, .ffn = 1, .positions = 131072});
    uint64_t *ffns = arena_zeros(s->arena, d.layers * sizeof *ffns), i = 0, group = 0;
    bool *bare = decoder_flags(s, d.layers), *marked = decoder_flags(s, d.layers);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "block_configs"), *entry;
    cJSON_ArrayForEach(entry, list)
    {
        const cJSON *attention = cJSON_GetObjectItemCaseSensitive(entry, "attention");
        const cJSON *mlp = cJSON_GetObjectItemCaseSensitive(entry, "ffn");
        const cJSON *mult = cJSON_GetObjectItemCaseSensitive(mlp, "ffn_mult");
        const cJSON *heads = cJSON_GetObjectItemCaseSensitive(attention, "n_heads_in_group");
        if (i == d.layers) break;
        bare[i] = marked[i] = !cJSON_IsNumber(heads);
        if (!bare[i] && group == 0) group = (uint64_t)heads->valueint;
        if ((!bare[i] && (uint64_t)heads->valueint != group) ||
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(attention, "replace_with_linear")) ||
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(mlp, "replace_with_linear")))
            config_fail(s, "\"block_configs\"[%d] is a layer that is not known here", (int)i);
        double f = cJSON_IsNumber(mult) && mult->valuedouble < 1000
                       ? floor(2 * mult->valuedouble * (double)d.block.width / 3)
                       : 0;
        ffns[i++] = ((uint64_t)f + 255) / 256 * 256;
    }
    if (i != d.layers || group == 0 || d.block.heads % group != 0)
        config_fail(s, "\"block_configs\" tells of %d layers, expected %d", (int)i, (int)d.layers);
    else d.block.kv_heads = d.block.heads / group;
    // No attention, no norm before it.
    d.bare = bare, d.ffns = ffns, d.marked = marked;
    d.names.norms[0] = d.names.norms[1], d.names.norms[1] = NULL;
    decoder_part(&d, LAYER_UNMARKED, COMPONENT_NORM, ROLE_NORM, "input_layernorm.weight", 1,
                 d.block.width);
    decoder_lay(s, &d);
}
