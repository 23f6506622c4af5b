/* fleet.h -- several replicas behind a router, and what their users see.
 *
 *     FleetResult result;
 *     if (!fleet_run(keep, &trace, &settings, 4, ROUTE_PREFIX, &result, &err)) ...
 *
 * Every replica has its own cache. A router that spreads requests evenly spreads a conversation over
 * all of them, and each computes it anew; one that knows prefixes sends it where it was before, unless
 * that replica has much more to do than the others.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/replica.h"

typedef enum Route { ROUTE_ROUND_ROBIN, ROUTE_LEAST_LOADED, ROUTE_PREFIX } Route;

#define ROUTES "round-robin|least-loaded|prefix"
Route route_find(const char *name);

typedef struct FleetResult {
    int served, refused;
    char why[512];    // the first was refused
    int64_t prompt_tokens, hit_tokens, computed, output_tokens, steps, preemptions, evicted;
    double seconds;                        // from the first arrival to the last token
    double first_half, first_99;           // time to first token: median, 99th percentile
    double gap_half, gap_99, gap_worst;    // the longest gap of a request
    double running;                        // sequences in a step, on average
    int max_running;                       // in one replica
    int64_t accounts, slots;
    Account account;    // a sum over `accounts` steps, each of `slots` slots
} FleetResult;

// `log` is told the events of every replica, or is NULL.
typedef struct FleetLog {
    void (*on_event)(void *context, const SchedulerEvent *event);
    void *context;
} FleetLog;

void fleet_run(const Trace *trace, const ReplicaSettings *settings, int replicas, Route route,
               const FleetLog *log, FleetResult *result);

// With a cache that never evicts, shared by all: no router can have more hits.
int64_t fleet_ideal_hits(const Trace *trace, int block_size);
