"""A process that prepares for longer than a collective waits does not end the others."""

import os
import socket
import subprocess
import sys

CODE = """
import sys, time, torch
from datetime import timedelta
from priorscope.training import distributed
distributed._TIMEOUT = timedelta(seconds=1)
distributed.join(torch.device("cpu"))
if distributed.rank() == int(sys.argv[1]):
    time.sleep(4)
print(distributed.said_by_main(distributed.rank() + 7), flush=True)
distributed.wait_for_all()
distributed.leave()
"""


def test_others_wait_as_long_as_one_prepares():
    for slow in ("0", "1"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", CODE, slow],
                env=shared | {"RANK": rank, "LOCAL_RANK": rank},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in ("0", "1")
        ]
        for process in processes:
            out, error = process.communicate(timeout=120)
            assert process.returncode == 0, error
            assert out.split() == ["7"]
