import { Contender } from '../lib/contender.js'
import { quantile, shuffled, withInterval } from '../lib/stats.js'
import { say } from '../lib/say.js'

const CONNECTIONS = 64
const LEAD_IN_MS = 100

/**
 * All contenders against bare Express: windows in a new order each round, with a window of bare Express before
 * and after each, so that what the machine does meanwhile happens to both sides of every ratio.
 */
export async function throughput(taking, { rounds, windowMs, warmUp }) {
  const running = await startAll(taking)
  try {
    for (const one of running) await one.window(one.load, { count: warmUp })
    say(
      `${rounds} rounds of ${running.length} contenders, windows of ${windowMs} ms, ${CONNECTIONS} connections`,
    )
    const samples = await measure(running, { rounds, windowMs })
    return {
      connections: CONNECTIONS,
      rounds,
      windowMs,
      contenders: running.map((one) => summary(one, samples)),
    }
  } finally {
    await Promise.all(running.map((one) => one.close()))
  }
}

async function startAll(taking) {
  const running = []
  for (const about of taking) {
    const one = await Contender.start(about)
    running.push(one)
    await one.login()
    await one.check()
    one.load = await one.open(CONNECTIONS)
    say(`${one.label}: every user answered with their own name`)
  }
  return running
}

async function measure(running, { rounds, windowMs }) {
  const [bare, ...others] = running
  const samples = new Map(running.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    let before = await sample(bare, windowMs)
    for (const one of shuffled(others)) {
      const own = await sample(one, windowMs)
      const after = await sample(bare, windowMs)
      samples.get(one.name).push(ratios(own, before, after))
      samples.get(bare.name).push({ own: after })
      before = after
    }
  }
  return samples
}

async function sample(one, ms) {
  // Not counted: who was idle for seconds has to get its memory and caches back first, and bare Express never is.
  await one.load.run({ ms: LEAD_IN_MS })
  const { rate, cpu, latencies } = await one.window(one.load, { ms })
  return { rate, cpu, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

function ratios(own, before, after) {
  const against = (name) => own[name] / ((before[name] + after[name]) / 2)
  return { own, rate: against('rate'), cpu: against('cpu'), p99: against('p99') }
}

function summary({ name, label }, samples) {
  const all = samples.get(name)
  const of = (pick) => withInterval(all.map(pick))
  const own = {
    rate: of(({ own: { rate } }) => rate),
    cpu: of(({ own: { cpu } }) => cpu),
    p50: of(({ own: { p50 } }) => p50),
    p99: of(({ own: { p99 } }) => p99),
  }
  if (name === 'bare') return { name, label, own }
  const bare = { rate: of(({ rate }) => rate), cpu: of(({ cpu }) => cpu), p99: of(({ p99 }) => p99) }
  return { name, label, own, bare, rounds: all.map(({ rate }) => rate) }
}
