/* replica.h -- an engine without a model: a pool, a scheduler and a simulated clock.
 *
 *     Replica *replica = replica_open(keep, &settings);
 *     if (!replica_submit(replica, &request, &served[i], now, &err)) ...
 *     while (replica_is_busy(replica)) replica_step(replica);
 *     replica_close(replica);
 *
 * The sampled tokens are those of the trace. The duration of a step is estimated from three costs: of the
 * step itself (reading the weights), of each token computed, and of each token attended to.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/account.h"
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef struct StepCost {
    double step, token, context;    // seconds per step, token computed, token attended to
} StepCost;

typedef struct ReplicaSettings {
    int blocks, block_size;
    const PrefixKind *kind;    // NULL: no prefix cache
    SchedulerOptions scheduler;
    StepCost cost;
    int account_every;    // steps; 0: never
} ReplicaSettings;

// The outcome of a request.
typedef struct Served {
    double first, last;    // times of its first and last token, in seconds
    double gap;            // the longest time between two tokens
    int hits, preemptions;
    bool refused;
} Served;

typedef struct Replica {
    ReplicaSettings settings;
    Arena *arena;
    BlockPool pool;
    Scheduler *scheduler;
    Auditor *auditor;
    double clock;
    int in_flight, max_running;
    int64_t steps, entries, computed, sampled;    // entries: sequences in all steps
    int64_t accounts;
    Account account;    // the sum over `accounts` steps
} Replica;

// `keep` must outlive the replica.
Replica *replica_open(Arena *keep, const ReplicaSettings *settings);
void replica_close(Replica *replica);    // cancels what is in flight

// False: refused. `request` and `served` must outlive the request.
bool replica_submit(Replica *replica, const Request *request, Served *served, double now,
                    Error *err);
void replica_step(Replica *replica);
bool replica_is_busy(const Replica *replica);
