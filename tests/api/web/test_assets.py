import json
from pathlib import Path

from api.web.assets import STATIC, STYLES, Assets


def test_without_a_build_pages_load_the_sources_and_no_script(tmp_path: Path) -> None:
    assets = Assets(tmp_path)
    assert assets.scripts() == []
    assert assets.styles() == [f"/static/css/{name}.css" for name in STYLES]


def test_every_source_is_loaded_and_bundled() -> None:
    sources = {path.stem for path in (STATIC / "css").glob("*.css")}
    bundled = (STATIC / "src" / "everstay.css").read_text(encoding="utf-8")
    assert set(STYLES) == sources
    assert all(f'@import "../css/{name}.css";' in bundled for name in sources)


def test_with_a_build_pages_load_what_the_manifest_names(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    names = {"everstay.css": "everstay-A.css", "everstay.js": "everstay-B.js"}
    (tmp_path / "dist" / "manifest.json").write_text(json.dumps(names), encoding="utf-8")
    assets = Assets(tmp_path)
    assert (assets.styles(), assets.scripts()) == (
        ["/static/dist/everstay-A.css"],
        ["/static/dist/everstay-B.js"],
    )
