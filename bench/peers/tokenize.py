"""The package `tokenizers`, asked for by labs/3_language/tokenizer/app/bench_tokenize.c: encoding on one thread,
without offsets (its fastest way), and training on all threads.
"""
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from serve import serve

try:
    import json
    import tokenizers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
except ImportError:
    sys.exit(3)

held = {}    # the tokenizer and the lines of the latest question


def load(request):
    key = (request["tokenizer"], request["text"], os.path.getmtime(request["text"]))
    if held.get("key") != key:
        held.update(key=key, tokenizer=Tokenizer.from_file(request["tokenizer"]), lines=lines_of(request["text"]))
    return held["tokenizer"], held["lines"]


def lines_of(path):
    with open(path, encoding="utf-8", errors="replace", newline="\n") as text:
        return text.readlines()


def encode(request):
    tokenizer, lines = load(request)
    start = time.perf_counter()
    for _ in range(request["calls"]):
        encodings = tokenizer.encode_batch_fast(lines, add_special_tokens=False)
    seconds = time.perf_counter() - start
    tokens = sum(len(encoding.ids) for encoding in encodings)
    if request.get("tokens", tokens) != tokens:
        raise RuntimeError(f"{tokens} tokens, ours has {request['tokens']}")
    return seconds


# The text in parts that end where a word does, so that both sides split it alike.
def parts_of(path, size=1 << 16):
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        text = file.read()
    at = 0
    while at < len(text):
        end = at + size
        while end < len(text) and not (text[end] == " " and text[end - 1].isalpha() and text[end + 1:end + 2].isalpha()):
            end += 1
        yield text[at:end]
        at = end


def train(request):
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    parts = list(parts_of(request["text"]))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=request["vocabulary"], min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    start = time.perf_counter()
    tokenizer.train_from_iterator(parts, trainer)
    seconds = time.perf_counter() - start
    with open(request["same"], encoding="utf-8") as file:
        if json.load(file)["model"]["vocab"] != tokenizer.get_vocab():
            raise RuntimeError("its vocabulary is another than ours")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return seconds


WORK = {"encode": encode, "train": train}
serve(lambda request: WORK[request["work"]](request), name=f"tokenizers {tokenizers.__version__}",
      libraries=f"Python {sys.version.split()[0]}")
