/* model.c -- the model that the story serves: trained by the lab transformer, once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/file.h"
#include "datasets/root.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/files/folder.h"
#include "labs/3_language/transformer/files/model_file.h"
#include "labs/3_language/transformer/model/model.h"
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/story.h"

#define OWN_MODEL "stories"

// Random weights and bytes as tokens, for a smoke run.
static bool write_tiny(const Lab *lab, const char *folder, Error *err)
{
    const ModelConfig config = model_config_llama((ModelSize){
        .vocabulary = 256, .context = 256, .width = 32, .layers = 2, .heads = 4, .kv_heads = 2});
    Arena *arena = arena_new("tiny", (size_t)1 << 28);
    Params *params = params_new(arena);
    Tokenizer *bytes = tokenizer_bytes();
    Rng rng = rng_stream(lab->run->seed, 1);
    model_new(params, config, &rng);
    const bool good = folder_write(folder, &config, params, (FolderOptions){0}, err) &&
                      tokenizer_save(bytes, arena_print(arena, "%s/tokenizer.json", folder), err);
    tokenizer_close(bytes);
    arena_free(arena);
    return good;
}

// The program of the lab transformer, which lies beside this one.
static void train(Arena *arena, const char *out, const char *threads)
{
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
    const char *program = arena_print(arena, "%s/transformer", self);
    if (freopen("/dev/null", "w", stdout) == NULL) _exit(1);
    unsetenv("LAB_CHECK");    // its own functions, whoever's ours are
    unsetenv("LAB_DATA");     // the stories of its grammar
    execl(program, program, "--part", "train", "--tokenizer", "bpe:400", "--context", "160",
          "--steps", "500", "--points", "2", "--plot", "none", "--threads", threads, "--out", out,
          (char *)NULL);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

// What was trained, kept for other runs and for `lab chat`; false where the data folder cannot be written.
static bool keep_model(const char *trained, const char *folder, Error *err)
{
    Arena *arena = arena_new("keep", (size_t)1 << 30);
    ModelFile *file = model_file_open(trained, err);
    Tokenizer *tokenizer = file != NULL ? tokenizer_open(trained, err) : NULL;
    bool good = tokenizer != NULL;
    if (good) {
        Params *params = params_new(arena);
        const Model model = model_file_read(file, params);
        good = file_make_folder(folder, err) &&
               tokenizer_save(tokenizer, arena_print(arena, "%s/tokenizer.json", folder), err) &&
               folder_write(folder, &model.config, params, (FolderOptions){0}, err);
    }
    tokenizer_close(tokenizer);
    model_file_close(file);
    arena_free(arena);
    return good;
}

static const char *train_own(const Lab *lab, const char *folder, Error *err)
{
    Run *run = lab->run;
    const char *work = run_path(run, "training");
    run_print(run, "First the model is trained, once: 500 steps of the lab transformer, about 20 "
                   "seconds on two cores.");
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) train(run->keep, work, arena_print(run->keep, "%d", run->threads));
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    const char *trained = arena_print(run->keep, "%s/model", work);
    if (child < 0 || status != 0) {
        error_set(err, "the lab transformer could not train a model: ./lab run transformer");
        return NULL;
    }
    Error why;
    if (keep_model(trained, folder, &why)) return folder;
    run_print(run, "It is not kept: %s", why.message);
    return trained;
}

static const char *choose(Lab *lab, Error *err)
{
    Arena *arena = lab->run->keep;
    char data[PATH_MAX];
    root_data_dir(data);
    const char *tiny = run_path(lab->run, "tiny"),
               *stories = arena_print(arena, "%s/stories260k/stories260K.bin", data),
               *own = arena_print(arena, "%s/" OWN_MODEL, data);
    if (lab->model != NULL) return lab->model;
    if (lab->run->smoke) return write_tiny(lab, tiny, err) ? tiny : NULL;
    if (access(stories, R_OK) == 0) return stories;
    lab->own_model = true;
    const char *config = arena_print(arena, "%s/config.json", own);
    return access(config, R_OK) == 0 ? own : train_own(lab, own, err);
}

bool story_open_model(Lab *lab, Error *err)
{
    LoadOptions how = loaded_defaults;
    how.device = device->on_host ? lab->run->device : "ref";    // far: weights are mapped
    how.huge_pages = false;
    if (lab->loaded != NULL) return true;
    const char *path = choose(lab, err);
    Loaded *loaded = arena_alloc(lab->run->keep, sizeof *loaded);
    if (path == NULL || !loaded_open_weights(loaded, lab->run->keep, path, &how, err)) return false;
    const ModelConfig *c = &loaded->weights->config;
    lab->loaded = loaded;
    run_print(lab->run,
              "The model: %s, %.2fM parameters, %d layers, a KV cache of %zu bytes a token.",
              file_shown(lab->run->keep, loaded->path), (double)model_config_params(c) * 1e-6,
              c->layers, runner_token_bytes(c, DTYPE_F32));
    return true;
}

void story_close_model(Lab *lab)
{
    if (lab->loaded != NULL) loaded_close(lab->loaded);
}
