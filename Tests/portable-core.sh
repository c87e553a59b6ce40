#!/usr/bin/env bash
# The core of the library where there is no system: Embedded Swift for WebAssembly and for arm64, which every toolchain
# brings. There is no Foundation, Dispatch or libc there, and what the language itself lacks is refused by the compiler
# with the place: key paths, `any` of a protocol that classes are not bound to, `throws` without a type.
#
#     Tests/portable-core.sh
set -euo pipefail
cd "$(dirname "$0")/../Sources/FastWeights"

# The folders and files that are portable. More are welcome, none may leave.
core=(Numerics Storage Threads Kernels Formats/{JSON,JSONParsing,ConfigurationReader}.swift Layers)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Compiles the core for the target $1, with the options that follow.
compile() {
    swiftc -target "$@" -enable-experimental-feature Embedded -wmo -O -swift-version 6 -warnings-as-errors \
        -parse-as-library -module-name FastWeights -module-cache-path "$folder/modules" \
        $(find "${core[@]}" -name '*.swift') -c -o "$folder/$1.o"
    echo "${core[*]} for $1: $(($(stat -c %s "$folder/$1.o") / 1024)) KB ($SECONDS s)"
}

compile wasm32-unknown-none-wasm -Xcc -msimd128
compile aarch64-none-none-elf
