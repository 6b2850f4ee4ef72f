"""A driver with a phone: chromium, headless, through the pages of an ad hoc charge. It is told what to do on stdin, a
JSON object, and tells what it saw on stdout, another one. Each wait ends after a minute at most."""

import json
import os
import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

task = json.load(sys.stdin)
shots = pathlib.Path(task["screenshots"])
shots.mkdir(parents=True, exist_ok=True)
seen = {"violations": [], "headings": [], "bytes": {}, "requests": [], "problems": []}
WAIT = 60_000


class Driver:
    def __init__(self, page):
        self.page = page
        self.number = 0

    def look(self, name):
        """A screenshot, and what axe finds on the page."""
        self.number += 1
        self.page.screenshot(path=str(shots / f"{task['name']}-{self.number:02}-{name}.png"), full_page=True)
        if task["story"] == "without_script":
            return
        # The card fields of the test server are not ours.
        found = Axe().run(self.page, context={"exclude": [["#payment-element"]]})
        seen["violations"] += [f"{name}: {one['id']}: {one['help']}" for one in found.response["violations"]]

    def heading(self, text):
        expect(self.page.locator("h1")).to_have_text(text, timeout=WAIT)
        seen["headings"].append(text)

    def scan(self):
        response = self.page.goto(task["url"])
        seen["status"] = response.status
        seen["offer"] = self.page.inner_text("main")

    def to_payment(self):
        if task.get("email"):
            self.page.fill("#email", task["email"])
        self.page.click(f"text={task['texts']['to_payment']}")
        self.heading(task["texts"]["payment"])

    def pay(self, card):
        for place, value in (("number", card), ("exp_month", "12"), ("exp_year", "35"), ("cvc", "123"), ("postal_code", "12345")):
            self.page.fill(f"#payment-element input[placeholder={place}]", value)
        self.page.click("#payment button")


def story(driver):
    page, texts = driver.page, task["texts"]
    driver.scan()
    driver.look("offer")
    if task["story"] == "offer":
        return
    driver.to_payment()
    driver.look("payment")
    if task["story"] == "without_script":
        return
    for card, then in task["cards"]:
        driver.pay(card)
        if then in ("complete", "fail"):
            page.click("text=Complete authentication" if then == "complete" else "text=Fail authentication")
        if then in ("declined", "fail"):
            expect(page.locator("#payment-error")).not_to_be_empty(timeout=WAIT)
            seen.setdefault("errors", []).append(page.inner_text("#payment-error"))
            driver.look(then)
    if task["story"] == "declined":
        return
    driver.heading(texts["charging"])
    # Figures change by themselves, without the page being loaded again.
    page.evaluate("window.sameDocument = true")
    before = page.inner_text('[data-field="kwh"]')
    page.wait_for_function("before => document.querySelector('[data-field=kwh]')?.textContent !== before", arg=before, timeout=WAIT)
    seen["live"] = [before, page.inner_text('[data-field="kwh"]'), page.inner_text('[data-field="cost"]')]
    seen["same_document"] = page.evaluate("window.sameDocument === true")
    seen["charge_url"] = page.url
    driver.look("charging")
    page.click(f"text={texts['stop']}")
    driver.heading(texts["thanks"])
    seen["sums"] = page.inner_text("dl.figures")
    driver.look("thanks")
    page.click(f"a:text-is('{texts['receipt']}')")
    page.wait_for_selector("table")
    seen["receipt"] = page.inner_text("main")
    driver.look("receipt")
    with page.expect_download() as download:
        page.click(f"text={texts['receipt_pdf']}")
    download.value.save_as(str(shots / f"{task['name']}-receipt.pdf"))
    seen["pdf"] = str(shots / f"{task['name']}-receipt.pdf")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ["ROAMWATT_TEST_CHROMIUM"], args=["--no-sandbox"])
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        locale=task.get("locale", "en-GB"),
        color_scheme=task.get("colours", "light"),
        java_script_enabled=task["story"] != "without_script",
        accept_downloads=True,
    )
    page = context.new_page()
    page.on("request", lambda request: seen["requests"].append(request.url))
    page.on("console", lambda message: seen["problems"].append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen["problems"].append(str(error)))
    driver = Driver(page)
    try:
        story(driver)
    except Exception as error:
        page.screenshot(path=str(shots / f"{task['name']}-failed.png"), full_page=True)
        seen["failed"] = f"{error}\n\n{page.inner_text('body')}"
    browser.close()

json.dump(seen, sys.stdout)
