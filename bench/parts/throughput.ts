import type { Contender } from '../contenders.js'
import { report, type Cell, type Series } from '../lib/cells.js'
import { Running } from '../lib/contender.js'
import type { Node } from '../lib/nodes.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import { shuffled } from '../lib/stats.js'
import type { Driver } from '../load/driver.js'
import { own } from '../load/own.js'
import { hasWrk, wrk } from '../load/wrk.js'

export { report }

interface Plan {
  readonly connections: readonly number[]
  /** Fresh processes for each sitting: how V8 happens to optimise one process stays with it. */
  readonly sittings: number
  readonly rounds: number
  readonly windowMs: number
  /** Not counted, before each window: whoever was idle has to get its memory and caches back first. */
  readonly leadInMs: number
  readonly warmUp: number
}

const FULL: Plan = {
  connections: [1, 4, 8, 32, 64, 256],
  sittings: 4,
  rounds: 6,
  windowMs: 250,
  leadInMs: 100,
  warmUp: 8_000,
}
const QUICK: Plan = { connections: [32], sittings: 3, rounds: 8, windowMs: 80, leadInMs: 40, warmUp: 6_000 }

/** Who takes part in a quick run where nobody is named. */
const FOR_QUICK = new Set([
  'bare',
  'bare-again',
  'deferred',
  'sid-memory',
  'sid-sqlite',
  'sid-node-sqlite',
  'es-memory',
])

/**
 * All contenders over HTTP. Each is treated alike, bare Express too: the same warm-up, and in each round one window
 * in a random order, so that each is idle as long as the others. A ratio is that of two windows of one round.
 */
export async function measure(run: Run): Promise<Cell[]> {
  const plan = run.isQuick ? QUICK : FULL
  const connections = run.connections ?? plan.connections
  const cells: Cell[] = []
  for (const node of run.nodes) {
    const taking = takingPart(run, node)
    for (const driver of driversOf(run)) {
      // wrk makes windows of whole seconds, of which the start of its process is a small part.
      const count = driver === wrk ? { rounds: run.isQuick ? 1 : 2, windowMs: 1_000, leadInMs: 0 } : {}
      cells.push(...(await race(node, driver, taking, { ...plan, connections, ...count })))
    }
  }
  return cells
}

function takingPart({ contenders, isQuick, isChosen }: Run, { major }: Node): Contender[] {
  return contenders.filter(
    ({ name, nodes: [from, to] }) =>
      from <= major && major <= to && (isChosen || !isQuick || FOR_QUICK.has(name)),
  )
}

function driversOf({ drivers, isQuick }: Run): Driver[] {
  const wanted = drivers ?? (isQuick ? ['own'] : ['own', 'wrk'])
  const unknown = wanted.find((name) => name !== 'own' && name !== 'wrk')
  if (unknown !== undefined) throw new Error(`--driver takes own and wrk, not ${unknown}.`)
  const isMissing = wanted.includes('wrk') && !hasWrk()
  if (isMissing) say('### SKIPPED: the second driver, wrk, is not on this machine: apt-get install wrk ###')
  return [own, wrk].filter((one) => wanted.includes(one.name) && !(one === wrk && isMissing))
}

async function race(node: Node, driver: Driver, taking: Contender[], plan: Plan): Promise<Cell[]> {
  const cells = plan.connections.map((connections) => ({
    node: node.major,
    driver: driver.name,
    connections,
    series: taking.map(({ name, label }): Series => ({ name, label, samples: [] })),
  }))
  for (let sitting = 0; sitting < plan.sittings; sitting++) {
    say(
      `Node ${node.version}, ${driver.name}: sitting ${sitting + 1} of ${plan.sittings}, ${taking.length} contenders`,
    )
    const running = await start(taking, node, plan.warmUp)
    try {
      for (const { connections, series } of cells) {
        say(`  ${connections} connections`)
        for (const one of series) one.samples.push([])
        await rounds(running, series, driver, connections, plan)
      }
    } finally {
      await Promise.all(running.map((one) => one.close()))
    }
  }
  return cells
}

/** Starts all, proves that each knows its users, and warms each up by the same number of requests. */
async function start(taking: Contender[], node: Node, warmUp: number): Promise<Running[]> {
  const running: Running[] = []
  for (const about of taking) {
    const one = await Running.start(about, node)
    running.push(one)
    await one.login()
    await one.check()
    const load = await one.open(32)
    await one.window(load, { count: warmUp })
    load.close()
  }
  return running
}

async function rounds(
  running: readonly Running[],
  series: readonly Series[],
  driver: Driver,
  connections: number,
  { rounds: count, windowMs, leadInMs }: Plan,
): Promise<void> {
  const loads = await Promise.all(running.map((one) => one.open(connections, one.requests, driver)))
  for (let round = 0; round < count; round++) {
    for (const at of shuffled(running.map((_, index) => index))) {
      const [one, load] = [running[at]!, loads[at]!]
      if (leadInMs > 0) await load.run({ ms: leadInMs })
      series[at]!.samples.at(-1)!.push(await one.window(load, { ms: windowMs }))
    }
  }
  for (const load of loads) load.close()
}
