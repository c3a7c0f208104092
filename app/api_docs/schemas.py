"""How request and response bodies are described in the OpenAPI document."""

from inspect import cleandoc
from typing import Any

import msgspec
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

SCHEMA = "#/components/schemas/{name}"


class StructSchemas(OpenAPISchemaPlugin):
    """Describes Structs as msgspec does, with their examples added.

    Litestar's own plugin leaves out the bounds inside lists and unions, and does not say that
    unknown fields are refused.
    """

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        shape = field_definition.annotation
        written = msgspec.json.schema_components([shape], ref_template=SCHEMA)[1][shape.__name__]
        # Litestar has to see the fields to find the Structs within.
        inner = {
            field.encode_name: FieldDefinition.from_annotation(field.type)
            for field in msgspec.structs.fields(shape)
        }
        schema: Schema = schema_creator.create_component_schema(
            field_definition, required=written["required"], property_fields=inner
        )
        schema.properties = written["properties"]
        schema.description = cleandoc(written.get("description", "")) or None
        schema.additional_properties = written.get("additionalProperties")
        if example := getattr(shape, "example", None):
            # Litestar drops nulls when it serializes, but not from values that are already
            # serialized.
            schema.examples = [msgspec.Raw(msgspec.json.encode(example))]
        for name, value in getattr(shape, "constraints", {}).items():
            setattr(schema, name, value)
        return schema
