"""The only place that words what is wrong with a configuration: every mistake at once, each with its line.

A complaint reads `file:line: [section] key: what is wrong. What to do.` What one key may be stands in its
model in `sections`, what must hold between keys in `rules`.
"""

from __future__ import annotations

import difflib
import errno
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from uploader.config.cross_checks import KEY_PREFIX, ConfigError, relations
from uploader.config.toml_lines import Location, line_numbers, line_of
from uploader.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

Context = dict[str, Path]
"""What validation may lean on: `base` is where relative paths start."""

SHOWN = 40
"""Characters of a wrong value that are quoted."""


def load_document(model: type[Model], path: Path, *, need_folders: bool, look: bool = True) -> Model:
    """Read the TOML at `path` into `model`; raises `ConfigurationError` with one line for every mistake.

    `look`: see `relations`.
    """
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_syntax(path, text, error)) from None
    context: Context = {"base": Path(path).absolute().parent}
    read, mistakes = _fields(model, data, context)
    mistakes += _between(model, data, context, look=look)
    if need_folders and "folders" not in data:
        mistakes.append(
            ConfigError(("folders",), "there is no drop folder.", "Add one with a path and a project_id.")
        )
    if read is not None and not mistakes:
        return read
    lines = line_numbers(text)
    found = sorted({(line_of(lines, mistake.location) or 0, mistake.text) for mistake in mistakes})
    raise ConfigurationError("\n".join(f"{path}:{line or 1}: {complaint}" for line, complaint in found))


def load_part(model: type[Model], path: Path, keys: Collection[str]) -> Model | None:
    """Read these keys of the top of a file that may be wrong elsewhere; None where they cannot be read."""
    try:
        data = tomllib.loads(_read(path))
        context: Context = {"base": Path(path).absolute().parent}
        return model.model_validate({key: data[key] for key in data.keys() & set(keys)}, context=context)
    except (ConfigurationError, tomllib.TOMLDecodeError, ValidationError):
        return None


def _read(path: Path) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")  # editors of Windows put a mark before the text
    except OSError as error:
        missing = error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
        way_out = "Check the name that -c or $UPLOADER_CONFIG gives." if missing else "Let this user read it."
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}.", way_out) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: is not UTF-8 text.", "Save it as UTF-8.") from None


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """A complaint about text that is not TOML; the parser tells the line only within its message."""
    what, _, place = str(error).rpartition(" (at ")
    number = place.partition("line ")[2].partition(",")[0]
    last = max(1, len(text.splitlines()))
    line = min(int(number), last) if number.isdecimal() else last
    twice = next((True for word in TWICE if word in what), False)
    if twice:
        return f"{path}:{line}: this key or section was written before. Remove one of the two."
    hint = "Text and paths need quotes, lists a closing bracket; look at this line and the one before."
    return f"{path}:{line}: this is not TOML ({(what or str(error)).rstrip('.')}). {hint}"


TWICE = ("Cannot overwrite", "twice", "Cannot mutate")
"""What the parser says where something stands in the file a second time."""

WORDS = {
    "missing": "is required. Add it to this section.",
    "string_type": "should be text in quotes.",
    "int_type": "should be a whole number without quotes.",
    "float_type": "should be a number without quotes.",
    "bool_type": "should be true or false, without quotes.",
    "tuple_type": 'should be a list such as ["*.tif"].',
    "path_type": "should be a path in quotes.",
    "model_type": "should be a section with keys of its own.",
    "model_attributes_type": "should be a section with keys of its own.",
    "greater_than_equal": "should be at least {ge:g}.",
    "greater_than": "should be more than {gt:g}.",
    "finite_number": "should be a finite number.",
    "string_too_short": "must not be empty.",
    "string_pattern_mismatch": 'should be HOST:PORT such as "127.0.0.1:8750", or empty.',
}
"""By pydantic's name of the error: our words for it, with its context filled in."""


def _fields(
    model: type[Model], data: dict[str, Any], context: Context
) -> tuple[Model | None, list[ConfigError]]:
    """The document as a model, or what is wrong with its keys one by one."""
    try:
        return model.model_validate(data, context=context), []
    except ValidationError as error:
        return None, [_judge(model, detail) for detail in error.errors(include_url=False)]


def _judge(model: type[BaseModel], error: ErrorDetails) -> ConfigError:
    location, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return ConfigError(location, "unknown key.", _nearest(model, location))
    quoted = "" if kind == "missing" else _quoted(error["input"])
    context = error.get("ctx", {})
    if kind == "tuple_type" and _section_at(model, location):
        name = location[-1]
        return ConfigError(location, "is written as one section.", f"Write [[{name}]], one for each.")
    if kind == "literal_error":
        return ConfigError(location, f"{quoted}should be {context['expected']}.")
    if kind == "value_error":
        return ConfigError(location, f"{context['error']}.")
    words = WORDS.get(kind)
    return ConfigError(location, quoted + (words.format(**context) if words else f"{error['msg']}."))


def _section_at(model: type[BaseModel], location: Location) -> bool:
    """Whether sections are expected there, not plain values."""
    return _model_at(model, location) is not None


def _quoted(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    if KEY_PREFIX in text or isinstance(value, dict | list):
        return ""
    return f"{text if len(text) <= SHOWN else text[:SHOWN] + '…'} "


def _nearest(model: type[BaseModel], location: Location) -> str:
    """Name the known key that is most like the unknown one, in its own section before all others."""
    written = str(location[-1])
    here = _model_at(model, location[:-1])
    if here is not None:
        close = difflib.get_close_matches(written, here.model_fields, n=1, cutoff=0.6)
        if close:
            return f"Did you mean {close[0]}?"
    everywhere = {name: section for section, name in reversed(list(known_keys(model)))}
    if written in everywhere:
        return f"It belongs to {everywhere[written]}."
    best = difflib.get_close_matches(written, (here or model).model_fields, n=1, cutoff=0.0)
    return f"The nearest known key is {best[0]}." if best else ""


def known_keys(model: type[BaseModel], section: str = "the top of the file") -> Iterator[tuple[str, str]]:
    """Every (section, key) that the configuration knows; a section is spelled as its header."""
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is None:
            yield section, name
        else:
            many = inner is not field.annotation
            path = f"{section.strip('[]')}.{name}" if section.startswith("[") else name
            yield from known_keys(inner, f"[[{path}]]" if many else f"[{path}]")


def _section(annotation: object) -> type[BaseModel] | None:
    """The model behind a section or an array of sections, None for a plain value."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    for part in location:
        if isinstance(part, str):
            field = model.model_fields.get(part)
            inner = _section(field.annotation) if field else None
            if inner is None:
                return None
            model = inner
    return model


def _between(
    model: type[BaseModel], data: dict[str, Any], context: Context, *, look: bool
) -> Iterator[ConfigError]:
    """The rules, applied to whatever of the document can be read; the rest has complaints of its own."""

    def read(name: str, value: object) -> Any:
        inner = _section(model.model_fields[name].annotation)
        return inner and _salvaged(inner, value, context)

    listed = data.get("folders", [])
    folders = {n: read("folders", f) for n, f in enumerate(listed if isinstance(listed, list) else [])}
    staging = read("staging", data.get("staging", {}))
    top = _salvaged(model, {key: data[key] for key in data.keys() & {"state_dir"}}, context)
    state_dir = getattr(top, "state_dir", None)
    yield from relations(
        state_dir,
        getattr(staging, "dir", None) or (state_dir and state_dir / "staging"),
        {n: folder for n, folder in folders.items() if folder is not None},
        read("platform", data.get("platform", {})),
        read("convert", data.get("convert", {})),
        look=look,
    )


def _salvaged(model: type[Model], value: object, context: Context) -> Model | None:
    """Read what is readable of a section: wrong keys are as if absent. None where that does not help."""
    if not isinstance(value, dict):
        return None
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
    try:
        return model.model_validate({k: v for k, v in value.items() if k not in wrong}, context=context)
    except ValidationError:
        return None
