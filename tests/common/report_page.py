"""A run's report in a browser: what a learner sees on a desk and on a phone.

    LINEAR_ALGEBRA=build/labs/linear_algebra LAB_ROOT=. python3 report_page.py every_picture_is_drawn

Each function that takes (browser, run) is a sentence; without arguments all are checked, in one browser.
run(*options) is the address of the page of a run with these options. 77: no browser here.
"""
import inspect
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(next(pathlib.Path(os.environ["LAB_ROOT"]).glob("labs/**/browser.py")).parent))
import browser as browsers    # noqa: E402

SCRIPT = "<script>document.title='taken'</script>"
LONG = "a_name_without_a_break_" * 12


def same(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def table_of(folder, *names):
    """A CSV with columns of these names; quotes are doubled as RFC 4180 has it."""
    path = pathlib.Path(folder) / "odd.csv"
    heading = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    rows = "".join(",".join(str((i + 1) * (j + 2) + i * i % (j + 3)) for j in range(len(names))) + "\n"
                   for i in range(12))
    path.write_text(heading + "\n" + rows)
    return str(path)


def the_page_asks_for_nothing_and_complains_about_nothing(browser, run):
    address = run()
    page = browser.open(address)
    browser.listen(0.3)
    same([asked for asked in page.requests if asked != address and not asked.startswith("data:")], [])
    same(page.complaints, [])
    same(page.value("document.querySelectorAll('script, link[rel=stylesheet], iframe, object').length"), 0)


def every_picture_is_drawn(browser, run):
    page = browser.open(run())
    sizes = page.value("[...document.images].map(one => [one.alt, one.naturalWidth, one.complete])")
    assert len(sizes) >= (9 if shutil.which("gnuplot") else 3), sizes
    for title, width, complete in sizes:
        assert complete and width > 100 and title, (title, width, complete)


def nothing_is_wider_than_the_window(browser, run):
    with tempfile.TemporaryDirectory() as folder:
        for address in (run(), run("--csv", table_of(folder, LONG, "y", LONG + "2"))):
            for width in (1280, 360):
                page = browser.open(address, width=width)
                same((width, page.value("document.documentElement.scrollWidth")), (width, width))
                wide = page.value("[...document.body.querySelectorAll('*')]"
                                  ".filter(one => !one.closest('.scroll') && !one.matches('figure img'))"
                                  f".filter(one => one.getBoundingClientRect().right > {width})"
                                  ".map(one => one.outerHTML.slice(0, 80))")
                same(wide, [])


def a_wide_table_scrolls_by_itself(browser, run):
    page = browser.open(run("--part", "hilbert"), width=360)
    inside, outside = page.value("(box => [box.scrollWidth, box.clientWidth])(document.querySelector('.scroll'))")
    assert inside > outside, (inside, outside)


def names_from_a_file_are_shown_as_text(browser, run):
    with tempfile.TemporaryDirectory() as folder:
        page = browser.open(run("--csv", table_of(folder, SCRIPT, "a\"b'c&amp;<b>", "y")))
        same(page.value("document.title"), "linear algebra")
        shown = page.value("document.body.innerText")
        assert SCRIPT in shown and "a\"b'c&amp;<b>" in shown, shown
        same(page.value("document.querySelectorAll('script, body b b').length"), 0)


def words_stand_out_from_their_ground(browser, run):
    """WCAG 2.2, 1.4.3: 4.5 to 1, in light and in dark."""
    address, grounds = run("--part", "hilbert"), []
    for dark in (False, True):
        page = browser.open(address, dark=dark)
        grounds.append(page.value("getComputedStyle(document.body).backgroundColor"))
        low = page.value("""(() => {
            const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
            const light = colour => { const [r, g, b] = numbers(colour).map(v => v / 255).map(v =>
                v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const ground = one => { const c = getComputedStyle(one).backgroundColor;
                return numbers(c)[3] === 0 ? ground(one.parentElement) : c; };
            return [...document.body.querySelectorAll('h1, h2, p, a, code, th, td, aside, figcaption')].map(one => {
                const a = light(getComputedStyle(one).color), b = light(ground(one));
                return [one.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
            }).filter(([, ratio]) => ratio < 4.5);
        })()""")
        same((dark, low), (dark, []))
    assert grounds[0] != grounds[1], "dark is no other than light"


SENTENCES = {name: one for name, one in list(globals().items())
             if inspect.isfunction(one) and list(inspect.signature(one).parameters) == ["browser", "run"]}


def main():
    if browsers.find() is None:
        print("skipped: there is no Chromium here to look at the page with; apt-get install chromium")
        return 77
    with tempfile.TemporaryDirectory() as out, browsers.Browser() as browser:
        pages = {}

        def run(*options):
            if options not in pages:
                folder = pages[options] = f"{out}/{len(pages)}"
                subprocess.run([os.environ["LINEAR_ALGEBRA"], "--smoke", "--out", folder, *options], check=True,
                               stdout=subprocess.DEVNULL)
            return f"file://{pages[options]}/report.html"

        for name in sys.argv[1:] or SENTENCES:
            SENTENCES[name](browser, run)
            print("ok", name)
    return 0


sys.exit(main())
