"""Templates: escaped by default, strict about missing values, with the names that every page uses."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from api.server_timing import TimedTemplate
from api.web.assets import Assets

TEMPLATES = Path(__file__).parent / "templates"


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """Return the engine. A name that a page forgot to pass is an error, not an empty place."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.template_class = TimedTemplate
    environment.globals["assets"] = Assets()
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))
