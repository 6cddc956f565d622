#!/bin/sh
# How long `tenure serve` takes from its start until it is ready, on a folder with many records.
#
#   scripts/start_to_ready.sh target/release/tenure 1000000 [FOLDER]
#
# Makes the folder if it is not there, with one conversation of one message for each record, and starts ten times.
set -eu
tenure=$1
records=${2:-1000000}
folder=${3:-$(mktemp -d)/ready}
export TENURE_LISTEN=127.0.0.1:18080 TENURE_OPERATE_LISTEN=127.0.0.1:18081 TENURE_SWEEP_EVERY=never

if [ ! -e "$folder/tenure.db" ]; then
  "$tenure" --data "$folder" init
  "$tenure" --data "$folder" policy publish policies/claude-consumer
  # A thousand accounts, and their conversations of this month.
  awk -v records="$records" -v now="$(date -u +%Y-%m-%dT%H:%M:%SZ)" 'BEGIN {
    for (a = 0; a < 1000; a++)
      printf "{\"type\":\"account\",\"id\":\"a%d\",\"country\":\"US\",\"minor\":false}\n", a
    for (r = 0; r < records; r++)
      printf "{\"type\":\"conversation\",\"id\":\"c%d\",\"account\":\"a%d\",\"surface\":\"pro\",\"country\":\"US\",\"scanned\":true,\"messages\":[{\"id\":\"m\",\"at\":\"%s\",\"role\":\"human\",\"text\":\"message %d\"}]}\n", r, r % 1000, now, r
  }' > "$folder.jsonl"
  "$tenure" --data "$folder" import tenure "$folder.jsonl"
  rm "$folder.jsonl"
fi

for run in 1 2 3 4 5 6 7 8 9 10; do
  began=$(date +%s%N)
  "$tenure" --data "$folder" serve --log-level error > /dev/null &
  process=$!
  until curl --silent --fail --output /dev/null "http://$TENURE_OPERATE_LISTEN/readyz"; do
    kill -0 "$process"
    sleep 0.005
  done
  echo "run $run: ready after $(( ($(date +%s%N) - began) / 1000000 )) ms"
  kill "$process"
  wait "$process"
done
