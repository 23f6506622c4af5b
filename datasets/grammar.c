#include "datasets/grammar.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/error.h"
#include "common/rng.h"

enum { SYMBOLS_MAX = 64, VARIABLES_MAX = 8, DEPTH_MAX = 8, HYPOTHESES_MAX = 4096, UNBOUND = 255 };

// Some text, or a symbol in its place.
typedef struct Piece {
    const char *text;
    size_t length;
    int symbol, form;    // symbol -1: it is text
} Piece;

typedef struct Sequence {
    Piece *pieces;
    int count;
} Sequence;

typedef struct Symbol {
    const char *name;
    int variable;    // which; -1: it is none
    int count, forms;
    Sequence *alternatives;    // [count,forms]
} Symbol;

struct Grammar {
    int count, variables;
    Symbol symbols[SYMBOLS_MAX];
};

static const Sequence *form_of(const Symbol *symbol, int alternative, int form)
{
    return &symbol->alternatives[alternative * symbol->forms + form];
}

// ---- from the rules ----

static int symbol_named(const Grammar *grammar, const char *name, size_t length)
{
    for (int s = 0; s < grammar->count; s++)
        if (strncmp(grammar->symbols[s].name, name, length) == 0 &&
            grammar->symbols[s].name[length] == '\0')
            return s;
    require_failed(__FILE__, __LINE__, __func__, "there is no rule for {%.*s}", (int)length, name);
}

// Pieces of what stands before `end`, '{', or both.
static Sequence parse_sequence(Arena *keep, const Grammar *grammar, const char *text,
                               const char *end)
{
    Sequence sequence = {.pieces = arena_alloc(keep, sizeof(Piece) * (size_t)(end - text + 1))};
    while (text < end) {
        Piece *piece = &sequence.pieces[sequence.count++];
        if (*text != '{') {
            *piece = (Piece){.text = text, .symbol = -1};
            while (text < end && *text != '{') text++;
            piece->length = (size_t)(text - piece->text);
            continue;
        }
        size_t length = strcspn(++text, ".}");
        *piece = (Piece){.symbol = symbol_named(grammar, text, length)};
        text += length;
        if (*text == '.') piece->form = (int)strtol(text + 1, (char **)&text, 10);
        REQUIRE(*text == '}' && text < end, "a brace does not close before '%s'", text);
        text++;
    }
    return sequence;
}

static int count_of(const char *text, const char *end, char c)
{
    int count = 0;
    for (; text < end; text++) count += *text == c;
    return count;
}

static void parse_rule(Arena *keep, const Grammar *grammar, Symbol *symbol, const char *text)
{
    const char *end = text + strlen(text);
    symbol->count = count_of(text, end, '|') + 1;
    symbol->forms = count_of(text, text + strcspn(text, "|"), '/') + 1;
    symbol->alternatives =
        arena_alloc(keep, sizeof(Sequence) * (size_t)(symbol->count * symbol->forms));
    for (int i = 0; i < symbol->count * symbol->forms; i++) {
        size_t length = strcspn(text, "/|");
        symbol->alternatives[i] = parse_sequence(keep, grammar, text, text + length);
        char follows = text[length], expected = (i + 1) % symbol->forms != 0 ? '/' : '|';
        if (i + 1 == symbol->count * symbol->forms) expected = '\0';
        REQUIRE(follows == expected, "%s: expected %d forms of each alternative", symbol->name,
                symbol->forms);
        text += length + 1;
    }
}

Grammar *grammar_new(Arena *keep, const GrammarRule *rules)
{
    Grammar *grammar = arena_zeros(keep, sizeof *grammar);
    for (; rules[grammar->count].symbol != NULL; grammar->count++) {
        REQUIRE(grammar->count < SYMBOLS_MAX, "more than %d rules", SYMBOLS_MAX);
        const char *name = rules[grammar->count].symbol;
        int variable = name[0] == '$' ? grammar->variables++ : -1;
        grammar->symbols[grammar->count] = (Symbol){.name = name, .variable = variable};
    }
    REQUIRE(grammar->variables <= VARIABLES_MAX, "more than %d variables", VARIABLES_MAX);
    for (int s = 0; s < grammar->count; s++)
        parse_rule(keep, grammar, &grammar->symbols[s], rules[s].alternatives);
    grammar_rates(grammar);
    return grammar;
}

// ---- the rates ----

typedef struct Sum {
    double bits, characters, words;
} Sum;

static Sum sum_of_text(const char *text, size_t length)
{
    int words = count_of(text, text + length, ' ') + count_of(text, text + length, '\n');
    return (Sum){0, (double)length, words};
}

static void add(Sum *to, Sum sum, double times)
{
    to->bits += times * sum.bits;
    to->characters += times * sum.characters;
    to->words += times * sum.words;
}

// What a sequence is expected to add to a line in which the variables of `bound` were drawn already.
static Sum expected(const Grammar *grammar, const Sequence *sequence, unsigned *bound)
{
    Sum total = {0};
    for (int i = 0; i < sequence->count; i++) {
        const Piece *piece = &sequence->pieces[i];
        if (piece->symbol < 0) {
            add(&total, sum_of_text(piece->text, piece->length), 1);
            continue;
        }
        const Symbol *symbol = &grammar->symbols[piece->symbol];
        bool drawn = symbol->variable >= 0 && (*bound & 1u << symbol->variable) != 0;
        if (!drawn) total.bits += log2(symbol->count);
        if (symbol->variable >= 0) *bound |= 1u << symbol->variable;
        REQUIRE(piece->form < symbol->forms, "{%s.%d}: it has %d forms", symbol->name, piece->form,
                symbol->forms);
        unsigned after = 0;
        for (int a = 0; a < symbol->count; a++) {
            unsigned then = *bound;
            add(&total, expected(grammar, form_of(symbol, a, piece->form), &then),
                1.0 / symbol->count);
            REQUIRE(a == 0 || then == after, "%s: its alternatives draw different variables",
                    symbol->name);
            after = then;
        }
        *bound = after;
    }
    return total;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Different words of the rules; a word is letters.
static int vocabulary(const Grammar *grammar)
{
    Arena *arena = arena_new("vocabulary", 4u << 20);
    char **words = arena_alloc(arena, sizeof *words * 65536);
    int count = 0, different = 0;
    for (int s = 0; s < grammar->count; s++) {
        const Symbol *symbol = &grammar->symbols[s];
        for (int i = 0; i < symbol->count * symbol->forms; i++)
            for (int p = 0; p < symbol->alternatives[i].count; p++) {
                const Piece *piece = &symbol->alternatives[i].pieces[p];
                for (size_t at = 0; at < piece->length;) {
                    size_t length = 0;
                    while (at + length < piece->length &&
                           isalpha((unsigned char)piece->text[at + length]))
                        length++;
                    if (length > 0 && count < 65536)
                        words[count++] = arena_print(arena, "%.*s", (int)length, piece->text + at);
                    at += length + 1;
                }
            }
    }
    qsort(words, (size_t)count, sizeof *words, by_text);
    for (int i = 0; i < count; i++) different += i == 0 || strcmp(words[i], words[i - 1]) != 0;
    arena_free(arena);
    return different;
}

GrammarRates grammar_rates(const Grammar *grammar)
{
    Piece start = {.symbol = 0};
    unsigned bound = 0;
    Sum sum = expected(grammar, &(Sequence){&start, 1}, &bound);
    return (GrammarRates){.bits = sum.bits,
                          .characters = sum.characters,
                          .words = sum.words,
                          .bits_per_character = sum.bits / sum.characters,
                          .bits_per_word = sum.bits / sum.words,
                          .vocabulary = vocabulary(grammar)};
}

// ---- lines ----

typedef struct Line {
    const Grammar *grammar;
    char *text;
    size_t length;
    double bits;
    Rng rng;
    int drawn[VARIABLES_MAX];    // the alternative of a variable, -1: none yet
} Line;

static void append(Line *line, const Sequence *sequence)
{
    for (int i = 0; i < sequence->count; i++) {
        const Piece *piece = &sequence->pieces[i];
        if (piece->symbol < 0) {
            REQUIRE(line->length + piece->length <= GRAMMAR_LINE_MAX,
                    "a line is longer than %d bytes", GRAMMAR_LINE_MAX);
            memcpy(line->text + line->length, piece->text, piece->length);
            line->length += piece->length;
            continue;
        }
        const Symbol *symbol = &line->grammar->symbols[piece->symbol];
        int none = -1, *drawn = symbol->variable >= 0 ? &line->drawn[symbol->variable] : &none;
        if (*drawn < 0) {
            *drawn = (int)rng_below(&line->rng, (uint32_t)symbol->count);
            line->bits += log2(symbol->count);
        }
        append(line, form_of(symbol, *drawn, piece->form));
    }
}

size_t grammar_line(const Grammar *grammar, char text[GRAMMAR_LINE_MAX], uint64_t seed,
                    uint64_t index, double *bits)
{
    Line line = {.grammar = grammar, .text = text, .rng = rng_stream(seed, index)};
    for (int v = 0; v < VARIABLES_MAX; v++) line.drawn[v] = -1;
    Piece start = {.symbol = 0};
    append(&line, &(Sequence){&start, 1});
    if (bits != NULL) *bits = line.bits;
    return line.length;
}

char *grammar_text(Arena *arena, const Grammar *grammar, uint64_t seed, uint64_t first,
                   size_t bytes, size_t *length)
{
    char *text = arena_alloc(arena, bytes + GRAMMAR_LINE_MAX + 1);
    for (*length = 0; *length < bytes; first++)
        *length += grammar_line(grammar, text + *length, seed, first, NULL);
    text[*length] = '\0';
    return text;
}

// ---- the reader ----

// A derivation of what was read, up to the text that comes next.
typedef struct Hypothesis {
    double weight;    // its probability; all of them sum to 1
    const char *text;
    size_t left;
    int depth;
    struct {
        const Piece *next, *end;
    } stack[DEPTH_MAX];
    uint8_t drawn[VARIABLES_MAX];
} Hypothesis;

struct GrammarReader {
    const Grammar *grammar;
    int count;
    Hypothesis *list;
};

// Adds the hypothesis, or those that it splits into, with text to come.
static void settle(GrammarReader *reader, Hypothesis at)
{
    static const Piece start = {.symbol = 0};
    while (at.left == 0) {
        while (at.depth > 0 && at.stack[at.depth - 1].next == at.stack[at.depth - 1].end)
            at.depth--;
        const Piece *piece = &start;
        if (at.depth > 0) piece = at.stack[at.depth - 1].next++;
        else memset(at.drawn, UNBOUND, sizeof at.drawn);    // the next line
        if (piece->symbol < 0) {
            at.text = piece->text;
            at.left = piece->length;
            continue;
        }
        const Symbol *symbol = &reader->grammar->symbols[piece->symbol];
        uint8_t none = UNBOUND;
        uint8_t *drawn = symbol->variable >= 0 ? &at.drawn[symbol->variable] : &none;
        bool bound = *drawn != UNBOUND;
        int first = bound ? *drawn : 0, last = bound ? first : symbol->count - 1;
        if (!bound) at.weight /= symbol->count;
        REQUIRE(at.depth < DEPTH_MAX, "symbols stand in each other %d deep", DEPTH_MAX);
        at.depth++;
        for (int a = first; a <= last; a++) {
            const Sequence *form = form_of(symbol, a, piece->form);
            at.stack[at.depth - 1].next = form->pieces;
            at.stack[at.depth - 1].end = form->pieces + form->count;
            *drawn = (uint8_t)a;
            settle(reader, at);
        }
        return;
    }
    REQUIRE(reader->count < HYPOTHESES_MAX, "more than %d derivations", HYPOTHESES_MAX);
    reader->list[reader->count++] = at;
}

void grammar_reader_restart(GrammarReader *reader)
{
    reader->count = 0;
    settle(reader, (Hypothesis){.weight = 1});
}

GrammarReader *grammar_reader_new(Arena *keep, const Grammar *grammar)
{
    GrammarReader *reader = arena_alloc(keep, sizeof *reader);
    *reader = (GrammarReader){
        .grammar = grammar,
        .list = arena_alloc(keep, sizeof *reader->list * 2 * HYPOTHESES_MAX),
    };
    grammar_reader_restart(reader);
    return reader;
}

void grammar_reader_expect(const GrammarReader *reader, double p[256])
{
    memset(p, 0, 256 * sizeof *p);
    for (int h = 0; h < reader->count; h++)
        p[(unsigned char)reader->list[h].text[0]] += reader->list[h].weight;
}

double grammar_read(GrammarReader *reader, char c)
{
    double p = 0;
    int kept = 0;
    Hypothesis *before = reader->list + HYPOTHESES_MAX;
    for (int h = 0; h < reader->count; h++)
        if (reader->list[h].text[0] == c) p += (before[kept++] = reader->list[h]).weight;
    reader->count = 0;
    for (int h = 0; h < kept; h++) {
        Hypothesis next = before[h];
        next.weight /= p;
        next.text++;
        next.left--;
        settle(reader, next);
    }
    return p;
}

int grammar_reader_derivations(const GrammarReader *reader)
{
    return reader->count;
}
