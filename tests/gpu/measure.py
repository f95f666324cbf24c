"""Starts the producer, syncs from it, checks every byte, and prints a table. Called by run.sh, which has checked that the parts are there."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ["APOLLO_CHECKPOINT"]
STAND_IN = os.environ.get("APOLLO_STAND_IN")
ROWS = []


def row(what, measured):
    ROWS.append((what, measured))
    print("  %s: %s" % (what, measured), file=sys.stderr, flush=True)


class Producer:
    def __init__(self, folder, gigabytes):
        memory = [os.path.join(folder, "gpu")] if STAND_IN else []
        command = [sys.executable, os.path.join(HERE, "producer.py"), folder, gigabytes, *memory]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the producer ended: see above")
        return json.loads(line)

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sync(folder, handles, *options):
    """Runs a sync. Gives seconds and the report; ends the run where it fails."""
    environment = dict(os.environ)
    if STAND_IN:
        report = os.path.join(folder, "report")
        environment.update(LD_LIBRARY_PATH=STAND_IN, FAKE_CUDA_MEMORY=os.path.join(folder, "gpu"), FAKE_CUDA_REPORT=report)
    command = [TOOL, "sync", "--model-dir", os.path.join(folder, "model"), "--handles", handles, "--json", *options]
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit("%s exits with %d" % (" ".join(command), done.returncode))
    if STAND_IN:
        with open(report) as file:
            findings = [line.strip() for line in file if line.startswith("finding")]
        if findings:
            sys.exit("the stand-in driver found: %s" % "; ".join(findings))
    return seconds, json.loads(done.stdout)


def check(folder, producer):
    """The files hold what is live, tensor by tensor."""
    live = producer.ask("digest")
    with open(os.path.join(folder, "model", "model.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        for name, digest in live.items():
            begin, end = header[name]["data_offsets"]
            file.seek(8 + length + begin)
            if hashlib.sha256(file.read(end - begin)).hexdigest() != digest:
                sys.exit("tensor %s on disk is not what is live" % name)


def scan_seconds(report):
    stages = report.get("stages") or {}
    if isinstance(stages, list):
        stages = {stage["name"]: stage["seconds"] for stage in stages}
    return stages.get("scan")


def measure(folder, gigabytes):
    producer = Producer(folder, gigabytes)
    total = producer.facts["bytes"]
    handles = os.path.join(folder, "handles")
    one_pass = ("--consistency", "none")
    seconds, report = sync(folder, handles, "--source", "native", *one_pass)
    if report["changed"]:
        sys.exit("the first sync found changes where there are none")
    row("first sync of %.1f GB, handles version 2" % (total / 1e9), "%.2f s, %s" % (seconds, report["sourceDetail"]))
    rate = producer.ask("rate")
    row("device to host, a plain pinned copy", "%.1f GB/s" % (rate / 1e9) if rate else "not measured: no GPU")
    seconds, report = sync(folder, handles, "--source", "native", *one_pass)
    scan = scan_seconds(report)
    share = ", %.0f %% of the plain copy" % (100 * total / scan / rate) if rate and scan else ""
    row("nothing changed, one pass: scan", "%.2f s, %.1f GB/s%s (whole sync %.2f s)" % (scan, total / scan / 1e9, share, seconds))
    producer.ask("step")
    seconds, report = sync(folder, handles)
    if report["source"] != "native CUDA" or not report["changed"]:
        sys.exit("the sync after a step says %s" % json.dumps(report))
    check(folder, producer)
    row("one step, --source auto", "%.2f s, every byte checked" % seconds)
    torch_file = os.path.join(handles, "weights.pt")
    if os.path.exists(torch_file):
        producer.ask("step")
        seconds, _ = sync(folder, torch_file, "--source", "native", "--accept-producer")
        check(folder, producer)
        row("one step, handles version 1 (torch.save), native", "%.2f s, every byte checked" % seconds)
        seconds, _ = sync(folder, torch_file, "--source", "python", "--accept-producer", *one_pass)
        row("the same, nothing changed, through torch", "%.2f s" % seconds)
    else:
        row("handles version 1 (torch.save)", "not measured: torch writes them on a GPU only")
    producer.end()


def measure_vllm(folder):
    """A vLLM on the GPU that publishes through the hook; a sync right after load finds nothing changed."""
    what = "vLLM with the hook, sync right after load"
    model = os.environ.get("APOLLO_GPU_MODEL")
    if STAND_IN or subprocess.run([sys.executable, "-c", "import vllm, apollo_vllm"], stderr=subprocess.DEVNULL).returncode != 0:
        return row(what, "not measured: vllm and apollo_vllm are not installed for %s" % sys.executable)
    if not model:
        return row(what, "not measured: name a model directory: APOLLO_GPU_MODEL=DIR")
    export = os.path.join(folder, "vllm")
    environment = dict(os.environ, APOLLO_EXPORT_DIR=export)
    command = ["vllm", "serve", model, "--load-format", "apollo", "--dtype", "bfloat16", "--enforce-eager", "--port", "8765"]
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr)
    try:
        deadline = time.time() + 600
        while not os.path.exists(os.path.join(export, "index.json")):
            if server.poll() is not None or time.time() > deadline:
                return row(what, "failed: vLLM published nothing in %s" % export)
            time.sleep(1)
        command = [TOOL, "sync", "--dry-run", "--json", "--source", "native", "--model-dir", model, "--handles", export]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        changed = json.loads(done.stdout)["changed"] if done.returncode == 0 else None
        row(what, {False: "nothing changed", True: "FOUND CHANGES", None: "exit %d" % done.returncode}[changed])
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="apollo-gpu-") as temporary:
        measure(temporary, sys.argv[1])
        measure_vllm(temporary)
    print("| what | measured |\n|---|---|")
    for what, measured in ROWS:
        print("| %s | %s |" % (what, measured))
