#!/usr/bin/env python3
"""lint-sums.py BUILDDIR: a line "FILE SUM" for each source under src and fuzz.

The sum covers the file, the project's headers that it was compiled with (ninja's own record) and the
rules, so a file whose sum was clean once is clean still, in any checkout.
"""
import hashlib
import os
import subprocess
import sys


def recorded_headers(build):
    """{source: set of headers}, as absolute paths; from every object that the source went into."""
    headers, current = {}, []
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, stdout=subprocess.PIPE, text=True)
    for line in listing.stdout.splitlines() + [""]:
        if line.startswith("    "):
            current.append(os.path.realpath(os.path.join(build, line.strip())))
        elif current:
            headers.setdefault(current[0], set()).update(current[1:])
            current = []
    return headers


def main():
    build = sys.argv[1]
    root = os.getcwd()
    digests = {}

    def digest(path):
        if path not in digests:
            with open(path, "rb") as file:
                digests[path] = hashlib.sha256(file.read()).digest()
        return digests[path]

    headers = recorded_headers(build)
    for top in ("fuzz", "src"):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if not name.endswith(".c"):
                    continue
                absolute = os.path.realpath(path)
                total = hashlib.sha256(digest(absolute) + digest(os.path.join(root, ".clang-tidy")))
                for header in sorted(headers.get(absolute, ())):
                    if header.startswith(root + os.sep):
                        total.update(header[len(root):].encode() + digest(header))
                print(path, total.hexdigest()[:24])


main()
