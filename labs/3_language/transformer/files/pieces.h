/* pieces.h -- which tensor of a file is which rows of which parameter, for every format.
 *
 *     Pieces pieces = pieces_of(arena, &config, FORMAT_LLAMA);
 *     for (int i = 0; i < pieces.count; i++)
 *         printf("%s\n", pieces.list[i].name);    // "model.layers.0.self_attn.q_proj.weight": rows 0 ..
 *                                                 // of "blocks.0.qkv.weight"
 *
 * Reading and writing go along the same list, so that what is written is read back.
 */
#pragma once
#include "common/params.h"
#include "labs/3_language/transformer/model/config.h"

typedef enum Format {
    FORMAT_GPT2,          // Hugging Face's GPT2LMHeadModel
    FORMAT_LLAMA,         // LlamaForCausalLM, and the same names in Mistral, Qwen2 and Qwen3
    FORMAT_GGUF_GPT2,     // llama.cpp's architecture gpt2: q, k and v in one
    FORMAT_GGUF,          // qwen2, qwen3
    FORMAT_GGUF_LLAMA,    // the same names; the rows of q and k alternate
    FORMATS
} Format;

// How a matrix lies in the file.
typedef enum Layout {
    LAYOUT_PLAIN,         // [out,in], as in memory
    LAYOUT_TRANSPOSED,    // [in,out]: GPT-2's Conv1D
    // Rows 2 i and 2 i + 1 of a head, which are turned together, are rows i and i + D/2 in memory (rope.h).
    LAYOUT_INTERLEAVED
} Layout;

typedef struct Piece {
    const char *name;     // in the file
    const char *param;    // in memory
    int first, rows;      // of the parameter
    int cols;             // 0: a vector
    int head;             // D, of rows that alternate
    Layout layout;
} Piece;

typedef struct Pieces {
    int count;
    Piece *list;
} Pieces;

// All parameters of the config, each row once. What the file's names have before them in all formats but
// GGUF ("transformer.", "model.") is left out by some files: pieces_prefix() is its length.
Pieces pieces_of(Arena *arena, const ModelConfig *config, Format format);
size_t pieces_prefix(Format format);

// The output head's name, also of a model that is tied.
const char *pieces_head(Format format);

// The shape in the file, outermost first; returns the number of dimensions.
int piece_shape(const Piece *piece, int shape[2]);
size_t piece_count(const Piece *piece);

// Where row r of the piece lies in the file, of a layout that is not transposed.
int piece_row_in_file(const Piece *piece, int r);
int piece_row_in_memory(const Piece *piece, int r);    // of row r in the file

// As in the file -> as in memory, and back; count numbers each.
void piece_from_file(const Piece *piece, float *out, const float *in);
void piece_to_file(const Piece *piece, float *out, const float *in);
