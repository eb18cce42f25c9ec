import os
import signal
import subprocess
import sys
import threading


def test_process():
    subprocess.Popen(["sleep", "3600"])


def test_session_of_its_own():
    subprocess.Popen(["sleep", "3600"], start_new_session=True, stdout=subprocess.DEVNULL)


def test_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def test_descriptors():
    os.closerange(100, 400)


def test_signals():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def test_directory(tmp_path):
    os.chdir(tmp_path)
    tmp_path.rmdir()


def test_standard_streams():
    sys.stdout = sys.stderr = None


def test_arguments():
    sys.argv.clear()
