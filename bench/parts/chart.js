import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { reports } from '../lib/reports.js'
import { lastResult } from '../lib/results.js'
import { say } from '../lib/say.js'
import { bars, curves } from '../lib/svg.js'
import { targets, targetTable } from '../lib/targets.js'

const doc = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))

/** Draws docs/bench.svg and docs/scale.svg, and fills the tables of docs/performance.md, from the last results. */
export async function draw() {
  const results = {}
  const filled = {}
  for (const name of Object.keys(reports)) {
    const last = lastResult(name)
    if (last === undefined) say(`no result of ${name}: its table and chart stay as they are`)
    else {
      results[name] = last.result
      filled[name] = reports[name](last.result)
      filled[`${name}Machine`] = machineText(last)
    }
  }
  if (results.throughput) writeFileSync(doc('bench.svg'), throughputChart(results.throughput))
  if (results.scale) writeFileSync(doc('scale.svg'), scaleChart(results.scale))
  filled.targets = targetTable(targets(results))
  fillIn(filled)
}

function throughputChart({ contenders }) {
  const rows = contenders
    .filter(({ bare }) => bare)
    .map(({ name, label, bare }) => Object.assign({ name, label }, bare.rate))
    .toSorted((a, b) => b.median - a.median)
  return bars('Throughput against bare Express (1.0), with 95 % intervals', rows)
}

function scaleChart(rows) {
  const sizes = (store, pick) => rows.filter((row) => row.store === store).map((row) => [row.size, pick(row)])
  const both = (title, pick) => ({
    title,
    series: [
      { name: 'memory', points: sizes('memory', pick) },
      { name: 'sqlite', label: 'SQLite', points: sizes('sqlite', pick) },
    ],
  })
  const bytes = both('Bytes a session', (row) => row.bytes)
  bytes.series.push({ name: 'map', label: 'plain Map', points: sizes('memory', (row) => row.map.bytes) })
  return curves('Sessions held, and what they cost', [
    both('One lookup, µs', (row) => row.lookup.median),
    bytes,
    both("List one user's session, µs", (row) => row.listOne.median),
    both('List a hundred of one user, µs', (row) => row.listMany.median),
    both('Half expire: slice p99, ms', (row) => row.sweep.slices.p99),
    both('Half expire: longest stall, ms', (row) => row.sweep.turns.worst),
    {
      title: 'Cold start on an existing file, ms',
      series: [{ name: 'sqlite', label: 'SQLite', points: sizes('sqlite', (row) => row.coldStart) }],
    },
  ])
}

function machineText({ machine, isQuick }) {
  const { node, v8, cpu, cores, memoryGb, system, at, loadBefore, servers, packages } = machine
  const quick = isQuick ? ' **A quick run: to try it out, not to rely on.**' : ''
  return (
    `Measured ${at.slice(0, 16).replace('T', ' ')} UTC on ${cores} cores of ${cpu}, ${memoryGb} GB, ${system}, ` +
    `Node ${node.slice(1)} (V8 ${v8}), ${servers.redis}, ${servers.postgres}; ` +
    `load average before: ${loadBefore.toFixed(2)}.${quick}\n\n${packages.join(', ')}.`
  )
}

/** Puts each text between its two marks: <!-- name --> … <!-- /name -->. */
function fillIn(texts) {
  const page = doc('performance.md')
  if (!existsSync(page)) return
  let content = readFileSync(page, 'utf8')
  for (const [name, text] of Object.entries(texts)) {
    content = content.replace(
      new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`),
      (_, open, close) => `${open}\n\n${text}\n\n${close}`,
    )
  }
  writeFileSync(page, content)
  const prettier = fileURLToPath(new URL('../../node_modules/prettier/bin/prettier.cjs', import.meta.url))
  execFileSync(process.execPath, [prettier, '--write', page], { stdio: 'ignore' })
}
