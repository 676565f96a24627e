# SPDX-License-Identifier: MIT
"""The web UI in a real browser, on a pipeline that a feeder writes to: ui/browser/screens.mjs.
With UI_SCREENSHOTS=FOLDER it keeps a picture of each page there (docs/screens is made so).
"""
import os
import shutil
import subprocess
import sys

import lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or shutil.which("node") is None:
        lab.skip("the web UI needs node and chromium, which are not installed")
    if not os.path.isdir(os.path.join(lab.ROOT, "ui", "node_modules", "playwright-core")):
        lab.skip("the web UI was not built: npm could not install its packages")
    server = lab.Server("mariadb", "ui")
    with open(os.path.join(lab.ROOT, "examples", "parking", "mysql.sql")) as file:
        server.sql(file.read())
    pipeline = lab.Pipeline(lab.config(lab.mysql_source(server, "ops", "parking.*")))
    pipeline.start()
    pipeline.wait_ready()
    feeder = subprocess.Popen([lab.millrace_program(), "feed", "mysql", "--quiet", "--url",
                               server.env["URL"] + "parking", "--rate", "200"])
    try:
        pipeline.wait_for(lambda: pipeline.query("SELECT count(*) FROM ops_parking.payment")[0][0] > 20,
                          "payments")
        folder = os.environ.get("UI_SCREENSHOTS")
        code = subprocess.run(["node", os.path.join(lab.ROOT, "ui", "browser", "screens.mjs"), pipeline.url,
                               *([folder] if folder else [])],
                              env=dict(os.environ, CHROMIUM=browser), timeout=300).returncode
    finally:
        feeder.terminate()
        feeder.wait()
    lab.expect(pipeline.stop() == 0, "does not end well")
    sys.exit(code)


main()
