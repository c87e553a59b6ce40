#!/bin/sh
# The whole paper, or with --task video the models of video, as a Slurm job array, one training a task and core; the report
# when all of them have ended.
#
#   Sources/Slurm/jobs.sh                     all experiments of the paper, results in runs/paper
#   Sources/Slurm/jobs.sh --task video        models of video, results in runs/video
#   Sources/Slurm/jobs.sh --quick             options of fastweights jobs, --out among them
#
# The folder must be one that every node sees. Run it again to train only what is missing.
set -eu
cd "$(dirname "$0")/../.."
tool=.build/release/fastweights
test -x "$tool" || make build

out=
task=paper
previous=
for word in "$@"; do
    case "$previous" in --out) out=$word ;; --task) task=$word ;; esac
    case "$word" in --out=*) out=${word#--out=} ;; --task=*) task=${word#--task=} ;; esac
    previous=$word
done
out=${out:-runs/$task}
mkdir -p "$out/log"

# The numbers of the jobs without a result, as Slurm writes them: 0,3,7.
missing=$("$tool" jobs "$@" --missing)
numbers=$(printf '%s' "$missing" | paste -s -d , -)
if [ -z "$numbers" ]; then
    echo "Nothing is missing in $out"
    exec "$tool" report --task "$task" "$out"
fi
words=
for word in "$@"; do words="$words '$word'"; done
array=$(sbatch --parsable --job-name fastweights --ntasks 1 --cpus-per-task 1 --array "$numbers" \
    --output "$out/log/%a.txt" --wrap "exec $tool run-job \$SLURM_ARRAY_TASK_ID$words --threads 1")
report=$(sbatch --parsable --job-name fastweights-report --dependency "afterany:$array" \
    --output "$out/log/report.txt" --wrap "exec $tool report --task '$task' '$out'")
echo "Job array $array, then the report, job $report: squeue shows them, $out/log what they say, $out/report.html comes last"
