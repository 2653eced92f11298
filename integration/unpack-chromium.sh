#!/usr/bin/env bash
# Makes <directory>/chromium: the one on the PATH, else Debian's without a window, with its libraries, which needs no root.
set -euo pipefail

unpack() {
    local depends=(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
    local packages
    packages=$("${depends[@]}" chromium-headless-shell | grep -E '^(lib|zlib|fontconfig-config|fonts-|chromium)' |
        # There can be only one C library: the one that is here.
        grep -vE '^(libc6|libgcc-s1|libcrypt1|libc-bin)$' | sort -u) &&
        apt-get download -qq $packages fonts-dejavu-core 2>/dev/null || return
    for package in *.deb; do dpkg-deb -x "$package" root || return; done
    rm -- *.deb
}

mkdir -p "$1"
cd "$(realpath "$1")"
found=$(command -v chromium || command -v google-chrome) || {
    unpack || { echo 'missing: chromium. Install it, on Debian: apt install chromium' >&2; exit 1; }
    found=$(find "$PWD/root" -type f \( -name chromium-headless-shell -o -name headless_shell \) -size +1M | head -1)
    libraries=$(find "$PWD/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
}
cat >start <<END
#!/bin/sh
${libraries:+export LD_LIBRARY_PATH='$libraries'
}exec '$found' "\$@"
END
chmod +x start
./start --version
mv start chromium
