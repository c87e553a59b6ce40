#!/usr/bin/env bash
# No command destroys what was there, and none loses what was finished. Every command that writes is ended by SIGINT,
# SIGTERM and SIGKILL before, during and after its first result, and meets a full disk, each time with an output of an
# earlier run in its place: a row a case. A signal is sent when what it shall meet is seen, not after some time.
#
#     Tests/interruptions.sh FOLDER     FOLDER: that of fastweights, as .build/release
set -euo pipefail
tool=$(realpath "${1:?the folder of fastweights}")/fastweights
folder=$(mktemp -d)
disk=$folder/disk
child=
finish() {
    if [ -n "$child" ]; then kill -9 "$child" 2> /dev/null || true; fi
    if mountpoint -q "$disk"; then umount "$disk"; fi
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
rows=0

fail() {
    echo "$title: $1, found:"
    tail -n 20 said printed
    exit 1
}

# Starts the tool in the background, as a shell starts it at its prompt: a script's child would not hear SIGINT.
begin() {
    : > said
    env --default-signal=INT,TERM "$tool" "$@" > "${printed:-printed}" 2> said &
    child=$!
}

# Waits until the command in $1 is true, as long as the tool runs.
await() {
    local tries=0
    until eval "$1" 2> /dev/null; do
        kill -0 "$child" 2> /dev/null || fail "expected that $1 while the tool runs"
        tries=$((tries + 1))
        if [ "$tries" -gt 3000 ]; then fail "expected that $1 within a minute"; fi
        sleep 0.02
    done
}

# Waits for the tool's end, with the status $1.
end() {
    local status=0
    wait "$child" 2> /dev/null || status=$?
    child=
    if [ "$status" != "$1" ]; then fail "expected status $1, not $status"; fi
    rows=$((rows + 1))
}

# What signals may meet: the tool before it listens to them, when it does, and at work.
runs='[ "$(cat /proc/$child/comm)" = fastweights ]'
listens="$runs"' && (( 0x$(sed -n "s/^SigCgt:\t//p" /proc/$child/status) & 2 ))'
works='grep -q started said'

# row TITLE SIGNAL MOMENT STATUS CHECK WORDS…: the tool with these words gets the signal when the moment is there.
row() {
    title="$1, $2" moment=$3
    local signal=$2 status=$4 check=$5
    shift 5
    prepare
    begin "$@"
    await "$moment"
    kill -"$signal" "$child"
    end "$status"
    $check
}

# problem TITLE STATUS SENTENCE CHECK WORDS…: the tool with these words ends by itself, and says so.
problem() {
    title=$1
    local status=$2 sentence=$3 check=$4
    shift 4
    prepare
    begin "$@"
    end "$status"
    grep -qE -- "$sentence" said || fail "expected \"$sentence\""
    $check
}

# The file that is there before each row, and what must be there after.
existing=good output=model
prepare() {
    rm -rf model model.* checkpoint checkpoint.*
    if [ -n "$existing" ]; then cp "$existing" "$output"; fi
}
is_as_before() {
    cmp -s "$existing" "$output" || fail "expected $output as it was"
}
is_unfinished_by_nothing() {
    is_as_before
    if compgen -G "$output.*" > /dev/null; then fail "expected nothing beside $output"; fi
}

# The model of at least one step, as the sentence says; or the one before, of none.
is_kept() {
    if grep -q "before the first .*; model is as it was" said; then
        is_unfinished_by_nothing
        return
    fi
    grep -qE "interrupted after [1-9][0-9]* (step|episode)s; model holds the model of (step|episode) [1-9]" said ||
        fail "expected a sentence that says which step the model holds"
    if cmp -s "$existing" model; then fail "expected another model"; fi
    "$tool" info model > /dev/null || fail "expected a model"
}
is_the_last() {
    is_kept
    local step
    step=$(sed -n 's/.*interrupted after \([0-9]*\) steps.*/\1/p' said)
    grep -q "model of step $step, the last, as none was evaluated" said || fail "expected step $step"
    if grep -q "100.00 %" printed; then fail "expected no error of what was not measured"; fi
    grep -q "not measured" printed || fail "expected that nothing was measured"
}
is_the_best() {
    is_kept
    grep -q "the best that was evaluated" said || fail "expected the best"
}
is_killed() { is_as_before; }

# --- train, three tasks: before listening; in the first steps; after an evaluation; killed

quietly() { "$tool" "$@" > printed 2> said || fail "expected that it comes to its end"; }
title="the models that are there before"
small=(--train-examples 2000 --validation-examples 100 --test-examples 100 --threads 1)
for i in $(seq 300); do echo "line $i of the text says $((i * i % 97)) and $((i % 7))"; done > text
quietly train --model fast-weights --hidden 12 --steps 20 "${small[@]}" --output good
quietly train --task text --file text --hidden 12 --steps 5 --threads 1 --output writer
quietly train --task catch --size 5 --visible 2 --hidden 256 --episodes 64 --threads 1 --output agent

retrieval=(train --model gru --hidden 12 --steps 100000000 "${small[@]}" --output model)
text=(train --task text --file text --model gru --hidden 12 --steps 100000000 --threads 1 --output model)
catching=(train --task catch --size 5 --visible 2 --hidden 8 --episodes 1000000000 --threads 1 --output model)
saving=(--checkpoint checkpoint --every 1)
steps='[ -e checkpoint ] && { [ -e first ] || cp checkpoint first; } && ! cmp -s checkpoint first'
evaluated='grep -aq "best_step\\\\\":[1-9]" checkpoint'
for task in retrieval text; do
    declare -n words=$task
    for signal in INT TERM; do
        rm -f first
        row "$task before an evaluation" $signal "$steps" 130 is_the_last "${words[@]}" "${saving[@]}" \
            --evaluate-every 1000000
        row "$task after an evaluation" $signal "$evaluated" 130 is_the_best "${words[@]}" "${saving[@]}" \
            --evaluate-every 3 --steps 2000000
    done
    row "$task as it begins" INT "$works" 130 is_kept "${words[@]}"
    row "$task after an evaluation" KILL "$evaluated" 137 is_killed "${words[@]}" "${saving[@]}" --evaluate-every 3 --steps 2000000
done
row "retrieval before it listens" INT "$runs" 130 is_as_before "${retrieval[@]}" --train-examples 3000000
row "retrieval before it listens" TERM "$runs" 143 is_as_before "${retrieval[@]}" --train-examples 3000000
for signal in INT TERM; do row "Catch" $signal "$works" 130 is_kept "${catching[@]}"; done
row "Catch" KILL "$works" 137 is_killed "${catching[@]}"

# --- generate and bench, whose output the shell puts into a file

writes='[ "$(stat -c %s written)" -gt 300 ]'
ends_with_a_line() { [ -z "$(tail -c 1 written)" ] || fail "expected a whole last line"; }
is_whole_json() {
    python3 -c 'import json, sys; sys.exit(len(json.load(open("written"))["rows"]) > 20)' ||
        fail "expected JSON of the rows that were measured"
}
nothing() { :; }
printed=written
generate=(generate --model writer --length 1000000000)
row "generate" INT "$writes" 130 ends_with_a_line "${generate[@]}"
row "generate" TERM "$writes" 130 ends_with_a_line "${generate[@]}"
row "generate" KILL "$writes" 137 nothing "${generate[@]}"
bench=(bench --only product --threads 1 --repeats 3 --seconds 0.3 --json)
row "bench" INT "$listens" 130 is_whole_json "${bench[@]}"
row "bench" TERM "$listens" 130 is_whole_json "${bench[@]}"
row "bench" KILL "$listens" 137 nothing "${bench[@]}"
printed=printed

# --- run, which either has written its output or has not

python3 - <<'END'
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 25), }"
header += " " * (117 - len(header)) + "\n"
with open("input.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(100000 * 25 * 4))
END
existing=input.npy output=out.npy
run=(run --model agent --input input.npy --output out.npy --threads 1)
row "run" INT "$runs" 130 is_as_before "${run[@]}"
row "run" TERM "$runs" 143 is_as_before "${run[@]}"
row "run" KILL "$runs" 137 is_as_before "${run[@]}"

# --- compare: one training that is soon finished, one that is not, in a folder with a finished comparison or without

existing=
one=(compare --models gru --hidden 4 --steps 30 --evaluate-every 10 "${small[@]}" --out finished)
title="compare"
quietly "${one[@]}"
cp -r finished before
stays() { diff -r before finished > /dev/null || fail "expected the folder as it was"; }
problem "compare, finished" 0 "1 of 1 trainings are finished in finished already" stays "${one[@]}"
problem "compare, other settings" 1 "steps: 30 there, 40 here. Name another folder" stays "${one[@]}" --steps 40
problem "compare, other models" 1 "which is not asked for here. Name another folder" stays "${one[@]}" --models lstm

endless=(compare --models gru --hidden 4 --steps 100000000 --evaluate-every 1000000 "${small[@]}")
is_not_finished() {
    grep -q "not finished" printed || fail "expected that it is not finished"
    if grep -qE "✓|Report" printed said; then fail "expected no figure"; fi
    if compgen -G "new/*.csv" > /dev/null || [ -e new/results.json ]; then fail "expected no results"; fi
    rm -rf new
}
for signal in INT TERM; do
    row "compare before a result" $signal "$works" 130 is_not_finished "${endless[@]}" --out new
done
row "compare before a result" KILL "$works" 137 nothing "${endless[@]}" --out new
rm -rf new

# Two sizes and as many steps of each: the smaller is finished long before.
both=(compare --models gru --hidden 4,900 --steps 400 --batch 8 --evaluate-every 400 "${small[@]}" --threads 2 --out new)
first='[ -e new/jobs/gru/r-4/rate-0.002/seed-1.json ]'
holds_one() {
    [ "$(find new/jobs -name '*.json' | wc -l)" = 1 ] || fail "expected one result"
    grep -qE "^GRU +900 +not finished" printed || fail "expected that R = 900 is not finished"
    grep -qE "^GRU +4 +[0-9.]+ %" printed || fail "expected the figure of R = 4"
    grep -q "GRU,900,4,1,0.002,,test,,,not finished" new/metrics.csv || fail "expected a row without a figure"
    grep -q "<em>not finished</em>" new/report.html || fail "expected a cell without a figure"
    python3 -c 'import json; r = json.load(open("new/results.json"))
assert [x["hidden"] for x in r["runs"]] == [4] and [x["hidden"] for x in r["not_finished"]] == [900]' ||
        fail "expected one run and one that is not finished"
    grep -q "✓.*R=900" said && fail "expected no tick" || true
    cp new/jobs/gru/r-4/rate-0.002/seed-1.json result
}
row "compare after a result" INT "$first" 130 holds_one "${both[@]}"
goes_on() { cmp -s result new/jobs/gru/r-4/rate-0.002/seed-1.json && holds_one || fail "expected the first result"; }
row "compare, going on" TERM "$works" 130 goes_on "${both[@]}"
grep -q "1 of 2 trainings are finished in new already" said || fail "expected that it goes on"
rm -rf new
row "compare after a result" KILL "$first" 137 nothing "${both[@]}"
cp new/jobs/gru/r-4/rate-0.002/seed-1.json result
row "compare, going on after a kill" INT "$works" 130 goes_on "${both[@]}"
quietly compare --quick --models gru --hidden 4 --batch 4 "${small[@]}"
[ -e runs/compare-quick/results.json ] && [ ! -e runs/compare ] || fail "expected a folder of its own"

# --- paper, run-job and report, in a folder with a result

mkdir -p paper/jobs/table-1
cat > paper/jobs/table-1/one.json <<'END'
{"experiment": "table-1", "row": "IRNN", "column": "R = 20", "seed": "1", "settings": {}, "quick": false, "measure": 0.5,
 "steps": 1, "parameters": 1, "facts": {}, "curves": {}, "seconds": 1, "machine": "one", "version": "0"}
END
quietly report paper
job=(--quick --only inside --out paper --threads 2)
cp -r paper before-paper
stays() { diff -r before-paper paper > /dev/null || fail "expected the folder as it was"; }
for signal in INT TERM; do
    row "paper" $signal "$works" 130 stays paper "${job[@]}"
    row "run-job" $signal "$works" 130 stays run-job 0 "${job[@]}"
done
row "paper" KILL "$works" 137 stays paper "${job[@]}"
row "run-job" KILL "$works" 137 stays run-job 0 "${job[@]}"

# --- a full disk

mkdir "$disk"
if mount -t tmpfs -o size=256k tmpfs "$disk" 2> said; then
    full="No space left on device. Free some space"
    fill() { cat /dev/zero > disk/rest 2> /dev/null || true; }
else
    # As on a full disk: writing beyond a limit on the size of files fails.
    full="File too large"
    fill() { :; }
    tool() { (trap '' XFSZ && ulimit -f 1 && exec env --default-signal=INT,TERM "$tool" "$@"); }
    begin() {
        : > said
        tool "$@" > "${printed:-printed}" 2> said &
        child=$!
    }
fi
cp good disk/good
cp -r finished disk/finished
cp -r paper disk/paper
fill
full_stays() {
    is_as_before
    if grep -q started said; then fail "expected that no work begins"; fi
    if compgen -G "disk/*.tmp" > /dev/null; then fail "expected nothing beside"; fi
}
existing=good output=disk/good
prepare() { :; }
problem "retrieval, full disk" 1 "$full" full_stays "${retrieval[@]}" --output disk/good
problem "text, full disk" 1 "$full" full_stays "${text[@]}" --output disk/good
problem "Catch, full disk" 1 "$full" full_stays "${catching[@]}" --output disk/good
problem "run, full disk" 1 "$full" full_stays "${run[@]}" --output disk/good
problem "recall, full disk" 1 "$full" full_stays recall --model good --svg disk/good
stays() {
    diff -r before disk/finished > /dev/null && diff -r before-paper disk/paper > /dev/null || fail "expected all as it was"
}
problem "compare, full disk" 1 "$full" stays "${one[@]}" --out disk/finished --seeds 2
problem "run-job, full disk" 1 "$full" stays run-job 0 "${job[@]}" --out disk/paper
problem "report, full disk" 1 "$full" stays report disk/paper
printed=disk/text
stdout="cannot write to standard output: ${full%%. *}"
problem "generate, full disk" 1 "$stdout" nothing "${generate[@]}"
problem "bench, full disk" 1 "$stdout" nothing bench --quick --only product --repeats 1 --seconds 0.001 --json
if mountpoint -q "$disk"; then
    # That fills in the midst of the work: the first result that cannot be kept ends it.
    rm -f disk/rest disk/text
    printed=printed
    fills='grep -q started said && fill'
    title="compare, a disk that fills"
    begin "${one[@]}" --out disk/finished --hidden 4,100 --steps 30 --threads 1
    await "$fills"
    end 1
    grep -q "No space left on device" said || fail "expected the disk's sentence"
    for file in results.json metrics.csv report.html jobs/gru/r-4/rate-0.002/seed-1.json; do
        cmp -s "before/$file" "disk/finished/$file" || fail "expected $file as it was"
    done
fi
echo "$rows rows: signals, kills and full disks destroy nothing, and what was finished is there"
