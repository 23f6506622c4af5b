#include "labs/5_frontier/paged_kv/app/model/weights.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "labs/5_frontier/paged_kv/app/model/random_weights.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

// ---- which pieces are copied ----

static bool has_product(DType type)
{
    static const DType types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16, DTYPE_Q8_0,
                                  DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K, DTYPE_Q6_K};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i] == type) return true;
    return false;
}

static DType type_of(const ModelFile *file, int i)    // in memory
{
    return has_product(file->stored[i].type) ? file->stored[i].type : DTYPE_F32;
}

static bool is_copied(const ModelFile *file, int i, WeightsOptions options)
{
    return options.huge_pages || file->pieces.list[i].layout != LAYOUT_PLAIN ||
           !has_product(file->stored[i].type) || file->stored[i].data == NULL;
}

static size_t bytes_of(const ModelFile *file, int i)
{
    return dtype_bytes(type_of(file, i), piece_count(&file->pieces.list[i]));
}

// The next place in the region: pieces of one parameter lie together.
static size_t place(const ModelFile *file, int i, size_t used)
{
    const Piece *piece = &file->pieces.list[i];
    if (piece->first > 0) return used;
    return (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool make_region(Weights *w, const ModelFile *file, WeightsOptions options, Error *err)
{
    size_t used = 0;
    for (int i = 0; i < file->pieces.count; i++)
        if (file->pieces.list[i].cols > 0 && is_copied(file, i, options))
            used = place(file, i, used) + bytes_of(file, i);
    if (used == 0) return true;
    const size_t size = (used + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return error_set(err, "%s: no memory for %zu bytes of weights: %s", file->path, size,
                         strerror(errno));
    w->region = region;
    w->region_bytes = size;
#ifdef MADV_HUGEPAGE
    madvise(region, size, MADV_HUGEPAGE);    // where there are none, small ones do
#endif
    return true;
}

// ---- numbers ----

static void copy_as_floats(void *out, DType type, const Piece *piece, const Stored *stored)
{
    const size_t count = piece_count(piece);
    float *as_stored = malloc(count * sizeof *as_stored), *moved = malloc(count * sizeof *moved);
    REQUIRE(as_stored != NULL && moved != NULL, "no memory for the %zu numbers of %s", count,
            piece->name);
    dtype_to_floats(stored->type, as_stored, stored->data, count);
    piece_from_file(piece, moved, as_stored);
    dtype_from_floats(type, out, moved, count);
    free(as_stored);
    free(moved);
}

// A matrix in its type. Rows of blocks are copied whole; only GPT-2's transposed ones go through floats, which is
// exact for the types that they have.
static void copy_matrix(char *out, DType type, const Piece *piece, const Stored *stored)
{
    const bool whole_rows = piece->layout != LAYOUT_TRANSPOSED && type == stored->type;
    const size_t row = dtype_bytes(type, (uint64_t)piece->cols);
    if (!whole_rows) {
        copy_as_floats(out, type, piece, stored);
        return;
    }
    for (int r = 0; r < piece->rows; r++)
        memcpy(out + (size_t)r * row,
               (const char *)stored->data + (size_t)piece_row_in_file(piece, r) * row, row);
}

// ---- parameters ----

// What is filled in piece by piece.
typedef struct Reader {
    Weights *weights;
    const ModelFile *file;
    WeightsOptions options;
    size_t used;    // of the region
} Reader;

static WeightRows read_matrix(Reader *r, int i)
{
    const Piece *piece = &r->file->pieces.list[i];
    const Stored *stored = &r->file->stored[i];
    WeightRows rows = {stored->data, type_of(r->file, i), piece->rows, piece->cols};
    const size_t bytes = bytes_of(r->file, i);
    if (!is_copied(r->file, i, r->options)) return rows;
    r->used = place(r->file, i, r->used);
    char *out = (char *)r->weights->region + r->used;
    if (stored->data != NULL) copy_matrix(out, rows.type, piece, stored);
    else random_weights_fill(out, rows.type, piece_count(piece), draw_at(1, 0, (uint16_t)i));
    r->used += bytes;
    rows.data = out;
    return rows;
}

static size_t rows_bytes(WeightRows rows)
{
    return (size_t)rows.rows * dtype_bytes(rows.type, (uint64_t)rows.cols);
}

static void add_part(Projection *p, WeightRows part)
{
    WeightRows *last = p->count > 0 ? &p->parts[p->count - 1] : NULL;
    if (last != NULL && (const char *)last->data + rows_bytes(*last) == part.data &&
        last->type == part.type)
        last->rows += part.rows;
    else p->parts[p->count++] = part;
    p->rows += part.rows;
    p->cols = part.cols;
}

// Rows `first` to `first + rows` of a vector of `size`, which the first piece makes.
static void read_vector(Reader *r, int i, const float **vector, int size)
{
    const Piece *piece = &r->file->pieces.list[i];
    float *all = *vector != NULL ? (float *)*vector
                                 : arena_zeros(r->weights->arena, (size_t)size * sizeof *all);
    *vector = all;
    if (r->file->stored[i].data != NULL)
        copy_as_floats(all + piece->first, DTYPE_F32, piece, &r->file->stored[i]);
    else
        for (int k = 0; k < size; k++) all[k] = 1;    // random weights: a norm
}

static bool is(const char *name, const char *param)
{
    return strcmp(name, param) == 0;
}

static void read_in_block(Reader *r, int i, LayerWeights *layer, const char *name)
{
    const ModelConfig *c = &r->weights->config;
    const struct {
        const char *weight, *bias;
        Projection *projection;
        int rows;
    } projections[] = {
        {"qkv.weight", "qkv.bias", &layer->qkv, model_config_qkv(c)},
        {"out.weight", "out.bias", &layer->out, c->width},
        {"up.weight", "up.bias", &layer->up, model_config_up(c)},
        {"down.weight", "down.bias", &layer->down, c->width},
    };
    const struct {
        const char *name;
        const float **vector;
        int size;
    } vectors[] = {
        {"attention_norm.weight", &layer->attention_norm.weight, c->width},
        {"attention_norm.bias", &layer->attention_norm.bias, c->width},
        {"q_norm.weight", &layer->q_norm, c->head},
        {"k_norm.weight", &layer->k_norm, c->head},
        {"mlp_norm.weight", &layer->mlp_norm.weight, c->width},
        {"mlp_norm.bias", &layer->mlp_norm.bias, c->width},
    };
    for (size_t k = 0; k < sizeof projections / sizeof *projections; k++) {
        if (is(name, projections[k].weight)) add_part(projections[k].projection, read_matrix(r, i));
        else if (is(name, projections[k].bias))
            read_vector(r, i, &projections[k].projection->bias, projections[k].rows);
        else continue;
        return;
    }
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++)
        if (is(name, vectors[k].name)) {
            read_vector(r, i, vectors[k].vector, vectors[k].size);
            return;
        }
    REQUIRE(false, "no place for '%s'", r->file->pieces.list[i].param);
}

static void read_piece(Reader *r, int i)
{
    const char *name = r->file->pieces.list[i].param;
    Weights *w = r->weights;
    int block, length = 0;
    if (sscanf(name, "blocks.%d.%n", &block, &length) == 1 && length > 0)
        read_in_block(r, i, &w->layers[block], name + length);
    else if (is(name, "embedding.weight")) w->embedding = read_matrix(r, i);
    else if (is(name, "positions.weight")) w->positions = read_matrix(r, i);
    else if (is(name, "head.weight")) w->head = read_matrix(r, i);
    else if (is(name, "norm.weight")) read_vector(r, i, &w->norm.weight, w->config.width);
    else if (is(name, "norm.bias")) read_vector(r, i, &w->norm.bias, w->config.width);
    else REQUIRE(false, "no place for '%s'", name);
}

// ---- all of it ----

static bool read_all(Weights *w, const ModelFile *file, WeightsOptions options, Error *err)
{
    Reader reader = {.weights = w, .file = file, .options = options};
    w->config = file->config;
    w->layers = arena_zeros(w->arena, (size_t)w->config.layers * sizeof *w->layers);
    if (!make_region(w, file, options, err)) return false;
    for (int i = 0; i < file->pieces.count; i++) read_piece(&reader, i);
    if (w->config.tied) w->head = w->embedding;
    return true;
}

Weights *weights_open(const char *path, WeightsOptions options, Error *err)
{
    Arena *arena = arena_new("weights", (size_t)1 << 32);
    Weights *w = arena_zeros(arena, sizeof *w);
    ModelFile random;
    bool good;
    w->arena = arena;
    if (random_weights_named(path)) {
        good = random_weights_file(&random, arena, path, err) && read_all(w, &random, options, err);
    } else {
        w->file = model_file_open(path, err);
        good = w->file != NULL && read_all(w, w->file, options, err);
    }
    if (good) return w;
    weights_close(w);
    return NULL;
}

void weights_close(Weights *w)
{
    if (w == NULL) return;
    if (w->region != NULL) munmap(w->region, w->region_bytes);
    model_file_close(w->file);
    arena_free(w->arena);
}

static size_t projection_bytes(const Projection *p)
{
    size_t bytes = 0;
    for (int i = 0; i < p->count; i++) bytes += rows_bytes(p->parts[i]);
    return bytes;
}

size_t weights_bytes(const Weights *w)
{
    size_t bytes = rows_bytes(w->head);
    for (int i = 0; i < w->config.layers; i++) {
        const LayerWeights *layer = &w->layers[i];
        bytes += projection_bytes(&layer->qkv) + projection_bytes(&layer->out) +
                 projection_bytes(&layer->up) + projection_bytes(&layer->down);
    }
    return bytes;
}
