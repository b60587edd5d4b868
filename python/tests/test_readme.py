"""The README's first ten minutes, as a user types them."""

import re
from pathlib import Path

import matplotlib

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    section = README.split("## From Python\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_first_ten_minutes(capsys):
    matplotlib.use("Agg")
    names = {}
    code = blocks("python")
    assert len(code) >= 2
    for block in code:
        exec(compile(block, "README.md", "exec"), names)
    assert Path("load.png").stat().st_size > 10_000
    assert Path("runs/array/report.html").exists()
    said = capsys.readouterr().out
    network, rival = (float(number) for number in re.search(r"error ([\d.]+), of the best baseline ([\d.]+);", said).groups())
    assert network < rival, "the README shows a network that earns its place"


def test_the_install_commands_are_those_that_the_wheel_is_made_with():
    (install,) = blocks("sh")
    assert "pip install ./python" in install
