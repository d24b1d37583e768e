#!/usr/bin/env bash
# Figures of a GPU, most valuable first: each item has its own time limit, and the next one follows
# whatever becomes of it. Networks are untrained, so that nothing is fetched, and Atelier need not
# be installed.
#
#   bash tests/gpu/run.sh                                   # within 420 s on an H100
#   DEVICE=cpu SIZE=128 STEPS=2 bash tests/gpu/run.sh       # the same on a processor, to try it
#
# OUT: folder of the figures. STEPS: timed steps per figure. PATCHES: per step. TOTAL: seconds for
# everything. ITEMS: names of the items to run. PYTHON: the interpreter.
set -u
cd "$(dirname "$0")/../.."
export DEVICE=${DEVICE:-gpu} SIZE=${SIZE:-512} STEPS=${STEPS:-20} OUT=${OUT:-build/gpu}
if [ "$DEVICE" = gpu ]; then patches=64 total=420 slower=1; else patches=4 total=3600 slower=10; fi
export PATCHES=${PATCHES:-$patches} PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
TOTAL=${TOTAL:-$total} PYTHON=${PYTHON:-python3}
ITEMS=${ITEMS:-profile profile-40 whole_run together tests kernels variants}
mkdir -p "$OUT"
: >"$OUT/log.txt"
table=""

# item NAME LIMIT FILE COMMAND...: stdout to FILE, stderr to log.txt, and a row of the table.
item() {
  local name=$1 limit=$(($2 * slower)) file=$3 left=$((TOTAL - SECONDS)) start=$SECONDS
  shift 3
  case " $ITEMS " in *" $name "*) ;; *) return ;; esac
  [ "$limit" -lt "$left" ] || limit=$left
  printf '\n== %s\n' "$name" >>"$OUT/log.txt"
  if [ "$limit" -lt 5 ]; then
    table+=$(printf '%-12s left out: no time' "$name")$'\n'
    return
  fi
  timeout -k 5 "$limit" "$@" >"$OUT/$file" 2>>"$OUT/log.txt"
  table+=$(printf '%-12s exit code %3d  %4d s  %s' "$name" $? $((SECONDS - start)) "$file")$'\n'
}

profile=("$PYTHON" -m experiments.cli profile --models paper --device "$DEVICE" --random-weights
  --against naive --steps "$STEPS" --size "$SIZE" --patches "$PATCHES" --json)
item profile 75 profile.json "${profile[@]}"
item profile-40 60 profile-40.json "${profile[@]}" --accept 0.4
item whole_run 60 whole_run.json "$PYTHON" -m tests.gpu.whole_run
item together 90 together.json "$PYTHON" -m tests.gpu.together
item tests 75 tests.txt "$PYTHON" -m pytest tests/gpu -v -rs -p no:cacheprovider
item kernels 45 kernels.txt "$PYTHON" -m tests.gpu.kernels
item variants 150 variants.json "$PYTHON" -m tests.gpu.variants

{
  printf '\n%s' "$table"
  "$PYTHON" -m tests.gpu.summary "$OUT"
} 2>&1 | tee -a "$OUT/log.txt"
