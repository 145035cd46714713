"""Mappings of generic webhooks as files: the same errors as for mappings of imports."""

from pydantic import ValidationError

from domain.mapping_check import check
from domain.webhook_mapping import WebhookMapping
from models.mapping_files import bad_mapping, find_mapping, read_file


def load_webhook_mapping(name: str) -> WebhookMapping:
    """Return the mapping of a path, or of a name in the library; raises MappingError."""
    path = find_mapping(name)
    read = read_file(path)
    try:
        mapping = WebhookMapping.model_validate(read.data)
    except ValidationError as error:
        told = [(tuple(each["loc"]), each["msg"]) for each in error.errors()]
        raise bad_mapping(path, read, told) from None
    problems = [(problem.path, problem.reason) for problem in check(mapping.as_import())]
    if problems:
        raise bad_mapping(path, read, problems)
    return mapping
