#include "labs/5_frontier/paged_kv/app/quantize/metadata.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/transformer/files/gguf_model.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"

// llama.cpp's numbers of what most tensors are (include/llama.h: llama_ftype).
static void put_types(GgufWriter *out, DType type)
{
    static const uint32_t numbers[DTYPE_COUNT] = {
        [DTYPE_F32] = 0,  [DTYPE_F16] = 1,   [DTYPE_Q4_0] = 2, [DTYPE_Q4_1] = 3,
        [DTYPE_Q8_0] = 7, [DTYPE_Q4_K] = 14, [DTYPE_BF16] = 32};
    gguf_writer_integer(out, "general.file_type", numbers[type]);
    if (dtype_info[type].kind == DTYPE_KIND_QUANTIZED)
        gguf_writer_integer(out, "general.quantization_version", 2);
}

void metadata_copy(GgufWriter *out, const Gguf *from, DType type)
{
    static const char *const anew[] = {"general.file_type", "general.quantization_version",
                                       "general.alignment", "split.no",
                                       "split.count",       "split.tensors.count"};
    for (int i = 0; i < from->value_count; i++) {
        bool copied = true;
        for (size_t k = 0; k < sizeof anew / sizeof *anew; k++)
            if (strcmp(from->values[i].key, anew[k]) == 0) copied = false;
        if (copied) gguf_writer_copy(out, &from->values[i]);
    }
    put_types(out, type);
}

// ---- what a folder says ----

static void put_name(GgufWriter *out, const char *path)
{
    char name[256];
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    snprintf(name, sizeof name, "%.*s", (int)(end - start), path + start);
    gguf_writer_text(out, "general.name", name);
}

// A model that only goes on with text has none.
static void put_template(GgufWriter *out, const char *folder)
{
    Error none;
    size_t bytes;
    char *text = chat_template_read(folder, &bytes, &none);
    if (text != NULL) gguf_writer_text(out, "tokenizer.chat_template", text);
    free(text);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool put_vocabulary(GgufWriter *out, const ModelConfig *c, const char *path, Error *err)
{
    Tokenizer *tokenizer = tokenizer_open(path, err);
    if (tokenizer == NULL) return false;
    const bool good =
        tokenizer_write_gguf(tokenizer, out, c->vocabulary, err) || error_wrap(err, "%s", path);
    // What else ends a text: a turn's end beside the document's.
    static const char *const keys[] = {"tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    int others = 0;
    for (int i = 0; i < c->stop_count && good && others < 2; i++)
        if (c->stops[i] != tokenizer_eos(tokenizer))
            gguf_writer_integer(out, keys[others++], (uint32_t)c->stops[i]);
    tokenizer_close(tokenizer);
    return good;
}

bool metadata_make(GgufWriter *out, const ModelFile *file, const char *vocabulary, DType type,
                   Error *err)
{
    const ModelFamily *family = gguf_model_family(&file->config, file->path, err);
    if (family == NULL) return false;
    gguf_model_settings(out, family, &file->config);
    put_name(out, file->path);
    put_types(out, type);
    if (vocabulary == NULL) gguf_writer_text(out, "tokenizer.ggml.model", "none");
    else if (!put_vocabulary(out, &file->config, vocabulary, err)) return false;
    if (is_folder(file->path)) put_template(out, file->path);
    return true;
}
