#!/bin/sh
# run.sh RECIPE STORE OUT SEED...: trains a recipe on a store, evaluates on both splits
recipe=$1 store=$2 out=$3
shift 3
for seed in "$@"; do
  OMP_NUM_THREADS=1 vmr train --recipe "$recipe" --store "$store" --out "$out/seed_$seed" --seed "$seed" --threads 1
  for split in train test; do
    OMP_NUM_THREADS=1 vmr evaluate --run "$out/seed_$seed" --store "$store" --split $split --threads 1 --json \
      > "$out/$split.$seed.json"
  done
done
