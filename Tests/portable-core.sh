#!/usr/bin/env bash
# The core of the library where there is no system: Embedded Swift for WebAssembly and for arm64, which every toolchain
# brings. It makes a network from its configuration, runs, streams and trains it, whatever its layers. There is no
# Foundation, Dispatch, clock or libc there, and what the language itself lacks is refused by the compiler with the place:
# key paths, `any` of a protocol that classes are not bound to, `throws` without a type.
#
#     Tests/portable-core.sh
set -euo pipefail
cd "$(dirname "$0")/../Sources/FastWeights"

# The folders and files that are portable. More are welcome, none may leave.
core=(Numerics Storage Threads Kernels System/Clock.swift Formats/{CRC32,JSON,JSONParsing,ConfigurationReader}.swift
    Layers Network Training Video)
# But what in these folders knows files.
but=(Training/CheckpointFile.swift Video/VideoModel+File.swift)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A name in the lists that is no longer there ends the script.
ls -d "${core[@]}" "${but[@]}" > /dev/null
sources=$(find "${core[@]}" -name '*.swift' $(printf '! -path %s ' "${but[@]}"))

# A sentence with another value than numbers and texts would compile, and say "cannot print value" where it is needed.
cat > "$folder/Sentences.swift" << 'END'
extension DefaultStringInterpolation {
    @available(*, deprecated, message: "Embedded Swift has no text for this value")
    mutating func appendInterpolation<Value>(_ value: Value) {}
}
END

# Compiles the core for the target $1, with the options that follow: not optimized, which finds the same faults sooner, and as
# if tests used it, so that what no public function reaches is checked too.
compile() {
    swiftc -target "$@" -enable-experimental-feature Embedded -wmo -Onone -swift-version 6 -warnings-as-errors \
        -parse-as-library -enable-testing -module-name FastWeights -module-cache-path "$folder/modules" \
        $sources "$folder/Sentences.swift" -c -o "$folder/$1.o"
    echo "$(wc -w <<< "$sources") files for $1 ($SECONDS s)"
}

compile wasm32-unknown-none-wasm -Xcc -msimd128
compile aarch64-none-none-elf
