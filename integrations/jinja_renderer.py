"""Message templates: folders of subject.txt, body.txt and body.html, rendered strictly and in a sandbox."""

import re
import traceback
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from domain.errors import MessageTemplateError
from domain.ports import RenderedMessage

SUBJECT, TEXT, HTML = "subject.txt", "body.txt", "body.html"
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]+)*")


class JinjaMessageRenderer:
    """The MessageRenderer port over a folder; `<name>/<locale>/` holds a translation where there is one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = _Environment(
            loader=FileSystemLoader(folder),
            undefined=_Missing,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters["long_date"] = long_date

    def names(self) -> tuple[str, ...]:
        """Return the templates that exist, sorted."""
        return tuple(sorted(path.parent.name for path in self._folder.glob(f"*/{SUBJECT}")))

    def render(self, template: str, locale: str, context: Mapping[str, object]) -> RenderedMessage:
        """Render all three parts; each error names the template, the file with its line, and the variable."""
        if template not in self.names():
            known = ", ".join(self.names())
            raise MessageTemplateError(template=template, file="no folder", reason=f"there are only {known}")
        values = _scoped(context, "")
        subject, text, html = (
            self._part(template, self._file(template, locale, part), values) for part in (SUBJECT, TEXT, HTML)
        )
        return RenderedMessage(_one_line(template, subject), _tidy(text), html.strip() + "\n")

    def _file(self, template: str, locale: str, part: str) -> str:
        """Return the part in the locale, else in its language, else as it is."""
        wanted = (locale, re.split("[_-]", locale)[0]) if _LOCALE.fullmatch(locale) else ()
        files = [f"{template}/{each}/{part}" for each in wanted]
        return next((name for name in files if (self._folder / name).is_file()), f"{template}/{part}")

    def _part(self, template: str, file: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(file).render(values)
        except (TemplateError, TypeError, ValueError) as error:
            where = _place(error, self._folder) or file
            raise MessageTemplateError(template=template, file=where, reason=str(error)) from error


class _Environment(SandboxedEnvironment):
    """Looks a name up as a key before it looks for an attribute, since all our values are mappings."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, _Scope) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class _Scope(dict[str, object]):
    """A mapping that knows its own path, so that an error can name `contact.first_name` in full."""

    path: str = ""


def _scoped(values: Mapping[str, object], path: str) -> _Scope:
    scope = _Scope()
    scope.path = path
    for key, value in values.items():
        below = f"{path}.{key}" if path else key
        scope[key] = _scoped(value, below) if isinstance(value, Mapping) else value
    return scope


class _Missing(StrictUndefined):
    """A value that was not given, named by its whole path."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        owner = getattr(self._undefined_obj, "path", "")
        name = f"{owner}.{self._undefined_name}" if owner else str(self._undefined_name)
        return f"{name} is not given"


def _one_line(template: str, subject: str) -> str:
    """Fold white space: a line break in a subject would be a header of its own."""
    folded = " ".join(subject.split())
    if not folded:
        file = f"{template}/{SUBJECT}"
        raise MessageTemplateError(template=template, file=file, reason="the subject came out empty")
    return folded


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def _place(error: Exception, folder: Path) -> str:
    """Return `file:line` in the templates where the error arose; Jinja writes them into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    return f"{Path(ours[-1].filename).relative_to(folder)}:{ours[-1].lineno}" if ours else ""


def long_date(day: date) -> str:
    """Write a date as people say it: 3 March 2027."""
    return f"{day.day} {day:%B %Y}"
