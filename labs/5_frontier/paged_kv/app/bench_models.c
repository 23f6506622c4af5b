#include "labs/5_frontier/paged_kv/app/bench_models.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/file.h"
#include "common/text.h"
#include "labs/3_language/transformer/files/folder.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"
#include "labs/5_frontier/paged_kv/app/quantize/requantize.h"

enum { MADE_MAX = 64, CONTEXT = 1024 };

struct BenchModels {
    Arena *keep;
    const char *folder, *smollm2;
    const char *made[MADE_MAX];    // files, and folders after what is in them
    int count;
};

// Ctrl-C: a gigabyte must not stay in /tmp.
static BenchModels *to_remove;

static void remove_and_exit(int signal)
{
    bench_models_close(to_remove);
    _exit(128 + signal);
}

BenchModels *bench_models_open(Arena *keep, Error *err)
{
    BenchModels *m = to_remove = arena_zeros(keep, sizeof *m);
    const char *temporary = getenv("TMPDIR");
    char *folder = arena_print(keep, "%s/bench.XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL)
        return error_set(err, "%s: cannot be made: %s", folder, strerror(errno)), NULL;
    m->keep = keep;
    m->folder = folder;
    m->smollm2 = loaded_path(keep, "smollm2", err);
    if (m->smollm2 == NULL) m->smollm2 = "random:135m:Q4_1";
    signal(SIGINT, remove_and_exit);
    signal(SIGTERM, remove_and_exit);
    return m;
}

void bench_models_close(BenchModels *m)
{
    if (m == NULL) return;
    for (int i = 0; i < m->count; i++)    // files, and folders that are empty now
        if (unlink(m->made[i]) != 0) rmdir(m->made[i]);
    rmdir(m->folder);
}

const char *bench_models_source(const BenchModels *m)
{
    return m->smollm2;
}

static const char *add(BenchModels *m, const char *path)
{
    REQUIRE(m->count < MADE_MAX, "more than %d files", MADE_MAX);
    return m->made[m->count++] = path;
}

// ---- GGUF ----

const char *bench_models_gguf(BenchModels *m, const char *model, DType type, Error *err)
{
    const bool smollm2 = strcmp(model, "SmolLM2") == 0;
    const char *path = smollm2 ? m->smollm2 : model;
    if (smollm2 && type == DTYPE_Q4_1 && !random_weights_named(path)) return path;    // as it is
    ModelFile random, *opened = NULL;
    if (random_weights_named(path)) {
        if (!random_weights_file(&random, m->keep, path, err)) return NULL;
    } else if ((opened = model_file_open(path, err)) == NULL) return NULL;
    const char *out = add(m, arena_print(m->keep, "%s/%d.gguf", m->folder, m->count));
    const Requantize how = {.choice = {type, smollm2 ? DTYPE_NONE : type, DTYPE_NONE}};
    Requantized made;
    const bool good = requantize(m->keep, opened != NULL ? opened : &random, out, &how, &made, err);
    model_file_close(opened);
    return good ? out : NULL;
}

// ---- llama2.c ----

// The order of its file, without the tables for rotary positions.
static const char *const KINDS[] = {"token_embd.weight", "attn_norm.weight",  "attn_q.weight",
                                    "attn_k.weight",     "attn_v.weight",     "attn_output.weight",
                                    "ffn_norm.weight",   "ffn_gate.weight",   "ffn_down.weight",
                                    "ffn_up.weight",     "output_norm.weight"};

static void write_llama2c(FILE *out, const ModelFile *file)
{
    const ModelConfig *c = &file->config;
    const int32_t header[] = {c->width,    c->ff,         c->layers, c->heads,
                              c->kv_heads, c->vocabulary, CONTEXT};
    fwrite(header, sizeof header, 1, out);
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
        for (int i = 0; i < file->pieces.count; i++)
            if (text_ends(file->pieces.list[i].name, KINDS[k]))
                fwrite(file->stored[i].data, sizeof(float), piece_count(&file->pieces.list[i]),
                       out);
    const float none = 0;
    for (int i = 0; i < CONTEXT * c->head; i++) fwrite(&none, sizeof none, 1, out);
}

const char *bench_models_llama2c(BenchModels *m, const char *gguf, Error *err)
{
    ModelFile *file = model_file_open(gguf, err);
    if (file == NULL) return NULL;
    const char *path = add(m, arena_print(m->keep, "%s/%d.bin", m->folder, m->count));
    NewFile out;
    bool good = file->config.tied || error_set(err, "%s: the head is not tied", gguf);
    good = good && file_begin(&out, path, err);
    if (good) {
        write_llama2c(out.stream, file);
        good = file_commit(&out, err);
    }
    model_file_close(file);
    return good ? path : NULL;
}

// ---- Hugging Face ----

const char *bench_models_folder(BenchModels *m, const char *gguf, Error *err)
{
    ModelFile *file = model_file_open(gguf, err);
    if (file == NULL) return NULL;
    const char *folder = arena_print(m->keep, "%s/%d", m->folder, m->count);
    add(m, arena_print(m->keep, "%s/model.safetensors", folder));
    add(m, arena_print(m->keep, "%s/config.json", folder));
    add(m, folder);
    file->config.context = CONTEXT;
    Arena *arena = arena_new("model", model_config_room(&file->config));
    Params *params = params_new(arena);
    params->frozen = true;
    const Model model = model_file_read(file, params);
    const bool good = folder_write(folder, &model.config, params, (FolderOptions){0}, err);
    arena_free(arena);
    model_file_close(file);
    return good ? folder : NULL;
}
