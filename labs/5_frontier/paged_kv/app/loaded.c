#include "labs/5_frontier/paged_kv/app/loaded.h"
#include <inttypes.h>
#include <omp.h>
#include <string.h>
#include <unistd.h>
#include "common/text.h"
#include "datasets/catalogue.h"
#include "datasets/root.h"
#include "kernels/device.h"
#include "labs/5_frontier/paged_kv/app/mine/mine.h"
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"

const LoadOptions loaded_defaults = {.device = "cpu",
                                     .cache = "f16",
                                     .activations = "auto",
                                     .prefix = "radix",
                                     .cache_mb = 512,
                                     .block_size = 16,
                                     .sequences = 32,
                                     .budget = 256,
                                     .huge_pages = true};

void loaded_declare(Options *o, LoadOptions *how)
{
    options_group(o, "the engine");
    options_string(o, "tokenizer", 0, &how->tokenizer, "FILE", "where the model's file has none");
    options_choice(o, "cache", 'c', &how->cache, "f32|f16|bf16|q8_0", "numbers of the KV cache");
    options_choice(
        o, "activations", 0, &how->activations, "auto|f32|q16|q8",
        "with quantized weights: exact, or rounded to 16 bits, or to 8 and fast; auto: q16 below a "
        "billion parameters, else q8");
    options_choice(o, "prefix-cache", 0, &how->prefix, "none|hash|radix", "how prefixes are found");
    options_int(o, "cache-mb", 0, &how->cache_mb, 1, 1 << 24, "memory of the KV cache, at most");
    options_int(o, "block-size", 0, &how->block_size, 1, 4096, "tokens in a block");
    options_int(o, "sequences", 0, &how->sequences, 1, 4096, "that run at once");
    options_int(o, "budget", 0, &how->budget, 1, 1 << 16, "tokens in a step");
    options_int(o, "chunk", 0, &how->chunk, 0, 1 << 16, "of a prompt in a step; 0: the budget");
    options_string(o, "draft", 0, &how->draft, "MODEL",
                   "a small one with the same tokenizer, to draft tokens");
    options_int(o, "drafts", 0, &how->drafts, 0, 16,
                "tokens that it drafts for a step, or n-grams do without it; 0: 4 or none");
    options_flag(o, "huge-pages", 0, &how->huge_pages, "copies the weights into large pages");
    options_choice(o, "device", 'd', &how->device, "cpu|ref", "whose kernels");
    options_int(o, "threads", 't', &how->threads, 0, 1024, "processor cores to use; 0: all");
}

// ---- a model's place ----

static const char *find_in_data(Arena *keep, const char *name, Error *err)
{
    char data[PATH_MAX], path[PATH_MAX];
    Catalogue catalogue;
    root_data_dir(data);
    const char *folder = arena_print(keep, "%s/%s", data, name);
    if (access(arena_print(keep, "%s/config.json", folder), R_OK) == 0) return folder;
    if (!catalogue_load(keep, &catalogue,
                        arena_print(keep, "%s/datasets/catalogue.json", root_dir()), err))
        return NULL;
    const CatalogueSet *set = catalogue_find(&catalogue, name);
    for (int i = 0; set != NULL && i < set->file_count; i++) {
        const char *file = set->files[i].name;
        if (!text_ends(file, ".gguf") && !text_ends(file, ".bin")) continue;
        if (!catalogue_path(path, set, &set->files[i], data, err)) return NULL;
        if (access(path, R_OK) == 0) return arena_print(keep, "%s", path);
        error_set(err, "%s is not in %s: ./lab data get %s", name, data, name);
        return NULL;
    }
    error_set(err, "%s: does not exist, and is no data set with a model", name);
    return NULL;
}

const char *loaded_path(Arena *keep, const char *model, Error *err)
{
    const bool there = random_weights_named(model) || access(model, R_OK) == 0;
    return there ? model : find_in_data(keep, model, err);
}

// llama2.c keeps the vocabulary in a file of its own.
const char *loaded_vocabulary(Arena *keep, const char *path)
{
    static const char *const beside[] = {"tok512.bin", "tokenizer.bin"};
    const char *slash = strrchr(path, '/');
    const int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
    if (!text_ends(path, ".bin")) return path;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        const char *other = arena_print(keep, "%.*s%s", folder, path, beside[i]);
        if (access(other, R_OK) == 0) return other;
    }
    return path;
}

// ---- opening ----

static DType type_named(const char *name)
{
    return strcmp(name, "f32") == 0    ? DTYPE_F32
           : strcmp(name, "f16") == 0  ? DTYPE_F16
           : strcmp(name, "bf16") == 0 ? DTYPE_BF16
                                       : DTYPE_Q8_0;
}

// What 8 bits change matters more in a small model, which can afford 16.
static Activations activations_of(const LoadOptions *how, const ModelConfig *config)
{
    const bool is_small = model_config_params(config) < 1000000000;
    return strcmp(how->activations, "f32") == 0   ? ACTIVATIONS_F32
           : strcmp(how->activations, "q16") == 0 ? ACTIVATIONS_Q16
           : strcmp(how->activations, "q8") == 0  ? ACTIVATIONS_Q8
           : is_small                             ? ACTIVATIONS_Q16
                                                  : ACTIVATIONS_Q8;
}

static EngineOptions engine_options_of(const LoadOptions *how, const ModelConfig *config,
                                       const Weights *draft)
{
    EngineOptions o = {.block_size = how->block_size,
                       .cache_bytes = (size_t)how->cache_mb << 20,
                       .sequences = how->sequences,
                       .budget = how->budget,
                       .chunk = how->chunk,
                       .prefix = strcmp(how->prefix, "hash") == 0 ? &hash_chain : &radix_tree,
                       .no_prefix_cache = strcmp(how->prefix, "none") == 0,
                       .cache = type_named(how->cache),
                       .activations = activations_of(how, config),
                       .drafts = how->drafts,
                       .draft = draft};
    if (mine_asked()) mine_install(&o);
    return o;
}

// A draft's tokens are the model's: each id stands for the same text.
static bool same_tokens(const Tokenizer *a, const Tokenizer *b, Error *err)
{
    const int count = tokenizer_size(a), other = tokenizer_size(b);
    if (count != other)
        return error_set(err, "has %d tokens, expected the model's %d", other, count);
    for (int id = 0; id < count; id++) {
        size_t bytes, more;
        const char *x = tokenizer_piece(a, id, &bytes), *y = tokenizer_piece(b, id, &more);
        if (bytes != more || memcmp(x, y, bytes) != 0)
            return error_set(err, "token %d is another text than the model's", id);
    }
    return true;
}

static bool open_draft(Loaded *l, Arena *keep, const LoadOptions *how, Error *err)
{
    const char *path = loaded_path(keep, how->draft, err);
    if (path == NULL) return false;
    const WeightsOptions options = {.huge_pages = how->huge_pages};
    l->draft = weights_open(path, options, err);
    if (l->draft == NULL || random_weights_named(path)) return l->draft != NULL;
    Tokenizer *tokenizer = tokenizer_open(loaded_vocabulary(keep, path), err);
    const bool good = tokenizer != NULL && (same_tokens(l->tokenizer, tokenizer, err) ||
                                            error_wrap(err, "--draft %s", how->draft));
    tokenizer_close(tokenizer);
    return good;
}

bool loaded_open_weights(Loaded *l, Arena *keep, const char *model, const LoadOptions *how,
                         Error *err)
{
    const char *why;
    *l = (Loaded){0};
    if (!device_use(how->device, &why)) return error_set(err, "--device %s: %s", how->device, why);
    if (how->threads > 0) omp_set_num_threads(how->threads);
    const bool random = random_weights_named(model);
    if ((l->path = loaded_path(keep, model, err)) == NULL) return false;
    const char *vocabulary =
        how->tokenizer != NULL ? how->tokenizer : loaded_vocabulary(keep, l->path);
    l->weights = weights_open(l->path, (WeightsOptions){.huge_pages = how->huge_pages}, err);
    if (l->weights != NULL)
        l->tokenizer = random ? tokenizer_bytes() : tokenizer_open(vocabulary, err);
    if (l->tokenizer != NULL) return true;
    loaded_close(l);
    return false;
}

bool loaded_open(Loaded *l, Arena *keep, const char *model, const LoadOptions *how, Error *err)
{
    if (!loaded_open_weights(l, keep, model, how, err)) return false;
    // Random weights have no vocabulary to show their tokens by.
    const Tokenizer *shown = random_weights_named(model) ? NULL : l->tokenizer;
    if (how->draft == NULL || open_draft(l, keep, how, err))
        l->engine = engine_open(l->weights, shown,
                                engine_options_of(how, &l->weights->config, l->draft), err);
    if (l->engine != NULL) return true;
    loaded_close(l);
    return false;
}

void loaded_close(Loaded *l)
{
    engine_close(l->engine);
    tokenizer_close(l->tokenizer);
    weights_close(l->weights);
    weights_close(l->draft);
    *l = (Loaded){0};
}

// ---- printing ----

void loaded_print(const Loaded *l)
{
    const EngineOptions *o = engine_options(l->engine);
    const char *slash = strrchr(l->path, '/'), *name = slash != NULL ? slash + 1 : l->path;
    const size_t token = runner_token_bytes(&l->weights->config, o->cache) +
                         (l->draft != NULL ? runner_token_bytes(&l->draft->config, o->cache) : 0);
    fputs("  ", stderr);
    text_print(name, strlen(name), stderr);
    fprintf(stderr,
            ": %.1fM parameters, %.1f MB of weights a step; KV cache: %d blocks of %d tokens, %.1f "
            "MB\n",
            (double)model_config_params(&l->weights->config) * 1e-6,
            (double)weights_bytes(l->weights) * 1e-6, o->blocks, o->block_size,
            (double)token * o->blocks * o->block_size * 1e-6);
    if (mine_asked()) mine_print(l->weights, stderr);
}

void loaded_print_speed(const Loaded *l)
{
    const EngineStatistics s = engine_statistics(l->engine);
    const double seconds = s.seconds > 0 ? s.seconds : 1;
    fprintf(stderr,
            "  %" PRId64 " prompt tokens (%" PRId64 " found in the prefix cache), %" PRId64
            " output tokens in %.2f s: %.1f tokens/s; %" PRId64 " steps",
            s.prompt_tokens, s.hit_tokens, s.output_tokens, s.seconds,
            (double)s.output_tokens / seconds, s.steps);
    if (s.drafted > 0)
        fprintf(stderr, "; drafts accepted: %" PRId64 " of %" PRId64 " (%.0f %%)", s.accepted,
                s.drafted, 100.0 * (double)s.accepted / (double)s.drafted);
    if (s.preemptions > 0) fprintf(stderr, "; %" PRId64 " preemptions", s.preemptions);
    fputc('\n', stderr);
}
