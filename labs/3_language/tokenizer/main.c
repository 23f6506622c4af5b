/* main.c -- a tokenizer learned from text: bytes, merges, and what a token costs in each language. */
#include <unistd.h>
#include "datasets/root.h"
#include "labs/3_language/tokenizer/story.h"

static const Part parts[] = {
    {"bytes", "UTF-8 and bytes", part_bytes,
     .notices =
         {{"bytes",
           "a character takes one to four bytes; what is no character is one U+FFFD for each "
           "maximal subpart"}}},
    {"merges", "Byte-pair encoding, merge by merge", part_merges,
     .notices = {{"merges", "\"est\" and \"low\" become tokens by counts alone"}}},
    {"training", "Vocabulary size and compression", part_training,
     .notices = {{"vocabulary",
                  "the curves part where the tokens are whole words of the training set: the "
                  "vocabulary overfits"},
                 {"bits per byte",
                  "a larger vocabulary has more bits per token, and fewer per byte: "
                  "losses per token cannot be compared across tokenizers"}}},
    {"zipf", "Frequencies of tokens", part_zipf,
     .notices = {{"zipf", "words follow Zipf's law, count ~ 1 / rank; merging the most frequent "
                          "pairs takes the top off, and few tokens occur only once"}}},
    {"tokens", "A text by its tokens", part_tokens,
     .notices = {{"tokens", "where a text is unlike the training set, tokens are bytes"}}},
    {"languages", "Bytes per token by language", part_languages,
     .notices = {{"languages", "a Chinese character is three bytes; who pays by the token pays for "
                               "the training set of the tokenizer"}}},
    {"own", "Your text by its tokens", part_own, .unlisted = true},
};

// Texts that come with the lab.
static bool read_texts(Lab *lab, Arena *keep, const char *train, Error *err)
{
    enum { SMALLEST = 1000 };    // bytes
    static const struct {
        const char *name, *path;
    } files[TEXTS] = {{"English", "labs/3_language/tokenizer/texts/english.txt"},
                      {"Chinese", "labs/3_language/tokenizer/texts/chinese.txt"},
                      {"code", "labs/3_language/tokenizer/texts/code.txt"}};
    for (int t = 0; t < TEXTS; t++) {
        const char *path = arena_print(keep, "%s/%s", root_dir(), files[t].path);
        bool own = t == ENGLISH && train != NULL;
        if (!text_read(keep, &lab->texts[t], own ? train : path, err)) return false;
        if (own && lab->texts[t].size < SMALLEST)
            return error_set(err, "%s: it has %zu bytes; a tokenizer needs %d to learn from", train,
                             lab->texts[t].size, SMALLEST);
        if (!own) lab->texts[t].name = files[t].name;
    }
    return true;
}

// The vocabulary that was asked for; else GPT-2's, where --data has it.
static bool open_given(Lab *lab, Arena *keep, const char *path, Error *err)
{
    lab->name = path;
    if (path == NULL && lab->run->data != NULL) {
        lab->name = "GPT-2";
        path = arena_print(keep, "%s/gpt2-bpe/merges.txt", lab->run->data);
        if (access(path, F_OK) != 0) return true;
    }
    return path == NULL || (lab->given = tokenizer_open(path, err)) != NULL;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)4 << 30);
    Lab lab = {.step = step, .merges = 768};
    const char *train = NULL, *text = NULL, *file = NULL, *vocabulary = NULL;
    Options *options = options_new(keep, "tokenizer",
                                   "Learns a vocabulary by byte-pair encoding and shows what a "
                                   "token costs.");
    options_group(options, "This lab");
    options_int(options, "merges", 'm', &lab.merges, 1, 100000, "merges to learn from a text");
    options_string(options, "train", 0, &train, "FILE",
                   "a text to learn from, in place of English");
    options_string(options, "text", 't', &text, "STRING", "only colour this text by its tokens");
    options_string(options, "file", 'f', &file, "FILE", "only colour this file by its tokens");
    options_string(options, "vocabulary", 0, &vocabulary, "FILE",
                   "a tokenizer to compare with: tokenizer.json, GGUF, merges.txt");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/3_language/tokenizer/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "merges")) lab.merges = 120;
    if (text != NULL && (*text == '\0' || file != NULL)) {
        error_print("--text %s: expected a text, and no --file with it", text);
        return 2;
    }
    Error err = {""};
    if (!read_texts(&lab, keep, train, &err) ||
        (file != NULL && !text_read(keep, &lab.own, file, &err)) ||
        !open_given(&lab, keep, vocabulary, &err))
        return run_fail(lab.run, &err);
    if (text != NULL) lab.own = (Text){"text", text, strlen(text), 0};
    if (lab.own.bytes != NULL) story_only(&story, "own");
    status = story_run(&story, &lab);
    tokenizer_close(lab.given);
    return status;
}
