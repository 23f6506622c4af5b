#include "bench/kernel_work.h"
#include <math.h>
#include <string.h>
#include "bench/kernel_list.h"

// ---- the sizes ----

const SizeInfo size_info[SIZE_KINDS] = {
    [SIZE_ELEMENTS] = {"elements", {1 << 10, 1 << 13, 1 << 16, 1 << 20, 1 << 24}},
    [SIZE_ROWS] = {"rows of 1024", {1, 16, 128, 1024, 1 << 14}},
    [SIZE_SQUARE] = {"n x n x n", {32, 128, 512, 1024, 4096}},
    [SIZE_IMAGES] = {"images", {1, 4, 16, 64, 256}},
    [SIZE_TOKENS] = {"tokens", {16, 64, 256, 1024, 4096}},
    [SIZE_BATCH] = {"rows", {1, 8, 64, 512, 4096}},
    [SIZE_SLICES] = {"slices of 16 states", {4, 64, 512, 4096, 32768}},
};

enum {
    COLS = 1024,
    PLANES = 64,    // channels of an image
    SIDE = 28,
    PIXELS = SIDE * SIDE,
    HEADS = 12,    // GPT-2's
    HEAD = 64,
    WIDTH = HEADS * HEAD,
    MLP = 4 * WIDTH,
    PERIOD = 64,          // positions of a sequence, of which n tokens hold several
    VOCABULARY = 8192,    // more than the tokens of a call
    TABLE = 8192,         // rows to pick from
    HIDDEN = 256,         // of a recurrent layer
    SEQUENCES = 8,        // that are decoded together, of LLaMA 3's shape:
    QUERY_HEADS = 32,
    KV_HEADS = 8,
    KV_HEAD = 128,
    QUERY_WIDTH = QUERY_HEADS * KV_HEAD,
    KV_WIDTH = KV_HEADS * KV_HEAD,
    KV_BLOCK = 16,
    ACTIONS = 4,     // of a state
    OUTCOMES = 3,    // of an action
};

static ConvShape image(double n)
{
    return (ConvShape){(int)n, 32, SIDE, SIDE, PLANES, 3, 3, 1, 1, 1, 1};
}

static double conv_x(double n)
{
    return n * (double)conv_image(image(n));
}

static double conv_y(double n)
{
    return n * (double)conv_out_image(image(n));
}

static PoolShape pool(double n)
{
    return (PoolShape){(int)n * PLANES, SIDE, SIDE, 2, 2, 0};
}

static NormShape channels(double n)
{
    return (NormShape){(int)n, PLANES, PIXELS};
}

static AttentionShape causal(double n)
{
    return (AttentionShape){.batch = 1,
                            .heads = HEADS,
                            .kv_heads = HEADS,
                            .queries = (int)n,
                            .keys = (int)n,
                            .head = HEAD,
                            .q_row = WIDTH,
                            .k_row = WIDTH,
                            .v_row = WIDTH,
                            .y_row = WIDTH,
                            .scale = 0.125f,
                            .causal = true};
}

static RopeShape rotation(double n)
{
    return (RopeShape){.rows = (int)n,
                       .period = PERIOD,
                       .heads = HEADS,
                       .head = HEAD,
                       .rotated = HEAD,
                       .row = WIDTH};
}

static PagedKv cache(void *k, void *v, int block)
{
    return (PagedKv){k, v, DTYPE_F16, block, KV_HEADS, KV_HEAD};
}

static int blocks(double n)
{
    return ((int)n + KV_BLOCK - 1) / KV_BLOCK;
}

#define conv_w              ((double)conv_weights(image(1)))
#define POOL_IN             ((double)pool_in(pool(n)))
#define POOL_OUT            ((double)pool_out(pool(n)))
#define FLOATS(count)       (sizeof(float) * (double)(count))
#define DOUBLES(count)      (sizeof(double) * (double)(count))
#define INTS(count)         (sizeof(int32_t) * (double)(count))
#define ROW_BYTES(n_, cols) ((double)(n_) * (double)dtype_bytes(DTYPE_Q8_0, (cols)))
#define KV_BYTES(n_)        (2.0 * KV_BLOCK * blocks(n_) * KV_WIDTH)    // of whole blocks, in halves

// ---- what operands hold ----

static void fill_nothing(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit, (void)rng;
    memset(data, 0, bytes);
}

static void fill_normal(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit;
    enum { DRAWN = 1 << 16 };    // then the same again: drawing takes longer than what is timed
    float *x = data;
    const size_t count = bytes / sizeof *x;
    rng_fill_normal(rng, x, count < DRAWN ? count : DRAWN);
    for (size_t i = DRAWN; i < count; i++) x[i] = x[i - DRAWN];
}

// From 0.5 to 1.5: what is divided by, or whose root is taken.
static void fill_positive(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit;
    float *x = data;
    rng_fill_uniform(rng, x, bytes / sizeof *x);
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] += 0.5f;
}

static void fill_doubles(void *data, size_t bytes, double limit, Rng *rng)    // below limit
{
    double *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = limit * (double)rng_uniform(rng);
}

static void fill_steps(void *data, size_t bytes, double limit,
                       Rng *rng)    // 0, limit, 2 limit, ...
{
    (void)rng;
    int32_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = (int32_t)i * (int32_t)limit;
}

static void fill_long_steps(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)rng;
    uint64_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = i * (uint64_t)limit;
}

// The log of the sum of exponentials of so many scores, about.
static void fill_log_sums(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)rng;
    float *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = (float)log(1 + limit);
}

static void fill_labels(void *data, size_t bytes, double limit, Rng *rng)    // below limit
{
    int32_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = (int32_t)rng_below(rng, (uint32_t)limit);
}

static void fill_pooled(void *data, size_t bytes, double limit,
                        Rng *rng)    // a pixel of each window
{
    (void)limit;
    int32_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) {
        const int32_t window = (int32_t)(i % (PIXELS / 4)), row = window / (SIDE / 2),
                      col = window % (SIDE / 2);
        x[i] = 2 * (row * SIDE + col) + (int32_t)rng_below(rng, 2);
    }
}

static void fill_spans(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)bytes, (void)rng;
    *(Span *)data = (Span){.end = (uint64_t)limit, .rate = 1, .decay = 0.01f};
}

static void fill_type(DType type, void *data, size_t bytes, Rng *rng)
{
    enum { ONCE = 32 };    // a block of Q8_0
    const size_t step = (size_t)dtype_bytes(type, ONCE);
    for (size_t at = 0; at + step <= bytes; at += step) {
        float x[ONCE];
        rng_fill_normal(rng, x, ONCE);
        dtype_from_floats(type, (char *)data + at, x, ONCE);
    }
}

static void fill_f16(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit;
    fill_type(DTYPE_F16, data, bytes, rng);
}

static void fill_q8_0(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit;
    fill_type(DTYPE_Q8_0, data, bytes, rng);
}

static void fill_slots(void *data, size_t bytes, double limit, Rng *rng)
{
    (void)limit, (void)rng;
    int64_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = (int64_t)i;
}

static void fill_tables(void *data, size_t bytes, double limit, Rng *rng)    // blocks, in any order
{
    (void)limit;
    int32_t *x = data;
    for (size_t i = 0; i < bytes / sizeof *x; i++) {
        const size_t other = rng_below(rng, (uint32_t)i + 1);
        x[i] = x[other];
        x[other] = (int32_t)i;
    }
}

static void fill_queries(void *data, size_t bytes, double limit,
                         Rng *rng)    // each sees `limit` tokens
{
    (void)rng;
    PagedQuery *query = data;
    for (size_t i = 0; i < bytes / sizeof *query; i++)
        query[i] = (PagedQuery){(int32_t)i * blocks(limit), (int32_t)limit};
}

// ---- the list ----

#define PICKS(use, what, bytes, moved)                                                             \
    {                                                                                              \
        USE_##use, fill_##what, bytes, moved, 0                                                    \
    }
#define FILLED(use, what, bytes, limit)                                                            \
    {                                                                                              \
        USE_##use, fill_##what, bytes, bytes, limit                                                \
    }
#define READS(count)   FILLED(READ, normal, FLOATS(count), 0)
#define WRITES(count)  FILLED(WRITE, nothing, FLOATS(count), 0)
#define UPDATES(count) FILLED(UPDATE, normal, FLOATS(count), 0)
#define F(i)           ((float *)at[i])
#define A(i)           at[i]
#define BARE(...)      __VA_ARGS__

#define X(kernel, form, size, flops, list, arguments)                                              \
    static double flops_##kernel##_##form(double n)                                                \
    {                                                                                              \
        (void)n;                                                                                   \
        return flops;                                                                              \
    }                                                                                              \
    static int operands_##kernel##_##form(Operand operands[WORK_OPERANDS], double n)               \
    {                                                                                              \
        const Operand all[] = {BARE list};                                                         \
        (void)n;                                                                                   \
        memcpy(operands, all, sizeof all);                                                         \
        return sizeof all / sizeof *all;                                                           \
    }                                                                                              \
    static void call_##kernel##_##form(const Kernels *table, void *const *at, int n)               \
    {                                                                                              \
        (void)n;                                                                                   \
        table->kernel arguments;                                                                   \
    }
KERNEL_WORK(X)
#undef X

const KernelWork kernel_works[] = {
#define X(kernel, form, size, flops, list, arguments)                                              \
    {#kernel,                                                                                      \
     #form,                                                                                        \
     KERNEL_##kernel,                                                                              \
     SIZE_##size,                                                                                  \
     #flops,                                                                                       \
     flops_##kernel##_##form,                                                                      \
     operands_##kernel##_##form,                                                                   \
     call_##kernel##_##form},
    KERNEL_WORK(X)
#undef X
};
const int kernel_work_count = sizeof kernel_works / sizeof *kernel_works;

// ---- operands ----

double operands_read(const Operand *operands, int count)
{
    double bytes = 0;
    for (int i = 0; i < count; i++)
        if (operands[i].use != USE_WRITE) bytes += operands[i].moved;
    return bytes;
}

double operands_written(const Operand *operands, int count)
{
    double bytes = 0;
    for (int i = 0; i < count; i++)
        if (operands[i].use != USE_READ) bytes += operands[i].moved;
    return bytes;
}

double operands_moved(const Operand *operands, int count)
{
    return operands_read(operands, count) + operands_written(operands, count);
}

void **operands_fill(Arena *keep, const Operand *operands, int count)
{
    void **host = arena_alloc(keep, (size_t)count * sizeof *host);
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < count; i++) {
        const size_t bytes = (size_t)operands[i].bytes;
        host[i] = arena_alloc(keep, bytes);
        operands[i].fill(host[i], bytes, operands[i].limit, &rng);
    }
    return host;
}

bool work_place_open(WorkPlace *place, const Device *on, const Operand *operands, int count,
                     void *const *host, Error *err)
{
    device_put_in_use(on);
    *place = (WorkPlace){.on = on, .operands = operands};
    for (int i = 0; i < count; i++) {
        const size_t bytes = (size_t)operands[i].bytes;
        void *at = on->reserve(bytes);
        if (at == NULL) {
            work_place_close(place);
            return error_set(err, "device %s has no room for %zu bytes", on->name, bytes);
        }
        on->commit(at, 0, bytes);
        on->put(at, host[i], bytes);
        place->at[place->count++] = at;
    }
    return true;
}

void work_place_close(WorkPlace *place)
{
    for (int i = 0; i < place->count; i++)
        place->on->release(place->at[i], (size_t)place->operands[i].bytes);
    place->count = 0;
}

// Of operands of which a call moves a part, as much as it moves.
void work_place_put(const WorkPlace *place, void *const *host)
{
    for (int i = 0; i < place->count; i++)
        if (place->operands[i].use != USE_WRITE)
            place->on->put(place->at[i], host[i], (size_t)place->operands[i].moved);
}

void work_place_get(const WorkPlace *place, void *const *host)
{
    for (int i = 0; i < place->count; i++)
        if (place->operands[i].use != USE_READ)
            place->on->get(host[i], place->at[i], (size_t)place->operands[i].moved);
}
