#!/usr/bin/env bash
# What a checkpoint is for. Kills trainings at random moments, at least 50 times, and lets each go on: the model that
# comes out must be the same, byte for byte, as that of a training nobody interrupted. Then a disk that is full, a folder
# that cannot be written and checkpoints that are damaged: a sentence, exit status 1, and the last good file as it was.
#
#     Tests/faults.sh TOOL [KILLS]
set -euo pipefail
tool=$(realpath "${1:?the path of fastweights}")
wanted=${2:-50}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

training=(train --model lstm --hidden 13 --steps 3000 --evaluate-every 150 --train-examples 2000
    --validation-examples 200 --test-examples 100 --threads 2)

"$tool" "${training[@]}" --output reference > /dev/null 2>&1
kills=0
rounds=0
while [ "$kills" -lt "$wanted" ]; do
    rm -f checkpoint model
    finished=
    until [ "$finished" ]; do
        # Every tenth step, so that many a kill meets the writing of a checkpoint.
        "$tool" "${training[@]}" --output model --checkpoint checkpoint --every 10 --resume > /dev/null 2>&1 &
        child=$!
        sleep "0.$(printf '%03d' $((30 + RANDOM % 270)))"
        if kill -9 "$child" 2> /dev/null; then kills=$((kills + 1)); fi
        if wait "$child" 2> /dev/null; then finished=yes; fi
    done
    cmp reference model
    rounds=$((rounds + 1))
done
echo "$kills kills in $rounds trainings: every model is the same as without"

# Expects the rest of the arguments to fail with status 1, a sentence that contains $1, and the good checkpoint untouched.
fails() {
    local sentence=$1 status=0
    shift
    "$@" > /dev/null 2> problem || status=$?
    if [ "$status" != 1 ] || ! grep -q -- "$sentence" problem || ! cmp good checkpoint; then
        echo "expected status 1 and \"$sentence\", found status $status and:"
        cat problem
        exit 1
    fi
}

rm -f checkpoint
"$tool" "${training[@]}" --steps 400 --output model --checkpoint checkpoint --every 300 > /dev/null 2>&1
cp checkpoint good
longer=("${training[@]}" --steps 400 --output model --every 10)

full_disk() { (
    # Writing beyond a limit on the size of files fails as on a full disk.
    trap '' XFSZ
    ulimit -f 8
    "$tool" "${longer[@]}" --checkpoint checkpoint --resume
); }
fails "checkpoint before it" full_disk
fails "Create the directory" "$tool" "${longer[@]}" --checkpoint no/such/folder
fails "go on from it with --resume" "$tool" "${longer[@]}" --checkpoint checkpoint
fails "batch was 128 there and is 64 here" "$tool" "${longer[@]}" --batch 64 --checkpoint checkpoint --resume
if [ "$(id -u)" != 0 ]; then
    mkdir closed
    chmod 555 closed
    fails "permissions" "$tool" "${longer[@]}" --checkpoint closed/checkpoint
fi
size=$(stat -c %s good)
for cut in 0 7 40 "$((size / 2))" "$((size - 1))"; do
    head -c "$cut" good > damaged
    fails "damaged" "$tool" "${longer[@]}" --checkpoint damaged --resume
done
for place in 3 20 60 300 "$((size / 3))" "$((size - 2))"; do
    { head -c "$place" good; head -c 1 /dev/urandom; tail -c +"$((place + 2))" good; } > damaged
    cmp -s good damaged || fails "damaged" "$tool" "${longer[@]}" --checkpoint damaged --resume
done
echo "a full disk, a closed folder and damaged checkpoints: said in a sentence, the last good file as it was"
