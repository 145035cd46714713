import sys

from tests.house.repository import PACKAGES, files, imported_roots, name

DOMAIN_MAY_IMPORT = {*sys.stdlib_module_names, "pydantic", "domain"}
NOT_PURE = {
    "asyncio",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
}


def test_domain_imports_only_the_standard_library_and_pydantic() -> None:
    foreign = {name(path): imported_roots(path) - DOMAIN_MAY_IMPORT for path in files("domain/*.py")}
    assert {path: roots for path, roots in foreign.items() if roots} == {}


def test_domain_has_no_clock_no_randomness_and_no_io_of_its_own() -> None:
    impure = {name(path): imported_roots(path) & NOT_PURE for path in files("domain/*.py")}
    assert {path: roots for path, roots in impure.items() if roots} == {}


PRODUCT = ("cli.py", "settings.py", *(f"{package}/*.py" for package in PACKAGES))


def importers(roots: set[str], *patterns: str) -> list[str]:
    """The files among the patterns that import one of the roots."""
    return [name(path) for pattern in patterns for path in files(pattern) if imported_roots(path) & roots]


def test_settings_know_no_package_but_domain() -> None:
    assert importers(set(PACKAGES) - {"domain"}, "settings.py") == []


def test_the_command_line_delegates_and_holds_no_query_no_provider_and_no_workflow() -> None:
    below = {
        "models",
        "integrations",
        "ml",
        "activities",
        "workflows",
        "sqlalchemy",
        "litestar",
        "temporalio",
    }
    assert importers(below, "cli.py") == []


def test_nothing_but_the_console_script_imports_the_command_line() -> None:
    assert importers({"cli"}, *PRODUCT) == []


def test_nothing_in_the_product_imports_its_tests() -> None:
    assert importers({"tests"}, *PRODUCT) == []


def test_every_document_is_read_by_the_one_reader_of_yaml() -> None:
    assert importers({"yaml"}, *PRODUCT, "tools/*.py") == ["models/plain_yaml.py"]
