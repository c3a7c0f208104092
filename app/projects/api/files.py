"""What the document of the JSON API says of a file that can be had in parts."""

from litestar.openapi import ResponseSpec

from app.api.problems import problems
from app.api.responses import ETAG, NOT_MODIFIED, documented_header

FILE_HEADERS = [ETAG, documented_header("Accept-Ranges", "bytes")]


def file_responses(media_type: str) -> dict[int, ResponseSpec]:
    part = ResponseSpec(bytes, generate_examples=False, media_type=media_type)
    return {206: part} | NOT_MODIFIED | problems(416)
