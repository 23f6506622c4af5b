/* fake_model.h -- a deterministic stand-in for the model, on a real block pool.
 *
 * A slot of the KV cache holds a hash of all tokens up to its own, and the next token is a function of
 * that slot. So a token that was not computed, was overwritten, or is read from another sequence's block
 * changes all tokens that follow.
 */
#pragma once
#include <stdlib.h>
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"
#include "tests/facts.h"

enum { LETTERS = 3 };    // a small vocabulary: prompts share prefixes

typedef struct FakeModel {
    const BlockPool *pool;
    uint64_t *slots;
    int64_t computed, written;    // tokens
} FakeModel;

static uint64_t fingerprint(uint64_t before, int32_t token)
{
    uint64_t hash = (before ^ (uint64_t)(token + 1)) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t fingerprint_of(const Sequence *s, int count)
{
    uint64_t hash = (uint64_t)s->domain;
    for (int i = 0; i < count; i++) hash = fingerprint(hash, s->tokens[i]);
    return hash;
}

static int32_t next_token(uint64_t print)
{
    return (int32_t)(print >> 40) % LETTERS;
}

static FakeModel fake_model_new(const BlockPool *pool)
{
    const size_t slots = (size_t)pool->blocks * (size_t)pool->block_size;
    return (FakeModel){pool, calloc(slots, sizeof(uint64_t)), 0, 0};
}

static void fake_model_copy(FakeModel *m, const BlockCopies *copies)
{
    const int size = m->pool->block_size;
    for (int c = 0; c < copies->count; c++)
        for (int i = 0; i < size; i++)
            m->slots[copies->list[c].to * size + i] = m->slots[copies->list[c].from * size + i];
}

// A step: all slots are written, then each entry reads the slots it attends to. sampled[i][0..counts[i])
// are the arguments of scheduler_done().
static void fake_model_run(FakeModel *m, const Scheduled *list, int count, int32_t (*sampled)[8],
                           int *counts)
{
    for (int e = 0; e < count; e++) {
        const Sequence *s = list[e].sequence;
        m->computed += list[e].count;
        uint64_t print = fingerprint_of(s, list[e].write);
        for (int i = list[e].write; i < list[e].first + list[e].count; i++, m->written++) {
            const int64_t slot = block_table_slot(m->pool, &s->table, i);
            const int holders = m->pool->references[slot / m->pool->block_size];
            assert_that(holders > 0 || s->state == SEQUENCE_FINISHED,
                        "sequence %d writes to a block that no table holds", s->id);
            m->slots[slot] = print = fingerprint(print, s->tokens[i]);
        }
    }
    for (int e = 0; e < count; e++) {
        const Sequence *s = list[e].sequence;
        const int end = list[e].first + list[e].count;
        uint64_t print = (uint64_t)s->domain;
        counts[e] = 0;
        for (int i = 0; i < end; i++) {
            print = fingerprint(print, s->tokens[i]);
            const uint64_t slot = m->slots[block_table_slot(m->pool, &s->table, i)];
            assert_that(slot == print, "sequence %d reads a wrong slot for its token %d", s->id, i);
            // The sample after token i, as long as the draft tokens before it were right.
            if (i < s->count - 1 || !list[e].samples) continue;
            sampled[e][counts[e]++] = next_token(slot);
            if (i + 1 < end && s->tokens[i + 1] != next_token(slot)) break;
        }
    }
}
