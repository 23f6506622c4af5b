/* replica.h -- one engine without its model: a pool, a scheduler, and a clock that the steps move on.
 *
 *     Replica *replica = replica_open(&settings, &err);
 *     replica_submit(replica, &request, &served[i], now);
 *     while (replica_is_busy(replica)) replica_step(replica);
 *     replica_close(replica);
 *
 * What the model would sample is known: the trace's tokens. How long a step takes is estimated: reading
 * the weights, computing the tokens, reading the keys and values that they attend to.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/account.h"
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef struct StepCost {
    double step, token, context;    // seconds: for each step, token computed, token attended to
} StepCost;

typedef struct ReplicaSettings {
    int blocks, block_size;
    const PrefixKind *kind;    // NULL: no prefix cache
    SchedulerOptions scheduler;
    StepCost cost;
    int account_every;    // steps; 0: never
} ReplicaSettings;

// What became of a request, in seconds.
typedef struct Served {
    double first, last;    // when its first and last token came
    double gap;            // the longest between two tokens
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
    Account account;    // the sum of `accounts`
    int64_t worst_tail;
} Replica;

// `keep` lives as long as the replica.
Replica *replica_open(Arena *keep, const ReplicaSettings *settings);
void replica_close(Replica *replica);

// False: refused, and `err` says why. Both live as long as the request is in flight.
bool replica_submit(Replica *replica, const Request *request, Served *served, double now,
                    Error *err);
void replica_step(Replica *replica);
bool replica_is_busy(const Replica *replica);
