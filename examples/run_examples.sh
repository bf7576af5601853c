#!/usr/bin/env bash
# Runs the examples on a tiny generated library: run_examples.sh VMR_PROGRAM EXAMPLES_FOLDER
set -euo pipefail
vmr=$1 examples=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$vmr" synth --out lib --tracks 8 --films-per-track 1 --min-seconds 7 --max-seconds 8 --width 160 --height 120 \
  --train-share 0.6 --valid-share 0.2 >/dev/null 2>&1
song=$(ls lib/music/* | head -n 1) film=$(ls lib/films/* | head -n 1)
cat >recipe.json <<'JSON'
{"extract": {"frames": {"size": [32, 48]}, "features": {"fbank": {}, "rhythm": {}, "grey_clips": {},
   "clip_flow": {"method": "dis_ultrafast"}}},
 "pretrain": {"audio": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1, "batch": 8},
              "video": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1, "batch": 8}},
 "model": {"kind": "ut_cmvmr", "theta_dim": 8, "rho_dim": 16, "text_dim": 16},
 "sampler": {"batch": 4}, "train": {"epochs": 1}}
JSON
"$vmr" extract lib/manifest.jsonl --recipe recipe.json --store store >/dev/null 2>&1
for modality in audio video; do
  "$vmr" pretrain $modality --recipe recipe.json --store store --out $modality >/dev/null 2>&1
  "$vmr" embed --run $modality --store store >/dev/null 2>&1
done
"$vmr" train --recipe recipe.json --store store --out run >/dev/null 2>&1
"$vmr" index build --run run --store store --index index >/dev/null 2>&1

# wanted EXAMPLE PATTERN ARGUMENTS...: it must succeed and print a line like PATTERN.
wanted() {
  local name=$1 pattern=$2
  shift 2
  local out
  out=$("$examples/example_$name" "$@")
  grep -qE "$pattern" <<<"$out" || { echo "example_$name printed no line like \"$pattern\":"; echo "$out"; exit 1; }
  echo "example_$name: ok"
}
wanted track_beats '^[0-9.]+ BPM$' "$song"
wanted compute_flow '^1\.000 s  [0-9.]+ pixels$' "$film"
wanted fit_film '^-?[0-9.]+  t0[^ ]* from -?[0-9.]+ s$' "$film" fit_store fit.edl lib/music/*
wanted fit_film '^beat [0-9.]+ s, [0-9]+ BPM$' "$film" fit_store fit.edl lib/music/*
grep -q '|M:cut 1' fit.edl || { echo "example_fit_film wrote no cut into fit.edl:"; cat fit.edl; exit 1; }
wanted extract_features '^fbank +\[[0-9]+, 398, 80\]' "$song" music
wanted extract_features '^grey_clips +\[[0-9]+, 224, 896\]' "$film" film
# By chance one film finds its music.
wanted train_on_tensors '^([1-2][0-9]|3[0-2]) of 32 films find their music first$'
wanted query_catalogue '^-?[0-9.]+  t0' "$film" index
