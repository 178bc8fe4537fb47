import { randomBytes } from 'node:crypto'
import { BUILD } from '../contenders.js'
import { Contender } from '../lib/contender.js'
import { requestText } from '../lib/load.js'
import { say } from '../lib/say.js'
import { quantile, shuffled, withInterval } from '../lib/stats.js'
import { ANSWER_FOR_NOBODY, answerFor, userOf } from '../lib/users.js'
import { uuidv7 } from '../lib/uuid.js'

const CONNECTIONS = [1, 64, 256, 1_000]
/** Not counted: see throughput.js. */
const LEAD_IN_MS = 100

/** Other loads than the steady one: few and many connections, storms, crowds of strangers, a slow store. */
export async function shapes(taking, options) {
  const running = []
  try {
    for (const about of taking) {
      const one = await Contender.start(about)
      running.push(one)
      await one.login()
      await one.check()
    }
    const connections = []
    for (const count of CONNECTIONS) connections.push(...(await atConnections(running, count, options)))
    const logins = await loginStorm(running.slice(1), options)
    const strangers = await crowds(running, options)
    return { connections, logins, strangers, slowStore: await slowStore(options) }
  } finally {
    await Promise.all(running.map((one) => one.close()))
  }
}

async function atConnections(running, connections, options) {
  say(`shapes: ${connections} connections`)
  const loads = new Map()
  for (const one of running) loads.set(one, await one.open(connections))
  const rows = await againstBare(running, loads, options)
  for (const load of loads.values()) load.close()
  return rows.map((row) => Object.assign(row, { connections }))
}

/** Windows in turn, each against the windows of bare Express around it. */
async function againstBare([bare, ...others], loads, { rounds, windowMs }) {
  const sample = async (one) => {
    await loads.get(one).run({ ms: LEAD_IN_MS })
    const { rate, latencies } = await one.window(loads.get(one), { ms: windowMs })
    return { rate, p99: quantile(latencies, 0.99) }
  }
  const samples = new Map(others.map((one) => [one, []]))
  for (const one of [bare, ...others]) await one.window(loads.get(one), { count: 2_000 })
  for (let round = 0; round < rounds; round++) {
    let before = await sample(bare)
    for (const one of shuffled(others)) {
      const own = await sample(one)
      const after = await sample(bare)
      const against = (name) => own[name] / ((before[name] + after[name]) / 2)
      samples.get(one).push({ ...own, toBare: against('rate'), p99ToBare: against('p99') })
      before = after
    }
  }
  return others.map((one) => ({
    name: one.name,
    label: one.label,
    rate: withInterval(samples.get(one).map(({ rate }) => rate)),
    p99: withInterval(samples.get(one).map(({ p99 }) => p99)),
    toBare: withInterval(samples.get(one).map(({ toBare }) => toBare)),
    p99ToBare: withInterval(samples.get(one).map(({ p99ToBare }) => p99ToBare)),
  }))
}

/** Everybody logs in at once: 64 at a time, each a new session. */
async function loginStorm(running, { rounds, windowMs }) {
  say('shapes: login storm')
  const requests = Array.from({ length: 256 }, (_, n) => ({
    text: requestText('POST', `/login?n=${n}`),
    expected: '',
  }))
  const samples = new Map()
  for (const one of running) {
    const load = await one.open(64, requests)
    await one.window(load, { count: 500 })
    samples.set(one, { load, rates: [], p99s: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const one of shuffled(running)) {
      const { load, rates, p99s } = samples.get(one)
      const { rate, latencies } = await one.window(load, { ms: windowMs })
      rates.push(rate)
      p99s.push(quantile(latencies, 0.99))
    }
  }
  return running.map((one) => {
    const { rates, p99s } = samples.get(one)
    return { name: one.name, label: one.label, rate: withInterval(rates), p99: withInterval(p99s) }
  })
}

const random = (bytes) => randomBytes(bytes).toString('base64url')
const cookie = (name, value) => () => requestText('GET', '/me', `theme=dark; ${name}=${value()}`)

const strangersOf = {
  'sid-': {
    'no cookie': () => requestText('GET', '/me'),
    'unknown, well-formed': cookie('__Host-sid', () => `${uuidv7()}.${random(49).slice(0, 65)}`),
    malformed: cookie('__Host-sid', () => random(70)),
    'oversize (8 KB)': cookie('__Host-sid', () => 'x'.repeat(8_000)),
  },
  'es-': {
    'no cookie': () => requestText('GET', '/me'),
    unknown: cookie('connect.sid', () => `s%3A${random(24)}.${random(32)}`),
  },
}

/** Browsers that nobody knows. Bare Express is sent the same, and answers its user as ever. */
async function crowds(running, options) {
  const [bare] = running
  const rows = []
  for (const [prefix, kinds] of Object.entries(strangersOf)) {
    const ours = running.filter(({ name }) => name.startsWith(prefix))
    for (const [kind, text] of Object.entries(kinds)) {
      say(`shapes: strangers, ${prefix}*, ${kind}`)
      const loads = new Map()
      loads.set(bare, await bare.open(64, [{ text, expected: answerFor(userOf(0)) }]))
      for (const one of ours) loads.set(one, await one.open(64, [{ text, expected: ANSWER_FOR_NOBODY }]))
      for (const row of await againstBare([bare, ...ours], loads, options)) rows.push({ kind, ...row })
      for (const load of loads.values()) load.close()
    }
  }
  return rows
}

/** 32 connections of browsers that are logged in, and 32 that have no cookie: what do the latter notice? */
async function slowStore({ windowMs, rounds }) {
  const ms = windowMs * rounds
  const rows = []
  for (const [label, delay] of [
    ['1 ms', 1],
    ['100 ms', 100],
    ['never answers', null],
  ]) {
    say(`shapes: a store that takes ${label}`)
    const about = {
      name: 'sid-slow',
      label,
      module: new URL('../contenders/sid-slow.js', import.meta.url).href,
      build: BUILD,
    }
    const one = await Contender.start(about, { setup: { delay } })
    await one.login()
    const strangers = await one.open(32, [{ text: requestText('GET', '/me'), expected: ANSWER_FOR_NOBODY }])
    await one.window(strangers, { count: 10_000 })
    const alone = await one.window(strangers, { ms })
    const known = await one.open(32)
    const [beside, members] = await Promise.all([strangers.run({ ms }), known.run({ ms })])
    if (beside.wrong.length > 0) throw new Error(`a stranger was answered wrongly:\n${beside.wrong[0]}`)
    rows.push({
      label,
      alone: { rate: alone.rate, p99: quantile(alone.latencies, 0.99) },
      beside: { rate: beside.latencies.length / beside.seconds, p99: quantile(beside.latencies, 0.99) },
      members: {
        rate: members.latencies.length / members.seconds,
        p99: quantile(members.latencies, 0.99),
        refused:
          members.wrong.filter((text) => text.startsWith('HTTP/1.1 503')).length / members.latencies.length,
      },
    })
    await one.close()
  }
  return rows
}
