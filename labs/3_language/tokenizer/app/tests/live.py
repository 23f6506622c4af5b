"""The library beside the package `tokenizers`, on texts of random Unicode: each function of this file with no
arguments is a test, `live.py NAME`. Skips where Python lacks the package.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZE = os.environ["TOKENIZE"]
COUNT = int(os.environ.get("LIVE_TEXTS", "2000"))

try:
    import make_fixtures
    from tokenizers import Tokenizer, models, trainers
    import tokenizers
except ImportError:
    print("skipped: no Python package tokenizers: pip install tokenizers")
    sys.exit(77)


def ask(*arguments, text):
    done = subprocess.run([TOKENIZE, *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"tokenize {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def compare(path, tokenizer, texts, parse_special):
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    options = ["--lines", "--special"] + (["--parse-special"] if parse_special else [])
    got = [[int(number) for number in line.split()]
           for line in ask("encode", path, *options, text=lines).split("\n")[:-1]]
    want = make_fixtures.answers(tokenizer, texts, parse_special)
    if len(got) != len(want):
        sys.exit(f"{path}: {len(got)} answers to {len(want)} texts")
    for text, ours, theirs in zip(texts, got, want):
        if ours != theirs:
            sys.exit(f"{path}: {text!r} is {ours}, expected {theirs}")


def random_texts_have_the_same_ids():
    seed = int(os.environ.get("LIVE_SEED", time.time()))
    texts = make_fixtures.TEXTS + make_fixtures.random_texts(COUNT, seed)
    print(f"tokenizers {tokenizers.__version__}, seed {seed}, {len(texts)} texts")
    for name in make_fixtures.STYLES:
        path = os.path.join(HERE, "fixtures", name + ".json")
        tokenizer = Tokenizer.from_file(path)
        compare(path, tokenizer, texts, False)
        compare(path, tokenizer, texts, True)


# With each pre-tokenizer that a GGUF file may name, from such a file and from a tokenizer.json.
def splits_have_the_same_ids():
    seed = int(os.environ.get("LIVE_SEED", time.time()))
    texts = make_fixtures.split_texts(COUNT, seed) + make_fixtures.random_texts(COUNT, seed)
    print(f"tokenizers {tokenizers.__version__}, seed {seed}, {len(texts)} texts")
    with tempfile.TemporaryDirectory() as folder:
        for name in make_fixtures.GGUF:
            tokenizer = make_fixtures.gguf(name)
            path = os.path.join(folder, name + ".json")
            tokenizer.save(path)
            for file in path, write_gguf(os.path.join(folder, name + ".gguf"), tokenizer, name):
                compare(file, tokenizer, texts, True)
            compare(file, tokenizer, texts[::10], False)


def write_gguf(path, tokenizer, name):
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def texts(key, values):
        return text(key) + struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))

    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    fields = [text("tokenizer.ggml.model") + struct.pack("<I", 8) + text("gpt2"),
              text("tokenizer.ggml.pre") + struct.pack("<I", 8) + text(name),
              texts("tokenizer.ggml.tokens", tokens), texts("tokenizer.ggml.merges", [" ".join(m) for m in model["merges"]]),
              text("tokenizer.ggml.token_type") + struct.pack("<IIQ", 9, 5, len(tokens))
              + struct.pack(f"<{len(tokens)}i", *[3 if number < 3 else 1 for number in range(len(tokens))]),
              text("tokenizer.ggml.bos_token_id") + struct.pack("<II", 4, 1)]
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(fields)) + b"".join(fields))
    return path


# And what we write, they open; what it decodes to is the text.
def trained_merges_are_the_same():
    seed = int(os.environ.get("LIVE_SEED", time.time()))
    text = "".join(make_fixtures.random_texts(COUNT, seed)) + "aaaa aaaaaa " * 20
    print(f"tokenizers {tokenizers.__version__}, seed {seed}, {len(text)} characters")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trained.json")
        for style in ("gpt2", "llama3", "smollm"):
            ask("train", path, "-", "--style", style, "--vocabulary", "2000", "--minimum", "1", text=text)
            tokenizer = Tokenizer(models.BPE())
            tokenizer.pre_tokenizer = Tokenizer.from_file(path).pre_tokenizer
            tokenizer.train_from_iterator([text], trainers.BpeTrainer(
                vocab_size=2000, min_frequency=1, special_tokens=["<|endoftext|>"], show_progress=False,
                initial_alphabet=make_fixtures.BYTES.alphabet()))
            theirs = json.loads(tokenizer.to_str())["model"]
            ours = json.load(open(path, encoding="utf-8"))["model"]
            if ours["vocab"] != theirs["vocab"]:
                sys.exit(f"{style}: the vocabularies differ")
            if ours["merges"] != [merge.split(" ") if isinstance(merge, str) else merge for merge in theirs["merges"]]:
                sys.exit(f"{style}: the merges differ")
            again = Tokenizer.from_file(path)
            ids = again.encode(text, add_special_tokens=False).ids
            if again.decode(ids, skip_special_tokens=False) != text:
                sys.exit(f"{style}: does not decode to the text")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
