#!/bin/sh
# Builds the verifier for the browser: target/verifier/verifier.wasm, and index.html with it inside.
#
# A rustup toolchain with the target (`rustup target add wasm32-unknown-unknown`) is all that is needed. Where
# the target cannot be had, Debian has a compiler with the sources of its standard library, which is then built
# along:
#   apt-get install --no-install-recommends rustc-web cargo-web rust-web-src
#   BUILD_STD=1 CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc scripts/verifier.sh
set -eu
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
RUSTC=${RUSTC:-rustc}
TARGET=wasm32-unknown-unknown
OUT=${OUT:-target/verifier}

set -- --package tenure-verifier-page --lib --crate-type cdylib --target "$TARGET" --locked \
    --config crates/verifier-page/profile.toml --profile verifier
if [ -n "${BUILD_STD:-}" ]; then
    # A stable compiler builds its standard library when it is told that this is its bootstrap.
    set -- "$@" -Z build-std=std,panic_abort
    export RUSTC_BOOTSTRAP=1
    # Debian's compiler brings no linker for WebAssembly; the one of rustup, which comes first in PATH, does.
    if [ -z "${CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER:-}" ]; then
        host=$(rustc -vV | sed -n 's/^host: //p')
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
    fi
fi
# Where this machine keeps its crates is nobody's business.
export RUSTC RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
"$CARGO" rustc "$@"

mkdir -p "$OUT"
cp "${CARGO_TARGET_DIR:-target}/$TARGET/verifier/tenure_verifier_page.wasm" "$OUT/verifier.wasm"
base64 -w0 <"$OUT/verifier.wasm" >"$OUT/verifier.base64"
sed -e '/^<script type="text\/plain" id="wasm">WASM<\/script>$/{
s/WASM<\/script>//
r '"$OUT/verifier.base64"'
a </script>
}' crates/verifier-page/page/index.html >"$OUT/index.html"
rm "$OUT/verifier.base64"
wc -c "$OUT/verifier.wasm" "$OUT/index.html" | head -n 2
