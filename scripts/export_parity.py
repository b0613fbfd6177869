"""Checks that transformers (and TRL) load what `deno task export` writes, with equal numbers.

    pip install torch==2.5.1 transformers==4.46.3 trl==0.11.4 peft==0.13.2 numpy==1.26.4
    python scripts/export_parity.py [FOLDER|RUN ...]

Needs deno on the path; nothing is downloaded. Each model folder below, and each folder or run named on
the command line, is exported in F32 and in F16 by the command itself. transformers then loads the
source and the export, the export with every warning an error, and compares

- the logits of random tokens: in F32 with the source's, in F16 with those of the source rounded to F16
  (both must be 0 apart) and with the source's (the rounding, which is printed);
- greedy completions of the same tokens, which must be equal;
- the token ids and texts of awkward strings, where there is a tokenizer;
- a value head, kept by --value-head and loaded by TRL, where there is one.

Of an adapter the source is what PEFT makes of it and its base when it merges them; both add up in
float32, in another order, so that logits may be 1e-4 apart (in F16 1e-3, as a sum may round to the
neighbour).

It also reads the card's metadata as the hub's library does, and runs the card's own Python program.
Prints one line a folder; exits with 1 at the first difference.
"""

import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers
from huggingface_hub import ModelCard
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"

# One line a folder, or a pattern for several.
FOLDERS = [
    ROOT / "assets" / "tiny",
    *sorted(FIXTURES.glob("gpt2-?")),
    *sorted(path for path in FIXTURES.glob("family-*") if path.is_dir()),
    *sorted(path for path in FIXTURES.glob("lora-*") if path.is_dir()),
    FIXTURES / "trl-ppo-model",
]

TEXTS = [
    "",
    " ",
    "red and blue make",
    "  two  spaces, a tab\tand\r\nnew\n\nlines  ",
    "a , b . c ! it 's do n't",
    "don't can't WON'T it's 3.14159 1,000,000",
    "Crème brûlée, Straße, Привет, 日本語, مرحبا",
    "\U0001F600\U0001F468\u200d\U0001F469\u200d\U0001F467 zero\u200bwidth soft\u00adhyphen",
    "<|endoftext|>before and<|endoftext|> after",
    "?!.,;:()[]{}<>|/\\@#$%^&*_-+=~`\x00\x07",
    "x" * 300,
]


class Strict(logging.Handler):
    """Turns what transformers logs as a warning into an error."""

    def emit(self, record):
        raise AssertionError(f"transformers warns: {record.getMessage()}")


@contextlib.contextmanager
def strict():
    handler = Strict(logging.WARNING)
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    transformers.logging.set_verbosity_warning()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Of Python and torch themselves, when the garbage collector comes by.
            warnings.simplefilter("ignore", ResourceWarning)
            yield
    finally:
        logger.removeHandler(handler)
        transformers.logging.set_verbosity_error()  # a source with a value head is warned of


def export(source, to, *flags):
    command = ["deno", "run", "--no-prompt", "--allow-read", "--allow-env", f"--allow-write={to.parent}",
               "cli/bin.ts", "export", str(source), "--out", str(to), *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)


def load(folder, dtype=torch.float32):
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=dtype, attn_implementation="eager", output_loading_info=True
    )
    return model.eval(), {key: value for key, value in report.items() if value}


def load_source(folder):
    """As `load`, and an adapter merged into its base; also the folder where its tokenizer is."""
    settings = folder / "adapter_config.json"
    if not settings.exists():
        return *load(folder), folder
    name = json.loads(settings.read_text())["base_model_name_or_path"]
    base = folder / name if (folder / name).exists() else name
    model = PeftModel.from_pretrained(load(base)[0], folder).merge_and_unload()
    return model.eval(), {}, Path(base)


def greedy(model, tokens, length):
    return model.generate(tokens, attention_mask=torch.ones_like(tokens), do_sample=False,
                          temperature=None, top_k=None, max_new_tokens=length).tolist()


def weights_of(run_or_folder):
    """The model's folder: of a run, its last checkpoint."""
    steps = sorted(Path(run_or_folder).glob("checkpoints/step-*"),
                   key=lambda path: int(path.name.split("-")[1]))
    return steps[-1] if steps else Path(run_or_folder)


def same_texts(source, ours):
    """Token ids and decoded texts of both tokenizers; gives how many strings were compared."""
    for text in TEXTS:
        ids = source(text)["input_ids"]
        # All that the model is given: token types, say, would be added to its embeddings.
        assert dict(ours(text)) == dict(source(text)), f"other ids of {text!r}"
        decoded = [t.decode(ids, clean_up_tokenization_spaces=False) for t in (source, ours)]
        assert decoded[0] == decoded[1], f"other text of {text!r}"
        if "<|" not in text:
            assert ours.decode(ids) == text, f"{text!r} does not come back"
    return len(TEXTS)


def run_card(folder):
    """Reads the metadata as the hub does, and runs the Python program."""
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "transformers"
    assert card.data.pipeline_tag == "text-generation"
    program = re.search(r"```python\n(.*?)\n```", card.text, re.S)
    if not program:
        return "no program"
    said, here = io.StringIO(), os.getcwd()
    os.chdir(folder.parent)
    try:
        with strict(), contextlib.redirect_stdout(said):
            exec(program[1], {})
    finally:
        os.chdir(here)
    return repr(said.getvalue()[:-1][:24])


def value_head(source, place):
    """Exports with the value head, and compares it as TRL loads it."""
    with contextlib.redirect_stderr(io.StringIO()):
        from trl import AutoModelForCausalLMWithValueHead
    export(source, place / "head", "--value-head")
    model = AutoModelForCausalLMWithValueHead.from_pretrained(str(place / "head"))
    with safe_open(weights_of(source) / "model.safetensors", "pt") as file:
        for name, ours in model.v_head.state_dict().items():
            assert torch.equal(ours, file.get_tensor(f"v_head.{name}").float()), f"other v_head.{name}"
    return "value head equal in TRL"


def compare(source):
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        place = Path(temporary).resolve()
        export(source, place / "full")
        export(source, place / "half", "--dtype", "f16")
        folder = weights_of(source)
        before, unused, named = load_source(folder)
        rounded, *_ = load_source(folder)
        for parameter in rounded.parameters():
            parameter.copy_(parameter.half().float())
        with strict():
            full, wrong = load(place / "full")
            assert not wrong, f"transformers reports {wrong}"
            half, wrong = load(place / "half")
            assert not wrong, f"transformers reports {wrong}"
            stored = AutoModelForCausalLM.from_pretrained(place / "half", torch_dtype="auto")
            assert stored.dtype == torch.float16, stored.dtype
        torch.manual_seed(0)
        vocabulary, length = before.config.vocab_size, before.config.max_position_embeddings
        tokens = torch.randint(0, vocabulary, (3, length))
        expected = before(tokens).logits
        apart = {name: (model(tokens).logits - reference).abs().max().item()
                 for name, model, reference in [
                     ("F32", full, expected),
                     ("F16 to rounded source", half, rounded(tokens).logits),
                     ("F16 to source", half, expected)]}
        most = (1e-4, 1e-3) if (folder / "adapter_config.json").exists() else (0, 0)
        assert apart["F32"] <= most[0] and apart["F16 to rounded source"] <= most[1], apart
        prompts, more = tokens[:, : length // 2], min(32, length - length // 2)
        full.generation_config.eos_token_id = before.generation_config.eos_token_id
        half.generation_config.eos_token_id = before.generation_config.eos_token_id
        before.generation_config.pad_token_id = full.generation_config.pad_token_id
        rounded.generation_config.pad_token_id = full.generation_config.pad_token_id
        assert greedy(full, prompts, more) == greedy(before, prompts, more), "other completions"
        if most == (0, 0):
            assert greedy(half, prompts, more) == greedy(rounded, prompts, more), "other completions"
        notes = [f"greedy {2 if most == (0, 0) else 1} x {len(prompts)} x {more} tokens equal"]
        if (place / "full" / "tokenizer.json").exists():
            with strict():
                ours = AutoTokenizer.from_pretrained(place / "full")
            notes.append(f"{same_texts(AutoTokenizer.from_pretrained(named), ours)} texts equal")
        else:
            notes.append("no tokenizer")
        if any("v_head" in name for name in unused.get("unexpected_keys", [])):
            notes.append(value_head(source, place))
        notes.append(f"card says {run_card(place / 'full')}, {run_card(place / 'half')}")
        size = max(expected.abs().max().item(), 1e-9)
        print(f"{Path(source).name}: {type(full).__name__}, logits up to {size:.3g}, apart: "
              + ", ".join(f"{name} {value:.3g}" for name, value in apart.items())
              + "; " + "; ".join(notes), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    for folder in [*FOLDERS, *(Path(name).resolve() for name in sys.argv[1:])]:
        compare(folder)
