"""Whom a connection trusts: the certificates that the far side of TLS is checked by."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from uploader.core.errors import ConfigurationError


def trust(ca_file: str) -> ssl.SSLContext:
    """Whom to trust: the system's certificates (a bundled list where it has none), and those in `ca_file`."""
    paths = ssl.get_default_verify_paths()
    system = any(path and Path(path).exists() for path in (paths.cafile, paths.capath))
    context = ssl.create_default_context() if system else httpx.create_ssl_context(trust_env=False)
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigurationError(
                f"[platform] ca_file {ca_file} cannot be used: {why}.",
                "Name a file of certificates in PEM form that the daemon can read.",
            ) from error
    return context
