"""The config-string grammar ``NAME;ARG;...``, read from the annotations of data classes.

A :class:`Kind` turns each registered class into a frozen dataclass whose fields, in order,
are the arguments. Parsing and printing are inverse; usage texts, documentation tables and
errors come from the same annotations.
"""

import dataclasses
import inspect
import math
import typing
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from apexr._registry import Registry
from apexr.errors import SpecError, UnknownNameError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number; ``exclusive`` shuts out the bounds themselves."""

    minimum: float = -math.inf
    maximum: float = math.inf
    exclusive: bool = False

    def __contains__(self, value: float) -> bool:
        if self.exclusive:
            return self.minimum < value < self.maximum
        return self.minimum <= value <= self.maximum

    def __str__(self) -> str:
        words = ("above", "below") if self.exclusive else ("at least", "at most")
        bounds = [
            f"{word} {bound:g}"
            for word, bound in zip(words, (self.minimum, self.maximum), strict=True)
            if math.isfinite(bound)
        ]
        return " and ".join(bounds) or "finite"


@dataclasses.dataclass(frozen=True)
class Choice:
    """One name out of a registry."""

    registry: Registry[Any]


@dataclasses.dataclass(frozen=True)
class Nested:
    """Another kind's config string, which takes all that is left."""

    kind: "Kind[Any]"


@dataclasses.dataclass(frozen=True)
class Several:
    """Config strings of a kind, separated by ``|``, which take all that is left."""

    kind: "Kind[Any]"


MOST = 10**9  # more of anything is a slip of the keyboard
Count = Annotated[int, Range(minimum=0)]
PositiveInt = Annotated[int, Range(minimum=1)]
Finite = Annotated[float, Range()]
PositiveFloat = Annotated[float, Range(minimum=0.0, exclusive=True)]
NonNegativeFloat = Annotated[float, Range(minimum=0.0)]


class _FieldError(Exception):
    """A field that cannot be read: its index for the caret, what to raise, usages to show."""

    def __init__(
        self,
        index: int,
        message: str,
        error: type[SpecError] = SpecError,
        usages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.index = index
        self.error = error
        self.usages = usages


class Kind(Generic[T]):
    """A family of config strings, such as all networks.

    Parameters
    ----------
    noun, group, case_sensitive
        As in :class:`apexr._registry.Registry`.
    """

    def __init__(self, noun: str, group: str, *, case_sensitive: bool = False) -> None:
        self.noun = noun
        self.registry: Registry[type[T]] = Registry(noun, group, case_sensitive=case_sensitive)
        self.registry.adopt = self.register

    def register(self, name: str, *, aliases: tuple[str, ...] = ()) -> Callable[[type[T]], type[T]]:
        """Return a class decorator: frozen dataclass, printable, known as ``name``."""

        def enter(cls: type[T]) -> type[T]:
            is_done = "__dataclass_fields__" in vars(cls)  # its own, not those of a base class
            made = cls if is_done else dataclasses.dataclass(frozen=True)(cls)
            made.__config_name__ = name  # type: ignore[attr-defined]
            made.__str__ = print_spec  # type: ignore[assignment]
            return self.registry.register(name, aliases=aliases)(made)

        return enter

    def names(self) -> tuple[str, ...]:
        """Return all registered names."""
        return self.registry.names()

    def usage(self, name: str) -> str:
        """Return the form of a config string, optional fields in brackets."""
        cls = self.registry.get(name)
        text = getattr(cls, "__config_name__", name)
        for field in _fields(cls):
            label = field.name.upper()
            text += f"[;{label}]" if _is_optional(field) else f";{label}"
        return text

    def describe(self, name: str) -> str:
        """Return the first line of the registered class's docstring."""
        return (inspect.getdoc(self.registry.get(name)) or "").split("\n", 1)[0]

    def parse(self, text: str) -> T:
        """Return the frozen spec that ``text`` stands for.

        Raises
        ------
        SpecError
            With the text, a caret under the field, what was expected and the usage.
        """
        if not isinstance(text, str):
            given = f"{text!r} ({type(text).__name__})"
            raise SpecError(f"{self.noun} config must be a string like NAME;ARG, got {given}")
        parts = text.split(";")
        try:
            return self._build(parts)
        except _FieldError as error:
            raise error.error(self._explain(parts, error)) from None

    def _build(self, parts: list[str]) -> T:
        if parts[0] != parts[0].strip() or parts[0] not in self.registry:
            self._refuse_name(parts[0])
        cls = self.registry.get(parts[0])
        try:
            return cls(**_read_fields(cls, parts))
        except SpecError as error:
            raise _FieldError(0, str(error), usages=(self.usage(parts[0]),)) from None
        except _FieldError as error:
            error.usages = (self.usage(parts[0]), *error.usages)
            raise

    def _refuse_name(self, name: str) -> typing.NoReturn:
        raise _FieldError(0, self.registry.unknown(name), UnknownNameError)

    def _explain(self, parts: list[str], error: _FieldError) -> str:
        index = min(error.index, len(parts))
        start = len(";".join([*parts[:index], ""]))
        width = len(parts[index]) if index < len(parts) else 1
        caret = " " * start + "^" * max(width, 1)
        lines = [f"{self.noun} config: {error}", f"  {';'.join(parts)}", f"  {caret}"]
        labels = ("usage: ", *["  with "] * len(error.usages))
        lines += [label + usage for label, usage in zip(labels, error.usages, strict=False)]
        return "\n".join(lines)


def print_spec(spec: Any) -> str:
    """Return the canonical config string of a spec; trailing defaults are left out."""
    fields = list(_fields(type(spec)))
    while fields and _is_default(spec, fields[-1]):
        fields.pop()
    values = [_print_value(getattr(spec, field.name)) for field in fields]
    return ";".join([type(spec).__config_name__, *values])


def _print_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        separator = "," if all(isinstance(entry, int | float) for entry in value) else "|"
        return separator.join(map(_print_value, value))
    return repr(value) if isinstance(value, float) else str(value)


def _fields(cls: type) -> tuple["dataclasses.Field[Any]", ...]:
    return tuple(field for field in dataclasses.fields(cls) if field.init)


def _is_optional(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _is_default(spec: object, field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING and getattr(spec, field.name) == field.default


def _read_fields(cls: type, parts: list[str]) -> dict[str, object]:
    hints = typing.get_type_hints(cls, include_extras=True)
    values: dict[str, object] = {}
    position = 1
    for field in _fields(cls):
        hint = hints[field.name]
        nested, several = _extra(hint, Nested), _extra(hint, Several)
        if position >= len(parts):
            if _is_optional(field):
                break
            raise _FieldError(position, f"{field.name.upper()} is missing")
        if nested is not None:
            values[field.name] = _read_nested(nested.kind, parts[position:], position)
            position = len(parts)
        elif several is not None:
            values[field.name] = _read_several(several.kind, parts, position)
            position = len(parts)
        else:
            values[field.name] = _read_value(field.name.upper(), hint, parts[position], position)
            position += 1
    if position < len(parts):
        extra = ";".join(parts[position:])
        raise _FieldError(position, f"nothing is expected after the last field, got {extra!r}")
    return values


def _read_nested(kind: Kind[Any], parts: list[str], position: int) -> object:
    """Return the spec of ``parts``, which begin at a position of the whole string."""
    try:
        return kind._build(parts)
    except _FieldError as error:
        index = position + error.index
        raise _FieldError(index, str(error), error.error, error.usages) from None


def _read_several(kind: Kind[Any], parts: list[str], position: int) -> tuple[object, ...]:
    specs = []
    for text in ";".join(parts[position:]).split("|"):
        specs.append(_read_nested(kind, text.split(";"), position))
        position += text.count(";")
    return tuple(specs)


def _extra(hint: Any, kind: type[T]) -> T | None:
    """Return the annotation's extra of the given class, if it has one."""
    extras = getattr(hint, "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, kind)), None)


def _read_value(label: str, hint: Any, text: str, index: int) -> object:
    base = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    choice = _extra(hint, Choice)
    if choice is not None:
        return _read_choice(label, choice.registry, text, index)
    value = _READERS[base](label, text, index)
    bounds = _extra(hint, Range)
    endless = isinstance(value, float) and not math.isfinite(value)
    if bounds is not None and (endless or value not in bounds):
        raise _FieldError(index, f"{label} must be {bounds}, got {text}")
    return value


def _read_choice(label: str, registry: Registry[Any], text: str, index: int) -> str:
    if text not in registry:
        raise _FieldError(index, f"{label}: {registry.unknown(text)}", UnknownNameError)
    return text if registry.case_sensitive else text.lower()


def _read_int(label: str, text: str, index: int) -> int:
    try:
        value = int(text) if text == text.strip() else int("refused")
    except ValueError:
        raise _FieldError(index, f"{label} must be int, got {text!r}") from None
    if abs(value) > MOST:
        raise _FieldError(index, f"{label} must be int of at most {MOST:_}, got {text}")
    return value


def _read_float(label: str, text: str, index: int) -> float:
    try:
        return float(text) if text == text.strip() else float("refused")
    except ValueError:
        raise _FieldError(index, f"{label} must be a number, got {text!r}") from None


def _read_bool(label: str, text: str, index: int) -> bool:
    words = {"true": True, "false": False}
    if text.lower() not in words:
        raise _FieldError(index, f"{label} must be true or false, got {text!r}")
    return words[text.lower()]


def _read_floats(label: str, text: str, index: int) -> tuple[float, ...]:
    values = tuple(_read_float(label, entry, index) for entry in text.split(","))
    if not all(map(math.isfinite, values)):
        raise _FieldError(index, f"{label} must be finite numbers, got {text!r}")
    return values


def _read_ints(label: str, text: str, index: int) -> tuple[int, ...]:
    return tuple(_read_int(label, entry, index) for entry in text.split(","))


def _read_str(label: str, text: str, index: int) -> str:
    if not text:
        raise _FieldError(index, f"{label} must not be empty")
    return text


_READERS: dict[Any, Callable[[str, str, int], Any]] = {
    tuple[float, ...]: _read_floats,
    tuple[int, ...]: _read_ints,
    int: _read_int,
    float: _read_float,
    bool: _read_bool,
    str: _read_str,
}
