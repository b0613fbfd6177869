"""Times PyTorch at the sizes of `bench/gpu/`: eager, f32, strict and with TF32 products.

    python3 scripts/gpu_torch.py [--seconds 80] [--small]

Prints one JSON object a line: name, size, seconds of one run, spread, and flop or bytes where they are
counted, as `bench/gpu/rows.ts` describes a Line. Where torch or a CUDA device is missing it prints
{"absent": reason} and exits with 0. `--small` runs small sizes on the CPU, to test this script.
Weights are random: nothing is read or fetched. Stops at the first measurement after `--seconds`.
"""

import argparse
import json
import statistics
import sys
import time


def say(**fields):
    print(json.dumps(fields), flush=True)


try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    say(absent=f"python3 has no torch: {error}")
    sys.exit(0)

PRODUCTS = [
    ("NN", 4096, 3072, 768),
    ("NT", 4096, 3072, 768),
    ("TN", 4096, 3072, 768),
    ("NN", 4096, 4096, 4096),
    ("NN", 256, 768, 3072),
    ("NN", 32, 768, 50257),
    ("NT", 640, 50257, 768),
    ("TN", 768, 3072, 4096),
    ("TN", 128, 128, 1152),
    ("NN", 1, 768, 3072),
    ("NT", 1, 50257, 768),
]
GPT2 = dict(C=768, H=12, L=12, V=50257, P=1024)
DEFAULT = dict(C=128, H=4, L=3, V=2048, P=128)
LITTLE = dict(C=64, H=2, L=2, V=129, P=64)


class Block(nn.Module):
    """A block of GPT-2; `past` holds keys and values of earlier tokens while it decodes."""

    def __init__(self, C, H):
        super().__init__()
        self.H = H
        self.first, self.second = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.fc, self.proj = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x, past=None):
        B, T, C = x.shape
        parts = self.qkv(self.first(x)).view(B, T, 3, self.H, C // self.H)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=T > 1)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        x = x + self.proj(functional.gelu(self.fc(self.second(x)), approximate="tanh"))
        return x, (k, v)


class Model(nn.Module):
    """GPT-2 without dropout, its head tied to the token embedding."""

    def __init__(self, C, H, L, V, P):
        super().__init__()
        self.sizes = dict(C=C, L=L, V=V)
        self.wte, self.wpe = nn.Embedding(V, C), nn.Embedding(P, C)
        self.blocks = nn.ModuleList(Block(C, H) for _ in range(L))
        self.last = nn.LayerNorm(C)

    def forward(self, ids, past=None, start=0):
        positions = torch.arange(start, start + ids.shape[1], device=ids.device)
        x, kept = self.wte(ids) + self.wpe(positions), []
        for i, block in enumerate(self.blocks):
            x, kv = block(x, past[i] if past else None)
            kept.append(kv)
        return self.last(x) @ self.wte.weight.T, kept


class Bench:
    def __init__(self, device, seconds, small):
        self.device, self.small = device, small
        self.end = time.monotonic() + seconds

    def sync(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def sample(self, work, runs):
        self.sync()
        start = time.perf_counter()
        for _ in range(runs):
            work()
        self.sync()
        return (time.perf_counter() - start) / runs

    def time(self, name, work, **fields):
        """Warms up, picks a number of runs that lasts 60 ms, and prints the median of seven samples."""
        if time.monotonic() > self.end:
            say(name="stopped", note="the time was up")
            sys.exit(0)
        work()
        once = min(self.sample(work, 1), self.sample(work, 2))
        runs = max(1, min(256, round((0.002 if self.small else 0.06) / max(once, 1e-7))))
        times = [self.sample(work, runs) for _ in range(2 if self.small else 7)]
        middle = statistics.median(times)
        say(name=name, seconds=middle, spread=(max(times) - min(times)) / middle, **fields)


def products(bench, label):
    for orientation, M, N, K in PRODUCTS:
        if bench.small:
            M, N, K = min(M, 64), min(N, 65), min(K, 65)
        a = torch.randn((K, M) if orientation == "TN" else (M, K), device=bench.device)
        b = torch.randn((N, K) if orientation == "NT" else (K, N), device=bench.device)
        x, y = (a.T if orientation == "TN" else a), (b.T if orientation == "NT" else b)
        bench.time(
            f"matmul {orientation}, {label}",
            lambda: x @ y,
            size=f"M {M} N {N} K {K}",
            flop=2 * M * N * K,
            bytes=4 * (M * K + K * N + M * N),
        )


def kernels(bench):
    device, (B, T, H, D) = bench.device, ((1, 16, 2, 8) if bench.small else (4, 1024, 12, 64))
    N, C, R, V = B * T, H * D, (9 if bench.small else 1024), (129 if bench.small else 50257)
    q, k, v = (torch.randn(B, H, T, D, device=device, requires_grad=True) for _ in range(3))
    attend = lambda: functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    pairs, size = B * H * T * (T + 1) // 2, f"B {B} T {T} H {H} D {D}"
    with torch.no_grad():
        bench.time("attention", attend, size=size, flop=pairs * 4 * D)
    out, dout = attend(), torch.randn(B, H, T, D, device=device)
    backward = lambda: torch.autograd.grad(out, (q, k, v), dout, retain_graph=True)
    bench.time("attention backward", backward, size=size, flop=pairs * 14 * D)
    x, norm = torch.randn(N, C, device=device), nn.LayerNorm(C).to(device)
    logits = torch.randn(R, V, device=device)
    token = torch.randint(V, (R, 1), device=device)
    with torch.no_grad():
        bench.time("layernorm", lambda: norm(x), size=f"N {N} C {C}", bytes=8 * N * C)
        logprob = lambda: logits.log_softmax(-1).gather(1, token)
        bench.time("token_logprob", logprob, size=f"N {R} V {V}", bytes=4 * R * V)
        for rows in (1, 64):
            draw = lambda: torch.multinomial(logits[:rows].softmax(-1), 1)
            bench.time("sample", draw, size=f"B {min(rows, R)} V {V}")


def step(bench, model, name, B, T):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=bench.device == "cuda")
    V, C, L = (model.sizes[key] for key in "VCL")
    ids = torch.randint(V, (B, T + 1), device=bench.device)

    def work():
        logits, _ = model(ids[:, :-1])
        functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    flop = 6 * B * T * (L * 12 * C * C + V * C) + B * T * (T + 1) // 2 * L * 18 * C
    bench.time(f"training step, {name}", work, size=f"B {B} T {T}", flop=flop)


def decode(bench, model, B, T=32, tokens=16):
    ids = torch.randint(model.sizes["V"], (B, T), device=bench.device)

    @torch.no_grad()
    def draw(count):
        logits, past = model(ids)
        for t in range(count):
            token = torch.multinomial(logits[:, -1].softmax(-1), 1)
            logits, past = model(token, past, T + t)

    draw(tokens)
    empty = min(bench.sample(lambda: draw(0), 1) for _ in range(3))
    times = [(bench.sample(lambda: draw(tokens), 1) - empty) / tokens for _ in range(5)]
    middle = statistics.median(times)
    spread = (max(times) - min(times)) / middle
    say(name="decode: decode step", size=f"B {B} T {T}+{tokens}", seconds=middle, spread=spread)


def models(bench, label):
    default, large = (LITTLE, LITTLE) if bench.small else (DEFAULT, GPT2)
    batches = [(2, 16)] if bench.small else [(4, 64), (4, 1024)]
    model = Model(**default).to(bench.device)
    step(bench, model, f"default model, {label}", *((2, 16) if bench.small else (48, 24)))
    model = Model(**large).to(bench.device)
    for B, T in batches:
        step(bench, model, f"GPT-2 124M, {label}", B, T)
    if label == "f32":
        for B in (1, 64):
            decode(bench, model, B)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=80)
    parser.add_argument("--small", action="store_true")
    args = parser.parse_args()
    if not args.small and not torch.cuda.is_available():
        return say(absent="torch finds no CUDA device")
    device = "cpu" if args.small else "cuda"
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    say(name="version", note=f"{torch.__version__} on {name}")
    bench = Bench(device, args.seconds, args.small)
    for label, tf32 in (("f32", False), ("TF32", True)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        models(bench, label)
        products(bench, label)
        if not tf32:
            kernels(bench)
    return None


main()
