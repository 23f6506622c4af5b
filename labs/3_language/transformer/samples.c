#include "labs/3_language/transformer/experiment.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"

// ---- one text ----

typedef struct Sample {
    TokenStream *stream;
    TokenIds ids;
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
    ids_add(&sample->ids, token);
    return true;
}

// Token by token; whenever the context is full, its second half is read anew as the beginning: one
// token or more.
static bool continue_ids(const Experiment *lab, Sample *sample, Generation *generation, int tokens,
                         Error *err)
{
    const int context = lab->model.config.context, kept = context - context / 2;
    int known = (int)sample->ids.count, first = known < context ? 0 : known - kept;
    while (tokens > 0) {
        generation->cache->used = 0;
        generation->most = tokens;
        int done = generate(generation, sample->ids.ids + first, (int)sample->ids.count - first,
                            on_token, sample, err);
        if (done < 0) return false;
        tokens -= done;
        if (generation->cache->used < context) break;    // the text has ended
        first = (int)sample->ids.count - kept;
    }
    return true;
}

static bool encode_prompt(const Tokenizer *tokenizer, const char *prompt, TokenIds *ids, Error *err)
{
    return tokenizer_encode(tokenizer, prompt, strlen(prompt), (EncodeOptions){.add_special = true},
                            ids, err) ||
           error_wrap(err, "the prompt");
}

bool sample_check_prompt(const Experiment *lab, Error *err)
{
    TokenIds ids = {0};
    bool ok = encode_prompt(lab->text.tokenizer, lab->prompt, &ids, err);
    if (ok && ids.count == 0) ok = error_set(err, "the prompt is empty; expected --prompt TEXT");
    free(ids.ids);
    return ok;
}

char *sample_text(const Experiment *lab, Arena *arena, const char *prompt, int tokens,
                  Sampling sampling, uint64_t stream, Error *err)
{
    const Tokenizer *tokenizer = lab->text.tokenizer;
    const size_t room = strlen(prompt) + 64 * (size_t)tokens;
    Sample sample = {.text = arena_alloc(arena, room + 1), .room = room};
    if (!encode_prompt(tokenizer, prompt, &sample.ids, err)) return NULL;
    sample.stream = token_stream_open(tokenizer, (DecodeOptions){.skip_special = true});
    REQUIRE(sample.stream != NULL, "no memory for a text");
    put(&sample, prompt, strlen(prompt));
    Arena *work = arena_new("sample", (size_t)8 << 30);
    Rng rng = rng_stream(lab->run->seed, stream);
    Generation generation = {.model = &lab->model,
                             .cache = kv_cache_new(arena, &lab->model, lab->model.config.context),
                             .tape = tape_new(work),
                             .sampling = sampling,
                             .rng = &rng};
    bool ok = continue_ids(lab, &sample, &generation, tokens, err);
    size_t bytes;
    const char *rest = token_stream_end(sample.stream, &bytes);
    put(&sample, rest, bytes);
    sample.text[sample.length] = '\0';
    token_stream_close(sample.stream);
    arena_free(work);
    free(sample.ids.ids);
    return ok ? sample.text : NULL;
}

// As one line, where a line ends a stroke.
char *sample_shown(Arena *arena, const char *text)
{
    char *shown = arena_alloc(arena, 3 * strlen(text) + 1), *to = shown;
    for (; *text != '\0'; text++) {
        if (*text != '\n') *to++ = *text;
        else to = (char *)memcpy(to, " / ", 3) + 3;
    }
    *to = '\0';
    return shown;
}

// ---- the prompt continued ----

// Drawn by the grammar: a window's first token is given to the model, never asked for.
static char first_letter(GrammarReader *reader, Rng *rng)
{
    double p[256], left = (double)rng_uniform(rng);
    grammar_reader_restart(reader);
    grammar_reader_expect(reader, p);
    int c = 0;
    while (c < 255 && (left -= p[c]) >= 0) c++;
    return (char)c;
}

// Stories that the model makes up, read by the grammar: how many it could have made itself.
static bool read_stories(Experiment *lab, Error *err)
{
    enum { STORIES = 50 };
    const GrammarRates rates = grammar_rates(lab->text.grammar);
    GrammarReader *reader = grammar_reader_new(lab->keep, lab->text.grammar);
    Rng rng = rng_stream(lab->run->seed, 0x4FF);
    int whole = 0, right = 0;
    double bits = 0;
    size_t characters = 0;
    for (int i = 0; i < STORIES; i++) {
        arena_reset(lab->scratch);
        char first[2] = {first_letter(reader, &rng)};
        const char *text = sample_text(lab, lab->scratch, first, lab->text.context,
                                       (Sampling){.temperature = 1}, 0x500 + (uint64_t)i, err);
        if (text == NULL) return false;
        const char *end = strchr(text, '\n');
        if (end == NULL) continue;    // longer than the context
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
    const char *cost =
        right > 0 ? arena_print(lab->scratch,
                                "; in bits per character they cost %.3f, the grammar's own %.3f",
                                bits / (double)characters, rates.bits_per_character)
                  : "";
    run_print(lab->run,
              "Of %d stories that the model wrote at temperature 1, %d end within the context and "
              "%d follow the grammar word by word%s.",
              STORIES, whole, right, cost);
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
        run_print(lab->run, "  %s", sample_shown(lab->scratch, text));
        arena_reset(lab->scratch);
    }
    return lab->text.grammar == NULL || read_stories(lab, err);
}
