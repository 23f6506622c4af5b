/* The replay of a trace: the account of every slot, the PagedAttention paper's figures, the event log. */
#include <unistd.h>
#include <cjson/cJSON.h>
#include "common/file.h"
#include "labs/5_frontier/paged_kv/app/replay/buddy.h"
#include "labs/5_frontier/paged_kv/app/replay/contiguous.h"
#include "labs/5_frontier/paged_kv/app/replay/event_log.h"
#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include "labs/5_frontier/paged_kv/app/replay/sharing.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include "labs/5_frontier/paged_kv/app/tests/replays.h"

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
        cmocka_unit_test(pieces_never_overlap_and_are_merged_when_freed),
        cmocka_unit_test(slots_are_used_free_or_in_a_tail),
        cmocka_unit_test(without_a_cache_equal_blocks_are_duplicates),
        cmocka_unit_test(worst_case_admission_reserves_blocks),
        cmocka_unit_test(contiguous_reservations_give_the_papers_figures),
        cmocka_unit_test(paged_memory_wastes_less_than_four_percent),
        cmocka_unit_test(parallel_samples_share_the_prompt),
        cmocka_unit_test(beams_share_more_than_samples),
        cmocka_unit_test(the_log_is_enough_to_reconstruct_the_tables),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
