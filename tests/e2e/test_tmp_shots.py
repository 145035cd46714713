import pytest
from tests.e2e.test_pages import *  # noqa
from tests.e2e.test_pages import CASES

def test_shots(shown):
    page = shown.open("ada")
    first = shown.sample.customers[2]
    for name, place in {"board": "/dunning", "list": "/dunning?view=list", "case": "/dunning/{unpaid}", "held": "/dunning/{held}", "stop": "/cases/{unpaid}/stop", "win": "/win-back", "wincase": "/win-back/{left}", "offers": "/offers", "customer": "/customers/{customer}"}.items():
        for size, scheme in (((1280, 900), "light"), ((390, 844), "dark")):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme=scheme)
            page.goto(place.format(customer=first, **CASES))
            page.screenshot(path=f"/tmp/shots_boards/{name}-{size[0]}.png", full_page=True)
