"""The messages of TF-Serving's protocol that a client needs, built without TensorFlow.

The package tensorflow-serving-api imports TensorFlow; these are the same bytes on the wire.
They live in a descriptor pool of their own, so both can be loaded side by side.
"""

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    wrappers_pb2,
)

# Message -> fields, as "number type name"; a type is a scalar or a message, `*` repeats it,
# and `map` is a map from strings. Enumerations are int32, which is what they are on the wire.
_TENSORFLOW = {
    "TensorShapeProto.Dim": ["1 int64 size", "2 string name"],
    "TensorShapeProto": ["2 *TensorShapeProto.Dim dim", "3 bool unknown_rank"],
    "TensorProto": [
        "1 int32 dtype",
        "2 TensorShapeProto tensor_shape",
        "3 int32 version_number",
        "4 bytes tensor_content",
        "5 *float float_val",
        "6 *double double_val",
        "7 *int32 int_val",
        "8 *bytes string_val",
        "9 *float scomplex_val",
        "10 *int64 int64_val",
        "11 *bool bool_val",
        "12 *double dcomplex_val",
        "13 *int32 half_val",
        "16 *uint32 uint32_val",
        "17 *uint64 uint64_val",
    ],
    "TensorInfo": ["1 string name", "2 int32 dtype", "3 TensorShapeProto tensor_shape"],
    "SignatureDef": [
        "1 map:TensorInfo inputs",
        "2 map:TensorInfo outputs",
        "3 string method_name",
        "4 map:TensorProto defaults",
    ],
}
_SERVING = {
    "ModelSpec": [
        "1 string name",
        "2 google.protobuf.Int64Value version",
        "4 string version_label",
        "3 string signature_name",
    ],
    "PredictRequest": [
        "1 ModelSpec model_spec",
        "2 map:tensorflow.TensorProto inputs",
        "3 *string output_filter",
    ],
    "PredictResponse": ["2 ModelSpec model_spec", "1 map:tensorflow.TensorProto outputs"],
    "SignatureDefMap": ["1 map:tensorflow.SignatureDef signature_def"],
    "GetModelMetadataRequest": ["1 ModelSpec model_spec", "2 *string metadata_field"],
    "GetModelMetadataResponse": [
        "1 ModelSpec model_spec",
        "2 map:google.protobuf.Any metadata",
    ],
    "StatusProto": ["1 int32 error_code", "2 string error_message"],
    "ModelVersionStatus": ["1 int64 version", "2 int32 state", "3 StatusProto status"],
    "GetModelStatusRequest": ["1 ModelSpec model_spec"],
    "GetModelStatusResponse": ["1 *ModelVersionStatus model_version_status"],
}
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    kind: getattr(_FIELD, f"TYPE_{kind.upper()}")
    for kind in ["bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64"]
}


def _add_field(message, package, path, declaration):
    number, kind, name = declaration.split()
    field = message.field.add(name=name, number=int(number), label=_FIELD.LABEL_OPTIONAL)
    if kind.startswith("map:"):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add_field(entry, package, "", "1 string key")
        _add_field(entry, package, "", f"2 {kind.removeprefix('map:')} value")
        kind = f"*{path}.{entry.name}"
    if kind.startswith("*"):
        field.label = _FIELD.LABEL_REPEATED
        kind = kind[1:]
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_MESSAGE
        qualified = kind.startswith(("google.", "tensorflow."))
        field.type_name = f".{kind}" if qualified else f".{package}.{kind}"


def _add_file(pool, package, messages, imports):
    name = f"keras_arch_client/{package}.proto"
    file = descriptor_pb2.FileDescriptorProto(
        name=name, package=package, syntax="proto3", dependency=imports
    )
    built = {}
    for path, fields in messages.items():
        outer, _, inner = path.rpartition(".")
        if outer:  # a nested message is declared before the one that holds it
            built[outer] = file.message_type.add(name=outer)
            message = built[outer].nested_type.add(name=inner)
        else:
            message = built.get(path) or file.message_type.add(name=path)
        for field in fields:
            _add_field(message, package, path, field)
    pool.Add(file)
    return name


def _build():
    pool = descriptor_pool.DescriptorPool()
    for module in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    google = [module.DESCRIPTOR.name for module in (any_pb2, wrappers_pb2)]
    tensorflow = _add_file(pool, "tensorflow", _TENSORFLOW, [])
    _add_file(pool, "tensorflow.serving", _SERVING, [*google, tensorflow])
    names = [f"tensorflow.{name}" for name in _TENSORFLOW]
    names += [f"tensorflow.serving.{name}" for name in _SERVING]
    return {
        name.rpartition(".")[2]: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in names
    }


_MESSAGES = _build()
TensorProto = _MESSAGES["TensorProto"]
SignatureDefMap = _MESSAGES["SignatureDefMap"]
PredictRequest = _MESSAGES["PredictRequest"]
PredictResponse = _MESSAGES["PredictResponse"]
GetModelMetadataRequest = _MESSAGES["GetModelMetadataRequest"]
GetModelMetadataResponse = _MESSAGES["GetModelMetadataResponse"]
GetModelStatusRequest = _MESSAGES["GetModelStatusRequest"]
GetModelStatusResponse = _MESSAGES["GetModelStatusResponse"]
