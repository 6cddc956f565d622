// Runs the verifier as a page does: cases as JSON on standard input, what it answers on standard output.
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { memory, tenure_input, tenure_verify, tenure_output_length } = instance.exports;

function verify(parts) {
  let at = tenure_input(parts.reduce((sum, part) => sum + part.length, 0));
  for (const part of parts) {
    new Uint8Array(memory.buffer).set(part, at);
    at += part.length;
  }
  const answer = tenure_verify(parts[0].length, parts[1].length);
  return new TextDecoder().decode(new Uint8Array(memory.buffer, answer, tenure_output_length()));
}

const { cases, runs } = JSON.parse(readFileSync(0, "utf8"));
const bytes = cases.map((parts) => parts.map((part) => new TextEncoder().encode(part)));
const started = performance.now();
const answers = [verify(bytes[0])];
const first = performance.now() - started;
answers.push(...bytes.slice(1).map(verify));

const times = Array.from({ length: runs }, () => {
  const started = performance.now();
  verify(bytes[0]);
  return performance.now() - started;
}).sort((one, other) => one - other);
const milliseconds = { first, median: times[Math.floor(runs / 2)], slowest: times[runs - 1] };
process.stdout.write(JSON.stringify({ answers, milliseconds, memory: memory.buffer.byteLength }));
