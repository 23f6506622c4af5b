#include "labs/5_frontier/paged_kv/toy.h"
#include <math.h>
#include <string.h>
#include "common/rng.h"

struct Toy {
    float embedding[TOY_V][TOY_C];
    float query[TOY_H * TOY_D][TOY_C], key[TOY_KV * TOY_D][TOY_C], value[TOY_KV * TOY_D][TOY_C];
    float out[TOY_V][TOY_H * TOY_D];
    uint64_t seed;
};

enum { ROW = TOY_KV * TOY_D };    // floats of a token's keys, and of its values

Toy *toy_new(Arena *arena, uint64_t seed)
{
    Toy *toy = arena_alloc(arena, sizeof *toy);
    Rng rng = rng_stream(seed, 1);
    toy->seed = seed;
    rng_fill_normal(&rng, &toy->embedding[0][0], sizeof toy->embedding / sizeof(float));
    rng_fill_normal(&rng, &toy->query[0][0], sizeof toy->query / sizeof(float));
    rng_fill_normal(&rng, &toy->key[0][0], sizeof toy->key / sizeof(float));
    rng_fill_normal(&rng, &toy->value[0][0], sizeof toy->value / sizeof(float));
    rng_fill_normal(&rng, &toy->out[0][0], sizeof toy->out / sizeof(float));
    return toy;
}

// y = w x    w [rows,columns]
static void product(float *y, const float *w, const float *x, int rows, int columns, float scale)
{
    for (int r = 0; r < rows; r++) {
        float sum = 0;
        for (int c = 0; c < columns; c++) sum += w[r * columns + c] * x[c];
        y[r] = scale * sum;
    }
}

// A token and its position: the embedding, with its pairs turned as by RoPE.
static void toy_input(const Toy *toy, float *x, int32_t token, int position)
{
    for (int c = 0; c < TOY_C; c += 2) {
        double angle = position / pow(100, (double)c / TOY_C);
        float sine = (float)sin(angle), cosine = (float)cos(angle);
        const float *e = toy->embedding[token] + c;
        x[c] = e[0] * cosine - e[1] * sine;
        x[c + 1] = e[0] * sine + e[1] * cosine;
    }
}

static void *filled(Arena *arena, int count, size_t each)
{
    return arena_zeros(arena, (size_t)count * each);
}

Server *server_new(Arena *arena, Toy *toy, int blocks, int block_size, KvLimits limits)
{
    Server *server = arena_zeros(arena, sizeof *server);
    server->toy = toy;
    server->limits = limits;
    int buckets = 1;
    while (buckets < blocks) buckets *= 2;
    server->pool = (KvPool){.blocks = blocks,
                            .block_size = block_size,
                            .count = filled(arena, blocks, sizeof(int32_t)),
                            .next = filled(arena, blocks + 1, sizeof(int32_t)),
                            .previous = filled(arena, blocks + 1, sizeof(int32_t)),
                            .hash = filled(arena, blocks, sizeof(uint64_t)),
                            .parent = filled(arena, blocks, sizeof(uint64_t)),
                            .tokens = filled(arena, blocks * block_size, sizeof(int32_t)),
                            .chain = filled(arena, blocks, sizeof(int32_t)),
                            .bucket = filled(arena, buckets, sizeof(int32_t)),
                            .buckets = buckets};
    kv_pool_clear(&server->pool);
    server->k = filled(arena, blocks * block_size * ROW, sizeof(float));
    server->v = filled(arena, blocks * block_size * ROW, sizeof(float));
    server->room = filled(arena, blocks * block_size + TOY_V, sizeof(double));
    return server;
}

int server_submit(Server *server, Arena *arena, const int32_t *prompt, int tokens, int wanted,
                  int stream, int fork_of)
{
    int i = server->count++, blocks = server->pool.blocks;
    KvRequest *request = &server->requests[i];
    *request = (KvRequest){.state = KV_WAITING,
                           .ids = filled(arena, tokens + wanted + 1, sizeof(int32_t)),
                           .tokens = tokens,
                           .table.block = filled(arena, blocks, sizeof(int32_t))};
    if (fork_of < 0) memcpy(request->ids, prompt, (size_t)tokens * sizeof *prompt);
    else request->state = KV_FINISHED;    // until the other one's prompt is computed
    server->fork_of[i] = fork_of;
    server->stream[i] = stream;
    server->prompt[i] = tokens;
    server->ends[i] = tokens + wanted;
    return i;
}

// ---- a step ----

static void write_token(Server *server, int64_t slot, const float *x)
{
    float scale = 1 / sqrtf(TOY_C);
    product(server->k + slot * ROW, &server->toy->key[0][0], x, ROW, TOY_C, scale);
    product(server->v + slot * ROW, &server->toy->value[0][0], x, ROW, TOY_C, scale);
}

static void copy_block(Server *server, KvCopy copy)
{
    int64_t floats = (int64_t)server->pool.block_size * ROW;
    memcpy(server->k + copy.to * floats, server->k + copy.from * floats,
           (size_t)floats * sizeof(float));
    memcpy(server->v + copy.to * floats, server->v + copy.from * floats,
           (size_t)floats * sizeof(float));
    server->copied++;
}

// The logits after the last token of a table, whose input is x.
static void logits_of(Server *server, float *logits, const KvTable *table, const float *x)
{
    float q[TOY_H * TOY_D], y[TOY_H * TOY_D];
    KvHeads heads = {TOY_H, TOY_KV, TOY_D, server->pool.block_size};
    product(q, &server->toy->query[0][0], x, TOY_H * TOY_D, TOY_C, 1);
    kv_attention(y, q, server->k, server->v, server->room, table->block, table->tokens, heads);
    product(logits, &server->toy->out[0][0], y, TOY_V, TOY_H * TOY_D, 1);
}

// The random number of a token depends on the request and the position alone: neither on the others
// nor on a preemption.
static int32_t sample_at(Server *server, const float *logits, int stream, int position)
{
    Rng rng = rng_stream(server->toy->seed, 1000 + 1000 * (uint64_t)stream + (uint64_t)position);
    KvSampling sampling = {0.8f, 0.9f, (double)rng_uniform(&rng)};
    return kv_sample(logits, TOY_V, sampling, server->room);
}

// A further sample begins where its original has computed the prompt: on the same blocks.
static void begin_forks(Server *server, int original, const float *logits)
{
    const KvRequest *from = &server->requests[original];
    for (int i = 0; i < server->count; i++) {
        KvRequest *fork = &server->requests[i];
        if (server->fork_of[i] != original || fork->tokens > server->prompt[i]) continue;
        memcpy(fork->ids, from->ids, (size_t)fork->tokens * sizeof *fork->ids);
        kv_fork(&server->pool, &fork->table, &from->table);
        fork->computed = fork->tokens;
        fork->ids[fork->tokens] = sample_at(server, logits, server->stream[i], fork->tokens);
        fork->tokens++;
        fork->state = KV_RUNNING;
    }
}

static void compute(Server *server, int i)
{
    KvRequest *request = &server->requests[i];
    float x[TOY_C], logits[TOY_V];
    for (int t = 0; t < request->scheduled; t++) {
        int position = request->table.tokens;
        KvCopy copy;
        int64_t slot = kv_append(&server->pool, &request->table, &copy);
        if (slot < 0) return;    // the schedule reserved a block for it
        if (copy.from >= 0) copy_block(server, copy);
        toy_input(server->toy, x, request->ids[position], position);
        write_token(server, slot, x);
    }
    server->computed += request->scheduled;
    int known = request->tokens;
    int32_t next = 0;
    if (request->table.tokens == known) {
        logits_of(server, logits, &request->table, x);
        next = sample_at(server, logits, server->stream[i], known);
    }
    bool follows = kv_commit(&server->pool, request, next);
    if (follows && known == server->prompt[i]) begin_forks(server, i, logits);
    if (request->tokens < server->ends[i]) return;
    kv_release(&server->pool, &request->table);
    request->state = KV_FINISHED;
    server->finished++;
}

bool server_step(Server *server)
{
    bool ran[TOY_REQUESTS];
    if (server->finished == server->count) return false;
    for (int i = 0; i < server->count; i++) ran[i] = server->requests[i].state == KV_RUNNING;
    kv_schedule(&server->pool, server->requests, server->count, server->limits);
    int running = 0;
    for (int i = 0; i < server->count; i++) {
        const KvRequest *request = &server->requests[i];
        running += request->state == KV_RUNNING;
        server->preempted += ran[i] && request->state == KV_WAITING;
        if (!ran[i] && request->state == KV_RUNNING) server->cached += request->computed;
    }
    if (running > server->most_running) server->most_running = running;
    bool due[TOY_REQUESTS];
    for (int i = 0; i < server->count; i++) due[i] = server->requests[i].scheduled > 0;
    for (int i = 0; i < server->count; i++)
        if (due[i]) compute(server, i);
    server->steps++;
    return true;
}

const char *server_text(const Server *server, Arena *arena, int request)
{
    const KvRequest *r = &server->requests[request];
    int first = server->prompt[request], count = r->tokens - first;
    char *text = arena_alloc(arena, (size_t)count + 1);
    for (int i = 0; i < count; i++) text[i] = (char)('a' + r->ids[first + i]);
    text[count] = '\0';
    return text;
}
