/* gguf_model.c -- llama.cpp's files of the architectures gpt2, llama, qwen2 and qwen3, read and written. */
#include "labs/3_language/transformer/files/gguf_model.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernels/device.h"
#include "labs/3_language/transformer/files/rope_factors.h"
#include "labs/3_language/transformer/files/sources.h"

// ---- settings ----

enum { KEY_BYTES = 96 };

typedef struct Settings {
    const Gguf *file;
    const char *arch;
    Error *err;
    bool failed;
} Settings;

// "llama.attention.head_count"
static const char *key_of(char key[KEY_BYTES], const char *arch, const char *name)
{
    snprintf(key, KEY_BYTES, "%s.%s", arch, name);
    return key;
}

static const GgufValue *value(const Settings *s, const char *name)
{
    return gguf_value(s->file, key_of((char[KEY_BYTES]){0}, s->arch, name));
}

static void fail(Settings *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(Settings *s, const char *format, ...)
{
    if (s->failed) return;
    s->failed = true;
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(s->err, "%s: %s", s->file->path, text);
}

// A whole number of at most 2^30, one for all layers. fallback -1: it must be there.
static int integer(Settings *s, const char *name, int fallback)
{
    const GgufValue *found = value(s, name);
    uint64_t number = 0;
    if (found == NULL && fallback < 0) fail(s, "'%s.%s' is missing", s->arch, name);
    if (found == NULL) return fallback;
    if (found->array)
        fail(s, "'%s.%s' is a list, expected one number for all layers", s->arch, name);
    else if (!gguf_integer_at(found, 0, &number) || number > (1 << 30))
        fail(s, "'%s.%s' is not a whole number of at most 2^30", s->arch, name);
    return (int)number;
}

static float real(Settings *s, const char *name, float fallback)
{
    const GgufValue *found = value(s, name);
    double number = 0;
    if (found == NULL && isnan(fallback)) fail(s, "'%s.%s' is missing", s->arch, name);
    if (found == NULL) return fallback;
    if (!gguf_real_at(found, 0, &number) || !(number >= 0 && number < 1e12))
        fail(s, "'%s.%s' is not a number from 0", s->arch, name);
    return (float)number;
}

static int token(const Gguf *file, const char *key)
{
    uint64_t number;
    return gguf_integer_at(gguf_value(file, key), 0, &number) && number < (1 << 30) ? (int)number
                                                                                    : -1;
}

// ---- reading ----

static bool has(const Settings *s, const char *tensor)
{
    return gguf_tensor(s->file, tensor) != NULL;
}

static void read_scaling(Settings *s, ModelConfig *c)
{
    RopeScaling *scaling = &c->rope.scaling;
    GgufText type = {NULL, 0};
    gguf_next_text(value(s, "rope.scaling.type"), &type);
    const bool linear = type.length == 6 && memcmp(type.bytes, "linear", 6) == 0;
    const bool yarn = type.length == 4 && memcmp(type.bytes, "yarn", 4) == 0;
    const bool none = type.length == 0 || (type.length == 4 && memcmp(type.bytes, "none", 4) == 0);
    if (!linear && !yarn && !none)
        fail(s, "'%s.rope.scaling.type' is '%.*s', expected none, linear or yarn", s->arch,
             (int)(type.length < 40 ? type.length : 40), type.bytes);
    if (none) return;
    scaling->kind = linear ? ROPE_LINEAR : ROPE_YARN;
    scaling->factor = real(s, "rope.scaling.factor", NAN);
    if (!(scaling->factor >= 1)) fail(s, "'%s.rope.scaling.factor' is below 1", s->arch);
    if (!yarn) return;
    scaling->original_positions = integer(s, "rope.scaling.original_context_length", c->context);
    static const char *const others[] = {
        "rope.scaling.attn_factor",     "rope.scaling.yarn_attn_factor",
        "rope.scaling.yarn_beta_fast",  "rope.scaling.yarn_beta_slow",
        "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (value(s, others[i]) != NULL) fail(s, "'%s.%s' is not supported", s->arch, others[i]);
}

const char gguf_model_factors[] = "rope_freqs.weight";

// The settings beside the factors are ours: other writers leave them out.
static void read_factors(Settings *s, ModelConfig *c)
{
    const GgufTensor *tensor = gguf_tensor(s->file, gguf_model_factors);
    if (tensor == NULL || s->failed) return;
    RopeScaling *scaling = &c->rope.scaling;
    if (tensor->type != DTYPE_F32 || tensor->dims != 1 || tensor->count != (uint64_t)c->head / 2) {
        fail(s, "'%s' is not %d numbers of F32, half a head", gguf_model_factors, c->head / 2);
        return;
    }
    scaling->low_freq_factor = real(s, "rope.scaling.low_freq_factor", 0);
    scaling->high_freq_factor = real(s, "rope.scaling.high_freq_factor", 0);
    scaling->original_positions = integer(s, "rope.scaling.original_context_length", 0);
    float *factors = malloc(tensor->bytes);
    REQUIRE(factors != NULL, "no memory for %d factors", c->head / 2);
    memcpy(factors, tensor->data, tensor->bytes);
    if (!rope_factors_read(c, factors))
        fail(s, "'%s' is not the scaling of a Llama 3 model, the only one that is supported",
             gguf_model_factors);
    free(factors);
}

static void read_llama(Settings *s, ModelConfig *c)
{
    c->norm = NORM_RMS;
    c->rotary = true;
    c->mlp = MLP_SWIGLU;
    c->eps = real(s, "attention.layer_norm_rms_epsilon", NAN);
    c->rope.theta = real(s, "rope.freq_base", 10000);
    c->qkv_bias = has(s, "blk.0.attn_q.bias");
    c->out_bias = has(s, "blk.0.attn_output.bias");
    c->mlp_bias = has(s, "blk.0.ffn_gate.bias");
    c->qk_norm = strcmp(s->arch, "qwen3") == 0;
    read_scaling(s, c);
    const int rotated = integer(s, "rope.dimension_count", c->head);
    if (rotated != c->head)
        fail(s, "'%s.rope.dimension_count' is %d, expected all %d of a head", s->arch, rotated,
             c->head);
    read_factors(s, c);
    if (integer(s, "expert_count", 0) > 0) fail(s, "has experts, which are not supported");
    const int window = integer(s, "attention.sliding_window", 0);
    if (window > 0 && window < c->context)
        fail(s, "'%s.attention.sliding_window' is %d, which is not supported", s->arch, window);
}

static void read_config(Settings *s, ModelConfig *c)
{
    const GgufTensor *embedding = gguf_tensor(s->file, "token_embd.weight");
    if (embedding == NULL || embedding->dims != 2 || embedding->shape[1] > INT32_MAX)
        fail(s, "lacks a 'token_embd.weight' of two dimensions");
    else c->vocabulary = (int)embedding->shape[1];
    c->context = integer(s, "context_length", -1);
    c->width = integer(s, "embedding_length", -1);
    c->layers = integer(s, "block_count", -1);
    c->ff = integer(s, "feed_forward_length", -1);
    c->heads = integer(s, "attention.head_count", -1);
    c->kv_heads = integer(s, "attention.head_count_kv", c->heads);
    if (s->failed) return;
    c->head = c->heads > 0 && c->width % c->heads == 0 ? c->width / c->heads : 0;
    c->head = integer(s, "attention.key_length", c->head);
    if (integer(s, "attention.value_length", c->head) != c->head)
        fail(s, "has values of another length than keys, which is not supported");
    c->tied = !has(s, "output.weight");
    c->bos = token(s->file, "tokenizer.ggml.bos_token_id");
    c->stops[0] = token(s->file, "tokenizer.ggml.eos_token_id");
    c->stop_count = c->stops[0] >= 0;
    if (strcmp(s->arch, "gpt2") != 0) {
        read_llama(s, c);
        return;
    }
    c->eps = real(s, "attention.layer_norm_epsilon", NAN);
    c->qkv_bias = c->out_bias = c->mlp_bias = true;
}

static bool find(const ModelFile *file, const char *name, Found *found)
{
    const GgufTensor *tensor = gguf_tensor(file->gguf, name);
    if (tensor == NULL) return false;
    *found = (Found){.type = tensor->type,
                     .dims = tensor->dims,
                     .data = tensor->data,
                     .index = (int)(tensor - file->gguf->tensors)};
    for (int d = 0; d < tensor->dims; d++) found->shape[d] = tensor->shape[tensor->dims - 1 - d];
    return true;
}

static const char *name_at(const ModelFile *file, int index)
{
    return file->gguf->tensors[index].name;
}

static bool needless(const char *name)    // it is read with the settings
{
    return strcmp(name, gguf_model_factors) == 0;
}

static const char *find_arch(const Gguf *file, Error *err)
{
    static const char *const known[] = {"llama", "gpt2", "qwen2", "qwen3"};
    GgufText text;
    if (!gguf_text(file, "general.architecture", &text, err)) return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text.length == strlen(known[i]) && memcmp(text.bytes, known[i], text.length) == 0)
            return known[i];
    error_set(err, "%s: its architecture is '%.*s', expected gpt2, llama, qwen2 or qwen3",
              file->path, (int)(text.length < 40 ? text.length : 40), text.bytes);
    return NULL;
}

bool source_open_gguf(ModelFile *file, Error *err)
{
    file->format = "GGUF";
    file->gguf = gguf_open(file->path, err);
    if (file->gguf == NULL) return false;
    uint64_t parts = 1;
    if (gguf_integer_at(gguf_value(file->gguf, "split.count"), 0, &parts) && parts > 1)
        return error_set(err, "%s: is one of %" PRIu64 " parts, expected a whole model", file->path,
                         parts);
    const char *arch = find_arch(file->gguf, err);
    if (arch == NULL) return false;
    Settings settings = {.file = file->gguf, .arch = arch, .err = err};
    file->config.bos = -1;
    read_config(&settings, &file->config);
    if (settings.failed || !model_config_check(&file->config, file->path, err)) return false;
    file->family = config_json_family(&file->config, err);
    if (file->family == NULL) return error_wrap(err, "%s", file->path);
    const Format format = strcmp(arch, "gpt2") == 0    ? FORMAT_GGUF_GPT2
                          : strcmp(arch, "llama") == 0 ? FORMAT_GGUF_LLAMA
                                                       : FORMAT_GGUF;
    file->pieces = pieces_of(file->arena, &file->config, format);
    const Source source = {.path = file->path,
                           .count = file->gguf->tensor_count,
                           .find = find,
                           .name = name_at,
                           .needless = needless};
    return source_bind(file, &source, err);
}

// ---- writing ----

static void put_integer(GgufWriter *out, const char *arch, const char *name, int number)
{
    gguf_writer_integer(out, key_of((char[KEY_BYTES]){0}, arch, name), (uint32_t)number);
}

static void put_real(GgufWriter *out, const char *arch, const char *name, float number)
{
    gguf_writer_real(out, key_of((char[KEY_BYTES]){0}, arch, name), number);
}

static void put_rope(GgufWriter *out, const char *arch, const ModelConfig *c)
{
    const RopeScaling *scaling = &c->rope.scaling;
    put_real(out, arch, "rope.freq_base", c->rope.theta);
    put_integer(out, arch, "rope.dimension_count", c->head);
    if (scaling->kind == ROPE_PLAIN) return;
    if (scaling->kind != ROPE_LINEAR)
        put_integer(out, arch, "rope.scaling.original_context_length", scaling->original_positions);
    if (scaling->kind == ROPE_LLAMA3) {
        put_real(out, arch, "rope.scaling.low_freq_factor", scaling->low_freq_factor);
        put_real(out, arch, "rope.scaling.high_freq_factor", scaling->high_freq_factor);
        return;
    }
    gguf_writer_text(out, key_of((char[KEY_BYTES]){0}, arch, "rope.scaling.type"),
                     scaling->kind == ROPE_LINEAR ? "linear" : "yarn");
    put_real(out, arch, "rope.scaling.factor", scaling->factor);
}

void gguf_model_settings(GgufWriter *out, const ModelFamily *family, const ModelConfig *c)
{
    const char *arch = family->type;
    gguf_writer_text(out, "general.architecture", arch);
    put_integer(out, arch, "vocab_size", c->vocabulary);
    put_integer(out, arch, "context_length", c->context);
    put_integer(out, arch, "embedding_length", c->width);
    put_integer(out, arch, "block_count", c->layers);
    put_integer(out, arch, "feed_forward_length", c->ff);
    put_integer(out, arch, "attention.head_count", c->heads);
    put_integer(out, arch, "attention.head_count_kv", c->kv_heads);
    if (c->norm == NORM_LAYER) {
        put_real(out, arch, "attention.layer_norm_epsilon", c->eps);
        return;
    }
    put_real(out, arch, "attention.layer_norm_rms_epsilon", c->eps);
    put_integer(out, arch, "attention.key_length", c->head);
    put_integer(out, arch, "attention.value_length", c->head);
    put_rope(out, arch, c);
}

static void put_vocabulary(GgufWriter *out, const ModelConfig *c, const GgufVocabulary *v)
{
    // llama.cpp's name for a file without one.
    gguf_writer_text(out, "tokenizer.ggml.model", v != NULL ? v->model : "none");
    if (c->bos >= 0) gguf_writer_integer(out, "tokenizer.ggml.bos_token_id", (uint32_t)c->bos);
    if (c->stop_count > 0)
        gguf_writer_integer(out, "tokenizer.ggml.eos_token_id", (uint32_t)c->stops[0]);
    if (v == NULL) return;
    const size_t count = (size_t)c->vocabulary;
    if (v->split != NULL) gguf_writer_text(out, "tokenizer.ggml.pre", v->split);
    gguf_writer_texts(out, "tokenizer.ggml.tokens", v->tokens, v->lengths, count);
    if (v->scores != NULL) gguf_writer_reals(out, "tokenizer.ggml.scores", v->scores, count);
    if (v->types != NULL) gguf_writer_integers(out, "tokenizer.ggml.token_type", v->types, count);
    if (v->merges != NULL)
        gguf_writer_texts(out, "tokenizer.ggml.merges", v->merges, v->merge_lengths,
                          v->merge_count);
}

static void put_tensors(GgufWriter *out, const ModelConfig *config, const Pieces *pieces,
                        const Params *params, Arena *scratch)
{
    const uint64_t half = (uint64_t)config->head / 2;
    const bool scaled = config->rope.scaling.kind == ROPE_LLAMA3;
    if (scaled) gguf_writer_tensor(out, gguf_model_factors, DTYPE_F32, 1, &half);
    for (int i = 0; i < pieces->count; i++) {
        const Piece *piece = &pieces->list[i];
        const uint64_t rows = (uint64_t)piece->rows, cols = (uint64_t)piece->cols;
        gguf_writer_tensor(out, piece->name, DTYPE_F32, cols > 0 ? 2 : 1,
                           cols > 0 ? (uint64_t[]){cols, rows} : (uint64_t[]){rows});
    }
    if (scaled) {
        float *factors = arena_alloc(scratch, half * sizeof *factors);
        rope_factors_of(factors, config);
        gguf_writer_data(out, factors, half * sizeof *factors);
    }
    for (int i = 0; i < pieces->count; i++) {
        const Piece *piece = &pieces->list[i];
        Tensor *param = params_find(params, piece->param);
        REQUIRE(param != NULL, "there is no parameter '%s'", piece->param);
        const ArenaMark mark = arena_mark(scratch);
        float *moved = arena_alloc(scratch, piece_count(piece) * sizeof *moved);
        piece_to_file(
            piece, moved,
            tensor_values(scratch, tensor_rows(scratch, param, piece->first, piece->rows)));
        gguf_writer_data(out, moved, piece_count(piece) * sizeof *moved);
        arena_rewind(scratch, mark);
    }
}

const ModelFamily *gguf_model_family(const ModelConfig *config, const char *path, Error *err)
{
    const ModelFamily *family = config_json_family(config, err);
    const RopeScaling *scaling = &config->rope.scaling;
    if (family == NULL) error_wrap(err, "%s", path);
    else if (config->mlp == MLP_GELU_ERF)
        error_set(err, "%s: GGUF has no GELU by erf in gpt2", path);
    else if (scaling->beta_fast > 0 || scaling->beta_slow > 0 || scaling->attention_factor > 0)
        error_set(err, "%s: yarn's beta and attention factors are not written to GGUF", path);
    else return family;
    return NULL;
}

bool gguf_model_write(const char *path, const ModelConfig *config, const Params *params,
                      const GgufVocabulary *vocabulary, Error *err)
{
    const ModelFamily *family = gguf_model_family(config, path, err);
    if (family == NULL) return false;
    GgufWriter *out = gguf_writer_open(path, err);
    if (out == NULL) return false;
    const size_t room = (size_t)model_config_params(config) * sizeof(float);
    Arena *scratch = arena_new("GGUF", 2 * room + ((size_t)64 << 20));
    const Pieces pieces = pieces_of(scratch, config, family->gguf);
    gguf_model_settings(out, family, config);
    gguf_writer_integer(out, "general.file_type", 0);    // all F32
    put_vocabulary(out, config, vocabulary);
    put_tensors(out, config, &pieces, params, scratch);
    arena_free(scratch);
    return gguf_writer_commit(out, err);
}
