"""Names to objects, one registry per kind of thing, open to plug-ins by entry points."""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from apexr.errors import SpecError, UnknownNameError, suggest, warn

MOST_LISTED = 40
"""Names that the message of an error lists; of more it says where they are listed."""
LEAST_WORD = 5
"""Letters of a word that is looked for in what objects are called."""

T = TypeVar("T")
U = TypeVar("U")


class Registry(Generic[T]):
    """The named objects of one kind.

    Parameters
    ----------
    noun
        The kind of objects, as error messages say it: ``"network"``.
    group
        The entry-point group through which other packages add their own,
        such as ``"apexr.networks"``. An entry point names an object that
        :meth:`register` would take; it is loaded when it is first asked for.
    case_sensitive
        Whether ``"Conv"`` and ``"conv"`` are different names.
    """

    def __init__(self, noun: str, group: str, *, case_sensitive: bool = False) -> None:
        self.noun = noun
        self.group = group
        self.case_sensitive = case_sensitive
        self._objects: dict[str, T] = {}
        self._labels: dict[str, str] = {}
        self._unlisted: set[str] = set()
        self._plugins: dict[str, EntryPoint] | None = None
        self.adopt: Callable[..., Callable[[Any], Any]] = self.register
        """The decorator that registers an object from an entry point."""

    def _fold(self, name: str) -> str:
        return name if self.case_sensitive else name.lower()

    def register(
        self, name: str, *, aliases: tuple[str, ...] = (), listed: bool = True
    ) -> Callable[[U], U]:
        """Return a decorator that enters an object under ``name`` (and under its aliases).

        One that is not ``listed`` is found by its name and stands in no list of all.

        Raises
        ------
        SpecError
            If another object has the name already.
        """

        def enter(obj: U) -> U:
            labels = (name, *aliases)
            for label in labels:
                held = self._objects.get(self._fold(label))
                if held is not None and not _same_definition(held, obj):
                    raise SpecError(f"{self.noun} {label!r} is registered already: {held!r}")
            self._objects.update({self._fold(label): obj for label in labels})  # type: ignore[misc]
            self._labels[self._fold(name)] = name
            self._unlisted |= set() if listed else {self._fold(name)}
            return obj

        return enter

    def unregister(self, name: str) -> None:
        """Forget ``name``; the object stays known under its other names."""
        self._objects.pop(self._fold(name), None)
        self._labels.pop(self._fold(name), None)

    def names(self) -> tuple[str, ...]:
        """Return every name, plug-ins included, without loading any plug-in."""
        plugins = {self._fold(name): name for name in self._entry_points()}
        held = {**plugins, **self._labels}
        listed = (name for key, name in held.items() if key not in self._unlisted)
        return tuple(sorted(listed, key=str.lower))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            self._fold(name) in self._objects
            or self._fold(name) in map(self._fold, self._entry_points())
        )

    def get(self, name: str) -> T:
        """Return the object called ``name``.

        Raises
        ------
        UnknownNameError
            If there is none; the message holds the nearest name and all names.
        """
        key = self._fold(name)
        if key not in self._objects:
            self._load_plugin(key)
        if key not in self._objects:
            raise UnknownNameError(self.unknown(name))
        return self._objects[key]

    def loaded(self) -> dict[str, T]:
        """Return the objects that are registered by now, by their first names."""
        return {label: self._objects[key] for key, label in self._labels.items()}

    def unknown(self, name: str) -> str:
        """Return what to say of a name that is not known: the nearest one and all of them."""
        known = (*self.names(), *(self._labels[key] for key in sorted(self._unlisted)))
        near = self._of_that_meaning(name) or suggest(name, known)
        if len(known) <= MOST_LISTED:
            return f"unknown {self.noun} {name!r}{near} (known: {', '.join(known)})"
        where = f"apexr list {self.group.partition('.')[2]}"
        return f"unknown {self.noun} {name!r}{near} (`{where}` names all {len(known)})"

    def _of_that_meaning(self, name: str) -> str:
        """Return the names of objects that are called so in words: in their class or first line."""
        asked = _letters(name)
        labels = " ".join(self._labels.values()).lower()
        if len(asked) < LEAST_WORD or name.lower() in labels:
            return ""  # a part of a name is nearest to it
        said = {
            label: _letters(f"{getattr(one, '__name__', '')} {_first_line(one)}")
            for label, one in self.loaded().items()
        }
        found = sorted((n for n, text in said.items() if asked in text), key=lambda n: (len(n), n))
        return f"; did you mean {' or '.join(map(repr, found[:3]))}?" if found else ""

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._plugins is None:
            self._plugins = {point.name: point for point in entry_points(group=self.group)}
        return self._plugins

    def _load_plugin(self, key: str) -> None:
        for name, point in self._entry_points().items():
            if self._fold(name) != key:
                continue
            try:
                loaded = point.load()
            except Exception as error:  # a broken plug-in must not take the rest down
                package = point.dist.name if point.dist else point.value
                message = f"{self.noun} {name!r} of {package} cannot be loaded: {error!r}"
                warn(message)
                del self._entry_points()[name]  # neither listed nor tried again
                return
            if key not in self._objects:  # loading may have registered it already
                self.adopt(name)(loaded)


def _letters(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalpha())


def _first_line(one: object) -> str:
    return (getattr(one, "__doc__", None) or "").partition("\n")[0]


def _same_definition(first: object, second: object) -> bool:
    """Tell whether both are one definition, as when a module or a cell is run again."""
    names = [
        (getattr(obj, "__module__", None), getattr(obj, "__qualname__", None))
        for obj in (first, second)
    ]
    return first is second or (names[0] == names[1] and None not in names[0])
