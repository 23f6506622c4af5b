/* tokenize.c -- the tokenizer library as a program: `lab tokenize`.
 *
 *     tokenize encode gpt2/tokenizer.json story.txt        ids, a line for each text
 *     tokenize decode gpt2/tokenizer.json 15496 11         the text of ids, or of those on standard input
 *     tokenize count  gpt2/tokenizer.json *.txt            tokens, bytes for each token
 *     tokenize train  mine.json story.txt --vocabulary 4000
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/options.h"
#include "common/text.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

enum { STATUS_WRONG = 2 };

typedef struct Job {
    const char *text, *style, *eos;
    bool add_special, parse_special, lines, pieces;
    int vocabulary, minimum;
    const char **words;    // after the command
    int word_count;
} Job;

// ---- reading ----

static bool read_stream(FILE *stream, const char *name, Bytes *out, Error *err)
{
    size_t got;
    do {
        bytes_reserve(out, 1 << 16);
        got = fread(out->data + out->count, 1, out->room - out->count, stream);
        out->count += got;
    } while (got > 0);
    return !ferror(stream) || error_set(err, "%s: %s", name, strerror(errno));
}

// "-" is standard input.
static bool read_file(const char *path, Bytes *out, Error *err)
{
    if (strcmp(path, "-") == 0) return read_stream(stdin, "standard input", out, err);
    FileView view;
    if (!file_map(&view, path, err)) return false;
    bytes_add(out, view.bytes, view.size);
    file_unmap(view);
    return true;
}

static const char *word_or(const Job *job, int i, const char *otherwise)
{
    return i < job->word_count ? job->words[i] : otherwise;
}

// ---- encode ----

// As it can be shown: a space at either end is seen, and so are bytes that are no character.
static void print_piece(const char *piece, size_t bytes)
{
    size_t length;
    for (size_t at = 0; at < bytes; at += length) {
        unsigned char c = (unsigned char)piece[at];
        length = text_utf8_length(piece + at, bytes - at);
        if (length == 0 || c < 0x20 || c == 0x7f) printf("\\x%02x", c), length = 1;
        else if (c == ' ') fputs("\xe2\x90\xa3", stdout);    // U+2423, the open box
        else text_print(piece + at, length, stdout);
    }
    putchar('\n');
}

static bool encode_one(const Tokenizer *t, const Job *job, const void *text, size_t bytes,
                       Error *err)
{
    TokenIds ids = {0};
    EncodeOptions options = {.add_special = job->add_special, .parse_special = job->parse_special};
    bool good = tokenizer_encode(t, text, bytes, options, &ids, err);
    for (size_t i = 0; good && i < ids.count; i++) {
        size_t piece_bytes;
        const char *piece = tokenizer_piece(t, ids.ids[i], &piece_bytes);
        if (!job->pieces) printf("%s%d", i > 0 ? " " : "", ids.ids[i]);
        else {
            printf("%7d  ", ids.ids[i]);
            print_piece(piece, piece_bytes);
        }
    }
    if (good && !job->pieces) putchar('\n');
    free(ids.ids);
    return good;
}

// cJSON ends a text at the first byte 0: whether \u0000 is an escape, as it is not in \\u0000.
static bool escapes_zero(const char *json)
{
    for (; (json = strchr(json, '\\')) != NULL; json += 2)
        if (strncmp(json, "\\u0000", 6) == 0) return true;
    return false;
}

static bool encode_line(const Tokenizer *t, const Job *job, char *line, size_t bytes, int number,
                        Error *err)
{
    char where[32];
    snprintf(where, sizeof where, "line %d", number);
    cJSON *tree = strlen(line) == bytes ? json_parse(line, bytes, where, err) : NULL;
    const char *text = cJSON_GetStringValue(tree);
    bool good = false;
    if (text == NULL) error_set(err, "%s is not a JSON text", where);
    else if (escapes_zero(line))
        error_set(err, "%s holds \\u0000, encode such a text as a file", where);
    else good = encode_one(t, job, text, strlen(text), err) || error_wrap(err, "%s", where);
    cJSON_Delete(tree);
    return good;
}

// Each line of the input is a JSON text.
static bool encode_lines(const Tokenizer *t, const Job *job, Bytes *input, Error *err)
{
    bytes_add(input, "", 1);    // a zero behind the last line
    bool good = true;
    int number = 1;
    for (size_t at = 0, end; good && at + 1 < input->count; at = end + 1, number++) {
        uint8_t *stop = memchr(input->data + at, '\n', input->count - at);
        end = stop ? (size_t)(stop - input->data) : input->count - 1;
        input->data[end] = '\0';
        good = encode_line(t, job, (char *)input->data + at, end - at, number, err);
    }
    return good;
}

static bool run_encode(const Tokenizer *t, const Job *job, Error *err)
{
    const int most = job->text != NULL ? 1 : 2;
    if (job->word_count > most)
        return error_set(err, "encode takes one text, and '%s' is another", job->words[most]);
    if (job->text != NULL) return encode_one(t, job, job->text, strlen(job->text), err);
    Bytes input = {0};
    bool good = read_file(word_or(job, 1, "-"), &input, err) &&
                (job->lines ? encode_lines(t, job, &input, err)
                            : encode_one(t, job, input.data, input.count, err));
    free(input.data);
    return good;
}

// ---- decode ----

static bool read_ids(const Tokenizer *t, const char *text, TokenIds *ids, Error *err)
{
    for (const char *at = text; *(at += strspn(at, " ,[]\t\r\n")) != '\0';) {
        char *end;
        errno = 0;
        long id = strtol(at, &end, 10);
        if (end == at || errno != 0 || id < 0 || id >= tokenizer_size(t))
            return error_set(err, "'%.20s' is not a token id, expected a number below %d", at,
                             tokenizer_size(t));
        ids_add(ids, (int)id);
        at = end;
    }
    return true;
}

static bool run_decode(const Tokenizer *t, const Job *job, Error *err)
{
    TokenIds ids = {0};
    bool good = true;
    for (int i = 1; good && i < job->word_count; i++) good = read_ids(t, job->words[i], &ids, err);
    if (job->word_count == 1) {
        Bytes input = {0};
        good = read_stream(stdin, "standard input", &input, err);
        if (good && input.count > 0 && memchr(input.data, '\0', input.count) != NULL)
            good = error_set(err, "standard input: holds a byte 0, expected token ids");
        bytes_add(&input, "", 1);
        good = good && read_ids(t, (const char *)input.data, &ids, err);
        free(input.data);
    }
    if (good) {
        size_t bytes;
        DecodeOptions options = {.skip_special = !job->add_special};
        char *text = tokenizer_decode(t, ids.ids, ids.count, options, &bytes);
        fwrite(text, 1, bytes, stdout);
        free(text);
    }
    free(ids.ids);
    return good;
}

// ---- count ----

static size_t count_characters(const Bytes *text)
{
    size_t count = 0;
    for (size_t at = 0, length; at < text->count; at += length, count++)
        code_point_at(text->data + at, text->count - at, &length);
    return count;
}

static bool count_one(const Tokenizer *t, const Job *job, const char *path, Error *err)
{
    Bytes input = {0};
    TokenIds ids = {0};
    EncodeOptions options = {.add_special = job->add_special, .parse_special = job->parse_special};
    bool good = read_file(path, &input, err) &&
                (tokenizer_encode(t, (const char *)input.data, input.count, options, &ids, err) ||
                 error_wrap(err, "%s", path));
    if (good) {
        size_t characters = count_characters(&input);
        double tokens = ids.count > 0 ? (double)ids.count : 1;
        printf("%10zu tokens %10zu characters %10zu bytes  %.2f bytes/token  %s\n", ids.count,
               characters, input.count, (double)input.count / tokens, path);
    }
    free(input.data);
    free(ids.ids);
    return good;
}

static bool run_count(const Tokenizer *t, const Job *job, Error *err)
{
    if (job->word_count == 1) return count_one(t, job, "-", err);
    for (int i = 1; i < job->word_count; i++)
        if (!count_one(t, job, job->words[i], err)) return false;
    return true;
}

// ---- train ----

static void on_merge(void *context, int id, const char *piece, size_t bytes, uint64_t times)
{
    printf("%6d  %10" PRIu64 "  ", id, times);
    print_piece(piece, bytes);
    (void)context;
}

// What TOKENIZER names is made of the files.
static bool run_train(const Job *job, Error *err)
{
    Bytes text = {0};
    TokenizerTraining how = {.vocabulary = job->vocabulary,
                             .minimum = job->minimum,
                             .style = job->style,
                             .special = &job->eos,
                             .special_count = job->eos != NULL && job->eos[0] != '\0',
                             .on_merge = job->pieces ? on_merge : NULL};
    bool good = true;
    if (job->word_count == 1) good = read_file("-", &text, err);
    for (int i = 1; good && i < job->word_count; i++) good = read_file(job->words[i], &text, err);
    Tokenizer *t = good ? tokenizer_train((const char *)text.data, text.count, how, err) : NULL;
    free(text.data);
    if (t == NULL) return false;
    good = tokenizer_save(t, job->words[0], err);
    if (good) printf("%s: %d tokens, %s\n", job->words[0], tokenizer_size(t), tokenizer_about(t));
    tokenizer_close(t);
    return good;
}

// ---- the command line ----

typedef bool Run(const Tokenizer *t, const Job *job, Error *err);

static const struct {
    const char *name;
    Run *run;    // NULL: train, which makes the tokenizer
} commands[] = {
    {"encode", run_encode}, {"decode", run_decode}, {"count", run_count}, {"train", NULL}};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int wrong(const char *word)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
    const char *near = word ? nearest(word, names, COMMANDS) : NULL;
    if (word == NULL) error_print("no command was given; there are encode, decode, count, train");
    else if (near) error_print("no command '%s'; did you mean '%s'?", word, near);
    else error_print("no command '%s'; there are encode, decode, count, train", word);
    return STATUS_WRONG;
}

static bool run(Run *command, const Job *job, Error *err)
{
    if (command == NULL) return run_train(job, err);
    Tokenizer *t = tokenizer_open(job->words[0], err);
    if (t != NULL && command != run_decode && tokenizer_ignores(t) != NULL)
        error_print("%s: encoded without its %s", job->words[0], tokenizer_ignores(t));
    bool good = t != NULL && command(t, job, err);
    tokenizer_close(t);
    return good;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("tokenize", 1u << 20);
    Job job = {.style = "gpt2", .eos = "<|endoftext|>", .vocabulary = 32000, .minimum = 2};
    Options *options = options_new(keep, "tokenize", "Text to token ids and back.");
    int status, count;
    const char **words;
    Error err;
    options_rest(options, &words, &count, "COMMAND TOKENIZER [FILE...]");
    options_group(options, "encode, decode, count");
    options_string(options, "text", 't', &job.text, "TEXT", "encode: this, instead of a file");
    options_flag(options, "special", 's', &job.add_special,
                 "encode: with BOS and EOS where the model wants them; decode: show them");
    options_flag(options, "parse-special", 'p', &job.parse_special,
                 "the text may hold special tokens: <|endoftext|> is one id");
    options_flag(options, "lines", 'l', &job.lines,
                 "encode: each line of the input is a JSON text");
    options_flag(options, "pieces", 0, &job.pieces, "encode: a line for each token, with its text");
    options_group(options, "train");
    options_int(options, "vocabulary", 'n', &job.vocabulary, 256, 1 << 24, "how many tokens");
    options_int(options, "minimum", 0, &job.minimum, 1, 1 << 30,
                "pairs that are rarer are not merged");
    options_choice(options, "style", 0, &job.style, "gpt2|llama3|qwen2|qwen3.5|smollm",
                   "whose split pattern");
    options_string(options, "eos", 0, &job.eos, "NAME", "the special token, id 0; '' for none");
    if (!options_parse(options, argc, argv, &status)) return status;
    int command = 0;
    while (count > 0 && command < COMMANDS && strcmp(words[0], commands[command].name) != 0)
        command++;
    if (count == 0 || command == COMMANDS) return wrong(count > 0 ? words[0] : NULL);
    job.words = words + 1;
    job.word_count = count - 1;
    if (job.word_count == 0)
        return error_print("%s: no tokenizer was given", words[0]), STATUS_WRONG;
    bool good = run(commands[command].run, &job, &err);
    status = good ? 0 : error_report(&err);
    arena_free(keep);
    return status;
}
