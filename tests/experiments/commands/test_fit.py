"""`atelier fit`."""

from experiments.run.configuration import config_files
from tests.support.run_files import RUN_FILES


def test_fit_is_the_same_run_through_lightnings_command_line(cli, tmp_path, mask):
    configs = [f"--config={file}" for file in config_files("soulstyler", "embedded")]
    result = cli(
        *["fit", *configs, "--data.image", "skimage:chelsea", "--data.style=fire"],
        *[f"--data.mask={mask}", "--data.size=96", "--trainer.max_steps", 2, "--run.out=run"],
        "--wandb.enabled=false",
    )
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == RUN_FILES
    assert len((tmp_path / "run" / "losses.csv").read_text().splitlines()) == 1 + 2
