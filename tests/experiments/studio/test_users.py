"""Users in a file."""

import base64

import pytest

from datamodules.support.errors import AtelierError
from experiments.studio.users import line_of, read_users


def header(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "users"
    file.write_text(f"# the lab\n{line_of('anne', 'one:two')}\n{line_of('bert', 'x')}\n")
    file.chmod(0o600)
    return file


def test_users_are_known_by_their_passwords(file):
    users = read_users(file)
    assert users.know(header("anne", "one:two")) and users.know(header("bert", "x"))
    assert users.know(header("anne", "one:two"))  # from the memory
    for wrong in (header("anne", "x"), header("carl", "x"), "", "Basic", "Bearer x", "Basic %%"):
        assert not users.know(wrong)
    assert not users.know("Basic " + "a" * 2000)


def test_a_file_holds_no_passwords_and_no_two_equal_lines(file):
    assert "one:two" not in file.read_text()
    assert line_of("anne", "x") != line_of("anne", "x")


@pytest.mark.parametrize("name", ["", "an:ne", "#anne", "an ne", "anne\n"])
def test_a_name_that_would_break_the_file_is_refused(name):
    with pytest.raises(AtelierError, match="cannot be a user's name"):
        line_of(name, "x")


def test_a_file_that_others_can_read_or_change_is_refused(file):
    for rights in (0o604, 0o620, 0o644):
        file.chmod(rights)
        with pytest.raises(AtelierError, match="chmod 600"):
            read_users(file)
    file.chmod(0o640)
    assert read_users(file).entries.keys() == {"anne", "bert"}


@pytest.mark.parametrize("line", ["anne:secret", "anne", f"anne:{'0' * 32}:{'g' * 128}"])
def test_a_damaged_line_is_refused(file, line):
    file.write_text(line)
    with pytest.raises(AtelierError, match=r"User 1 in .* is not NAME:SALT:HASH"):
        read_users(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(AtelierError, match="There are no users to read"):
        read_users(tmp_path / "none")
