/* The replay: traces and synthetic workloads, the account of every slot, the PagedAttention paper's figures,
 * several replicas, and two published benchmarks.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cjson/cJSON.h>
#include "common/file.h"
#include "labs/5_frontier/paged_kv/app/replay/buddy.h"
#include "labs/5_frontier/paged_kv/app/replay/contiguous.h"
#include "labs/5_frontier/paged_kv/app/replay/event_log.h"
#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include "labs/5_frontier/paged_kv/app/replay/sharing.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include "tests/facts.h"

#define FIXTURES SOURCE_DIR "/labs/5_frontier/paged_kv/app/tests/fixtures/"

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("replay", (size_t)1 << 32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static ReplicaSettings settings_of(int blocks, int size, const PrefixKind *kind)
{
    return (ReplicaSettings){
        .blocks = blocks,
        .block_size = size,
        .kind = kind,
        .scheduler = {.budget = 256, .max_running = 32, .watermark = 2},
        .cost = {16e-3, 80e-6, 0.5e-6},
        .account_every = 1,
    };
}

// ---- traces ----

static void read_text(const char *text, Trace *trace, const char *error)
{
    Error err = {""};
    char path[] = "/tmp/trace_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    const bool good = trace_read(arena, path, trace, &err);
    unlink(path);
    assert_boolean(error != NULL ? error : err.message, good, error == NULL);
    if (error != NULL && strcmp(err.message + strlen(path), error) != 0)
        assert_string_equal(err.message, error);
}

static void a_trace_is_read_in_the_order_of_arrival(void **state)
{
    (void)state;
    Trace trace;
    read_text(
        "{\"timestamp\": 2.5, \"input_length\": 40, \"output_length\": 7, \"hash_ids\": [1, 2, "
        "3]}\n"
        "\n"
        "{\"timestamp\": 1, \"input_length\": 32, \"output_length\": 9, \"hash_ids\": [1, 4], "
        "\"type\": \"text\"}\n",
        &trace, NULL);
    assert_integer("requests", trace.count, 2);
    assert_integer("prompt", trace.requests[0].prompt, 32);
    assert_integer("output", trace.requests[1].output, 7);
    assert_close(trace.requests[1].arrival, 2.5, 0);
    for (int i = 0; i < 32; i++) {
        const bool same =
            request_token(&trace.requests[0], i) == request_token(&trace.requests[1], i);
        assert_boolean("the same token", same, i < 16);
    }
}

static void tokens_without_an_id_are_unique(void **state)
{
    (void)state;
    const Request a = {.id = 1, .prompt = 40}, b = {.id = 2, .prompt = 40};
    for (int i = 0; i < 40; i++) {
        assert_boolean("another request", request_token(&a, i) == request_token(&b, i), false);
        assert_boolean("another place", request_token(&a, i) == request_token(&a, i + 1), false);
        assert_that(request_token(&a, i) >= 0, "token %d is negative", i);
    }
}

// The parent's output is known from the child's prompt.
static void the_next_turn_continues_the_parents_output(void **state)
{
    (void)state;
    Trace trace;
    read_text(
        "{\"timestamp\": 0, \"input_length\": 20, \"output_length\": 30, \"hash_ids\": [1, 2], "
        "\"chat_id\": 5, \"parent_chat_id\": -1}\n"
        "{\"timestamp\": 9, \"input_length\": 70, \"output_length\": 3, \"hash_ids\": [1, 3, 4, 6, "
        "7], "
        "\"chat_id\": 6, \"parent_chat_id\": 5}\n",
        &trace, NULL);
    for (int i = 0; i < 50; i++)
        assert_integer("token", request_token(&trace.requests[0], i),
                       request_token(&trace.requests[1], i));
}

static void a_bad_trace_gets_a_sentence(void **state)
{
    (void)state;
    Trace trace;
    read_text("", &trace, ": holds no request");
    read_text("\n \n", &trace, ": holds no request");
    read_text("{\"input_length\": 4, \"output_length\": 7}\n", &trace,
              ":1: \"timestamp\" is missing, expected a number");
    read_text("{\"timestamp\": 1, \"input_length\": 0, \"output_length\": 7}\n", &trace,
              ":1: \"input_length\" is 0, expected 1 to 4.1943e+06");
    read_text("{\"timestamp\": 1, \"input_length\": 4, \"output_length\": 7, \"hash_ids\": [-1]}\n",
              &trace, ":1: \"hash_ids\" holds a value that is not an integer from 0 to 2147483647");
    read_text("{\"timestamp\": 1, \"input_length\": 4, \"output_length\": 7, \"hash_ids\": 3}\n",
              &trace, ":1: \"hash_ids\" is not a list");
}

static void a_damaged_trace_is_read_or_refused(void **state)
{
    (void)state;
    static const char good[] =
        "{\"timestamp\": 0.5, \"input_length\": 40, \"output_length\": 3, \"hash_ids\": [1, 2, 3], "
        "\"chat_id\": 1, \"parent_chat_id\": -1}\n"
        "{\"timestamp\": 1.5, \"input_length\": 90, \"output_length\": 3, \"hash_ids\": [1, 2, 4, "
        "5], "
        "\"chat_id\": 2, \"parent_chat_id\": 1}\n";
    static const char letters[] = "0123456789-.e,:[]{}\" \n\tx\0";
    char text[sizeof good], path[] = "/tmp/trace_XXXXXX";
    const int file = mkstemp(path);
    Rng rng = rng_from_seed(5);
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
        Trace trace;
        Error err = {""};
        memcpy(text, good, sizeof good);
        for (int n = 1 + (int)rng_below(&rng, 3); n > 0; n--)
            text[rng_below(&rng, sizeof good - 1)] = letters[rng_below(&rng, sizeof letters - 1)];
        assert_true(pwrite(file, text, sizeof good - 1, 0) == (ssize_t)(sizeof good - 1));
        if (!trace_read(arena, path, &trace, &err)) {
            refused++;
            assert_that(strlen(err.message) > strlen(path) + 8, "no reason: '%s'", err.message);
            continue;
        }
        for (int r = 0; r < trace.count; r++)
            for (int t = 0; t < 100; t++)
                assert_that(request_token(&trace.requests[r], t) >= 0, "token %d", t);
    }
    close(file);
    unlink(path);
    assert_that(refused > 500 && refused < 2990, "%d of 3000 were refused", refused);
}

// ---- synthetic workloads ----

static void lengths_have_the_means_of_the_paper(void **state)
{
    (void)state;
    const struct {
        const char *name;
        double prompt, output;
    } want[] = {{"sharegpt", 161.31, 337.99}, {"alpaca", 19.31, 58.45}};
    for (int w = 0; w < 2; w++) {
        const int n = 20000;
        const Trace trace = workload_make(arena, workload_find(want[w].name), n, 2, 1);
        double prompt = 0, output = 0;
        for (int i = 0; i < n; i++) {
            prompt += trace.requests[i].prompt;
            output += trace.requests[i].output;
            assert_that(i == 0 || trace.requests[i].arrival >= trace.requests[i - 1].arrival,
                        "request %d comes before the one before", i);
        }
        assert_close(prompt / n, want[w].prompt, 0.03 * want[w].prompt);
        assert_close(output / n, want[w].output, 0.03 * want[w].output);
        assert_close(trace.requests[n - 1].arrival, n / 2.0, 0.03 * n / 2);
    }
}

static void the_same_seed_makes_the_same_trace(void **state)
{
    (void)state;
    const Workload *chat = workload_find("chat");
    const Trace a = workload_make(arena, chat, 500, 2, 7),
                b = workload_make(arena, chat, 500, 2, 7);
    const Trace c = workload_make(arena, chat, 500, 2, 8);
    int differ = 0;
    for (int i = 0; i < 500; i++) {
        assert_integer("prompt", a.requests[i].prompt, b.requests[i].prompt);
        assert_integer("token", request_token(&a.requests[i], a.requests[i].prompt - 1),
                       request_token(&b.requests[i], b.requests[i].prompt - 1));
        differ += a.requests[i].prompt != c.requests[i].prompt;
    }
    assert_that(differ > 400, "another seed changes %d of 500 prompts", differ);
}

// ---- the buddy allocator ----

static void pieces_never_overlap_and_are_merged_when_freed(void **state)
{
    (void)state;
    enum { SLOTS = 1000, PIECES = 60 };
    Buddy buddy = buddy_new(arena, SLOTS);
    struct {
        int place, slots;
    } pieces[PIECES];
    signed char owner[SLOTS];
    memset(owner, -1, sizeof owner);
    for (int p = 0; p < PIECES; p++) pieces[p].slots = 0;
    Rng rng = rng_from_seed(3);
    for (int e = 0; e < 200000; e++) {
        const int p = (int)rng_below(&rng, PIECES);
        if (pieces[p].slots == 0) {
            const int slots = 1 + (int)rng_below(&rng, 100), place = buddy_allocate(&buddy, slots);
            if (place < 0) continue;
            for (int i = place; i < place + slots; i++) {
                assert_that(i < SLOTS && owner[i] < 0, "slot %d is allocated twice", i);
                owner[i] = (signed char)p;
            }
            pieces[p].place = place;
            pieces[p].slots = slots;
        } else {
            buddy_free(&buddy, pieces[p].place, pieces[p].slots);
            memset(owner + pieces[p].place, -1, (size_t)pieces[p].slots);
            pieces[p].slots = 0;
        }
    }
    for (int p = 0; p < PIECES; p++)
        if (pieces[p].slots > 0) buddy_free(&buddy, pieces[p].place, pieces[p].slots);
    assert_integer("used", buddy.used, 0);
    assert_integer("the largest piece", buddy_allocate(&buddy, 512), 0);
    assert_integer("the next", buddy_allocate(&buddy, 256), 512);
    assert_integer("larger than any free piece", buddy_allocate(&buddy, 256), -1);
}

// ---- the account ----

static Replica *replica_with(const ReplicaSettings *settings, const Request *requests, int count,
                             Served *served)
{
    Error err;
    Replica *r = replica_open(arena, settings);
    for (int i = 0; i < count; i++)
        assert_true(replica_submit(r, &requests[i], &served[i], 0, &err));
    return r;
}

static void slots_are_used_free_or_in_a_tail(void **state)
{
    (void)state;
    Served served[1] = {0};
    const Request request = {.prompt = 20, .output = 4};
    const ReplicaSettings settings = settings_of(10, 8, NULL);
    Replica *r = replica_with(&settings, &request, 1, served);
    replica_step(r);
    const Account a = account_take(r->auditor, r->scheduler);
    assert_integer("used", a.used, 20);
    assert_integer("tail", a.tail, 4);
    assert_integer("free", a.free, 56);
    assert_integer("sum", account_sum(&a), 80);
    replica_close(r);
}

static void without_a_cache_equal_blocks_are_duplicates(void **state)
{
    (void)state;
    const int32_t ids[4] = {1, 2, 3, 4};
    for (int cache = 0; cache < 2; cache++) {
        Served served[3] = {{0}};
        Request requests[3];
        for (int i = 0; i < 3; i++)
            requests[i] = (Request){.id = i, .prompt = 40, .output = 9, .ids = ids, .id_count = 2};
        const ReplicaSettings settings = settings_of(20, 8, cache ? &hash_chain : NULL);
        Replica *r = replica_with(&settings, requests, 3, served);
        replica_step(r);
        const Account a = account_take(r->auditor, r->scheduler);
        assert_integer("duplicate", a.duplicate, cache ? 0 : 2 * 32);
        assert_integer("used", a.used, 32 + 3 * 8);
        assert_integer("sum", account_sum(&a), 160);
        replica_close(r);
    }
}

static void worst_case_admission_reserves_blocks(void **state)
{
    (void)state;
    Served served[1] = {0};
    const Request request = {.prompt = 20, .output = 21};
    ReplicaSettings settings = settings_of(10, 8, &radix_tree);
    settings.scheduler.worst_case = true;
    Replica *r = replica_with(&settings, &request, 1, served);
    replica_step(r);
    Account a = account_take(r->auditor, r->scheduler);
    assert_integer("reserved", a.reserved, 2 * 8);
    assert_integer("free", a.free, 5 * 8);
    while (replica_is_busy(r)) replica_step(r);
    a = account_take(r->auditor, r->scheduler);
    assert_integer("cached idle: full blocks of 40 tokens", a.cached, 5 * 8);
    assert_integer("free", a.free, 5 * 8);
    replica_close(r);
}

// ---- the PagedAttention paper ----

static void contiguous_reservations_give_the_papers_figures(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("sharegpt"), 1000, 0, 42);
    const ContiguousResult max = contiguous_run(&trace, 15728, 2048, RESERVE_MAX);
    const ContiguousResult pow2 = contiguous_run(&trace, 15728, 2048, RESERVE_POW2);
    const ContiguousResult oracle = contiguous_run(&trace, 15728, 2048, RESERVE_ORACLE);
    assert_close(max.at_once, 7, 0);
    // Figure 2: 20.4, 26.8 and 38.2 %; figure 13: 9.81 and 13.62 at once.
    assert_close(max.used, 0.204, 0.02);
    assert_close(pow2.used, 0.268, 0.04);
    assert_close(oracle.used, 0.382, 0.04);
    assert_close(pow2.at_once, 9.81, 1);
    assert_close(oracle.at_once, 13.62, 1);
    assert_close(max.used + max.reserved + max.internal + max.external, 1, 1e-9);
    assert_close(oracle.internal, 0, 0);
}

static void paged_memory_wastes_less_than_four_percent(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("sharegpt"), 1000, 0, 42);
    ReplicaSettings settings = settings_of(15728 / 16, 16, NULL);
    settings.scheduler = (SchedulerOptions){.budget = 8192, .max_running = 256, .watermark = 1};
    Served *served = arena_zeros(arena, 1000 * sizeof *served);
    Replica *r = replica_with(&settings, trace.requests, 1000, served);
    while (r->scheduler->waiting.count > 0) replica_step(r);
    const double used = (double)r->account.used / (double)account_sum(&r->account);
    assert_that(used > 0.96 && used < 1, "%.2f %% of the slots are used", 100 * used);
    // 2 to 4 times as many requests at once as with an oracle's reservations.
    const double at_once = (double)r->entries / (double)r->steps;
    assert_that(at_once > 2 * 13.62 && at_once < 4 * 13.62, "%.1f requests at once", at_once);
    replica_close(r);
}

// One request, by hand: blocks of 4 tokens, a prompt of 8, six outputs of 4.
static void parallel_samples_share_the_prompt(void **state)
{
    (void)state;
    const Request request = {.prompt = 8, .output = 4};
    const Trace trace = {(Request *)&request, 1};
    // Six tables of three blocks; the two blocks of the prompt are shared.
    assert_close(sharing_saved(&trace, 6, SHARE_PARALLEL, 4, 1), 10.0 / 18, 1e-9);
}

static void beams_share_more_than_samples(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("alpaca"), 50, 0, 42);
    const double samples = sharing_saved(&trace, 6, SHARE_PARALLEL, 16, 1);
    const double beams = sharing_saved(&trace, 6, SHARE_BEAM, 16, 1);
    assert_that(samples > 0.05 && beams > 2 * samples && beams < 5.0 / 6,
                "samples save %.3f, beams %.3f", samples, beams);
}

// ---- fleets ----

static FleetResult run_fleet(const Trace *trace, const PrefixKind *kind, int replicas, Route route)
{
    FleetResult result;
    const ReplicaSettings settings = settings_of(1500, 16, kind);
    fleet_run(trace, &settings, replicas, route, NULL, &result);
    assert_integer("served", result.served + result.refused, trace->count);
    return result;
}

static void prefix_routing_has_more_hits(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("chat"), 600, 4, 42);
    const FleetResult robin = run_fleet(&trace, &radix_tree, 4, ROUTE_ROUND_ROBIN);
    const FleetResult prefix = run_fleet(&trace, &radix_tree, 4, ROUTE_PREFIX);
    const int64_t ideal = fleet_ideal_hits(&trace, 16);
    assert_that(prefix.hit_tokens > robin.hit_tokens * 5 / 4, "%lld hits, round robin has %lld",
                (long long)prefix.hit_tokens, (long long)robin.hit_tokens);
    assert_that(prefix.hit_tokens <= ideal, "%lld hits, a cache without end has %lld",
                (long long)prefix.hit_tokens, (long long)ideal);
    assert_that(prefix.computed < robin.computed, "%lld tokens are computed, not fewer than %lld",
                (long long)prefix.computed, (long long)robin.computed);
    assert_integer("output tokens", prefix.output_tokens, robin.output_tokens);
}

// Both replicas know the first block; each knows one text.
static void prefix_routing_chooses_the_longest_prefix(void **state)
{
    (void)state;
    const int32_t one[] = {1, 2, 3, 4, 5}, other[] = {1, 12, 13, 14, 15};
    Request requests[4];
    for (int i = 0; i < 4; i++)
        requests[i] = (Request){.arrival = i < 2 ? 0 : 100 * i,
                                .id = i,
                                .prompt = i < 2 ? 64 : 80,
                                .output = 2,
                                .ids = i % 2 ? other : one,
                                .id_count = i < 2 ? 4 : 5};
    const Trace trace = {requests, 4};
    const FleetResult r = run_fleet(&trace, &hash_chain, 2, ROUTE_PREFIX);
    assert_integer("hits", r.hit_tokens, 2 * 64);
}

// 64 clients at once, 128 prompt tokens each, of which half share 96. llama-server b11434 computes 5983 to
// 6719 of the 8192 prompt tokens.
static void a_burst_computes_its_shared_prefix_once(void **state)
{
    (void)state;
    enum { CLIENTS = 64, PROMPT = 128, SHARED = 96, OUTPUT = 64 };
    int32_t ids[SHARED / TRACE_BLOCK];
    for (int i = 0; i < SHARED / TRACE_BLOCK; i++) ids[i] = i;
    Request requests[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        requests[i] = (Request){.id = i,
                                .prompt = PROMPT,
                                .output = OUTPUT,
                                .ids = ids,
                                .id_count = i % 2 ? SHARED / TRACE_BLOCK : 0};
    const Trace trace = {requests, CLIENTS};
    for (int block = 1; block <= 32; block *= 2) {
        ReplicaSettings settings = settings_of(16384 / block, block, &radix_tree);
        settings.scheduler = (SchedulerOptions){.budget = 256, .max_running = CLIENTS};
        FleetResult r;
        fleet_run(&trace, &settings, 1, ROUTE_PREFIX, NULL, &r);
        assert_integer("prompt tokens computed", r.computed - CLIENTS * (OUTPUT - 1), 5216);
        assert_integer("preemptions", r.preemptions, 0);
    }
}

static void a_large_cache_has_the_ideal_hit_rate(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("chat"), 300, 0.05, 1);
    ReplicaSettings settings = settings_of(60000, 16, &hash_chain);
    FleetResult r;
    fleet_run(&trace, &settings, 1, ROUTE_PREFIX, NULL, &r);
    assert_integer("hits", r.hit_tokens, fleet_ideal_hits(&trace, 16));
    assert_integer("evicted", r.evicted, 0);
}

static void hash_chain_and_radix_tree_give_the_same_run(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("chat"), 400, 8, 42);
    const FleetResult hash = run_fleet(&trace, &hash_chain, 2, ROUTE_PREFIX);
    const FleetResult radix = run_fleet(&trace, &radix_tree, 2, ROUTE_PREFIX);
    const FleetResult none = run_fleet(&trace, NULL, 2, ROUTE_LEAST_LOADED);
    assert_integer("hits", radix.hit_tokens, hash.hit_tokens);
    assert_integer("evicted", radix.evicted, hash.evicted);
    assert_integer("preemptions", radix.preemptions, hash.preemptions);
    assert_close(radix.first_p99, hash.first_p99, 0);
    assert_integer("hits without a cache", none.hit_tokens, 0);
    assert_that(none.computed > 2 * hash.computed, "%lld tokens are computed without a cache",
                (long long)none.computed);
}

static void a_request_that_can_never_fit_is_refused(void **state)
{
    (void)state;
    Request requests[3] = {{.id = 0, .prompt = 30, .output = 5},
                           {.id = 1, .prompt = 3000, .output = 5},
                           {.id = 2, .prompt = 30, .output = 5}};
    const Trace trace = {requests, 3};
    FleetResult r;
    const ReplicaSettings settings = settings_of(100, 16, NULL);
    fleet_run(&trace, &settings, 1, ROUTE_ROUND_ROBIN, NULL, &r);
    assert_integer("served", r.served, 2);
    assert_integer("refused", r.refused, 1);
    assert_that(strstr(r.why, "3005 tokens need 188 blocks of 16") != NULL, "why: %s", r.why);
}

// ---- published benchmarks ----

// nano-vllm's README: 133,966 output tokens of 256 requests.
static void nano_vllms_benchmark_completes(void **state)
{
    (void)state;
    Trace trace;
    Error err;
    assert_true(trace_read(arena, FIXTURES "nano_vllm.jsonl", &trace, &err));
    FleetResult r;
    ReplicaSettings settings = settings_of(4096, 16, &radix_tree);
    settings.scheduler = (SchedulerOptions){.budget = 16384, .max_running = 512, .watermark = 16};
    fleet_run(&trace, &settings, 1, ROUTE_ROUND_ROBIN, NULL, &r);
    assert_integer("requests", r.served, 256);
    assert_integer("output tokens", r.output_tokens, 133966);
    assert_that(r.preemptions > 0, "no preemption: the pool is too large for this test");
}

// tiny-llm decodes four sequences and, between two decode steps, prefills 128 tokens of a fifth. Its report:
// 380 decode steps; at most 1116 pages in 36 layers, 31 each; at most 15,840 unused slots in them, 440 each.
static void tiny_llms_report_is_reproduced(void **state)
{
    (void)state;
    enum { SLOTS = 4, PAGE = 128, POOL = 40 };
    Trace trace;
    Error err;
    assert_true(trace_read(arena, FIXTURES "tiny_llm.jsonl", &trace, &err));
    BlockPool pool = block_pool_new(arena, POOL, PAGE, NULL);
    struct Text {
        const Request *request;
        BlockTable table;
        int computed, left;
    } texts[SLOTS + 1] = {0};    // the last one is in prefill
    struct Text *prompt = &texts[SLOTS];
    int next = 0, steps = 0, pages = 0, tail = 0;
    for (bool going = true; going;) {
        BlockCopies none = {NULL, 0};
        if (prompt->request == NULL && next < trace.count) {
            const Request *r = &trace.requests[next++];
            *prompt = (struct Text){
                r, {arena_alloc(arena, POOL * sizeof(int32_t)), 0, POOL, 0, 0}, 0, r->output};
        }
        int count = 0, active = 0;
        if (prompt->request != NULL && prompt->computed < prompt->request->prompt) {
            const int more = prompt->request->prompt - prompt->computed;
            count = more < PAGE ? more : PAGE;
            assert_true(block_table_extend(&pool, &prompt->table, prompt->computed, count, &none));
            prompt->computed += count;
            prompt->left -= prompt->computed == prompt->request->prompt;
        }
        if (prompt->request != NULL && prompt->computed == prompt->request->prompt)
            for (int i = 0; i < SLOTS && prompt->request != NULL; i++)
                if (texts[i].request == NULL) {
                    texts[i] = *prompt;
                    prompt->request = NULL;
                }
        for (int i = 0; i < SLOTS; i++) {
            if (texts[i].request == NULL) continue;
            active++;
            assert_true(block_table_extend(&pool, &texts[i].table, texts[i].computed++, 1, &none));
            texts[i].left--;
        }
        steps += active > 0;
        int held = 0, used = 0;
        for (int i = 0; i <= SLOTS; i++)
            if (texts[i].request != NULL) held += texts[i].table.count, used += texts[i].computed;
        assert_integer("held pages", held, POOL - pool.idle);
        if (held > pages) pages = held;
        if (held * PAGE - used > tail) tail = held * PAGE - used;
        for (int i = 0; i < SLOTS; i++)
            if (texts[i].request != NULL && texts[i].left == 0) {
                block_table_truncate(&pool, &texts[i].table, 0);
                texts[i].request = NULL;
            }
        going = next < trace.count;
        for (int i = 0; i <= SLOTS; i++) going = going || texts[i].request != NULL;
    }
    assert_integer("decode steps", steps, 380);
    assert_integer("pages at once", pages, 31);
    assert_integer("slots unused in them", tail, 440);
}

// ---- the event log ----

typedef struct Reader {
    EventLog log;
    char *text;
    size_t size;
    int32_t tables[64][200];    // as reconstructed
    int counts[64];
    int64_t events;
} Reader;

// Reconstructs the table of a sequence from the log's lines alone.
static void follow(void *context, const SchedulerEvent *e)
{
    Reader *r = context;
    rewind(r->log.stream);
    event_log_write(&r->log, e);
    fflush(r->log.stream);
    cJSON *line = cJSON_Parse(r->text);
    assert_non_null(line);
    const int id = cJSON_GetObjectItem(line, "sequence")->valueint;
    const char *what = cJSON_GetObjectItem(line, "event")->valuestring;
    const cJSON *blocks = cJSON_GetObjectItem(line, "blocks"), *block;
    const cJSON *first = cJSON_GetObjectItem(line, "first");
    assert_integer("sequence", id, e->sequence->id);
    if (strcmp(what, "preempted") == 0 || strcmp(what, "finished") == 0) r->counts[id] = 0;
    if (blocks != NULL) {
        r->counts[id] = first != NULL ? first->valueint / r->log.block_size : 0;
        cJSON_ArrayForEach(block, blocks) r->tables[id][r->counts[id]++] = block->valueint;
    }
    const bool whole = strcmp(what, "scheduled") == 0 || strcmp(what, "finished") == 0;
    cJSON_Delete(line);
    if (whole) {
        assert_integer("blocks", r->counts[id], e->sequence->table.count);
        assert_memory_equal(r->tables[id], e->sequence->table.blocks,
                            (size_t)r->counts[id] * sizeof(int32_t));
    }
    r->events++;
}

static void the_log_is_enough_to_reconstruct_the_tables(void **state)
{
    (void)state;
    const Trace trace = workload_make(arena, workload_find("chat"), 60, 20, 42);
    Reader *r = arena_zeros(arena, sizeof *r);
    r->log = (EventLog){.stream = open_memstream(&r->text, &r->size), .block_size = 64};
    const FleetLog log = {follow, r};
    FleetResult result;
    ReplicaSettings settings = settings_of(60, 64, &radix_tree);
    fleet_run(&trace, &settings, 1, ROUTE_ROUND_ROBIN, &log, &result);
    fclose(r->log.stream);
    free(r->text);
    assert_that(result.preemptions > 0 && r->events > 1000, "%lld preemptions, %lld events",
                (long long)result.preemptions, (long long)r->events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_is_read_in_the_order_of_arrival),
        cmocka_unit_test(tokens_without_an_id_are_unique),
        cmocka_unit_test(the_next_turn_continues_the_parents_output),
        cmocka_unit_test(a_bad_trace_gets_a_sentence),
        cmocka_unit_test(a_damaged_trace_is_read_or_refused),
        cmocka_unit_test(lengths_have_the_means_of_the_paper),
        cmocka_unit_test(the_same_seed_makes_the_same_trace),
        cmocka_unit_test(pieces_never_overlap_and_are_merged_when_freed),
        cmocka_unit_test(slots_are_used_free_or_in_a_tail),
        cmocka_unit_test(without_a_cache_equal_blocks_are_duplicates),
        cmocka_unit_test(worst_case_admission_reserves_blocks),
        cmocka_unit_test(contiguous_reservations_give_the_papers_figures),
        cmocka_unit_test(paged_memory_wastes_less_than_four_percent),
        cmocka_unit_test(parallel_samples_share_the_prompt),
        cmocka_unit_test(beams_share_more_than_samples),
        cmocka_unit_test(prefix_routing_has_more_hits),
        cmocka_unit_test(prefix_routing_chooses_the_longest_prefix),
        cmocka_unit_test(a_burst_computes_its_shared_prefix_once),
        cmocka_unit_test(a_large_cache_has_the_ideal_hit_rate),
        cmocka_unit_test(hash_chain_and_radix_tree_give_the_same_run),
        cmocka_unit_test(a_request_that_can_never_fit_is_refused),
        cmocka_unit_test(nano_vllms_benchmark_completes),
        cmocka_unit_test(tiny_llms_report_is_reproduced),
        cmocka_unit_test(the_log_is_enough_to_reconstruct_the_tables),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
