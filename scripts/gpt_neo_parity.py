"""Compares a GPT-Neo of GPT-Neo-125M's true shape here with transformers, on random weights.

    pip install torch==2.5.1 transformers==4.46.3
    python scripts/gpt_neo_parity.py [webgpu|cpu]

12 layers, 768 wide, 50257 tokens, 2048 positions, windows of 256 in every second layer, weights from
a fixed seed; nothing is downloaded. The prompt has 300 tokens, so that the windows matter: the
script also says how far the logits are off where they are left out. Compares the logits of the whole
prompt, a greedy completion, and the logits that transformers computes from the copy saved here.
Needs deno on the path, 2 GB of memory and 1 GB in the temporary folder.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, GenerationConfig, GPTNeoConfig, GPTNeoForCausalLM

LIMIT = 1e-4
PROMPT, NEW = 300, 8
ROOT = Path(__file__).resolve().parent.parent


def build() -> GPTNeoForCausalLM:
    torch.manual_seed(1)
    model = GPTNeoForCausalLM(
        GPTNeoConfig(
            num_layers=12,
            hidden_size=768,
            num_heads=12,
            attention_types=[[["global", "local"], 6]],
            attn_implementation="eager",
        )
    ).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):  # zeros would hide a mistake
                parameter.normal_(0.0, 0.02)
    return model


def logits_of(model, tokens) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def main() -> None:
    device = sys.argv[1] if len(sys.argv) > 1 else "auto"
    model = build()
    tokens = torch.randint(0, model.config.vocab_size, (PROMPT,)).tolist()
    want = logits_of(model, tokens)
    config = GenerationConfig(max_new_tokens=NEW, do_sample=False, eos_token_id=None, pad_token_id=0)
    ids = torch.tensor([tokens])
    greedy = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    with tempfile.TemporaryDirectory() as temporary:
        folder, copy, path = (Path(temporary) / name for name in ("model", "copy", "logits"))
        model.save_pretrained(folder)
        command = ["deno", "run", "--no-prompt", "--allow-read", "--allow-write", "--allow-env",
                   "tests/parity/_logits.ts", str(folder), str(copy), str(path), device]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                              input=json.dumps({"tokens": tokens, "maxNewTokens": NEW}))
        if done.returncode != 0:
            sys.exit(done.stderr)
        ours = json.loads(done.stdout)
        got = np.fromfile(path, dtype=np.float32).reshape(want.shape)
        back = logits_of(AutoModelForCausalLM.from_pretrained(copy, attn_implementation="eager"), tokens)
    for block in model.transformer.h:  # what a model without windows would compute
        attention = block.attn.attention
        attention.bias = torch.ones_like(attention.bias).tril()
    unlimited = logits_of(model, tokens)
    difference = float(np.abs(got - want).max())
    same = ours["greedy"] == greedy[0, PROMPT:].tolist()
    print(f"device               {ours['device']}, peak {ours['peak'] / 2**20:.0f} MiB")
    print("seconds              " + ", ".join(f"{k} {v:.1f}" for k, v in ours["seconds"].items()))
    print(f"largest logit        {np.abs(want).max():.3f}")
    print(f"largest difference   {difference:.2e}")
    print(f"without windows      {np.abs(unlimited - want).max():.2e} off")
    print(f"greedy, {NEW} tokens     {'equal' if same else 'differ'}")
    print(f"saved and read back  {np.abs(back - want).max()} off")
    sys.exit(0 if difference <= LIMIT and same and np.array_equal(back, want) else 1)


if __name__ == "__main__":
    main()
