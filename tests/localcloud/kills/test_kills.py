"""SIGKILL at any moment: no half-applied job, no torn object, nothing acknowledged lost."""

import random
import threading
import time
from pathlib import Path

import urllib3

from tests.localcloud.kills.cloud_process import CloudProcess
from tests.localcloud.kills.lanes import Lane, lanes_on

KILLS = 16
LONGEST_S = 0.4


class Writing(threading.Thread):
    """Go on with a lane until the cloud is killed."""

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self.lane = lane
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while True:
                self.lane.step()
        except urllib3.exceptions.HTTPError:  # killed
            pass
        except Exception as failure:  # noqa: BLE001  # the test raises it
            self.failure = failure


def test_kills_at_random_moments_leave_every_job_done_or_not_begun_and_every_object_whole(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    cloud = CloudProcess.of(tmp_path / "data")
    with cloud.killed_at_the_end() as process:
        cloud.wait(process)
        lanes = lanes_on(cloud)
    for kill in range(KILLS):
        moment_s = chance.uniform(0, LONGEST_S)
        if chance.random() < 0.25:
            with cloud.killed_at_the_end():
                time.sleep(chance.uniform(0, 0.1))  # while it starts, or does again what it had not done
        with cloud.killed_at_the_end() as process:
            cloud.wait(process)
            for lane in lanes:
                lane.settle()
            writers = [Writing(lane) for lane in lanes]
            for writer in writers:
                writer.start()
            time.sleep(moment_s)
        for writer in writers:
            writer.join()
            if writer.failure:
                raise AssertionError(f"seed {seed}, kill {kill} at {moment_s:.3f} s") from writer.failure
    with cloud.killed_at_the_end() as process:
        cloud.wait(process)
        for lane in lanes:
            lane.settle()
