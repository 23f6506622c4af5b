#include "labs/3_language/transformer/files/pieces.h"
#include <stdio.h>
#include <string.h>

typedef enum Part { WHOLE, Q, K, V, GATE, UP } Part;    // of a fused parameter's rows

// One row for each tensor of a file; a format takes those that it has a name for. In a block the name
// follows the block's.
typedef struct Row {
    const char *param;
    Part part;
    const char *gpt2, *llama, *gguf_gpt2, *gguf;
} Row;

// clang-format off
static const Row ROWS[] = {
    {"embedding.weight", WHOLE, "transformer.wte.weight", "model.embed_tokens.weight",
     "token_embd.weight", "token_embd.weight"},
    {"positions.weight", WHOLE, "transformer.wpe.weight", NULL, "position_embd.weight", NULL},
    {"attention_norm.weight", WHOLE, "ln_1.weight", "input_layernorm.weight", "attn_norm.weight", "attn_norm.weight"},
    {"attention_norm.bias", WHOLE, "ln_1.bias", NULL, "attn_norm.bias", NULL},
    {"qkv.weight", WHOLE, "attn.c_attn.weight", NULL, "attn_qkv.weight", NULL},
    {"qkv.bias", WHOLE, "attn.c_attn.bias", NULL, "attn_qkv.bias", NULL},
    {"qkv.weight", Q, NULL, "self_attn.q_proj.weight", NULL, "attn_q.weight"},
    {"qkv.bias", Q, NULL, "self_attn.q_proj.bias", NULL, "attn_q.bias"},
    {"qkv.weight", K, NULL, "self_attn.k_proj.weight", NULL, "attn_k.weight"},
    {"qkv.bias", K, NULL, "self_attn.k_proj.bias", NULL, "attn_k.bias"},
    {"qkv.weight", V, NULL, "self_attn.v_proj.weight", NULL, "attn_v.weight"},
    {"qkv.bias", V, NULL, "self_attn.v_proj.bias", NULL, "attn_v.bias"},
    {"q_norm.weight", WHOLE, NULL, "self_attn.q_norm.weight", NULL, "attn_q_norm.weight"},
    {"k_norm.weight", WHOLE, NULL, "self_attn.k_norm.weight", NULL, "attn_k_norm.weight"},
    {"out.weight", WHOLE, "attn.c_proj.weight", "self_attn.o_proj.weight", "attn_output.weight", "attn_output.weight"},
    {"out.bias", WHOLE, "attn.c_proj.bias", "self_attn.o_proj.bias", "attn_output.bias", "attn_output.bias"},
    {"mlp_norm.weight", WHOLE, "ln_2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", "ffn_norm.weight"},
    {"mlp_norm.bias", WHOLE, "ln_2.bias", NULL, "ffn_norm.bias", NULL},
    {"up.weight", WHOLE, "mlp.c_fc.weight", NULL, "ffn_up.weight", NULL},
    {"up.bias", WHOLE, "mlp.c_fc.bias", NULL, "ffn_up.bias", NULL},
    {"up.weight", GATE, NULL, "mlp.gate_proj.weight", NULL, "ffn_gate.weight"},
    {"up.bias", GATE, NULL, "mlp.gate_proj.bias", NULL, "ffn_gate.bias"},
    {"up.weight", UP, NULL, "mlp.up_proj.weight", NULL, "ffn_up.weight"},
    {"up.bias", UP, NULL, "mlp.up_proj.bias", NULL, "ffn_up.bias"},
    {"down.weight", WHOLE, "mlp.c_proj.weight", "mlp.down_proj.weight", "ffn_down.weight", "ffn_down.weight"},
    {"down.bias", WHOLE, "mlp.c_proj.bias", "mlp.down_proj.bias", "ffn_down.bias", "ffn_down.bias"},
    {"norm.weight", WHOLE, "transformer.ln_f.weight", "model.norm.weight", "output_norm.weight", "output_norm.weight"},
    {"norm.bias", WHOLE, "transformer.ln_f.bias", NULL, "output_norm.bias", NULL},
    {"head.weight", WHOLE, "lm_head.weight", "lm_head.weight", "output.weight", "output.weight"},
};
// clang-format on
enum {
    ROW_COUNT = sizeof ROWS / sizeof *ROWS,
    BLOCK = 2,
    BEHIND = ROW_COUNT - 3
};    // where blocks begin and end

static const char *name_of(const Row *row, Format format)
{
    switch (format) {
    case FORMAT_GPT2: return row->gpt2;
    case FORMAT_LLAMA: return row->llama;
    case FORMAT_GGUF_GPT2: return row->gguf_gpt2;
    default: return row->gguf;
    }
}

size_t pieces_prefix(Format format)
{
    return format == FORMAT_GPT2    ? strlen("transformer.")
           : format == FORMAT_LLAMA ? strlen("model.")
                                    : 0;
}

const char *pieces_head(Format format)
{
    return name_of(&ROWS[ROW_COUNT - 1], format);
}

static const Parameter *find(const Parameter *list, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

// Which rows of the parameter.
static void set_rows(Piece *piece, const ModelConfig *c, Part part, int rows)
{
    const int q = c->heads * c->head, kv = c->kv_heads * c->head;
    const struct {
        int first, rows;
    } of[] = {[WHOLE] = {0, rows}, [Q] = {0, q},        [K] = {q, kv},
              [V] = {q + kv, kv},  [GATE] = {0, c->ff}, [UP] = {c->ff, c->ff}};
    piece->first = of[part].first;
    piece->rows = of[part].rows;
}

static Piece make(Arena *arena, const ModelConfig *c, const Row *row, const Parameter *param,
                  Format format, int block)
{
    char within[64] = "", outside[32] = "";
    if (param->in_block) {
        snprintf(within, sizeof within, "blocks.%d.", block);
        snprintf(outside, sizeof outside,
                 format == FORMAT_GPT2    ? "transformer.h.%d."
                 : format == FORMAT_LLAMA ? "model.layers.%d."
                                          : "blk.%d.",
                 block);
    }
    Piece piece = {.name = arena_print(arena, "%s%s", outside, name_of(row, format)),
                   .param = arena_print(arena, "%s%s", within, row->param),
                   .cols = param->cols,
                   .head = c->head};
    set_rows(&piece, c, row->part, param->rows);
    if (format == FORMAT_GPT2 && param->in_block && param->cols > 0)
        piece.layout = LAYOUT_TRANSPOSED;
    if (format == FORMAT_GGUF_LLAMA && (row->part == Q || row->part == K))
        piece.layout = LAYOUT_INTERLEAVED;
    return piece;
}

// Those of the table's rows from `first` to before `end` that the config and the format have.
static void add(Pieces *pieces, Arena *arena, const ModelConfig *config, Format format, int first,
                int end, int block)
{
    Parameter params[PARAMETER_KINDS];
    const int kinds = model_config_parameters(config, params);
    for (int i = first; i < end; i++) {
        const Parameter *param = find(params, kinds, ROWS[i].param);
        if (param != NULL && name_of(&ROWS[i], format) != NULL)
            pieces->list[pieces->count++] = make(arena, config, &ROWS[i], param, format, block);
    }
}

Pieces pieces_of(Arena *arena, const ModelConfig *config, Format format)
{
    const size_t most = (size_t)ROW_COUNT * ((size_t)config->layers + 1);
    Pieces pieces = {0, arena_alloc(arena, most * sizeof *pieces.list)};
    add(&pieces, arena, config, format, 0, BLOCK, 0);
    for (int i = 0; i < config->layers; i++) add(&pieces, arena, config, format, BLOCK, BEHIND, i);
    add(&pieces, arena, config, format, BEHIND, ROW_COUNT, 0);
    return pieces;
}

// ---- numbers ----

int piece_shape(const Piece *piece, int shape[2])
{
    const bool turned = piece->layout == LAYOUT_TRANSPOSED;
    shape[0] = turned ? piece->cols : piece->rows;
    shape[1] = turned ? piece->rows : piece->cols;
    return piece->cols > 0 ? 2 : 1;
}

size_t piece_count(const Piece *piece)
{
    return (size_t)piece->rows * (piece->cols > 0 ? (size_t)piece->cols : 1);
}

static void transpose(float *out, const float *in, int rows, int cols)    // in is [rows,cols]
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            out[(size_t)j * (size_t)rows + (size_t)i] = in[(size_t)i * (size_t)cols + (size_t)j];
}

// Of a head's rows in memory the two halves alternate in the file.
int piece_row_in_file(const Piece *piece, int r)
{
    if (piece->layout == LAYOUT_PLAIN) return r;
    const int within = r % piece->head, half = piece->head / 2;
    return r - within + 2 * (within % half) + within / half;
}

int piece_row_in_memory(const Piece *piece, int r)
{
    if (piece->layout == LAYOUT_PLAIN) return r;
    const int within = r % piece->head, half = piece->head / 2;
    return r - within + within / 2 + within % 2 * half;
}

static void move_rows(const Piece *piece, float *out, const float *in, bool to_file)
{
    const size_t cols = piece->cols > 0 ? (size_t)piece->cols : 1;
    for (int r = 0; r < piece->rows; r++) {
        const size_t memory = (size_t)r * cols, file = (size_t)piece_row_in_file(piece, r) * cols;
        memcpy(out + (to_file ? file : memory), in + (to_file ? memory : file), cols * sizeof *out);
    }
}

void piece_from_file(const Piece *piece, float *out, const float *in)
{
    switch (piece->layout) {
    case LAYOUT_PLAIN: memcpy(out, in, piece_count(piece) * sizeof *out); break;
    case LAYOUT_TRANSPOSED: transpose(out, in, piece->cols, piece->rows); break;
    case LAYOUT_INTERLEAVED: move_rows(piece, out, in, false); break;
    }
}

void piece_to_file(const Piece *piece, float *out, const float *in)
{
    switch (piece->layout) {
    case LAYOUT_PLAIN: memcpy(out, in, piece_count(piece) * sizeof *out); break;
    case LAYOUT_TRANSPOSED: transpose(out, in, piece->rows, piece->cols); break;
    case LAYOUT_INTERLEAVED: move_rows(piece, out, in, true); break;
    }
}
