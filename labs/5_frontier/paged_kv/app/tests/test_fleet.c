/* Several replicas behind a router, and two published benchmarks. */
#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include "labs/5_frontier/paged_kv/app/tests/replays.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_routing_has_more_hits),
        cmocka_unit_test(prefix_routing_chooses_the_longest_prefix),
        cmocka_unit_test(a_burst_computes_its_shared_prefix_once),
        cmocka_unit_test(a_large_cache_has_the_ideal_hit_rate),
        cmocka_unit_test(hash_chain_and_radix_tree_give_the_same_run),
        cmocka_unit_test(a_request_that_can_never_fit_is_refused),
        cmocka_unit_test(nano_vllms_benchmark_completes),
        cmocka_unit_test(tiny_llms_report_is_reproduced),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
