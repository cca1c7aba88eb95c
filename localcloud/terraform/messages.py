"""The messages of Terraform's plugin protocol 6, built when imported: no compiler and no generated code.

Only names of methods and numbers of fields are on the wire, so messages have short names here, maps are what they
are on the wire (repeated entries), and what this provider neither reads nor writes is left out: protobuf skips it.
Source: https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol, version 6.10
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "tfplugin6.Provider"

_DIAGNOSED = "repeated Diagnostic diagnostics"
_MESSAGES: dict[str, dict[int, str]] = {
    "Empty": {},
    "DynamicValue": {1: "bytes msgpack", 2: "bytes json"},
    "Step": {1: "string attribute_name", 2: "string element_key_string", 3: "int64 element_key_int"},
    "AttributePath": {1: "repeated Step steps"},
    "Diagnostic": {1: "int32 severity", 2: "string summary", 3: "string detail", 4: "AttributePath attribute"},
    "Attribute": {
        1: "string name",
        2: "bytes type",
        4: "bool required",
        5: "bool optional",
        6: "bool computed",
        7: "bool sensitive",
        9: "bool deprecated",
        11: "bool write_only",
    },
    "NestedBlock": {
        1: "string type_name",
        2: "Block block",
        3: "int32 nesting",
        4: "int64 min_items",
        5: "int64 max_items",
    },
    "Block": {1: "int64 version", 2: "repeated Attribute attributes", 3: "repeated NestedBlock block_types"},
    "Schema": {1: "int64 version", 2: "Block block"},
    "NamedSchema": {1: "string key", 2: "Schema value"},
    "RawState": {1: "bytes json"},
    "Capabilities": {1: "bool plan_destroy"},
    "Schemas": {
        1: "Schema provider",
        2: "repeated NamedSchema resource_schemas",
        3: "repeated NamedSchema data_source_schemas",
        6: "Capabilities server_capabilities",
    },
    "TypeName": {1: "string type_name"},
    "Metadata": {
        1: "Capabilities server_capabilities",
        3: "repeated TypeName data_sources",
        4: "repeated TypeName resources",
    },
    "Config": {1: "string type_name", 2: "DynamicValue config"},  # ConfigureProvider's first field is a version
    "FirstDiagnosed": {1: _DIAGNOSED},
    "SecondDiagnosed": {2: _DIAGNOSED},
    "UpgradeRequest": {1: "string type_name", 2: "int64 version", 3: "RawState raw_state"},
    "ValueResponse": {1: "DynamicValue value", 2: _DIAGNOSED},
    "ReadRequest": {1: "string type_name", 2: "DynamicValue current_state", 3: "bytes private"},
    "ReadResponse": {1: "DynamicValue new_state", 2: _DIAGNOSED, 3: "bytes private"},
    "PlanRequest": {
        1: "string type_name",
        2: "DynamicValue prior_state",
        3: "DynamicValue proposed_new_state",
        4: "DynamicValue config",
    },
    "PlanResponse": {
        1: "DynamicValue planned_state",
        2: "repeated AttributePath requires_replace",
        4: _DIAGNOSED,
        5: "bool legacy_type_system",
    },
    "ApplyRequest": {
        1: "string type_name",
        2: "DynamicValue prior_state",
        3: "DynamicValue planned_state",
        4: "DynamicValue config",
    },
    "ApplyResponse": {1: "DynamicValue new_state", 3: _DIAGNOSED, 4: "bool legacy_type_system"},
    "ImportRequest": {1: "string type_name", 2: "string id"},
    "Imported": {1: "string type_name", 2: "DynamicValue state"},
    "ImportResponse": {1: "repeated Imported imported_resources", 2: _DIAGNOSED},
}

# each call of the service that is answered: what it takes and what it returns
METHODS: dict[str, tuple[str, str]] = {
    "GetMetadata": ("Empty", "Metadata"),
    "GetProviderSchema": ("Empty", "Schemas"),
    "GetResourceIdentitySchemas": ("Empty", "SecondDiagnosed"),
    "GetFunctions": ("Empty", "SecondDiagnosed"),
    "ValidateProviderConfig": ("Empty", "SecondDiagnosed"),
    "ValidateResourceConfig": ("Config", "FirstDiagnosed"),
    "ValidateDataResourceConfig": ("Config", "FirstDiagnosed"),
    "ConfigureProvider": ("Config", "FirstDiagnosed"),
    "UpgradeResourceState": ("UpgradeRequest", "ValueResponse"),
    "ReadResource": ("ReadRequest", "ReadResponse"),
    "PlanResourceChange": ("PlanRequest", "PlanResponse"),
    "ApplyResourceChange": ("ApplyRequest", "ApplyResponse"),
    "ImportResourceState": ("ImportRequest", "ImportResponse"),
    "ReadDataSource": ("Config", "ValueResponse"),
    "StopProvider": ("Empty", "Empty"),
}

ERROR, WARNING = 1, 2
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


def _classes() -> dict[str, Any]:
    field = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "bool": field.TYPE_BOOL,
        "bytes": field.TYPE_BYTES,
        "int32": field.TYPE_INT32,
        "int64": field.TYPE_INT64,
        "string": field.TYPE_STRING,
    }
    # proto2 keeps a zero that was set, which an index in a path needs; on the wire the two are the same
    file = descriptor_pb2.FileDescriptorProto(name="localcloud/terraform", package="localcloud", syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, declared in fields.items():
            *repeated, kind, field_name = declared.split()
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            made = message.field.add(name=field_name, number=number, label=label)
            if kind in scalars:
                made.type = scalars[kind]
            else:
                made.type, made.type_name = field.TYPE_MESSAGE, f".localcloud.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    find = pool.FindMessageTypeByName
    return {name: message_factory.GetMessageClass(find(f"localcloud.{name}")) for name in _MESSAGES}


CLASSES = _classes()
