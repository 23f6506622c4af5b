/* GGUF to model: the published integers, the shapes that each architecture has of its own, and every
 * way in which settings and tensors can fail to agree. The files are headers without data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "tests/gguf_bytes.h"

static Arena *arena;
static char folder[] = "/tmp/test_gguf_model_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new("test", 256u << 20);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/model.gguf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    arena_free(arena);
    unlink(path);
    return rmdir(folder);
}

// ---- a file: settings, then tensors, each counted ----

static struct Draft {
    const char *arch;
    GgufBytes settings, tensors;
    uint64_t setting_count, tensor_count, offset;
} draft;

static void begin(const char *arch)
{
    draft.settings.size = draft.tensors.size = 0;
    draft.setting_count = draft.tensor_count = draft.offset = 0;
    draft.arch = arch;
    gguf_bytes_put_string(&draft.settings, "general.architecture", arch);
    draft.setting_count++;
}

static const char *key_of(const char *key)
{
    static char full[128];
    snprintf(full, sizeof full, "%s.%s", draft.arch, key);
    return full;
}

static void set(const char *key, uint32_t number)
{
    gguf_bytes_put_integer(&draft.settings, key_of(key), number);
    draft.setting_count++;
}

static void set_list(const char *key, int count, const uint32_t *numbers)
{
    gguf_bytes_put_array(&draft.settings, key_of(key), GGUF_UINT32, (uint64_t)count, numbers,
                         (size_t)count * sizeof *numbers);
    draft.setting_count++;
}

static void put(const char *name, DType type, int dims, const uint64_t *shape)
{
    gguf_bytes_put_tensor(&draft.tensors, name, (uint32_t)dtype_info[type].gguf, (uint32_t)dims,
                          shape, draft.offset);
    uint64_t count = 1;
    for (int d = 0; d < dims; d++) count *= shape[d];
    draft.offset += (dtype_bytes(type, count) + 31) / 32 * 32;
    draft.tensor_count++;
}

static void put_vector(const char *name, uint64_t size)
{
    put(name, DTYPE_F32, 1, (uint64_t[]){size});
}

// As ggml writes it: what a row takes comes first.
static void put_matrix(const char *name, DType type, uint64_t rows, uint64_t cols)
{
    put(name, type, 2, (uint64_t[]){cols, rows});
}

static void put_experts(const char *name, DType type, uint64_t experts, uint64_t rows,
                        uint64_t cols)
{
    put(name, type, 3, (uint64_t[]){cols, rows, experts});
}

static const char *in_layer(int layer, const char *name)
{
    static char full[128];
    snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    return full;
}

static void write_file(const char *where)
{
    static GgufBytes file;
    gguf_bytes_begin(&file, 3, draft.tensor_count, draft.setting_count);
    gguf_bytes_put(&file, draft.settings.data, draft.settings.size);
    gguf_bytes_put(&file, draft.tensors.data, draft.tensors.size);
    FILE *stream = fopen(where, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file.data, 1, file.size, stream), file.size);
    fclose(stream);
}

static Model *model_of_draft(void)
{
    arena_reset(arena);
    write_file(path);
    Error err = {""};
    Model *model = gguf_model(arena, path, &err);
    if (model == NULL) fail_msg("was refused: %s", err.message);
    assert_string_equal(model->source, "gguf");
    assert_string_equal(model->family, draft.arch);
    uint64_t elements = 0, bytes = 0,
             types = 0;    // what stands there is counted twice, and once as extras
    for (int i = 0; i < model->weight_count; i++) {
        elements += weight_elements(model, &model->weights[i]);
        bytes += model->weights[i].stored_bytes;
    }
    for (int i = 0; i < model->extra_count; i++)
        elements += model->extras[i].elements, bytes += model->extras[i].bytes;
    for (int i = 0; i < model->stored_count; i++) types += model->stored[i].bytes;
    assert_int_equal(elements, model_stored(model));
    assert_int_equal(bytes, types);
    return model;
}

static void refuses_draft(const char *sentence)
{
    arena_reset(arena);
    write_file(path);
    Error err = {""};
    if (gguf_model(arena, path, &err) != NULL) fail_msg("was taken, expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("said \"%s\"\n  expected \"%s\"", err.message, sentence);
}

// ---- models ----

// The settings and tensors of LLaMA's architecture.
typedef struct Sizes {
    int layers;
    uint32_t width, heads, kv_heads, head_dim, ffn, vocab, experts, active;
    DType type, value_type;    // of attn_v: the mixes give it another
    const char *without;       // a tensor of layer 0 that is left out
    const char *twice;         // or has double the rows
} Sizes;

static void put_part(const Sizes *s, int layer, const char *name, uint64_t rows, uint64_t cols)
{
    if (layer == 0 && s->without != NULL && strcmp(name, s->without) == 0) return;
    if (layer == 0 && s->twice != NULL && strcmp(name, s->twice) == 0) rows *= 2;
    bool value = strcmp(name, "attn_v.weight") == 0;
    put_matrix(in_layer(layer, name), value ? s->value_type : s->type, rows, cols);
}

static void put_layer(const Sizes *s, int layer)
{
    uint64_t h = s->width, a = s->heads * s->head_dim, k = s->kv_heads * s->head_dim, f = s->ffn;
    put_vector(in_layer(layer, "attn_norm.weight"), h);
    put_part(s, layer, "attn_q.weight", a, h);
    put_part(s, layer, "attn_k.weight", k, h);
    put_part(s, layer, "attn_v.weight", k, h);
    put_part(s, layer, "attn_output.weight", h, a);
    put_vector(in_layer(layer, "ffn_norm.weight"), h);
    if (s->experts == 0) {
        put_part(s, layer, "ffn_gate.weight", f, h);
        put_part(s, layer, "ffn_up.weight", f, h);
        put_part(s, layer, "ffn_down.weight", h, f);
        return;
    }
    put_part(s, layer, "ffn_gate_inp.weight", s->experts, h);
    put_experts(in_layer(layer, "ffn_gate_exps.weight"), s->type, s->experts, f, h);
    put_experts(in_layer(layer, "ffn_up_exps.weight"), s->type, s->experts, f, h);
    put_experts(in_layer(layer, "ffn_down_exps.weight"), s->type, s->experts, h, f);
}

static void put_llama(const char *arch, const Sizes *s)
{
    begin(arch);
    set("block_count", (uint32_t)s->layers);
    set("context_length", 131072);
    set("embedding_length", s->width);
    set("attention.head_count", s->heads);
    set("attention.head_count_kv", s->kv_heads);
    set("attention.key_length", s->head_dim);
    set("attention.value_length", s->head_dim);
    if (s->experts > 0) set("expert_count", s->experts), set("expert_used_count", s->active);
    put_matrix("token_embd.weight", s->type, s->vocab, s->width);
    put_vector("output_norm.weight", s->width);
    for (int l = 0; l < s->layers; l++) put_layer(s, l);
}

static const Sizes LLAMA_8B = {32, 4096, 32,         8,          128,  14336, 128256,
                               0,  0,    DTYPE_Q4_K, DTYPE_Q6_K, NULL, NULL};
static const Sizes SMALL = {3, 64, 4, 2, 16, 96, 100, 0, 0, DTYPE_F16, DTYPE_F16, NULL, NULL};
static const Sizes ROUTED = {3, 64, 4, 2, 16, 96, 100, 8, 2, DTYPE_F16, DTYPE_F16, NULL, NULL};

static const Weight *weight_of(const Model *model, int kind, const char *name)
{
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].kind == kind && strcmp(model->weights[i].name, name) == 0)
            return &model->weights[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static void llama_3_1_8b_has_its_published_parameters(void **state)
{
    (void)state;
    put_llama("llama", &LLAMA_8B);
    put_matrix("output.weight", DTYPE_Q6_K, 128256, 4096);
    put_vector("rope_freqs.weight", 64);
    Model *model = model_of_draft();
    // meta-llama/Llama-3.1-8B, the count of its safetensors
    assert_int_equal(model_params(model), 8030261248);
    assert_int_equal(model_active(model), 8030261248);
    assert_int_equal(model_component(model, COMPONENT_ATTN), 1342177280);
    assert_int_equal(model_component(model, COMPONENT_MLP), 5637144576);
    assert_int_equal(model_component(model, COMPONENT_NORM), 266240);
    assert_int_equal(model_component(model, COMPONENT_EMBED), 525336576);
    assert_int_equal(model_component(model, COMPONENT_HEAD), 525336576);
    assert_true(!model->tied && model->layers == 32 && model->kind_count == 1);
    assert_true(model->width == 4096 && model->vocab == 128256 && model->max_context == 131072);
    const LayerKind *kind = &model->kinds[0];
    assert_true(kind->count == 32 && kind->other == 0 && kind->vectors == 8192 && kind->caches &&
                kind->causal);
    assert_int_equal(kn_block_params(&kind->block).total, 218112000);
    // The factors of its positions are no parameters, and stand in the file.
    assert_int_equal(model_stored(model), 8030261248 + 64);
    assert_int_equal(model->rope_factors, 64);
    assert_int_equal(model->extra_count, 1);
    assert_int_equal(weight_of(model, 0, "attn_v.weight")->stored_bytes,
                     32 * (1024 * 4096 / 256) * 210);
    assert_int_equal(weight_of(model, 0, "attn_q.weight")->stored_bytes,
                     32 * (4096 * 4096 / 256) * 144);
}

static void without_an_output_the_head_is_the_embedding(void **state)
{
    (void)state;
    put_llama("llama", &SMALL);
    Model *model = model_of_draft();
    assert_true(model->tied);
    put_matrix("output.weight", DTYPE_F16, 100, 64);
    assert_false(model_of_draft()->tied);
    // GPT-2's is tied, and llama.cpp's file has it a second time.
    put_llama("gemma", &SMALL);
    put_matrix("output.weight", DTYPE_F16, 100, 64);
    Model *twice = model_of_draft();
    assert_true(twice->tied && twice->extra_count == 1 && twice->extras[0].elements == 6400);
    assert_int_equal(model_params(twice), model_stored(twice) - 6400);
}

// Latent attention in its three layouts.
static void put_latent(int layers, int dense, const char *up, bool low_rank, uint32_t experts)
{
    enum {
        H = 7168,
        A = 128,
        RQ = 1536,
        RKV = 512,
        DN = 128,
        DR = 64,
        DV = 128,
        F = 18432,
        FE = 2048
    };
    begin("deepseek2");
    set("block_count", (uint32_t)layers);
    set("embedding_length", H);
    set("attention.head_count", A);
    set("attention.head_count_kv", strcmp(up, "two") == 0 ? 1 : A);
    set("attention.kv_lora_rank", RKV);
    if (low_rank) set("attention.q_lora_rank", RQ);
    bool absorbed = strcmp(up, "two") == 0;
    set("attention.key_length", absorbed ? RKV + DR : DN + DR);
    set("attention.value_length", absorbed ? RKV : DV);
    if (absorbed) set("attention.key_length_mla", DN + DR), set("attention.value_length_mla", DV);
    set("rope.dimension_count", DR);
    set("leading_dense_block_count", (uint32_t)dense);
    set("expert_count", experts);
    set("expert_used_count", 8);
    put_matrix("token_embd.weight", DTYPE_Q4_K, 129280, H);
    put_vector("output_norm.weight", H);
    put_matrix("output.weight", DTYPE_Q6_K, 129280, H);
    for (int l = 0; l < layers; l++) {
        put_vector(in_layer(l, "attn_norm.weight"), H);
        if (low_rank) {
            put_matrix(in_layer(l, "attn_q_a.weight"), DTYPE_Q4_K, RQ, H);
            put_vector(in_layer(l, "attn_q_a_norm.weight"), RQ);
            put_matrix(in_layer(l, "attn_q_b.weight"), DTYPE_Q4_K, A * (DN + DR), RQ);
        } else {
            put_matrix(in_layer(l, "attn_q.weight"), DTYPE_Q4_K, A * (DN + DR), H);
        }
        put_matrix(in_layer(l, "attn_kv_a_mqa.weight"), DTYPE_Q4_K, RKV + DR, H);
        put_vector(in_layer(l, "attn_kv_a_norm.weight"), RKV);
        if (absorbed) {
            put(in_layer(l, "attn_v_b.weight"), DTYPE_Q8_0, 3, (uint64_t[]){RKV, DV, A});
            put(in_layer(l, "attn_k_b.weight"), DTYPE_Q8_0, 3, (uint64_t[]){DN, RKV, A});
        } else {
            put_matrix(in_layer(l, "attn_kv_b.weight"), DTYPE_Q8_0, A * (DN + DV), RKV);
        }
        put_matrix(in_layer(l, "attn_output.weight"), DTYPE_Q4_K, H, A * DV);
        put_vector(in_layer(l, "ffn_norm.weight"), H);
        bool routed = l >= dense;
        uint64_t f = routed ? FE : F;
        put_matrix(in_layer(l, routed ? "ffn_gate_shexp.weight" : "ffn_gate.weight"), DTYPE_Q4_K, f,
                   H);
        put_matrix(in_layer(l, routed ? "ffn_up_shexp.weight" : "ffn_up.weight"), DTYPE_Q4_K, f, H);
        put_matrix(in_layer(l, routed ? "ffn_down_shexp.weight" : "ffn_down.weight"), DTYPE_Q6_K, H,
                   f);
        if (!routed) continue;
        put_matrix(in_layer(l, "ffn_gate_inp.weight"), DTYPE_F32, experts, H);
        put_vector(in_layer(l, "exp_probs_b.bias"), experts);
        put_experts(in_layer(l, "ffn_gate_exps.weight"), DTYPE_Q4_K, experts, FE, H);
        put_experts(in_layer(l, "ffn_up_exps.weight"), DTYPE_Q4_K, experts, FE, H);
        put_experts(in_layer(l, "ffn_down_exps.weight"), DTYPE_Q4_K, experts, H, FE);
    }
}

static void deepseek_v3_has_its_published_parameters(void **state)
{
    (void)state;
    static const char *const layouts[] = {"one", "two"};
    for (int i = 0; i < 2; i++) {
        put_latent(61, 3, layouts[i], true, 256);
        Model *model = model_of_draft();
        // DeepSeek-V3 without its MTP module, and what a token goes through of it
        assert_int_equal(model_params(model), 671026419200);
        assert_int_equal(model_active(model), 37552297472);
        assert_int_equal(model_component(model, COMPONENT_ATTN), 11413547008);
        assert_int_equal(model_component(model, COMPONENT_DENSE_MLP), 1189085184);
        assert_int_equal(model_component(model, COMPONENT_EXPERTS), 653908770816);
        assert_int_equal(model_component(model, COMPONENT_SHARED), 2554331136);
        assert_int_equal(model_component(model, COMPONENT_ROUTER), 106445312);
        assert_int_equal(model->kind_count, 2);
        uint64_t cache = 0;
        for (int l = 0; l < model->layers; l++) {
            const LayerKind *kind = &model->kinds[model->kind_of[l]];
            assert_int_equal(kind->other, 0);
            assert_int_equal(kind->block.experts, l < 3 ? 0 : 256);
            cache += kn_kv_bytes(&kind->block, &(KnFormat){.bits = 16});
        }
        assert_int_equal(cache, 70272);    // a token (DeepSeek-AI 2024: 70.272 KB)
        assert_int_equal(weight_of(model, 1, "attn_kv_b.weight")->rows, 128 * 256);
    }
    put_latent(4, 1, "one", false, 64);
    assert_int_equal(model_of_draft()->kinds[1].block.q_rank, 0);
}

static void experts_in_a_tensor_each_are_those_in_one(void **state)
{
    (void)state;
    put_llama("llama", &ROUTED);
    Model *model = model_of_draft();
    uint64_t all = model_params(model), active = model_active(model);
    assert_int_equal(all - active, 3 * 6 * 3 * 64 * 96);
    Sizes plain = ROUTED;
    plain.experts = 0, plain.ffn = 0;
    put_llama("llama", &plain);    // its MLPs are empty: begin again without them
    draft.tensors.size = 0, draft.tensor_count = 0, draft.offset = 0;
    set("expert_count", 8), set("expert_used_count", 2);
    put_matrix("token_embd.weight", DTYPE_F16, 100, 64);
    put_vector("output_norm.weight", 64);
    for (int l = 0; l < 3; l++) {
        put_vector(in_layer(l, "attn_norm.weight"), 64);
        put_matrix(in_layer(l, "attn_q.weight"), DTYPE_F16, 64, 64);
        put_matrix(in_layer(l, "attn_k.weight"), DTYPE_F16, 32, 64);
        put_matrix(in_layer(l, "attn_v.weight"), DTYPE_F16, 32, 64);
        put_matrix(in_layer(l, "attn_output.weight"), DTYPE_F16, 64, 64);
        put_vector(in_layer(l, "ffn_norm.weight"), 64);
        put_matrix(in_layer(l, "ffn_gate_inp.weight"), DTYPE_F16, 8, 64);
        for (int e = 0; e < 8; e++) {
            char name[64];
            snprintf(name, sizeof name, "ffn_gate.%d.weight", e);
            put_matrix(in_layer(l, name), DTYPE_F16, 96, 64);
            snprintf(name, sizeof name, "ffn_up.%d.weight", e);
            put_matrix(in_layer(l, name), DTYPE_F16, 96, 64);
            snprintf(name, sizeof name, "ffn_down.%d.weight", e);
            put_matrix(in_layer(l, name), DTYPE_F16, 64, 96);
        }
    }
    model = model_of_draft();
    assert_int_equal(model_params(model), all);
    assert_int_equal(model_active(model), active);
    assert_int_equal(weight_of(model, 0, "ffn_up_exps.weight")->copies, 8);
}

static uint64_t windows_of(const Model *model)    // a bit for each layer that has one
{
    uint64_t bits = 0;
    for (int l = 0; l < model->layers; l++)
        bits |= (uint64_t)(model->kinds[model->kind_of[l]].window > 0) << l;
    return bits;
}

static void windows_follow_the_architecture_or_the_file(void **state)
{
    (void)state;
    Sizes twelve = SMALL;
    twelve.layers = 12;
    const struct {
        const char *arch;
        uint64_t bits;    // of layers with a window, from 0 on
    } OWN[] = {{"gemma2", 0x555}, {"gemma3", 0x7DF},       {"gpt-oss", 0x555}, {"cohere2", 0x777},
               {"olmo2", 0x777},  {"smallthinker", 0xEEE}, {"llama", 0xFFF}};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        put_llama(OWN[i].arch, &twelve);
        set("attention.sliding_window", 64);
        Model *model = model_of_draft();
        assert_int_equal(windows_of(model), OWN[i].bits);
        assert_int_equal(model->note_count,
                         OWN[i].bits == 0xFFF ? 1 : 0);    // said, where it is a guess
        assert_int_equal(model->kinds[0].window + model->kinds[1].window, 64);
    }
    put_llama("gemma3", &twelve);
    assert_int_equal(windows_of(model_of_draft()), 0);    // a pattern, and no window
    put_llama("gemma2", &twelve);
    assert_int_equal(model_of_draft()->kinds[0].window, 4096);    // its default

    put_llama("gemma3", &twelve);
    set("attention.sliding_window", 64);
    set("attention.sliding_window_pattern", 3);    // one layer in three sees all
    assert_int_equal(windows_of(model_of_draft()), 0x6DB);
    put_llama("gemma3", &twelve);
    set("attention.sliding_window", 64);
    gguf_bytes_put_array(&draft.settings, key_of("attention.sliding_window_pattern"), GGUF_BOOL, 12,
                         "\1\1\0\0\1\0\0\0\0\0\0\1", 12);
    draft.setting_count++;
    assert_int_equal(windows_of(model_of_draft()), 0x813);
    put_llama("gemma3", &twelve);
    set("attention.sliding_window", 64);
    gguf_bytes_put_array(&draft.settings, key_of("attention.sliding_window_pattern"), GGUF_BOOL, 11,
                         "\1\1\0\0\1\0\0\0\0\0\0", 11);
    draft.setting_count++;
    refuses_draft("'gemma3.attention.sliding_window_pattern' has no element for layer 11");
}

static void metadata_may_differ_by_layer(void **state)
{
    (void)state;
    put_llama("llama", &SMALL);
    draft.settings.size = draft.setting_count = 0;
    gguf_bytes_put_string(&draft.settings, "general.architecture", "llama");
    draft.setting_count = 1;
    set("block_count", 3), set("embedding_length", 64);
    set_list("attention.head_count", 3, (uint32_t[]){4, 4, 2});
    set_list("attention.head_count_kv", 3, (uint32_t[]){2, 2, 1});
    set_list("attention.key_length", 3, (uint32_t[]){16, 16, 32});
    set_list("attention.value_length", 3, (uint32_t[]){16, 16, 32});
    Model *model = model_of_draft();
    assert_int_equal(model->kind_count, 2);
    assert_true(model->kinds[0].count == 2 && model->kinds[1].count == 1);
    assert_int_equal(model->kinds[1].block.head_dim, 32);
    assert_true(model->kind_of[0] == 0 && model->kind_of[2] == 1);
    set_list("attention.kv_lora_rank", 2, (uint32_t[]){0, 0});
    refuses_draft("'llama.attention.kv_lora_rank' is a list of 2, expected one for each layer");
}

static void multi_token_prediction_is_no_parameter(void **state)
{
    (void)state;
    Sizes four = SMALL;
    four.layers = 4;
    put_llama("llama", &four);
    set("nextn_predict_layers", 1);
    put_matrix(in_layer(3, "nextn.eh_proj.weight"), DTYPE_F16, 64, 128);
    Model *model = model_of_draft();
    put_llama("llama", &SMALL);
    assert_int_equal(model->layers, 3);
    assert_int_equal(model->extra_count, 1);
    assert_int_equal(model->extras[0].elements,
                     2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 96 + 2 * 64 + 64 * 128);
}

static void biases_norms_and_fused_matrices_are_read(void **state)
{
    (void)state;
    begin("phi2");
    set("block_count", 1), set("embedding_length", 64), set("attention.head_count", 4);
    put_matrix("token_embd.weight", DTYPE_F16, 100, 64);
    put_vector("output_norm.weight", 64), put_vector("output_norm.bias", 64);
    put_matrix("output.weight", DTYPE_F16, 100, 64), put_vector("output.bias", 100);
    put_vector("blk.0.attn_norm.weight", 64), put_vector("blk.0.attn_norm.bias", 64);
    put_matrix("blk.0.attn_qkv.weight", DTYPE_F16, 192, 64), put_vector("blk.0.attn_qkv.bias", 192);
    put_matrix("blk.0.attn_output.weight", DTYPE_F16, 64, 64),
        put_vector("blk.0.attn_output.bias", 64);
    put_matrix("blk.0.ffn_up.weight", DTYPE_F16, 256, 64), put_vector("blk.0.ffn_up.bias", 256);
    put_matrix("blk.0.ffn_down.weight", DTYPE_F16, 64, 256), put_vector("blk.0.ffn_down.bias", 64);
    Model *model = model_of_draft();
    const KnBlock *b = &model->kinds[0].block;
    assert_true(b->qkv_bias && b->out_bias && b->mlp_bias && !b->gated && !b->qk_norm);
    assert_true(b->kv_heads == 4 && b->head_dim == 16 && b->ffn == 256 &&
                model->kinds[0].other == 0);
    assert_int_equal(model_component(model, COMPONENT_HEAD), 6500);

    begin(
        "phi3");    // gate and up in one matrix; norms of queries and keys, of a head's size and not
    set("block_count", 2), set("embedding_length", 64), set("attention.head_count", 4);
    put_matrix("token_embd.weight", DTYPE_F16, 100, 64);
    for (int l = 0; l < 2; l++) {
        put_matrix(in_layer(l, "attn_qkv.weight"), DTYPE_F16, 192, 64);
        put_vector(in_layer(l, "attn_q_norm.weight"), l == 0 ? 16 : 64);
        put_vector(in_layer(l, "attn_k_norm.weight"), l == 0 ? 16 : 64);
        put_matrix(in_layer(l, "attn_output.weight"), DTYPE_F16, 64, 64);
        put_matrix(in_layer(l, "ffn_up.weight"), DTYPE_F16, 512, 64);
        put_matrix(in_layer(l, "ffn_down.weight"), DTYPE_F16, 64, 256);
    }
    model = model_of_draft();
    b = &model->kinds[0].block;
    assert_true(b->gated && b->ffn == 256 && b->qk_norm && model->kinds[0].other == 0);
    assert_true(!model->kinds[1].block.qk_norm && model->kinds[1].other == 128);
    assert_int_equal(weight_of(model, 0, "ffn_up.weight")->role, ROLE_GATE_UP);

    put_llama("gpt-oss", &ROUTED);    // biases of experts, sinks
    for (int l = 0; l < 3; l++) {
        put(in_layer(l, "ffn_gate_exps.bias"), DTYPE_F32, 2, (uint64_t[]){96, 8});
        put(in_layer(l, "ffn_up_exps.bias"), DTYPE_F32, 2, (uint64_t[]){96, 8});
        put(in_layer(l, "ffn_down_exps.bias"), DTYPE_F32, 2, (uint64_t[]){64, 8});
        put_vector(in_layer(l, "ffn_gate_inp.bias"), 8);
        put_vector(in_layer(l, "attn_sinks.weight"), 4);
    }
    model = model_of_draft();
    b = &model->kinds[0].block;
    assert_true(b->mlp_bias && b->router_bias && model->kinds[0].other == 4);
    assert_int_equal(weight_of(model, 0, "ffn_up_exps.bias")->copies, 8);
    // All norms and biases that a token goes through: two norms, two of eight experts', router, sinks.
    assert_int_equal(model->kinds[0].vectors, 2 * 64 + 2 * (96 + 96 + 64) + 8 + 4);
}

static void an_encoder_keeps_no_cache(void **state)
{
    (void)state;
    put_llama("bert", &SMALL);
    gguf_bytes_put_value(&draft.settings, "bert.attention.causal", GGUF_BOOL, "\0", 1);
    draft.setting_count++;
    Model *model = model_of_draft();
    assert_true(!model->kinds[0].caches && !model->kinds[0].causal && !model->tied);
}

static void put_t5_layer(const char *stack, int layer, bool cross)
{
    static const char *const SELF[] = {"attn_q", "attn_k", "attn_v", "attn_o"};
    static const char *const CROSS[] = {"cross_attn_q", "cross_attn_k", "cross_attn_v",
                                        "cross_attn_o"};
    char name[96];
#define IN_STACK(part)                                                                             \
    (snprintf(name, sizeof name, "%s.blk.%d.%s.weight", stack, layer, part), name)
    for (int i = 0; i < 4; i++) put_matrix(IN_STACK(SELF[i]), DTYPE_F16, 64, 64);
    for (int i = 0; i < 4 && cross; i++) put_matrix(IN_STACK(CROSS[i]), DTYPE_F16, 64, 64);
    if (layer == 0) put_matrix(IN_STACK("attn_rel_b"), DTYPE_F16, 32, 4);
    if (cross) put_vector(IN_STACK("cross_attn_norm"), 64);
    put_vector(IN_STACK("attn_norm"), 64);
    put_vector(IN_STACK("ffn_norm"), 64);
    put_matrix(IN_STACK("ffn_up"), DTYPE_F16, 96, 64);
    put_matrix(IN_STACK("ffn_down"), DTYPE_F16, 64, 96);
#undef IN_STACK
}

static void an_encoder_and_its_decoder_are_two_stacks(void **state)
{
    (void)state;
    begin("t5");
    set("block_count", 3), set("decoder_block_count", 2);
    set("embedding_length", 64), set("attention.head_count", 4);
    put_matrix("token_embd.weight", DTYPE_F16, 320, 64);
    for (int l = 0; l < 3; l++) put_t5_layer("enc", l, false);
    for (int l = 0; l < 2; l++) put_t5_layer("dec", l, true);
    put_vector("enc.output_norm.weight", 64), put_vector("dec.output_norm.weight", 64);
    Model *model = model_of_draft();
    // What PyTorch counts in transformers' T5ForConditionalGeneration of these sizes.
    assert_int_equal(model_params(model), 197760);
    assert_int_equal(model_component(model, COMPONENT_POS), 2 * 32 * 4);
    assert_true(model->layers == 5 && model->kind_count == 2 && model->tied);
    const LayerKind *encoder = &model->kinds[0], *decoder = &model->kinds[1];
    assert_true(encoder->count == 3 && !encoder->caches && !encoder->causal && !encoder->cross);
    assert_true(decoder->count == 2 && decoder->caches && decoder->causal && decoder->cross);
    assert_true(encoder->other == 0 && decoder->other == 4 * 64 * 64);
    put_t5_layer("enc", 3, false);
    refuses_draft("has tensors past its 5 layers");

    begin("t5");    // a decoder as deep as the encoder, unless it is said
    set("block_count", 1), set("embedding_length", 64), set("attention.head_count", 4);
    put_matrix("token_embd.weight", DTYPE_F16, 320, 64);
    put_t5_layer("enc", 0, false), put_t5_layer("dec", 0, true);
    assert_int_equal(model_of_draft()->layers, 2);
    set("decoder_block_count", 2);
    put_t5_layer("dec", 1, false);
    refuses_draft("layer 2 of its two stacks is no decoder's");
    put_llama("llama", &SMALL);
    put_t5_layer("dec", 0, true);
    refuses_draft("is no tensor of a transformer that is known here");
}

// ---- parts ----

static void a_model_in_parts_is_read_whole(void **state)
{
    (void)state;
    char first[96], second[96];
    snprintf(first, sizeof first, "%s/m-00001-of-00002.gguf", folder);
    snprintf(second, sizeof second, "%s/m-00002-of-00002.gguf", folder);
    put_llama("llama", &SMALL);
    gguf_bytes_put_value(&draft.settings, "split.no", GGUF_UINT16, &(uint16_t){0}, 2);
    gguf_bytes_put_value(&draft.settings, "split.count", GGUF_UINT16, &(uint16_t){2}, 2);
    draft.setting_count += 2;
    write_file(first);
    Error err = {""};
    arena_reset(arena);
    assert_null(gguf_model(arena, first, &err));
    assert_non_null(strstr(err.message, "m-00002-of-00002.gguf: cannot be read: No such file"));
    begin("llama");
    gguf_bytes_put_value(&draft.settings, "split.no", GGUF_UINT16, &(uint16_t){1}, 2);
    gguf_bytes_put_value(&draft.settings, "split.count", GGUF_UINT16, &(uint16_t){2}, 2);
    draft.setting_count += 2;
    put_matrix("output.weight", DTYPE_F16, 100, 64);
    write_file(second);
    Model *model = gguf_model(arena, second, &err);    // either part names the model
    if (model == NULL) fail_msg("%s", err.message);
    assert_int_equal(model_component(model, COMPONENT_HEAD), 6400);
    assert_int_equal(model->layers, 3);
    put_vector("output_norm.weight", 64);
    write_file(second);
    assert_null(gguf_model(arena, first, &err));
    assert_non_null(strstr(err.message, "the tensor 'output_norm.weight' stands in"));
    rename(second, path);
    assert_null(gguf_model(arena, path, &err));
    assert_non_null(
        strstr(err.message, "is part 2 of 2, and the others are not found where its name"));
    rename(path, second);
    rename(first, path), rename(second, first), rename(path, second);    // the one for the other
    assert_null(gguf_model(arena, first, &err));
    assert_non_null(strstr(err.message, "is part 2 of 2, and the others are not found"));
    unlink(first), unlink(second);
}

// ---- refusals ----

static void missing_metadata_is_named(void **state)
{
    (void)state;
    const char *const needed[] = {"block_count", "embedding_length", "attention.head_count",
                                  "expert_count", "expert_used_count"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        put_llama("llama", &ROUTED);
        char key[64], sentence[128];
        snprintf(key, sizeof key, "llama.%s", needed[i]);
        for (uint8_t *at = draft.settings.data; at < draft.settings.data + draft.settings.size;
             at++)
            if (at[-8] == strlen(key) && memcmp(at, key, strlen(key)) == 0) at[0] = 'x';
        snprintf(sentence, sizeof sentence, "'%s' is missing or 0, expected at least 1", key);
        refuses_draft(sentence);
    }
    begin("llama");
    gguf_bytes_put_value(&draft.settings, "llama.block_count", GGUF_INT32, &(int32_t){-3}, 4);
    draft.setting_count++;
    refuses_draft("'llama.block_count' is not a whole number of at most 2^31");
    begin("llama");
    set("block_count", UINT32_MAX);
    refuses_draft("'llama.block_count' is not a whole number of at most 2^31");
    begin("llama");
    set("block_count", 5000);
    refuses_draft("llama.block_count is 5000, expected at most 4096");
}

static void an_unknown_architecture_is_warned_of(void **state)
{
    (void)state;
    put_llama("llama", &SMALL);
    assert_int_equal(model_of_draft()->warnings, 0);
    put_llama("newcomer", &SMALL);
    Model *model = model_of_draft();
    assert_int_equal(model->warnings, 1);
    assert_non_null(strstr(model->notes[0], "the architecture newcomer is not known here"));
}

static void files_without_a_model_are_named(void **state)
{
    (void)state;
    begin("llama");
    set("block_count", 3);
    refuses_draft("holds no tensors, but a vocabulary alone");
    begin("clip");
    refuses_draft("holds an image tower alone (architecture clip)");
    begin("llama");
    gguf_bytes_put_string(&draft.settings, "general.type", "adapter");
    draft.setting_count++;
    refuses_draft("holds no model: its general.type is 'adapter'");
    begin("llama");
    set("block_count", 1);
    put_vector("blk.0.ssm_a", 64);
    refuses_draft(
        "'blk.0.ssm_a' is no tensor of a transformer that is known here (architecture llama)");
    begin("no\nname");
    refuses_draft("'general.architecture' is no word");
    draft.settings.size = draft.setting_count = 0;
    refuses_draft("'general.architecture' is missing, expected a text");
}

// Where the architecture is not known either: 4 heads of 16 in one layer of two, a recurrence in the other.
static void tensors_of_an_unknown_architecture_are_counted(void **state)
{
    (void)state;
    begin("strange");
    set("block_count", 2);
    set("context_length", 1000);
    set("attention.key_length", 16);
    put_matrix("token_embd.weight", DTYPE_F16, 100, 64);
    put_matrix("blk.0.attn_k.weight", DTYPE_F16, 64, 64);
    put_matrix("blk.0.attn_v.weight", DTYPE_F16, 64, 64);
    put_matrix("blk.1.ssm_in.weight", DTYPE_F16, 256, 64);
    put_vector("blk.1.ssm_a", 64);
    Model *model = model_of_draft();
    assert_int_equal(model_params(model), 64 * 100 + 2 * 64 * 64 + 64 * 256 + 64);
    assert_int_equal(model->layers, 2);
    const KnBlock *block = &model->kinds[model->kind_of[0]].block;
    assert_int_equal(block->kv_heads, 4);
    assert_int_equal(block->head_dim, 16);
    assert_int_equal(model->kinds[model->kind_of[1]].block.kv_heads, 0);
    assert_int_equal(model->warnings, 3);
    assert_non_null(strstr(model->notes[0], "counted from the tensors"));
}

static void tensors_that_contradict_the_metadata_are_named(void **state)
{
    (void)state;
    const char *const parts[] = {"attn_q.weight",      "attn_k.weight",   "attn_v.weight",
                                 "attn_output.weight", "ffn_gate.weight", "ffn_up.weight",
                                 "ffn_down.weight"};
    char sentence[128];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Sizes wrong = SMALL;
        wrong.twice = parts[i];
        put_llama("llama", &wrong);
        snprintf(sentence, sizeof sentence, "%s of layer 0 takes", parts[i]);
        refuses_draft(sentence);
        wrong = SMALL;
        wrong.without = parts[i];
        put_llama("llama", &wrong);
        snprintf(sentence, sizeof sentence, "layer 0 has no %s", parts[i]);
        if (strcmp(parts[i], "ffn_gate.weight") != 0) refuses_draft(sentence);    // not gated, then
    }
    put_llama("llama", &ROUTED);
    put_experts("blk.1.ffn_norm_exps.weight", DTYPE_F32, 1, 1, 64);
    model_of_draft();
    Sizes few = ROUTED;
    few.experts = 4;
    put_llama("llama", &few);
    put_experts("blk.0.ffn_gate_exps.bias", DTYPE_F32, 1, 3, 96);
    refuses_draft("ffn_gate_exps.bias of layer 0 is of 3 experts, expected 4 by the settings");
    few = ROUTED;
    few.active = 9;
    put_llama("llama", &few);
    refuses_draft("a token goes to 9 of 8 experts");
    Sizes odd = SMALL;
    odd.kv_heads = 3;
    put_llama("llama", &odd);
    refuses_draft("layer 0 has 4 heads with keys of 16 and values of 16, and 3 key heads");
    put_llama("llama", &SMALL);
    put_vector("blk.3.attn_norm.weight", 64);
    refuses_draft("has tensors past its 3 layers");
    put_llama("llama", &SMALL);
    put_matrix("blk.0.attn_q.scale", DTYPE_F32, 0, 1);
    refuses_draft("'blk.0.attn_q.scale' has no numbers");
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    Sizes large = SMALL;
    large.vocab = UINT32_MAX, large.width = 1u << 24;
    put_llama("llama", &large);
    refuses_draft("has over 2^53 numbers");
    Sizes many = SMALL;
    many.layers = 33;
    put_llama("llama", &many);
    uint32_t windows[33];
    for (uint32_t l = 0; l < 33; l++) windows[l] = l + 1;
    set_list("attention.sliding_window", 33, windows);
    refuses_draft("has layers of over 32 kinds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_3_1_8b_has_its_published_parameters),
        cmocka_unit_test(without_an_output_the_head_is_the_embedding),
        cmocka_unit_test(deepseek_v3_has_its_published_parameters),
        cmocka_unit_test(experts_in_a_tensor_each_are_those_in_one),
        cmocka_unit_test(windows_follow_the_architecture_or_the_file),
        cmocka_unit_test(metadata_may_differ_by_layer),
        cmocka_unit_test(multi_token_prediction_is_no_parameter),
        cmocka_unit_test(biases_norms_and_fused_matrices_are_read),
        cmocka_unit_test(an_encoder_keeps_no_cache),
        cmocka_unit_test(an_encoder_and_its_decoder_are_two_stacks),
        cmocka_unit_test(a_model_in_parts_is_read_whole),
        cmocka_unit_test(missing_metadata_is_named),
        cmocka_unit_test(an_unknown_architecture_is_warned_of),
        cmocka_unit_test(files_without_a_model_are_named),
        cmocka_unit_test(tensors_of_an_unknown_architecture_are_counted),
        cmocka_unit_test(tensors_that_contradict_the_metadata_are_named),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
