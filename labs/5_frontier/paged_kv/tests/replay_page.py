"""The burst's page in a browser.

    PAGED_KV=build/labs/paged_kv LAB_ROOT=. python3 replay_page.py keys_go_through_the_steps

Each function that takes (browser, address) is a sentence; without arguments all are checked. 77: no browser.
"""
import inspect
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(next(pathlib.Path(os.environ["LAB_ROOT"]).glob("labs/**/browser.py")).parent))
import browser as browsers    # noqa: E402


def same(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def step(page):
    return page.value("document.getElementById('step').textContent").split()[1]


def the_page_asks_for_nothing_and_complains_about_nothing(browser, address):
    page = browser.open(address)
    browser.listen(0.3)
    same([asked for asked in page.requests if asked != address], [])
    same(page.complaints, [])


def keys_go_through_the_steps(browser, address):
    page = browser.open(address)
    last = page.value("burst.frames.length")
    same(step(page), "1")
    page.press("ArrowRight", "ArrowRight", 39)
    same(step(page), "2")
    page.press("End", "End", 35)
    same(step(page), str(last))
    page.press("ArrowRight", "ArrowRight", 39)
    same(step(page), str(last))
    page.press("ArrowLeft", "ArrowLeft", 37)
    same(step(page), str(last - 1))
    page.press("Home", "Home", 36)
    same(step(page), "1")


def the_slider_and_the_buttons_do_too(browser, address):
    page = browser.open(address)
    page.value("(at => { at.value = 7; at.dispatchEvent(new Event('input')); })(document.getElementById('at'))")
    same(step(page), "8")
    page.value("document.getElementById('back').click()")
    same(step(page), "7")
    page.value("document.getElementById('play').click()")
    page.wait("document.getElementById('step').textContent.split(' ')[1] > 7")


def all_blocks_and_texts_are_shown(browser, address):
    page = browser.open(address)
    for at in range(page.value("burst.frames.length")):
        page.value(f"show({at})")
        same(page.value("document.querySelectorAll('.block').length"), page.value("burst.frames[0].cells.length"))
        same(page.value("document.querySelectorAll('#texts tr').length"), 7)
        # Each block that a table lists has that text among its owners, and no other has.
        same(page.value(f"burst.frames[{at}].cells.every(([owners], b) => burst.frames[{at}].tables.every("
                        "(table, i) => table.includes(b) === (owners >> i & 1) > 0))"), True)
    same(page.value("burst.texts.every((_, i) => state(i, burst.frames.length - 1) === 'finished')"), True)


def nothing_is_wider_than_the_window(browser, address):
    for width in (1280, 360):
        page = browser.open(address, width=width)
        page.value("show(20)")
        same((width, page.value("document.documentElement.scrollWidth")), (width, width))


def names_stand_out_from_their_colours(browser, address):
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    page = browser.open(address)
    low = page.value("""colours.filter(colour => {
        const part = at => { const v = parseInt(colour.slice(at, at + 2), 16) / 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
        return 1.05 / (0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) + 0.05) < 4.5;
    })""")
    same(low, [])


SENTENCES = {name: one for name, one in list(globals().items())
             if inspect.isfunction(one) and list(inspect.signature(one).parameters) == ["browser", "address"]}


def main():
    if browsers.find() is None:
        print("skipped: there is no Chromium here to look at the page with; apt-get install chromium")
        return 77
    with tempfile.TemporaryDirectory() as out, browsers.Browser() as browser:
        subprocess.run([os.environ["PAGED_KV"], "--smoke", "--part", "serve", "--plot", "none", "--out", out],
                       check=True, stdout=subprocess.DEVNULL)
        for name in sys.argv[1:] or SENTENCES:
            SENTENCES[name](browser, f"file://{out}/replay.html")
            print("ok", name)
    return 0


sys.exit(main())
