/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check tokenizer
 *     ./lab check tokenizer.merge
 *
 * Expected values never come from tokenizer.c: they are the Unicode standard's tables, published
 * examples, values computed by hand, and in tests/truth.h the answers of the package `tokenizers`,
 * with GPT-2's own merges. A case calls functions of its own exercise only; those may call earlier
 * ones. Every array ends at a guard page.
 */
#include "labs/3_language/tokenizer/check.h"
#include "labs/3_language/tokenizer/tests/truth.h"
#include "tests/guarded.h"

const CaseList lab_cases[] = {text_cases,  pair_cases, training_cases, encoding_cases, rate_cases,
                              split_cases, NULL};

Arena *case_arena(void)
{
    static Arena *arena;
    if (arena == NULL) arena = arena_new("case", (size_t)1 << 30);
    return arena;
}

char *text_copy(const char *text, size_t bytes)
{
    char *copy = guarded_new(bytes, 1);
    if (bytes > 0) memcpy(copy, text, bytes);
    return copy;
}

int *ids_of_text(const char *text, size_t bytes)
{
    int *ids = guarded_new(bytes, sizeof *ids);
    for (size_t i = 0; i < bytes; i++) ids[i] = (unsigned char)text[i];
    return ids;
}

BpePairs ranks_of(const BpePair *merges, int count)
{
    BpePairs ranks = bpe_pairs_new(case_arena());
    for (int k = 0; k < count; k++) *bpe_pairs_at(&ranks, merges[k]) = k;
    return ranks;
}

BpePairs gpt2_ranks(void)
{
    BpePairs ranks = bpe_pairs_new(case_arena());
    for (size_t i = 0; i < sizeof truth_ranks / sizeof *truth_ranks; i++)
        *bpe_pairs_at(&ranks, (BpePair){truth_ranks[i][0], truth_ranks[i][1]}) = truth_ranks[i][2];
    return ranks;
}

void assert_gpt2(const char *text, const int *ids, size_t n, const int *want)
{
    int *got = ints_copy(ids, n);
    for (size_t i = 0; i < n; i++) {
        int seen = 0;    // bytes below that GPT-2 shows as they are
        for (int b = 0; b < ids[i] && ids[i] < 256; b++)
            seen += (b >= 33 && b <= 126) || (b >= 161 && b != 173);
        bool is_seen = (ids[i] >= 33 && ids[i] <= 126) || (ids[i] >= 161 && ids[i] != 173);
        if (ids[i] < 256) got[i] = is_seen ? seen : 188 + ids[i] - seen;
    }
    size_t count = 0;
    while (want[count] >= 0) count++;
    ids_assert(text, got, n, want, count, __FILE__, __LINE__);
}

int64_t count_of(const BpePairs *counts, int left, int right)
{
    const BpeEntry *entry = bpe_pairs_find(counts, (BpePair){left, right});
    return entry == NULL ? 0 : entry->value;
}

BpeWords *words_of(const Word *words, int count)
{
    BpeWords *made = arena_alloc(case_arena(), sizeof *made);
    size_t n = (size_t)count, bytes = 0, at = 0;
    for (int w = 0; w < count; w++) bytes += strlen(words[w].text);
    *made = (BpeWords){guarded_new(bytes, sizeof(int)), guarded_new(n, sizeof(size_t)),
                       guarded_new(n, sizeof(size_t)), guarded_new(n, sizeof(int64_t)), count};
    for (int w = 0; w < count; w++) {
        made->first[w] = at;
        made->length[w] = strlen(words[w].text);
        made->times[w] = words[w].times;
        for (const char *c = words[w].text; *c != '\0'; c++) made->ids[at++] = (unsigned char)*c;
    }
    return made;
}

static void print_ids(const char *label, const int *ids, size_t n, size_t from)
{
    size_t begin = from > 4 ? from - 4 : 0, end = n < begin + 12 ? n : begin + 12;
    print_error("  %s %s", label, begin > 0 ? "... " : "");
    for (size_t i = begin; i < end; i++) print_error("%d ", ids[i]);
    print_error("%s\n", end < n ? "..." : "");
}

void ids_assert(const char *what, const int *got, size_t n, const int *want, size_t count,
                const char *file, int line)
{
    size_t same = 0;
    while (same < n && same < count && got[same] == want[same]) same++;
    if (n == count && same == n) return;
    print_error("%s: %zu numbers, expected %zu; the first difference is at %zu\n", what, n, count,
                same);
    print_ids("got ", got, n < count + 12 ? n : count + 12, same);
    print_ids("want", want, count, same);
    _fail(file, line);
}
