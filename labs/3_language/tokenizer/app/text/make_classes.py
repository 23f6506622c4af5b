"""Writes classes.inc: the classes of all code points, as the package `tokenizers` sees them.

    python3 make_classes.py > classes.inc        (made with tokenizers 0.23.3: Unicode 16 and 17)

Each is asked for by splitting a text of all characters, so that they are those of the package's own
libraries: Oniguruma for \\p{..} and \\s in patterns, Rust for \\w, digits and punctuation.
"""
from tokenizers import Regex, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCKS = ["".join(map(chr, CODES[k:k + 4096])) for k in range(0, len(CODES), 4096)]


def matched(pattern):
    cut = pre_tokenizers.Split(Regex(pattern), "removed")
    out = set()
    for block in BLOCKS:
        kept = set("".join(piece for piece, _ in cut.pre_tokenize_str(block)))
        out.update(ord(c) for c in block if c not in kept)
    return out


# Between x and x, what is a piece of its own.
def alone(split):
    out = set()
    for block in BLOCKS:
        pieces = split.pre_tokenize_str("x" + "x".join(block) + "x")
        out.update(ord(piece) for piece, _ in pieces if len(piece) == 1 and piece != "x")
    return out


space = matched(r"\s")
CLASSES = [
    ("LETTER", matched(r"\p{L}")),
    ("NUMBER", matched(r"\p{N}")),
    ("MARK", matched(r"\p{M}")),
    ("SPACE", space),
    ("WORD", set(CODES) - space - alone(pre_tokenizers.Whitespace())),
    ("PUNCTUATION", alone(pre_tokenizers.Punctuation("isolated"))),
    ("NUMERIC", alone(pre_tokenizers.Digits(True))),
]


def classes(code):
    return sum(1 << i for i, (_, members) in enumerate(CLASSES) if code in members)


print("// Made by make_classes.py: first code point, last, the sum of its classes, of which there are")
print("// " + ", ".join(f"{1 << i} {name}" for i, (name, _) in enumerate(CLASSES)) + ".")
print("// clang-format off")
first, held = 0, classes(0)
line = ""
for code in range(1, 0x110001):
    now = classes(code) if code < 0x110000 else -1
    if now == held:
        continue
    if held:
        item = f"{{{first:#x}, {code - 1:#x}, {held}}}, "
        if len(line) + len(item) > 100:
            print(line.rstrip())
            line = ""
        line += item
    first, held = code, now
print(line.rstrip())
print("// clang-format on")
