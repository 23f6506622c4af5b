#!/usr/bin/env python3
"""make_fixtures.py -- writes fixtures/: small tokenizers, and what the package `tokenizers` (0.23.3) makes of texts.

    python3 make_fixtures.py          writes all of it again, the same

The tokenizers are those of GPT-2, Llama 3, Qwen 2, SmolLM and Llama 2 but for their size: trained on the lab's
two texts, with each model's own normalizer, split pattern, added tokens and post-processor.
"""
import collections
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, \
    trainers

HERE = os.path.dirname(os.path.abspath(__file__))
LATER = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
BYTES = pre_tokenizers.ByteLevel


def lab_texts():
    return [open(os.path.join(HERE, "..", "..", "texts", name), encoding="utf-8").read()
            for name in ("english.txt", "chinese.txt")]


def sequence(*steps):
    return pre_tokenizers.Sequence(list(steps))


def split(digits):
    return sequence(pre_tokenizers.Split(Regex(LATER % digits), "isolated"),
                    BYTES(add_prefix_space=False, use_regex=False))


def train(pre_tokenizer, special=(), normalizer=None, vocabulary=700, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(lab_texts(), trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(special), initial_alphabet=BYTES.alphabet(),
        show_progress=False))
    return tokenizer


def gpt2():
    return train(BYTES(add_prefix_space=False), ["<|endoftext|>"])


def llama3():
    tokenizer = train(split("{1,3}"), ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    bos = "<|begin_of_text|>"
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1",
                                      special_tokens=[(bos, tokenizer.token_to_id(bos))])])
    return tokenizer


def qwen2():
    tokenizer = train(split(""), normalizer=normalizers.NFC())
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("<tool call>", normalized=False)])
    return tokenizer


def smollm():
    return train(sequence(pre_tokenizers.Digits(True), BYTES(add_prefix_space=False)),
                 ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


# As the conversion of SentencePiece's vocabulary has it: trained with words that begin with the mark, then
# without a split.
def llama2():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    # The 150 most frequent characters; limit_alphabet would draw among equals.
    counts = collections.Counter("".join(lab_texts()))
    kept = set(sorted(counts, key=lambda character: (-counts[character], character))[:150])
    texts = ["".join(character if character in kept else " " for character in text) for text in lab_texts()]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=900, special_tokens=special + [f"<0x{b:02X}>" for b in range(256)], show_progress=False))
    tree = json.loads(tokenizer.to_str())
    tree["added_tokens"] = [token for token in tree["added_tokens"] if token["content"] in special]
    tree["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(tree))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


# One that uses what the others do not: a pattern of its own, and each flag of an added token.
def mixed():
    tokenizer = train(sequence(pre_tokenizers.Split(Regex(r"\p{Lu}?\p{Ll}+|\d{2}"), "merged_with_previous"),
                               pre_tokenizers.Punctuation("merged_with_next"),
                               BYTES(add_prefix_space=True, use_regex=False)), ignore_merges=True,
                      normalizer=normalizers.Sequence([normalizers.Strip(), normalizers.NFKC(),
                                                       normalizers.Lowercase(),
                                                       normalizers.Replace(Regex(r"\s+"), " ")]))
    tokenizer.add_tokens([AddedToken("cat", single_word=True, rstrip=True, normalized=True),
                          AddedToken("<mask>", lstrip=True, normalized=False, special=True),
                          AddedToken("<a b>", lstrip=True, rstrip=True, normalized=False),
                          AddedToken("<a", normalized=False), AddedToken("É", normalized=True),
                          AddedToken("12", single_word=True), AddedToken("?", lstrip=True, rstrip=True),
                          AddedToken("\n", rstrip=True, normalized=False),
                          AddedToken("\t", lstrip=True, rstrip=True, normalized=False)])
    return tokenizer


# What split patterns tell apart, and texts of it.
PARTS = ["'s", "'S", "'ll", "'Re", "\u017f", "t", "ab", "T", "AB", "é", "É", "x\u0301", "ǅ", "ʰ", "ა", "𐐀", "ὖ", "ὗ", "中", "한",
         "の", "\u0301", "1", "23", "4567", "²", "½", "Ⅷ", "٣", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "!", "/", "-",
         "_", "$", "...", "，", "。", "“", "＋", "🦙", "`", "^"]


def split_texts(count, seed):
    draw = random.Random(seed)
    return ["".join(draw.choice(PARTS) for _ in range(draw.randint(1, 9))) for _ in range(count)]


# Trained on such texts as they are, so that its merges reach across words, digits and punctuation: what a split
# forbids is seen.
def whole():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = BYTES(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(lab_texts() + split_texts(6000, 7), trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=BYTES.alphabet(), show_progress=False))
    return tokenizer


# The pre-tokenizers that tokenizer.ggml.pre names, as the models' tokenizer.json have them. Those of one
# expression are a text.
WORDS = [r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"]
SIGNS = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CONTRACTED = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
LETTERS = ("A-Za-z"
           "\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376"
           "\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F"
           "\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77"
           "\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D"
           "\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB"
           "\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128"
           "\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4"
           "\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF"
           "\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3"
           "\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943")
GGUF = {
    "gpt-2": [],
    "smollm": [pre_tokenizers.Digits(True)],
    "llama-bpe": [LATER % "{1,3}"],
    "dbrx": [LATER % "{1,3}"],
    "qwen2": [LATER % ""],
    "qwen35": [r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "gpt-4o": [WORDS[0] + CONTRACTED + "|" + WORDS[1] + CONTRACTED + r"|\p{N}{1,3}" + SIGNS],
    "tekken": [WORDS[0] + "|" + WORDS[1] + r"|\p{N}" + SIGNS],
    "deepseek-v3": [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"],
    "deepseek-llm": ["[\r\n]", r"\s?[" + LETTERS + "]+",
                     r"\s?[!-/:-~" + "\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", r"\s+$",
                     "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", pre_tokenizers.Digits(True)],
    "falcon": [pre_tokenizers.Punctuation("contiguous"), BYTES(add_prefix_space=False),
               pre_tokenizers.Digits(False), "[0-9][0-9][0-9]"],
}


def gguf(name):
    """The vocabulary of whole() with such a pre-tokenizer, and what llama.cpp knows of the model."""
    tree = json.loads(Tokenizer.from_file(os.path.join(HERE, "fixtures", "whole.json")).to_str())
    tree["model"]["ignore_merges"] = name in ("llama-bpe", "tekken")
    tokenizer = Tokenizer.from_str(json.dumps(tree))
    steps = [pre_tokenizers.Split(Regex(step), "isolated") if isinstance(step, str) else step for step in GGUF[name]]
    if name != "falcon":
        steps.append(BYTES(add_prefix_space=False, use_regex=name in ("gpt-2", "smollm")))
    tokenizer.pre_tokenizer = sequence(*steps)
    if name.startswith("qwen"):
        tokenizer.normalizer = normalizers.NFC()
    if name in ("llama-bpe", "tekken"):
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|im_start|> $A", pair="<|im_start|> $A $B", special_tokens=[("<|im_start|>", 1)])
    return tokenizer


STYLES = {"gpt2": gpt2, "llama3": llama3, "qwen2": qwen2, "smollm": smollm, "llama2": llama2, "mixed": mixed,
          "whole": whole}

TEXTS = ["", " ", "Hello,", "it's IT'S we'LL 'ſ x'sy", "123456789 12 1234", "½² Ⅷ ٣٤", "a  b   c \n\n d\t\te \r\n\r\n f",
         "  leading", "trailing   ", "\n", " \n ", "!!! ... ?\n\nx", "hello !", "x != y", " .", "é e\u0301 Å \u212b \ufb01",
         "한국어 각 ㄱㅏ", "中文，分词。", "🦙 👨‍👩‍👧 🇩🇪", "This is 🦙.cpp", "<0x41> <s> ▁ ▁▁", "a\u00a0b\u3000c\u2028d\u0085e",
         "\u180e x\u200d", "<|endoftext|> <|im_start|>user\nhi<|im_end|>", "<think> x </think> <tool call>",
         "cat concat cat cats  <mask>  <a b> <a É é", "aaaaaaaaaaaaaaaaaaaaaaa", "^^^^^^^^^____----", "naïve İstanbul ẞ",
         "if (x) {\n\t\treturn f(a[0], 3.14);\n}\n", "https://a.b/c?d=e&f=%20", "\x1c\x1d a\x7f", "٣ א ב ש ก", "x" * 60]


def random_texts(count, seed):
    """Words of the lab's texts, the texts above, and characters from everywhere. Not those few whose normal form
    is newer than the package's Unicode 12."""
    import unicodedata
    draw = random.Random(seed)
    nfkc = normalizers.NFKC()
    words = " ".join(lab_texts()).split(" ")

    def is_known(drawn):    # also its combining class, between those that come first and last
        return unicodedata.category(drawn) != "Cn" and all(
            nfkc.normalize_str(text) == unicodedata.normalize("NFKC", text)
            for text in (drawn, drawn + "\u0334", "\u0345" + drawn))

    def character():
        while True:
            code = draw.choice([draw.randrange(0x20, 0x7f), draw.randrange(1, 0x800), draw.randrange(0x800, 0xd800),
                                draw.randrange(0xe000, 0x10000), draw.randrange(0x10000, 0x20000)])
            drawn = chr(code)
            if is_known(drawn):
                return drawn

    def part():
        kind = draw.random()
        if kind < 0.4:
            return draw.choice(words) + draw.choice([" ", "", "\n", "  "])
        if kind < 0.7:
            return draw.choice(TEXTS)[:12]
        return "".join(character() for _ in range(draw.randint(1, 5)))

    return ["".join(part() for _ in range(draw.randint(1, 8))) for _ in range(count)]


def answers(tokenizer, texts, parse_special):
    tokenizer.encode_special_tokens = not parse_special
    return [tokenizer.encode(text).ids for text in texts]


# Where Oniguruma's expressions might be read otherwise.
PATTERNS = [(r"\s+$", "a \nb  "), ("^a", "a\na\n"), ("b$", "ab\nb"), (r"\h+", "beef 12 \txyz"), (r"[\hx]+", "beef xyz"),
            (r"\bx", "x ax _x e\u0301x \u203fx x\u0301x"), (r"a.c", "a\nc abc a\rc"), (r"a\Z", "a\na\n"),
            (r"[[:punct:]]+", "a+$.<b"), (r"[^\n]+|\n+", "ab\n\ncd"), (r"(?<=a)b", "abb"), ("(?i)k", "K\u212ak"),
            (r"[^\S\n]+", "a \u180e b\n \u2028c"), (r"\w+", "ab²½④Ⓐ_\u203f e\u0301-Ⅷ ٣"), (r"\W+", "ab²½④Ⓐ_ e\u0301-Ⅷ"),
            (r"[\D]+", "a1²٣b"), (r"\p{Han}+", "中、文〆ab"), (r"\P{Han}+", "中、文ab"), (r"[^\p{Han}a]+", "中ab、"),
            (r"[[:punct:]x]+", "a+$.<©x中"), (r"[[:space:]]+", "a \u180e b"), (r"\d{1,3}(?=(?:\d{3})*\b)", "1234567 89a 1234")]


def pieces(pattern, text):
    return [piece for piece, _ in pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str(text)]


# The tokens that training on all the texts as one makes, after the bytes, in their order.
def trained(texts, pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(["".join(texts)], trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=BYTES.alphabet(), show_progress=False))
    names = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [name for name, number in names if number >= 256]


def main():
    # Added tokens beside words, and in the spaces that others take.
    edges = ["12 x12 12the 3412 12", "a ? b??  ?", "c \n\n d\n \ne", "f\n\t g\t\n h\t\t i \t"]
    texts = TEXTS + edges + random_texts(40, 15)
    truth = {"texts": texts, "plain": {}, "special": {}}
    for name, make in STYLES.items():
        tokenizer = make()
        tokenizer.save(os.path.join(HERE, "fixtures", name + ".json"), pretty=False)
        truth["plain"][name] = answers(tokenizer, texts, False)
        truth["special"][name] = answers(tokenizer, texts, True)
    truth["split_texts"] = split_texts(160, 8)
    truth["gguf"] = {name: answers(gguf(name), truth["split_texts"], True) for name in GGUF}
    truth["patterns"] = [[pattern, text, pieces(pattern, text)] for pattern, text in PATTERNS]
    truth["trained"] = {"gpt2": trained(texts, BYTES(add_prefix_space=False)), "llama3": trained(texts, split("{1,3}"))}
    with open(os.path.join(HERE, "fixtures", "truth.json"), "w", encoding="utf-8") as out:
        json.dump(truth, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
