#include "labs/5_frontier/key_numbers/app/model/gguf_source.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FILES = 1000 };

static const uint64_t MAX_SETTING = UINT64_C(1) << 31;    // products of two stay below 2^64

static const GgufCustom CUSTOMS[] = {
    {"gemma2", .period = 2, .window = 4096, .tied = true},
    {"gemma3", .period = 6, .tied = true},
    {"gemma-embedding", .period = 6, .tied = true},
    {"gpt-oss", .period = 2},
    {"llama4", .period = 4, .window = 8192},    // chunks of so many, which bound the cache alike
    {"cohere2", .period = 4, .tied = true},
    {"cohere2moe", .period = 4, .first = true},
    {"smallthinker", .period = 4, .first = true},
    {"modern-bert", .period = 3, .first = true},
    {"olmo2", .period = 4},
    {"exaone4", .period = 4},
    {"exaone-moe", .period = 4},
    {"afmoe", .period = 4},
    {"plamo3", .period = 8},
    {"gpt2", .tied = true},
    {"bloom", .tied = true},
    {"falcon", .tied = true},
    {"gemma", .tied = true},
    {"command-r", .tied = true},
    {"starcoder", .tied = true},
    {"t5", .decoder = true},
    {"t5encoder", .encoder = true},
    {NULL, .tied = false},    // any other
};

// llama.cpp, src/llama-arch.cpp: those whose layers are attention and an MLP or experts, with a cache of
// keys and values as the settings say.
// clang-format off
static const char *const PLAIN[] = {
    "llama", "deci", "grok", "gptj", "gptneox", "mpt", "baichuan", "refact", "bert", "nomic-bert",
    "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3", "stablelm", "qwen", "qwen2",
    "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "phi2", "phi3", "phimoe",
    "plamo", "codeshell", "orion", "internlm2", "minicpm", "minicpm3", "starcoder2", "xverse",
    "dbrx", "olmo", "olmoe", "openelm", "arctic", "deepseek", "deepseek2", "chatglm", "glm4",
    "glm4moe", "bitnet", "jais", "nemotron", "exaone", "granite", "granitemoe", "chameleon",
    "plm", "bailingmoe", "bailingmoe2", "dots1", "arcee", "ernie4_5", "ernie4_5-moe",
    "hunyuan-moe", "hunyuan-dense", "smollm3", "dream", "llada", "llada-moe", "seed_oss",
    "grovemoe", "apertus", "minimax-m2", "cogvlm", "pangu-embedded", "mistral3", "phi", "yi",
    "mixtral"};
// clang-format on

bool gguf_source_known(const GgufSource *source)
{
    bool known = source->custom->arch != NULL;
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN && !known; i++)
        known = strcmp(PLAIN[i], source->arch) == 0;
    return known;
}

const GgufValue *gguf_source_value(const GgufSource *source, const char *key)
{
    char full[160];
    snprintf(full, sizeof full, "%s.%s", source->arch, key);
    return gguf_value(source->files[0], full);
}

bool gguf_source_get(const GgufSource *source, const char *key, int layer, uint64_t *number,
                     Error *err)
{
    const GgufValue *value = gguf_source_value(source, key);
    if (value == NULL) return true;
    uint64_t index = value->array ? (uint64_t)layer : 0;
    if (index >= value->count)
        return error_set(err, "%s: '%s' is a list of %" PRIu64 ", expected one for each layer",
                         source->path, value->key, value->count);
    return (gguf_integer_at(value, index, number) && *number <= MAX_SETTING) ||
           error_set(err, "%s: '%s' is not a whole number of at most 2^31", source->path,
                     value->key);
}

bool gguf_source_need(const GgufSource *source, const char *key, int layer, uint64_t *number,
                      Error *err)
{
    *number = 0;
    if (!gguf_source_get(source, key, layer, number, err)) return false;
    return *number > 0 || error_set(err, "%s: '%s.%s' is missing or 0, expected at least 1",
                                    source->path, source->arch, key);
}

// general.KEY must be a short word: it stands in messages and in the answer.
static bool read_word(const GgufSource *source, const char *key, const char **word, Error *err)
{
    GgufText text;
    if (!gguf_text(source->files[0], key, &text, err)) return false;
    bool plain = text.length > 0 && text.length <= 40;
    for (size_t i = 0; plain && i < text.length; i++)
        plain = text.bytes[i] > ' ' && text.bytes[i] <= '~';
    if (!plain) return error_set(err, "%s: '%s' is no word such as \"llama\"", source->path, key);
    *word = arena_print(source->arena, "%.*s", (int)text.length, text.bytes);
    return true;
}

static bool read_architecture(GgufSource *source, Error *err)
{
    const char *type = "model";    // older files do not say so
    if (gguf_value(source->files[0], "general.type") != NULL &&
        !read_word(source, "general.type", &type, err))
        return false;
    if (strcmp(type, "model") != 0)
        return error_set(err, "%s: holds no model: its general.type is '%s'", source->path, type);
    if (!read_word(source, "general.architecture", &source->arch, err)) return false;
    source->custom = CUSTOMS;
    while (source->custom->arch != NULL && strcmp(source->custom->arch, source->arch) != 0)
        source->custom++;
    return strcmp(source->arch, "clip") != 0 ||
           error_set(
               err,
               "%s: holds an image tower alone (architecture clip), expected the model's own file",
               source->path);
}

// Part `number` of `count`: the end of its name (llama.cpp, llama_split_path()).
static const char *part_end(Arena *arena, int number, int count)
{
    return arena_print(arena, "-%05d-of-%05d.gguf", number, count);
}

static bool check_part(const GgufSource *source, int i, Error *err)
{
    uint64_t number = 0, count = 0;
    bool says = gguf_integer_at(gguf_value(source->files[i], "split.no"), 0, &number) &&
                gguf_integer_at(gguf_value(source->files[i], "split.count"), 0, &count);
    if (!says || number != (uint64_t)i || count != (uint64_t)source->count)
        return error_set(err, "%s: is not part %d of %d by its split.no and split.count",
                         source->files[i]->path, i + 1, source->count);
    for (int t = 0; t < source->files[i]->tensor_count; t++) {
        const char *name = source->files[i]->tensors[t].name;
        for (int before = 0; before < i; before++)
            if (gguf_tensor(source->files[before], name) != NULL)
                return error_set(err, "%s: the tensor '%s' stands in %s as well",
                                 source->files[i]->path, name, source->files[before]->path);
    }
    return true;
}

// The file that was named is one of many: all of them, in their order.
static bool open_parts(GgufSource *source, uint64_t count, Error *err)
{
    Gguf *named = source->files[0];
    uint64_t number = 0;
    if (count > MAX_FILES || !gguf_integer_at(gguf_value(named, "split.no"), 0, &number) ||
        number >= count)
        return error_set(err, "%s: split.no and split.count are not those of a part", source->path);
    const char *end = part_end(source->arena, (int)number + 1, (int)count);
    size_t stem = strlen(source->path) - strlen(end);
    if (strlen(source->path) < strlen(end) || strcmp(source->path + stem, end) != 0)
        return error_set(err,
                         "%s: is part %" PRIu64 " of %" PRIu64
                         ", and the others are not found where its name does not "
                         "end in %s",
                         source->path, number + 1, count, end);
    source->count = (int)count;
    source->files = arena_zeros(source->arena, count * sizeof *source->files);
    source->files[number] = named;
    for (int i = 0; i < source->count; i++) {
        const char *path = arena_print(source->arena, "%.*s%s", (int)stem, source->path,
                                       part_end(source->arena, i + 1, source->count));
        if (source->files[i] == NULL) source->files[i] = gguf_open_header(path, err);
        if (source->files[i] == NULL || !check_part(source, i, err)) return false;
    }
    return true;
}

bool gguf_source_open(GgufSource *source, Arena *arena, const char *path, Error *err)
{
    *source = (GgufSource){.arena = arena, .path = path, .count = 1};
    source->files = arena_zeros(arena, sizeof *source->files);
    source->files[0] = gguf_open_header(path, err);
    uint64_t parts = 1;
    bool opened = source->files[0] != NULL;
    if (opened) gguf_integer_at(gguf_value(source->files[0], "split.count"), 0, &parts);
    if (opened && (parts <= 1 || open_parts(source, parts, err)) && read_architecture(source, err))
        return true;
    gguf_source_close(source);
    return false;
}

void gguf_source_close(GgufSource *source)
{
    for (int i = 0; i < source->count; i++) gguf_close(source->files[i]);
    source->count = 0;
}
