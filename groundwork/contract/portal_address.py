"""The worker portal's address, from the host that a workforce names."""

from urllib.parse import urlsplit


def portal_url(sub_domain: str) -> str:
    """Return the portal's URL for a workforce's ``SubDomain``, a bare host with or without a port.

    A local cloud serves plain HTTP, so hosts below ``localhost`` get ``http``. A value that has a
    scheme already keeps it.
    """
    if "://" in sub_domain:
        return sub_domain.rstrip("/")
    host = urlsplit(f"//{sub_domain}").hostname or ""
    local = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
    return f"{'http' if local else 'https'}://{sub_domain.rstrip('/')}"
