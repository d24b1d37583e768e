"""Sessions and their folders."""

import os
import time
from pathlib import Path

import pytest

from datamodules.support.errors import AtelierError
from experiments.studio.sessions import AT_WORK, Sessions

ANNE, BERT = "a" * 32, "b" * 64


@pytest.fixture
def sessions(tmp_path):
    with Sessions(tmp_path / "root", largest=1000) as sessions:
        yield sessions


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize("id", ["", "a" * 31, "a" * 65, "A" * 32, "../" * 11, "g" * 32, None])
def test_an_id_is_hexadecimal_digits(sessions, id):
    with pytest.raises(AtelierError, match="32 to 64 hexadecimal digits"):
        sessions.of(id)


def test_folders_have_names_of_ours_and_are_closed_to_others(sessions):
    session = sessions.of(ANNE)
    assert not session.path.exists()  # until there is something to put there
    folder, file = session.new_folder("My Run/.."), session.new_file("photo", ".png")
    assert ANNE not in str(folder)
    assert folder.parent == file.parent == session.folder == sessions.of(ANNE).folder
    assert folder.is_dir() and folder.name.startswith("my-run-") and not file.exists()
    assert session.folder.stat().st_mode & 0o077 == 0


def test_a_session_owns_what_lies_in_its_folder(sessions, tmp_path):
    anne, bert = sessions.of(ANNE), sessions.of(BERT)
    file = anne.new_file("photo", ".png")
    file.write_bytes(b"x")
    assert anne.owns(file) and anne.owns(str(file)) and not bert.owns(file)
    assert anne.take(f"{anne.folder}/./{file.name}") == file
    link, loop = bert.folder / "link.png", bert.folder / "loop"
    link.symlink_to(file)
    loop.symlink_to(loop)
    others = [link, loop, bert.folder / ".." / anne.folder.name / file.name, bert.folder]
    for path in [*others, Path("/etc/passwd"), "x\0y", bert.folder / "missing.png"]:
        with pytest.raises(AtelierError, match="is not, or no longer"):
            bert.take(path)


def test_the_oldest_of_a_large_session_make_room(sessions):
    session = sessions.of(ANNE)
    folders = [session.new_folder("run") for _ in range(AT_WORK + 3)]
    for number, folder in enumerate(folders):
        (folder / "output.png").write_bytes(b"x" * 200)
        age(folder, 1000 - number)
    photo = session.new_file("photo", ".png")
    photo.write_bytes(b"x" * 200)
    age(photo, 5000)
    each = folders[0].stat().st_size + 200
    session.largest = 200 + (len(folders) - 1) * each - 1
    assert session.make_room().startswith("Your oldest runs and photos were deleted (2): a session")
    assert [folder.exists() for folder in folders] == [False] * 2 + [True] * (AT_WORK + 1)
    assert photo.exists()  # a run may need it
    assert session.make_room() == ""
    session.largest = 0
    session.make_room()
    assert sum(folder.exists() for folder in folders) == AT_WORK  # runs may be at work there
    assert sessions.of(BERT).make_room() == ""


def test_sessions_without_visits_are_deleted_also_those_of_earlier_servers(tmp_path):
    with Sessions(tmp_path, hours=1) as sessions:
        old, new = sessions.of(ANNE).folder, sessions.of(BERT).folder
        age(old, 4000)
        age(new, 3000)
        assert sessions.clean() == 1 and not old.exists() and new.exists()
        age(new, 4000)
        sessions.of(BERT)  # a visit
        assert sessions.clean() == 0
        age(new, 4000)
    with Sessions(tmp_path, hours=1):
        assert not new.exists()


def test_uploads_are_deleted_after_an_hour(tmp_path):
    with Sessions(tmp_path, hours=24) as sessions:
        session, old, new = sessions.of(ANNE).folder, tmp_path / ("c" * 64), tmp_path / ("d" * 64)
        for upload, seconds in ((old, 4000), (new, 3000), (session, 4000)):
            upload.mkdir(exist_ok=True)
            age(upload, seconds)
        assert sessions.clean() == 1
        assert not old.exists() and new.exists() and session.exists()


def test_a_folder_belongs_to_one_server(sessions, tmp_path):
    with pytest.raises(AtelierError, match=r"Another studio uses .*; end it, or choose another"):
        Sessions(tmp_path / "root")
    sessions.close()
    Sessions(tmp_path / "root").close()
