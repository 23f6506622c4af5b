/* Exercise 13: the plan of a step. check.c says how cases are made. */
#include "labs/5_frontier/paged_kv/check.h"

// ---- 13: the step ----

static int look_up(KvPool *pool, KvRequest *r)
{
    uint64_t parent = r->salt;
    int size = pool->block_size;
    for (int at = 0; at + size < r->tokens; at += size) {
        uint64_t hash = pool_hash(parent, r->ids + at, size);
        int block = -1;
        for (int b = 0; b < pool->blocks; b++)
            if (pool->hash[b] == hash && pool->parent[b] == parent) block = b;
        if (block < 0) break;
        pool_take(pool, block);
        r->table.block[r->table.blocks++] = block;
        r->table.tokens += size;
        parent = hash;
    }
    return r->table.tokens;
}

// Tokens for request i, or -1 where its blocks are not there.
static int tokens_that_fit(const KvPool *pool, const KvRequest *requests, int count, int i,
                           KvLimits limits)
{
    int budget = limits.budget, free = pool->free;
    for (int r = 0; r < count; r++) {
        budget -= requests[r].scheduled;
        free -= kv_blocks_needed(pool, &requests[r].table, requests[r].scheduled);
    }
    int tokens = requests[i].tokens - requests[i].computed;
    if (tokens > limits.chunk) tokens = limits.chunk;
    if (tokens > budget) tokens = budget;
    return kv_blocks_needed(pool, &requests[i].table, tokens) <= free ? tokens : -1;
}

static int plan(KvPool *pool, KvRequest *requests, int count, KvLimits limits)
{
    int sum = 0;
    bool preempted = false;
    for (int r = 0; r < count; r++) requests[r].scheduled = 0;
    for (int prefills = 0; prefills < 2; prefills++)
        for (int i = 0; i < count; i++) {
            KvRequest *r = &requests[i];
            if (r->state != KV_RUNNING || (r->tokens - r->computed > 1) != prefills) continue;
            int tokens = tokens_that_fit(pool, requests, count, i, limits);
            for (; tokens < 0 && r->state == KV_RUNNING;
                 tokens = tokens_that_fit(pool, requests, count, i, limits)) {
                requests_preempt(pool, requests, count);
                preempted = true;
            }
            if (r->state == KV_RUNNING) r->scheduled = tokens;
        }
    for (int i = 0; i < count && !preempted; i++) {
        KvRequest *r = &requests[i];
        int used = 0;
        for (int k = 0; k < count; k++) used += requests[k].scheduled;
        if (r->state != KV_WAITING) continue;
        if (used >= limits.budget) break;
        r->computed = look_up(pool, r);
        int tokens = tokens_that_fit(pool, requests, count, i, limits);
        if (tokens < 0) {
            while (r->table.blocks > 0) pool_join(pool, r->table.block[--r->table.blocks]);
            r->table.tokens = r->computed = 0;
            break;
        }
        r->state = KV_RUNNING;
        r->scheduled = tokens;
    }
    for (int i = 0; i < count; i++) sum += requests[i].scheduled;
    return sum;
}

static void assert_schedule(KvPool *pool, KvRequest *requests, int count, int budget, int chunk)
{
    KvLimits limits = {budget, chunk};
    KvPool *want = pool_copy(pool);
    KvRequest *after = requests_copy(requests, count);
    int sum = plan(want, after, count, limits);
    int got = kv_schedule(pool, requests, count, limits);
    assert_requests(requests, after, count);
    assert_pool(pool, want);
    assert_integer("the sum of the scheduled tokens", got, sum);
}

static void assert_scheduled(const KvRequest *requests, int count, const int *want)
{
    int *got = ints_filled((size_t)count, 0);
    for (int r = 0; r < count; r++) got[r] = requests[r].scheduled;
    list_assert("scheduled tokens of requests 0, 1, ..:", got, count, want, count, __FILE__,
                __LINE__);
}

CASE(schedule__serves_decodes_then_prefills_then_those_that_wait)
{
    KvPool *pool = pool_new(40, 4, 2);
    KvRequest *r = requests_new(5);
    run_with(pool, &r[0], 20, 8);
    wait_with(&r[1], 5);
    run_with(pool, &r[2], 7, 6);
    run_with(pool, &r[3], 30, 10);
    run_with(pool, &r[4], 5, 4);
    assert_schedule(pool, r, 5, 16, 8);
    assert_scheduled(r, 5, (int[]){8, 0, 1, 6, 1});
    assert_schedule(pool, r, 5, 30, 12);
    assert_scheduled(r, 5, (int[]){12, 4, 1, 12, 1});
    assert_schedule(pool, r, 5, 1, 12);
    assert_scheduled(r, 5, (int[]){0, 0, 1, 0, 0});
}

CASE(schedule__admits_in_the_order_of_arrival)
{
    KvPool *pool = pool_new(40, 4, 2);
    KvRequest *r = requests_new(4);
    for (int i = 0; i < 4; i++) wait_with(&r[i], 6 + i);
    assert_schedule(pool, r, 4, 13, 100);
    assert_scheduled(r, 4, (int[]){6, 7, 0, 0});
    assert_integer("request 2 waits", r[2].state, KV_WAITING);
}

CASE(schedule__does_not_let_a_small_request_overtake)
{
    KvPool *pool = pool_new(6, 4, 2);
    KvRequest *r = requests_new(3);
    run_with(pool, &r[0], 10, 9);
    wait_with(&r[1], 16);
    wait_with(&r[2], 3);
    assert_schedule(pool, r, 3, 64, 64);
    assert_scheduled(r, 3, (int[]){1, 0, 0});
}

CASE(schedule__reserves_blocks_for_each_request)
{
    KvPool *pool = pool_new(5, 4, 2);
    KvRequest *r = requests_new(3);
    for (int i = 0; i < 3; i++) wait_with(&r[i], 8);
    assert_schedule(pool, r, 3, 64, 64);    // 2 + 2 of 5 blocks
    assert_scheduled(r, 3, (int[]){8, 8, 0});
    KvPool *exact = pool_new(4, 4, 2);
    for (int i = 0; i < 3; i++)
        r[i] = (KvRequest){KV_WAITING, r[i].ids, 8, 0, 0, 1, {r[i].table.block, 0, 0}};
    assert_schedule(exact, r, 3, 64, 64);
    assert_scheduled(r, 3, (int[]){8, 8, 0});
}

CASE(schedule__preempts_the_last_one_where_blocks_are_missing)
{
    KvPool *pool = pool_new(5, 2, 2);
    KvRequest *r = requests_new(4);
    run_with(pool, &r[0], 5, 4);
    run_with(pool, &r[1], 4, 3);
    run_with(pool, &r[2], 2, 1);
    wait_with(&r[3], 2);
    assert_schedule(pool, r, 4, 64, 64);
    assert_scheduled(r, 4, (int[]){1, 1, 0, 0});
    assert_integer("request 2 waits", r[2].state, KV_WAITING);
    assert_integer("request 3 waits, for a step that preempts admits none", r[3].state, KV_WAITING);
}

CASE(schedule__preempts_a_request_for_itself)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 4, 3);
    run_with(pool, &r[1], 5, 4);
    assert_schedule(pool, r, 2, 64, 64);
    assert_scheduled(r, 2, (int[]){1, 0});
    assert_schedule(pool, r, 2, 64, 64);    // its blocks are there again, one too few
}

CASE(schedule__preempts_as_many_as_it_takes)
{
    KvPool *pool = pool_new(7, 2, 2);
    KvRequest *r = requests_new(4);
    run_with(pool, &r[0], 14, 6);    // four more blocks
    run_with(pool, &r[1], 2, 1);
    run_with(pool, &r[2], 4, 3);
    run_with(pool, &r[3], 2, 1);
    assert_schedule(pool, r, 4, 64, 64);
    assert_scheduled(r, 4, (int[]){8, 0, 0, 0});
}

CASE(schedule__returns_the_budget_of_a_preempted_request)
{
    KvPool *pool = pool_new(5, 2, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 10, 4);
    run_with(pool, &r[1], 6, 5);    // a decode: planned first
    assert_schedule(pool, r, 2, 4, 64);
    assert_scheduled(r, 2, (int[]){4, 0});
}

CASE(schedule__takes_what_is_cached_first)
{
    KvPool *pool = pool_new(6, 4, 4);
    KvRequest *r = requests_new(2);
    wait_with(&r[0], 13);
    uint64_t hash = pool_hash(1, r[0].ids, 4);
    pool_cache(pool, 5, hash, 1, r[0].ids);
    pool_cache(pool, 2, pool_hash(hash, r[0].ids + 4, 4), hash, r[0].ids + 4);
    wait_with(&r[1], 5);
    assert_schedule(pool, r, 2, 64, 64);
    assert_scheduled(r, 2, (int[]){5, 5});
    assert_integer("computed: two blocks of the cache", r[0].computed, 8);
}

CASE(schedule__gives_back_what_it_took_where_the_rest_does_not_fit)
{
    KvPool *pool = pool_new(6, 4, 4);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 16, 13);
    wait_with(&r[1], 13);
    uint64_t hash = pool_hash(1, r[1].ids, 4);
    pool_cache(pool, 5, hash, 1, r[1].ids);
    assert_schedule(pool, r, 2, 64, 64);
    assert_scheduled(r, 2, (int[]){3, 0});
    assert_integer("computed", r[1].computed, 0);
    assert_integer("free blocks", pool->free, 2);
    wait_with(&r[1], 17);
    pool_cache(pool, 4, pool_hash(hash, r[1].ids + 4, 4), hash, r[1].ids + 4);
    assert_schedule(pool, r, 2, 64, 64);    // two blocks, from the last to the first (3)
}

CASE(schedule__does_not_count_a_cached_block_as_free_as_well)
{
    KvPool *pool = pool_new(3, 4, 4);
    KvRequest *r = requests_new(1);
    wait_with(&r[0], 13);    // four blocks: one cached, two free
    pool_cache(pool, 1, pool_hash(1, r[0].ids, 4), 1, r[0].ids);
    assert_schedule(pool, r, 1, 64, 64);
    assert_scheduled(r, 1, (int[]){0});
    assert_schedule(pool, r, 1, 64, 8);
    assert_scheduled(r, 1, (int[]){8});
}

CASE(schedule__leaves_the_cache_alone_where_it_admits_no_one)
{
    // What a look-up takes and gives back goes to the end of the free queue.
    KvPool *pool = pool_new(4, 2, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 3, 2);
    wait_with(&r[1], 5);
    pool_cache(pool, 1, pool_hash(1, r[1].ids, 2), 1, r[1].ids);
    assert_schedule(pool, r, 2, 1, 64);    // the budget is spent
    KvPool *full = pool_new(4, 2, 2);
    r = requests_new(2);
    run_with(full, &r[0], 5, 4);
    run_with(full, &r[1], 5, 4);
    pool_cache(full, r[1].table.block[1], pool_hash(1, r[1].ids, 2), 1, r[1].ids);
    assert_schedule(full, r, 2, 64, 64);    // request 1 is preempted, and would find that block
}

CASE(schedule__needs_no_block_where_no_budget_is_left)
{
    KvPool *pool = pool_new(3, 2, 2);
    KvRequest *r = requests_new(3);
    run_with(pool, &r[0], 2, 1);
    run_with(pool, &r[1], 6, 2);
    run_with(pool, &r[2], 2, 1);    // all blocks are in use
    assert_schedule(pool, r, 3, 2, 64);
    assert_scheduled(r, 3, (int[]){1, 0, 1});
    assert_integer("request 2 runs", r[2].state, KV_RUNNING);
}

CASE(schedule__keeps_salts_apart)
{
    KvPool *pool = pool_new(12, 2, 4);
    KvRequest *r = requests_new(3);
    for (int i = 0; i < 3; i++) {
        wait_with(&r[i], 3);
        for (int k = 0; k < 3; k++) r[i].ids[k] = 7 + k;
        r[i].salt = 5 + ((uint64_t)i << 40);
    }
    pool_cache(pool, 9, pool_hash(r[0].salt, r[0].ids, 2), r[0].salt, r[0].ids);
    assert_schedule(pool, r, 3, 64, 64);
    assert_scheduled(r, 3, (int[]){1, 3, 3});
}

CASE(schedule__reserves_a_block_for_each_copy)
{
    // Two tables of the same blocks; the copy of the first one takes the only free block.
    KvPool *pool = pool_new(3, 4, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 7, 6);
    r[1] = (KvRequest){KV_RUNNING, r[1].ids, 7, 6, 0, 1, r[1].table};
    for (int b = 0; b < 2; b++)
        pool_take(pool, r[1].table.block[r[1].table.blocks++] = r[0].table.block[b]);
    r[1].table.tokens = 6;
    assert_schedule(pool, r, 2, 64, 64);
    assert_scheduled(r, 2, (int[]){1, 0});
}

CASE(schedule__reserves_a_block_for_copy_on_write)
{
    KvPool *pool = pool_new(5, 4, 2);
    KvRequest *r = requests_new(3);
    run_with(pool, &r[0], 7, 6);
    r[1] = (KvRequest){KV_RUNNING, r[1].ids, 7, 6, 0, 1, r[1].table};
    for (int b = 0; b < 2; b++)
        pool_take(pool, r[1].table.block[r[1].table.blocks++] = r[0].table.block[b]);
    r[1].table.tokens = 6;
    run_with(pool, &r[2], 10, 9);    // no block is free now
    assert_schedule(pool, r, 3, 64, 64);
    assert_scheduled(r, 3, (int[]){1, 1, 0});
    KvPool *full = pool_new(2, 4, 2);
    KvRequest *one = requests_new(1);
    run_with(full, &one[0], 7, 6);
    pool_take(full, one[0].table.block[1]);    // by a table that is no request's
    assert_schedule(full, one, 1, 64, 64);
    assert_scheduled(one, 1, (int[]){0});
}

CASE(schedule__counts_blocks_at_their_borders)
{
    for (int tokens = 7; tokens <= 10; tokens++)
        for (int blocks = 2; blocks <= 3; blocks++) {
            KvPool *pool = pool_new(blocks, 4, 2);
            KvRequest *r = requests_new(1);
            wait_with(&r[0], tokens);
            assert_schedule(pool, r, 1, 64, 64);
            assert_scheduled(r, 1, (int[]){tokens <= 4 * blocks ? tokens : 0});
        }
}

CASE(schedule__plans_anew_each_time)
{
    KvPool *pool = pool_new(20, 4, 2);
    KvRequest *r = requests_new(3);
    run_with(pool, &r[0], 20, 8);
    run_with(pool, &r[1], 5, 4);
    wait_with(&r[2], 9);
    for (int i = 0; i < 3; i++) assert_schedule(pool, r, 3, 12, 6);
    assert_schedule(pool, r, 3, 2, 1);
    assert_schedule(pool, r, 0, 2, 1);
    r[0].state = KV_FINISHED;
    r[0].scheduled = 9;
    assert_schedule(pool, r, 3, 12, 6);
    assert_scheduled(r, 3, (int[]){0, 1, 6});
}

// What a step scheduled is appended and computed; a request that has all its tokens ends.
static int serve(KvPool *pool, KvRequest *requests, int count, const int *ends)
{
    int done = 0;
    for (int i = 0; i < count; i++) {
        KvRequest *r = &requests[i];
        append_to(pool, &r->table, r->scheduled);
        r->computed += r->scheduled;
        if (r->scheduled > 0 && r->computed == r->tokens) r->tokens++;
        if (r->state != KV_RUNNING || r->tokens < ends[i]) continue;
        while (r->table.blocks > 0) pool_join(pool, r->table.block[--r->table.blocks]);
        *r = (KvRequest){KV_FINISHED, r->ids, 0, 0, 0, 1, {r->table.block, 0, 0}};
        done++;
    }
    return done;
}

CASE(schedule__serves_a_random_burst_to_its_end)
{
    enum { COUNT = 12 };
    for (uint64_t seed = 0; seed < 8; seed++) {
        Rng rng = rng_from_seed(1640 + seed);
        int size = 1 + (int)rng_below(&rng, 6), done = 0, ends[COUNT];
        KvPool *pool = pool_new((119 + size) / size, size, 4), *want = pool_copy(pool);
        KvRequest *r = requests_new(COUNT);
        for (int i = 0; i < COUNT; i++) {
            wait_with(&r[i], 1 + (int)rng_below(&rng, 50));
            ends[i] = r[i].tokens + 1 + (int)rng_below(&rng, 60);
        }
        KvRequest *after = requests_copy(r, COUNT);
        KvLimits limits = {24, 10};
        for (int steps = 0; done < COUNT && steps < 3000; steps++) {
            int sum = plan(want, after, COUNT, limits);
            int got = kv_schedule(pool, r, COUNT, limits);
            assert_requests(r, after, COUNT);
            assert_pool(pool, want);
            assert_integer("the sum of the scheduled tokens", got, sum);
            serve(want, after, COUNT, ends);
            done += serve(pool, r, COUNT, ends);
        }
        assert_integer("requests that ended", done, COUNT);
        assert_integer("free blocks after all", pool->free, pool->blocks);
    }
}

const struct CMUnitTest schedule_cases[] = {
    cmocka_unit_test(schedule__serves_decodes_then_prefills_then_those_that_wait),
    cmocka_unit_test(schedule__admits_in_the_order_of_arrival),
    cmocka_unit_test(schedule__does_not_let_a_small_request_overtake),
    cmocka_unit_test(schedule__reserves_blocks_for_each_request),
    cmocka_unit_test(schedule__preempts_the_last_one_where_blocks_are_missing),
    cmocka_unit_test(schedule__preempts_a_request_for_itself),
    cmocka_unit_test(schedule__preempts_as_many_as_it_takes),
    cmocka_unit_test(schedule__returns_the_budget_of_a_preempted_request),
    cmocka_unit_test(schedule__takes_what_is_cached_first),
    cmocka_unit_test(schedule__gives_back_what_it_took_where_the_rest_does_not_fit),
    cmocka_unit_test(schedule__does_not_count_a_cached_block_as_free_as_well),
    cmocka_unit_test(schedule__leaves_the_cache_alone_where_it_admits_no_one),
    cmocka_unit_test(schedule__needs_no_block_where_no_budget_is_left),
    cmocka_unit_test(schedule__keeps_salts_apart),
    cmocka_unit_test(schedule__reserves_a_block_for_each_copy),
    cmocka_unit_test(schedule__reserves_a_block_for_copy_on_write),
    cmocka_unit_test(schedule__counts_blocks_at_their_borders),
    cmocka_unit_test(schedule__plans_anew_each_time),
    cmocka_unit_test(schedule__serves_a_random_burst_to_its_end),
    {0},
};
