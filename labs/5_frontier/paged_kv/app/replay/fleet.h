/* fleet.h -- several replicas behind a router, and the latency that their users see.
 *
 *     FleetResult result;
 *     fleet_run(&trace, &settings, 4, ROUTE_PREFIX, NULL, &result);
 *
 * Each replica has its own prefix cache. A router that balances only the load sends the turns of a
 * conversation to all replicas, and each computes it again. A prefix-aware router sends a request to the
 * replica with the longest cached prefix, unless that one is much busier than the others.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/replica.h"

typedef enum Route { ROUTE_ROUND_ROBIN, ROUTE_LEAST_LOADED, ROUTE_PREFIX } Route;

#define ROUTES "round-robin|least-loaded|prefix"
Route route_find(const char *name);

typedef struct FleetResult {
    int served, refused;
    char why[512];    // the first one was refused
    int64_t prompt_tokens, hit_tokens, computed, output_tokens, steps, preemptions, evicted;
    double seconds;                        // from the first arrival to the last token
    double first_p50, first_p99;           // time to first token
    double gap_p50, gap_p99, gap_worst;    // the longest gap between two tokens of a request
    double running;                        // mean sequences per step
    int max_running;                       // most in one replica
    int64_t accounts, slots;
    Account account;    // the sum over `accounts` steps, of `slots` slots each
} FleetResult;

// Receives the events of every replica.
typedef struct FleetLog {
    void (*on_event)(void *context, const SchedulerEvent *event);
    void *context;
} FleetLog;

// `log` may be NULL.
void fleet_run(const Trace *trace, const ReplicaSettings *settings, int replicas, Route way,
               const FleetLog *log, FleetResult *result);

// The prefix hits of one cache that never evicts: an upper bound. -1: too many blocks to simulate.
int64_t fleet_ideal_hits(const Trace *trace, int block_size);
