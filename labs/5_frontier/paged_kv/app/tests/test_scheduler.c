/* The scheduler, each property alone. */
#include "labs/5_frontier/paged_kv/app/tests/world.h"

static const int32_t zeros[200], ones[200] = {[0 ... 199] = 1};

static void decodes_come_before_a_long_prefill(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 64, 4, NULL, (SchedulerOptions){.budget = 16, .max_running = 4});
    submit(&w, ones, 3, 60);
    run(&w, 1);
    Sequence *prompt = submit(&w, zeros, 100, 110);
    for (int i = 0; i < 6; i++) {
        int count = step(&w, &list);
        assert_integer("entries", count, 2);
        assert_integer("the first one decodes", list[0].sequence->id, 0);
        assert_integer("one token", list[0].count, 1);
        assert_integer("the prefill has the rest", list[1].count, 15);
        assert_boolean("samples within the prefill", list[1].samples, false);
        compute(&w, list, count);
    }
    step(&w, &list);
    assert_integer("the end of the prefill", list[1].count, 10);
    assert_boolean("samples", list[1].samples, true);
    assert_integer("computed", prompt->computed, 90);
    close_world(&w);
}

static void a_chunk_is_no_longer_than_the_option(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 64, 4, NULL, (SchedulerOptions){.budget = 64, .max_running = 4, .chunk = 7});
    submit(&w, zeros, 20, 30);
    submit(&w, ones, 5, 30);
    assert_integer("entries", step(&w, &list), 2);
    assert_integer("a chunk", list[0].count, 7);
    assert_integer("a short prompt", list[1].count, 5);
    close_world(&w);
}

static void a_sequence_that_can_never_fit_is_refused(void **state)
{
    (void)state;
    World w;
    Error err;
    open_world(&w, 4, 4, NULL, (SchedulerOptions){.budget = 16, .max_running = 4});
    Sequence *large = add(&w, zeros, 10, 18);
    assert_boolean("submitted", scheduler_submit(w.scheduler, large, &err), false);
    assert_string_equal(err.message, "18 tokens need 5 blocks of 4, and the cache has 4: ask for "
                                     "fewer tokens, or give it more memory");
    submit(&w, zeros, 10, 17);    // the last token needs no slot
    run(&w, 100);
    assert_integer("tokens", w.all[1]->count, 17);
    close_world(&w);
}

// Preempted at a block's end, one token later, and during a chunked prefill.
static void a_preempted_sequence_has_the_same_tokens(void **state)
{
    (void)state;
    for (int at = 1; at < 20; at++) {
        World w;
        open_world(&w, 16, 4, at % 2 ? &hash_chain : NULL,
                   (SchedulerOptions){.budget = 3, .max_running = 2});
        submit(&w, ones, 13, 30);
        run(&w, at);
        w.artificial = true;
        scheduler_preempt(w.scheduler, w.all[0]);
        run(&w, 100);
        expect_finished(&w);
        assert_integer("hits, when it first came", w.all[0]->hits, 0);
        close_world(&w);
    }
}

static void the_last_arrival_is_preempted(void **state)
{
    (void)state;
    World w;
    open_world(&w, 6, 4, NULL, (SchedulerOptions){.budget = 16, .max_running = 4});
    submit(&w, zeros, 8, 20);
    submit(&w, ones, 8, 20);
    run(&w, 200);
    assert_integer("of the first", w.all[0]->preemptions, 0);
    assert_that(w.all[1]->preemptions > 0, "the second was not preempted");
    expect_finished(&w);
    close_world(&w);
}

static void worst_case_admission_waits_instead(void **state)
{
    (void)state;
    World w;
    open_world(&w, 6, 4, NULL,
               (SchedulerOptions){.budget = 16, .max_running = 4, .worst_case = true});
    submit(&w, zeros, 8, 20);
    submit(&w, ones, 8, 20);
    run(&w, 200);
    assert_integer("at once", w.at_once, 1);
    assert_integer("preemptions", w.scheduler->preemptions, 0);
    expect_finished(&w);
    close_world(&w);
}

static void a_priority_is_worth_places_in_the_queue(void **state)
{
    (void)state;
    World w;
    open_world(&w, 64, 4, NULL, (SchedulerOptions){.budget = 4, .max_running = 1, .patience = 2});
    for (int i = 0; i < 5; i++) {
        Error err;
        Sequence *s = add(&w, zeros, 4, 6);
        s->priority = i == 4;
        assert_true(scheduler_submit(w.scheduler, s, &err));
    }
    const Sequence *order[5];
    int count = 0;
    for (const Scheduled *list; !scheduler_is_idle(w.scheduler);) {
        int entries = step(&w, &list);
        if (count == 0 || order[count - 1] != list[0].sequence) order[count++] = list[0].sequence;
        compute(&w, list, entries);
    }
    const int want[5] = {0, 1, 2, 4, 3};
    for (int i = 0; i < 5; i++) assert_integer("order", order[i]->id, want[i]);
    close_world(&w);
}

static void a_shared_prefix_is_computed_once(void **state)
{
    (void)state;
    World w;
    open_world(&w, 64, 4, &radix_tree, (SchedulerOptions){.budget = 64, .max_running = 8});
    int32_t prompt[20] = {0};
    for (int i = 0; i < 4; i++) {    // in one step
        prompt[18] = i;
        submit(&w, prompt, 20, 22);
    }
    run(&w, 1);
    assert_integer("computed", w.model.computed, 20 + 3 * 4);
    assert_integer("hits", w.all[3]->hits, 16);
    run(&w, 10);
    expect_finished(&w);
    close_world(&w);
}

// Each prefill skips what the other one computed.
static void two_long_equal_prompts_are_computed_once(void **state)
{
    (void)state;
    World w;
    open_world(&w, 64, 4, &hash_chain,
               (SchedulerOptions){.budget = 64, .max_running = 8, .chunk = 8});
    submit(&w, zeros, 42, 44);
    submit(&w, zeros, 42, 44);
    run(&w, 3);
    assert_integer("steps of 8 tokens for 42", w.all[1]->count, 43);
    assert_integer("computed", w.model.computed, 42);
    run(&w, 10);
    expect_finished(&w);
    close_world(&w);
}

// The next token is sampled from the last one, which is computed again; its block is not written to.
static void a_prompt_that_is_cached_whole_computes_one_token(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 64, 4, &hash_chain, (SchedulerOptions){.budget = 64, .max_running = 8});
    submit(&w, zeros, 8, 30);
    run(&w, 1);
    submit(&w, zeros, 8, 10);
    int count = step(&w, &list);
    assert_integer("first", list[1].first, 7);
    assert_integer("count", list[1].count, 1);
    assert_integer("nothing is written", list[1].write, 8);
    assert_integer("copies", w.scheduler->copies.count, 0);
    compute(&w, list, count);
    run(&w, 100);
    expect_finished(&w);
    close_world(&w);
}

static void cancelling_frees_at_once(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 16, 4, NULL, (SchedulerOptions){.budget = 8, .max_running = 2});
    for (int i = 0; i < 3; i++) submit(&w, zeros, 8, 20);
    int count = step(&w, &list);
    scheduler_cancel(w.scheduler, w.all[0]);    // during a step
    assert_integer("idle", w.pool.idle, 16);
    compute(&w, list, count);
    assert_integer("its tokens", w.all[0]->count, 8);
    scheduler_cancel(w.scheduler, w.all[2]);    // waiting
    scheduler_cancel(w.scheduler, w.all[2]);    // finished
    run(&w, 100);
    assert_integer("the other one's tokens", w.all[1]->count, 20);
    close_world(&w);
}

static void forks_share_all_but_the_block_they_write_to(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 64, 4, NULL, (SchedulerOptions){.budget = 64, .max_running = 8});
    w.sharing = true;
    Sequence *parent = submit(&w, zeros, 10, 20);
    run(&w, 1);
    for (int i = 1; i < 4; i++)
        assert_true(scheduler_fork(w.scheduler, parent, add(&w, parent->tokens, 11, 20)));
    assert_integer("held", 64 - w.pool.idle, 3);
    int count = step(&w, &list);
    assert_integer("copies", w.scheduler->copies.count, 3);
    assert_integer("held", 64 - w.pool.idle, 6);
    compute(&w, list, count);
    run(&w, 100);
    expect_finished(&w);
    close_world(&w);
}

// The last arrival shares all of its blocks, so preempting it would free none.
static void a_preemption_frees_something(void **state)
{
    (void)state;
    World w;
    open_world(&w, 4, 4, NULL, (SchedulerOptions){.budget = 64, .max_running = 8});
    w.sharing = true;
    Sequence *parent = submit(&w, zeros, 8, 11);
    submit(&w, ones, 5, 9);
    run(&w, 1);
    assert_true(scheduler_fork(w.scheduler, parent, add(&w, parent->tokens, 9, 11)));
    run(&w, 1);
    assert_integer("of the parent", w.all[0]->preemptions, 0);
    assert_integer("of the one with two blocks", w.all[1]->preemptions, 1);
    assert_integer("of the child", w.all[2]->preemptions, 0);
    run(&w, 100);
    expect_finished(&w);
    close_world(&w);
}

// Two draft tokens are right and the third is wrong.
static void rejected_draft_tokens_leave_no_trace(void **state)
{
    (void)state;
    World w;
    const Scheduled *list;
    open_world(&w, 64, 1, &hash_chain, (SchedulerOptions){.budget = 64, .max_running = 8});
    Sequence *s = submit(&w, zeros, 5, 30);
    run(&w, 1);
    uint64_t print = fingerprint_of(s, s->count);
    for (int i = 0; i < 3; i++) {
        s->tokens[s->count + i] = (next_token(print) + (i == 2)) % LETTERS;
        print = fingerprint(print, s->tokens[s->count + i]);
    }
    s->drafts = 3;
    int count = step(&w, &list);
    assert_integer("tokens", list[0].count, 4);
    assert_integer("blocks", s->table.count, 9);
    compute(&w, list, count);
    assert_integer("known", s->count, 9);
    assert_integer("computed", s->computed, 8);
    assert_integer("blocks", s->table.count, 8);
    assert_integer("cached, without the drafts", w.pool.cache->cached, 6);
    run(&w, 100);
    expect_finished(&w);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_come_before_a_long_prefill),
        cmocka_unit_test(a_chunk_is_no_longer_than_the_option),
        cmocka_unit_test(a_sequence_that_can_never_fit_is_refused),
        cmocka_unit_test(a_preempted_sequence_has_the_same_tokens),
        cmocka_unit_test(the_last_arrival_is_preempted),
        cmocka_unit_test(worst_case_admission_waits_instead),
        cmocka_unit_test(a_priority_is_worth_places_in_the_queue),
        cmocka_unit_test(a_shared_prefix_is_computed_once),
        cmocka_unit_test(two_long_equal_prompts_are_computed_once),
        cmocka_unit_test(a_prompt_that_is_cached_whole_computes_one_token),
        cmocka_unit_test(cancelling_frees_at_once),
        cmocka_unit_test(forks_share_all_but_the_block_they_write_to),
        cmocka_unit_test(a_preemption_frees_something),
        cmocka_unit_test(rejected_draft_tokens_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
