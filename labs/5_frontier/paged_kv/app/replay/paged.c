#include "labs/5_frontier/paged_kv/app/replay/paged.h"
#include "labs/5_frontier/paged_kv/app/replay/replica.h"

PagedResult paged_run(const Trace *trace, int slots, int block_size, int most_at_once)
{
    Arena *arena = arena_new("paged", (size_t)1 << 32);
    const ReplicaSettings settings = {
        .blocks = slots / block_size,
        .block_size = block_size,
        .scheduler = {.budget = 8192, .max_running = most_at_once, .watermark = 1},
        .account_every = 1,
    };
    Replica *r = replica_open(arena, &settings);
    Served *served = arena_zeros(arena, (size_t)trace->count * sizeof *served);
    Error err;
    for (int i = 0; i < trace->count; i++)
        if (!replica_submit(r, &trace->requests[i], &served[i], 0, &err)) error_report(&err);
    int64_t steps = 0, running = 0;
    Account sum = {0};
    while (r->scheduler->waiting.count > 0) {
        replica_step(r);
        running += r->scheduler->list_count;
        steps++;
    }
    sum = r->account;
    while (replica_is_busy(r)) replica_step(r);
    replica_close(r);
    arena_free(arena);
    const double all = (double)account_sum(&sum), n = steps > 0 ? (double)steps : 1;
    return (PagedResult){(double)sum.used / all, (double)sum.tail / all, (double)running / n};
}
