/* Byte-pair encoding, merge by merge: the paper's words, and a text whose tokens grow. */
#include <time.h>
#include <unistd.h>
#include "common/terminal.h"
#include "labs/3_language/tokenizer/story.h"

// How many merges are shown.
enum { PAPER = 10, ROWS = 14 };

// The last token that was made, as text: "es".
static const char *last_token(Arena *arena, const Learned *learned)
{
    if (learned->count == 0) return "";
    return pieces_text(arena, pieces_of_ids(arena, learned, (int[]){255 + learned->count}, 1));
}

// Sennrich et al. 2016, algorithm 1, by exercise 6.
static void show_paper(const Lab *lab)
{
    enum { WORDS = 4 };
    static const char *const text[WORDS] = {"low", "lower", "newest", "widest"};
    int64_t times[WORDS] = {5, 2, 6, 3};
    int ids[20];
    size_t first[WORDS], length[WORDS], end = 0;
    for (int w = 0; w < WORDS; w++) {
        first[w] = end;
        length[w] = strlen(text[w]);
        for (size_t i = 0; i < length[w]; i++) ids[end++] = (unsigned char)text[w][i];
    }
    Learned all = {.merges = arena_alloc(lab->step, PAPER * sizeof(BpePair))};
    BpePairs counts = bpe_pairs_new(lab->step);
    all.count =
        bpe_train(all.merges, PAPER, &(BpeWords){ids, first, length, times, WORDS}, 1, &counts);

    run_print(lab->run, "The four words of Sennrich et al. 2016, with their counts:");
    Table table = table_new(lab->step, "merge|new token|count|low 5|lower 2|newest 6|widest 3");
    for (int k = 0; k <= all.count; k++) {
        Learned *learned = learned_first(lab->step, &all, k);
        const char *cell[WORDS], *found = "";
        int64_t count = 0;
        for (int w = 0; w < WORDS; w++) {
            size_t n;
            int *word = learned_encode(lab->step, learned, text[w], strlen(text[w]), &n);
            for (size_t i = 0; i < n; i++) count += word[i] == 255 + k ? times[w] : 0;
            cell[w] = pieces_text(lab->step, pieces_of_ids(lab->step, learned, word, n));
        }
        if (k > 0) found = arena_print(lab->step, "%lld", (long long)count);
        table_row(&table, "%d|%s|%s|%s|%s|%s|%s", k, last_token(lab->step, learned), found, cell[0],
                  cell[1], cell[2], cell[3]);
    }
    run_table(lab->run, &table);
}

// On a terminal with colours: the text in place, a merge each quarter of a second.
static void animate(const Lab *lab, const Learned *all, const char *text)
{
    enum { INDENT = 4 };
    const struct timespec pause = {.tv_nsec = 250000000};
    Console console = console_begin();
    int lines = 1 + (int)strlen(text) / (console.columns - INDENT) + 1;
    if (!console.colour || !isatty(STDOUT_FILENO) || lab->run->smoke ||
        lines >= terminal_size(STDOUT_FILENO).rows)
        return;
    for (int k = 0; k <= all->count && !run_interrupted(lab->run); k++) {
        Learned *learned = learned_first(lab->step, all, k);
        if (k > 0) printf("\033[%dA\033[J", lines);    // up, and clear what is below
        printf("  merge %d: %s\n", k, last_token(lab->step, learned));
        pieces_print(&console, lab->step, learned_pieces(lab->step, learned, text, strlen(text)),
                     INDENT);
        fflush(stdout);
        nanosleep(&pause, NULL);
    }
}

bool part_merges(void *context, Error *err)
{
    (void)err;
    static const char text[] = "sea shells she sells, she";
    const Lab *lab = context;
    show_paper(lab);
    Learned *all = learn(lab->step, text, sizeof text - 1, ROWS);
    run_print(lab->run, "A sentence of %zu bytes; a bar ends a token:", sizeof text - 1);
    animate(lab, all, text);
    Table table = table_new(lab->step, "merge|new token|tokens|text");
    for (int k = 0; k <= all->count; k++) {
        Learned *learned = learned_first(lab->step, all, k);
        Pieces pieces = learned_pieces(lab->step, learned, text, strlen(text));
        table_row(&table, "%d|%s|%zu|%s", k, last_token(lab->step, learned), pieces.count,
                  pieces_text(lab->step, pieces));
    }
    run_table(lab->run, &table);
    return true;
}
