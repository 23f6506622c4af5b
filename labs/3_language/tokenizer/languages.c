/* Bytes per token of English, Chinese and code, by tokenizers that have seen one of them, all, or more. */
#include "labs/3_language/tokenizer/story.h"

// Rows of the table; the first four have learned from a text each, and from all.
enum { ALL = TEXTS, BYTES, CHARACTERS, GIVEN, ROWS };

// All training sets, one behind the other.
static const char *joined(const Lab *lab, size_t *bytes)
{
    *bytes = 0;
    for (int t = 0; t < TEXTS; t++) *bytes += lab->texts[t].train;
    char *all = arena_alloc(lab->step, *bytes), *end = all;
    for (int t = 0; t < TEXTS; end += lab->texts[t++].train)
        memcpy(end, lab->texts[t].bytes, lab->texts[t].train);
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

// The part of a text that was held out, in the tokens of a row.
static bool held_out(const Lab *lab, int row, Learned *const *learned, const Text *text,
                     Pieces *pieces, Error *err)
{
    const char *rest = text->bytes + text->train;
    size_t bytes = text->size - text->train;
    if (row == GIVEN) return pieces_of_given(lab->step, lab->given, rest, bytes, pieces, err);
    *pieces = row == BYTES        ? pieces_of_bytes(lab->step, rest, bytes)
              : row == CHARACTERS ? pieces_of_characters(lab->step, rest, bytes)
                                  : learned_pieces(lab->step, learned[row], rest, bytes);
    return true;
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
        for (int i = 0; i < STEPS; i++) {
            Learned *step = learned_step(lab->step, learned[shared ? ALL : t], i);
            size[t][i] = (float)step->vocabulary.size;
            rate[t][i] = (float)learned_rates(lab->step, step, text->bytes + text->train,
                                              text->size - text->train)
                             .bytes_per_token;
        }
        plot_series(&plot, text->name, size[t], rate[t], STEPS);
    }
    run_plot(lab->run, &plot, shared ? "shared" : "languages");
}

bool part_languages(void *context, Error *err)
{
    static const int order[] = {BYTES, CHARACTERS, ENGLISH, CHINESE, CODE, ALL, GIVEN};
    const Lab *lab = context;
    const char *names[ROWS] = {"BPE of English",   "BPE of Chinese", "BPE of code",
                               "BPE of all three", "bytes",          "characters",
                               lab->name};
    size_t bytes;
    const char *all = joined(lab, &bytes);
    Learned *learned[TEXTS + 1];
    for (int t = 0; t < TEXTS; t++)
        learned[t] = learn(lab->step, lab->texts[t].bytes, lab->texts[t].train, lab->merges);
    learned[ALL] = learn(lab->step, all, bytes, lab->merges);
    int sizes[ROWS] = {[BYTES] = 256, [CHARACTERS] = different_characters(lab, all, bytes)};
    for (int t = 0; t <= TEXTS; t++) sizes[t] = learned[t]->vocabulary.size;
    if (lab->given != NULL) sizes[GIVEN] = tokenizer_size(lab->given);

    Table table = table_new(lab->step, "tokenizer|vocabulary|English|Chinese|code");
    for (int i = 0; i < ROWS - (lab->given == NULL); i++) {
        double rate[TEXTS];
        for (int t = 0; t < TEXTS; t++) {
            const Text *text = &lab->texts[t];
            Pieces pieces;
            if (!held_out(lab, order[i], learned, text, &pieces, err)) return false;
            rate[t] = (double)(text->size - text->train) / (double)pieces.count;
        }
        table_row(&table, "%s|%d|%.2f|%.2f|%.2f", names[order[i]], sizes[order[i]], rate[ENGLISH],
                  rate[CHINESE], rate[CODE]);
        metrics_write(
            lab->run->metrics, i,
            METRICS({"english", rate[ENGLISH]}, {"chinese", rate[CHINESE]}, {"code", rate[CODE]}));
    }
    run_print(lab->run, "Bytes per token of texts that were held out:");
    run_table(lab->run, &table);
    for (int shared = 0; shared < 2; shared++) plot_sizes(lab, learned, shared);
    return true;
}
