/* Names of tensors in checkpoints: their layer, and what they are for. */
#include <limits.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/tensor_name.h"
#include "tests/cases.h"

static void names_give_a_tensors_component_and_role(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int layer;
        const char *plain;
        Component component;
        Role role;
    } NAMES[] = {
#define N(name, layer, plain, component, role)                                                     \
    {name, layer, plain, COMPONENT_##component, ROLE_##role}
        N("transformer.h.3.attn.c_attn.bias", 3, "attn.c_attn.bias", ATTN, BIAS),
        N("h.11.mlp.c_proj.weight", 11, "mlp.c_proj.weight", MLP, DOWN),
        N("wpe.weight", OUTSIDE, "wpe.weight", POS, POSITION),
        N("model.embed_tokens.weight", OUTSIDE, "embed_tokens.weight", EMBED, EMBED),
        N("model.layers.10.self_attn.q_proj.weight", 10, "self_attn.q_proj.weight", ATTN, Q),
        N("model.layers.0.self_attn.q_norm.weight", 0, "self_attn.q_norm.weight", ATTN, NORM),
        N("model.layers.0.post_attention_layernorm.weight", 0, "post_attention_layernorm.weight",
          NORM, NORM),
        N("bert.encoder.layer.5.attention.output.LayerNorm.gamma", 5,
          "attention.output.LayerNorm.gamma", NORM, NORM),
        N("bert.encoder.layer.5.attention.output.dense.weight", 5, "attention.output.dense.weight",
          ATTN, O),
        N("bert.encoder.layer.5.output.dense.weight", 5, "output.dense.weight", MLP, DOWN),
        N("bert.embeddings.token_type_embeddings.weight", OUTSIDE,
          "bert.embeddings.token_type_embeddings.weight", POS, POSITION),
        N("bert.pooler.dense.weight", OUTSIDE, "bert.pooler.dense.weight", POOLER, OTHER),
        N("decoder.block.2.layer.1.EncDecAttention.o.weight", 2, "layer.1.EncDecAttention.o.weight",
          ATTN, O),
        N("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 0,
          "layer.0.SelfAttention.relative_attention_bias.weight", POS, OTHER),
        N("encoder.block.0.layer.1.DenseReluDense.wi_0.weight", 0,
          "layer.1.DenseReluDense.wi_0.weight", MLP, GATE),
        N("gpt_neox.layers.7.attention.query_key_value.weight", 7,
          "attention.query_key_value.weight", ATTN, QKV),
        N("embed_out.weight", OUTSIDE, "embed_out.weight", HEAD, HEAD),
        N("transformer.h.0.self_attention.dense.weight", 0, "self_attention.dense.weight", ATTN, O),
        N("transformer.word_embeddings_layernorm.weight", OUTSIDE,
          "transformer.word_embeddings_layernorm.weight", NORM, NORM),
        N("model.layers.9.mlp.experts.255.down_proj.weight", 9, "mlp.experts.down_proj.weight",
          EXPERTS, DOWN),
        N("model.layers.9.mlp.shared_experts.up_proj.weight", 9,
          "mlp.shared_experts.up_proj.weight", SHARED, UP),
        N("model.layers.9.mlp.shared_expert_gate.weight", 9, "mlp.shared_expert_gate.weight",
          SHARED, OTHER),
        N("model.layers.9.mlp.gate.weight", 9, "mlp.gate.weight", ROUTER, ROUTER),
        N("model.layers.9.mlp.gate.e_score_correction_bias", 9, "mlp.gate.e_score_correction_bias",
          ROUTER, BIAS),
        N("model.layers.9.block_sparse_moe.gate.weight", 9, "block_sparse_moe.gate.weight", ROUTER,
          ROUTER),
        N("model.layers.9.block_sparse_moe.experts.3.w2.weight", 9,
          "block_sparse_moe.experts.w2.weight", EXPERTS, DOWN),
        N("model.layers.9.mlp.experts.gate_up_proj_blocks", 9, "mlp.experts.gate_up_proj_blocks",
          EXPERTS, GATE_UP),
        N("model.layers.9.self_attn.kv_a_proj_with_mqa.weight", 9,
          "self_attn.kv_a_proj_with_mqa.weight", ATTN, KV_A),
        N("model.layers.9.self_attn.kv_b_proj.weight", 9, "self_attn.kv_b_proj.weight", ATTN, KV_B),
        N("transformer.encoder.layers.4.mlp.dense_h_to_4h.weight", 4, "mlp.dense_h_to_4h.weight",
          MLP, UP),
        N("model.layers.4.attention.wqkv.weight", 4, "attention.wqkv.weight", ATTN, QKV),
        N("model.layers.4.mlp.fc2.bias", 4, "mlp.fc2.bias", MLP, BIAS),
        N("vision_tower.vision_model.encoder.layers.26.self_attn.k_proj.weight", OUTSIDE,
          "vision_tower.vision_model.encoder.layers.self_attn.k_proj.weight", VISION, K),
        N("multi_modal_projector.mm_soft_emb_norm.weight", OUTSIDE,
          "multi_modal_projector.mm_soft_emb_norm.weight", VISION, NORM),
#undef N
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        TensorName name;
        Component component;
        Role role;
        tensor_name_read(&name, NAMES[i].name);
        if (name.layer != NAMES[i].layer || strcmp(name.plain, NAMES[i].plain) != 0)
            fail_msg("%s is layer %d of %s", NAMES[i].name, name.layer, name.plain);
        if (!tensor_name_classify(name.plain, &component, &role) ||
            component != NAMES[i].component || role != NAMES[i].role)
            fail_msg("%s is %s, role %d", NAMES[i].name, component_names[component], (int)role);
    }
}

static void unknown_and_absurd_names_are_survived(void **state)
{
    (void)state;
    Component component;
    Role role;
    assert_false(tensor_name_classify("down_blocks.resnets.conv1.weight", &component, &role));
    char longest[600];
    TensorName name;
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    tensor_name_read(&name, longest);    // no name of ours
    assert_string_equal(name.plain, "");
    tensor_name_read(&name, "....");
    tensor_name_read(&name, "layers.99999999999999999999.x");
    assert_int_equal(name.layer, INT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_give_a_tensors_component_and_role),
        cmocka_unit_test(unknown_and_absurd_names_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
