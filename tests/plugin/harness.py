"""Starts real pytest processes under the plugin and reads what they say."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from xml.etree import ElementTree

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "pytest" / "plugin"


class Result:
    """What one pytest process left behind."""

    def __init__(self, code, output, stream):
        self.code = code
        self.output = output
        self.events = read_stream(stream)

    def all(self, name):
        return [event for event in self.events if event["event"] == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, (name, found, self.output)
        return found[0]

    def phases(self, **wanted):
        return [event for event in self.all("phase") if all(event.get(k) == v for k, v in wanted.items())]

    def bad(self):
        """(position, phase) of all that failed."""
        return [(event["n"], event["when"]) for event in self.phases(outcome="failed")]


def read_stream(path):
    path = Path(path)
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


class Project:
    """A directory with tests, and beside it a place for everything else."""

    def __init__(self, base):
        self.root = base / "project"
        self.away = base / "away"
        self.root.mkdir()
        self.away.mkdir()
        self.suite_path = self.away / "suite.json"
        self.count = 0

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content), encoding="utf-8")
        return self

    def request(self, mode, **more):
        self.count += 1
        stream = self.away / f"stream-{self.count}.jsonl"
        request = {
            "protocol": 1,
            "mode": mode,
            "stream": str(stream),
            "suite": str(self.suite_path),
            "cache": str(self.away / "cache"),
        }
        request.update(more)
        path = self.away / f"request-{self.count}.json"
        path.write_text(json.dumps(request), encoding="ascii")
        return path, stream

    def run_of(self, tests, **more):
        """The description of a run, with folders of its own."""
        self.count += 1
        number = self.count
        tmpdir = self.away / f"tmpdir-{number}"
        tmpdir.mkdir()
        path = self.away / f"order-{number}.json"
        path.write_text(json.dumps(list(tests)), encoding="ascii")
        run = {
            "id": number,
            "order": str(path),
            "junit": str(self.away / f"junit-{number}.xml"),
            "random_seed": 7,
            "basetemp": str(self.away / f"basetemp-{number}"),
            "tmpdir": str(tmpdir),
        }
        run.update(more)
        return run

    def command(self, args):
        cache = "cache_dir=%s" % (self.away / "cache" / "pytest")
        return [sys.executable, "-m", "pytest", "-p", "flakehunt_plugin", "-o", cache, *args]

    def environment(self, request, **env):
        out = dict(os.environ)
        for name in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE", "PYTEST_CURRENT_TEST"):
            out.pop(name, None)
        out["PYTHONPATH"] = str(PACKAGE)
        out["FLAKEHUNT_REQUEST"] = str(request)
        out["PYTHONHASHSEED"] = "0"
        out.update(env)
        return out

    def start(self, mode, args=(), env=None, **more):
        request, stream = self.request(mode, **more)
        done = subprocess.run(
            self.command(args),
            cwd=str(self.root),
            env=self.environment(request, **(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"), stream)

    def collect(self, *args, **env):
        return self.start("collect", args, env)

    def suite(self):
        return json.loads(self.suite_path.read_text(encoding="ascii"))["tests"]

    def run(self, order, *args, env=None, **more):
        """One run of test numbers (or of names, where they are plain)."""
        run = self.run_of(self.numbers(order), **more)
        result = self.start("run", args, env, run=run)
        result.run = run
        return result

    def numbers(self, order):
        names = [test["id"] for test in self.suite()]
        return [i if isinstance(i, int) else names.index(i) for i in order]


class Server:
    """A serving pytest; use it as a context."""

    def __init__(self, project, args=(), env=None):
        self.project = project
        request, self.stream = project.request("serve")
        log = (project.away / "server.log").open("wb")
        self.process = subprocess.Popen(
            project.command(args),
            cwd=str(project.root),
            env=project.environment(request, **(env or {})),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)

    def output(self):
        return (self.project.away / "server.log").read_text(encoding="utf-8", errors="replace")

    def until(self, name, **wanted):
        """Waits for an event of the server."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            dead = self.process.poll() is not None
            for event in read_stream(self.stream):
                if event["event"] == name and all(event.get(k) == v for k, v in wanted.items()):
                    return event
            assert not dead, self.output()
            time.sleep(0.005)
        raise AssertionError((name, wanted, read_stream(self.stream), self.output()))

    def ask(self, tests, **more):
        """Asks for a run and does not wait."""
        number = self.project.count + 1
        more.setdefault("stream", str(self.project.away / f"child-{number}.jsonl"))
        more.setdefault("log", str(self.project.away / f"child-{number}.log"))
        run = self.project.run_of(self.project.numbers(tests), **more)
        self.process.stdin.write(json.dumps(run).encode("ascii") + b"\n")
        self.process.stdin.flush()
        return run

    def result(self, run):
        """Waits for the end of a run."""
        reaped = self.until("reaped", run=run["id"])
        log = Path(run["log"])
        output = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        result = Result(reaped["status"], output, run["stream"])
        result.run, result.reaped = run, reaped
        return result

    def run(self, tests, **more):
        return self.result(self.ask(tests, **more))


def executed(result):
    """The numbers of the tests in the order in which they really started."""
    return [event["i"] for event in result.all("start")]


def junit_cases(path):
    """Each testcase with its properties and the tags of its children."""
    cases = []
    for case in ElementTree.parse(str(path)).getroot().iter("testcase"):
        properties = {p.get("name"): p.get("value") for p in case.iter("property")}
        cases.append((properties, [child.tag for child in case if child.tag != "properties"]))
    return cases
