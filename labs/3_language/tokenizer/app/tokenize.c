/* tokenize.c -- the tokenizer library as a program.
 *
 *     tokenize encode gpt2/tokenizer.json story.txt        ids, a line for each text
 *     tokenize decode gpt2/tokenizer.json 15496 11         the text of ids, or of those on standard input
 *     tokenize count  gpt2/tokenizer.json *.txt            tokens, bytes for each token
 *     tokenize train  mine.json story.txt --vocabulary 4000
 */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/file.h"
#include "common/nearest.h"
#include "common/options.h"
#include "common/text.h"
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

enum { STATUS_WRONG = 2 };

typedef struct Job {
    const char *text, *style, *special;
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
            for (size_t b = 0; b < piece_bytes; b++) {
                unsigned char c = (unsigned char)piece[b];
                bool plain = c >= 0x80 ? text_utf8_length(piece, piece_bytes) > 0 : isprint(c);
                printf(plain ? "%c" : "\\x%02x", c);
            }
            putchar('\n');
        }
    }
    if (good && !job->pieces) putchar('\n');
    free(ids.ids);
    return good;
}

// Each line of the input is a JSON text.
static bool encode_lines(const Tokenizer *t, const Job *job, const Bytes *input, Error *err)
{
    int number = 1;
    for (size_t at = 0, end; at < input->count; at = end + 1, number++) {
        const uint8_t *stop = memchr(input->data + at, '\n', input->count - at);
        end = stop ? (size_t)(stop - input->data) : input->count;
        char *line = strndup((const char *)input->data + at, end - at);
        cJSON *tree = line ? cJSON_Parse(line) : NULL;
        const char *text = cJSON_GetStringValue(tree);
        bool good = text != NULL ? encode_one(t, job, text, strlen(text), err)
                                 : error_set(err, "line %d is not a JSON text", number);
        cJSON_Delete(tree);
        free(line);
        if (!good) return false;
    }
    return true;
}

static bool run_encode(const Tokenizer *t, const Job *job, Error *err)
{
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
            return error_set(err, "'%.20s' is no token id, expected a number below %d", at,
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

// ---- the command line ----

typedef bool Run(const Tokenizer *t, const Job *job, Error *err);

static const struct {
    const char *name;
    Run *run;
} commands[] = {{"encode", run_encode}, {"decode", run_decode}, {"count", run_count}};
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

int main(int argc, char **argv)
{
    Arena *keep = arena_new("tokenize", 1u << 20);
    Job job = {.style = "gpt2", .vocabulary = 32000, .minimum = 2};
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
    if (!options_parse(options, argc, argv, &status)) return status;
    int command = 0;
    while (count > 0 && command < COMMANDS && strcmp(words[0], commands[command].name) != 0)
        command++;
    if (count == 0 || command == COMMANDS) return wrong(count > 0 ? words[0] : NULL);
    job.words = words + 1;
    job.word_count = count - 1;
    if (job.word_count == 0)
        return error_print("%s: no tokenizer was given", words[0]), STATUS_WRONG;
    Tokenizer *t = tokenizer_open(job.words[0], &err);
    if (t == NULL) return error_report(&err);
    status = commands[command].run(t, &job, &err) ? 0 : error_report(&err);
    tokenizer_close(t);
    arena_free(keep);
    return status;
}
