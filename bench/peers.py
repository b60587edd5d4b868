"""elman beside its peers on the same weights and inputs: forward and backward, forward alone (T1 to T8) and single steps
(S16 to S1024).

    python bench/peers.py run [--cells elman,lstm,gru] [--modes train,stream,infer] [--shapes T1,S16,…] [--rounds 5]
    python bench/peers.py write

`run` starts all peers at once and lets them take turns, `rounds` times each workload, so that what disturbs the machine
disturbs all; it first compares what each computed with what PyTorch computed. Results go to docs/speed.json, workload by
workload; `write` makes docs/speed.svg and the tables of docs/speed.md from it.

Needs: pip install torch jax onnx onnxruntime onednn onednn-devel; cargo and a C++ compiler. A second oneDNN is used where
the environment variable ONEDNN names its folder, with include/ and lib/ (that of the packages onednn-cpu-gomp and
onednn-devel-cpu-gomp has a small step's overhead ten times smaller). A peer that is not there is left out, and that is said.
"""

import argparse
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import page  # noqa: E402
from page import TWO  # noqa: E402
from shapes import CELLS, SHAPES, work_of  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = ROOT / "docs" / "speed.json"
RUST = HERE / "peers" / "rust"


class Peer:
    """A process that answers bench/peers/rust/src/lib.rs's questions."""

    def __init__(self, name, command, threads=1, **environment):
        self.name, self.threads = name, threads
        environment = {k: str(v) for k, v in environment.items()}
        one = {k: str(threads) for k in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
        self.process = subprocess.Popen(
            [str(c) for c in command], text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, **one, **environment})

    def ask(self, line):
        """The answer. Between two questions the process is stopped: threads of some libraries spin while they wait."""
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        except BrokenPipeError:
            return ""
        finally:
            self.process.send_signal(signal.SIGSTOP)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # its own threads may take longer to end, and it has said all that it had to
            self.process.kill()
            self.process.wait()


def build():
    """The peers that are compiled, whichever can be made: the path of each, and of the libraries of some."""
    libraries = {}
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=RUST, check=True)
    made = {name: RUST / "target" / "release" / name for name in ("elman", "candle", "tract")}
    data = pathlib.Path(sysconfig.get_path("data"))
    places = {"oneDNN": data}
    if "ONEDNN" in os.environ:
        places["oneDNN 2"] = pathlib.Path(os.environ["ONEDNN"])
    for name, place in places.items():
        program = RUST / "target" / name.replace(" ", "-")
        library = place / "lib"
        command = ["g++", "-O2", "-std=c++17", f"-I{place / 'include'}", HERE / "peers" / "onednn.cpp", "-o", program,
                   f"-L{library}", "-ldnnl", f"-Wl,-rpath,{library}", "-Wl,--allow-shlib-undefined"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            made[name], libraries[name] = program, library
        else:
            print(f"{name}: no library at {place}", file=sys.stderr)
    return made, libraries


def start(made, libraries, names):
    library = pathlib.Path(sysconfig.get_path("data")) / "lib"
    python = [sys.executable, HERE / "peers" / "python.py"]
    commands = {
        "elman": lambda: Peer("elman", [made["elman"]]),
        "elman 2": lambda: Peer("elman 2", [made["elman"]], 2),
        "elman avx2": lambda: Peer("elman avx2", [made["elman"]], ELMAN_LEVEL="avx2"),
        "PyTorch": lambda: Peer("PyTorch", [*python, "pytorch"]),
        # Told to use one thread it uses two all the same where matrices are large.
        "JAX": lambda: Peer("JAX", ["taskset", "-c", "0", *python, "jax"]),
        "ONNX Runtime": lambda: Peer("ONNX Runtime", [*python, "onnxruntime"]),
        "Candle": lambda: Peer("Candle", [made["candle"]]),
        "tract": lambda: Peer("tract", [made["tract"]]),
    }
    for name in made:
        if name.startswith("oneDNN"):
            # The build on SYCL takes its number of threads from the processors that it may use.
            found = {"LD_LIBRARY_PATH": f"{libraries[name]}:{library}", "OCL_ICD_FILENAMES": library / "libintelocl.so"}
            commands[name] = lambda name=name, found=found: Peer(name, ["taskset", "-c", "0", made[name]], **found)
            commands[name + TWO] = lambda name=name, found=found: Peer(name + TWO, [made[name]], 2, **found)
    for name, word in (("PyTorch", "pytorch"), ("JAX", "jax"), ("ONNX Runtime", "onnxruntime")):
        commands[name + TWO] = lambda name=name, word=word: Peer(name + TWO, [*python, word], 2)
    return [make() for name, make in commands.items() if not names or name in names]


def takes_part(peer, mode, shape):
    """Two threads train whole batches, and share the units of single steps where they are many; peers on two threads are
    asked for single steps only, as what one core's caches hold decides there."""
    many = shape[1] >= 128
    if peer.threads == 1:
        return True
    return many if mode == "stream" else mode == "train" and peer.name == "elman 2"


def prepare(folder, cell, mode, shape):
    """Weights, inputs and the ONNX file of a workload."""
    f, h, b, t = shape
    stream, gates = mode == "stream", CELLS[cell]
    random = np.random.default_rng(1)
    scale = h**-0.5
    data = {
        "x": random.standard_normal((64, f) if stream else (t, b, f)),
        "w_ih": random.uniform(-scale, scale, (gates * h, f)),
        "w_hh": random.uniform(-scale, scale, (gates * h, h)),
        "b_ih": random.uniform(-scale, scale, gates * h),
        "b_hh": random.uniform(-scale, scale, gates * h),
    }
    data = {name: numbers.astype("<f4") for name, numbers in data.items()}
    for name, numbers in data.items():
        numbers.tofile(folder / name)
    if mode != "train":
        write_onnx(folder / "net.onnx", cell, data, (1, 1, f, h) if stream else (t, b, f, h))


def write_onnx(path, cell, data, shape):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    t, b, f, h = shape
    # ONNX's order of gates, as places in PyTorch's.
    order = {"elman": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}[cell]
    turn = lambda a: np.concatenate([a[g * h : (g + 1) * h] for g in order])
    weights = [numpy_helper.from_array(turn(data["w_ih"])[None], "W"),
               numpy_helper.from_array(turn(data["w_hh"])[None], "R"),
               numpy_helper.from_array(np.concatenate([turn(data["b_ih"]), turn(data["b_hh"])])[None], "B")]
    states = ["h", "c"] if cell == "lstm" else ["h"]
    extra = {"linear_before_reset": 1} if cell == "gru" else {}
    node = helper.make_node({"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}[cell],
                            ["x", "W", "R", "B", "", *states], ["y", *(f"{s}_after" for s in states)],
                            hidden_size=h, **extra)
    value = lambda name, dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
    graph = helper.make_graph(
        [node], "net", [value("x", [t, b, f])] + [value(s, [1, b, h]) for s in states],
        [value("y", [t, 1, b, h])] + [value(f"{s}_after", [1, b, h]) for s in states], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    onnx.save(model, path)


def compare(folder, peers, mode):
    """Largest difference from PyTorch of each result of each peer, relative to the result's own largest number."""
    parts = ["y", *(("w_ih", "w_hh", "b_ih", "b_hh") if mode == "train" else ())]
    worst = {}
    for peer in peers:
        errors = []
        for part in parts:
            ours, theirs = folder / f"{tag(peer)}.{part}", folder / f"PyTorch.{part}"
            a, b = np.fromfile(ours, "<f4"), np.fromfile(theirs, "<f4")
            same = a.shape == b.shape and np.isfinite(a).all()
            errors.append(float(np.abs(a - b).max() / np.abs(b).max()) if same else float("inf"))
        worst[peer.name] = max(errors)
    return worst


def tag(peer):
    return peer.name.replace(" ", "-").replace(",", "")


def measure(peers, folder, cell, mode, name, rounds, seconds):
    shape = SHAPES[mode][name]
    prepare(folder, cell, mode, shape)
    ready, how = [], {}
    for peer in peers:
        if not takes_part(peer, mode, shape):
            continue
        line = f"load {folder} {tag(peer)} {cell} {mode} {peer.threads} " + " ".join(map(str, shape))
        answer = peer.ask(line)
        if answer.startswith("ok"):
            ready.append(peer)
            how[peer.name] = answer[3:]
        else:
            print(f"  {peer.name}: {answer or 'it ended'}", file=sys.stderr)
    worst = compare(folder, ready, mode)
    for peer in [p for p in ready if not worst[p.name] < 1e-3]:
        print(f"{name} {cell} {mode}: {peer.name} computes something else ({worst[peer.name]:.1e})", file=sys.stderr)
        ready.remove(peer)
    times = {peer.name: [] for peer in ready}
    for round in range(rounds):
        # Every other round backwards, so that nobody always follows the same one.
        for peer in ready[:: -1 if round % 2 else 1]:
            times[peer.name] += map(float, peer.ask(f"time {seconds}").split())
    own = next(p for p in peers if p.name == "elman")
    own.ask(f"load {folder} elman elman peak 1 1 1 1 1")
    peak = float(np.fromfile(folder / "elman.y", "<f4")[0])
    return {
        "cell": cell, "mode": mode, "shape": name, "sizes": dict(zip("FHBT", shape)), "peak_gflops": peak,
        "flops": work_of(cell, mode, shape),
        "peers": {n: {"median": statistics.median(t), "minimum": min(t), "repetitions": len(t), "how": how[n],
                      "difference": worst[n]} for n, t in times.items()},
    }


def machine():
    model = [l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith(("model name", "cpu family", "model\t"))]
    versions = {n: metadata.version(n) for n in ("torch", "jax", "onnxruntime", "numpy")}
    versions |= {f"{n} (library)": metadata.version(n) for n in ("onednn", "onednn-cpu-gomp") if n in packages()}
    lock = (RUST / "Cargo.lock").read_text()
    for name in ("candle-core", "tract-onnx"):
        versions[name] = lock.split(f'name = "{name}"\nversion = "')[1].split('"')[0]
    return {"processor": " · ".join(dict.fromkeys(model[:3])), "cores": os.cpu_count(), "system": platform.platform(),
            "versions": versions}


def packages():
    return {d.metadata["Name"].lower() for d in metadata.distributions()}


def run(arguments):
    made, libraries = build()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"workloads": []}
    results["machine"] = machine()
    peers = start(made, libraries, arguments.peers.split(",") if arguments.peers else [])
    with tempfile.TemporaryDirectory() as folder:
        for mode in arguments.modes.split(","):
            names = [n for n in SHAPES[mode] if not arguments.shapes or n in arguments.shapes.split(",")]
            for cell in arguments.cells.split(","):
                for name in names:
                    print(f"{mode} {cell} {name}", file=sys.stderr, flush=True)
                    found = measure(peers, pathlib.Path(folder), cell, mode, name, arguments.rounds, arguments.seconds)
                    for peer, m in found["peers"].items():
                        print(f"  {peer:16} {m['median'] * 1e6:12.2f} µs   {m['difference']:.0e}  {m['how']}", flush=True)
                    same = lambda w: (w["cell"], w["mode"], w["shape"]) == (cell, mode, name)
                    results["workloads"] = [w for w in results["workloads"] if not same(w)] + [found]
                    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for peer in peers:
        peer.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "write"])
    parser.add_argument("--cells", default="elman,lstm,gru")
    parser.add_argument("--modes", default="train,stream,infer")
    parser.add_argument("--shapes", default="")
    parser.add_argument("--peers", default="", help="only these; PyTorch and elman must be among them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each peer in each round, at least")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments)
    else:
        page.write(json.loads(RESULTS.read_text()), ROOT / "docs")


if __name__ == "__main__":
    main()
