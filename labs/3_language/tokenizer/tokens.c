/* A text in the colours of its tokens, by tokenizers of every size. */
#include "labs/3_language/tokenizer/story.h"

static void show(const Lab *lab, const char *name, Pieces pieces, size_t bytes)
{
    const char *title = arena_print(lab->step, "%s: %zu tokens, %.2f bytes per token", name,
                                    pieces.count, (double)bytes / (double)pieces.count);
    Console console = console_begin();
    if (console.colour) {
        printf("  %s\n", title);
        pieces_print(&console, lab->step, pieces, 4);
        report_text(lab->run->report, title);
        report_text(lab->run->report, pieces_text(lab->step, pieces));
        return;
    }
    run_print(lab->run, "%s", title);
    run_print(lab->run, "%s", pieces_text(lab->step, pieces));
}

static bool show_all(const Lab *lab, const char *text, size_t bytes, Error *err)
{
    const Text *english = &lab->texts[ENGLISH];
    Learned *learned = learn(lab->step, english->bytes, english->size, lab->merges);
    show(lab, "Bytes", pieces_of_bytes(lab->step, text, bytes), bytes);
    show(lab, "Characters", pieces_of_characters(lab->step, text, bytes), bytes);
    show(lab, arena_print(lab->step, "%d merges learned from %s", learned->count, english->name),
         learned_pieces(lab->step, learned, text, bytes), bytes);
    if (lab->given == NULL) return true;
    Pieces pieces;
    if (!pieces_of_given(lab->step, lab->given, text, bytes, &pieces, err)) return false;
    show(lab, arena_print(lab->step, "%s, %s", lab->name, tokenizer_about(lab->given)), pieces,
         bytes);
    return true;
}

// The same text from a user and from the program.
static void show_special(const Lab *lab)
{
    static const char text[] = "of the<|endoftext|>of";
    const Text *english = &lab->texts[ENGLISH];
    Learned *learned = learn(lab->step, english->bytes, english->size, lab->merges);
    const BpeSpecial end = {"<|endoftext|>", 256 + learned->count};
    BpeTokenizer tokenizer = {&learned->ranks, bpe_class, &end, 1};
    for (int special = 0; special < 2; special++) {
        int ids[sizeof text];
        size_t n = bpe_tokenize(ids, &tokenizer, text, sizeof text - 1, special);
        const char *list = "";
        for (size_t i = 0; i < n; i++) list = arena_print(lab->step, "%s %d", list, ids[i]);
        run_print(lab->run, "\"%s\" %s:%s", text,
                  special ? "with special tokens" : "as a user typed it", list);
    }
}

bool part_tokens(void *context, Error *err)
{
    static const char text[] = "The lowest of the newest rights: it's 2024, isn't it? "
                               "\u4eba\u4eba\u751f\u800c\u81ea\u7531 na\u00efve \U0001f642";
    show_special(context);
    return show_all(context, text, sizeof text - 1, err);
}

bool part_own(void *context, Error *err)
{
    enum { MOST = 20000 };
    const Lab *lab = context;
    size_t bytes = lab->own.size < MOST ? lab->own.size : MOST;
    if (bytes < lab->own.size)
        run_print(lab->run, "The first %d of %zu bytes of %s:", MOST, lab->own.size, lab->own.name);
    return show_all(lab, lab->own.bytes, bytes, err);
}
