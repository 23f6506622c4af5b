/* serve -- clients that stream at the same time, from `lab serve` or any other OpenAI-compatible server.
 *
 *     ./lab bench serve smollm2                                64 clients: throughput, latencies, cached tokens
 *     ./lab bench serve --url http://127.0.0.1:8081            another server, already started, in the same way
 *
 * Prompts are random token ids, so that they have the same length on every server; half of the clients' prompts
 * begin alike.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "common/error.h"
#include "common/options.h"
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/serve/sse_client.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

typedef struct Load {
    const char *url, *model, *activations;
    int clients, rounds, prompt, shared, tokens, vocabulary, seconds;
    uint64_t seed;
    char host[64];
    int port;
} Load;

typedef struct Totals {
    double *first, *gaps;    // seconds
    int answered, count, gap_count, gap_room;
    int64_t prompt_tokens, output_tokens, cached_tokens;
    int failed, status;
    double seconds;
} Totals;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- requests ----

static void write_ids(Bytes *out, Rng *rng, int count, int vocabulary)
{
    for (int i = 0; i < count; i++)
        write_format(out, "%d,", 256 + (int)rng_below(rng, (uint32_t)(vocabulary - 256)));
}

// Even clients begin with the same tokens.
static void write_request(Bytes *out, const Load *load, int client, int round)
{
    const int shared = client % 2 == 0 ? load->shared : 0;
    Rng common = rng_from_seed(load->seed),
        own = rng_from_seed(load->seed * 1000003 + (uint64_t)(round * load->clients + client) + 1);
    out->count = 0;
    write_text(out, "{\"prompt\":[");
    write_ids(out, &common, shared, load->vocabulary);
    write_ids(out, &own, load->prompt - shared, load->vocabulary);
    out->count--;
    write_format(out,
                 "],\"max_tokens\":%d,\"temperature\":0,\"ignore_eos\":true,\"stream\":true,"
                 "\"stream_options\":{\"include_usage\":true}}",
                 load->tokens);
    bytes_add(out, "", 1);
}

static void keep_result(Totals *t, const SseClient *c)
{
    const bool good = c->complete && c->status == 200;
    if (!good) {
        t->failed++;
        t->status = c->status;
    }
    t->answered += good;
    if (c->first > 0) t->first[t->count++] = c->first - c->begun;
    while (t->gap_count + c->gap_count > t->gap_room) {
        t->gap_room = 2 * t->gap_room + 1024;
        t->gaps = realloc(t->gaps, (size_t)t->gap_room * sizeof *t->gaps);
        REQUIRE(t->gaps != NULL, "no memory for %d gaps", t->gap_room);
    }
    if (c->gap_count > 0)
        memcpy(t->gaps + t->gap_count, c->gaps, (size_t)c->gap_count * sizeof *c->gaps);
    t->gap_count += c->gap_count;
    t->prompt_tokens += c->prompt_tokens;
    t->output_tokens += good ? c->output_tokens : c->gap_count + (c->first > 0);
    t->cached_tokens += c->cached_tokens;
}

static bool begin(const Load *load, SseClient *c, int client, int round)
{
    Bytes json = {0};
    write_request(&json, load, client, round);
    const bool good = sse_begin(c, load->host, load->port, "/v1/completions", (char *)json.data);
    free(json.data);
    return good;
}

// All clients at once, each with one request after the other.
static void run(const Load *load, Arena *arena, Totals *t)
{
    SseClient *clients = arena_zeros(arena, (size_t)load->clients * sizeof *clients);
    struct pollfd *polls = arena_zeros(arena, (size_t)load->clients * sizeof *polls);
    int *rounds = arena_zeros(arena, (size_t)load->clients * sizeof *rounds);
    t->first = arena_zeros(arena, (size_t)load->clients * (size_t)load->rounds * sizeof *t->first);
    const double start = now();
    int open = load->clients;
    for (int i = 0; i < load->clients; i++) clients[i].done = !begin(load, &clients[i], i, 0);
    while (open > 0) {
        for (int i = 0; i < load->clients; i++)
            polls[i] = (struct pollfd){.fd = clients[i].done ? -1 : clients[i].socket,
                                       .events = clients[i].wants};
        poll(polls, (nfds_t)load->clients, 1000);
        const bool over = load->seconds > 0 && now() - start > load->seconds;
        for (int i = 0; i < load->clients; i++) {
            if (clients[i].socket < 0) continue;
            if (polls[i].revents != 0) sse_step(&clients[i]);
            if (over) clients[i].done = true;
            if (!clients[i].done) continue;
            keep_result(t, &clients[i]);
            sse_end(&clients[i]);
            if (++rounds[i] < load->rounds && !over)
                clients[i].done = !begin(load, &clients[i], i, rounds[i]);
            else open--;
        }
    }
    t->seconds = now() - start;
}

// ---- the result ----

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int count, double share)
{
    return count > 0 ? sorted[(int)(share * (count - 1) + 0.5)] : 0;
}

static void sort(double *list, int count)
{
    if (count > 1) qsort(list, (size_t)count, sizeof *list, by_size);
}

static void print(const Load *load, Totals *t)
{
    sort(t->first, t->count);
    sort(t->gaps, t->gap_count);
    printf(
        "  %d clients, %d request%s each: %d tokens of prompt (half of them share %d), %d more\n",
        load->clients, load->rounds, load->rounds > 1 ? "s" : "", load->prompt, load->shared,
        load->tokens);
    printf("  answered             %d of %d", t->answered, load->clients * load->rounds);
    if (t->failed > 0) printf("; the last that failed had status %d", t->status);
    printf("\n  seconds              %.2f\n", t->seconds);
    printf("  output tokens/s      %.1f   (%lld tokens)\n", (double)t->output_tokens / t->seconds,
           (long long)t->output_tokens);
    printf("  all tokens/s         %.1f\n",
           (double)(t->output_tokens + t->prompt_tokens) / t->seconds);
    printf("  first token          p50 %.3f s, p99 %.3f s\n", quantile(t->first, t->count, 0.5),
           quantile(t->first, t->count, 0.99));
    printf("  between two tokens   p50 %.3f s, p99 %.3f s, largest %.3f s\n",
           quantile(t->gaps, t->gap_count, 0.5), quantile(t->gaps, t->gap_count, 0.99),
           quantile(t->gaps, t->gap_count, 1));
    printf("  prompt tokens        %lld, of which %lld were cached\n", (long long)t->prompt_tokens,
           (long long)t->cached_tokens);
}

// ---- the server ----

// Starts `serve MODEL` and reads its address. Its process id, or -1.
static pid_t start(Load *load, const char *program)
{
    char path[4096], line[256] = "";
    int out[2];
    snprintf(path, sizeof path, "%s", program);
    char *slash = strrchr(path, '/');    // build/bench/serve, and the server is build/labs/serve
    if (slash != NULL) *slash = '\0';
    slash = strrchr(path, '/');
    snprintf(slash != NULL ? slash : path, 32, "%s", "/labs/serve");
    if (pipe(out) != 0) return -1;
    const pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        execl(path, path, load->model, "--port", "0", "--requests", "4096", "--activations",
              load->activations, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *first = fdopen(out[0], "r");
    const bool read = first != NULL && fgets(line, sizeof line, first) != NULL &&
                      sscanf(line, "http://%63[0-9.]:%d/", load->host, &load->port) == 2;
    if (first != NULL) fclose(first);
    if (read && child > 0) return child;
    if (child > 0) waitpid(child, NULL, 0);
    return -1;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("serve", (size_t)1 << 32);
    Load load = {.activations = "q8",
                 .clients = 64,
                 .rounds = 1,
                 .prompt = 128,
                 .shared = 96,
                 .tokens = 64,
                 .vocabulary = 32000,
                 .seed = 1};
    Totals totals = {0};
    const char **words;
    int count, status;
    pid_t server = 0;
    Options *o = options_new(keep, "serve", "Clients that stream from a server at the same time.");
    options_rest(o, &words, &count, "[MODEL]");
    options_string(o, "url", 0, &load.url, "URL",
                   "of a server that runs already: http://127.0.0.1:8081");
    options_choice(o, "activations", 0, &load.activations, "auto|f32|q16|q8",
                   "of the server that it starts");
    options_int(o, "clients", 0, &load.clients, 1, 4096, "at the same time");
    options_int(o, "rounds", 0, &load.rounds, 1, 1 << 20, "requests of each, one after the other");
    options_int(o, "prompt", 0, &load.prompt, 1, 1 << 20, "tokens");
    options_int(o, "shared", 0, &load.shared, 0, 1 << 20,
                "of these, the same in half of the prompts");
    options_int(o, "tokens", 0, &load.tokens, 1, 1 << 20, "of each answer");
    options_int(o, "vocabulary", 0, &load.vocabulary, 257, 1 << 24, "prompts hold ids below");
    options_int(o, "seconds", 0, &load.seconds, 0, 1 << 20,
                "after which it ends; 0: when all is answered");
    options_uint64(o, "seed", 's', &load.seed, "of the prompts");
    if (!options_parse(o, argc, argv, &status)) return status;
    if (load.url == NULL && count != 1) {
        puts("  of a server: ./lab bench serve MODEL, or --url http://127.0.0.1:8081");
        return count > 1 ? 2 : 0;
    }
    if (load.shared > load.prompt - 1) load.shared = load.prompt - 1;
    if (load.url != NULL && sscanf(load.url, "http://%63[0-9.]:%d", load.host, &load.port) != 2)
        return error_print("--url %s: expected an address like http://127.0.0.1:8081", load.url), 2;
    if (load.url == NULL) {
        load.model = words[0];
        server = start(&load, argv[0]);
        if (server < 0) return error_print("%s: the server has not begun", load.model);
    }
    run(&load, keep, &totals);
    print(&load, &totals);
    free(totals.gaps);
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, &status, 0);
    }
    const bool good = totals.failed == 0 && (server == 0 || status == 0);
    arena_free(keep);
    return good ? 0 : 1;
}
