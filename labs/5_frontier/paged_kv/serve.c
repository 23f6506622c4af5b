/* serve.c -- a burst of requests that share a prompt, served block by block. */
#include <stdio.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/story.h"
#include "labs/5_frontier/paged_kv/toy.h"

enum { REQUESTS = 7, SHARED = 18, WANTED = 14, CELL = 16, STEPS = 400 };

// Six requests begin with the same instructions, each goes on with a question of its own; the seventh is
// a second answer to the first question.
static Server *burst_new(const Lab *lab, Toy *toy, int blocks, int block_size, KvLimits limits)
{
    Server *server = server_new(lab->step, toy, blocks, block_size, limits);
    for (int i = 0; i < REQUESTS; i++) {
        int32_t prompt[SHARED + REQUESTS];
        Rng shared = rng_stream(lab->run->seed, 2),
            own = rng_stream(lab->run->seed, 3 + (uint64_t)(i < 6 ? i : 0));
        int tokens = SHARED + 3 + (i < 6 ? i : 0) % 4;
        for (int t = 0; t < tokens; t++)
            prompt[t] = (int32_t)rng_below(t < SHARED ? &shared : &own, TOY_V);
        server_submit(server, lab->step, prompt, tokens, WANTED, i, i < 6 ? -1 : 0);
    }
    return server;
}

// ---- the picture ----

// Who holds a block: a request's letter, the number of holders, '-' cached and free, '.' free.
static char block_letter(const Server *server, int block)
{
    int count = server->pool.count[block];
    if (count == 0) return server->pool.hash[block] != 0 ? '-' : '.';
    if (count > 1) return (char)('0' + (count < 9 ? count : 9));
    for (int i = 0; i < server->count; i++)
        for (int b = 0; b < server->requests[i].table.blocks; b++)
            if (server->requests[i].table.block[b] == block) return (char)('A' + i);
    return '?';
}

static const char *block_map(const Server *server, Arena *arena)
{
    char *text = arena_zeros(arena, (size_t)server->pool.blocks + 1);
    for (int b = 0; b < server->pool.blocks; b++) text[b] = block_letter(server, b);
    return text;
}

static void draw_row(Picture *picture, const char *map, int row)
{
    static const uint8_t colours[7][3] = {{31, 119, 180}, {255, 127, 14},  {44, 160, 44},
                                          {214, 39, 40},  {148, 103, 189}, {140, 86, 75},
                                          {227, 119, 194}};
    static const uint8_t shared[3] = {40, 40, 40}, idle[3] = {200, 200, 200};
    for (int b = 0; map[b] != '\0'; b++) {
        const uint8_t *colour = map[b] >= 'A'   ? colours[(map[b] - 'A') % 7]
                                : map[b] >= '0' ? shared
                                : map[b] == '-' ? idle
                                                : NULL;
        for (int y = 0; y < CELL - 1 && colour != NULL; y++)
            for (int x = 0; x < CELL - 1; x++)
                memcpy(picture->rgb + 3 * ((row * CELL + y) * picture->width + b * CELL + x),
                       colour, 3);
    }
}

// ---- the parts ----

bool part_serve(void *context, Error *err)
{
    Lab *lab = context;
    Toy *toy = toy_new(lab->step, lab->run->seed);
    Server *server =
        burst_new(lab, toy, lab->blocks, lab->block_size, (KvLimits){lab->budget, lab->chunk});
    const char *maps[STEPS];
    run_print(lab->run, "%d requests for %d tokens each; %d tokens of every prompt are the same.",
              REQUESTS, WANTED, SHARED);
    run_print(lab->run, "%d blocks of %d tokens; a step computes %d tokens, %d of one request.",
              lab->blocks, lab->block_size, lab->budget, lab->chunk);
    run_print(lab->run,
              "G is a second sample of A's prompt. A letter is the request that holds a block,");
    run_print(lab->run,
              "a digit the number of those that share it; - is free and cached, . is free.");
    Table table = table_new(lab->step, "step|tokens of A B C ..|blocks, after the step");
    while (server_step(server)) {
        if (server->steps > STEPS)
            return error_set(err, "no end after %d steps: does a request compute nothing?", STEPS);
        const KvRequest *r = server->requests;
        char tokens[4 * TOY_REQUESTS + 1] = "";
        for (int i = 0, at = 0; i < server->count; i++)
            at += snprintf(tokens + at, sizeof tokens - (size_t)at, "%s%d", i > 0 ? " " : "",
                           r[i].tokens > server->prompt[i] ? r[i].tokens - server->prompt[i] : 0);
        maps[server->steps - 1] = block_map(server, lab->step);
        table_row(&table, "%d|%s|%s", server->steps, tokens, maps[server->steps - 1]);
        metrics_write(
            lab->run->metrics, server->steps,
            METRICS({"free", (double)server->pool.free}, {"computed", (double)server->computed}));
    }
    run_table(lab->run, &table);
    run_print(lab->run,
              "%d steps, at most %d requests at once, %d preemptions; blocks copied on write: %d",
              server->steps, server->most_running, server->preempted, server->copied);
    run_print(lab->run, "%d tokens computed, %d taken from the prefix cache", server->computed,
              server->cached);
    Picture *picture = picture_new(lab->step, lab->blocks * CELL, server->steps * CELL);
    for (int i = 0; i < server->steps; i++) draw_row(picture, maps[i], i);
    run_picture(lab->run, picture, "Blocks by step: colour = holder, black = shared, gray = cached",
                "blocks");
    return true;
}

// Whether all requests have these answers.
static bool same_texts(const Server *server, Arena *arena, const char *const *want)
{
    for (int i = 0; i < server->count; i++)
        if (strcmp(server_text(server, arena, i), want[i]) != 0) return false;
    return true;
}

bool part_alone(void *context, Error *err)
{
    Lab *lab = context;
    Toy *toy = toy_new(lab->step, lab->run->seed);
    const char *alone[REQUESTS];
    for (int i = 0; i < REQUESTS; i++) {
        // Its prompt, taken from a burst that is not served.
        Server *burst = burst_new(lab, toy, 64, 4, (KvLimits){64, 64});
        Server *one = server_new(lab->step, toy, 64, 4, (KvLimits){64, 64});
        int source = burst->fork_of[i] < 0 ? i : burst->fork_of[i];
        server_submit(one, lab->step, burst->requests[source].ids, burst->prompt[source], WANTED, i,
                      -1);
        while (server_step(one)) {}
        alone[i] = server_text(one, lab->step, 0);
    }
    static const struct {
        int slots, block_size, budget, chunk;
    } settings[] = {{512, 16, 256, 64}, {512, 1, 256, 64}, {96, 4, 16, 8},
                    {80, 4, 16, 8},     {60, 5, 7, 3},     {48, 2, 40, 1}};
    bool all_same = true;
    Table table = table_new(lab->step, "slots|block size|budget|chunk|steps|preemptions|cached "
                                       "tokens|as each one alone");
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        Server *server =
            burst_new(lab, toy, settings[s].slots / settings[s].block_size, settings[s].block_size,
                      (KvLimits){settings[s].budget, settings[s].chunk});
        while (server->steps < 4000 && server_step(server)) {}
        bool ended = server->finished == server->count;
        bool same = ended && same_texts(server, lab->step, alone);
        all_same = all_same && same;
        table_row(&table, "%d|%d|%d|%d|%d|%d|%d|%s", settings[s].slots, settings[s].block_size,
                  settings[s].budget, settings[s].chunk, server->steps, server->preempted,
                  server->cached,
                  same    ? "the same"
                  : ended ? "different"
                          : "no end");
    }
    run_table(lab->run, &table);
    Table texts = table_new(lab->step, "request|what it says, alone or not");
    for (int i = 0; i < REQUESTS; i++) table_row(&texts, "%c|%s", 'A' + i, alone[i]);
    run_table(lab->run, &texts);
    return all_same || error_set(err, "an answer depends on what else is served: see the table");
}
