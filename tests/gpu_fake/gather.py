"""Print the facts and verdicts of the GPU probe as JSON; arguments: root of a file tree, NVML's deadline in s."""

import json
import sys

from probes.gpu import PROBE, gather_within
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings

if __name__ == "__main__":
    facts = gather_within(Host(LiveDoor(sys.argv[1])), float(sys.argv[2]))
    results = PROBE.judge(facts, Judging(PROBE, Settings(), {PROBE.name: facts}))
    answer = {
        "facts": facts.model_dump(mode="json"),
        "results": [result.model_dump(mode="json") for result in results],
        "summary": PROBE.summarise(facts),
    }
    print(json.dumps(answer))
