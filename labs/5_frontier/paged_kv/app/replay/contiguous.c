#include "labs/5_frontier/paged_kv/app/replay/contiguous.h"
#include "labs/5_frontier/paged_kv/app/replay/buddy.h"

typedef struct Piece {
    const Request *request;
    int place, slots, generated;
} Piece;

static int slots_for(const Request *request, int most, Reservation how)
{
    int output = 1;
    switch (how) {
    case RESERVE_MAX: return most;
    case RESERVE_POW2:
        while (output < request->output) output *= 2;
        break;
    case RESERVE_ORACLE: output = request->output; break;
    }
    return request->prompt + output < most ? request->prompt + output : most;
}

static void count_slots(const Piece *pieces, int running, ContiguousResult *sum, double slots)
{
    double held = 0;
    for (int i = 0; i < running; i++) {
        const Piece *p = &pieces[i];
        const int now = p->request->prompt + p->generated;
        const int end = p->request->prompt + p->request->output;
        sum->used += now / slots;
        sum->reserved += (end - now) / slots;
        sum->internal += (p->slots - end) / slots;
        held += p->slots;
    }
    sum->external += (slots - held) / slots;
    sum->at_once += running;
}

ContiguousResult contiguous_run(const Trace *trace, int slots, int most, Reservation how)
{
    Arena *arena = arena_new("contiguous", 1u << 30);
    Buddy buddy = buddy_new(arena, slots);
    Piece *pieces = arena_alloc(arena, (size_t)trace->count * sizeof *pieces);
    ContiguousResult sum = {0};
    int running = 0, next = 0;
    int64_t steps = 0;
    for (;;) {
        for (; next < trace->count; next++, running++) {
            const int want = slots_for(&trace->requests[next], most, how);
            const int place = buddy_allocate(&buddy, want);
            if (place < 0) break;
            pieces[running] = (Piece){&trace->requests[next], place, want, 0};
        }
        if (next == trace->count) break;
        count_slots(pieces, running, &sum, slots);
        steps++;
        for (int i = 0; i < running; i++) {
            Piece *p = &pieces[i];
            if (++p->generated < p->request->output) continue;
            buddy_free(&buddy, p->place, p->slots);
            *p = pieces[--running];
            i--;
        }
    }
    arena_free(arena);
    const double n = steps > 0 ? (double)steps : 1;
    return (ContiguousResult){sum.used / n, sum.reserved / n, sum.internal / n, sum.external / n,
                              sum.at_once / n};
}
