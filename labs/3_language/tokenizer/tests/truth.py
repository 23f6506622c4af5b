#!/usr/bin/env python3
"""truth.py -- writes truth.h: what the package `tokenizers` (0.23.3) answers.

    cd labs/3_language/tokenizer && python3 tests/truth.py MERGES.TXT >tests/truth.h    # of GPT-2

GPT-2's merges are given in the lab's numbers (bytes 0-255, merge k is 256 + k). Of the 50,000 only those
that the texts below can meet are written, with their ranks; the result is the same as with all.
"""
import json
import random
import sys
import textwrap

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CONTRACTIONS = ["it's", "IT'S", "we'll they've I'm you're he'd don't", "x'sy 's 'tis ''s"]
SPACES = ["a b", "a  b", "  a", "a   ", " ", "   ", "\n\n a", "a\n", "a \n b", "\t\tif (x)", "a\u00a0b",
          "a \u3000b", " \u2028x", "\r\n\r\n"]
KINDS = ["abc123", "123456789", "3.14", " 42 7", "x != y", "f(a[0], b);", "--flag=1", "a_b", "x²=½", " ...",
         "naïve café", "Ångström", "Привет, мир!", "中文分词 123", "日本語のテキスト", "한국어", " 🙂🙂 x", "e\u0301t",
         "שלום", "\u0967\u0968"]
ENCODED = ["Hello, world!", "it's", "IT'S", "123456789", " lower newest widest", "    return x;\n", "你好，世界",
           "naïve café", "🙂", "hello !  x != y .", "The tokenizer's tokens", "aaaaaaaaaaaaaaaaa", "^^^^^^",
           "antidisestablishmentarianism"]


def byte_map():
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    codes = {b: chr(b) for b in seen}
    rest = [b for b in range(256) if b not in codes]
    codes.update({b: chr(256 + i) for i, b in enumerate(rest)})
    return codes, seen + rest


def quote(data):
    """A C string; a hexadecimal escape would swallow digits that follow."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in data) + '"'


def print_table(items):
    print(textwrap.fill(", ".join(items).replace(" ", "\x1f").replace("},\x1f{", "}, {"), 100, initial_indent="    ",
                        subsequent_indent="    ", break_long_words=False, break_on_hyphens=False).replace("\x1f", " "))
    print("};\n")


def split(text):
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    return [len(text[a:b].encode()) for _, (a, b) in pieces]


def random_texts():
    rng = random.Random(1)
    letters = "aZé中 Я'std0١9½ \n\t\u00a0\u3000.,-_(🙂"
    return ["".join(rng.choice(letters) for _ in range(rng.randint(2, 24))) for _ in range(60)]


def print_split():
    print("static const struct {\n    const char *text;\n    int pieces[24];\n} truth_split[] = {")
    items = []
    for text in CONTRACTIONS + SPACES + KINDS + random_texts():
        lengths = split(text)
        assert len(lengths) < 24 and sum(lengths) == len(text.encode())
        items.append(f"{{{quote(text.encode())}, {{{', '.join(map(str, lengths))}}}}}")
    print_table(items)


def print_gpt2(path):
    codes, order = byte_map()
    merges = [tuple(line.rstrip("\n").split(" ")) for line in open(path, encoding="utf-8")]
    assert len(merges) == 50000
    names = [codes[b] for b in order] + [a + b for a, b in merges]
    vocabulary = {name: i for i, name in enumerate(names)}
    ours = {codes[b]: b for b in range(256)} | {name: i for i, name in enumerate(names) if i >= 256}
    ranks = {pair: k for k, pair in enumerate(merges)}
    gpt2 = Tokenizer(models.BPE(vocabulary, merges))
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    met = set()

    def encode(piece):
        while True:
            pairs = [(ranks[p], p) for p in zip(piece, piece[1:]) if p in ranks]
            met.update(pairs)
            if not pairs:
                return piece
            best, out = min(pairs)[1], []
            for token in piece:
                if out and (out[-1], token) == best:
                    out[-1] += token + " "  # a space: not to be merged again in this round
                else:
                    out.append(token)
            piece = [t.rstrip(" ") for t in out]

    encoded, pieces = [], {}
    for text in ENCODED:
        mine = []
        for piece, (a, b) in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text):
            pieces[text[a:b]] = [vocabulary[t] for t in encode(list(piece))]
            mine += pieces[text[a:b]]
        assert mine == gpt2.encode(text).ids, text
        encoded.append((text, mine))
    print("// {left, right, rank}\nstatic const int truth_ranks[][3] = {")
    print_table([f"{{{ours[left]}, {ours[right]}, {rank}}}" for rank, (left, right) in sorted(met)])
    print("typedef struct Encoded {\n    const char *text;")
    print("    int ids[24];    // GPT-2's, which name the bytes in another order; -1 ends them\n} Encoded;\n")
    for name, table in ("pieces", [p for p in pieces.items() if len(p[0]) > 1]), ("texts", encoded):
        assert all(len(ids) < 24 for _, ids in table)
        print(f"static const Encoded truth_{name}[] = {{")
        print_table([f"{{{quote(text.encode())}, {{{', '.join(map(str, [*ids, -1]))}}}}}" for text, ids in table])


def print_trained(path):
    """Merges of small letters only: there the package breaks ties as the lab does."""
    words = "".join(c.lower() if c.isalpha() else " " for c in open(path, encoding="utf-8").read()).split()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([" ".join(words)], trainers.BpeTrainer(vocab_size=26 + 300, show_progress=False))
    merges = [tuple(m) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    names = {chr(b): b for b in range(256)}
    for k, (a, b) in enumerate(merges):
        assert a + b not in names, "two merges make one token: the package gives both the same id"
        names[a + b] = 256 + k
    counts = {}
    for w in words:
        counts[w] = counts.get(w, 0) + 1
    print("// The words of texts/english.txt in small letters, and how often each occurs.")
    print("static const struct {\n    const char *text;\n    int times;\n} truth_words[] = {")
    print_table([f'{{"{w}", {n}}}' for w, n in counts.items()])
    print("static const BpePair truth_merges[] = {")
    print_table([f"{{{names[a]}, {names[b]}}}" for a, b in merges])


print("/* truth.h -- what the package `tokenizers` 0.23.3 answers; written by truth.py, which says how. */")
print('#pragma once\n#include "labs/3_language/tokenizer/pairs.h"\n\n// clang-format off')
print("// GPT-2's pre-tokenizer: the bytes of each piece; 0 ends them.")
print_split()
print_gpt2(sys.argv[1])
print_trained(sys.argv[2] if len(sys.argv) > 2 else "texts/english.txt")
print("// clang-format on")
