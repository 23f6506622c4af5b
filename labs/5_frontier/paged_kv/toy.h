/* toy.h -- a language model of one attention layer with random weights, and requests served by it.
 *
 *     Toy *toy = toy_new(arena, seed);
 *     Server *server = server_new(arena, toy, 24, 4, (KvLimits){16, 8});    // 24 blocks of 4 tokens
 *     server_submit(server, prompt, 20, 12, name, -1);                      // 12 tokens are wanted
 *     while (server_step(server)) ...
 *
 * Its text means nothing: weights are random. But what it says next depends on every token before, as in
 * a real model, so that a wrong slot shows in the answer.
 */
#pragma once
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/paged_kv.h"

enum { TOY_V = 26, TOY_C = 16, TOY_H = 4, TOY_KV = 2, TOY_D = 4, TOY_REQUESTS = 16 };

typedef struct Toy Toy;
Toy *toy_new(Arena *arena, uint64_t seed);

typedef struct Server {
    Toy *toy;
    KvPool pool;
    KvLimits limits;
    float *k, *v;    // [blocks,block_size,KV,D]
    KvRequest requests[TOY_REQUESTS];
    int fork_of[TOY_REQUESTS];    // the request that it is another sample of; -1: none
    int stream[TOY_REQUESTS];     // of its random numbers
    int prompt[TOY_REQUESTS], ends[TOY_REQUESTS];    // tokens of the prompt; of the whole
    int count, finished;
    int steps, preempted, copied, computed, cached;    // so far; the last two are tokens
    int most_running;
    double *room;
} Server;

Server *server_new(Arena *arena, Toy *toy, int blocks, int block_size, KvLimits limits);

// A request for `wanted` tokens. `stream` selects its random numbers. fork_of: a further sample of
// that request, which shares its prompt; its own prompt is then not read. Returns its index.
int server_submit(Server *server, Arena *arena, const int32_t *prompt, int tokens, int wanted,
                  int stream, int fork_of);

// Plans, computes and commits one step. False when all requests are finished.
bool server_step(Server *server);

// The generated tokens as letters.
const char *server_text(const Server *server, Arena *arena, int request);
