#!/usr/bin/env bash
# Makes <directory>/redis-server: the one on the PATH, else Debian's with its libraries, which needs no root.
set -euo pipefail

unpack() {
    local depends=(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
    local libraries
    libraries=$("${depends[@]}" redis-tools | sed -n 's/.* Depends: \(lib.*\)/\1/p') &&
        # There can be only one C library: the one that is here.
        libraries=$("${depends[@]}" --recurse $libraries | grep '^lib' | grep -vE '^lib(c6|gcc-s1|crypt1)$') &&
        apt-get download -qq redis-server redis-tools $libraries 2>/dev/null || return
    for package in *.deb; do dpkg-deb -x "$package" root || return; done
    rm -- *.deb
}

mkdir -p "$1"
cd "$(realpath "$1")"
found=$(command -v redis-server) || {
    found=$PWD/root/usr/bin/redis-server
    unpack || { echo 'missing: redis-server. Install it, on Debian: apt install redis-server' >&2; exit 1; }
    libraries=$(find "$PWD/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
}
cat >start <<END
#!/bin/sh
${libraries:+LD_LIBRARY_PATH='$libraries' }exec '$found' "\$@"
END
chmod +x start
./start --version
mv start redis-server
