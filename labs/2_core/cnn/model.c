#include "labs/2_core/cnn/model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "common/safetensors.h"
#include "common/text.h"

bool model_save(const char *path, const Params *params, const Network *net, const Images *train,
                Error *err)
{
    Arena *arena = params->arena;
    Frame frame = frame_measure(train);
    const char *names = train->names[0];
    for (int c = 1; c < train->classes; c++)
        names = arena_print(arena, "%s\n%s", names, train->names[c]);
    const SafetensorsPair metadata[] = {
        {"format", "pt"},    // what Hugging Face's readers ask for: names and layout are PyTorch's
        {"net", network_name(net->kind)},
        {"classes", names},
        {"background", arena_print(arena, "%.3f", (double)frame.background)},
        {"box", arena_print(arena, "%d", frame.box)},
    };
    return safetensors_write(path, params->items, params->count, metadata,
                             sizeof metadata / sizeof *metadata, err);
}

// ---- loading ----

typedef struct Model {
    Network net;
    Frame frame;
    int classes;
    const char *names[IMAGES_MAX_CLASSES];
} Model;

static bool all_finite(Arena *arena, const Params *params, const char *path, Error *err)
{
    for (int i = 0; i < params->count; i++) {
        const Param *param = &params->items[i];
        const float *x = tensor_values(arena, param->tensor);
        for (size_t k = 0; k < tensor_count(param->tensor); k++)
            if (!isfinite(x[k]))
                return error_set(err, "%s: %s holds a number that is not finite", path,
                                 param->name);
    }
    return true;
}

static bool read_model(Arena *arena, Model *model, const Safetensors *file, Error *err)
{
    const char *net = safetensors_value(file, "net"), *names = safetensors_value(file, "classes");
    const char *background = safetensors_value(file, "background");
    const char *box = safetensors_value(file, "box");
    NetworkKind kind;
    if (!net || !names || !background || !box || !network_kind(&kind, net))
        return error_set(
            err, "%s: is not a model of this lab: its metadata name no " NETWORKS " with classes",
            file->path);
    char more;
    if (sscanf(background, "%f%c", &model->frame.background, &more) != 1 ||
        sscanf(box, "%2d%c", &model->frame.box, &more) != 1 ||
        !(model->frame.background >= 0 && model->frame.background <= 1) || model->frame.box < 0 ||
        model->frame.box > FRAME_SIDE)
        return error_set(err, "%s: background %s and box %s; expected 0 to 1 and 0 to %d",
                         file->path, background, box, FRAME_SIDE);
    model->classes = 0;
    char *rest = arena_print(arena, "%s", names);
    while (rest != NULL && model->classes < IMAGES_MAX_CLASSES) {
        char *name = strsep(&rest, "\n");
        text_clean(name);
        model->names[model->classes++] = name;
    }
    if (rest != NULL || model->classes < 2)
        return error_set(err, "%s: expected 2 to %d classes", file->path, IMAGES_MAX_CLASSES);
    Params *params = params_new(arena);
    Rng rng = rng_from_seed(0);
    model->net = network_new(params, kind, model->classes, &kernel_layers, &rng);
    return safetensors_read(file, params->items, params->count, err) &&
           all_finite(arena, params, file->path, err);
}

static bool load_model(Arena *arena, Model *model, const char *path, Error *err)
{
    if (access(path, F_OK) != 0)
        return error_set(err, "%s: there is no model yet; ./lab run cnn trains one", path);
    Safetensors *file = safetensors_open(path, err);
    bool loaded = file != NULL && read_model(arena, model, file, err);
    safetensors_close(file);
    return loaded;
}

// ---- classifying ----

// The whole picture, and what the network sees of it.
static bool save_seen(const Run *run, Arena *arena, const Picture *picture, const uint8_t *seen,
                      Error *err)
{
    uint8_t whole[FRAME_PIXELS];
    float *tiles = arena_alloc(arena, 2 * FRAME_PIXELS * sizeof *tiles);
    frame_scale(whole, frame_gray(arena, picture), picture->height, picture->width);
    for (int i = 0; i < FRAME_PIXELS; i++) {
        tiles[i] = (float)whole[i] / 255.0f;
        tiles[FRAME_PIXELS + i] = (float)seen[i] / 255.0f;
    }
    PictureRow row = {NULL, tiles};
    PictureGrid grid = {.rows = &row,
                        .row_count = 1,
                        .columns = 2,
                        .height = SIDE,
                        .width = SIDE,
                        .scale = 8,
                        .captions = (const char *[]){"the picture", "the network's input"}};
    return picture_save(picture_grid(arena, &grid), run_path(run, "classified.png"), err);
}

bool model_classify(const Run *run, const char *model_path, const char *picture_path, Error *err)
{
    enum { SHOWN = 5 };
    Arena *arena = arena_new("classify", (size_t)1 << 30);
    Model *model = arena_alloc(arena, sizeof *model);
    if (!load_model(arena, model, model_path, err)) return false;
    const Picture *picture = picture_load(arena, picture_path, err);
    if (picture == NULL) return false;
    uint8_t pixels[FRAME_PIXELS], label = 0;
    const char *done = frame_picture(arena, pixels, picture, model->frame);
    if (done == NULL)
        return error_set(err, "%s: is of one gray, or nearly: there is nothing to classify",
                         picture_path);
    if (!save_seen(run, arena, picture, pixels, err)) return false;

    Images one = {.count = 1, .height = SIDE, .width = SIDE, .pixels = pixels, .labels = &label};
    Tape *tape = tape_new(arena_new("step", (size_t)1 << 28));
    Tensor *x = images_batch(tape->arena, &one, (int[]){0}, 1);
    float *p = tensor_values(arena, network_probabilities(tape, &model->net, x));
    Table table = table_new(arena, "class|probability [%]");
    int best = 0;
    for (int row = 0; row < SHOWN && row < model->classes; row++) {
        int next = 0;
        for (int c = 1; c < model->classes; c++)
            if (p[c] > p[next]) next = c;
        if (row == 0) best = next;
        table_row(&table, "%s|%.2f", model->names[next], 100 * (double)p[next]);
        p[next] = -1;
    }
    printf("%s, %d x %d pixels: %s\n", options_quoted(arena, picture_path), picture->width,
           picture->height, done);
    printf("%s takes it for: %s\n", network_name(model->net.kind), model->names[best]);
    table_print(&table, 2, stdout);
    printf("What the network saw: %s\n", options_quoted(arena, run_path(run, "classified.png")));
    arena_free(tape->arena);
    arena_free(arena);
    return true;
}
