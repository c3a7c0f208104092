"""What the endpoints of the JSON API are made of: base classes of their bodies, how a body is read,
problem details, pagination and conditional responses. Knows no endpoint; `app.api_docs` does.
"""
