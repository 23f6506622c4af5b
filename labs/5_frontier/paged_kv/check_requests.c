/* Exercises 12 and 14: preemption and the commit of a step. check.c says how cases are made. */
#include <stdio.h>
#include "labs/5_frontier/paged_kv/check.h"
#include "tests/guarded.h"

enum { ROOM = 400 };    // ids of a request

// ---- requests ----

// `count` requests whose ids differ from each other's.
KvRequest *requests_new(int count)
{
    KvRequest *requests = guarded_new((size_t)count, sizeof *requests);
    for (int r = 0; r < count; r++) {
        requests[r] = (KvRequest){.state = KV_FINISHED, .ids = ints_filled(ROOM, 0), .salt = 1};
        for (int i = 0; i < ROOM; i++) requests[r].ids[i] = 1000 * r + i;
        requests[r].table.block = ints_filled(ROOM, -9);
    }
    return requests;
}

void append_to(KvPool *pool, KvTable *table, int tokens)
{
    for (; tokens > 0; tokens--, table->tokens++) {
        int32_t *last = &table->block[table->blocks - 1];
        bool full = table->tokens % pool->block_size == 0;
        if (!full && pool->count[*last] == 1) continue;
        int block = pool_first(pool);
        assert_that(block >= 0, "the step needs more blocks than are free");
        if (pool->hash[block] != 0) pool_forget(pool, block);
        pool_take(pool, block);
        if (full) table->block[table->blocks++] = block;
        else pool->count[*last]--, *last = block;
    }
}

void wait_with(KvRequest *request, int tokens)
{
    request->state = KV_WAITING;
    request->tokens = tokens;
}

void run_with(KvPool *pool, KvRequest *request, int tokens, int computed)
{
    request->state = KV_RUNNING;
    request->tokens = tokens;
    request->computed = computed;
    append_to(pool, &request->table, computed);
}

KvRequest *requests_copy(const KvRequest *requests, int count)
{
    KvRequest *copy = requests_new(count);
    for (int r = 0; r < count; r++) {
        KvRequest *to = &copy[r];
        int32_t *ids = to->ids, *block = to->table.block;
        *to = requests[r];
        to->ids = memcpy(ids, requests[r].ids, ROOM * sizeof *ids);
        to->table.block = memcpy(block, requests[r].table.block, ROOM * sizeof *block);
    }
    return copy;
}

void assert_requests(const KvRequest *got, const KvRequest *want, int count)
{
    static const char *const states[] = {"waiting", "running", "finished"};
    for (int r = 0; r < count; r++) {
        char text[80];
        assert_that(got[r].state == want[r].state, "request %d is %s; expected %s", r,
                    states[got[r].state], states[want[r].state]);
#define SAME(field)                                                                                \
    snprintf(text, sizeof text, "request %d: " #field, r);                                         \
    assert_integer(text, got[r].field, want[r].field);
        SAME(scheduled)
        SAME(computed)
        SAME(tokens)
#undef SAME
        assert_that(got[r].salt == want[r].salt, "request %d has another salt than before", r);
        snprintf(text, sizeof text, "the ids of request %d:", r);
        list_assert(text, got[r].ids, got[r].tokens, want[r].ids, want[r].tokens, __FILE__,
                    __LINE__);
        snprintf(text, sizeof text, "the table of request %d", r);
        table_assert(text, &got[r].table, &want[r].table, __FILE__, __LINE__);
    }
}

// ---- 12: preemption ----

int requests_preempt(KvPool *pool, KvRequest *requests, int count)
{
    for (int r = count - 1; r >= 0; r--) {
        if (requests[r].state != KV_RUNNING) continue;
        KvTable *table = &requests[r].table;
        while (table->blocks > 0) pool_join(pool, table->block[--table->blocks]);
        table->tokens = 0;
        requests[r].state = KV_WAITING;
        requests[r].computed = requests[r].scheduled = 0;
        return r;
    }
    return -1;
}

static void assert_preempt(KvPool *pool, KvRequest *requests, int count)
{
    KvPool *want = pool_copy(pool);
    KvRequest *after = requests_copy(requests, count);
    int index = requests_preempt(want, after, count);
    assert_integer("the preempted request", kv_preempt(pool, requests, count), index);
    assert_requests(requests, after, count);
    assert_pool(pool, want);
}

CASE(preempt__takes_the_last_running_request)
{
    KvPool *pool = pool_new(20, 4, 2);
    KvRequest *r = requests_new(6);
    run_with(pool, &r[0], 10, 9);
    wait_with(&r[1], 7);
    run_with(pool, &r[2], 12, 4);
    run_with(pool, &r[3], 6, 5);
    wait_with(&r[4], 3);
    for (int i = 0; i < 4; i++) r[i].scheduled = i + 1;    // of the others: kept
    for (int i = 0; i < 5; i++) assert_preempt(pool, r, 6);
    for (int i = 0; i < 4; i++) run_with(pool, &r[i], 8 + i, 7);
    for (int i = 0; i < 4; i++) assert_preempt(pool, r, 4);
}

CASE(preempt__keeps_the_generated_tokens)
{
    KvPool *pool = pool_new(8, 2, 2);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 9, 8);
    for (int i = 0; i < 3; i++) r[0].ids[6 + i] = -5 - i;
    r[0].scheduled = 1;
    assert_preempt(pool, r, 1);
    assert_integer("tokens", r[0].tokens, 9);
    assert_integer("the last id", r[0].ids[8], -7);
}

CASE(preempt__keeps_shared_blocks_for_their_other_holders)
{
    KvPool *pool = pool_new(8, 2, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 7, 6);
    r[1] = (KvRequest){KV_RUNNING, r[1].ids, 5, 4, 1, 1, r[1].table};
    for (int b = 0; b < 2; b++)
        pool_take(pool, r[1].table.block[r[1].table.blocks++] = r[0].table.block[b]);
    r[1].table.tokens = 4;
    for (int i = 0; i < 3; i++) assert_preempt(pool, r, 2);
}

CASE(preempt__of_none_running_changes_nothing)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvRequest *r = requests_new(3);
    wait_with(&r[0], 3);
    wait_with(&r[2], 5);
    assert_preempt(pool, r, 3);
    assert_preempt(pool, r, 0);
    run_with(pool, &r[1], 3, 0);    // runs, and holds no block yet
    assert_preempt(pool, r, 3);
}

CASE(preempt__leaves_blocks_in_the_prefix_cache)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 6, 5);
    pool_cache(pool, r[0].table.block[0], 9, 1, (int32_t[]){0, 1});
    assert_preempt(pool, r, 1);
}

// ---- 14: the commit ----

static void assert_commit(KvPool *pool, KvRequest *request, int scheduled, int32_t next)
{
    append_to(pool, &request->table, scheduled);
    request->scheduled = scheduled;
    KvPool *want = pool_copy(pool);
    KvRequest *after = requests_copy(request, 1);
    int size = pool->block_size, before = after->computed / size;
    after->computed += scheduled;
    after->scheduled = 0;
    uint64_t parent = after->salt;
    for (int b = 0; b < after->computed / size && after->computed / size > before; b++) {
        const int32_t *ids = after->ids + b * size;
        uint64_t hash = pool_hash(parent, ids, size);
        bool known = want->hash[after->table.block[b]] != 0;
        for (int k = 0; k < want->blocks && !known; k++)
            known = want->hash[k] == hash && want->parent[k] == parent;
        if (!known) pool_cache(want, after->table.block[b], hash, parent, ids);
        parent = hash;
    }
    bool follows = after->computed == after->tokens;
    if (follows) after->ids[after->tokens++] = next;
    assert_boolean("there is a next token", kv_commit(pool, request, next), follows);
    assert_requests(request, after, 1);
    assert_pool(pool, want);
}

CASE(commit__adds_the_next_token_when_all_are_computed)
{
    KvPool *pool = pool_new(20, 4, 4);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 10, 0);
    assert_commit(pool, &r[0], 3, 500);
    assert_commit(pool, &r[0], 4, 501);
    assert_commit(pool, &r[0], 3, 502);
    for (int i = 0; i < 9; i++) assert_commit(pool, &r[0], 1, 503 + i);
}

CASE(commit__caches_full_blocks_alone)
{
    KvPool *pool = pool_new(20, 4, 4);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 12, 0);
    r[0].salt = 99;
    static const int chunks[] = {3, 1, 5, 2, 1};
    for (int i = 0; i < 5; i++) assert_commit(pool, &r[0], chunks[i], 600 + i);
    KvRequest *whole = requests_new(1);
    run_with(pool, &whole[0], 8, 0);
    assert_commit(pool, &whole[0], 8, 700);    // ends with a block; the next token is not in it
}

CASE(commit__does_not_cache_before_a_block_is_full)
{
    KvPool *pool = pool_new(6, 8, 2);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 30, 0);
    assert_commit(pool, &r[0], 7, 0);
    assert_commit(pool, &r[0], 9, 0);
    assert_commit(pool, &r[0], 0, 0);
}

CASE(commit__after_a_preemption_repeats_and_loses_no_token)
{
    // Two tokens were generated, then it was preempted: 8 ids are computed again, in chunks of 3.
    KvPool *pool = pool_new(20, 4, 4);
    KvRequest *r = requests_new(1);
    run_with(pool, &r[0], 8, 0);
    r[0].ids[6] = -1, r[0].ids[7] = -2;
    assert_commit(pool, &r[0], 3, 71);
    assert_commit(pool, &r[0], 3, 72);
    assert_commit(pool, &r[0], 2, 73);
    assert_integer("tokens", r[0].tokens, 9);
    assert_integer("the token that was generated before", r[0].ids[7], -2);
    assert_integer("the next token", r[0].ids[8], 73);
}

CASE(commit__goes_on_after_cached_blocks)
{
    KvPool *pool = pool_new(20, 2, 2);
    KvRequest *r = requests_new(2);
    run_with(pool, &r[0], 7, 0);
    assert_commit(pool, &r[0], 7, 8);
    memcpy(r[1].ids, r[0].ids, 8 * sizeof *r[1].ids);
    r[1] = (KvRequest){KV_RUNNING, r[1].ids, 8, 4, 0, 1, r[1].table};
    for (int b = 0; b < 2; b++)
        pool_take(pool, r[1].table.block[r[1].table.blocks++] = r[0].table.block[b]);
    r[1].table.tokens = 4;
    r[1].ids[5] = -3;
    assert_commit(pool, &r[1], 3, 9);
    assert_commit(pool, &r[1], 1, 10);
}

CASE(commit__keeps_the_duplicate_of_a_cached_block_out)
{
    // Both computed the same prompt in one step: the second one's blocks are not found by others.
    KvPool *pool = pool_new(20, 2, 2);
    KvRequest *r = requests_new(2);
    memcpy(r[1].ids, r[0].ids, 9 * sizeof *r[1].ids);
    run_with(pool, &r[0], 6, 0);
    run_with(pool, &r[1], 6, 0);
    assert_commit(pool, &r[0], 6, 50);
    assert_commit(pool, &r[1], 6, 51);
    for (int i = 0; i < 4; i++) assert_commit(pool, &r[i % 2], 1, 60 + i);
}

CASE(commit__takes_blocks_of_any_size)
{
    static const int sizes[] = {1, 3, 16, 100};
    for (int s = 0; s < 4; s++) {
        KvPool *pool = pool_new(320, sizes[s], 8);
        KvRequest *r = requests_new(1);
        run_with(pool, &r[0], 250, 0);
        for (int i = 0; i < 5; i++) assert_commit(pool, &r[0], 50, 9);
        for (int i = 0; i < 60; i++) assert_commit(pool, &r[0], 1, i);
    }
}

const struct CMUnitTest preempt_cases[] = {
    cmocka_unit_test(preempt__takes_the_last_running_request),
    cmocka_unit_test(preempt__keeps_the_generated_tokens),
    cmocka_unit_test(preempt__keeps_shared_blocks_for_their_other_holders),
    cmocka_unit_test(preempt__of_none_running_changes_nothing),
    cmocka_unit_test(preempt__leaves_blocks_in_the_prefix_cache),
    {0},
};

const struct CMUnitTest commit_cases[] = {
    cmocka_unit_test(commit__adds_the_next_token_when_all_are_computed),
    cmocka_unit_test(commit__caches_full_blocks_alone),
    cmocka_unit_test(commit__does_not_cache_before_a_block_is_full),
    cmocka_unit_test(commit__after_a_preemption_repeats_and_loses_no_token),
    cmocka_unit_test(commit__goes_on_after_cached_blocks),
    cmocka_unit_test(commit__keeps_the_duplicate_of_a_cached_block_out),
    cmocka_unit_test(commit__takes_blocks_of_any_size),
    {0},
};
