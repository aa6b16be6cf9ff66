"""Where the client looks for its certificates."""

from __future__ import annotations

import pytest

from rblntop.client import AddressError
from rblntop.client.certificates import credentials


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rblntop" / "tls").mkdir(parents=True)
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / "rblntop" / "tls" / name).write_text("pem")
    return tmp_path


def test_they_are_those_of_the_user_unless_the_environment_names_others(files):
    credentials({"XDG_CONFIG_HOME": str(files)})
    with pytest.raises(AddressError, match=r"\$RBLNTOP_TLS_KEY \(/nowhere\): No such file or directory"):
        credentials({"XDG_CONFIG_HOME": str(files), "RBLNTOP_TLS_KEY": "/nowhere"})


def test_one_that_is_missing_is_named(files):
    (files / "rblntop" / "tls" / "ca.pem").unlink()
    with pytest.raises(AddressError, match=r"tls:// takes certificates: \$RBLNTOP_TLS_CA \(.*/ca\.pem\)"):
        credentials({"XDG_CONFIG_HOME": str(files)})
