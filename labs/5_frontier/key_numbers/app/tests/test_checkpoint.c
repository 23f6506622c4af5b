/* Safetensors to model: published layouts come to their published integers, what a file holds beside the
 * parameters is noted with its reason, and files that do not belong together are refused. The files are
 * headers without data.
 */
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "labs/5_frontier/key_numbers/app/model/open.h"

static Arena *arena;
static char root[] = "/tmp/test_kn_checkpoint_XXXXXX", folder[64];    // of the case

static int make_root(void **state)
{
    (void)state;
    arena = arena_new("test", 256u << 20);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    arena_free(arena);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// ---- files ----

static void begin_folder(void)
{
    static int cases;
    snprintf(folder, sizeof folder, "%s/%d", root, cases++);
    assert_int_equal(mkdir(folder, 0777), 0);
    arena_reset(arena);
}

static const char *in_folder(const char *name)
{
    return arena_print(arena, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// The header that is being written, and its data's size.
static struct {
    FILE *stream;
    char *text;
    size_t size;
    uint64_t offset;
} draft;

static void begin(void)
{
    draft.offset = 0;
    draft.stream = open_memstream(&draft.text, &draft.size);
    assert_non_null(draft.stream);
    fputc('{', draft.stream);
}

static uint64_t size_of(const char *type)
{
    return strcmp(type, "I64") == 0                                ? 8
           : strcmp(type, "F32") == 0 || strcmp(type, "I32") == 0  ? 4
           : strcmp(type, "BF16") == 0 || strcmp(type, "F16") == 0 ? 2
                                                                   : 1;
}

#define SHAPE_OF(...)                                                                              \
    (uint64_t[])                                                                                   \
    {                                                                                              \
        __VA_ARGS__, 0                                                                             \
    }    // ends in 0

static void put(const char *name, const char *type, const uint64_t *shape)
{
    uint64_t bytes = size_of(type);
    fprintf(draft.stream, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", draft.offset > 0 ? "," : "",
            name, type);
    for (const uint64_t *size = shape; *size > 0; size++) {
        fprintf(draft.stream, "%s%" PRIu64, size > shape ? "," : "", *size);
        bytes *= *size;
    }
    fprintf(draft.stream, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", draft.offset,
            draft.offset + bytes);
    draft.offset += bytes;
}

static void end(const char *name)
{
    fputc('}', draft.stream);
    fclose(draft.stream);
    uint64_t length = draft.size;
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&length, 8, 1, file), 1);
    assert_int_equal(fwrite(draft.text, 1, draft.size, file), draft.size);
    fclose(file);
    free(draft.text);
}

static const char *in_layer(int layer, const char *name)
{
    static char full[160];
    snprintf(full, sizeof full, "model.layers.%d.%s", layer, name);
    return full;
}

// ---- what is read ----

static Model *reads(const char *path)
{
    Error err = {""};
    Model *model = checkpoint_model(arena, path, &err);
    if (model == NULL) fail_msg("was refused: %s", err.message);
    assert_string_equal(model->source, "safetensors");
    uint64_t bytes = 0, types = 0;    // each byte is a weight's or an extra's
    for (int i = 0; i < model->weight_count; i++) bytes += model->weights[i].stored_bytes;
    for (int i = 0; i < model->extra_count; i++) bytes += model->extras[i].bytes;
    for (int i = 0; i < model->stored_count; i++) types += model->stored[i].bytes;
    assert_int_equal(bytes, types);
    return model;
}

static void refuses(const char *path, const char *sentence)
{
    Error err = {""};
    if (checkpoint_model(arena, path, &err) != NULL)
        fail_msg("was taken, expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("said \"%s\"\n  expected \"%s\"", err.message, sentence);
}

static void has_extra(const Model *model, uint64_t elements, const char *what)
{
    for (int i = 0; i < model->extra_count; i++)
        if (model->extras[i].elements == elements && strcmp(model->extras[i].what, what) == 0)
            return;
    for (int i = 0; i < model->extra_count; i++)
        print_message("  %" PRIu64 ": %s\n", model->extras[i].elements, model->extras[i].what);
    fail_msg("no extra says %" PRIu64 ": %s", elements, what);
}

static void has_note(const Model *model, const char *text)
{
    for (int i = 0; i < model->note_count; i++)
        if (strcmp(model->notes[i], text) == 0) return;
    for (int i = 0; i < model->note_count; i++) print_message("  %s\n", model->notes[i]);
    fail_msg("no note says: %s", text);
}

// ---- published layouts ----

static void gpt2_holds_masks_beside_its_parameters(void **state)
{
    (void)state;
    begin_folder();
    write_text("config.json",
               "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],\"n_embd\":768,"
               "\"n_layer\":12,\"n_head\":12,\"n_positions\":1024,\"vocab_size\":50257}");
    begin();
    put("wte.weight", "F32", SHAPE_OF(50257, 768));
    put("wpe.weight", "F32", SHAPE_OF(1024, 768));
    for (int l = 0; l < 12; l++) {
        static const struct {
            const char *name;
            uint64_t shape[5];    // Conv1D keeps its matrices the other way round
        } PARTS[] = {{"attn.bias", {1, 1, 1024, 1024}},
                     {"attn.c_attn.weight", {768, 2304}},
                     {"attn.c_attn.bias", {2304}},
                     {"attn.c_proj.weight", {768, 768}},
                     {"attn.c_proj.bias", {768}},
                     {"mlp.c_fc.weight", {768, 3072}},
                     {"mlp.c_fc.bias", {3072}},
                     {"mlp.c_proj.weight", {3072, 768}},
                     {"mlp.c_proj.bias", {768}},
                     {"ln_1.weight", {768}},
                     {"ln_1.bias", {768}},
                     {"ln_2.weight", {768}},
                     {"ln_2.bias", {768}}};
        for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
            put(arena_print(arena, "h.%d.%s", l, PARTS[i].name), "F32", PARTS[i].shape);
    }
    put("ln_f.weight", "F32", SHAPE_OF(768)), put("ln_f.bias", "F32", SHAPE_OF(768));
    end("model.safetensors");
    Model *model = reads(folder);
    // openai-community/gpt2: what its page counts, and what GPT-2 has
    assert_int_equal(model_stored(model), 137022720);
    assert_int_equal(model_params(model), 124439808);
    assert_int_equal(model->extra_count, 1);
    has_extra(model, 12 * 1024 * 1024, "12 x attn.bias: causal masks");
    assert_true(model->tied && model->layers == 12 && model->stored_count == 1);
    // The same file without its configuration: names alone come to the same.
    assert_int_equal(unlink(in_folder("config.json")), 0);
    Model *named = reads(in_folder("model.safetensors"));
    assert_int_equal(model_params(named), 124439808);
    for (int c = 0; c < COMPONENT_COUNT; c++)
        assert_int_equal(model_component(named, (Component)c),
                         model_component(model, (Component)c));
    assert_true(named->layers == 12 && named->kind_count == 1);
    KnFormat bf16 = {.bits = 16};
    assert_int_equal(kn_kv_bytes(&named->kinds[0].block, &bf16), 2 * 768 * 2);
    assert_string_equal(named->family, "unknown");
    assert_string_equal(named->published, "fp32");
}

// A decoder of LLaMA's names; `quantise` writes its matrices.
typedef void Matrix(const char *name, uint64_t rows, uint64_t cols);

static void plain(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.weight", name), "BF16", SHAPE_OF(rows, cols));
}

typedef struct Sizes {
    int layers;
    uint64_t width, heads, kv_heads, head_dim, ffn, vocab;
    bool qk_norm, inv_freq;
} Sizes;

static const Sizes LLAMA_2_7B = {32, 4096, 32, 32, 128, 11008, 32000, false, true};
static const Sizes QWEN3_06B = {28, 1024, 16, 8, 128, 3072, 151936, true, false};
static const Sizes SMALL = {3, 256, 4, 2, 64, 512, 100, false, false};

static void put_llama_layer(const Sizes *s, int l, Matrix *matrix)
{
    uint64_t h = s->width, a = s->heads * s->head_dim, k = s->kv_heads * s->head_dim;
    matrix(in_layer(l, "self_attn.q_proj"), a, h);
    matrix(in_layer(l, "self_attn.k_proj"), k, h);
    matrix(in_layer(l, "self_attn.v_proj"), k, h);
    matrix(in_layer(l, "self_attn.o_proj"), h, a);
    matrix(in_layer(l, "mlp.gate_proj"), s->ffn, h);
    matrix(in_layer(l, "mlp.up_proj"), s->ffn, h);
    matrix(in_layer(l, "mlp.down_proj"), h, s->ffn);
    put(in_layer(l, "input_layernorm.weight"), "BF16", SHAPE_OF(h));
    put(in_layer(l, "post_attention_layernorm.weight"), "BF16", SHAPE_OF(h));
    if (s->qk_norm) put(in_layer(l, "self_attn.q_norm.weight"), "BF16", SHAPE_OF(s->head_dim));
    if (s->qk_norm) put(in_layer(l, "self_attn.k_norm.weight"), "BF16", SHAPE_OF(s->head_dim));
    if (s->inv_freq)
        put(in_layer(l, "self_attn.rotary_emb.inv_freq"), "F32", SHAPE_OF(s->head_dim / 2));
}

static void put_llama(const Sizes *s, Matrix *matrix)
{
    put("model.embed_tokens.weight", "BF16", SHAPE_OF(s->vocab, s->width));
    for (int l = 0; l < s->layers; l++) put_llama_layer(s, l, matrix);
    put("model.norm.weight", "BF16", SHAPE_OF(s->width));
}

static void write_config(const Sizes *s, const char *type, const char *architecture, bool tied)
{
    write_text(
        "config.json",
        arena_print(arena,
                    "{\"model_type\":\"%s\",\"architectures\":[\"%s\"],\"hidden_size\":%" PRIu64 ","
                    "\"intermediate_size\":%" PRIu64
                    ",\"num_hidden_layers\":%d,\"num_attention_heads\":%" PRIu64 ","
                    "\"num_key_value_heads\":%" PRIu64 ",\"head_dim\":%" PRIu64
                    ",\"vocab_size\":%" PRIu64 ","
                    "\"max_position_embeddings\":4096,\"torch_dtype\":\"bfloat16\","
                    "\"tie_word_embeddings\":%s}",
                    type, architecture, s->width, s->ffn, s->layers, s->heads, s->kv_heads,
                    s->head_dim, s->vocab, tied ? "true" : "false"));
}

static void llama_2_holds_frequencies_and_qwen3_its_head_twice(void **state)
{
    (void)state;
    begin_folder();
    write_config(&LLAMA_2_7B, "llama", "LlamaForCausalLM", false);
    begin();
    put_llama(&LLAMA_2_7B, plain);
    put("lm_head.weight", "BF16", SHAPE_OF(32000, 4096));
    end("model.safetensors");
    Model *model = reads(folder);
    assert_int_equal(model_params(model), 6738415616);    // meta-llama/Llama-2-7b-hf
    assert_int_equal(model_stored(model), 6738417664);
    has_extra(model, 2048, "32 x self_attn.rotary_emb.inv_freq: frequencies of rotary positions");
    assert_int_equal(model->note_count, 0);
    assert_string_equal(model->stored[0].name, "BF16");
    assert_string_equal(model->stored[1].name, "F32");
    assert_int_equal(model->stored[1].bytes, 8192);

    begin_folder();
    write_config(&QWEN3_06B, "qwen3", "Qwen3ForCausalLM", true);
    begin();
    put_llama(&QWEN3_06B, plain);
    put("lm_head.weight", "BF16", SHAPE_OF(151936, 1024));
    end("model.safetensors");
    model = reads(folder);
    assert_int_equal(model_params(model), 596049920);    // Qwen/Qwen3-0.6B
    assert_int_equal(model_stored(model), 751632384);
    has_extra(model, 155582464, "1 x lm_head.weight: the embedding once more");
}

// DeepSeek's blocks of 128 x 128 have a scale each.
static void scaled(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.weight", name), "F8_E4M3", SHAPE_OF(rows, cols));
    put(arena_print(arena, "%s.weight_scale_inv", name), "F32",
        SHAPE_OF((rows + 127) / 128, (cols + 127) / 128));
}

static void put_deepseek_mlp(int layer, const char *name, uint64_t ffn)
{
    enum { H = 7168 };
    char part[96];
    snprintf(part, sizeof part, "mlp.%sgate_proj", name);
    scaled(in_layer(layer, part), ffn, H);
    snprintf(part, sizeof part, "mlp.%sup_proj", name);
    scaled(in_layer(layer, part), ffn, H);
    snprintf(part, sizeof part, "mlp.%sdown_proj", name);
    scaled(in_layer(layer, part), H, ffn);
}

static void put_deepseek_layer(int l)
{
    enum { H = 7168, A = 128, RQ = 1536, RKV = 512 };
    scaled(in_layer(l, "self_attn.q_a_proj"), RQ, H);
    put(in_layer(l, "self_attn.q_a_layernorm.weight"), "BF16", SHAPE_OF(RQ));
    scaled(in_layer(l, "self_attn.q_b_proj"), A * 192, RQ);
    scaled(in_layer(l, "self_attn.kv_a_proj_with_mqa"), RKV + 64, H);
    put(in_layer(l, "self_attn.kv_a_layernorm.weight"), "BF16", SHAPE_OF(RKV));
    scaled(in_layer(l, "self_attn.kv_b_proj"), A * 256, RKV);
    scaled(in_layer(l, "self_attn.o_proj"), H, A * 128);
    put(in_layer(l, "input_layernorm.weight"), "BF16", SHAPE_OF(H));
    put(in_layer(l, "post_attention_layernorm.weight"), "BF16", SHAPE_OF(H));
    if (l < 3) {
        put_deepseek_mlp(l, "", 18432);
        return;
    }
    put(in_layer(l, "mlp.gate.weight"), "BF16", SHAPE_OF(256, H));
    put(in_layer(l, "mlp.gate.e_score_correction_bias"), "F32", SHAPE_OF(256));
    put_deepseek_mlp(l, "shared_experts.", 2048);
    for (int e = 0; e < 256; e++) {
        char expert[32];
        snprintf(expert, sizeof expert, "experts.%d.", e);
        put_deepseek_mlp(l, expert, 2048);
    }
}

static void deepseek_v3_in_62_files_has_its_published_elements(void **state)
{
    (void)state;
    begin_folder();
    write_text(
        "config.json",
        "{\"model_type\":\"deepseek_v3\",\"architectures\":[\"DeepseekV3ForCausalLM\"],"
        "\"first_k_dense_replace\":3,\"hidden_size\":7168,\"intermediate_size\":18432,"
        "\"kv_lora_rank\":512,\"max_position_embeddings\":163840,\"moe_intermediate_size\":2048,"
        "\"n_routed_experts\":256,\"n_shared_experts\":1,\"num_attention_heads\":128,"
        "\"num_experts_per_tok\":8,\"num_hidden_layers\":61,\"num_key_value_heads\":128,"
        "\"num_nextn_predict_layers\":1,\"q_lora_rank\":1536,\"qk_nope_head_dim\":128,"
        "\"qk_rope_head_dim\":64,\"topk_method\":\"noaux_tc\",\"torch_dtype\":\"bfloat16\","
        "\"v_head_dim\":128,\"vocab_size\":129280,\"quantization_config\":{\"quant_method\":"
        "\"fp8\","
        "\"weight_block_size\":[128,128]}}");
    for (int l = 0; l < 62; l++) {
        begin();
        if (l == 0) put("model.embed_tokens.weight", "BF16", SHAPE_OF(129280, 7168));
        if (l == 0) put("lm_head.weight", "BF16", SHAPE_OF(129280, 7168));
        if (l == 0) put("model.norm.weight", "BF16", SHAPE_OF(7168));
        put_deepseek_layer(l);
        if (l == 61) {
            put(in_layer(l, "embed_tokens.weight"), "BF16", SHAPE_OF(129280, 7168));
            put(in_layer(l, "shared_head.head.weight"), "BF16", SHAPE_OF(129280, 7168));
            put(in_layer(l, "shared_head.norm.weight"), "BF16", SHAPE_OF(7168));
            put(in_layer(l, "enorm.weight"), "BF16", SHAPE_OF(7168));
            put(in_layer(l, "hnorm.weight"), "BF16", SHAPE_OF(7168));
            put(in_layer(l, "eh_proj.weight"), "BF16", SHAPE_OF(7168, 14336));
        }
        end(arena_print(arena, "model-%05d-of-00062.safetensors", l + 1));
    }
    Model *model = reads(folder);
    // deepseek-ai/DeepSeek-V3: what its page counts, and what it has without the module, copies and scales
    assert_int_equal(model_stored(model), 684531386000);
    assert_int_equal(model_params(model), 671026419200);
    assert_int_equal(model->extra_count, 2);
    has_extra(model, 40838232, "45032 x *_scale_inv: scales of 8-bit matrices");
    has_extra(model, 684531386000 - 671026419200 - 40838232,
              "1564 tensors: a module that predicts further tokens (MTP)");
    assert_int_equal(model->note_count, 0);
}

static void put_gpt_oss_layer(int l)
{
    enum { H = 2880 };
    static const struct {
        const char *name, *type;
        uint64_t shape[5];
    } PARTS[] = {{"self_attn.q_proj.weight", "BF16", {4096, H}},
                 {"self_attn.q_proj.bias", "BF16", {4096}},
                 {"self_attn.k_proj.weight", "BF16", {512, H}},
                 {"self_attn.k_proj.bias", "BF16", {512}},
                 {"self_attn.v_proj.weight", "BF16", {512, H}},
                 {"self_attn.v_proj.bias", "BF16", {512}},
                 {"self_attn.o_proj.weight", "BF16", {H, 4096}},
                 {"self_attn.o_proj.bias", "BF16", {H}},
                 {"self_attn.sinks", "BF16", {64}},
                 {"input_layernorm.weight", "BF16", {H}},
                 {"post_attention_layernorm.weight", "BF16", {H}},
                 {"mlp.router.weight", "BF16", {32, H}},
                 {"mlp.router.bias", "BF16", {32}},
                 {"mlp.experts.gate_up_proj_blocks", "U8", {32, 2 * H, 90, 16}},
                 {"mlp.experts.gate_up_proj_scales", "U8", {32, 2 * H, 90}},
                 {"mlp.experts.gate_up_proj_bias", "BF16", {32, 2 * H}},
                 {"mlp.experts.down_proj_blocks", "U8", {32, H, 90, 16}},
                 {"mlp.experts.down_proj_scales", "U8", {32, H, 90}},
                 {"mlp.experts.down_proj_bias", "BF16", {32, H}}};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        put(in_layer(l, PARTS[i].name), PARTS[i].type, PARTS[i].shape);
}

static void gpt_oss_packs_two_numbers_into_a_byte(void **state)
{
    (void)state;
    begin_folder();
    write_text(
        "config.json",
        "{\"model_type\":\"gpt_oss\",\"architectures\":[\"GptOssForCausalLM\"],\"head_dim\":64,"
        "\"attention_bias\":true,\"hidden_size\":2880,\"intermediate_size\":2880,"
        "\"num_attention_heads\":64,\"num_experts_per_tok\":4,\"num_hidden_layers\":24,"
        "\"num_key_value_heads\":8,\"num_local_experts\":32,\"sliding_window\":128,"
        "\"tie_word_embeddings\":false,\"vocab_size\":201088,\"max_position_embeddings\":131072,"
        "\"quantization_config\":{\"quant_method\":\"mxfp4\"}}");
    begin();
    put("model.embed_tokens.weight", "BF16", SHAPE_OF(201088, 2880));
    put("lm_head.weight", "BF16", SHAPE_OF(201088, 2880));
    put("model.norm.weight", "BF16", SHAPE_OF(2880));
    for (int l = 0; l < 24; l++) put_gpt_oss_layer(l);
    end("model.safetensors");
    Model *model = reads(folder);
    assert_int_equal(model_params(model), 20914757184);    // openai/gpt-oss-20b
    has_extra(model, 597196800, "48 x *_scales: scales of quantised matrices");
    // Its page counts two numbers in each byte of the blocks: 21511953984 = parameters and scales.
    const uint64_t packed = 24ull * 32 * (5760 + 2880) * 2880;
    assert_int_equal(model_stored(model), 21511953984 - packed / 2);
    has_note(
        model,
        "19110297600 parameters are packed into 9555148800 elements of U8, in 48 tensors such as "
        "model.layers.0.mlp.experts.down_proj_blocks");
}

// ---- other ways to pack ----

static void gptq4(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.qweight", name), "I32", SHAPE_OF(cols / 8, rows));
    put(arena_print(arena, "%s.qzeros", name), "I32", SHAPE_OF(cols / 128, rows / 8));
    put(arena_print(arena, "%s.scales", name), "F16", SHAPE_OF(cols / 128, rows));
    put(arena_print(arena, "%s.g_idx", name), "I32", SHAPE_OF(cols));
}

static void gptq3(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.qweight", name), "I32", SHAPE_OF(cols * 3 / 32, rows));
    put(arena_print(arena, "%s.qzeros", name), "I32", SHAPE_OF(cols / 128, rows * 3 / 32));
    put(arena_print(arena, "%s.scales", name), "F16", SHAPE_OF(cols / 128, rows));
}

static void awq4(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.qweight", name), "I32", SHAPE_OF(cols, rows / 8));
    put(arena_print(arena, "%s.qzeros", name), "I32", SHAPE_OF(cols / 128, rows / 8));
    put(arena_print(arena, "%s.scales", name), "F16", SHAPE_OF(cols / 128, rows));
}

static void nf4(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.weight", name), "U8", SHAPE_OF(rows * cols / 2, 1));
    put(arena_print(arena, "%s.weight.absmax", name), "U8", SHAPE_OF(rows * cols / 64));
    put(arena_print(arena, "%s.weight.quant_map", name), "F32", SHAPE_OF(16));
}

static void compressed(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.weight_packed", name), "I32", SHAPE_OF(rows, cols / 8));
    put(arena_print(arena, "%s.weight_scale", name), "BF16", SHAPE_OF(rows, cols / 128));
    put(arena_print(arena, "%s.weight_shape", name), "I64", SHAPE_OF(2));
}

static void int8(const char *name, uint64_t rows, uint64_t cols)
{
    put(arena_print(arena, "%s.weight", name), "I8", SHAPE_OF(rows, cols));
    put(arena_print(arena, "%s.SCB", name), "F32", SHAPE_OF(rows));
}

static void packed_integers_are_elements_and_not_parameters(void **state)
{
    (void)state;
    static const struct {
        Matrix *matrix;
        uint64_t per_element;    // numbers, in 32nds
        const char *type, *scales;
    } WAYS[] = {{gptq4, 8 * 32, "I32", "21 x *.scales: scales of quantised matrices"},
                {gptq3, 1024 / 3, "I32", "21 x *.scales: scales of quantised matrices"},
                {awq4, 8 * 32, "I32", "21 x *.scales: scales of quantised matrices"},
                {nf4, 2 * 32, "U8", "21 x *absmax: scales of quantised matrices"},
                {compressed, 8 * 32, "I32", "21 x *_scale: scales of quantised matrices"},
                {int8, 0, NULL, "21 x *.SCB: scales of 8-bit matrices"}};
    const Sizes *s = &SMALL;
    const uint64_t matrices = 3ull * (256 * 256 * 2 + 2 * 128 * 256 + 3 * 512 * 256);
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
        begin_folder();
        write_config(s, "llama", "LlamaForCausalLM", true);
        begin();
        put_llama(s, WAYS[i].matrix);
        end("model.safetensors");
        Model *model = reads(folder);
        assert_int_equal(model_params(model), matrices + 100 * 256 + 7 * 256);
        bool scales = false;
        for (int e = 0; e < model->extra_count; e++)
            scales |= strcmp(model->extras[e].what, WAYS[i].scales) == 0;
        if (!scales) fail_msg("way %zu: no extra says %s", i, WAYS[i].scales);
        assert_int_equal(model->note_count, WAYS[i].type != NULL);    // none is missing
        if (WAYS[i].type == NULL) continue;
        uint64_t elements =
            WAYS[i].matrix == gptq3 ? matrices * 3 / 32 : matrices * 32 / WAYS[i].per_element;
        char start[128];
        snprintf(start, sizeof start,
                 "%" PRIu64 " parameters are packed into %" PRIu64
                 " elements of %s, in 21 tensors such as ",
                 matrices, elements, WAYS[i].type);
        if (strncmp(model->notes[0], start, strlen(start)) != 0)
            fail_msg("said %s", model->notes[0]);
        assert_int_equal(unlink(in_folder("config.json")), 0);
        Model *named = reads(folder);    // without a configuration its family is unknown
        if (WAYS[i].matrix != compressed) {
            // Scales and zeros tell the bits, norms the width.
            assert_int_equal(model_params(named), model_params(model));
            continue;
        }
        assert_int_equal(model_params(named), 100 * 256 + 7 * 256);
        has_extra(
            named, elements,
            "integers that hold packed matrices: a config.json would tell of how many parameters");
    }
}

// Eight experts' matrices have eight times the bits of one in bytes: that is no reason to see them there.
static void an_expert_in_bytes_is_one_and_not_eight_in_bits(void **state)
{
    (void)state;
    begin_folder();
    write_text(
        "config.json",
        "{\"model_type\":\"mixtral\",\"architectures\":[\"MixtralForCausalLM\"],\"hidden_size\":64,"
        "\"intermediate_size\":96,\"num_hidden_layers\":1,\"num_attention_heads\":4,"
        "\"num_key_value_heads\":2,\"num_local_experts\":8,\"num_experts_per_tok\":2,"
        "\"vocab_size\":100,\"max_position_embeddings\":4096,\"torch_dtype\":\"bfloat16\"}");
    begin();
    for (int e = 0; e < 8; e++) {
        put(arena_print(arena, "model.layers.0.block_sparse_moe.experts.%d.w1.weight", e), "I8",
            SHAPE_OF(96, 64));
        put(arena_print(arena, "model.layers.0.block_sparse_moe.experts.%d.w3.weight", e), "U8",
            SHAPE_OF(96 * 64 / 2));
    }
    end("model.safetensors");
    Model *model = reads(folder);
    assert_int_equal(model->extra_count, 0);
    has_note(model, "49152 parameters are packed into 24576 elements of U8, in 8 tensors such as "
                    "model.layers.0.block_sparse_moe.experts.0.w3.weight");
    for (int i = 0; i < model->note_count; i++)
        assert_null(strstr(model->notes[i], "experts.w1"));    // none is missing
}

// ---- what does not fit ----

static void missing_and_extra_tensors_are_noted(void **state)
{
    (void)state;
    begin_folder();
    Sizes four = SMALL, wide = SMALL;
    four.layers = 4, wide.vocab = 104;
    write_config(&four, "llama", "LlamaForCausalLM", false);
    begin();
    put_llama(&wide, plain);    // three layers, and a larger vocabulary
    put("model.layers.0.self_attn.odd.weight", "BF16", SHAPE_OF(7));
    put("model.layers.1.self_attn.odd.weight", "BF16", SHAPE_OF(7));
    end("model.safetensors");
    Model *model = reads(folder);
    has_extra(model, 104 * 256, "1 x embed_tokens.weight: not as the configuration says");
    has_extra(model, 14, "2 x self_attn.odd.weight: not in the configuration");
    has_note(model, "not in the files: 1 of 1 x embed_tokens.weight");
    has_note(model, "not in the files: 1 of 4 x input_layernorm.weight");
    has_note(model,
             "not in the files: tensors of 7 other names");    // of nine a layer, and the head: ten
    begin_folder();
    write_config(&SMALL, "llama", "LlamaForCausalLM", true);
    begin();
    put("layers.0.attention.wq.weight", "BF16", SHAPE_OF(256, 256));
    end("model.safetensors");
    model = reads(folder);
    assert_int_equal(model_params(model), 256 * 256);
    assert_non_null(strstr(model->notes[model->note_count - 1],
                           "its tensors are not named as those of the family llama (the first is "
                           "'layers.0.attention.wq."));
}

static void two_stacks_are_distinguished(void **state)
{
    (void)state;
    begin_folder();
    write_text(
        "config.json",
        "{\"model_type\":\"t5\",\"architectures\":[\"T5ForConditionalGeneration\"],\"d_model\":64,"
        "\"d_kv\":16,\"d_ff\":128,\"num_layers\":2,\"num_decoder_layers\":1,\"num_heads\":4,"
        "\"vocab_size\":100}");
    begin();
    put("shared.weight", "F32", SHAPE_OF(100, 64));
    put("encoder.embed_tokens.weight", "F32", SHAPE_OF(100, 64));
    for (int b = 0; b < 3; b++) {
        bool decoder = b == 2;
        const char *stack = decoder  ? "decoder.block.0.layer."
                            : b == 0 ? "encoder.block.0.layer."
                                     : "encoder.block.1.layer.";
        for (int layer = 0; layer < (decoder ? 2 : 1); layer++)
            for (const char *m = "qkvo"; *m != '\0'; m++)
                put(arena_print(arena, "%s%d.%s.%c.weight", stack, layer,
                                layer == 0 ? "SelfAttention" : "EncDecAttention", *m),
                    "F32", SHAPE_OF(64, 64));
        if (b != 1)
            put(arena_print(arena, "%s0.SelfAttention.relative_attention_bias.weight", stack),
                "F32", SHAPE_OF(32, 4));
        int mlp = decoder ? 2 : 1;
        put(arena_print(arena, "%s%d.DenseReluDense.wi.weight", stack, mlp), "F32",
            SHAPE_OF(128, 64));
        put(arena_print(arena, "%s%d.DenseReluDense.wo.weight", stack, mlp), "F32",
            SHAPE_OF(64, 128));
        for (int n = 0; n <= mlp; n++)
            put(arena_print(arena, "%s%d.layer_norm.weight", stack, n), "F32", SHAPE_OF(64));
    }
    put("encoder.final_layer_norm.weight", "F32", SHAPE_OF(64));
    put("decoder.final_layer_norm.weight", "F32", SHAPE_OF(64));
    end("model.safetensors");
    Model *model = reads(folder);
    assert_int_equal(model->extra_count, 1);
    has_extra(model, 6400, "1 x encoder.embed_tokens.weight: the embedding once more");
    for (int i = 0; i < model->note_count; i++)
        assert_null(strstr(model->notes[i], "not in the files"));
    assert_int_equal(model_stored(model), model_params(model) + 6400);
}

// ---- which files ----

static void write_part(const char *file, const char *name)
{
    begin();
    put(name, "BF16", SHAPE_OF(64));
    end(file);
}

static void all_files_of_an_index_are_read(void **state)
{
    (void)state;
    const char *index = "model.safetensors.index.json";
    begin_folder();
    write_part("a.safetensors", "x.norm.weight");
    write_text(index, "{\"weight_map\":{\"x.norm.weight\":\"a.safetensors\",\"y.norm.weight\":\"b."
                      "safetensors\"}}");
    refuses(folder, "b.safetensors: cannot be read: No such file or directory");
    refuses(in_folder(index), "model.safetensors.index.json: ");    // it says who names the file
    write_part("b.safetensors", "z.norm.weight");
    refuses(folder, "names 'y.norm.weight' in b.safetensors, which does not hold it");
    write_part("b.safetensors", "x.norm.weight");
    refuses(folder, "b.safetensors: holds 'x.norm.weight', as ");
    write_part("b.safetensors", "y.norm.weight");
    assert_int_equal(model_params(reads(folder)), 128);
    assert_int_equal(model_params(reads(in_folder(index))), 128);
    assert_int_equal(model_params(reads(in_folder("b.safetensors"))), 64);
    write_text(index, "{\"weight_map\":{\"x.norm.weight\":\"b.safetensors\",\"y.norm.weight\":\"a."
                      "safetensors\"}}");
    refuses(folder, "which does not hold it");
    static const char *const WRONG[][2] = {
        {"{\"weight_map\":{\"x\":\"../../etc/passwd.safetensors\"}}",
         "weight_map has '../../etc/passwd.safetensors'"},
        {"{\"weight_map\":{\"x\":\"pytorch_model.bin\"}}",
         "expected a .safetensors file beside it"},
        {"{\"weight_map\":{\"x\":1}}", "weight_map has '' for 'x'"},
        {"{\"weight_map\":{}}", "weight_map names no files"},
        {"{\"weight_map\":[]}", "has no object \"weight_map\""},
        {"{}", "has no object \"weight_map\""},
        {"{\"weight_map\"", "is not JSON from here on"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        write_text(index, WRONG[i][0]);
        refuses(folder, WRONG[i][1]);
    }
}

static void a_folder_or_a_part_names_the_whole(void **state)
{
    (void)state;
    begin_folder();
    refuses(folder, "has neither a config.json nor safetensors files");
    refuses(in_folder("none.safetensors"), "none.safetensors: cannot be read: No such file");
    write_part("one.safetensors", "a.norm.weight");
    write_part("two.safetensors", "b.norm.weight");
    assert_int_equal(model_params(reads(folder)), 128);
    write_part("model.safetensors", "c.norm.weight");    // which is what transformers looks for
    assert_int_equal(model_params(reads(folder)), 64);
    begin_folder();
    write_part("m-00001-of-00003.safetensors", "a.norm.weight");
    write_part("m-00003-of-00003.safetensors", "c.norm.weight");
    refuses(in_folder("m-00003-of-00003.safetensors"),
            "m-00002-of-00003.safetensors: cannot be read");
    write_part("m-00002-of-00003.safetensors", "b.norm.weight");
    assert_int_equal(model_params(reads(in_folder("m-00002-of-00003.safetensors"))), 192);
    write_text("m-00002-of-00003.safetensors", "not a header");
    refuses(folder, "m-00002-of-00003.safetensors: a header of");
    begin_folder();
    write_part("ids.safetensors", "position_ids");
    refuses(folder, "holds no tensor that may be a parameter");
}

static void an_adapter_names_its_base_and_rank(void **state)
{
    static const char sentence[] = ": is a LoRA adapter of rank 16 for meta-llama/Llama-3.1-8B, "
                                   "not a model: ask about the base "
                                   "model, with --method lora --rank 16";
    (void)state;
    begin_folder();
    write_text("adapter_config.json", "{\"peft_type\": \"LORA\", \"r\": 16,"
                                      " \"base_model_name_or_path\": \"meta-llama/Llama-3.1-8B\"}");
    refuses(folder, sentence);
    write_part("adapter_model.safetensors",
               "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    refuses(folder, sentence);
    refuses(in_folder("adapter_model.safetensors"), sentence);
    begin_folder();
    write_part("lora.safetensors", "base_model.model.layers.0.q_proj.lora_A.weight");
    refuses(folder, "is a LoRA adapter for a base model that it does not name, not a model");
}

// A configuration that says too little leaves the tensors to count, and a warning.
static void expect_by_names(const char *why)
{
    Model *model = reads(folder);
    const char *last = model->notes[model->note_count - 1];
    if (strstr(last, why) == NULL || strstr(last, "counted from the tensors: ") == NULL)
        fail_msg("said %s", last);
    assert_true(model->warnings >> (model->note_count - 1) & 1);
}

static void a_damaged_configuration_is_not_passed_over(void **state)
{
    (void)state;
    begin_folder();
    write_part("model.safetensors", "model.norm.weight");
    write_text("config.json", "{\"model_type\":");
    refuses(folder, "config.json:1: is not JSON from here on");
    write_text("config.json", "{\"model_type\":\n\"llama\", \"hidden_size\": -Infinity}");
    expect_by_names("\"hidden_size\" is missing, expected a whole number from 1");
    write_text("config.json", "{\"model_type\": NaN}");
    expect_by_names("\"model_type\" is \"?\", a family that is not known here");
    write_text("config.json",
               "{\"model_type\":\"llamma\",\"architectures\":[\"LlammaForCausalLM\"]}");
    expect_by_names("a family that is not known here; did you mean \"llama\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_holds_masks_beside_its_parameters),
        cmocka_unit_test(llama_2_holds_frequencies_and_qwen3_its_head_twice),
        cmocka_unit_test(deepseek_v3_in_62_files_has_its_published_elements),
        cmocka_unit_test(gpt_oss_packs_two_numbers_into_a_byte),
        cmocka_unit_test(packed_integers_are_elements_and_not_parameters),
        cmocka_unit_test(an_expert_in_bytes_is_one_and_not_eight_in_bits),
        cmocka_unit_test(missing_and_extra_tensors_are_noted),
        cmocka_unit_test(two_stacks_are_distinguished),
        cmocka_unit_test(all_files_of_an_index_are_read),
        cmocka_unit_test(a_folder_or_a_part_names_the_whole),
        cmocka_unit_test(an_adapter_names_its_base_and_rank),
        cmocka_unit_test(a_damaged_configuration_is_not_passed_over),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
