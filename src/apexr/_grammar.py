"""The config-string grammar ``NAME;ARG;...``, read from the annotations of data classes.

A :class:`Kind` turns each registered class into a frozen dataclass whose fields, in order,
are the arguments. Parsing and printing are inverse; usage texts, documentation tables and
errors come from the same annotations.
"""

import dataclasses
import inspect
import math
import typing
from collections.abc import Callable, Mapping
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
class OneOf:
    """One name out of a registry."""

    registry: Registry[Any]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.registry

    def __str__(self) -> str:
        return f"one of {', '.join(self.registry.names())}"


@dataclasses.dataclass(frozen=True)
class Nested:
    """Another kind's config string, which takes all that is left.

    With ``many``, what is left is a list of such strings, ``FIRST|SECOND|...``, and the value a
    tuple; spaces around the bars do not matter. Bars belong to the outermost list: a list within
    a list cannot be written.
    """

    kind: "Kind[Any]"
    many: bool = False


@dataclasses.dataclass(frozen=True)
class Led:
    """A value that a word and a number may stand for: ``WORD;NUMBER`` in place of the plain form.

    ``words`` maps each word to what makes the value of the number; ``plain`` is the annotation of
    the plain form.
    """

    words: Mapping[str, Callable[[float], object]]
    plain: Any

    def __hash__(self) -> int:
        return hash(tuple(self.words))


@dataclasses.dataclass(frozen=True)
class Skippable:
    """A number before a nested string that may be left out, as in ``delta;[SCALE;]INNER``.

    A field that is no number begins the nested string; the value is then None.
    """


BAR = "|"
COMMA = ","


MOST = 10**9  # more of anything is a slip of the keyboard
Count = Annotated[int, Range(minimum=0)]
Layers = Annotated[int, Range(minimum=0, maximum=1000)]
"""How often a part of a network is repeated: each is traced by itself, which takes its time."""
SomeLayers = Annotated[int, Range(minimum=1, maximum=1000)]
"""The same where there must be one."""
Dimensions = Annotated[int, Range(minimum=1, maximum=3)]
PositiveInt = Annotated[int, Range(minimum=1)]
Finite = Annotated[float, Range()]
PositiveFloat = Annotated[float, Range(minimum=0.0, exclusive=True)]
NonNegativeFloat = Annotated[float, Range(minimum=0.0)]


class _Part(str):
    """The text between two separators, with its place in the whole string."""

    place: int

    def __new__(cls, text: str, place: int) -> "_Part":
        part = super().__new__(cls, text)
        part.place = place
        return part

    def cut(self, separator: str) -> "list[_Part]":
        """Return the pieces between separators."""
        pieces, place = [], self.place
        for text in self.split(separator):
            pieces.append(_Part(text, place))
            place += len(text) + len(separator)
        return pieces

    def trimmed(self, *, left: bool, right: bool) -> "_Part":
        """Return the part without the spaces on its sides."""
        text = self.rstrip() if right else str(self)
        kept = text.lstrip() if left else text
        return _Part(kept, self.place + len(text) - len(kept))

    @property
    def after(self) -> "_Part":
        """The empty part where the next one would stand."""
        return _Part("", self.place + len(self) + 1)


class _FieldError(Exception):
    """A part that cannot be read: where the caret goes, what to raise, usages to show."""

    def __init__(
        self,
        part: _Part,
        message: str,
        error: type[SpecError] = SpecError,
        usages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.part = part
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
        hints = typing.get_type_hints(cls, include_extras=True)
        for field in _fields(cls):
            nested = _extra(hints[field.name], Nested)
            label = field.name.upper() + (f"[{BAR}...]" if nested and nested.many else "")
            if _extra(hints[field.name], Skippable):
                text += f";[{label};]"
            elif text.endswith("]") and not _is_optional(field):
                text += label
            else:
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
        try:
            return self._build(_Part(text, 0).cut(";"))
        except _FieldError as error:
            raise error.error(self._explain(text, error)) from None

    def _build(self, parts: list[_Part]) -> T:
        if parts[0] != parts[0].strip() or parts[0] not in self.registry:
            self._refuse_name(parts[0])
        cls = self.registry.get(parts[0])
        try:
            return cls(**_read_fields(cls, parts))
        except SpecError as error:
            raise _FieldError(parts[0], str(error), usages=(self.usage(parts[0]),)) from None
        except _FieldError as error:
            error.usages = (self.usage(parts[0]), *error.usages)
            raise

    def _refuse_name(self, name: _Part) -> typing.NoReturn:
        raise _FieldError(name, self.registry.unknown(name), UnknownNameError)

    def _explain(self, text: str, error: _FieldError) -> str:
        caret = " " * error.part.place + "^" * max(len(error.part), 1)
        lines = [f"{self.noun} config: {error}", f"  {text}", f"  {caret}"]
        labels = ("usage: ", *["  with "] * len(error.usages))
        lines += [label + usage for label, usage in zip(labels, error.usages, strict=False)]
        return "\n".join(lines)


def print_spec(spec: Any) -> str:
    """Return the canonical config string of a spec; trailing defaults are left out."""
    fields = list(_fields(type(spec)))
    while fields and _is_default(spec, fields[-1]):
        fields.pop()
    values = [getattr(spec, field.name) for field in fields]
    told = [_print_value(value) for value in values if value is not None]  # None was left out
    return ";".join([type(spec).__config_name__, *told])


def _print_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        separator = COMMA if all(isinstance(entry, int | float) for entry in value) else BAR
        return separator.join(map(_print_value, value))
    return repr(value) if isinstance(value, float) else str(value)


def _fields(cls: type) -> tuple["dataclasses.Field[Any]", ...]:
    return tuple(field for field in dataclasses.fields(cls) if field.init)


def _is_optional(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _is_default(spec: object, field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING and getattr(spec, field.name) == field.default


def _read_fields(cls: type, parts: list[_Part]) -> dict[str, object]:
    hints = typing.get_type_hints(cls, include_extras=True)
    values: dict[str, object] = {}
    left = parts[1:]
    for field in _fields(cls):
        hint, label = hints[field.name], field.name.upper()
        nested = _extra(hint, Nested)
        if not left:
            if _is_optional(field):
                break
            raise _FieldError(parts[-1].after, f"{label} is missing")
        if nested is not None:
            values[field.name] = _read_nested(nested, left)
            left = []
        elif (led := _extra(hint, Led)) is not None:
            values[field.name] = _read_led(label, led, left)
        elif _extra(hint, Skippable) and not _is_number(left[0]):
            values[field.name] = None
        else:
            values[field.name] = _read_value(label, hint, left.pop(0))
    if left:
        extra = ";".join(left)
        raise _FieldError(left[0], f"nothing is expected after the last field, got {extra!r}")
    return values


def _read_led(label: str, led: Led, left: list[_Part]) -> object:
    """Return the value at the front of the parts that are left, which is taken from them."""
    first = left.pop(0)
    make = led.words.get(first.lower())
    if make is None:
        return _read_value(label, led.plain, first)
    if not left:
        raise _FieldError(first.after, f"the number of {first} is missing")
    number = left.pop(0)
    try:
        return make(_read_float(str(first), number))
    except SpecError as error:
        raise _FieldError(number, str(error)) from None


def _read_nested(nested: Nested, parts: list[_Part]) -> object:
    if not nested.many:
        return nested.kind._build(parts)
    return tuple(nested.kind._build(entry) for entry in _entries(parts))


def _entries(parts: list[_Part]) -> list[list[_Part]]:
    """Return the parts of each entry of a list, without the spaces around its bars."""
    entries: list[list[_Part]] = [[]]
    for part in parts:
        first, *others = part.cut(BAR)
        entries[-1].append(first)
        entries += [[other] for other in others]
    for number, entry in enumerate(entries):
        entry[0] = entry[0].trimmed(left=number > 0, right=False)
        entry[-1] = entry[-1].trimmed(left=False, right=number < len(entries) - 1)
    return entries


def _extra(hint: Any, kind: type[T]) -> T | None:
    """Return the annotation's extra of the given class, if it has one."""
    extras = getattr(hint, "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, kind)), None)


def _read_value(label: str, hint: Any, part: _Part) -> object:
    base = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    choice = _extra(hint, OneOf)
    if choice is not None:
        return _read_choice(label, choice.registry, part)
    value = _READERS[base](label, part)
    bounds = _extra(hint, Range)
    endless = isinstance(value, float) and not math.isfinite(value)
    if bounds is not None and (endless or value not in bounds):
        raise _FieldError(part, f"{label} must be {bounds}, got {part}")
    return value


def _is_number(part: _Part) -> bool:
    try:
        _read_float("", part)
    except _FieldError:
        return False
    return True


def _read_choice(label: str, registry: Registry[Any], part: _Part) -> str:
    if part not in registry:
        raise _FieldError(part, f"{label}: {registry.unknown(part)}", UnknownNameError)
    return str(part) if registry.case_sensitive else part.lower()


def _read_int(label: str, part: _Part) -> int:
    try:
        value = int(part) if part == part.strip() else int("refused")
    except ValueError:
        raise _FieldError(part, f"{label} must be int, got {part!r}") from None
    if abs(value) > MOST:
        raise _FieldError(part, f"{label} must be int of at most {MOST:_}, got {part}")
    return value


def _read_float(label: str, part: _Part) -> float:
    try:
        return float(part) if part == part.strip() else float("refused")
    except ValueError:
        raise _FieldError(part, f"{label} must be a number, got {part!r}") from None


def _read_bool(label: str, part: _Part) -> bool:
    words = {"true": True, "false": False}
    if part.lower() not in words:
        raise _FieldError(part, f"{label} must be true or false, got {part!r}")
    return words[part.lower()]


def _read_str(label: str, part: _Part) -> str:
    if not part:
        raise _FieldError(part, f"{label} must not be empty")
    return str(part)


def _read_floats(label: str, part: _Part) -> tuple[float, ...]:
    values = tuple(_read_float(label, entry) for entry in part.cut(COMMA))
    if not all(map(math.isfinite, values)):
        raise _FieldError(part, f"{label} must be finite numbers, got {part!r}")
    return values


def _read_ints(label: str, part: _Part) -> tuple[int, ...]:
    return tuple(_read_int(label, entry) for entry in part.cut(COMMA))


_READERS: dict[Any, Callable[[str, _Part], Any]] = {
    tuple[float, ...]: _read_floats,
    tuple[int, ...]: _read_ints,
    int: _read_int,
    float: _read_float,
    float | None: _read_float,
    bool: _read_bool,
    str: _read_str,
}
