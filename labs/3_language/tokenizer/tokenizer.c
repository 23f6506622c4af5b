/* tokenizer.c -- the reference: what stands between the marks is blank in a learner's copy. */
#include "tokenizer.h"
#include <math.h>

// ---- bytes and characters ----

uint32_t bpe_utf8_decode(const char *text, size_t bytes, size_t *used)
{
    // solution utf8_decode
    const unsigned char *b = (const unsigned char *)text;
    *used = 1;
    if (b[0] < 0x80) return b[0];
    if (b[0] < 0xc2 || b[0] > 0xf4) return 0xfffd;
    size_t length = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    uint32_t code = b[0] & (0x7fu >> length);
    // Only the second byte has a narrower range: no longer forms, no surrogates, no more than 10FFFF.
    unsigned char low = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
    for (; *used < length; ++*used) {
        if (*used == bytes || b[*used] < low || b[*used] > high) return 0xfffd;
        code = code << 6 | (b[*used] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    return code;
    // end utf8_decode
}

void bpe_byte_map(uint32_t code[256])
{
    // solution byte_map
    uint32_t next = 256;
    for (uint32_t b = 0; b < 256; b++) {
        bool seen = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
        code[b] = seen ? b : next++;
    }
    // end byte_map
}

// ---- training ----

void bpe_count_pairs(BpePairs *counts, const int *ids, size_t n, int64_t times)
{
    // solution count_pairs
    for (size_t i = 1; i < n; i++) *bpe_pairs_at(counts, (BpePair){ids[i - 1], ids[i]}) += times;
    // end count_pairs
}

bool bpe_best_pair(BpePair *best, const BpePairs *counts, int64_t least)
{
    // solution best_pair
    const BpeEntry *found = NULL;
    for (const BpeEntry *e = counts->entries; e < counts->entries + counts->count; e++) {
        if (e->value < least) continue;
        bool better = found == NULL || e->value > found->value;
        if (!better && e->value == found->value)
            better = e->pair.left < found->pair.left ||
                     (e->pair.left == found->pair.left && e->pair.right < found->pair.right);
        if (better) found = e;
    }
    if (found != NULL) *best = found->pair;
    return found != NULL;
    // end best_pair
}

size_t bpe_merge(int *ids, size_t n, BpePair pair, int id)
{
    // solution merge
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool here = ids[i] == pair.left && i + 1 < n && ids[i + 1] == pair.right;
        ids[kept++] = here ? id : ids[i];
        i += here;
    }
    return kept;
    // end merge
}

int bpe_train(BpePair *merges, int most, BpeWords *words, int64_t least, BpePairs *counts)
{
    // solution train
    int made = 0;
    for (; made < most; made++) {
        bpe_pairs_clear(counts);
        for (int w = 0; w < words->count; w++)
            bpe_count_pairs(counts, words->ids + words->first[w], words->length[w],
                            words->times[w]);
        if (!bpe_best_pair(&merges[made], counts, least)) break;
        for (int w = 0; w < words->count; w++)
            words->length[w] =
                bpe_merge(words->ids + words->first[w], words->length[w], merges[made], 256 + made);
    }
    return made;
    // end train
}

int bpe_train_indexed(BpePair *merges, int most, BpeWords *words, int64_t least, BpePairs *counts)
{
    // solution train_indexed
    bpe_pairs_clear(counts);
    for (int w = 0; w < words->count; w++) {
        const int *ids = words->ids + words->first[w];
        bpe_count_pairs(counts, ids, words->length[w], words->times[w]);
        for (size_t i = 1; i < words->length[w]; i++)
            bpe_pairs_note(counts, (BpePair){ids[i - 1], ids[i]}, w);
    }
    int made = 0;
    for (; made < most && bpe_best_pair(&merges[made], counts, least); made++) {
        const int id = 256 + made;
        const BpeEntry merged = *bpe_pairs_find(counts, merges[made]);
        for (int k = 0; k < merged.noted; k++) {
            int w = merged.words[k], *ids = words->ids + words->first[w];
            bpe_count_pairs(counts, ids, words->length[w], -words->times[w]);
            words->length[w] = bpe_merge(ids, words->length[w], merged.pair, id);
            bpe_count_pairs(counts, ids, words->length[w], words->times[w]);
            for (size_t i = 1; i < words->length[w]; i++)    // a new pair holds the new token
                if (ids[i - 1] == id || ids[i] == id)
                    bpe_pairs_note(counts, (BpePair){ids[i - 1], ids[i]}, w);
        }
    }
    return made;
    // end train_indexed
}

// ---- encoding and decoding ----

size_t bpe_encode_piece(int *ids, size_t n, const BpePairs *ranks)
{
    // solution encode
    for (;;) {
        const BpeEntry *lowest = NULL;
        for (size_t i = 1; i < n; i++) {
            const BpeEntry *e = bpe_pairs_find(ranks, (BpePair){ids[i - 1], ids[i]});
            if (e != NULL && (lowest == NULL || e->value < lowest->value)) lowest = e;
        }
        if (lowest == NULL) return n;
        n = bpe_merge(ids, n, lowest->pair, 256 + (int)lowest->value);
    }
    // end encode
}

bool bpe_vocabulary(BpeVocabulary *vocabulary, const BpePair *merges, int count)
{
    // solution vocabulary
    char *bytes = vocabulary->bytes;
    size_t *first = vocabulary->first, end = 256;
    if (vocabulary->room < end) return false;
    for (size_t b = 0; b < 256; b++) bytes[first[b] = b] = (char)b;
    first[256] = end;
    for (int k = 0; k < count; k++) {
        const int parts[] = {merges[k].left, merges[k].right};
        for (int p = 0; p < 2; p++) {
            if (parts[p] < 0 || parts[p] >= 256 + k) return false;
            size_t from = first[parts[p]], length = first[parts[p] + 1] - from;
            if (length > vocabulary->room - end) return false;
            memcpy(bytes + end, bytes + from, length);
            end += length;
        }
        first[257 + k] = end;
    }
    vocabulary->size = 256 + count;
    return true;
    // end vocabulary
}

size_t bpe_decode(char *text, size_t room, const BpeVocabulary *vocabulary, const int *ids,
                  size_t n)
{
    // solution decode
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= vocabulary->size) continue;
        for (size_t b = vocabulary->first[ids[i]]; b < vocabulary->first[ids[i] + 1]; b++, bytes++)
            if (bytes < room) text[bytes] = vocabulary->bytes[b];
    }
    return bytes;
    // end decode
}

BpeRates bpe_rates(int64_t *counts, int vocabulary, const int *ids, size_t n, size_t bytes)
{
    // solution rates
    memset(counts, 0, (size_t)vocabulary * sizeof *counts);
    for (size_t i = 0; i < n; i++) counts[ids[i]]++;
    if (n == 0 || bytes == 0) return (BpeRates){NAN, NAN, NAN};
    double bits = 0;
    for (int t = 0; t < vocabulary; t++) {
        double p = (double)counts[t] / (double)n;
        if (counts[t] > 0) bits -= p * log2(p);
    }
    return (BpeRates){(double)bytes / (double)n, bits, bits * (double)n / (double)bytes};
    // end rates
}

// ---- texts ----

size_t bpe_split(const char *text, size_t bytes, BpeClassify *classify)
{
    // solution split
    static const char *const contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t e = 0; e < sizeof contractions / sizeof *contractions; e++) {
        size_t length = strlen(contractions[e]);
        if (bytes >= length && memcmp(text, contractions[e], length) == 0) return length;
    }
    size_t space = text[0] == ' ' && bytes > 1, used;
    BpeClass kind = classify(bpe_utf8_decode(text + space, bytes - space, &used));
    size_t end = kind == BPE_SPACE ? 0 : space, last = 0;
    for (; end < bytes; end += used) {
        if (classify(bpe_utf8_decode(text + end, bytes - end, &used)) != kind) break;
        last = end;
    }
    // Whitespace leaves its last character to what comes after it.
    return kind == BPE_SPACE && end < bytes && last > 0 ? last : end;
    // end split
}

int bpe_find_special(size_t *at, const char *text, size_t bytes, const BpeSpecial *specials,
                     int count)
{
    // solution find_special
    for (*at = 0; *at < bytes; ++*at) {
        int found = -1;
        size_t longest = 0;
        for (int s = 0; s < count; s++) {
            size_t length = strlen(specials[s].text);
            if (length <= longest || length > bytes - *at) continue;
            if (memcmp(text + *at, specials[s].text, length) == 0) found = s, longest = length;
        }
        if (found >= 0) return found;
    }
    return -1;
    // end find_special
}

size_t bpe_tokenize(int *ids, const BpeTokenizer *tokenizer, const char *text, size_t bytes,
                    bool special)
{
    // solution tokenize
    const BpeTokenizer *t = tokenizer;
    size_t n = 0;
    while (bytes > 0) {
        size_t plain = bytes;
        int found = -1;
        if (special) found = bpe_find_special(&plain, text, bytes, t->specials, t->special_count);
        for (size_t at = 0, piece; at < plain; at += piece) {
            piece = t->classify == NULL ? plain : bpe_split(text + at, plain - at, t->classify);
            for (size_t i = 0; i < piece; i++) ids[n + i] = (unsigned char)text[at + i];
            n += bpe_encode_piece(ids + n, piece, t->ranks);
        }
        if (found >= 0) {
            ids[n++] = t->specials[found].id;
            plain += strlen(t->specials[found].text);
        }
        text += plain;
        bytes -= plain;
    }
    return n;
    // end tokenize
}
