#!/bin/sh
# build.sh OUTDIR auto|enabled|disabled: the web UI as index.html, app.js, app.css and editor.js in OUTDIR.
# auto: where npm, or the packages of package-lock.json, cannot be had, a page that says so takes its place.
set -eu
out=$(cd "$1" && pwd) wanted=$2
cd "$(dirname "$0")"

leave_out() {
    [ "$wanted" != enabled ] || {
        echo "ui: $1" >&2
        exit 1
    }
    [ "$wanted" = disabled ] || echo "ui: left out: $1" >&2
    cat >"$out/index.html" <<PAGE
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>millrace</title></head>
<body>
<h1>millrace</h1>
<p>This pipeline is running. The web UI was left out of this build: $1. What answers all the same:</p>
<ul>
<li><a href="/api/v1/status">/api/v1/status</a>: what every source, table and sink is doing</li>
<li><a href="/api/v1/topics">/api/v1/topics</a>: the streams, by table</li>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a>: all of it, described</li>
</ul>
<p>On this machine: <code>millrace status</code>, <code>millrace query "SELECT …"</code>, <code>millrace tail</code>.</p>
</body>
</html>
PAGE
    for file in app.js app.css editor.js; do : >"$out/$file"; done
    exit 0
}

[ "$wanted" != disabled ] || leave_out "it was disabled (-Dui=disabled)"
command -v npm >/dev/null 2>&1 || leave_out "npm was not found"

# Two builds may want the packages at the same time.
exec 9>.npm.lock
flock 9
sum=$(cat package.json package-lock.json | cksum)
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$sum" ]; then
    npm ci --no-audit --no-fund --ignore-scripts >"$out/npm.log" 2>&1 || leave_out "npm could not install its packages (see npm.log)"
    echo "$sum" >node_modules/.installed
fi
npx --no-install vite build --outDir "$out/dist" --emptyOutDir --logLevel warn >"$out/vite.log" 2>&1 || {
    cat "$out/vite.log" >&2
    exit 1
}
for file in index.html app.js app.css editor.js; do cp "$out/dist/$file" "$out/$file"; done
