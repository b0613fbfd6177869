"""`train colors --reward exact` by TRL 0.11.4's PPO, for `deno task bench:trl`.

    pip install torch==2.5.1 transformers==4.46.3 trl==0.11.4 numpy==1.26.4 rich datasets==2.21.0 pyarrow==17.0.0
    python scripts/trl_colors.py MODEL EXAMPLES SETTINGS

MODEL is a folder for transformers; EXAMPLES a JSON file of `train` and `heldout`, each a list of
`prompt` and `answer`; SETTINGS a JSON file of the run's settings under this project's names. The value
head begins at zero, and sampling is from the whole distribution, as here. `dropout` in the settings is that
of every layer and of the value head, 0 where it is left out; TRL never turns it off again after its first
update, so that it samples with it, and greedy answers are given without. Prints one line of JSON: seconds
of each step (from its prompts to its update), and the share of held-out prompts whose greedy completion is
right, before and after.
"""

import json
import os
import sys
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

import torch
import trl
from transformers import AutoTokenizer
from trl import AutoModelForCausalLMWithValueHead, PPOConfig, PPOTrainer


def load(folder, dropout):
    names = ("summary_dropout_prob", "resid_pdrop", "embd_pdrop", "attn_pdrop")
    model = AutoModelForCausalLMWithValueHead.from_pretrained(
        folder, torch_dtype=torch.float32, **dict.fromkeys(names, dropout)
    )
    torch.nn.init.zeros_(model.v_head.summary.weight)
    torch.nn.init.zeros_(model.v_head.summary.bias)
    return model


def trainer_of(folder, tokenizer, s):
    assert s["minibatches"] == 1 and s["klControl"] == "fixed" and s["weightDecay"] == 0, s
    assert s["learningRateSchedule"] == "linear" and s["learningRateFinal"] == 0, s
    config = PPOConfig(
        batch_size=s["batchSize"],
        mini_batch_size=s["batchSize"],
        ppo_epochs=s["epochs"],
        learning_rate=s["learningRate"],
        max_grad_norm=s["maxGradNorm"],
        adap_kl_ctrl=False,
        init_kl_coef=s["klCoefficient"],
        gamma=s["gamma"],
        lam=s["lambda"],
        cliprange=s["clipHigh"],
        cliprange_value=s["valueClip"],
        vf_coef=s["valueCoefficient"],
        seed=s["seed"],
    )
    dropout = s.get("dropout", 0.0)
    model, reference = load(folder, dropout), load(folder, 0.0)
    betas = (s["adamBeta1"], s["adamBeta2"])
    adam = torch.optim.Adam(model.parameters(), lr=s["learningRate"], betas=betas, eps=s["adamEps"])
    decline = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / s["totalSteps"])
    return PPOTrainer(config, model, reference, tokenizer, optimizer=adam, lr_scheduler=decline)


class Run:
    def __init__(self, folder, settings):
        self.settings = settings
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.tokenizer.pad_token = self.tokenizer.eos_token
        self.trainer = trainer_of(folder, self.tokenizer, settings)

    def answers(self, examples, **how):
        """Prompts and responses as tokens, and which responses are right."""
        queries = [torch.tensor(self.tokenizer.encode(one["prompt"])) for one in examples]
        responses = self.trainer.generate(
            queries,
            batch_size=len(queries),
            return_prompt=False,
            max_new_tokens=self.settings["maxNewTokens"],
            pad_token_id=self.tokenizer.eos_token_id,
            **how,
        )
        texts = self.tokenizer.batch_decode(responses, skip_special_tokens=True)
        right = [float(t.strip() == one["answer"].strip()) for t, one in zip(texts, examples)]
        return queries, responses, right

    def exact(self, examples):
        model = self.trainer.model
        was_training = model.training
        model.eval()
        with torch.no_grad():
            right = self.answers(examples, do_sample=False)[2]
        model.train(was_training)
        return sum(right) / len(right)

    def step(self, examples):
        start = time.perf_counter()
        sampling = dict(do_sample=True, top_k=0, top_p=1.0, temperature=self.settings["temperature"])
        queries, responses, right = self.answers(examples, **sampling)
        self.trainer.step(queries, responses, [torch.tensor(score) for score in right])
        return time.perf_counter() - start


def main():
    folder, examples, settings = sys.argv[1:]
    with open(examples) as file:
        examples = json.load(file)
    with open(settings) as file:
        settings = json.load(file)
    assert trl.__version__ == "0.11.4", trl.__version__
    torch.set_num_threads(2)
    torch.manual_seed(settings["seed"])
    run = Run(folder, settings)
    before = run.exact(examples["heldout"])
    seconds, order = [], []
    for _ in range(settings["totalSteps"]):
        if len(order) < settings["batchSize"]:
            order += torch.randperm(len(examples["train"])).tolist()
        batch, order = order[: settings["batchSize"]], order[settings["batchSize"] :]
        seconds.append(run.step([examples["train"][i] for i in batch]))
    after = run.exact(examples["heldout"])
    versions = f"TRL {trl.__version__}, PyTorch {torch.__version__}"
    print(json.dumps(dict(name=versions, seconds=seconds, before=before, after=after)))


main()
