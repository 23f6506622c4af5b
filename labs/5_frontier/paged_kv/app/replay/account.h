/* account.h -- what each slot of the KV cache is used for, at one moment.
 *
 *     Auditor *auditor = auditor_new(keep, &pool);
 *     Account account = account_take(auditor, scheduler);    // the six add up to all slots
 *
 * It is counted from the tables each time, independently of the pool's counters.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"

typedef struct Account {
    int64_t used;         // computed tokens, each counted once
    int64_t duplicate;    // full blocks that repeat another held block
    int64_t tail;         // slots of held blocks that are not written yet: internal fragmentation
    int64_t reserved;     // idle blocks reserved for running sequences
    int64_t cached;       // other idle blocks that are in the prefix cache
    int64_t free;         // other idle blocks
} Account;

typedef struct Auditor Auditor;

Auditor *auditor_new(Arena *keep, const BlockPool *pool);
Account account_take(Auditor *auditor, const Scheduler *s);
int64_t account_sum(const Account *x);
void account_add(Account *sum, const Account *x);    // to average over steps
