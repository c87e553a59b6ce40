#!/usr/bin/env bash
# What a checkpoint is for. Kills trainings of every kind at random moments, and lets each go on: the model that comes out
# must be the same, byte for byte, as that of a training nobody interrupted. Then a disk that is full, a folder and a disk
# that cannot be written, and checkpoints that are damaged: a sentence, exit status 1, no model, and the file that is there
# as it was.
#
#     Tests/faults.sh FOLDER [KILLS]     FOLDER: that of fastweights and ResumeTraining, as .build/release
set -euo pipefail
programs=$(realpath "${1:?the folder of fastweights and ResumeTraining}")
wanted=${2:-50}
folder=$(mktemp -d)
disk=$folder/disk
finish() {
    if mountpoint -q "$disk"; then umount "$disk"; fi
    if [ -d "$folder/closed" ]; then chmod 755 "$folder/closed"; fi
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"

fail() {
    echo "$1, found:"
    shift
    cat "$@"
    exit 1
}

# Runs a training to its end without a break, and takes its time in milliseconds.
uninterrupted() {
    local begun
    begun=$(date +%s%3N)
    rm -rf reference fresh
    "$@" > said 2>&1 || fail "expected that $* comes to its end" said
    span=$(($(date +%s%3N) - begun))
}

# Kills what the rest of the arguments start at random moments, $2 times at least, and begins it again until it is done;
# its model must be `reference`. A kill comes within a quarter of the time of the whole, so that it ends only by going on.
survives() {
    local title=$1 wanted=$2 kills=0 rounds=0 writing=0 tries status pause
    shift 2
    while [ "$kills" -lt "$wanted" ]; do
        rm -f checkpoint* model
        status=137
        tries=0
        while [ "$status" = 137 ]; do
            "$@" > said 2>&1 &
            child=$!
            pause=$((span / 40 + RANDOM % (span / 4)))
            sleep "$((pause / 1000)).$(printf '%03d' $((pause % 1000)))"
            kill -9 "$child" 2> /dev/null || true
            status=0
            wait "$child" 2> /dev/null || status=$?
            if [ "$status" = 137 ]; then kills=$((kills + 1)); fi
            tries=$((tries + 1))
            if [ "$tries" -gt 300 ]; then fail "$title: expected that it comes to its end" said; fi
            if [ "$status" = 137 ] && [ -e checkpoint ]; then cp checkpoint good; fi
        done
        if [ "$status" != 0 ]; then fail "$title: expected that it goes on, status 0 instead of $status" said; fi
        cmp reference model
        writing=$((writing + $(find . -name 'checkpoint.*.tmp' | wc -l)))
        rounds=$((rounds + 1))
    done
    if [ "$writing" = 0 ]; then fail "$title: no kill met the writing of a checkpoint" said; fi
    echo "$title: $kills kills, $writing within the writing of a checkpoint, in $rounds trainings: the same models"
}

# A checkpoint every tenth step, so that many a kill meets its writing.
saving=(--output model --checkpoint checkpoint --every 10 --resume)

uninterrupted "$programs/ResumeTraining" reference fresh
survives "sequences of one's own" "$wanted" "$programs/ResumeTraining" model checkpoint

for i in $(seq 300); do echo "line $i of the text says $((i * i % 97)) and $((i % 7))"; done > text
for model in gru fast-weights; do
    training=("$programs/fastweights" train --task text --file text --model "$model" --hidden 12 --window 16 --batch 20
        --steps 1000 --evaluate-every 100 --threads 2)
    uninterrupted "${training[@]}" --output reference
    survives "a text, $model" $(((wanted + 1) / 2)) "${training[@]}" "${saving[@]}"
done

training=("$programs/fastweights" train --model lstm --hidden 13 --steps 3000 --evaluate-every 150
    --train-examples 2000 --validation-examples 200 --test-examples 100 --threads 2)
uninterrupted "${training[@]}" --output reference
survives "associative retrieval" "$wanted" "${training[@]}" "${saving[@]}"

# From here on `good` is the checkpoint of a training that was killed on its way.
size=$(stat -c %s good)

# Expects the training with the rest of the arguments to fail with status 1 and a sentence that contains $1, to write no
# model, and to leave the checkpoint $2 as it is, or not there, and nothing beside it. `how` is what runs it.
how=()
fails() {
    local sentence=$1 file=$2 status=0
    shift 2
    rm -f before model
    if [ -e "$file" ]; then cp "$file" before; fi
    ${how[@]+"${how[@]}"} "${training[@]}" --output model --every 10 --checkpoint "$file" "$@" > /dev/null 2> problem ||
        status=$?
    if [ "$status" != 1 ] || ! grep -q -- "$sentence" problem; then
        fail "expected status 1 and \"$sentence\" of $file, found status $status" problem
    fi
    if [ -e before ]; then cmp before "$file"; elif [ -e "$file" ]; then fail "expected no $file" problem; fi
    if [ -e model ]; then fail "expected no model" problem; fi
    if compgen -G "$file.*" > problem; then fail "expected nothing beside $file" problem; fi
}

# As on a full disk where none can be made: writing beyond a limit on the size of files fails.
limited() { (
    trap '' XFSZ
    ulimit -f $((size / 2048))
    "$@"
); }

rm -f checkpoint.*
cp good checkpoint
fails "there is a file already; resume from it" checkpoint
fails "batch was 128 there and is 64 here" checkpoint --batch 64 --resume
fails "Create the directory" no/such/checkpoint
test ! -e no

# Where the model cannot be written, no training begins.
status=0
"${training[@]}" --output no/such/model > /dev/null 2> problem || status=$?
if [ "$status" != 1 ] || ! grep -q "Create the directory" problem || grep -q "started" problem; then
    fail "expected status 1 and \"Create the directory\" before the work, found status $status" problem
fi

mkdir "$disk"
if mount -t tmpfs -o "size=$((size * 3 / 2))" tmpfs "$disk" 2> problem; then
    # Room for this checkpoint and for a part of the next one.
    cp good disk/checkpoint
    room=$(($(stat -f -c '%a * %S' disk)))
    if [ "$room" -le 0 ] || [ "$room" -ge "$size" ]; then fail "expected room for a part of $size bytes" <(df disk); fi
    fails "No space left on device. Free some space" disk/checkpoint --resume
    mount -o remount,ro "$disk"
    fails "Read-only file system. Check the permissions" disk/checkpoint --resume
    umount "$disk"
    full="a full disk, one that is read-only"
else
    how=(limited)
    fails "The checkpoint before it, if there is one, is whole" checkpoint --resume
    how=()
    full="a file that may not grow (no disk can be mounted here)"
fi

# Root may write anywhere; without these capabilities it keeps to the permissions as everybody does.
if [ "$(id -u)" = 0 ]; then
    how=(setpriv --inh-caps=-dac_override,-dac_read_search --bounding-set=-dac_override,-dac_read_search)
fi
mkdir closed
cp good closed/checkpoint
chmod 555 closed
fails "permissions" closed/checkpoint --resume
fails "permissions" closed/other
how=()

for cut in 0 7 40 $((size / 2)) $((size - 1)); do
    head -c "$cut" good > damaged
    fails "damaged" damaged --resume
done
for place in 3 20 60 300 $((size / 3)) $((size - 2)); do
    byte=$(od -A n -t u1 -j "$place" -N 1 good)
    {
        head -c "$place" good
        printf "\\$(printf '%03o' $((byte ^ 1 << RANDOM % 8)))"
        tail -c +$((place + 2)) good
    } > damaged
    fails "damaged" damaged --resume
done

"${training[@]}" "${saving[@]}" > /dev/null 2>&1
cmp reference model
echo "$full, a closed folder, damaged checkpoints: a sentence, and the last good file goes on to the same model"
