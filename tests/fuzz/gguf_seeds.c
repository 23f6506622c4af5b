/* gguf_seeds.c -- what the fuzzers of GGUF begin with: a file with a setting of each shape and data, and
 * the header of a small DeepSeek, with latent attention, a dense layer and two of experts.
 *
 *     gguf_seeds CORPUS_OF_FUZZ_GGUF CORPUS_OF_FUZZ_GGUF_MODEL
 */
#include <stdio.h>
#include "tests/gguf_bytes.h"

static bool save(const char *folder, const char *name, const GgufBytes *file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "wb");
    if (stream == NULL) return perror(path), false;
    bool whole = fwrite(file->data, 1, file->size, stream) == file->size;
    return (fclose(stream) == 0 && whole) || (perror(path), false);
}

static void make_tiny(GgufBytes *file)
{
    const float numbers[] = {1.5f, -2};
    const uint8_t truths[] = {1, 0};
    gguf_bytes_begin(file, 3, 2, 6);
    gguf_bytes_put_string(file, "general.architecture", "llama");
    gguf_bytes_put_integer(file, "llama.block_count", 1);
    gguf_bytes_put_integer(file, "general.alignment", 8);
    gguf_bytes_put_array(file, "tokenizer.ggml.tokens", GGUF_STRING, 2, NULL, 0);
    gguf_bytes_put_text(file, "a");
    gguf_bytes_put_text(file, "bc");
    gguf_bytes_put_array(file, "x.y", GGUF_BOOL, 2, truths, sizeof truths);
    gguf_bytes_put_array(file, "x.z", GGUF_FLOAT32, 2, numbers, sizeof numbers);
    gguf_bytes_put_tensor(file, "a.weight", GGML_F16, 2, (uint64_t[]){3, 2}, 0);
    gguf_bytes_put_tensor(file, "b.weight", GGML_Q4_0, 2, (uint64_t[]){32, 2}, 16);
    gguf_bytes_pad(file, 8, 16 + 2 * 18);    // 6 halves, rounded up to 8 bytes, and 2 blocks
}

static const struct {
    const char *key;
    uint32_t number;
} metadata[] = {{"block_count", 3},
                {"context_length", 512},
                {"embedding_length", 64},
                {"feed_forward_length", 96},
                {"attention.head_count", 4},
                {"attention.head_count_kv", 1},
                {"attention.key_length", 24},
                {"attention.value_length", 16},
                {"attention.q_lora_rank", 32},
                {"attention.kv_lora_rank", 16},
                {"attention.key_length_mla", 24},
                {"attention.value_length_mla", 16},
                {"rope.dimension_count", 8},
                {"vocab_size", 320},
                {"leading_dense_block_count", 1},
                {"expert_count", 8},
                {"expert_used_count", 2},
                {"expert_shared_count", 1},
                {"expert_feed_forward_length", 32}};

// Where a tensor stands: outside the layers, in all of them, in the dense one, in those of experts.
typedef enum Place { ONCE, EACH, DENSE, ROUTED } Place;

static const struct {
    Place place;
    const char *name;
    uint32_t dims;
    uint64_t shape[3];    // innermost first
} tensors[] = {{ONCE, "token_embd.weight", 2, {64, 320}},
               {ONCE, "output_norm.weight", 1, {64}},
               {ONCE, "output.weight", 2, {64, 320}},
               {EACH, "attn_norm.weight", 1, {64}},
               {EACH, "attn_q_a.weight", 2, {64, 32}},
               {EACH, "attn_q_a_norm.weight", 1, {32}},
               {EACH, "attn_q_b.weight", 2, {32, 96}},
               {EACH, "attn_kv_a_mqa.weight", 2, {64, 24}},
               {EACH, "attn_kv_a_norm.weight", 1, {16}},
               {EACH, "attn_k_b.weight", 3, {16, 16, 4}},
               {EACH, "attn_v_b.weight", 3, {16, 16, 4}},
               {EACH, "attn_output.weight", 2, {64, 64}},
               {EACH, "ffn_norm.weight", 1, {64}},
               {DENSE, "ffn_gate.weight", 2, {64, 96}},
               {DENSE, "ffn_up.weight", 2, {64, 96}},
               {DENSE, "ffn_down.weight", 2, {96, 64}},
               {ROUTED, "ffn_gate_inp.weight", 2, {64, 8}},
               {ROUTED, "exp_probs_b.bias", 1, {8}},
               {ROUTED, "ffn_gate_exps.weight", 3, {64, 32, 8}},
               {ROUTED, "ffn_up_exps.weight", 3, {64, 32, 8}},
               {ROUTED, "ffn_down_exps.weight", 3, {32, 64, 8}},
               {ROUTED, "ffn_gate_shexp.weight", 2, {64, 32}},
               {ROUTED, "ffn_up_shexp.weight", 2, {64, 32}},
               {ROUTED, "ffn_down_shexp.weight", 2, {32, 64}}};

enum {
    METADATA = sizeof metadata / sizeof *metadata,
    TENSORS = sizeof tensors / sizeof *tensors,
    LAYERS = 3
};

// Writes it into the file unless that is NULL; returns how many there are.
static uint64_t put_tensors(GgufBytes *file)
{
    uint64_t count = 0, offset = 0;
    for (int t = 0; t < TENSORS; t++)
        for (int layer = 0; layer < (tensors[t].place == ONCE ? 1 : LAYERS); layer++) {
            if (tensors[t].place == (layer == 0 ? ROUTED : DENSE)) continue;
            char name[64], in[16] = "";
            if (tensors[t].place != ONCE) snprintf(in, sizeof in, "blk.%d.", layer);
            snprintf(name, sizeof name, "%s%s", in, tensors[t].name);
            bool vector = tensors[t].dims == 1;
            uint64_t bytes = vector ? 4 : 2;
            for (uint32_t d = 0; d < tensors[t].dims; d++) bytes *= tensors[t].shape[d];
            if (file != NULL)
                gguf_bytes_put_tensor(file, name, vector ? GGML_F32 : GGML_F16, tensors[t].dims,
                                      tensors[t].shape, offset);
            offset += (bytes + 31) / 32 * 32;
            count++;
        }
    return count;
}

static void make_model(GgufBytes *file)
{
    gguf_bytes_begin(file, 3, put_tensors(NULL), METADATA + 1);
    gguf_bytes_put_string(file, "general.architecture", "deepseek2");
    for (int i = 0; i < METADATA; i++) {
        char key[64];
        snprintf(key, sizeof key, "deepseek2.%s", metadata[i].key);
        gguf_bytes_put_integer(file, key, metadata[i].number);
    }
    put_tensors(file);
}

int main(int argc, char **argv)
{
    static GgufBytes tiny, model;
    if (argc != 3) return fputs("gguf_seeds: expected two folders\n", stderr), 2;
    make_tiny(&tiny);
    make_model(&model);
    return save(argv[1], "tiny.gguf", &tiny) && save(argv[2], "model.gguf", &model) ? 0 : 1;
}
