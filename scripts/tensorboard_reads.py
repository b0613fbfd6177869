"""Event files of `train --log tensorboard`, read back by TensorBoard itself and by trackio.

Trains a short run, looks at it with TensorBoard's own reader, cuts the file as a kill would, continues the
run, and looks again with the same reader, as a TensorBoard that goes on meanwhile would. Then TensorBoard is
started (its data server reads the files by other code) and asked over loopback, and trackio imports the
event file and metrics.csv into a folder of its own. pandas reads every table.

By hand, from the root of the repository (versions that it was last run with):

    python3 -m venv /tmp/tb && /tmp/tb/bin/pip install tensorboard==2.21.0 pandas==3.1.1 \
        trackio==0.43.0 tbparse==0.0.9
    /tmp/tb/bin/python scripts/tensorboard_reads.py
"""

import glob
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

os.environ["TRACKIO_DIR"] = tempfile.mkdtemp()

import numpy
import pandas
import tbparse
import tensorboard
import trackio
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trackio.sqlite_storage import SQLiteStorage

PARENT = "runs/tensorboard-reads"
RUN = f"{PARENT}/run"


def train(*words):
    subprocess.run(["deno", "task", "train", *words, "--quiet"], check=True)


def expected():
    """(tag, step) of every number that the tables have, and its value in 32 bits."""
    values = {}
    metrics = pandas.read_csv(f"{RUN}/metrics.csv")
    for _, row in metrics.iterrows():
        for name in metrics.columns[1:]:
            if not math.isnan(row[name]):
                values[name, int(row["step"])] = numpy.float32(row[name])
    evaluations = pandas.read_csv(f"{RUN}/evaluations.csv")
    for _, row in evaluations.iterrows():
        for name in ["exact", "reward", "tokens"]:
            tag = f"evaluation/{row['phase'].split(':')[1]}/{name}"
            values[tag, int(row["step"])] = numpy.float32(row[name])
    return values


def check_reader(reader):
    """Every number of the tables once, no other, and the texts."""
    reader.Reload()
    tags = reader.Tags()
    events = [(tag, event) for tag in tags["scalars"] for event in reader.Scalars(tag)]
    found = {(tag, event.step): numpy.float32(event.value) for tag, event in events}
    assert len(found) == len(events), "a step has a value twice"
    assert found == expected(), set(found.items()) ^ set(expected().items())
    assert sorted(tags["tensors"]) == ["completions/heldout", "completions/train", "config"]
    for tag in tags["tensors"]:
        assert reader.SummaryMetadata(tag).plugin_data.plugin_name == "text"
        for event in reader.Tensors(tag):
            assert event.tensor_proto.string_val[0].startswith(b"    ")
    times = [event.wall_time for event in reader.Scalars("score/mean")]
    assert times == sorted(times) and time.time() - 3600 < times[0] <= times[-1] <= time.time()
    answers = [event.step for event in reader.Tensors("completions/heldout")]
    print(f"reader: {len(found)} numbers, held-out answers after steps {answers}")


def check_server():
    """What the browser is given, with TensorBoard's data server and without."""
    for fast in ["true", "false"]:
        server = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", PARENT, "--port", "6123",
             f"--load_fast={fast}", "--host", "127.0.0.1", "--samples_per_plugin", "scalars=1000,text=100"],
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(90):
                time.sleep(1)
                found = numbers_shown()
                if found == expected():
                    break
            assert found == expected(), set(found.items()) ^ set(expected().items())
            assert sorted(ask("text/tags")["run"]) == [
                "completions/heldout", "completions/train", "config",
            ]
            answers = ask("text/text", run="run", tag="completions/heldout")
            for answer in answers:
                assert answer["text"].startswith("<pre><code>reward      "), answer["text"]
            print(f"server, data server {fast}: {len(found)} numbers, {len(answers)} texts")
        finally:
            server.terminate()
            server.wait()


def numbers_shown():
    """What the server has of the run's numbers so far: it reads files while it answers."""
    try:
        tags = ask("scalars/tags").get("run", [])
        return {
            (tag, step): numpy.float32(value)
            for tag in tags
            for _, step, value in ask("scalars/scalars", run="run", tag=tag)
        }
    except OSError:
        return {}


def ask(path, **query):
    url = f"http://127.0.0.1:6123/data/plugin/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def check_imports():
    """trackio takes the event file with every name, and metrics.csv with names that it shortens."""
    trackio.import_tf_events(PARENT, project="events")
    logs = SQLiteStorage.get_logs("events", "run")
    values = {(tag, log["step"]): log[tag] for log in logs for tag in log if (tag, log["step"]) in expected()}
    assert len(values) == len(expected()), (len(values), len(expected()))
    trackio.import_csv(f"{RUN}/metrics.csv", project="tables", name="run")
    rows = SQLiteStorage.get_logs("tables", "run")
    metrics = pandas.read_csv(f"{RUN}/metrics.csv")
    assert [row["step"] for row in rows] == list(metrics["step"])
    assert numpy.allclose([row["score/mean"] for row in rows], metrics["score/mean"], rtol=1e-15)
    for name in ["metrics", "timings", "evaluations", "completions"]:
        table = pandas.read_csv(f"{RUN}/{name}.csv")
        print(f"pandas: {name}.csv, {table.shape[0]} rows of {table.shape[1]}")
    assert all(kind.kind in "fi" for kind in metrics.dtypes), metrics.dtypes


def log_file():
    return max(glob.glob(f"{RUN}/events.out.tfevents.*"))


print(f"tensorboard {tensorboard.__version__}, pandas {pandas.__version__}, trackio {trackio.__version__}")
if not os.path.exists(f"{RUN}/summary.json"):
    train("colors", "--steps", "4", "--evaluate-every", "2", "--log", "tensorboard", "--out", RUN)
first = log_file()
guidance = {"scalars": 0, "tensors": 0}
watching = EventAccumulator(RUN, size_guidance=guidance)
check_reader(watching)
with open(first, "r+b") as file:
    file.truncate(os.path.getsize(first) - 5)
check_steps = int(pandas.read_csv(f"{RUN}/metrics.csv")["step"].max())
train("--resume", RUN, "--steps", str(check_steps + 1))
assert log_file() > first
check_reader(watching)
check_reader(EventAccumulator(RUN, size_guidance=guidance))
check_server()
check_imports()
print("all is read back")
