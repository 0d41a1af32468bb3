import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gateway.assets import PACKAGE_FILES, Assets
from gateway.theme import DEFAULT_THEME, Theme, ThemeRefused, contrast, load_theme


def a_theme(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Copy the package's own theme, with some lines of it replaced."""
    shutil.copy(DEFAULT_THEME.parent / "logo.svg", folder)
    text = DEFAULT_THEME.read_text()
    for line, other in (changes or {}).items():
        assert line in text
        text = text.replace(line, other, 1)
    path = folder / "theme.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#FFFFFF", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


def test_the_packages_own_theme_can_be_read_by_all() -> None:
    assert load_theme(DEFAULT_THEME).faults() == []


def test_every_colour_of_a_theme_is_a_property_in_light_and_on_the_screens_that_ask_in_the_dark(
    tmp_path: Path,
) -> None:
    told: dict[str, Any] = tomllib.loads(DEFAULT_THEME.read_text())
    light, dark = load_theme(a_theme(tmp_path)).css().split("@media screen and (prefers-")
    for palette, css in (("light", light), ("dark", dark)):
        for name, colour in told[palette].items():
            assert f"--rentree-{name.replace('_', '-')}: {colour};" in css
    assert 'system-ui, -apple-system, "Segoe UI"' in light


def test_colours_that_cannot_be_told_apart_are_refused_by_name(tmp_path: Path) -> None:
    path = a_theme(
        tmp_path,
        {
            'link = "#1a5296"': 'link = "#7fa8d8"',
            'border = "#9aa8b6"': 'border = "#3f4b58"',
            'focus = "#ffdd00"\non_focus = "#0b0c0c"': 'focus = "#ffdd00"\non_focus = "#7a6a00"',
        },
    )
    with pytest.raises(ThemeRefused) as refused:
        load_theme(path)
    told = str(refused.value)
    assert str(path) in told
    assert re.search(r"light: link on page is 2\.\d\d:1, at least 4\.5:1 is needed", told)
    assert re.search(r"dark: border on page is 2\.\d\d:1, at least 3\.0:1 is needed", told)
    assert "light: on_focus on focus is" in told
    assert "dark: link on page" not in told


def test_a_focus_that_nothing_shows_is_refused() -> None:
    light = load_theme(DEFAULT_THEME).light
    hidden = light.model_copy(update={"focus": "#ffffff", "on_focus": "#eeeeee"})
    assert any(fault.startswith("the focus on page is 1.16:1") for fault in hidden.faults())


@pytest.mark.parametrize(
    ("line", "other", "told"),
    [
        ('page = "#ffffff"', 'page = "white"', "light.page"),
        ('page = "#ffffff"', 'page = "#fff;}"', "light.page"),
        ('"system-ui"', '"x; } body { display: none"', "fonts.0"),
        ('mandatory = "#fff5c2"\n', "", "light.mandatory"),
        ('name = "Terr', 'nom = "Terr', "nom"),
        ('logo = "logo.svg"', 'logo = "absent.svg"', "no SVG or PNG file"),
        ('logo = "logo.svg"', 'logo = "theme.toml"', "no SVG or PNG file"),
        ("[light]", "[light", "theme.toml"),
    ],
)
def test_a_file_that_is_no_theme_is_refused_with_what_is_wrong(
    tmp_path: Path, line: str, other: str, told: str
) -> None:
    with pytest.raises(ThemeRefused, match=re.escape(told)):
        load_theme(a_theme(tmp_path, {line: other}))


def test_another_theme_changes_the_address_of_every_file(tmp_path: Path) -> None:
    for name in PACKAGE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    path = a_theme(tmp_path, {'name = "Territoire': 'name = "Autre', "#e8eef5": "#e8eef6"})
    ours, other = Assets(load_theme(DEFAULT_THEME), tmp_path), Assets(load_theme(path), tmp_path)
    for name in ("theme.css", "logo.svg", "app.js"):
        assert ours.url(name) != other.url(name)


def test_a_gateway_told_of_an_unreadable_theme_stops_and_says_why(tmp_path: Path) -> None:
    path = a_theme(tmp_path, {'text = "#10181f"': 'text = "#aab0b6"'})
    services = ("IDENTITY", "ENROLMENT", "DOCUMENTS", "COURSES", "NOTIFICATIONS")
    told = {
        "RENTREE_TOKEN_PUBLIC_KEY_FILE": str(path),
        "RENTREE_PUBLIC_URL": "http://portal.example",
        "RENTREE_BROKER_URL": "amqp://broker.example",
        "RENTREE_STORE_URL": "http://store.example",
        "RENTREE_STORE_PUBLIC_URL": "http://store.example",
        "RENTREE_COOKIE_SECRET": "s" * 32,
        "RENTREE_THEME": str(path),
    } | {f"RENTREE_SERVICES__{name}": "http://service.example" for name in services}
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"The theme {path} is refused:"
    assert "light: text on page is" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_rule_of_ours_names_a_colour_but_those_of_tags_and_paper() -> None:
    static = DEFAULT_THEME.parents[1] / "static"
    tags = (static / "toolkit.css").read_text().split("/* In the dark, a tag's")[0]
    others = [(static / name).read_text() for name in ("pages.css", "tables.css")]
    for css in (tags, *others):
        assert re.findall(r":[^;{]*#[0-9a-f]{3,8}\b", css) == []


def test_every_property_that_our_rules_read_is_given(tmp_path: Path) -> None:
    theme: Theme = load_theme(a_theme(tmp_path))
    static = DEFAULT_THEME.parents[1] / "static"
    read = {
        name
        for sheet in static.glob("*.css")
        for name in re.findall(r"var\((--rentree-[\w-]+)", sheet.read_text())
    }
    assert {name for name in read if f"{name}:" not in theme.css()} == set()
