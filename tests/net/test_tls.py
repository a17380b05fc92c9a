"""Whom a connection trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest

from uploader.core.errors import ConfigurationError
from uploader.net.tls import trust

pytestmark = pytest.mark.unit


def test_a_host_without_certificates_trusts_the_bundled_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small container has none of its own, and checks the far side all the same."""
    nowhere = SimpleNamespace(cafile="/nonexistent/cert.pem", capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)

    context = trust("")

    assert context.cert_store_stats()["x509_ca"] > 10
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_file_of_certificates_that_is_none_is_named(tmp_path: Path) -> None:
    """By the key of the configuration, and with what to do."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(
        ConfigurationError, match=r"ca_file .*ca\.pem cannot be used: it holds no certificate\."
    ):
        trust(str(tmp_path / "ca.pem"))
