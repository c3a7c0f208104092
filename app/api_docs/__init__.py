"""The OpenAPI document at /api/openapi.json, and the page made from it at /api/docs."""
