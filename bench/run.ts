// What `npm run bench` does: what express-sid costs beside its peers, in one run. Options: see `USAGE`.
import { parseArgs } from 'node:util'
import { contenders, named, withBuild, type Contender } from './contenders.js'
import { judge, type Results } from './lib/judge.js'
import { machine, machineText } from './lib/machine.js'
import { NEWEST, nodesOf } from './lib/nodes.js'
import type { Run } from './lib/part.js'
import { keep } from './lib/results.js'
import { say } from './lib/say.js'
import { findServers, type Servers } from './lib/servers.js'
import { parts, type PartName } from './parts/all.js'
import { draw } from './parts/chart.js'

const USAGE = `npm run bench [-- options]

What to measure (default: --throughput)
  --throughput    every contender over HTTP against bare Express, and the targets
  --profile name  where that contender's time goes under load, such as --profile memory
  --in-process    nanoseconds and bytes of the middleware without HTTP
  --shapes        login storms, strangers, a slow store
  --scale         10,000 to 1,000,000 sessions in memory and SQLite; --sizes 10000,10000000 for others
  --network       lookups among 10,000 and 1,000,000 sessions in Redis, Postgres and MySQL
  --batching      lookups gathered by turn against one each, on Redis and Postgres
  --all           all of that but the profile
  --chart         measure nothing: draw docs/*.svg and fill docs/performance.md from the last results

How
  --node list     the Nodes that serve: of 20, 22, 24 and 26. Default ${NEWEST}
  --quick         few and short windows: under a minute, for use while tuning; not to publish
  --only list     these contenders and bare Express. The express-sid ones also without their sid-
  --connections list   such as 1,32
  --driver list   own and wrk: the load drivers. Default both, with --quick own
  --other dir     the express-sid contenders once more on another build (its dist/esm), to compare a change
  --no-build      measure dist as it is`

const { values: options } = parseArgs({
  options: {
    throughput: { type: 'boolean' },
    profile: { type: 'string' },
    'in-process': { type: 'boolean' },
    shapes: { type: 'boolean' },
    scale: { type: 'boolean' },
    network: { type: 'boolean' },
    batching: { type: 'boolean' },
    all: { type: 'boolean' },
    chart: { type: 'boolean' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    node: { type: 'string', default: String(NEWEST) },
    connections: { type: 'string' },
    driver: { type: 'string' },
    other: { type: 'string' },
    sizes: { type: 'string' },
    build: { type: 'boolean', default: true },
    help: { type: 'boolean' },
  },
  allowNegative: true,
})

const numbers = (list: string | undefined) => list?.split(',').map(Number)

if (options.help) console.log(USAGE)
else if (options.chart) draw()
else await measure()

/** Runs what was asked for, prints tables, and keeps the figures as JSON. */
async function measure(): Promise<void> {
  const servers = await findServers()
  const nodes = nodesOf(options.node)
  const run: Run = {
    contenders: choose(servers),
    isChosen: options.only !== undefined,
    servers,
    nodes,
    isQuick: options.quick,
    connections: numbers(options.connections),
    sizes: numbers(options.sizes),
    drivers: options.driver?.split(','),
    profile: options.profile,
    machine: machine(servers, nodes),
  }
  const results: Results = {}
  for (const name of chosenParts()) {
    const result = await parts[name].measure(run)
    Object.assign(results, { [name]: result })
    keep(name, { machine: run.machine, isQuick: run.isQuick, result })
    console.log(`\n${parts[name].report(result)}`)
  }
  console.log(`\n${judge(results)}\n\n${machineText(run.machine)}`)
}

function chosenParts(): PartName[] {
  const names = Object.keys(parts) as PartName[]
  if (options.all) return names.filter((name) => name !== 'profile')
  const asked = names.filter((name) => options[name])
  return asked.length > 0 ? asked : ['throughput']
}

function choose(servers: Servers): Contender[] {
  const only = options.only?.split(',').map((name) => named(name).name)
  const names = only && new Set(['bare', 'bare-again', ...only])
  const chosen = contenders.filter(({ name, label, needs }) => {
    if (names && !names.has(name)) return false
    if (needs === undefined || servers[needs]) return true
    say(`### SKIPPED: ${label} (${name}) needs ${needs}, which does not run ###`)
    return false
  })
  return options.other === undefined ? chosen : withBuild(chosen, options.other)
}
