import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from abline.errors import OutputError
from abline.store import atomic_write, check_writable

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /dev and /proc")


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.model"
    path.write_bytes(b"old")
    return path


def put(path, data):
    with atomic_write(path) as file:
        file.write(data)


def put_then_raise(path, error):
    with atomic_write(path) as file:
        file.write(b"half")
        raise error


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, timeout=60, **options)


@pytest.mark.parametrize("kind", [str, Path])
def test_writes_the_file_and_nothing_else(tmp_path, kind):
    put(kind(tmp_path / "new.model"), b"new")
    assert (tmp_path / "new.model").read_bytes() == b"new"
    assert names(tmp_path) == ["new.model"]


def test_old_file_stays_until_the_block_ends(old):
    with atomic_write(old) as file:
        file.write(b"new")
        file.flush()
        assert old.read_bytes() == b"old"
    assert old.read_bytes() == b"new"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_old_file_stays_whole_when_the_block_fails(old, interruption):
    with pytest.raises(interruption):
        put_then_raise(old, interruption)
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["old.model"]


def test_failed_write_is_an_output_error_of_one_sentence(old):
    with pytest.raises(OutputError, match=r"^cannot write .*old\.model: no space left"):
        put_then_raise(old, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["old.model"]


def test_trouble_with_another_file_is_not_blamed_on_this_one(old):
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_write(old):
        Path("/elsewhere/nothing").read_bytes()
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize("relative", [True, False])
def test_symbolic_link_is_kept_and_its_target_replaced(old, tmp_path, relative):
    link = tmp_path / "sub" / "link"
    link.parent.mkdir()
    link.symlink_to(Path("..") / old.name if relative else old)
    assert check_writable(link) == link
    put(link, b"new")
    assert link.is_symlink()
    assert old.read_bytes() == b"new"
    assert names(link.parent) == ["link"]


def test_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    put(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_link_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match="cannot write"):
        check_writable(tmp_path / "a")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_permissions_of_the_replaced_file_are_kept(old, mode):
    old.chmod(mode)
    with atomic_write(old) as file:
        (temporary,) = [p for p in old.parent.iterdir() if p != old]
        assert stat.S_IMODE(temporary.stat().st_mode) == mode  # before there are bytes to read
        file.write(b"new")
    assert stat.S_IMODE(old.stat().st_mode) == mode


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_new_file_honours_the_umask(tmp_path, umask, mode):
    code = "import os, sys; from abline.store import atomic_write; os.umask(int(sys.argv[2]))\n"
    code += "with atomic_write(sys.argv[1]) as file: file.write(b'x')"
    assert run(code, tmp_path / "new", umask).returncode == 0
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode


@on_linux
def test_devices_are_written_directly():
    before = Path("/dev/null").stat()
    for force in (True, False):
        check_writable("/dev/null", force=force)
    put("/dev/null", b"gone")
    assert Path("/dev/null").stat().st_ino == before.st_ino
    with pytest.raises(OutputError, match=r"^cannot write /dev/full: no space left"):
        put("/dev/full", b"x")


@on_linux
def test_fifo_is_written_directly(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    put(fifo, b"through")
    reader.join(timeout=30)
    assert got == [b"through"]
    assert fifo.is_fifo()


PRINT_AND_WRITE = """
from abline.store import atomic_write, check_writable
print("first", flush=True)
check_writable("/dev/stdout")
with atomic_write("/dev/stdout") as file: file.write(b"second\\n")
print("third")
"""


@on_linux
def test_standard_output_gets_the_bytes_in_its_turn_through_a_pipe():
    assert run(PRINT_AND_WRITE, capture_output=True).stdout == b"first\nsecond\nthird\n"


@on_linux
def test_standard_output_sent_to_a_file_is_not_replaced(old):
    with old.open("ab") as file:
        run(PRINT_AND_WRITE, stdout=file)
    assert old.read_bytes() == b"oldfirst\nsecond\nthird\n"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing/m.model", "the folder .*missing does not exist, so create it first"),
        ("folder", "it is a folder"),
        ("old.model/m.model", "is a file, not a folder"),
        ("n" * 300, "file name too long"),
        ("a\0b", "cannot be a file's name"),
        ("\ud800", "cannot be a file's name"),
    ],
)
def test_impossible_places_are_refused_before_and_in_writing(old, name, sentence):
    (old.parent / "folder").mkdir()
    path = str(old.parent / name)
    for attempt in (check_writable, lambda path: put(path, b"x")):
        with pytest.raises(OutputError, match=sentence) as caught:
            attempt(path)
        assert "\n" not in str(caught.value)
    assert names(old.parent) == ["folder", "old.model"]


@on_linux
def test_folder_that_takes_no_files_is_found_by_trying():
    # not even the superuser can make a file there, though the permission bits may allow it
    with pytest.raises(OutputError, match=r"cannot write /proc/m\.model"):
        check_writable("/proc/m.model")


def test_read_only_file_system_is_told_as_such(tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    # on one, removing what is not there fails too
    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="read-only file system"):
        check_writable(tmp_path / "m.model")


@pytest.mark.parametrize("attempt", [check_writable, lambda path: put(path, b"x")])
def test_read_only_file_is_not_replaced(old, monkeypatch, attempt):
    old.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # which the superuser never meets
    with pytest.raises(OutputError, match="read-only"):
        attempt(old)
    assert old.read_bytes() == b"old"


def test_check_leaves_nothing_behind(old):
    before = old.stat()
    assert check_writable(old) == old
    assert check_writable(str(old.parent / "new")) == old.parent / "new"
    assert names(old.parent) == ["old.model"]
    assert (old.read_bytes(), old.stat().st_mtime_ns) == (b"old", before.st_mtime_ns)


def test_existing_file_needs_force(old):
    with pytest.raises(OutputError, match=r"exists already.*--force"):
        check_writable(old, force=False)
    assert check_writable(old.parent / "new", force=False)


KILLED = """
import os, signal, sys, pathlib
from abline.store import atomic_write
if sys.argv[2] == "replace":
    pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with atomic_write(sys.argv[1]) as file:
    file.write(b"new" * 100_000)
    if sys.argv[2] == "write":
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@on_linux
@pytest.mark.parametrize("moment", ["write", "replace"])
def test_kill_leaves_the_old_file_whole(old, moment):
    assert run(KILLED, old, moment).returncode == -signal.SIGKILL
    assert old.read_bytes() == b"old"
    assert len(names(old.parent)) == 2  # the kill came while the new one was under way
    put(old, b"new")
    assert old.read_bytes() == b"new"


WRITER = """
import sys
from abline.store import atomic_write
for _ in range(100):
    with atomic_write(sys.argv[1]) as file:
        for _ in range(10):
            file.write(sys.argv[2].encode() * 1000)
            file.flush()
"""


def test_two_writers_leave_one_whole_file(old):
    command = [sys.executable, "-c", WRITER, str(old)]
    writers = [subprocess.Popen([*command, letter]) for letter in "ab"]
    whole = {b"old", b"a" * 10_000, b"b" * 10_000}
    while any(writer.poll() is None for writer in writers):
        assert old.read_bytes() in whole
    assert [writer.returncode for writer in writers] == [0, 0]
    assert old.read_bytes() in whole - {b"old"}
    assert names(old.parent) == ["old.model"]
