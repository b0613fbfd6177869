"""PyTorch's side of `deno task bench:torch`: a GPT-2 of transformers that runs whenever it is asked to.

    pip install torch==2.5.1 transformers==4.46.3 numpy==1.26.4
    deno task bench:torch -- --python VENV/bin/python

Reads requests from standard input and answers each on standard output, one JSON object a line:
`{"open": "training", "folder", "batch"}` or `{"open": "decoding", "folder", "prompts", "tokens"}` loads
a model, `{"run": N}` runs it (N training steps, or N generations) and says how long that took; an
`error` says what went wrong. Between requests it sleeps, so that the other side has the machine.

Weights come from folders that both sides load. What PyTorch does fastest here is what runs: attention
as one call (sdpa), AdamW fused, f32, two threads, no dropout. The product with the head covers every
position of a prompt, as `model.generate` of that version does it.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # folders alone

try:
    import torch
    import transformers
    from torch.nn.functional import cross_entropy
    from torch.nn.utils import clip_grad_norm_
    from transformers import GPT2LMHeadModel
except ImportError as error:
    print(json.dumps({"error": f"python has no {error.name}"}), flush=True)
    sys.exit(0)


class Clock:
    """Seconds since it was made: wall time, and processor time of all threads."""

    def __init__(self):
        self.start = time.perf_counter(), time.process_time()

    def read(self):
        wall, cpu = self.start
        return time.perf_counter() - wall, time.process_time() - cpu


def load(folder):
    dropout = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    return GPT2LMHeadModel.from_pretrained(
        folder, attn_implementation="sdpa", torch_dtype=torch.float32, **dropout
    )


class Training:
    """Steps of next-token training on one batch: forward, backward, clipping, AdamW."""

    def __init__(self, folder, batch, learningRate):
        self.model = load(folder).train()
        parameters = self.model.parameters()
        self.optimizer = torch.optim.AdamW(parameters, lr=learningRate, weight_decay=0.0, fused=True)
        self.ids = torch.tensor(batch)

    def run(self, count):
        losses, clock = [], Clock()
        for _ in range(count):
            logits = self.model(self.ids[:, :-1], use_cache=False).logits
            loss = cross_entropy(logits.flatten(0, 1), self.ids[:, 1:].flatten())
            loss.backward()
            clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            losses.append(loss.item())
        step = [seconds / count for seconds in clock.read()]
        return dict(seconds=dict(step=step), losses=losses)


class Decoding:
    """Greedy completions with a cache of keys and values."""

    def __init__(self, folder, prompts, tokens):
        self.model = load(folder).eval()
        self.ids, self.tokens = torch.tensor(prompts), tokens

    @torch.no_grad()
    def run(self, count):
        prefill, decode = [0.0, 0.0], [0.0, 0.0]
        for _ in range(count):
            clock = Clock()
            out = self.model(self.ids, use_cache=True)
            drawn = [out.logits[:, -1].argmax(-1, keepdim=True)]
            first = clock.read()
            for _ in range(self.tokens):
                out = self.model(drawn[-1], past_key_values=out.past_key_values, use_cache=True)
                drawn.append(out.logits[:, -1].argmax(-1, keepdim=True))
            for i, all in enumerate(clock.read()):
                prefill[i] += first[i] / count
                decode[i] += (all - first[i]) / self.tokens / count
        seconds = {"prefill": prefill, "decode step": decode}
        return dict(seconds=seconds, responses=torch.cat(drawn, 1).tolist())


WORKS = dict(training=Training, decoding=Decoding)


def main():
    torch.set_num_threads(2)
    work = None
    versions = f"PyTorch {torch.__version__}, transformers {transformers.__version__}"
    print(json.dumps({"name": f"{versions}, {torch.get_num_threads()} threads"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "open" in request:
                work = None  # frees the one before
                work = WORKS[request.pop("open")](**request)
                answer = {}
            else:
                answer = work.run(request["run"])
        except Exception as error:  # the other side says it, and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
