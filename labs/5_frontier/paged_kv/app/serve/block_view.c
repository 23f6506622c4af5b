#include "labs/5_frontier/paged_kv/app/serve/block_view.h"
#include "labs/5_frontier/paged_kv/app/choice.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

// A letter a block: free, cached and idle, held by one table, shared.
static char letter(const BlockPool *pool, int32_t block)
{
    const int holders = pool->references[block];
    if (holders > 0) return holders > 1 ? 's' : 'h';
    return block_pool_cached(pool, block) ? 'c' : 'f';
}

static void write_sequence(Bytes *out, const Sequence *s)
{
    const Choice *choice = s->owner;
    write_format(out,
                 "{\"id\":%d,\"choice\":%d,\"prompt\":%d,\"tokens\":%d,\"computed\":%d,\"hits\":%d,"
                 "\"preemptions\":%d,\"table\":[",
                 s->id, choice->index, s->prompt, s->count, s->computed, s->hits, s->preemptions);
    for (int i = 0; i < s->table.count; i++)
        write_format(out, "%s%d", i > 0 ? "," : "", s->table.blocks[i]);
    write_text(out, "]}");
}

void block_view_write(Bytes *out, const Engine *engine)
{
    const Scheduler *s = engine_scheduler(engine);
    const BlockPool *pool = s->pool;
    write_format(
        out, "{\"block_size\":%d,\"waiting\":%d,\"step\":%lld,\"preemptions\":%lld,\"blocks\":\"",
        pool->block_size, s->waiting.count, (long long)s->step, (long long)s->preemptions);
    for (int32_t b = 0; b < pool->blocks; b++) {
        const char c = letter(pool, b);
        bytes_add(out, &c, 1);
    }
    write_text(out, "\",\"sequences\":[");
    for (int i = 0; i < s->running_count; i++) {
        if (i > 0) write_text(out, ",");
        write_sequence(out, s->running[i]);
    }
    write_text(out, "]}");
}
