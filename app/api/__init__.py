"""The ground of the JSON API: `get`, `post`, `put` and `delete` make a function a handler of it.

What a handler takes as `sent` and `asked` and what it returns are shapes; they are read and held
to here, and the document at /api/openapi.json describes the very same.
"""

from app.api.operation import delete, get, post, put

__all__ = ["delete", "get", "post", "put"]
