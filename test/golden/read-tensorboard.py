"""Prints, as JSON, what TensorBoard itself reads from a folder of event files: scalars and histograms by tag.

    python -m venv venv && venv/bin/pip install tensorboard && venv/bin/python test/golden/read-tensorboard.py <folder>

Prints {"skipped": reason} when the package tensorboard is not installed.
"""

import json
import sys


def main(folder):
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        print(json.dumps({"skipped": f"the Python package tensorboard is not installed ({error})"}))
        return
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    scalars = {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]}
    histograms = {
        tag: [
            {"step": event.step, "min": event.histogram_value.min, "max": event.histogram_value.max, "num": event.histogram_value.num}
            for event in events.Histograms(tag)
        ]
        for tag in tags["histograms"]
    }
    print(json.dumps({"scalars": scalars, "histograms": histograms}))


main(sys.argv[1])
