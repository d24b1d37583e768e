"""Commands on machines where the user has no home, no name, or shares the cache with others."""

import json

import pytest

from tests.support.cli import assert_refused
from tests.support.users import as_user, needs_root

pytestmark = needs_root

HOMES = {  # environment of a user whose cache can be written nowhere
    "none": {},
    "empty": {"HOME": ""},
    "pointing nowhere": {"HOME": "/nonexistent/me"},
    "another user's": {"HOME": "/root"},
    "a file": {"HOME": "/etc/hostname"},
    "none, cache closed": {"ATELIER_CACHE": "/root/cache"},
    "none, XDG closed": {"XDG_CACHE_HOME": "/proc/1/cache"},
}
REGISTER = ("weights", "path", "torchvision:vgg19=vgg19.pth")


@pytest.fixture
def open_folder(tmp_path):
    """A folder that every user may write, with an empty file in it."""
    tmp_path.chmod(0o777)
    (tmp_path / "vgg19.pth").touch()
    return tmp_path


@pytest.mark.parametrize("home", HOMES)
def test_a_cache_that_nobody_can_write_is_said_with_the_remedy(open_folder, home):
    result = as_user(*REGISTER, cwd=open_folder, **HOMES[home])
    assert_refused(result, r"Cannot (read|write) /.*weights.json .*; set ATELIER_CACHE to a folder")
    assert [path.name for path in open_folder.iterdir()] == ["vgg19.pth"]


def test_a_user_without_home_and_name_can_work(open_folder):
    parse = as_user("parse", "--parser", "rules", "Turn the cat to fire", cwd=open_folder)
    assert parse.returncode == 0, parse.stderr
    assert json.loads(parse.stdout)[0]["style"] == "fire"
    for variable in ("ATELIER_CACHE", "XDG_CACHE_HOME"):
        result = as_user(*REGISTER, cwd=open_folder, **{variable: str(open_folder / variable)})
        assert result.returncode == 0, result.stderr
    places = {str(path.relative_to(open_folder)) for path in open_folder.rglob("weights.json")}
    assert places == {"ATELIER_CACHE/weights.json", "XDG_CACHE_HOME/atelier/weights.json"}


def test_two_users_of_a_group_share_a_cache(open_folder):
    shared = open_folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    place = {"gid": 777, "umask": 0o002, "cwd": open_folder, "ATELIER_CACHE": str(shared / "cache")}
    for uid, name in ((2001, "vgg19"), (2002, "vgg16")):
        result = as_user("weights", "path", f"torchvision:{name}=vgg19.pth", uid=uid, **place)
        assert result.returncode == 0, result.stderr
    assert len(json.loads((shared / "cache" / "weights.json").read_text())) == 2
    assert (shared / "cache" / "weights.json").stat().st_mode & 0o777 == 0o664
    assert (shared / "cache").stat().st_mode & 0o777 == 0o775


@pytest.mark.slow
def test_a_whole_run_of_a_user_without_home_and_name_leaves_files_only_where_it_may(
    open_folder, mask
):
    """With W&B; 25 s on one core: loading, two steps, and the class names' embeddings."""
    words = ["stylize", "skimage:chelsea", "--style", "fire", "--mask", mask, "--size", 64]
    result = as_user(*words, "--steps", 2, "--out", "run", cwd=open_folder, ATELIER_CACHE="cache")
    assert result.returncode == 0, result.stderr
    assert "INFO" not in result.stderr  # W&B's service, where it has no place for its log
    assert list(open_folder.glob("run/wandb/offline-run-*"))
    assert {path.name for path in open_folder.iterdir()} == {"vgg19.pth", "run", "cache"}
    for file in open_folder.rglob("*.safetensors"):
        assert file.stat().st_mode & 0o777 == 0o644
