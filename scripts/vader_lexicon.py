#!/usr/bin/env python3
"""Writes assets/vader/lexicon.json from PyPI's vaderSentiment 3.3.2.

    pip download --no-deps vaderSentiment==3.3.2
    python scripts/vader_lexicon.py vaderSentiment-3.3.2-py2.py3-none-any.whl

The same wheel gives the same bytes. Of a word that comes twice the last value counts, as it does there;
an emoji of several code points is left out, as nothing there ever looks it up.
"""
import hashlib
import io
import json
import pathlib
import sys
import zipfile

WHEEL_SHA256 = "3bf1d243b98b1afad575b9f22bc2cb1e212b94ff89ca74f8a23a588d024ea311"
TARGET = pathlib.Path(__file__).parent.parent / "assets" / "vader" / "lexicon.json"


def read_table(wheel, name):
    """The first two columns of a table, by the first."""
    text = wheel.read(f"vaderSentiment/{name}").decode("utf-8")
    rows = [line.strip().split("\t") for line in text.split("\n") if line.strip()]
    return {row[0]: row[1] for row in rows}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = pathlib.Path(sys.argv[1]).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"Cannot read {sys.argv[1]} as its SHA-256 must be {WHEEL_SHA256}: it is {found}")
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        words = read_table(wheel, "vader_lexicon.txt")
        emoji = read_table(wheel, "emoji_utf8_lexicon.txt")
    lexicon = {
        "valence": {word: float(value) for word, value in sorted(words.items())},
        "emoji": {sign: text for sign, text in sorted(emoji.items()) if len(sign) == 1},
    }
    text = json.dumps(lexicon, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(lexicon['valence'])} words, {len(lexicon['emoji'])} emoji")
    print(f"{len(text.encode())} bytes, sha256 {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
