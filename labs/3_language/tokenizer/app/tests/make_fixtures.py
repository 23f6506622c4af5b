#!/usr/bin/env python3
"""make_fixtures.py -- writes fixtures/: small tokenizers, and what the package `tokenizers` (0.23.3) makes of texts.

    python3 make_fixtures.py          writes all of it again, the same

The tokenizers are those of GPT-2, Llama 3, Qwen 2, SmolLM and Llama 2 but for their size: trained on the lab's
two texts, with each model's own normalizer, split pattern, added tokens and post-processor.
"""
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
    tokenizer.train_from_iterator(lab_texts(), trainers.BpeTrainer(
        vocab_size=900, special_tokens=special + [f"<0x{b:02X}>" for b in range(256)], show_progress=False,
        limit_alphabet=150))
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
                               BYTES(add_prefix_space=True, use_regex=False)),
                      normalizer=normalizers.Sequence([normalizers.Strip(), normalizers.NFKC(),
                                                       normalizers.Lowercase(),
                                                       normalizers.Replace(Regex(r"\s+"), " ")]))
    tokenizer.add_tokens([AddedToken("cat", single_word=True, rstrip=True, normalized=True),
                          AddedToken("<mask>", lstrip=True, normalized=False, special=True),
                          AddedToken("<a b>", lstrip=True, rstrip=True, normalized=False),
                          AddedToken("<a", normalized=False), AddedToken("É", normalized=True)])
    return tokenizer


STYLES = {"gpt2": gpt2, "llama3": llama3, "qwen2": qwen2, "smollm": smollm, "llama2": llama2, "mixed": mixed}

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

    def character():
        while True:
            code = draw.choice([draw.randrange(0x20, 0x7f), draw.randrange(1, 0x800), draw.randrange(0x800, 0xd800),
                                draw.randrange(0xe000, 0x10000), draw.randrange(0x10000, 0x20000)])
            drawn = chr(code)
            if unicodedata.category(drawn) != "Cn" and nfkc.normalize_str(drawn) == unicodedata.normalize("NFKC", drawn):
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


# The tokens that training on all the texts as one makes, after the bytes, in their order.
def trained(texts, pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(["".join(texts)], trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=BYTES.alphabet(), show_progress=False))
    names = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [name for name, number in names if number >= 256]


def main():
    texts = TEXTS + random_texts(40, 15)
    truth = {"texts": texts, "plain": {}, "special": {}}
    for name, make in STYLES.items():
        tokenizer = make()
        tokenizer.save(os.path.join(HERE, "fixtures", name + ".json"), pretty=False)
        truth["plain"][name] = answers(tokenizer, texts, False)
        truth["special"][name] = answers(tokenizer, texts, True)
    truth["trained"] = {"gpt2": trained(texts, BYTES(add_prefix_space=False)), "llama3": trained(texts, split("{1,3}"))}
    with open(os.path.join(HERE, "fixtures", "truth.json"), "w", encoding="utf-8") as out:
        json.dump(truth, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
