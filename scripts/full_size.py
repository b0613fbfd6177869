"""Compares a GPT-2 of its true size here with PyTorch, on the same random weights.

    pip install torch==2.5.1 transformers==4.46.3
    python scripts/full_size.py [--shape gpt2] [--device auto|webgpu|cpu] [--folder FOLDER]
                                [--recompute] [--chunk-bytes N] [--steps 10] [--logits-only]

The protocol of llm.c's test_gpt2.c: 4 sequences of 64 tokens; logits, loss and the 16 kinds of
gradient of the first step, then the losses of ten AdamW steps (rate 1e-4, betas 0.9 and 0.999,
epsilon 1e-8, no clipping, weight decay 0.01, here on matrices and embeddings only). Weights are
transformers' initialisation with normal noise of 0.02 on every bias and gain, as zeros and ones hide
mistakes. `--logits-only` runs one prompt of 8 tokens and nothing else, for shapes too large to train.

PyTorch computes in float32, and again in float64: the columns "its own" say how far its float32 is from
that, which is what rounding alone does to numbers of this size. It trains once more in float32 with
normal noise of 2.4e-6 of their size on all gradients, which is about what the order of float32 sums
does to them: Adam turns noise on small gradients into steps of full size, and the losses of later
steps part ways (column "disturbed").

With --folder all of that is kept, and used again by a later run; gpt2 takes 1.1 GB there, and 7 GB of
memory to make. Needs deno on the path. Prints the largest differences, and exits with 1 where one is
above the bound of its line.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {
    "small": dict(n_layer=2, n_embd=64, n_head=4, vocab_size=503, bos_token_id=0, eos_token_id=0),
    "distilgpt2": dict(n_layer=6, n_embd=768, n_head=12),
    "gpt2": dict(n_layer=12, n_embd=768, n_head=12),
    "gpt2-medium": dict(n_layer=24, n_embd=1024, n_head=16),
    "gpt2-large": dict(n_layer=36, n_embd=1280, n_head=20),
    "gpt2-xl": dict(n_layer=48, n_embd=1600, n_head=25),
}
SEED, NOISE = 42, 0.02
ADAMW = dict(lr=1e-4, betas=(0.9, 0.999), eps=1e-8)
WEIGHT_DECAY = 0.01
STEPS = 10
DISTURBANCE = 2.4e-6
REFERENCE = "reference.json"  # the last file written: where it is, the folder is whole


def options():
    parser = argparse.ArgumentParser(description="A GPT-2 of its true size against PyTorch")
    parser.add_argument("--shape", choices=SHAPES, default="gpt2")
    parser.add_argument("--device", choices=["auto", "webgpu", "cpu"], default="auto")
    parser.add_argument("--folder", type=Path, help="keep the model and PyTorch's numbers there")
    parser.add_argument("--recompute", action="store_true", help="drop and recompute activations")
    parser.add_argument("--chunk-bytes", type=int, help="most bytes of logits held at a time")
    parser.add_argument("--steps", type=int, default=STEPS, help="AdamW steps here")
    parser.add_argument("--logits-only", action="store_true", help="one prompt of 8 tokens")
    return parser.parse_args()


def build(shape):
    torch.manual_seed(SEED)
    model = GPT2LMHeadModel(GPT2Config(**SHAPES[shape], attn_implementation="eager"))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    return model.eval()  # no dropout


def tokens_of(vocab, B, T):
    tokens = torch.randint(0, vocab, (B, T + 1))
    tokens[0, 0], tokens[-1, 0] = 0, vocab - 1
    return tokens


def first_step(model, tokens):
    """Logits (B * T, V) and loss; the gradients stay in the model."""
    logits = model(tokens[:, :-1]).logits.flatten(0, 1)
    loss = cross_entropy(logits, tokens[:, 1:].flatten())
    loss.backward()
    return logits.detach(), loss.item()


def off(values, exact):
    """Norm of the difference over the norm."""
    return ((values.double() - exact).norm() / exact.norm()).item()


def train(model, tokens, disturbance=0.0):
    """Losses before each step, and after the last; noise of that part of its size on each gradient."""
    torch.manual_seed(1)
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, **ADAMW)
    losses = []
    for step in range(STEPS + 1):
        optimizer.zero_grad()
        logits = model(tokens[:, :-1]).logits.flatten(0, 1)
        loss = cross_entropy(logits, tokens[:, 1:].flatten())
        losses.append(loss.item())
        if step == STEPS:
            break
        loss.backward()
        if disturbance > 0:
            for gradient in (parameter.grad for parameter in parameters):
                size = gradient.norm() / gradient.numel() ** 0.5
                gradient.add_(torch.randn_like(gradient) * (disturbance * size))
        optimizer.step()
    return losses


def write_reference(folder, settings):
    folder.mkdir(parents=True, exist_ok=True)
    model = build(settings["shape"])
    model.save_pretrained(folder)
    vocab = model.config.vocab_size
    facts = {**settings, "versions": [torch.__version__, transformers.__version__]}
    if settings["logitsOnly"]:
        tokens = tokens_of(vocab, 1, 8)
        with torch.no_grad():
            logits = model(tokens[:, :-1]).logits.flatten(0, 1)
            arrays = {"logits": logits.contiguous()}
            exact = model.double()(tokens[:, :-1]).logits.flatten(0, 1)
            facts["rounding"] = {"logits": off(logits, exact)}
            facts["roundingLargest"] = {"logits": (logits - exact).abs().max().item()}
    else:
        tokens = tokens_of(vocab, 4, 64)
        logits, loss = first_step(model, tokens)
        arrays = {"logits": logits.contiguous()}
        for name, parameter in model.named_parameters():  # the tied head is named once, as wte
            arrays[f"grad.{name}"] = parameter.grad.clone()
        facts["losses"] = train(model, tokens)
        facts["disturbedLosses"] = train(build(settings["shape"]), tokens, DISTURBANCE)
        model = build(settings["shape"]).double()
        exact, exact_loss = first_step(model, tokens)
        wanted = {"logits": exact}
        wanted |= {f"grad.{name}": p.grad for name, p in model.named_parameters()}
        facts["rounding"] = {name: off(arrays[name], x) for name, x in wanted.items()}
        facts["roundingLargest"] = {
            name: (arrays[name] - x).abs().max().item() for name, x in wanted.items()
        }
        del exact, wanted
        facts |= {"loss": loss, "exactLoss": exact_loss}
        facts["exactLosses"] = train(model, tokens)
        facts["adamw"] = {**ADAMW, "weightDecay": WEIGHT_DECAY}
    facts["tokens"] = tokens.tolist()
    save_file(arrays, folder / "reference.safetensors")
    (folder / REFERENCE).write_text(json.dumps(facts) + "\n")


def main():
    given = options()
    settings = dict(shape=given.shape, logitsOnly=given.logits_only, seed=SEED)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        found = folder / REFERENCE
        if not found.exists():
            write_reference(folder, settings)
            gc.collect()  # PyTorch's memory goes before the device's comes
        facts = json.loads(found.read_text())
        kept = {key: facts.get(key) for key in settings}
        if kept != settings:
            sys.exit(f"Cannot use {folder} as it holds another reference: {kept}, not {settings}")
        command = ["deno", "run", "--no-prompt", "--allow-read", "tests/parity/_full_size.ts"]
        asked = dict(
            device=given.device,
            recompute=given.recompute,
            chunkBytes=given.chunk_bytes,
            steps=given.steps,
        )
        command += [folder.resolve(), json.dumps(asked)]
        sys.exit(subprocess.run(command, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
