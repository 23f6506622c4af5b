#include "labs/5_frontier/paged_kv/app/sampling/beam_search.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Beam {
    BeamText text;    // its score without the penalty
    TokenLogProbability *candidates;
    bool offered;
} Beam;

// A running beam with one more token.
typedef struct Continuation {
    int beam, rank;    // rank: the beam's place among the running ones
    int32_t token;
    float log_probability, score;
} Continuation;

struct BeamSearch {
    BeamOptions options;
    int max_tokens, candidates, stop_count;
    const int32_t *stops;
    Beam *beams;                    // [beams]
    int *order, running;            // the running ones, the best first
    BeamText *texts;                // [beams + 1], the best first; the last is room for another one
    int text_count, count;          // count: tokens of each running beam
    Continuation *continuations;    // [beams * candidates]
    bool ended;
};

BeamSearch *beam_search_new(BeamOptions options, int max_tokens, const int32_t *stops,
                            int stop_count)
{
    REQUIRE(options.beams > 0 && options.beams <= BEAMS_MAX && max_tokens > 0,
            "%d beams of %d tokens", options.beams, max_tokens);
    const size_t n = (size_t)options.beams, candidates = n + (size_t)stop_count, texts = 2 * n + 1,
                 length = (size_t)max_tokens;
    // In one piece, what is aligned to 8 bytes first.
    BeamSearch *b =
        calloc(1, sizeof *b + n * sizeof *b->beams + (n + 1) * sizeof *b->texts +
                      n * candidates * (sizeof *b->continuations + sizeof(TokenLogProbability)) +
                      n * sizeof *b->order + texts * length * (sizeof(int32_t) + sizeof(float)));
    if (b == NULL) return NULL;
    *b = (BeamSearch){.options = options,
                      .max_tokens = max_tokens,
                      .candidates = (int)candidates,
                      .stop_count = stop_count,
                      .stops = stops,
                      .running = 1};
    b->beams = (Beam *)(b + 1);
    b->texts = (BeamText *)(b->beams + n);
    b->continuations = (Continuation *)(b->texts + n + 1);
    TokenLogProbability *offers = (TokenLogProbability *)(b->continuations + n * candidates);
    b->order = (int *)(offers + n * candidates);
    int32_t *tokens = b->order + n;
    for (size_t i = 0; i < texts; i++) {
        BeamText *text = i < n ? &b->beams[i].text : &b->texts[i - n];
        text->tokens = tokens + i * length;
        text->log_probabilities = (float *)(void *)(tokens + texts * length) + i * length;
    }
    for (size_t i = 0; i < n; i++) b->beams[i].candidates = offers + i * candidates;
    return b;
}

void beam_search_free(BeamSearch *b)
{
    free(b);
}

int beam_search_candidates(const BeamSearch *b)
{
    return b->candidates;
}

TokenLogProbability *beam_search_offer(BeamSearch *b, int beam)
{
    b->beams[beam].offered = true;
    return b->beams[beam].candidates;
}

bool beam_search_ready(const BeamSearch *b)
{
    for (int i = 0; i < b->running; i++)
        if (!b->beams[b->order[i]].offered) return false;
    return !b->ended;
}

bool beam_search_ended(const BeamSearch *b)
{
    return b->ended;
}

const BeamText *beam_search_text(const BeamSearch *b, int i)
{
    REQUIRE(i >= 0 && i < b->text_count, "text %d of %d", i, b->text_count);
    return &b->texts[i];
}

// ---- a step ----

// The best first; of equals that of the better beam, then that of the likelier token.
static int compare(const void *a, const void *b)
{
    const Continuation *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->rank != y->rank ? x->rank - y->rank : x->token - y->token;
}

static int list_continuations(BeamSearch *b)
{
    int count = 0;
    for (int rank = 0; rank < b->running; rank++) {
        Beam *beam = &b->beams[b->order[rank]];
        for (int i = 0; i < b->candidates; i++) {
            const TokenLogProbability next = beam->candidates[i];
            b->continuations[count++] =
                (Continuation){b->order[rank], rank, next.token, next.log_probability,
                               beam->text.score + next.log_probability};
        }
        beam->offered = false;
    }
    qsort(b->continuations, (size_t)count, sizeof *b->continuations, compare);
    return count;
}

static void copy_text(BeamText *to, const BeamText *from)
{
    const size_t count = (size_t)from->count;
    memcpy(to->tokens, from->tokens, count * sizeof *to->tokens);
    memcpy(to->log_probabilities, from->log_probabilities, count * sizeof *to->log_probabilities);
    to->count = from->count;
    to->score = from->score;
}

static void append(BeamText *text, const Continuation *c)
{
    text->tokens[text->count] = c->token;
    text->log_probabilities[text->count++] = c->log_probability;
    text->score = c->score;
}

static bool is_stop(const BeamSearch *b, int32_t token)
{
    for (int i = 0; i < b->stop_count; i++)
        if (b->stops[i] == token) return true;
    return false;
}

static float penalized(const BeamSearch *b, float score, int count)
{
    return score / (float)pow(count, (double)b->options.length_penalty);
}

// Among the texts that have ended, of which the best are kept.
static void set_aside(BeamSearch *b, const Continuation *c, bool stopped)
{
    const float score = penalized(b, c->score, b->count + 1);
    int place = b->text_count;
    while (place > 0 && score > b->texts[place - 1].score) place--;
    if (place == b->options.beams) return;
    const BeamText spare = b->texts[b->text_count];
    memmove(b->texts + place + 1, b->texts + place, (size_t)(b->text_count - place) * sizeof spare);
    BeamText *text = &b->texts[place];
    *text = spare;
    copy_text(text, &b->beams[c->beam].text);
    if (!stopped) append(text, c);
    text->stopped = stopped;
    text->score = score;
    if (b->text_count < b->options.beams) b->text_count++;
}

static bool can_improve(const BeamSearch *b)
{
    if (b->text_count < b->options.beams) return true;
    if (b->options.early_stopping == EARLY_STOPPING_FIRST) return false;
    const bool longest =
        b->options.early_stopping == EARLY_STOPPING_NEVER && b->options.length_penalty > 0;
    const float best =
        penalized(b, b->beams[b->order[0]].text.score, longest ? b->max_tokens : b->count);
    return best > b->texts[b->text_count - 1].score;
}

// A beam's first continuation stays where it is. Others take the places of beams without any.
static int place(const BeamSearch *b, const Continuation *next, int count, BeamMove *moves)
{
    bool taken[BEAMS_MAX] = {false}, stays[BEAMS_MAX];
    int moved = 0, free = 0;
    for (int i = 0; i < count; i++) {
        stays[i] = !taken[next[i].beam];
        taken[next[i].beam] = true;
    }
    for (int i = 0; i < count; i++) {
        if (stays[i]) continue;
        while (taken[free]) free++;
        taken[free] = true;
        moves[moved++] = (BeamMove){next[i].beam, free, next[i].token};
    }
    for (int i = 0, k = 0; i < count; i++)
        if (stays[i]) {
            moves[moved++] = (BeamMove){next[i].beam, next[i].beam, next[i].token};
            b->order[i] = next[i].beam;
        } else b->order[i] = moves[k++].to;
    return moved;
}

int beam_search_step(BeamSearch *b, BeamMove *moves)
{
    const int count = list_continuations(b), beams = b->options.beams;
    const bool last = b->count + 1 == b->max_tokens;
    Continuation next[BEAMS_MAX];
    int kept = 0;
    for (int i = 0; i < count && (i < beams || kept < beams); i++) {
        const Continuation *c = &b->continuations[i];
        const bool stopped = is_stop(b, c->token);
        // One that ends a text behind the best `beams` is neither kept nor set aside.
        if (!stopped && !last && kept < beams) next[kept++] = *c;
        else if (i < beams) set_aside(b, c, stopped);
    }
    b->ended = last;
    if (last) return 0;
    const int moved = place(b, next, kept, moves);
    for (int i = 0; i < moved && moves[i].from != moves[i].to; i++)
        copy_text(&b->beams[moves[i].to].text, &b->beams[moves[i].from].text);
    for (int i = 0; i < kept; i++) append(&b->beams[b->order[i]].text, &next[i]);
    b->running = kept;
    b->count++;
    b->ended = !can_improve(b);
    return b->ended ? 0 : moved;
}
