/* The block pool, block tables and the prefix cache: each property alone, then all under random events,
 * with the invariants of audit.h checked after every event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/memory/domain.h"
#include "labs/5_frontier/paged_kv/app/tests/audit.h"
#include "tests/stops.h"

enum { BLOCK = 4, ROOM = 16 };

static Arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("memory", 64u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static BlockTable new_table(void)
{
    return (BlockTable){.blocks = arena_zeros(arena, ROOM * sizeof(int32_t)), .room = ROOM};
}

// The tokens 0 .. 15, or others after the first `same`.
static const int32_t *text(int same)
{
    int32_t *tokens = arena_alloc(arena, ROOM * sizeof *tokens);
    for (int i = 0; i < ROOM; i++) tokens[i] = i < same ? i : 100 * (same + 1) + i;
    return tokens;
}

// Computes `count` tokens beyond the cached prefix; returns the blocks found.
static int serve(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens, int count)
{
    BlockCopy copy;
    int found = block_table_match(pool, table, domain, tokens, count);
    block_table_share(pool, table, found);
    assert_true(block_table_extend(pool, table, found * pool->block_size,
                                   count - found * pool->block_size, &(BlockCopies){&copy, 0}));
    block_table_cache(pool, table, domain, tokens, count);
    return found;
}

// ---- the block pool ----

static void blocks_are_allocated_in_order_and_reused(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 3, BLOCK, NULL);
    for (int32_t b = 0; b < 3; b++) assert_integer("block", block_pool_allocate(&pool), b);
    assert_boolean("one block from an empty pool", block_pool_can_allocate(&pool, 1), false);
    assert_boolean("no block from an empty pool", block_pool_can_allocate(&pool, 0), true);
    block_pool_release(&pool, 1);
    assert_integer("idle", pool.idle, 1);
    assert_integer("block", block_pool_allocate(&pool), 1);
}

static void a_block_is_idle_after_its_last_release(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 2, BLOCK, NULL);
    int32_t block = block_pool_allocate(&pool);
    block_pool_retain(&pool, block);
    block_pool_release(&pool, block);
    assert_integer("idle", pool.idle, 1);
    block_pool_release(&pool, block);
    assert_integer("idle", pool.idle, 2);
}

static void releasing_an_idle_block_stops_the_program(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 2, BLOCK, NULL);
    stops_with("block 0 is released, but no table holds it", block_pool_release(&pool, 0));
}

// ---- the prefix cache, both implementations ----

static const PrefixKind *const kinds[] = {&hash_chain, &radix_tree};
#define EACH_KIND(kind) for (int k_ = 0; k_ < 2 && ((kind) = kinds[k_], true); k_++)

static void a_prefix_is_found_up_to_the_first_difference(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 20, BLOCK, kind);
        BlockTable a = new_table(), b = new_table(), c = new_table();
        assert_integer("first", serve(&pool, &a, 0, text(16), 15), 0);
        assert_integer("cached: only full blocks", pool.cache->cached, 3);
        assert_integer("9 equal tokens", serve(&pool, &b, 0, text(9), 16), 2);
        assert_integer("4 equal tokens", serve(&pool, &c, 0, text(4), 16), 1);
        assert_integer("the shared block", b.blocks[1], a.blocks[1]);
        assert_integer("holders", pool.references[a.blocks[0]], 3);
        assert_that(b.blocks[2] != a.blocks[2], "%s: a block of another text is shared",
                    kind->name);
    }
}

static void domains_share_nothing(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 20, BLOCK, kind);
        BlockTable a = new_table(), b = new_table(), c = new_table();
        serve(&pool, &a, 1, text(16), 16);
        assert_integer("another domain", serve(&pool, &b, 2, text(16), 16), 0);
        assert_integer("the same domain", serve(&pool, &c, 2, text(16), 16), 4);
    }
}

static void equal_texts_in_other_places_are_other_domains(void **state)
{
    (void)state;
    Domains domains = {0};
    const char *const lists[][3] = {{"m", "a", NULL}, {"m", NULL, "a"},   {"m", "a", ""},
                                    {"m", "", "a"},   {"ma", NULL, NULL}, {"m,1:a", NULL, ""}};
    for (int i = 0; i < 6; i++) assert_integer("new", domain_find(&domains, lists[i], 3), i);
    for (int i = 0; i < 6; i++) assert_integer("again", domain_find(&domains, lists[i], 3), i);
    assert_integer("a shorter list", domain_find(&domains, lists[0], 2), 6);
    char salt[16];
    for (int i = domains.count; i < DOMAINS_MAX; i++) {
        snprintf(salt, sizeof salt, "%d", i);
        assert_integer("another", domain_find(&domains, (const char *[]){salt}, 1), i);
    }
    const int first = domain_find(&domains, (const char *[]){"one more"}, 1);
    assert_that(domain_find(&domains, (const char *[]){"one more"}, 1) != first,
                "two requests beyond the table share domain %d", first);
    assert_integer("one that is in the table", domain_find(&domains, lists[3], 3), 3);
    domains_free(&domains);
}

static void a_hash_collision_is_not_a_hit(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 20, BLOCK, kind);
        pool.cache->hash_mask = 0;
        BlockTable a = new_table(), b = new_table(), c = new_table(), d = new_table();
        serve(&pool, &a, 0, text(16), 16);
        assert_integer("another text", serve(&pool, &b, 0, text(0), 16), 0);
        assert_integer("half of it", serve(&pool, &c, 0, text(8), 16), 2);
        assert_integer("the same", serve(&pool, &d, 0, text(0), 16), 4);
        assert_integer("its block", d.blocks[3], b.blocks[3]);
    }
}

// The same tokens after another prefix are another block.
static void a_block_is_found_only_below_its_own_prefix(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 20, BLOCK, kind);
        BlockTable a = new_table(), b = new_table();
        int32_t tokens[16];
        for (int i = 0; i < 16; i++) tokens[i] = i % BLOCK;    // four blocks alike
        serve(&pool, &a, 0, tokens, 16);
        assert_integer("cached", pool.cache->cached, 4);
        assert_integer("two of them", serve(&pool, &b, 0, tokens, 8), 2);
        assert_integer("second", b.blocks[1], a.blocks[1]);
    }
}

static void the_end_of_a_prefix_is_evicted_first(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 6, BLOCK, kind);
        BlockTable a = new_table(), b = new_table(), c = new_table();
        serve(&pool, &a, 0, text(16), 16);
        block_table_truncate(&pool, &a, 0);
        assert_integer("cached idle", block_pool_cached_idle(&pool), 4);
        serve(&pool, &b, 0, text(0), 12);    // two blocks that are not cached, then one that is
        assert_integer("evicted", pool.evicted, 1);
        assert_integer("what is left", serve(&pool, &c, 0, text(16), 12), 3);
    }
}

static void a_hit_makes_a_block_recently_used(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 4, BLOCK, kind);
        BlockTable a = new_table(), b = new_table(), c = new_table();
        serve(&pool, &a, 0, text(16), 8);
        block_table_truncate(&pool, &a, 0);
        serve(&pool, &b, 0, text(0), 8);
        block_table_truncate(&pool, &b, 0);
        serve(&pool, &a, 0, text(16), 8);    // the older one, used again
        block_table_truncate(&pool, &a, 0);
        serve(&pool, &c, 0, text(1), 8);
        block_table_truncate(&pool, &c, 0);
        assert_integer("a", block_table_match(&pool, &a, 0, text(16), 8), 2);
        assert_integer("b", block_table_match(&pool, &b, 0, text(0), 8), 0);
    }
}

static void a_prefix_is_stored_once(void **state)
{
    (void)state;
    const PrefixKind *kind;
    EACH_KIND(kind)
    {
        BlockPool pool = block_pool_new(arena, 8, BLOCK, kind);
        BlockTable a = new_table(), b = new_table();
        BlockCopy copy;
        BlockCopies copies = {&copy, 0};
        assert_true(block_table_extend(&pool, &a, 0, 8, &copies));    // both in one step
        assert_true(block_table_extend(&pool, &b, 0, 8, &copies));
        block_table_cache(&pool, &a, 0, text(16), 8);
        block_table_cache(&pool, &b, 0, text(16), 8);
        assert_integer("idle", pool.idle, 6);
        assert_integer("second block", b.blocks[1], a.blocks[1]);
        assert_integer("nothing to write", b.ready, 2);
        assert_integer("written by itself", a.ready, 0);
    }
}

static void the_radix_tree_splits_a_run_where_texts_branch(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 20, BLOCK, &radix_tree);
    BlockTable a = new_table(), b = new_table(), c = new_table();
    serve(&pool, &a, 0, text(16), 16);
    assert_integer("one run", pool.cache->heads, 1);
    serve(&pool, &b, 0, text(8), 12);
    assert_integer("a run and two branches", pool.cache->heads, 3);
    block_table_truncate(&pool, &b, 0);
    serve(&pool, &c, 0, text(16), 16);
    assert_integer("holders", pool.references[a.blocks[3]], 2);
}

// ---- block tables ----

static void writing_to_a_shared_block_copies_it_first(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 8, BLOCK, NULL);
    BlockTable a = new_table(), b = new_table();
    BlockCopy list[2];
    BlockCopies copies = {list, 0};
    assert_true(block_table_extend(&pool, &a, 0, 6, &copies));
    block_table_fork(&pool, &b, &a);
    assert_integer("blocks for one more token", block_table_needs(&pool, &b, 6, 1), 1);
    assert_true(block_table_extend(&pool, &b, 6, 1, &copies));
    assert_integer("copies", copies.count, 1);
    assert_integer("from", list[0].from, a.blocks[1]);
    assert_integer("to", list[0].to, b.blocks[1]);
    assert_integer("still shared", b.blocks[0], a.blocks[0]);
    assert_integer("now alone", block_table_needs(&pool, &a, 6, 1), 0);
    assert_true(block_table_extend(&pool, &a, 6, 1, &copies));
    assert_integer("copies", copies.count, 1);
}

// The next token is in a new block.
static void a_full_shared_block_is_not_copied(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 8, BLOCK, NULL);
    BlockTable a = new_table(), b = new_table();
    BlockCopy list[1];
    BlockCopies copies = {list, 0};
    assert_true(block_table_extend(&pool, &a, 0, 8, &copies));
    block_table_fork(&pool, &b, &a);
    assert_true(block_table_extend(&pool, &b, 8, 1, &copies));
    assert_integer("copies", copies.count, 0);
    assert_integer("blocks", b.count, 3);
}

static void a_table_that_cannot_grow_is_unchanged(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 4, BLOCK, &hash_chain);
    BlockTable a = new_table(), b = new_table();
    BlockCopy list[1];
    BlockCopies copies = {list, 0};
    serve(&pool, &a, 0, text(16), 6);
    block_table_fork(&pool, &b, &a);
    assert_boolean("a copy and two blocks of two", block_table_extend(&pool, &b, 6, 8, &copies),
                   false);
    assert_integer("copies", copies.count, 0);
    assert_integer("blocks", b.count, 2);
    assert_integer("idle", pool.idle, 2);
    assert_integer("block", b.blocks[1], a.blocks[1]);
}

static void a_slot_is_the_blocks_and_the_offset(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 8, BLOCK, NULL);
    BlockTable a = {.blocks = (int32_t[]){7, 2}, .count = 2, .room = 2};
    assert_integer("token 0", block_table_slot(&pool, &a, 0), 28);
    assert_integer("token 3", block_table_slot(&pool, &a, 3), 31);
    assert_integer("token 6", block_table_slot(&pool, &a, 6), 10);
}

// A sequence that goes back and continues differently does not overwrite the cache.
static void rewinding_into_a_cached_block_copies_it(void **state)
{
    (void)state;
    BlockPool pool = block_pool_new(arena, 8, BLOCK, &radix_tree);
    BlockTable a = new_table();
    BlockCopy list[1];
    BlockCopies copies = {list, 0};
    serve(&pool, &a, 0, text(16), 8);
    block_table_truncate(&pool, &a, 6);
    assert_true(block_table_extend(&pool, &a, 6, 1, &copies));
    assert_integer("copies", copies.count, 1);
    assert_integer(
        "the old text",
        block_table_match(&pool, &(BlockTable){.blocks = (int32_t[4]){0}}, 0, text(16), 8), 2);
}

// ---- everything at once ----

enum { TABLES = 9, LENGTH = 40 };

// Both implementations, with good hashes and with colliding ones, go through the same events and must end
// with the same tables. `written` stands for the KV cache: for each slot the token and its position.
typedef struct World {
    BlockPool pool;
    BlockTable tables[TABLES];
    int32_t tokens[TABLES][LENGTH];
    int count[TABLES], domain[TABLES];
    int64_t *written;
    int32_t *lru;    // the cached idle blocks after the event before, in order
    int lru_count;
    bool refuses;
} World;

static bool refuses(void *world)
{
    return ((World *)world)->refuses;
}

static World *new_world(int blocks, int size, const PrefixKind *kind, uint64_t mask)
{
    World *w = arena_zeros(arena, sizeof *w);
    w->pool = block_pool_new(arena, blocks, size, kind);
    w->pool.refuse = refuses;
    w->pool.context = w;
    if (kind != NULL) w->pool.cache->hash_mask = mask;
    w->written = arena_zeros(arena, (size_t)(blocks * size) * sizeof *w->written);
    w->lru = arena_zeros(arena, (size_t)blocks * sizeof *w->lru);
    for (int t = 0; t < TABLES; t++)
        w->tables[t] =
            (BlockTable){.blocks = arena_zeros(arena, LENGTH * sizeof(int32_t)), .room = LENGTH};
    return w;
}

static int64_t content(const World *w, int t, int i)
{
    return ((int64_t)w->domain[t] << 48) + ((int64_t)i << 32) + w->tokens[t][i];
}

// Blocks that stay idle keep their order, and come before those that became idle.
static void audit_order(World *w)
{
    const BlockPool *pool = &w->pool;
    int old = 0, count = 0;
    for (int32_t b = pool->after[pool->blocks]; b != pool->blocks; b = pool->after[b]) {
        if (!block_pool_cached(pool, b)) continue;
        int place = 0;
        while (place < w->lru_count && w->lru[place] != b) place++;
        assert_that(place >= old, "block %d was used less recently than the one before it", b);
        old = place;
    }
    for (int32_t b = pool->after[pool->blocks]; b != pool->blocks; b = pool->after[b])
        if (block_pool_cached(pool, b)) w->lru[count++] = b;
    w->lru_count = count;
}

static void audit_world(World *w)
{
    audit_order(w);
    const BlockTable *tables[TABLES];
    for (int t = 0; t < TABLES; t++) tables[t] = &w->tables[t];
    audit(&w->pool, tables, TABLES);
    for (int t = 0; t < TABLES; t++)
        for (int i = 0; i < w->count[t]; i++)
            assert_that(w->written[block_table_slot(&w->pool, tables[t], i)] == content(w, t, i),
                        "token %d of table %d was overwritten", i, t);
}

// The longest cached prefix by brute force.
static int longest(const World *w, int domain, const int32_t *tokens, int count)
{
    const PrefixCache *cache = w->pool.cache;
    const int size = w->pool.block_size;
    int found = 0;
    for (int32_t b = 0; cache != NULL && b < w->pool.blocks; b++) {
        if (!prefix_cache_contains(cache, b) || cache->domain[b] != domain) continue;
        int depth = 0;
        for (int32_t up = b; up != PREFIX_ROOT; up = cache->parent[up]) depth++;
        bool same = depth * size <= count;
        int at = depth;
        for (int32_t up = b; same && up != PREFIX_ROOT; up = cache->parent[up])
            same = memcmp(cache->tokens + up * size, tokens + --at * size,
                          (size_t)size * sizeof *tokens) == 0;
        if (same && depth > found) found = depth;
    }
    return found;
}

// Computes `more` tokens; `turn` chooses which.
static void grow(World *w, int t, int more, int turn)
{
    BlockCopy list[1];
    BlockCopies copies = {list, 0};
    const int first = w->count[t];
    if (first + more > LENGTH) return;
    const int idle = w->pool.idle, held = w->tables[t].count;
    const int64_t evicted = w->pool.evicted;
    const int need = block_table_needs(&w->pool, &w->tables[t], first, more);
    const bool good = block_table_extend(&w->pool, &w->tables[t], first, more, &copies);
    assert_boolean("extend", good, need == 0 || (need <= idle && !w->refuses));
    if (!good) {
        assert_integer("idle blocks after a refusal", w->pool.idle, idle);
        assert_integer("blocks after a refusal", w->tables[t].count, held);
        assert_integer("evictions after a refusal", w->pool.evicted, evicted);
        return;
    }
    // A cached block that was copied may be idle now.
    const int returned = copies.count > 0 && w->pool.references[list[0].from] == 0;
    assert_integer("blocks taken", idle - w->pool.idle, need - returned);
    const int size = w->pool.block_size;
    for (int i = 0; copies.count > 0 && i < size; i++)
        w->written[list[0].to * size + i] = w->written[list[0].from * size + i];
    for (int i = first; i < first + more; i++) w->tokens[t][i] = i % 7 == 0 ? turn : i;
    block_table_cache(&w->pool, &w->tables[t], w->domain[t], w->tokens[t], first + more);
    w->count[t] = first + more;
    for (int i = first; i < first + more; i++)
        if (i >= w->tables[t].ready * size)
            w->written[block_table_slot(&w->pool, &w->tables[t], i)] = content(w, t, i);
}

static void start(World *w, int t, int domain, const int32_t *tokens, int count)
{
    w->domain[t] = domain;
    memcpy(w->tokens[t], tokens, (size_t)count * sizeof *tokens);
    const int want = longest(w, domain, tokens, count);
    const int found = block_table_match(&w->pool, &w->tables[t], domain, tokens, count);
    assert_integer("blocks found", found, want);
    block_table_share(&w->pool, &w->tables[t], found);
    w->count[t] = found * w->pool.block_size;
}

static void event(World *w, Rng rng)
{
    const int t = (int)rng_below(&rng, TABLES), what = (int)rng_below(&rng, 10);
    const int other = (int)rng_below(&rng, TABLES), turn = (int)rng_below(&rng, 3);
    const int more = 1 + (int)rng_below(&rng, 12), domain = (int)rng_below(&rng, 2);
    w->refuses = rng_below(&rng, 16) == 0;
    BlockTable *table = &w->tables[t];
    if (what == 0 || (w->count[t] > 0 && what == 1)) {    // finishes
        block_table_truncate(&w->pool, table, 0);
        w->count[t] = 0;
    } else if (what == 2 && w->count[t] > 0) {    // rewinds
        w->count[t] -= (int)rng_below(&rng, (uint32_t)w->count[t]);
        block_table_truncate(&w->pool, table, w->count[t]);
    } else if (what == 3 && table->count == 0 && other != t) {
        block_table_fork(&w->pool, table, &w->tables[other]);
        memcpy(w->tokens[t], w->tokens[other], sizeof w->tokens[t]);
        w->domain[t] = w->domain[other];
        w->count[t] = w->count[other];
    } else if (table->count == 0) {
        int32_t tokens[LENGTH];
        for (int i = 0; i < LENGTH; i++) tokens[i] = i % 7 == 0 ? turn : i;
        start(w, t, domain, tokens, 3 * more);
        if (w->count[t] < 3 * more) grow(w, t, 3 * more - w->count[t], turn);
        if (w->count[t] == 0) block_table_truncate(&w->pool, table, 0);
    } else grow(w, t, more, turn);
}

static void random_schedule(uint64_t seed, int events)
{
    Rng rng = rng_from_seed(seed);
    const int size = 1 + (int)rng_below(&rng, 6), blocks = 1 + (int)rng_below(&rng, 40);
    const struct {
        const PrefixKind *kind;
        uint64_t mask;
    } kind[] = {{NULL, 0},
                {&hash_chain, UINT64_MAX},
                {&radix_tree, UINT64_MAX},
                {&hash_chain, 0},
                {&radix_tree, 1}};
    World *worlds[5];
    for (int k = 0; k < 5; k++) worlds[k] = new_world(blocks, size, kind[k].kind, kind[k].mask);
    for (int e = 0; e < events; e++) {
        const Rng same = rng_stream(seed, (uint64_t)e + 1);
        for (int k = 0; k < 5; k++) {
            event(worlds[k], same);
            audit_world(worlds[k]);
        }
        for (int k = 2; k < 5; k++)
            for (int t = 0; t < TABLES; t++)
                assert_that(worlds[1]->tables[t].count == worlds[k]->tables[t].count &&
                                memcmp(worlds[1]->tables[t].blocks, worlds[k]->tables[t].blocks,
                                       (size_t)worlds[1]->tables[t].count * sizeof(int32_t)) == 0,
                            "seed %d, event %d: table %d of kind %d differs from the hash chain's",
                            (int)seed, e, t, k);
    }
    arena_reset(arena);
}

static void the_invariants_hold_after_every_event(void **state)
{
    (void)state;
    const uint64_t first = 1;
    const char *given = getenv("LAB_SEED");    // to repeat a failure
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : first;
    print_message("seeds %d to %d, 300 events in 5 pools each\n", (int)seed, (int)seed + 199);
    for (uint64_t i = 0; i < 200; i++) {
        random_schedule(seed + i, 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_allocated_in_order_and_reused),
        cmocka_unit_test(a_block_is_idle_after_its_last_release),
        cmocka_unit_test(releasing_an_idle_block_stops_the_program),
        cmocka_unit_test(a_prefix_is_found_up_to_the_first_difference),
        cmocka_unit_test(domains_share_nothing),
        cmocka_unit_test(equal_texts_in_other_places_are_other_domains),
        cmocka_unit_test(a_hash_collision_is_not_a_hit),
        cmocka_unit_test(a_block_is_found_only_below_its_own_prefix),
        cmocka_unit_test(the_end_of_a_prefix_is_evicted_first),
        cmocka_unit_test(a_hit_makes_a_block_recently_used),
        cmocka_unit_test(a_prefix_is_stored_once),
        cmocka_unit_test(the_radix_tree_splits_a_run_where_texts_branch),
        cmocka_unit_test(writing_to_a_shared_block_copies_it_first),
        cmocka_unit_test(a_full_shared_block_is_not_copied),
        cmocka_unit_test(a_table_that_cannot_grow_is_unchanged),
        cmocka_unit_test(a_slot_is_the_blocks_and_the_offset),
        cmocka_unit_test(rewinding_into_a_cached_block_copies_it),
        cmocka_unit_test(the_invariants_hold_after_every_event),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
