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
    int64_t used;         // keys and values of a token that no other slot has
    int64_t duplicate;    // in full blocks whose content another held block has, too
    int64_t tail;         // of held blocks, not written yet
    int64_t reserved;     // in idle blocks that running sequences were reserved
    int64_t cached;       // in other idle blocks, with content for a later hit
    int64_t free;
} Account;

typedef struct Auditor Auditor;

Auditor *auditor_new(Arena *keep, const BlockPool *pool);
Account account_take(Auditor *auditor, const Scheduler *s);
int64_t account_sum(const Account *account);
void account_add(Account *sum, const Account *account);    // to average over steps
