#include "labs/5_frontier/paged_kv/app/replay/account.h"

struct Auditor {
    const BlockPool *pool;
    int64_t moment;         // of the marks below
    int64_t *seen;          // [blocks]: the moment at which a table held the block
    int64_t *content_at;    // [places]: the moment of what stands in `content`
    uint64_t *content;      // [places]: hashes of full blocks
    uint64_t places;
};

Auditor *auditor_new(Arena *keep, const BlockPool *pool)
{
    Auditor *a = arena_zeros(keep, sizeof *a);
    const size_t n = (size_t)pool->blocks;
    a->pool = pool;
    a->places = 1;
    while (a->places < 2 * n) a->places *= 2;
    a->seen = arena_zeros(keep, n * sizeof *a->seen);
    a->content_at = arena_zeros(keep, (size_t)a->places * sizeof *a->content_at);
    a->content = arena_alloc(keep, (size_t)a->places * sizeof *a->content);
    return a;
}

// 64 bits: among a few thousand blocks a collision is next to impossible.
static uint64_t content_hash(uint64_t before, const int32_t *tokens, int count)
{
    uint64_t hash = before + 0x9e3779b97f4a7c15u;
    for (int i = 0; i < count; i++) {
        hash = (hash ^ (uint32_t)tokens[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

// Whether a block with this content has been counted.
static bool is_repeated(Auditor *a, uint64_t hash)
{
    uint64_t place = hash & (a->places - 1);
    for (; a->content_at[place] == a->moment; place = (place + 1) & (a->places - 1))
        if (a->content[place] == hash) return true;
    a->content_at[place] = a->moment;
    a->content[place] = hash;
    return false;
}

static void count_table(Auditor *a, const Sequence *s, Account *account)
{
    const int size = a->pool->block_size;
    uint64_t hash = (uint64_t)(uint32_t)s->domain;
    for (int i = 0; i < s->table.count; i++) {
        const int left = s->computed - i * size, filled = left < 0 ? 0 : left < size ? left : size;
        if (filled == size) hash = content_hash(hash, s->tokens + (size_t)i * (size_t)size, size);
        int64_t *seen = &a->seen[s->table.blocks[i]];
        if (*seen == a->moment) continue;
        *seen = a->moment;
        if (filled == size && is_repeated(a, hash)) account->duplicate += size;
        else account->used += filled;
        account->tail += size - filled;
    }
}

Account account_take(Auditor *a, const Scheduler *s)
{
    const int size = a->pool->block_size, idle = a->pool->idle;
    Account account = {0};
    a->moment++;
    for (int i = 0; i < s->running_count; i++) count_table(a, s->running[i], &account);
    // Reserved blocks are counted out of the free ones first.
    int reserved = scheduler_reserved(s), cached = block_pool_cached_idle(a->pool);
    if (reserved > idle) reserved = idle;
    int free = idle - cached - reserved;
    if (free < 0) free = 0;
    account.reserved = (int64_t)reserved * size;
    account.free = (int64_t)free * size;
    account.cached = (int64_t)(idle - reserved - free) * size;
    return account;
}

int64_t account_sum(const Account *x)
{
    return x->used + x->duplicate + x->tail + x->reserved + x->cached + x->free;
}

void account_add(Account *sum, const Account *x)
{
    sum->used += x->used;
    sum->duplicate += x->duplicate;
    sum->tail += x->tail;
    sum->reserved += x->reserved;
    sum->cached += x->cached;
    sum->free += x->free;
}
