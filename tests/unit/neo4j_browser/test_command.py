"""What `neuromfa browser` does around its servers: password, lock, port, signals."""

import os
import re
import signal
import socket
import stat
from pathlib import Path

import pytest

from neuromfa.app.cli import browser
from neuromfa.errors import OptionError, StoreConflict, StoreUnavailable


def test_password_is_random_kept_and_its_owners(tmp_path: Path) -> None:
    password = browser._password(tmp_path)
    assert re.fullmatch(r"[\w-]{20,}", password)
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600
    assert browser._password(tmp_path) == password
    other = tmp_path / "other"
    other.mkdir()
    assert browser._password(other) != password


def test_lost_password_of_an_old_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".password-set").touch()
    with pytest.raises(StoreUnavailable, match="keeps its old password: put the file back"):
        browser._password(tmp_path)


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with browser._alone_in(tmp_path / "new"):
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        with pytest.raises(StoreConflict, match="another `neuromfa browser` runs in"):
            with browser._alone_in(tmp_path / "new"):
                raise AssertionError
    with browser._alone_in(tmp_path / "new"):
        pass


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="cannot use .*file as a data folder"):
        with browser._alone_in(tmp_path / "file"):
            raise AssertionError


def test_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .* another --port"):
            browser._listener(port)


def test_home_without_the_browser_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="the Neo4j Browser is not in"):
        browser._browser_jar(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_interrupts_and_the_next_do_not_disturb(number: int) -> None:
    before = signal.getsignal(number)
    cleaned = []
    with pytest.raises(KeyboardInterrupt):
        with browser._interruptible():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                cleaned.append(True)
    assert cleaned == [True]
    assert signal.getsignal(number) is before
