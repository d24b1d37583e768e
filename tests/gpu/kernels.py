"""Table of the kernels of one step, by torch's profiler: python -m tests.gpu.kernels."""

from __future__ import annotations

from torch.profiler import ProfilerActivity, profile, record_function

from experiments.profiling.stopwatch import synchronized_time
from lightning_modules.steps.observer import Observer
from tests.gpu.subject import DEVICE, WARMUP, build, heading
from tests.gpu.variants import Loop

ROWS = 40


class Labels(Observer):
    """Stages of a step as rows of the profiler's table."""

    def stage(self, name: str) -> record_function:
        return record_function(f"stage {name}")


def main() -> None:
    cli = build()
    method = cli.model.to(DEVICE)
    method.observer = Labels()
    loop = Loop(method, cli.datamodule.task.batch().to(DEVICE))
    for _ in range(WARMUP):
        loop.step()
    cuda = DEVICE.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities, record_shapes=True) as profiler:
        loop.step()
        synchronized_time(DEVICE)
    print(heading())
    order = "self_device_time_total" if cuda else "self_cpu_time_total"
    for shapes in (False, True):
        averages = profiler.key_averages(group_by_input_shape=shapes)
        print(averages.table(sort_by=order, row_limit=ROWS, max_name_column_width=70))


if __name__ == "__main__":
    main()
