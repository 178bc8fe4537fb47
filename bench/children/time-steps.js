import { median } from '../lib/stats.js'

let sink

/** Nanoseconds of each step: over batches of inputs made fresh, less what the empty loop costs. */
export function timeSteps(steps, rounds, batch = 200) {
  const all = { empty: { input: () => 0, step: (value) => value }, ...steps }
  const samples = Object.fromEntries(Object.keys(all).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, { input, step }] of Object.entries(all)) {
      const inputs = Array.from({ length: batch }, () => input())
      const start = process.hrtime.bigint()
      for (const one of inputs) sink = step(one)
      samples[name].push(Number(process.hrtime.bigint() - start) / batch)
    }
  }
  const settled = (name) => median(samples[name].slice(Math.floor(rounds / 4)))
  return Object.keys(steps).map((name) => ({ name, ns: settled(name) - settled('empty') }))
}

export const lastAnswer = () => sink
