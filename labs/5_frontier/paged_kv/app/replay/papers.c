#include "labs/5_frontier/paged_kv/app/replay/papers.h"
#include <stdio.h>
#include "common/table.h"
#include "labs/5_frontier/paged_kv/app/replay/contiguous.h"
#include "labs/5_frontier/paged_kv/app/replay/fleet.h"
#include "labs/5_frontier/paged_kv/app/replay/paged.h"
#include "labs/5_frontier/paged_kv/app/replay/sharing.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"

// OPT-13B on an A100 with 40 GB: 12 GB for keys and values of 800 KB per token.
enum { SLOTS = 15728, MODEL_MAX = 2048, MAX_AT_ONCE = 512 };

static const char *const data_sets[] = {"sharegpt", "alpaca"};

// ---- figures 2 and 13: waste, and requests at once ----

static void print_waste(Arena *arena, int requests, uint64_t seed)
{
    // Of figure 2 and 13 (ShareGPT) and 13 (Alpaca); percent, requests.
    static const struct {
        const char *name;
        double used, sharegpt, alpaca;
    } paper[] = {{"reserve the longest (Orca Max)", 20.4, 7.00, 7.00},
                 {"reserve a power of two (Orca Pow2)", 26.8, 9.81, 43.24},
                 {"reserve what is needed (Orca Oracle)", 38.2, 13.62, 72.75},
                 {"blocks of 16 (vLLM)", 96.3, 30.42, 132.44}};
    for (int d = 0; d < 2; d++) {
        const Trace trace = workload_make(arena, workload_find(data_sets[d]), requests, 0, seed);
        printf("\n%s-like lengths, %d slots, requests always waiting\n", data_sets[d], SLOTS);
        Table table = table_new(
            arena,
            "KV memory|used|paper|reserved|internal frag.|external frag.|requests at once|paper");
        for (int how = 0; how < 3; how++) {
            const ContiguousResult c = contiguous_run(&trace, SLOTS, MODEL_MAX, (Reservation)how);
            table_row(&table, "%s|%.1f %%|%s|%.1f %%|%.1f %%|%.1f %%|%.2f|%.2f", paper[how].name,
                      100 * c.used, d == 0 ? arena_print(arena, "%.1f %%", paper[how].used) : "",
                      100 * c.reserved, 100 * c.internal, 100 * c.external, c.at_once,
                      d == 0 ? paper[how].sharegpt : paper[how].alpaca);
        }
        const PagedResult p = paged_run(&trace, SLOTS, 16, MAX_AT_ONCE);
        table_row(&table, "%s|%.1f %%|%s|%.1f %%|%.1f %%|%.1f %%|%.2f|%.2f", paper[3].name,
                  100 * p.used, d == 0 ? "96.3 %" : "", 0.0, 100 * p.tail,
                  100 * (1 - p.used - p.tail), p.at_once,
                  d == 0 ? paper[3].sharegpt : paper[3].alpaca);
        table_print(&table, 2, stdout);
        if (d == 1)
            printf("  (The paper counted at 30 requests a second; here requests always wait.)\n");
    }
}

// ---- figure 15: memory saved by sharing ----

static void print_sharing(Arena *arena, int requests, uint64_t seed)
{
    static const struct {
        Sharing how;
        const char *name;
        int width;
        double paper[2];    // ShareGPT, Alpaca; 0: not given
    } rows[] = {{SHARE_PARALLEL, "parallel samples", 2, {16.2, 6.1}},
                {SHARE_PARALLEL, "parallel samples", 4, {0, 0}},
                {SHARE_PARALLEL, "parallel samples", 6, {30.5, 9.8}},
                {SHARE_BEAM, "beam search", 2, {44.3, 37.6}},
                {SHARE_BEAM, "beam search", 4, {0, 0}},
                {SHARE_BEAM, "beam search", 6, {66.3, 55.2}}};
    const int some = requests < 300 ? requests : 300;
    const Trace traces[] = {workload_make(arena, workload_find("sharegpt"), some, 0, seed),
                            workload_make(arena, workload_find("alpaca"), some, 0, seed)};
    printf("\nblocks saved by sharing, of those needed without it\n");
    Table table = table_new(arena, "continuations|of one prompt|sharegpt|paper|alpaca|paper");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *cells[4];
        for (int d = 0; d < 2; d++) {
            double saved = sharing_saved(&traces[d], rows[i].width, rows[i].how, 16, seed);
            cells[2 * d] = arena_print(arena, "%.1f %%", 100 * saved);
            cells[2 * d + 1] =
                rows[i].paper[d] > 0 ? arena_print(arena, "%.1f %%", rows[i].paper[d]) : "";
        }
        table_row(&table, "%s|%d|%s|%s|%s|%s", rows[i].name, rows[i].width, cells[0], cells[1],
                  cells[2], cells[3]);
    }
    table_print(&table, 2, stdout);
}

// ---- figure 18: the size of a block ----

static void print_block_sizes(Arena *arena, int requests, uint64_t seed)
{
    const Trace traces[] = {workload_make(arena, workload_find("sharegpt"), requests, 0, seed),
                            workload_make(arena, workload_find("alpaca"), requests, 0, seed)};
    const int some = requests < 2000 ? requests : 2000;
    const Trace chat = workload_make(arena, workload_find("chat"), some, 4, seed);
    printf("\nblock size (latency in the paper: best from 16 to 128 on ShareGPT, 16 to 32 on "
           "Alpaca)\n");
    Table table = table_new(arena, "tokens in a block|sharegpt: used|at once|alpaca: used|at once|"
                                   "chat: prefix hits");
    for (int size = 1; size <= 256; size *= size == 1 ? 8 : 2) {
        PagedResult p[2];
        for (int d = 0; d < 2; d++) p[d] = paged_run(&traces[d], SLOTS, size, MAX_AT_ONCE);
        const ReplicaSettings settings = {
            .blocks = 4 * SLOTS / size,
            .block_size = size,
            .kind = &radix_tree,
            .scheduler = {.budget = 2048, .max_running = 256, .watermark = 1},
            .cost = {16.7e-3, 83e-6, 0.5e-6},
        };
        FleetResult result;
        fleet_run(&chat, &settings, 1, ROUTE_ROUND_ROBIN, NULL, &result);
        table_row(&table, "%d|%.1f %%|%.2f|%.1f %%|%.2f|%.1f %%", size, 100 * p[0].used,
                  p[0].at_once, 100 * p[1].used, p[1].at_once,
                  100 * (double)result.hit_tokens / (double)result.prompt_tokens);
    }
    table_print(&table, 2, stdout);
}

void papers_print(Arena *arena, int requests, uint64_t seed)
{
    printf("Kwon et al., SOSP 2023: OPT-13B on an A100, 12 GB for keys and values\n");
    print_waste(arena, requests, seed);
    print_sharing(arena, requests, seed);
    print_block_sizes(arena, requests, seed);
}
