#include "labs/3_language/transformer/experiment.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"

// ---- one text ----

typedef struct Sample {
    TokenStream *stream;
    char *text;
    size_t length, room;
} Sample;

static void put(Sample *sample, const char *bytes, size_t count)
{
    if (count > sample->room - sample->length) count = sample->room - sample->length;
    if (count > 0) memcpy(sample->text + sample->length, bytes, count);
    sample->length += count;
}

static bool on_token(void *context, int token)
{
    Sample *sample = context;
    size_t bytes;
    const char *piece = token_stream_step(sample->stream, token, &bytes);
    put(sample, piece, bytes);
    return true;
}

char *sample_text(const Experiment *lab, Arena *arena, const char *prompt, int tokens,
                  Sampling sampling, uint64_t stream, Error *err)
{
    const Tokenizer *tokenizer = lab->text.tokenizer;
    TokenIds ids = {0};
    if (!tokenizer_encode(tokenizer, prompt, strlen(prompt), (EncodeOptions){.add_special = true},
                          &ids, err)) {
        error_wrap(err, "the prompt");
        return NULL;
    }
    int context = lab->model.config.context, count = (int)ids.count;
    if (tokens > context - 1) tokens = context - 1;
    int kept = count + tokens > context ? context - tokens : count;
    Arena *work = arena_new("sample", (size_t)8 << 30);
    Rng rng = rng_stream(lab->run->seed, stream);
    Generation generation = {.model = &lab->model,
                             .cache = kv_cache_new(arena, &lab->model, context),
                             .tape = tape_new(work),
                             .sampling = sampling,
                             .rng = &rng,
                             .most = tokens};
    size_t longest = strlen(prompt) + 64 * (size_t)tokens;
    Sample sample = {.stream = token_stream_open(tokenizer, (DecodeOptions){.skip_special = true}),
                     .text = arena_alloc(arena, longest + 1),
                     .room = longest};
    put(&sample, prompt, strlen(prompt));
    bool ok = generate(&generation, ids.ids + count - kept, kept, on_token, &sample, err) >= 0;
    size_t bytes;
    const char *rest = token_stream_end(sample.stream, &bytes);
    put(&sample, rest, bytes);
    sample.text[sample.length] = '\0';
    token_stream_close(sample.stream);
    arena_free(work);
    free(ids.ids);
    return ok ? sample.text : NULL;
}

// ---- the prompt continued ----

// Stories that the model makes up, read by the grammar: how many it could have made itself.
static bool read_stories(Experiment *lab, Error *err)
{
    enum { STORIES = 50 };
    const GrammarRates rates = grammar_rates(lab->text.grammar);
    GrammarReader *reader = grammar_reader_new(lab->keep, lab->text.grammar);
    int whole = 0, right = 0;
    double bits = 0;
    size_t characters = 0;
    for (int i = 0; i < STORIES; i++) {
        arena_reset(lab->scratch);
        const char *text = sample_text(lab, lab->scratch, "\n", lab->text.context - 1,
                                       (Sampling){.temperature = 1}, 0x500 + (uint64_t)i, err);
        if (text == NULL) return false;
        const char *end = strchr(++text, '\n');
        if (end == NULL) continue;    // a story longer than the context
        whole++;
        grammar_reader_restart(reader);
        double sum = 0, p = 1;
        for (const char *at = text; at <= end && p > 0; at++)
            sum -= log2(p = grammar_read(reader, *at));
        if (p == 0) continue;
        right++;
        bits += sum;
        characters += (size_t)(end - text) + 1;
    }
    run_print(
        lab->run,
        "Of %d stories that the model wrote at temperature 1, %d follow the grammar word by word; "
        "in bits per character they cost %.3f, the grammar's own %.3f.",
        whole, right, right > 0 ? bits / (double)characters : NAN, rates.bits_per_character);
    return true;
}

bool part_continue(void *argument, Error *err)
{
    Experiment *lab = argument;
    const Sampling ways[] = {{.temperature = 0}, lab->sampling, {.temperature = 1.5f}};
    static const char *const names[] = {"greedy", "as asked", "hot"};
    for (int i = 0; i < 3; i++) {
        const Sampling s = ways[i];
        const char *text = sample_text(lab, lab->scratch, lab->prompt, lab->tokens, s, 0xC0, err);
        if (text == NULL) return false;
        run_print(lab->run, "%s (temperature %g, top-k %d, top-p %g):", names[i],
                  (double)s.temperature, s.top_k, (double)s.top_p);
        run_print(lab->run, "  %s", text);
        arena_reset(lab->scratch);
    }
    return lab->text.grammar == NULL || read_stories(lab, err);
}
