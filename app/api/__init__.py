"""The building blocks of the JSON API: base classes of bodies, body parsing, problem details,
pagination and conditional responses. It imports no endpoint; `app.api_docs` describes them.
"""
