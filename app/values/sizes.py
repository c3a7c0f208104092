"""Sizes of files as users read them."""

from app.language import _

MB, GB = 1_000_000, 1_000_000_000


def file_size(size: int) -> str:
    """Such as 0.5 MB or 9.96 GB. What is not empty has at least 0.1 MB."""
    megabytes = round(max(size, MB // 10) / MB, 1) if size else 0
    if megabytes < 1000:
        return _("{n} MB").format(n=f"{megabytes:g}")
    return _("{n} GB").format(n=f"{size / GB:.2f}".rstrip("0").removesuffix("."))
