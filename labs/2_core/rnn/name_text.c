#include <math.h>
#include <string.h>
#include "datasets/first_names.h"
#include "labs/2_core/rnn/names.h"

enum { GENERATED = 4000, EACH = 1200 };    // names in all; of a country at most

// Four languages that no one speaks: open syllables; double letters; consonants at both ends; syllables of one kind. The first
// character of a line is its language.
static const GrammarRule invented[] = {
    {"line", "0{lira}\n|1{kett}\n|2{grun}\n|3{saku}\n"},
    {"lira", "{l_on}{l_v}{l_mid}{l_end}|{l_on}{l_v}{l_end}|{l_cap}{l_mid}{l_end}"},
    {"l_on", "B|C|D|F|G|L|M|N|P|R|S|T|V|Br|Gi|Chi"},
    {"l_v", "a|e|i|o|u"},
    {"l_cap", "A|E|I|O|U"},
    {"l_mid", "na|re|li|sti|vo|cci|ndra|rto"},
    {"l_end", "lla|tto|no|na|ria|lio|ssa|zio"},
    {"kett", "{k_on}{k_v}{k_mid}{k_end}|{k_on}{k_v}{k_mid}{k_v}{k_end}"},
    {"k_on", "K|T|P|H|J|V|L|M|S|R|A|E"},
    {"k_v", "aa|ii|uu|ee|o|i|u"},
    {"k_mid", "kk|tt|pp|ll|nn|rv|lm|ht"},
    {"k_end", "i|o|a|u|inen|ri|mo"},
    {"grun", "{g_on}{g_v}{g_mid}{g_end}"},
    {"g_on", "Gr|Fr|Br|Kl|St|W|H|L|R|Th|Kn|Schw"},
    {"g_v", "u|i|e|a|ei|au"},
    {"g_mid", "n|r|l|d|nd|rm|st"},
    {"g_end", "wald|hild|bert|mund|win|trud|gard|helm|fried"},
    {"saku", "{s_on}{s_s}|{s_on}{s_s}{s_s}|{s_on}{s_s}{s_end}"},
    {"s_on", "Ka|Ki|Ku|Sa|Shi|Su|Ta|Na|Mi|Mo|Ha|Yu|Ri"},
    {"s_s", "ka|ko|sa|shi|ta|to|na|no|mi|mo|ro|ya|ri"},
    {"s_end", "ko|ro|ki|chi|n"},
    {NULL, NULL},
};

// Countries of the dictionary that have a thousand names of their own and a spelling that shows it.
static const char *const countries[LANGUAGES] = {"Italy",  "Netherlands", "Iceland", "Turkey",
                                                 "Arabia", "China",       "India",   "Japan"};

static void generate(Names *names, Arena *keep, uint64_t seed)
{
    static const char *const called[] = {"Lirano", "Kettu", "Grunmund", "Sakuri"};
    names->origin = "four invented languages";
    names->grammar = grammar_new(keep, invented);
    names->languages = 4;
    memcpy(names->language, called, sizeof called);
    for (int i = 0; i < GENERATED; i++) {
        char line[GRAMMAR_LINE_MAX];
        const int bytes = (int)grammar_line(names->grammar, line, seed, (uint64_t)i, NULL);
        names->text[i] =
            arena_print(keep, "%.*s", bytes - 2, line + 1);    // without language and newline
        names->of[i] = line[0] - '0';
    }
    names->count = GENERATED;
}

// The names of the chosen countries, at most EACH of one, drawn at random.
static bool read(Names *names, Arena *keep, const char *path, Rng *rng, Error *err)
{
    FirstNames all;
    if (!first_names_load(&all, keep, path, err)) return false;
    names->origin = "first names of one country each, in Latin letters";
    names->languages = LANGUAGES;
    memcpy(names->language, countries, sizeof countries);
    for (int l = 0; l < LANGUAGES; l++) {
        int left = EACH, open = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < all.count; i++) {
                if (strcmp(first_names_countries[all.country[i]], countries[l]) != 0 ||
                    strlen(all.text[i]) > NAME_LONGEST || all.text[i][0] == '\0')
                    continue;
                if (pass == 0) open++;
                else if ((int)rng_below(rng, (uint32_t)open--) < left) {
                    names->text[names->count] = all.text[i];
                    names->of[names->count++] = l;
                    left--;
                }
            }
        if (left == EACH)
            return error_set(err, "%s: holds no names that are of %s alone", path, countries[l]);
    }
    return true;
}

bool names_load(Names *names, Arena *keep, const char *path, uint64_t seed, Error *err)
{
    enum { MOST = GENERATED > LANGUAGES * EACH ? GENERATED : LANGUAGES * EACH };
    Rng rng = rng_stream(seed, 34);
    *names = (Names){.text = arena_zeros(keep, sizeof *names->text * MOST),
                     .of = arena_zeros(keep, sizeof *names->of * MOST)};
    if (path == NULL) generate(names, keep, seed);
    else if (!read(names, keep, path, &rng, err)) return false;
    for (int i = names->count - 1; i > 0; i--) {    // Fisher and Yates
        const int j = (int)rng_below(&rng, (uint32_t)i + 1), of = names->of[i];
        const char *text = names->text[i];
        names->text[i] = names->text[j], names->of[i] = names->of[j];
        names->text[j] = text, names->of[j] = of;
    }
    names->held_out = names->count / 10;
    names->end = names->languages;
    names->vocabulary = names->languages + 1;
    names->length = 1;
    bool seen[256] = {false};
    for (int i = 0; i < names->count; i++) {
        const int bytes = (int)strlen(names->text[i]);
        if (bytes >= names->length) names->length = bytes + 1;
        for (const char *c = names->text[i]; *c != '\0'; c++) seen[(uint8_t)*c] = true;
    }
    for (int byte = 0; byte < 256; byte++)
        if (seen[byte]) {
            names->symbols[names->vocabulary] = (char)byte;
            names->id_of[byte] = names->vocabulary++;
        }
    return true;
}

// The tokens of a name: language, bytes, end. Returns how many.
static int tokens_of(const Names *names, int index, int language, int32_t token[NAME_LONGEST + 2])
{
    int count = 0;
    token[count++] = language >= 0 ? language : names->of[index];
    for (const char *c = names->text[index]; *c != '\0'; c++)
        token[count++] = names->id_of[(uint8_t)*c];
    token[count++] = names->end;
    return count;
}

void make_names(Batch *batch, const void *data, const int *index)
{
    const NameSamples *samples = data;
    const int T = samples->names->length, rows = 2 * T + 1;
    const size_t B = (size_t)batch->rows;
    int32_t *x = arena_alloc(batch->arena, sizeof *x * (size_t)rows * B), token[NAME_LONGEST + 2];
    for (size_t b = 0; b < B; b++) {
        const int count =
            tokens_of(samples->names, samples->first + index[b], samples->language, token);
        for (int t = 0; t < T; t++)
            x[(size_t)t * B + b] = t < count ? token[t] : samples->names->end;
        for (int t = 0; t <= T; t++) x[(size_t)(T + t) * B + b] = t < count ? token[t] : -1;
    }
    batch->x = tensor_from_ints(batch->arena, SHAPE(rows, batch->rows), x);
}

Batches names_batches(const NameSamples *samples, int count)
{
    return (Batches){.count = count, .make = make_names, .data = samples};
}

// ---- what can be known without a network ----

double names_true_loss(const Names *names)
{
    Arena *arena = arena_new("reader", (size_t)64 << 20);
    GrammarReader *reader = grammar_reader_new(arena, names->grammar);
    double nats = 0, tokens = 0;
    for (int i = names->count - names->held_out; i < names->count; i++) {
        grammar_reader_restart(reader);
        grammar_read(reader, (char)('0' + names->of[i]));
        for (const char *c = names->text[i]; *c != '\0'; c++, tokens++)
            nats -= log(grammar_read(reader, *c));
        nats -= log(grammar_read(reader, '\n'));
        tokens++;
    }
    arena_free(arena);
    return nats / tokens;
}

double names_pair_loss(const Names *names, bool conditional)
{
    enum { V = sizeof names->symbols };
    static double count[LANGUAGES][V][V], sum[LANGUAGES][V];
    memset(count, 0, sizeof count);
    memset(sum, 0, sizeof sum);
    double nats = 0, tokens = 0;
    int32_t token[NAME_LONGEST + 2];
    for (int i = 0; i < names->count; i++) {
        const int n = tokens_of(names, i, -1, token), l = conditional ? names->of[i] : 0;
        const bool trained = i < names->count - names->held_out;
        token[0] = 0;    // any language
        for (int t = 1; t < n; t++) {
            const int a = token[t - 1], b = token[t];
            if (trained) {
                count[l][a][b]++;
                sum[l][a]++;
            } else {
                nats -= log((count[l][a][b] + 1) / (sum[l][a] + names->vocabulary));
                tokens++;
            }
        }
    }
    return nats / tokens;
}
