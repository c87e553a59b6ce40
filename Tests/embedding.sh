#!/usr/bin/env bash
# The ways in which a program of its own gets this library: a package that depends on it by version, without and with the
# traits AVX2 and AVX512, and its builds side by side under the launcher; the compiler alone over a copy of the folder
# Sources/FastWeights without Laboratory; and a tool, of all of the folder, that needs no library at all where it runs. Each
# is built outside of this folder, the last two while the packages are, and run. Then the examples, on the files PyTorch wrote,
# on the README, and on waves in a CSV file.
#
#     Tests/embedding.sh EXAMPLES        EXAMPLES: the folder with the built examples, as .build/release
set -euo pipefail
examples=$(realpath "${1:?the folder of the built examples}")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() { echo "$1 ($SECONDS s)"; }

# Runs what builds something, and shows what it said only if it fails.
quietly() {
    local log
    log=$(mktemp -p "$folder")
    "$@" > "$log" 2>&1 || {
        cat "$log"
        exit 1
    }
}

# Runs a program, which must print what the app below prints.
expect() {
    "$@" > "$folder/found"
    diff "$folder/found" - <<'END'
outputs 4 x 2 x 10
stream agrees
saved and read back
wrong file: missing.safetensors
END
}

mkdir -p "$folder/app/Sources/App"
cat > "$folder/app/Sources/App/main.swift" <<'END'
#if canImport(FastWeights)
    import FastWeights
#endif

let (T, B, I) = (4, 2, 3)
let input = (0..<T * B * I).map { Float($0 % 7) / 7 }
let both = Network(NetworkConfiguration(.numbers(I), [.stack(.gru(5), layers: 2, isBidirectional: true)]), seed: 1)
print("outputs \(T) x \(B) x \(both.run(input, steps: T, batch: B, lengths: [4, 2]).outputs.count / T / B)")

let lstm = Network(NetworkConfiguration(.numbers(I), [.lstm(6), .lstm(5)]), seed: 1)
let whole = lstm.run(input, steps: T * B, batch: 1).outputs
let stream = try NetworkStream(lstm)
for t in 0..<T * B { stream.step(Array(input[t * I..<(t + 1) * I])) }
let difference = zip(stream.output, whole.suffix(5)).map { abs($0 - $1) }.max()!
print(difference < 1e-6 ? "stream agrees" : "stream differs by \(difference)")

let file = try SafeTensors(bytes: lstm.serialized(), source: "memory")
let again = try Network(file)
print(again.run(input, steps: T * B, batch: 1).outputs == whole ? "saved and read back" : "read back differently")
do {
    _ = try Network(path: "missing.safetensors")
} catch let error as FileError {
    print("wrong file: \(error.path)")
}
END

# All but Laboratory, which holds what only the experiments need, by the command of "Getting
# started".
mkdir "$folder/bare" "$folder/static"
cp -r Sources/FastWeights "$folder/bare"
rm -r "$folder/bare/FastWeights/Laboratory"
cp "$folder/app/Sources/App/main.swift" "$folder/bare"
(
    cd "$folder/bare"
    quietly swiftc -O -wmo $(find FastWeights -name '*.swift') main.swift -o app
) &
bare=$!

# Of the sources of the tool and the library, with nothing but the kernel underneath. Not optimized: it is the linking that
# is new here.
cp Sources/FastWeightsTool/ProcessorCheck.swift "$folder/static"
grep -v 'import FastWeights$' Sources/FastWeightsTool/main.swift > "$folder/static/main.swift"
(
    quietly swiftc -wmo -static-executable $(find Sources/FastWeights -name '*.swift') "$folder/static/"*.swift \
        -o "$folder/static/fastweights"
) &
static=$!

# The files as they are here, committed or not, as version 0.1.0 of a repository.
mkdir "$folder/FastWeights"
git ls-files -z --cached --others --exclude-standard -- Package.swift Sources Tests |
    xargs -0 cp --parents -t "$folder/FastWeights"
git -C "$folder/FastWeights" init --quiet
git -C "$folder/FastWeights" add .
git -C "$folder/FastWeights" -c user.name=test -c user.email=test@localhost commit --quiet --message "A version"
git -C "$folder/FastWeights" tag 0.1.0

# Builds the app with the traits $1 of its requirement in the build folder $2, with the options that follow.
package() {
    cat > "$folder/app/Package.swift" <<END
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "App",
    platforms: [.macOS(.v15)],
    traits: ["AVX2", "AVX512"],
    dependencies: [.package(url: "file://$folder/FastWeights", from: "0.1.0"$1)],
    targets: [
        .executableTarget(name: "App", dependencies: [.product(name: "FastWeights", package: "FastWeights")])
    ]
)
END
    quietly swift build --package-path "$folder/app" --scratch-path "$folder/app/$2" --disable-dependency-cache "${@:3}"
}
builds=("portable=$folder/app/portable/debug/App")

package "" portable
expect "$folder/app/portable/debug/App"
say "a package that depends on version 0.1.0"

if grep -q -w avx2 /proc/cpuinfo && grep -q -w fma /proc/cpuinfo; then
    package ', traits: ["AVX2"]' avx2
    expect "$folder/app/avx2/debug/App"
    builds+=("avx2=$folder/app/avx2/debug/App")
    say "a package that depends on version 0.1.0 with the trait AVX2"
fi

# By traits of the package's own, as in "Getting started", and with both, of which the wider one counts.
package ', traits: [
    .trait(name: "AVX2", condition: .when(traits: ["AVX2"])),
    .trait(name: "AVX512", condition: .when(traits: ["AVX512"])),
]' avx512 --traits AVX2,AVX512
grep -q '"-march=x86-64-v3".*"-march=x86-64-v4"' "$folder/app/avx512/debug.yaml"
if grep -q '"-march=x86-64-v4".*"-march=x86-64-v3"' "$folder/app/avx512/debug.yaml"; then
    echo "AVX2 counts where AVX512 is given too"
    exit 1
fi
builds+=("avx512=$folder/app/avx512/debug/App")
said="built, not run here"
if grep -q -w avx512bw /proc/cpuinfo && grep -q -w avx512vl /proc/cpuinfo; then
    expect "$folder/app/avx512/debug/App"
    said="run"
fi
say "a package that depends on version 0.1.0 with the traits AVX2 and AVX512: $said"

Sources/Install/install "$folder/usr" App "${builds[@]}" 2> "$folder/found"
expect "$folder/usr/bin/App"
expect env FASTWEIGHTS_BUILD=portable "$folder/usr/bin/App"
say "its builds under the launcher"

wait "$bare"
expect "$folder/bare/app"
say "swiftc over a copy of the folder without Laboratory, $(($(stat -c %s "$folder/bare/app") / 1024)) KB"

wait "$static"
if ldd "$folder/static/fastweights" > "$folder/needed" 2>&1; then
    echo "fastweights still needs libraries:"
    cat "$folder/needed"
    exit 1
fi
"$folder/static/fastweights" verify --fixtures Fixtures/stack | tail -n 1
say "a static fastweights"

"$examples/StreamLSTM" | tail -n 1
"$examples/MapBatch" | tail -n 1
"$examples/WriteText" | tail -n 1
"$examples/TrainingLoop" | tail -n 1 | tee "$folder/found"
grep -qE ", (9[0-9]|100) %$" "$folder/found"

# Slow waves and fast ones, 20 to 32 numbers each.
awk 'BEGIN {
    for (i = 0; i < 200; i++) {
        printf "%s", i % 2 ? "fast" : "slow"
        for (t = 0; t < 20 + i % 13; t++) printf ",%.4f", sin((t + i) * (i % 2 ? 0.9 : 0.3))
        print ""
    }
}' > "$folder/waves.csv"
"$examples/ClassifyCSV" "$folder/waves.csv" "$folder/waves.safetensors" | tail -n 1 | tee "$folder/found"
grep -q ": 0.0 %$" "$folder/found"
# The same with the names of columns before it, and lines that end as on Windows: the same numbers come out.
{ printf '\357\273\277kind,y1,y2\n'; cat "$folder/waves.csv"; } | sed 's/$/\r/' > "$folder/windows.csv"
"$examples/ClassifyCSV" "$folder/windows.csv" "$folder/windows.safetensors" | head -n 1 | tee "$folder/found"
grep -q "line 1 is taken for the names of the columns" "$folder/found"
cmp "$folder/waves.safetensors" "$folder/windows.safetensors"
# Lines that are wrong, of the same file, and what is said of them.
wrong() {
    { cat "$folder/waves.csv"; echo; echo "$1"; } | sed 's/$/\r/' > "$folder/wrong.csv"
    if "$examples/ClassifyCSV" "$folder/wrong.csv" 2> "$folder/found"; then
        echo "a wrong CSV file was taken"
        exit 1
    fi
    grep -qF "line 202 $2" "$folder/found"
}
wrong "fast,1,two" 'should have a number in column 3, found "two"'
wrong "fast" 'should be a label and numbers, found "fast"'
wrong "fast,1,1e50" "has 1e50 in column 3, out of range of a Float"
say "the examples"
