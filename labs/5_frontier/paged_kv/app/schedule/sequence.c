#include "labs/5_frontier/paged_kv/app/schedule/sequence.h"
#include <stdlib.h>
#include <string.h>
#include "common/error.h"

Sequence *sequence_new(int id, const int32_t *prompt, int count, int max_count, int block_size)
{
    REQUIRE(count > 0 && max_count > count, "a prompt of %d tokens in a sequence of %d", count,
            max_count);
    // In one piece: the sequence, its tokens, its table. Nothing is allocated while it runs.
    const size_t entries = (size_t)max_count / (size_t)block_size + 1;
    Sequence *s = calloc(1, sizeof *s + ((size_t)max_count + entries) * sizeof(int32_t));
    if (s == NULL) return NULL;
    s->id = id;
    s->tokens = (int32_t *)(s + 1);
    s->prompt = s->count = count;
    s->max_count = max_count;
    s->table = (BlockTable){.blocks = s->tokens + max_count, .room = (int)entries};
    memcpy(s->tokens, prompt, (size_t)count * sizeof *prompt);
    return s;
}

void sequence_free(Sequence *sequence)
{
    if (sequence == NULL) return;
    REQUIRE(sequence->table.count == 0, "sequence %d still holds %d blocks", sequence->id,
            sequence->table.count);
    free(sequence);
}
