/* Bytes per token of English, Chinese and code, by tokenizers that have seen one of them, all, or more. */
#include "labs/3_language/tokenizer/story.h"

enum { STEPS = 9 };

static size_t rest_of(const Text *text)
{
    return text->size - text->train;
}

// All training sets, one behind the other.
static const char *joined(const Lab *lab, size_t *bytes)
{
    *bytes = 0;
    for (int t = 0; t < TEXTS; t++) *bytes += lab->texts[t].train;
    char *all = arena_alloc(lab->step, *bytes), *end = all;
    for (int t = 0; t < TEXTS; t++) {
        memcpy(end, lab->texts[t].bytes, lab->texts[t].train);
        end += lab->texts[t].train;
    }
    return all;
}

static int different_characters(const Lab *lab, const char *text, size_t bytes)
{
    unsigned char *seen = arena_zeros(lab->step, 0x110000);
    int count = 0;
    for (size_t at = 0, used; at < bytes; at += used) {
        uint32_t code = bpe_utf8_decode(text + at, bytes - at, &used);
        count += !seen[code];
        seen[code] = 1;
    }
    return count;
}

// Each text by the tokenizer of its own training set, or all by the shared one.
static void plot_sizes(const Lab *lab, Learned *const *learned, bool shared)
{
    static float size[TEXTS][STEPS], rate[TEXTS][STEPS];
    Plot plot = {.title = shared ? "One tokenizer for all three, held-out texts"
                                 : "A tokenizer for each, held-out texts",
                 .x_label = "vocabulary size [tokens]",
                 .y_label = "bytes per token"};
    for (int t = 0; t < TEXTS; t++) {
        const Text *text = &lab->texts[t];
        const Learned *all = learned[shared ? TEXTS : t];
        for (int i = 0; i < STEPS; i++) {
            int merges = all->count * i * i / ((STEPS - 1) * (STEPS - 1));
            BpeRates rates = learned_rates(lab->step, learned_first(lab->step, all, merges),
                                           text->bytes + text->train, rest_of(text));
            size[t][i] = (float)(256 + merges);
            rate[t][i] = (float)rates.bytes_per_token;
        }
        plot_series(&plot, text->name, size[t], rate[t], STEPS);
    }
    run_plot(lab->run, &plot, shared ? "shared" : "languages");
}

bool part_languages(void *context, Error *err)
{
    const Lab *lab = context;
    size_t bytes;
    const char *all = joined(lab, &bytes);
    Learned *learned[TEXTS + 1];
    for (int t = 0; t < TEXTS; t++)
        learned[t] = learn(lab->step, lab->texts[t].bytes, lab->texts[t].train, lab->merges);
    learned[TEXTS] = learn(lab->step, all, bytes, lab->merges);

    Table table = table_new(lab->step, "tokenizer|vocabulary|English|Chinese|code");
    table_row(&table, "bytes|256|1|1|1");
    double characters[TEXTS];
    for (int t = 0; t < TEXTS; t++) {
        const Text *text = &lab->texts[t];
        size_t n = rest_of(text);
        characters[t] =
            (double)n / (double)pieces_of_characters(lab->step, text->bytes + text->train, n).count;
    }
    table_row(&table, "characters|%d|%.2f|%.2f|%.2f", different_characters(lab, all, bytes),
              characters[0], characters[1], characters[2]);
    static const char *const names[] = {"BPE of English", "BPE of Chinese", "BPE of code",
                                        "BPE of all three"};
    for (int l = 0; l <= TEXTS; l++) {
        double r[TEXTS];
        for (int t = 0; t < TEXTS; t++) {
            const Text *text = &lab->texts[t];
            r[t] = learned_rates(lab->step, learned[l], text->bytes + text->train, rest_of(text))
                       .bytes_per_token;
        }
        table_row(&table, "%s|%d|%.2f|%.2f|%.2f", names[l], 256 + learned[l]->count, r[0], r[1],
                  r[2]);
        metrics_write(lab->run->metrics, l,
                      METRICS({"english", r[0]}, {"chinese", r[1]}, {"code", r[2]}));
    }
    if (lab->given != NULL) {
        double r[TEXTS];
        for (int t = 0; t < TEXTS; t++) {
            const Text *text = &lab->texts[t];
            Pieces pieces;
            if (!pieces_of_given(lab->step, lab->given, text->bytes + text->train, rest_of(text),
                                 &pieces, err))
                return false;
            r[t] = (double)rest_of(text) / (double)pieces.count;
        }
        table_row(&table, "%s|%d|%.2f|%.2f|%.2f", lab->name, tokenizer_size(lab->given), r[0], r[1],
                  r[2]);
    }
    run_print(lab->run, "Bytes per token of texts that were held out:");
    run_table(lab->run, &table);

    for (int shared = 0; shared < 2; shared++) plot_sizes(lab, learned, shared);
    return true;
}
