"""Virtual environments below target/venvs with the peers in pinned versions, made once."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / "target" / "venvs"
PYTEST = "pytest==9.2.0"
PEERS = {
    "plain": [],
    "randomly": ["pytest-randomly==5.1.0"],
    "xdist": ["pytest-xdist==3.8.0"],
    "repeat": ["pytest-repeat==0.9.4"],
    "flakefinder": ["pytest-flakefinder==1.1.0"],
    "test-pollution": ["detect-test-pollution==1.2.0"],
    "bisect-tests": ["pytest-bisect-tests==0.3.0"],
    "find-dependencies": ["pytest-find-dependencies==0.6.0"],
    "whyflaky": ["whyflaky==0.1.0"],
}
HEAVY = ["numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "matplotlib==3.11.2"]
_TELLS_WHERE = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


def environment(peer, heavy=False):
    """The folder with the programs of a peer's environment; `heavy` lends it the libraries of the heavy suite.

    pytest-randomly imports numpy where it finds it: only the heavy suite may have it around.
    """
    if not heavy:
        return _made("peer-" + peer, [PYTEST, *PEERS[peer]])
    programs = _made("peer-" + peer + "-heavy", [PYTEST, *PEERS[peer]])
    lent = _site(_made("peer-heavy", HEAVY))
    (Path(_site(programs)) / "lent.pth").write_text(lent + "\n")
    return programs


def _made(name, requirements):
    home = VENVS / name
    stamp = home / "made"
    wanted = "\n".join([sys.version, *requirements])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {home.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        stamp.write_text(wanted)
    return home / "bin"


def _site(programs):
    asked = subprocess.run([programs / "python", "-c", _TELLS_WHERE], check=True, stdout=subprocess.PIPE)
    return asked.stdout.decode().strip()
