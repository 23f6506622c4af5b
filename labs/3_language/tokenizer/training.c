/* Training on a text: how the vocabulary's size decides what a token carries, and how often it comes. */
#include <stdlib.h>
#include "labs/3_language/tokenizer/story.h"

// Exercises 6 and 7 on the same words.
static bool same_merges(const Lab *lab, const Text *text, Error *err)
{
    enum { MOST = 1 << 20 };    // bytes: counting anew is slow
    size_t bytes = text->train < MOST ? text->train : MOST;
    int made[2], most = lab->merges;
    int64_t calls[2];
    BpePair *merges[2];
    for (int m = 0; m < 2; m++) {
        BpePairs counts = bpe_pairs_new(lab->step);
        BpeWords *words = text_words(lab->step, text->bytes, bytes);
        merges[m] = arena_alloc(lab->step, (size_t)most * sizeof *merges[m]);
        made[m] = m == 0 ? bpe_train(merges[m], most, words, 2, &counts)
                         : bpe_train_indexed(merges[m], most, words, 2, &counts);
        calls[m] = counts.calls;
    }
    bool same = made[0] == made[1];
    for (int k = 0; k < made[0] && same; k++)
        same = merges[0][k].left == merges[1][k].left && merges[0][k].right == merges[1][k].right;
    if (!same) return error_set(err, "the two ways of training give different merges");
    run_print(
        lab->run,
        "%d merges. Counting all pairs anew for each: %lld changes of a count. With an index of "
        "the words that hold a pair: %lld, and the same merges.",
        made[0], (long long)calls[0], (long long)calls[1]);
    metrics_write(lab->run->metrics, 0,
                  METRICS({"merges", made[0]}, {"calls", (double)calls[0]},
                          {"calls_indexed", (double)calls[1]}));
    return true;
}

// The longest tokens, the first ones of equal length first.
static const char *longest_tokens(Arena *arena, const Learned *learned, int most)
{
    const char *text = "";
    const size_t *first = learned->vocabulary.first;
    for (size_t size = 40; size > 1 && most > 0; size--)
        for (int t = 256; t < learned->vocabulary.size && most > 0; t++)
            if (first[t + 1] - first[t] == size) {
                const char *token = pieces_text(arena, pieces_of_ids(arena, learned, &t, 1));
                text = arena_print(arena, "%s%s\"%s\"", text, *text ? ", " : "", token);
                most--;
            }
    return text;
}

bool part_training(void *context, Error *err)
{
    static float size[STEPS], trained[STEPS], held_out[STEPS];
    const Lab *lab = context;
    const Text *text = &lab->texts[ENGLISH];
    size_t rest = text->size - text->train;
    run_print(lab->run, "Training set: %zu bytes of %s; held out: %zu.", text->train, text->name,
              rest);
    if (!same_merges(lab, text, err)) return false;
    Learned *all = learn(lab->step, text->bytes, text->train, lab->merges);
    Table table =
        table_new(lab->step, "vocabulary|bytes per token|held out|bits per token|bits per "
                             "byte");
    for (int i = 0; i < STEPS; i++) {
        Learned *learned = learned_step(lab->step, all, i);
        BpeRates rates = learned_rates(lab->step, learned, text->bytes, text->train);
        BpeRates other = learned_rates(lab->step, learned, text->bytes + text->train, rest);
        size[i] = (float)(256 + learned->count);
        trained[i] = (float)rates.bytes_per_token;
        held_out[i] = (float)other.bytes_per_token;
        table_row(&table, "%d|%.3f|%.3f|%.3f|%.3f", 256 + learned->count, rates.bytes_per_token,
                  other.bytes_per_token, rates.bits_per_token, rates.bits_per_byte);
        metrics_write(lab->run->metrics, i,
                      METRICS({"vocabulary", 256 + learned->count},
                              {"bytes_per_token", rates.bytes_per_token},
                              {"bytes_per_token_held_out", other.bytes_per_token},
                              {"bits_per_byte", rates.bits_per_byte}));
    }
    run_table(lab->run, &table);
    run_print(lab->run, "The longest tokens: %s.", longest_tokens(lab->step, all, 6));
    Plot plot = {.title = "Compression by byte-pair encoding",
                 .x_label = "vocabulary size [tokens]",
                 .y_label = "bytes per token"};
    plot_series(&plot, "training set", size, trained, STEPS);
    plot_series(&plot, "held out", size, held_out, STEPS);
    run_plot(lab->run, &plot, "vocabulary");
    return true;
}

// ---- Zipf ----

static int descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

// counts [n] are sorted; those above 0 become a curve of ranks and frequencies.
static void add_curve(Plot *plot, Arena *arena, const char *name, int64_t *counts, int n)
{
    float *rank = arena_alloc(arena, (size_t)n * sizeof *rank);
    float *count = arena_alloc(arena, (size_t)n * sizeof *count);
    size_t used = 0;
    qsort(counts, (size_t)n, sizeof *counts, descending);
    for (; used < (size_t)n && counts[used] > 0; used++) {
        rank[used] = (float)(used + 1);
        count[used] = (float)counts[used];
    }
    plot_series(plot, name, rank, count, used);
}

bool part_zipf(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    const Text *text = &lab->texts[ENGLISH];
    Plot plot = {.title = "Frequencies of tokens: Zipf's law",
                 .x_label = "rank",
                 .y_label = "count",
                 .log_x = true,
                 .log_y = true};
    Table table = table_new(lab->step, "tokens|different|most frequent|once [%]");
    Learned *all = learn(lab->step, text->bytes, text->size, lab->merges);
    for (int i = 0; i < 3; i++) {
        const char *name = i == 0 ? "bytes" : i == 1 ? "byte-pair encoding" : "words";
        Learned *learned = learned_first(lab->step, all, i == 0 ? 0 : all->count);
        int size = 256 + learned->count;
        int64_t *counts = arena_alloc(lab->step, (size_t)size * sizeof *counts);
        if (i < 2) {
            size_t n;
            int *ids = learned_encode(lab->step, learned, text->bytes, text->size, &n);
            bpe_rates(counts, size, ids, n, text->size);
        } else {
            BpeWords *words = text_words(lab->step, text->bytes, text->size);
            counts = words->times;
            size = words->count;
        }
        add_curve(&plot, lab->step, name, counts, size);
        int different = 0, once = 0;
        for (int t = 0; t < size; t++) different += counts[t] > 0, once += counts[t] == 1;
        table_row(&table, "%s|%d|%lld|%.1f", name, different, (long long)counts[0],
                  100.0 * once / different);
    }
    run_table(lab->run, &table);
    // By the law the word of rank r comes words / (r H) times, with H = 1 + 1/2 + ... + 1/different.
    const BpeWords *words = text_words(lab->step, text->bytes, text->size);
    double harmonic = 0, total = 0;
    for (int w = 0; w < words->count; w++) {
        harmonic += 1.0 / (w + 1);
        total += (double)words->times[w];
    }
    float rank[2] = {1, (float)words->count}, count[2];
    for (int i = 0; i < 2; i++) count[i] = (float)(total / harmonic) / rank[i];
    plot_shape(&plot, PLOT_LIMIT, "words by Zipf's law", rank, count, 2);
    run_plot(lab->run, &plot, "zipf");
    return true;
}
