import { contenders, withBuild } from '../contenders.js'
import { machine } from '../lib/machine.js'
import { reports } from '../lib/reports.js'
import { keep } from '../lib/results.js'
import { say } from '../lib/say.js'
import { findServers } from '../lib/servers.js'
import { targets, targetTable } from '../lib/targets.js'
import { batching } from './batching.js'
import { inProcess } from './in-process.js'
import { network } from './network.js'
import { scale } from './scale.js'
import { shapes } from './shapes.js'
import { throughput } from './throughput.js'

const forShapes = new Set([
  'bare',
  'sid-memory',
  'sid-sqlite',
  'sid-redis',
  'sid-postgres',
  'es-memory',
  'es-redis',
  'es-postgres',
])

const parts = {
  throughput: (taking, quick) =>
    throughput(
      taking,
      quick ? { rounds: 4, windowMs: 150, warmUp: 3_000 } : { rounds: 14, windowMs: 250, warmUp: 8_000 },
    ),
  inProcess: (taking, quick, { node }) => inProcess({ rounds: quick ? 120 : 1_500, node }),
  shapes: (taking, quick) =>
    shapes(
      taking.filter(({ name }) => forShapes.has(name)),
      quick ? { rounds: 2, windowMs: 150 } : { rounds: 4, windowMs: 250 },
    ),
  batching: (taking, quick) => batching(quick ? { rounds: 3, windowMs: 100 } : { rounds: 8, windowMs: 150 }),
  network: (taking, quick, options, servers) =>
    network(
      servers,
      quick
        ? { few: 1_000, many: 20_000, rounds: 4, windowMs: 100 }
        : { few: 10_000, many: 1_000_000, rounds: 24, windowMs: 250 },
    ),
  scale: (taking, quick, { sizes }) =>
    scale({
      sizes: sizes?.split(',').map(Number) ?? (quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000]),
    }),
}

/** Runs what was asked for, prints tables, and keeps the figures as JSON. */
export async function measure(options) {
  const servers = await findServers()
  const on = machine(servers)
  const taking = choose(options, servers)
  const results = {}
  for (const name of chosenParts(options)) {
    results[name] = await parts[name](taking, options.quick, options, servers)
    keep(name, { machine: on, isQuick: options.quick === true, result: results[name] })
    console.log(`\n${reports[name](results[name])}`)
  }
  const judged = targets(results)
  if (judged.length > 0) console.log(`\n${targetTable(judged)}`)
  console.log(`\n${JSON.stringify(on)}`)
}

function chosenParts(options) {
  const names = Object.keys(parts)
  if (options.all) return names
  const named = names.filter((name) => options[name === 'inProcess' ? 'in-process' : name])
  return named.length > 0 ? named : ['throughput', 'inProcess']
}

function choose({ only, other }, servers) {
  let taking = contenders.filter(({ name, label, needs }) => {
    if (needs === undefined || servers[needs]) return true
    say(`### SKIPPED: ${label} (${name}) needs a running ${String(needs)}, and none answered ###`)
    return false
  })
  if (only !== undefined) {
    const names = new Set(['bare', 'bare-again', ...only.split(',')])
    taking = taking.filter(({ name }) => names.has(name))
  }
  return other === undefined ? taking : withBuild(taking, other)
}
