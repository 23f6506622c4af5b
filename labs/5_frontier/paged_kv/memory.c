/* memory.c -- contiguous reservations against blocks, on the same requests. */
#include "labs/5_frontier/paged_kv/app/replay/contiguous.h"
#include "labs/5_frontier/paged_kv/app/replay/paged.h"
#include "labs/5_frontier/paged_kv/app/replay/workload.h"
#include "labs/5_frontier/paged_kv/story.h"

// OPT-13B on an A100 with 40 GB, as in the paper: 12 GB for keys and values of 800 KB per token.
enum { SLOTS = 15728, LONGEST = 2048, AT_ONCE = 512, POLICIES = 4, SIZES = 7 };

static const struct {
    const char *name, *tick;
    float used, at_once;    // Kwon et al. 2023, figures 2 and 13
} policies[POLICIES] = {{"reserved: the longest possible", "longest", 20.4f, 7.00f},
                        {"reserved: output to a power of two", "power of 2", 26.8f, 9.81f},
                        {"reserved: the true length", "true length", 38.2f, 13.62f},
                        {"blocks of 16 tokens", "blocks of 16", 96.3f, 30.42f}};

// Of all slots, in percent.
typedef struct Shares {
    double used, reserved, internal, external, at_once;
} Shares;

static Shares shares_of(const Trace *trace, int policy)
{
    if (policy == POLICIES - 1) {
        const PagedResult p = paged_run(trace, SLOTS, 16, AT_ONCE);
        return (Shares){100 * p.used, 0, 100 * p.tail, 100 * (1 - p.used - p.tail), p.at_once};
    }
    const ContiguousResult c = contiguous_run(trace, SLOTS, LONGEST, (Reservation)policy);
    return (Shares){100 * c.used, 100 * c.reserved, 100 * c.internal, 100 * c.external, c.at_once};
}

// Bars that are painted over each other, the tallest first.
static void plot_shares(Lab *lab, const Shares *shares)
{
    static const char *const names[] = {"external fragmentation, or free", "internal fragmentation",
                                        "reserved for later tokens", "a token"};
    float at[POLICIES], paper[POLICIES], tops[4][POLICIES];
    PlotTick ticks[POLICIES];
    for (int p = 0; p < POLICIES; p++) {
        const Shares *s = &shares[p];
        at[p] = (float)p;
        paper[p] = policies[p].used;
        ticks[p] = (PlotTick){p, policies[p].tick};
        tops[3][p] = (float)s->used;
        tops[2][p] = (float)(s->used + s->reserved);
        tops[1][p] = (float)(s->used + s->reserved + s->internal);
        tops[0][p] = 100;
    }
    Plot plot = {.title = "What the slots of the KV cache hold",
                 .y_label = "slots [%]",
                 .ticks = ticks,
                 .tick_count = POLICIES};
    for (int i = 0; i < 4; i++) plot_shape(&plot, PLOT_BARS, names[i], at, tops[i], POLICIES);
    plot_shape(&plot, PLOT_FRAMES, "a token: Kwon et al. 2023", at, paper, POLICIES);
    run_plot(lab->run, &plot, "memory");
}

static void compare_sizes(Lab *lab, const Trace *sharegpt, const Trace *alpaca)
{
    static const int sizes[SIZES] = {1, 8, 16, 32, 64, 128, 256};
    float x[SIZES], used[2][SIZES];
    Table table = table_new(lab->step, "tokens in a block|ShareGPT-like: used [%]|requests at "
                                       "once|Alpaca-like: used [%]|requests at once");
    for (int i = 0; i < SIZES; i++) {
        const PagedResult a = paged_run(sharegpt, SLOTS, sizes[i], AT_ONCE),
                          b = paged_run(alpaca, SLOTS, sizes[i], AT_ONCE);
        x[i] = (float)sizes[i];
        used[0][i] = (float)(100 * a.used);
        used[1][i] = (float)(100 * b.used);
        table_row(&table, "%d|%.1f|%.1f|%.1f|%.1f", sizes[i], 100 * a.used, a.at_once, 100 * b.used,
                  b.at_once);
    }
    run_table(lab->run, &table);
    Plot plot = {.title = "Block size and memory",
                 .x_label = "tokens in a block",
                 .y_label = "slots with a token [%]",
                 .log_x = true};
    plot_series(&plot, "ShareGPT-like: long", x, used[0], SIZES);
    plot_series(&plot, "Alpaca-like: short", x, used[1], SIZES);
    run_plot(lab->run, &plot, "block_size");
}

bool part_memory(void *context, Error *err)
{
    Lab *lab = context;
    const uint64_t seed = lab->run->seed;
    const Trace sharegpt =
                    workload_make(lab->step, workload_find("sharegpt"), lab->requests, 0, seed),
                alpaca =
                    workload_make(lab->step, workload_find("alpaca"), 3 * lab->requests, 0, seed);
    Shares shares[POLICIES];
    run_print(lab->run,
              "%d requests wait for %d slots, 12 GB for a model of 13 billion parameters.",
              lab->requests, SLOTS);
    Table table = table_new(lab->step, "memory|slots with a token [%]|Kwon et al.|reserved [%]|"
                                       "internal frag. [%]|external [%]|at once|Kwon et al.");
    for (int p = 0; p < POLICIES; p++) {
        const Shares s = shares[p] = shares_of(&sharegpt, p);
        table_row(&table, "%s|%.1f|%.1f|%.1f|%.1f|%.1f|%.1f|%.1f", policies[p].name, s.used,
                  (double)policies[p].used, s.reserved, s.internal, s.external, s.at_once,
                  (double)policies[p].at_once);
        metrics_write(lab->run->metrics, p,
                      METRICS({"used", s.used}, {"published", (double)policies[p].used},
                              {"at_once", s.at_once}));
    }
    run_table(lab->run, &table);
    plot_shares(lab, shares);
    compare_sizes(lab, &sharegpt, &alpaca);
    (void)err;
    return true;
}
