"""Sizes of files as users read them."""

MB, GB = 1_000_000, 1_000_000_000


def file_size(size: int) -> str:
    """Such as 0.5 MB or 10 GB, with at most one decimal. What is not empty has at least 0.1 MB."""
    unit, name = (GB, "GB") if size >= GB else (MB, "MB")
    shown = max(size, MB // 10) if size else 0
    return f"{shown / unit:.1f}".removesuffix(".0") + f" {name}"
