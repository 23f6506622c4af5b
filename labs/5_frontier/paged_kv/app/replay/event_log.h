/* event_log.h -- every decision of a scheduler as JSON lines; the block tables can be reconstructed from it.
 *
 *     EventLog log = {.stream = stream, .block_size = 16};
 *     scheduler->on_event = event_log_write, scheduler->context = &log;
 *     // {"step":1,"event":"admitted","sequence":0,"hits":0,"blocks":[]}
 *     // {"step":1,"event":"scheduled","sequence":0,"first":0,"count":20,"blocks":[0,1]}
 *
 * "blocks" of "admitted" are those found in the prefix cache; of "scheduled", the table's entries from
 * the one of token `first` on. The same trace and options give the same bytes.
 */
#pragma once
#include <stdio.h>
#include "labs/5_frontier/paged_kv/app/schedule/scheduler.h"

typedef struct EventLog {
    FILE *stream;
    int block_size;
    int64_t lines;
} EventLog;

void event_log_write(void *context, const SchedulerEvent *e);
