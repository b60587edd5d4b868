"""docs/speed.svg and the tables of docs/speed.md, from docs/speed.json."""

import math
import re

from shapes import CELLS, SHAPES

MODES = {"train": "Training step", "infer": "Whole sequences", "stream": "Single steps"}
OURS = ("elman", "elman 2", "elman avx2")
#: What the names of peers on two threads end with.
TWO = ", 2 threads"


def best(workload, two=False, of="median"):
    """Name and time of the fastest peer on one thread; or on one or two."""
    peers = {n: m[of] for n, m in workload["peers"].items() if n not in OURS and (two or not n.endswith(TWO))}
    name = min(peers, key=peers.get)
    return name, peers[name]


def seconds(t):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if t * scale >= 1 or unit == "µs":
            return f"{t * scale:.3g} {unit}"


def mean(numbers):
    numbers = list(numbers)
    return math.exp(sum(map(math.log, numbers)) / len(numbers)) if numbers else float("nan")


def mode_table(workloads, mode):
    found = [w for w in workloads if w["mode"] == mode]
    if not found:
        return ""
    peers = [p for p in ("oneDNN", "oneDNN 2", "PyTorch", "JAX", "ONNX Runtime", "Candle", "tract")
             if any(p in w["peers"] for w in found)]
    head = ["", "elman", "share of peak", *peers, "best peer / elman", "AVX2: PyTorch / elman"]
    lines = [f"### {MODES[mode]}, one thread", ""]
    for cell in CELLS:
        rows = [w for shape in SHAPES[mode] for w in found if (w["cell"], w["shape"]) == (cell, shape)]
        if not rows:
            continue
        lines += [f"**{cell}**", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for w in rows:
            own = w["peers"]["elman"]["median"]
            share = w["flops"] / own / 1e9 / w["peak_gflops"]
            times = [seconds(w["peers"][p]["median"]) if p in w["peers"] else "–" for p in peers]
            avx2 = w["peers"].get("elman avx2")
            narrow = f"{w['peers']['PyTorch']['median'] / avx2['median']:.2f}" if avx2 else "–"
            lines.append("| " + " | ".join([w["shape"], seconds(own), f"{100 * share:.0f} %", *times,
                                            f"**{best(w)[1] / own:.2f}** {best(w)[0]}", narrow]) + " |")
        for of, name in (("median", "geometric mean of peer / elman"), ("minimum", "the same of the fastest repetitions")):
            ratio = lambda p: mean(w["peers"][p][of] / w["peers"]["elman"][of] for w in rows if p in w["peers"])
            overall = mean(best(w, of=of)[1] / w["peers"]["elman"][of] for w in rows)
            lines.append(f"| {name} | 1 | | " + " | ".join(f"{ratio(p):.2f}" for p in peers) + f" | {overall:.2f} | |")
        lines.append("")
    return "\n".join(lines)


def threads_table(workloads):
    rows = [w for w in workloads if "elman 2" in w["peers"] and w["mode"] == "train"]
    if not rows:
        return ""
    shapes = [s for s in SHAPES["train"] if any(w["shape"] == s for w in rows)]
    lines = ["### Two threads: how many times as fast as one", "", "| | " + " | ".join(shapes) + " |",
             "|---" * (len(shapes) + 1) + "|"]
    for cell in CELLS:
        by = {w["shape"]: w["peers"]["elman"]["median"] / w["peers"]["elman 2"]["median"] for w in rows if w["cell"] == cell}
        if by:
            lines.append(f"| {cell} | " + " | ".join(f"{by[s]:.2f}" if s in by else "–" for s in shapes) + " |")
    return "\n".join(lines) + "\n\n" + shared_steps(workloads)


def shared_steps(workloads):
    """Single steps whose units two threads share, beside peers on one or two threads."""
    rows = [w for w in workloads if "elman 2" in w["peers"] and w["mode"] == "stream"]
    if not rows:
        return ""
    lines = ["### Single steps, units shared by two threads", "",
             "| | | elman, 2 threads | one thread / two | best peer, on one or two threads / elman |", "|---|---|---|---|---|"]
    for cell in CELLS:
        for w in (w for shape in SHAPES["stream"] for w in rows if (w["cell"], w["shape"]) == (cell, shape)):
            own, (name, peer) = w["peers"]["elman 2"]["median"], best(w, two=True)
            lines.append(f"| {cell} | {w['shape']} | {seconds(own)} | {w['peers']['elman']['median'] / own:.2f} "
                         f"| **{peer / own:.2f}** {name} |")
    return "\n".join(lines) + "\n"


def machine(results):
    m = results["machine"]
    versions = ", ".join(f"{n} {v}" for n, v in sorted(m["versions"].items()))
    peaks = [w["peak_gflops"] for w in results["workloads"]]
    worst = max(p["difference"] for w in results["workloads"] for p in w["peers"].values())
    return (f"Processor: {m['processor']}, {m['cores']} cores. Fused multiply-adds of one core, measured beside each "
            f"workload: {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s. {m['system']}. {versions}.\n\nNo result of any peer "
            f"differs from PyTorch's by more than {worst:.0e} of its largest number.\n")


def picture(workloads):
    """Bars of best peer / elman on a logarithmic scale, a block for each mode and cell."""
    rows, top = [], 8
    for mode in MODES:
        for cell in CELLS:
            found = [w for s in SHAPES[mode] for w in workloads if (w["mode"], w["cell"], w["shape"]) == (mode, cell, s)]
            if found:
                rows.append((f"{MODES[mode].lower()}, {cell}", found))
    left, right, line = 70, 560, 18
    log = lambda r: left + (right - left) * math.log(min(max(r, 0.8), 16) / 0.8) / math.log(16 / 0.8)
    parts, y = [], 24
    for title, found in rows:
        y += 12
        parts.append(f'<text class="h" x="{left}" y="{y}">{title}</text>')
        y += top
        for w in found:
            name, t = best(w)
            r = t / w["peers"]["elman"]["median"]
            parts += [f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{w["shape"]}</text>',
                      f'<rect x="{log(1) if r >= 1 else log(r):.1f}" y="{y + 2}" width="{abs(log(r) - log(1)):.1f}" height="12"/>',
                      f'<text class="v" x="{max(log(r), log(1)) + 6:.1f}" y="{y + 12}">{r:.2f} {name}</text>']
            y += line
        y += 10
    ticks = "".join(f'<line x1="{log(r):.1f}" x2="{log(r):.1f}" y1="24" y2="{y}" class="{"one" if r == 1 else ""}"/>'
                    f'<text x="{log(r):.1f}" y="16" text-anchor="middle">{r}×</text>' for r in (1, 2, 5, 10))
    style = ("text{font:12px system-ui,sans-serif;fill:#444}.h{font-weight:600;fill:#222}.v{fill:#666}rect{fill:#2f6f9f}"
             "line{stroke:#ddd}line.one{stroke:#888}@media(prefers-color-scheme:dark){text{fill:#bbb}.h{fill:#eee}"
             ".v{fill:#999}rect{fill:#69a7d3}line{stroke:#333}line.one{stroke:#888}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {y + 8}" role="img">'
            f"<title>Time of the best peer divided by elman's</title><style>{style}</style>{ticks}{''.join(parts)}</svg>\n")


def write(results, docs):
    workloads = results["workloads"]
    (docs / "speed.svg").write_text(picture(workloads))
    page = docs / "speed.md"
    made = {"machine": machine(results), "threads": threads_table(workloads),
            **{mode: mode_table(workloads, mode) for mode in MODES}}
    text = page.read_text()
    for name, body in made.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + body.strip() + "\n" + m[2], text, flags=re.S)
    page.write_text(text)
