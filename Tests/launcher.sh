#!/usr/bin/env bash
# The installed launcher, over programs in the place of the builds: that it starts the right one for a processor, and is then
# nothing but that one.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for build in portable avx2 avx512; do
    cat > "$folder/$build" <<END
#!/bin/sh
[ "\$1" != wait ] || { echo \$\$ > "$folder/process"; trap 'exit 42' TERM; while :; do sleep 0.05; done; }
echo "$build"
for word; do echo "[\$word]"; done
[ "\$1" != fail ] || exit 7
cat
END
done
install() { Sources/Install/install "$folder/usr" fastweights "$@" 2> /dev/null; }
install portable="$folder/portable" avx2="$folder/avx2" avx512="$folder/avx512"
# Once more, over what is there.
install portable="$folder/portable" avx2="$folder/avx2" avx512="$folder/avx512"
launcher=$folder/usr/bin/fastweights

fail() {
    echo "the launcher: $1"
    exit 1
}

# What is started on a processor of vendor $1, family $2, model $3 with the flags $4.
cpuinfo=$folder/cpuinfo
chosen() {
    printf 'processor\t: 0\nvendor_id\t: %s\ncpu family\t: %s\nmodel\t\t: %s\nmodel name\t: A processor\nflags\t\t: fpu %s lm\n\n' \
        "$@" > "$cpuinfo"
    FASTWEIGHTS_CPUINFO=$cpuinfo "$launcher" < /dev/null
}
expect() { [ "$(chosen "${@:2}")" = "$1" ] || fail "expected $1 on $2 $3 $4, found $(chosen "${@:2}")"; }
avx2="sse4_2 avx fma f16c movbe abm bmi1 avx2 bmi2"
wide="$avx2 avx512f avx512dq avx512cd avx512bw avx512vl"
expect avx512 GenuineIntel 6 143 "$wide"
expect avx2 GenuineIntel 6 143 "${wide/ avx512vl/}"
expect avx2 AuthenticAMD 25 17 "$wide"
expect avx2 AuthenticAMD 25 97 "$wide"
expect avx512 AuthenticAMD 26 2 "$wide"
expect avx2 AuthenticAMD 25 1 "$avx2"
expect portable GenuineIntel 6 26 "sse4_2"
expect portable GenuineIntel 6 60 "${avx2/fma /}"
printf 'processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n' > "$cpuinfo"
[ "$(FASTWEIGHTS_CPUINFO=$cpuinfo "$launcher" < /dev/null)" = portable ] || fail "expected portable on arm64"
[ "$(FASTWEIGHTS_CPUINFO=$folder/none "$launcher" < /dev/null)" = portable ] || fail "expected portable without cpuinfo"

# On this processor, as it is; and another one that is asked for.
[ "$("$launcher" < /dev/null)" = "$(Sources/Install/best-build)" ] || fail "chooses another build than make"
[ "$(FASTWEIGHTS_BUILD=avx512 "$launcher" < /dev/null)" = avx512 ] || fail "FASTWEIGHTS_BUILD does not count"
! FASTWEIGHTS_BUILD=sse "$launcher" 2> "$folder/said" || fail "takes a build that does not exist"
grep -q 'found "sse"' "$folder/said"

# Arguments, standard input, exit status, through links from other folders.
mkdir "$folder/links"
ln -s ../usr/bin/fastweights "$folder/links/relative"
ln -s "$folder/links/relative" "$folder/links/absolute"
for path in "$launcher" "$folder/links/relative" "$folder/links/absolute"; do
    echo input | FASTWEIGHTS_BUILD=avx2 "$path" "two  words" "" -- '*' '$HOME' > "$folder/found"
    printf '%s\n' avx2 '[two  words]' '[]' '[--]' '[*]' '[$HOME]' input | cmp - "$folder/found"
done
(PATH=$folder/usr/bin:$PATH && [ "$(FASTWEIGHTS_BUILD=avx2 fastweights < /dev/null)" = avx2 ]) || fail "is not found in PATH"
status=0
"$launcher" fail > /dev/null || status=$?
[ "$status" = 7 ] || fail "exit status 7 became $status"

# A signal to the launcher's process is one to the tool.
"$launcher" wait &
process=$!
for _ in $(seq 100); do
    [ ! -s "$folder/process" ] || break
    sleep 0.05
done
[ "$(cat "$folder/process")" = "$process" ] || fail "the tool is another process than the launcher"
kill -TERM "$process"
status=0
wait "$process" || status=$?
[ "$status" = 42 ] || fail "a signal did not reach the tool: $status"

# Where a build is missing the next one is started, and where all are it is said.
rm -r "$folder/usr/libexec/fastweights/avx512"
[ "$(FASTWEIGHTS_BUILD=avx512 "$launcher" < /dev/null)" = avx2 ] || fail "expected avx2 without avx512"
rm -r "$folder/usr/libexec/fastweights/"{avx2,portable}
! "$launcher" 2> "$folder/said" || fail "starts what is not there"
grep -q "holds no build for this processor" "$folder/said"
echo "The launcher starts the right build"
