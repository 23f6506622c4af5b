#include "labs/5_frontier/paged_kv/app/replay/event_log.h"
#include <inttypes.h>

static void print_blocks(FILE *out, const BlockTable *table, int from, int to)
{
    fputs(",\"blocks\":[", out);
    for (int i = from; i < to; i++) fprintf(out, "%s%d", i > from ? "," : "", table->blocks[i]);
    fputs("]", out);
}

void event_log_write(void *context, const SchedulerEvent *e)
{
    static const char *const names[] = {
        [EVENT_SUBMITTED] = "submitted", [EVENT_ADMITTED] = "admitted",
        [EVENT_SCHEDULED] = "scheduled", [EVENT_COPIED] = "copied",
        [EVENT_PREEMPTED] = "preempted", [EVENT_FORKED] = "forked",
        [EVENT_FINISHED] = "finished",   [EVENT_CANCELLED] = "cancelled",
    };
    EventLog *log = context;
    FILE *out = log->stream;
    const Sequence *s = e->sequence;
    fprintf(out, "{\"step\":%" PRId64 ",\"event\":\"%s\",\"sequence\":%d", e->step, names[e->kind],
            s->id);
    switch (e->kind) {
    case EVENT_SUBMITTED:
        fprintf(out, ",\"prompt\":%d,\"most\":%d", s->prompt, s->max_count);
        break;
    case EVENT_ADMITTED:
        fprintf(out, ",\"hits\":%d", e->count);
        print_blocks(out, &s->table, 0, s->table.ready);
        break;
    case EVENT_SCHEDULED:
        fprintf(out, ",\"first\":%d,\"count\":%d", e->first, e->count);
        print_blocks(out, &s->table, e->first / log->block_size, s->table.count);
        break;
    case EVENT_COPIED: fprintf(out, ",\"from\":%d,\"to\":%d", e->first, e->count); break;
    case EVENT_PREEMPTED: fprintf(out, ",\"freed\":%d", e->count); break;
    case EVENT_FORKED: fprintf(out, ",\"parent\":%d", e->first); break;
    case EVENT_FINISHED:
    case EVENT_CANCELLED: break;
    }
    fputs("}\n", out);
    log->lines++;
}
