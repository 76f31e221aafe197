"""Inside the user-mode Linux: runs shell commands on request over the serial line.

The command is a file /lab/ID, because the serial line loses its tail when more than 4 kB come at once.
Request: a line of ID and seconds. Response: a line of JSON with id, code, stdout, stderr.
Commands run at the same time; one that does not end in time is killed and answered with code 124.
"""

import json
import os
import signal
import subprocess
import threading

line = open("/dev/ttyS0", "r+b", buffering=0)
writing = threading.Lock()


def answer(value):
    octets = json.dumps(value).encode() + b"\n"
    with writing:
        while octets:
            octets = octets[line.write(octets):]


def run(id, seconds):
    process = subprocess.Popen(
        ["sh", f"/lab/{id}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = 124
    out, err = out.decode(errors="replace"), err.decode(errors="replace")
    answer({"id": id, "code": code, "stdout": out, "stderr": err})


answer({"id": 0, "code": 0, "stdout": "ready", "stderr": ""})
pending = b""
while octets := os.read(line.fileno(), 65536):
    *requests, pending = (pending + octets).split(b"\n")
    for request in requests:
        id, seconds = request.split()
        threading.Thread(target=run, args=(int(id), float(seconds))).start()
